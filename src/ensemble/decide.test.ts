import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InputError, MINUTE } from '#base';
import { defineInstrument } from '#market';
import { type Score, type Signal, sigmaV1, source, type View } from '#signals';
import {
  calibrated,
  calibratedProbability,
  checkComposition,
  type Decision,
  decide,
  entryThreshold,
  type Gate,
  gate,
  logOddsPool,
  longOnly,
  majority,
  maxVolatility,
  type PoolingRule,
  sessionOpen,
  sigmaOrchestrator,
  single,
  smallestChange,
  thinVolume,
  trendOrStretch,
} from './index.ts';

const INSTRUMENT = defineInstrument({ id: 'BTCUSDT.TEST' });
const view = { at: 1_700_000_000_000, instrument: INSTRUMENT, volume: 50 } as unknown as View;
const score = (source: string, value: number, more: Partial<Score> = {}): Score => ({
  kind: 'score',
  source,
  value,
  horizonMs: 1000,
  ...more,
});

type Values = Readonly<Record<string, number>>;
function decided(
  signals: readonly Signal[],
  gates: readonly (readonly [Gate<never>, Values])[] = [],
  pooling: PoolingRule = single(),
  tolerated = 0,
): Decision {
  return decide({
    view,
    signals,
    pooling,
    gates: gates.map(([g]) => g),
    gateValues: gates.map(([, values]) => values),
    weights: {},
    quorum: { tolerated },
  });
}
const checked = (part: Gate<never>, values: Values, confidence = 0.7, at: View = view) =>
  part.check(
    { action: 'enter-long', confidence, probability: null, rule: '', objections: [] },
    at,
    values as never,
  );

const objecting = (name: string, veto = false) =>
  gate({ name, veto, features: {}, check: () => ({ by: name, reason: 'no' }) });

describe('gates', () => {
  it('pass at their bound and object beyond it, with what was measured and needed', () => {
    expect(checked(entryThreshold(), {}, 0.6)).toBeNull();
    expect(checked(entryThreshold(), {}, 0.57672)).toMatchObject({
      by: 'entry-threshold',
      measured: 0.57672,
      needed: 0.6,
    });
    expect(checked(entryThreshold(), {}, Number.NaN)).not.toBeNull();
    // the view's volume is 50
    expect(checked(thinVolume(), { mean: 250 })).toBeNull();
    expect(checked(thinVolume(), { mean: 500 })).toMatchObject({
      measured: 0.1,
      needed: 0.2,
      relation: '>=',
    });
    expect(checked(thinVolume(), { mean: 0 })).toMatchObject({ measured: 0 });
    expect(checked(maxVolatility(), { gk: 0.8 })).toBeNull();
    expect(checked(maxVolatility(), { gk: 0.81 })).toMatchObject({
      measured: 0.81,
      needed: 0.8,
      relation: '<=',
    });
    expect(checked(trendOrStretch(), { adx: 15, z: 0 })).toBeNull();
    expect(checked(trendOrStretch(), { adx: 14, z: -0.5 })).toBeNull();
    expect(checked(trendOrStretch(), { adx: 14, z: 0.1 })).toMatchObject({
      measured: 14,
      needed: 15,
      unit: 'ADX',
    });
    expect(checked(trendOrStretch(), { adx: 5, z: -0.45 })).toMatchObject({
      measured: 0.45,
      needed: 0.5,
      unit: '|Z|',
    });
  });

  it('object to what is not defined', () => {
    for (const bad of [Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(checked(thinVolume(), { mean: bad })).not.toBeNull();
      expect(checked(maxVolatility(), { gk: bad })).not.toBeNull();
      expect(checked(trendOrStretch(), { adx: bad, z: 3 })).not.toBeNull();
      expect(checked(trendOrStretch(), { adx: 30, z: bad })).not.toBeNull();
    }
  });

  it('refuse bounds that are none', () => {
    for (const make of [
      () => entryThreshold(2),
      () => thinVolume(Number.NaN),
      () => maxVolatility(0),
      () => trendOrStretch(-1),
      () => sessionOpen({ afterOpenMs: -1 }),
    ]) {
      expect(make).toThrow(InputError);
    }
  });

  it('ask the calendar of the instrument, away from the ends of a session where asked to', () => {
    const nyse = defineInstrument({ id: 'SPY.NYSE', kind: 'equity', calendar: 'NYSE' });
    const at = (iso: string) => ({ at: Date.parse(iso), instrument: nyse }) as unknown as View;
    // Tuesday 2024-07-02, 09:30 to 16:00 in New York (UTC-4)
    const ask = (iso: string, config = {}) => checked(sessionOpen(config), {}, 1, at(iso))?.reason ?? null;
    expect(ask('2024-07-02T13:30:00Z')).toBeNull();
    expect(ask('2024-07-02T13:29:59Z')).toBe('NYSE is closed');
    expect(ask('2024-07-02T20:00:00Z')).toBe('NYSE is closed');
    expect(ask('2024-07-02T13:44:00Z', { afterOpenMs: 15 * MINUTE })).toBe('NYSE has only just opened');
    expect(ask('2024-07-02T13:45:00Z', { afterOpenMs: 15 * MINUTE })).toBeNull();
    expect(ask('2024-07-02T19:58:00Z', { beforeCloseMs: 5 * MINUTE })).toBe('NYSE closes soon');
    expect(checked(sessionOpen(), {})).toBeNull();
    expect(sessionOpen().veto).toBe(true);
  });
});

describe('decide', () => {
  it('passes an entry through, with what was wanted', () => {
    expect(decided([score('a', 0.7)], [[entryThreshold(), {}]])).toEqual({
      at: view.at,
      instrument: INSTRUMENT.id,
      action: 'enter-long',
      wanted: 'enter-long',
      confidence: 0.7,
      probability: null,
      rule: 'score',
      signals: [score('a', 0.7)],
      objections: [],
    });
  });

  it('asks all gates of an entry and keeps every objection in order', () => {
    const gates = [
      [entryThreshold(0.9), {}],
      [thinVolume(), { mean: 10 }],
      [maxVolatility(), { gk: 3 }],
    ] as const;
    const decision = decided([score('a', -0.7)], gates);
    expect(decision).toMatchObject({ action: 'wait', wanted: 'enter-short' });
    expect(decision.objections.map((o) => o.by)).toEqual(['entry-threshold', 'max-volatility']);
  });

  it('asks no gate when pooling waits, and holds up no exit', () => {
    let asked = 0;
    const counting = gate({
      name: 'counting',
      features: {},
      check: () => {
        asked += 1;
        return { by: 'counting', reason: 'no' };
      },
    });
    expect(decided([score('a', 0)], [[counting, {}]])).toMatchObject({ action: 'wait', wanted: null });
    expect(decided([score('a', -1)], [[counting, {}]], longOnly(single()))).toMatchObject({
      action: 'exit',
      wanted: 'exit',
    });
    expect(asked).toBe(0);
    decided([score('a', 1)], [[counting, {}]]);
    expect(asked).toBe(1);
  });

  it('tolerates gates as far as the desk says, vetoes never', () => {
    const two = [
      [objecting('x'), {}],
      [objecting('y'), {}],
    ] as const;
    expect(decided([score('a', 1)], two, single(), 1).action).toBe('wait');
    const tolerant = decided([score('a', 1)], two, single(), 2);
    expect(tolerant.action).toBe('enter-long');
    expect(tolerant.objections.map((o) => o.by)).toEqual(['x', 'y']);
    expect(decided([score('a', 1)], [[objecting('v', true), {}]], single(), 99).action).toBe('wait');
  });

  it('drops what is malformed or answered twice, and does not enter then', () => {
    const bad = score('b', Number.NaN);
    const decision = decided([score('a', 1), bad, score('c', 1)], [], majority());
    expect(decision).toMatchObject({ action: 'wait', wanted: 'enter-long' });
    expect(decision.signals.map((s) => s.source)).toEqual(['a', 'c']);
    expect(decision.objections[0]).toEqual({ by: 'b', reason: 'malformed: score NaN is not within -1..1' });
    const twice = decided([score('a', 1), score('a', 1)], [], majority());
    expect(twice).toMatchObject({ action: 'wait', objections: [{ by: 'a' }] });
    expect(twice.signals.length).toBe(1);
  });

  it('acts on no pooled number that is none', () => {
    const broken = (confidence: number, probability: number | null): PoolingRule => ({
      name: 'broken',
      takes: 'score',
      pool: () => ({ action: 'enter-long', confidence, probability, rule: 'broken', objections: [] }),
    });
    for (const rule of [broken(Number.NaN, null), broken(1.2, null), broken(0.5, Number.NaN)]) {
      expect(decided([], [], rule)).toMatchObject({
        action: 'wait',
        confidence: 0,
        objections: [{ by: 'pooling' }],
      });
    }
    const unnamed: PoolingRule = {
      ...broken(0.5, null),
      pool: () => ({ ...broken(0.5, null).pool([], view, {}), action: 'propose' }),
    };
    expect(decided([], [], unnamed).action).toBe('wait');
  });

  it('carries the chosen proposal', () => {
    const proposal = {
      kind: 'proposal',
      source: 'pair',
      legs: [{ instrument: INSTRUMENT.id, side: 'buy', quantity: 1, limitPrice: null }],
      expectedEdge: 2,
      worstLoss: 1,
    } as const;
    expect(decided([proposal], [], single({ takes: 'proposal' }))).toMatchObject({
      action: 'propose',
      proposal,
    });
    const infinite = { ...proposal, legs: [{ ...proposal.legs[0], limitPrice: Number.POSITIVE_INFINITY }] };
    expect(decided([infinite], [], single({ takes: 'proposal' }))).toMatchObject({ action: 'wait' });
  });

  it("runs sigma's worked examples to the entry", () => {
    const run = (confidence: number, long: number) => {
      const v1 = score('sigma-v1', confidence / 2.5, { confidence, detail: { action: 'ENTER_LONG' } });
      const v2 = score('sigma-v2', long / 10, { detail: { long, short: 0 } });
      return decided([v1, v2], [[entryThreshold(), {}]], sigmaOrchestrator());
    };
    const entered = run(0.695313, 7);
    expect(entered.action).toBe('enter-long');
    expect(entered.confidence).toBeCloseTo(0.764844, 6);
    const refused = run(0.695313, 2);
    expect(refused).toMatchObject({ action: 'wait', wanted: null });
    expect(refused.confidence).toBeCloseTo(0.347656, 5);
    const short = run(0.7209, 2);
    expect(short).toMatchObject({
      action: 'wait',
      wanted: 'enter-long',
      objections: [{ by: 'entry-threshold', needed: 0.6 }],
    });
    expect(short.objections[0]!.measured).toBeCloseTo(0.57672, 6);
    expect(run(0.75, 2).action).toBe('enter-long');
  });
});

describe('calibration', () => {
  const platt = { kind: 'platt', a: 2, b: -0.5 } as const;
  const steps = { kind: 'steps', x: [-1, 0, 1], p: [0.3, 0.5, 0.6] } as const;

  it('turns a score into a forecast, and a stated probability into an observed one', () => {
    expect(calibrated(score('a', 0.5), { a: platt })).toMatchObject({
      kind: 'forecast',
      claim: 'up-at-horizon',
      probability: 1 / (1 + Math.exp(-0.5)),
    });
    const stated = {
      kind: 'forecast',
      source: 'a',
      claim: 'resolves-yes',
      probability: 0.8,
      horizonMs: 1,
    } as const;
    const identity = { kind: 'platt', a: 1, b: 0 } as const;
    expect(calibratedProbability(identity, stated)).toBeCloseTo(0.8, 12);
    expect(calibrated(stated, { a: platt })).toMatchObject({ claim: 'resolves-yes' });
    expect(calibrated(score('b', 0.5), { a: platt })).toEqual(score('b', 0.5));
    expect([-1, -0.5, 0.5, 1].map((x) => calibratedProbability(steps, score('a', x)))).toEqual([
      0.3, 0.4, 0.55, 0.6,
    ]);
    const inner = { kind: 'steps', x: [-0.5, 0.5], p: [0.4, 0.6] } as const;
    expect([-1, 1].map((x) => calibratedProbability(inner, score('a', x)))).toEqual([0.4, 0.6]);
  });

  it('is applied before pooling, while the decision keeps what was stated', () => {
    const decision = decide({
      view,
      signals: [score('a', 1)],
      pooling: logOddsPool(),
      gates: [],
      gateValues: [],
      weights: {},
      calibrations: { a: steps },
    });
    expect(decision).toMatchObject({ action: 'enter-long', signals: [{ kind: 'score', value: 1 }] });
    expect(decision.probability).toBeCloseTo(0.6, 12);
  });

  it('a composition that cannot work is refused before the first bar', () => {
    const forecasting = source({ name: 'f', emits: 'forecast', features: {}, signal: () => null });
    expect(() => checkComposition([sigmaV1(), forecasting], sigmaOrchestrator())).toThrow(
      /f gives a forecast/,
    );
    expect(() => checkComposition([sigmaV1()], logOddsPool())).toThrow(InputError);
    expect(() => checkComposition([sigmaV1()], logOddsPool(), { 'sigma-v1': platt })).not.toThrow();
    expect(() => checkComposition([sigmaV1(), sigmaV1()], sigmaOrchestrator())).toThrow(/two sources/);
    expect(() => checkComposition([sigmaV1()], sigmaOrchestrator())).not.toThrow();
  });
});

describe('smallest change', () => {
  it('says what the first objection would have needed', () => {
    const v1 = score('sigma-v1', 0.14, { confidence: 0.35, detail: { action: 'WAIT' } });
    expect(smallestChange(decided([v1], [], sigmaOrchestrator()))).toEqual({
      by: 'sigma-v1',
      text: 'sigma-v1: adjusted score is too small to enter; 0.14 score was measured, >= 0.2 is needed (0.06 more)',
      measured: 0.14,
      needed: 0.2,
    });
    const wild = decided([score('a', 1)], [[maxVolatility(), { gk: 2.825886 }]]);
    expect(smallestChange(wild)!.text).toContain(
      '2.82589 a year was measured, <= 0.8 is needed (2.02589 less)',
    );
  });

  it('has no number where none was measured, and nothing to say about an entry', () => {
    const vetoed = decided([score('a', 1)], [[objecting('veto', true), {}]]);
    expect(smallestChange(vetoed)).toEqual({ by: 'veto', text: 'veto: no', measured: null, needed: null });
    expect(smallestChange(decided([score('a', 1)], [[objecting('x'), {}]], single(), 1))).toBeNull();
    expect(smallestChange({ action: 'wait', objections: [] })).toBeNull();
    const tie = { by: 'm', reason: 'r', measured: 0.5, needed: 0.5, relation: '>' } as const;
    expect(smallestChange({ action: 'wait', objections: [tie] })!.text).toContain(
      '> 0.5 is needed (any step beyond it)',
    );
  });
});

describe('laws of decide', () => {
  const number = fc.oneof(
    fc.double({ min: -1, max: 1, noNaN: true }),
    fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY),
  );
  const gatesOf = fc.array(fc.record({ objects: fc.boolean(), veto: fc.boolean() }), { maxLength: 5 });
  const partsOf = (list: readonly { objects: boolean; veto: boolean }[]) =>
    list.map(({ objects, veto }, i) => {
      const name = `g${i}`;
      const check = () => (objects ? { by: name, reason: 'no' } : null);
      return [gate({ name, veto, features: {}, check }), {}] as const;
    });

  it('a number that is none, anywhere in a signal, never leads to an entry', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(number, fc.option(number)), { minLength: 1, maxLength: 5 }), (parts) => {
        const signals = parts.map(([value, confidence], i) =>
          score(`s${i}`, value, confidence === null ? {} : { confidence }),
        );
        const { action, confidence } = decided(signals, [], majority());
        const isBad = parts.flat().some((x) => x !== null && !Number.isFinite(x));
        if (isBad) expect(action).toBe('wait');
        expect(confidence >= 0 && confidence <= 1).toBe(true);
      }),
      { numRuns: 1500 },
    );
  });

  it('gates only ever turn an entry into a wait, and one more gate never opens the way', () => {
    fc.assert(
      fc.property(
        fc.double({ min: -1, max: 1, noNaN: true }),
        gatesOf,
        gatesOf,
        fc.nat(3),
        (value, some, more, tolerated) => {
          const signals = [score('a', value)];
          const free = decided(signals);
          const few = decided(signals, partsOf(some), single(), tolerated);
          const many = decided(signals, partsOf([...some, ...more]), single(), tolerated);
          expect([free.action, 'wait']).toContain(few.action);
          expect([few.action, 'wait']).toContain(many.action);
          expect(few.confidence).toBe(free.confidence);
          if (free.action === 'wait') return;
          expect(many.objections.length).toBe([...some, ...more].filter((g) => g.objects).length);
          if (some.some((g) => g.objects && g.veto)) expect(few.action).toBe('wait');
        },
      ),
      { numRuns: 1500 },
    );
  });

  it('tightening a gate never makes an entry', () => {
    const unit = fc.double({ min: 0, max: 1, noNaN: true });
    fc.assert(
      fc.property(unit, unit, unit, (value, a, b) => {
        const loose = decided([score('a', value)], [[entryThreshold(Math.min(a, b)), {}]]);
        const tight = decided([score('a', value)], [[entryThreshold(Math.max(a, b)), {}]]);
        if (loose.action === 'wait') expect(tight.action).toBe('wait');
      }),
      { numRuns: 1000 },
    );
  });
});
