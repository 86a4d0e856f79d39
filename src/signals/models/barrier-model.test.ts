import { describe, expect, it } from 'vitest';
import { DAY, HOUR, MINUTE } from '#base';
import { columnOf, FeatureFrame, type FundingState, requestOf, scalerHash } from '#features';
import { plainScaler, s1Model, steadyModel } from '../../../test/support/s1-model.ts';
import type { Score } from '../signal.ts';
import type { LocalSource, View } from '../source.ts';
import type { ModelArtefact } from './artefact.ts';
import { type BarrierModelConfig, barrierModel } from './barrier-model.ts';
import { S1_INDICATORS } from './s1-row.ts';

const START = Date.UTC(2024, 0, 1);

interface World {
  readonly funding?: FundingState | null;
  readonly pine?: (time: number) => string | null;
  readonly bars?: number;
  readonly close?: (i: number) => number;
}

/** Plays bars through the source from the 250th on; gives what it says. */
function play(
  artefact: ModelArtefact | null,
  world: World = {},
  changes: Partial<BarrierModelConfig> = {},
): Score[] {
  const part = barrierModel({
    artefact,
    id: 'model',
    horizonMs: HOUR,
    pineSubject: null,
    inSample: false,
    ...changes,
  }) as unknown as LocalSource;
  const frame = new FeatureFrame(Object.values(S1_INDICATORS).map(requestOf));
  const handles = Object.entries(S1_INDICATORS).map(
    ([name, text]) => [name, frame.column(columnOf(text))] as const,
  );
  const state = part.state();
  const said: Score[] = [];
  const { bars = 252, close = (i) => 100 + Math.sin(i / 3) } = world;
  for (let i = 0; i < bars; i++) {
    const c = close(i);
    const time = START + i * MINUTE;
    frame.push(time, c, c * 1.001, c * 0.999, c, 10 + (i % 3));
    if (i < 249) continue;
    const view = {
      at: time + MINUTE,
      intervalMs: MINUTE,
      close: c,
      frame,
      funding: () => world.funding ?? null,
      observation: () => {
        const value = world.pine?.(time) ?? null;
        return value === null ? null : { value, publishedAt: time };
      },
    } as unknown as View;
    const values = Object.fromEntries(handles.map(([name, handle]) => [name, frame.value(handle)]));
    said.push(part.signal(view, values, state) as Score);
  }
  return said;
}

const last = (...given: Parameters<typeof play>) => play(...given).at(-1)!;

describe('the learned gate', () => {
  it('says what its model states', () => {
    const { value, detail } = last(steadyModel(0.1, 0.3, 0.6));
    expect(value).toBeCloseTo(0.5, 6);
    expect(detail).toMatchObject({
      up: expect.closeTo(0.6, 6),
      down: expect.closeTo(0.1, 6),
      clipped: 0,
      drifted: false,
      parityBp: null,
    });
    expect(detail).not.toHaveProperty('fault');
  });

  it('reads the features in their order, the funding last', () => {
    const split = (feature: string, below: number) => ({ feature, below, left: 0, right: 4 });
    const byFunding = s1Model({ down: 0, none: 0, up: split('funding_tilt', 1) });
    const state: FundingState = {
      rate: 2,
      time: 0,
      intervalMs: 1,
      mean: 0,
      deviation: 1,
      count: 9,
      fresh: true,
    };
    expect(last(byFunding).value).toBeCloseTo(0, 6);
    expect(last(byFunding, { funding: state }).value).toBeGreaterThan(0.9);
    expect(last(byFunding, { funding: { ...state, fresh: false } }).value).toBeCloseTo(0, 6);
    const byMomentum = s1Model({ down: 0, none: 0, up: split('r20', 0) });
    expect(last(byMomentum, { close: (i) => 100 + i }).value).toBeGreaterThan(0.9);
    expect(last(byMomentum, { close: (i) => 500 - i }).value).toBeCloseTo(0, 6);
  });

  it('applies the calibration of each class and scales them to one', () => {
    const flat = { kind: 'isotonic', x: [0, 1], p: [0.2, 0.2] } as const;
    const same = { kind: 'isotonic', x: [0, 1], p: [0, 1] } as const;
    const { detail } = last(steadyModel(0.1, 0.3, 0.6, { calibration: [flat, same, same] }));
    expect(detail!.up).toBeCloseTo(0.6 / 1.1, 6);
    expect(detail!.down).toBeCloseTo(0.2 / 1.1, 6);
  });

  it.each<[string, ModelArtefact | null, string]>([
    ['without a model', null, 'there is no model'],
    [
      'with a scaler that was touched',
      steadyModel(0.1, 0.3, 0.6, { scaler: { ...plainScaler(), hash: '0' } }),
      'hash',
    ],
    ['without a scaler', steadyModel(0.1, 0.3, 0.6, { scaler: null }), 'no scaler'],
    ['with other features', steadyModel(0.1, 0.3, 0.6, { features: ['x'] }), 'other features'],
    [
      'with other classes',
      steadyModel(0.1, 0.3, 0.6, { classes: ['up', 'none', 'down'] }),
      'down, none and up',
    ],
    [
      'with too few calibrations',
      steadyModel(0.1, 0.3, 0.6, { calibration: [] }),
      'one calibration per class',
    ],
  ])('%s it says nothing, and why', (_, artefact, why) => {
    const { value, detail } = last(artefact);
    expect(value).toBe(0);
    expect(String(detail!.fault)).toContain(why);
  });

  it('says nothing of bars that its model was trained on, but in a study', () => {
    const training = { ...steadyModel(0.1, 0.3, 0.6).training, to: START + 252 * MINUTE };
    const artefact = steadyModel(0.1, 0.3, 0.6, { training });
    expect(play(artefact, { bars: 254 }).map(({ detail }) => detail!.fault ?? null)).toEqual([
      'the model was trained on later bars',
      'the model was trained on later bars',
      'the model was trained on later bars',
      null,
      null,
    ]);
    expect(last(artefact, {}, { inSample: true }).detail).not.toHaveProperty('fault');
  });

  it('tells how old its model is', () => {
    const training = { ...steadyModel(0.1, 0.3, 0.6).training, to: START - 14 * DAY };
    expect(last(steadyModel(0.1, 0.3, 0.6, { training })).detail!.ageMs).toBe(14 * DAY + 252 * MINUTE);
  });

  it('counts what its scaler cuts off', () => {
    const narrow = plainScaler();
    const std = narrow.std.map((s, k) => (k === 0 ? 1e-9 : s));
    const said = play(s1ModelWithStd(std), { bars: 249 + 11 });
    expect(said.map(({ detail }) => detail!.drifted)).toEqual([...Array(10).fill(false), true]);
    expect(said.every(({ detail }) => detail!.clipped === 1)).toBe(true);
  });

  it('tells how far a chart script differs', () => {
    const pine = (time: number) => `{"time":${time},"values":{"rsi14":-1,"r1":null}}`;
    const { detail } = last(steadyModel(0.1, 0.3, 0.6), { pine }, { pineSubject: 'pine:X' });
    expect(detail!.parityBp as number).toBeGreaterThan(100);
  });
});

function s1ModelWithStd(std: readonly number[]): ModelArtefact {
  const { features, mean } = plainScaler();
  const fitted = { features, mean, std };
  return steadyModel(0.1, 0.3, 0.6, { scaler: { ...fitted, hash: scalerHash(fitted) } });
}
