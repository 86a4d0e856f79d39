import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MINUTE } from '#base';
import {
  type DeskParts,
  Engine,
  type Event,
  type ModelsInPlace,
  type PortfolioDefinition,
  readEvent,
  replay,
} from '#engine';
import { single, weightedSum } from '#ensemble';
import type { Bar } from '#market';
import { stopLossExit, takeProfitExit, timeExit } from '#risk';
import { readScoreAnswer, remoteSource, source } from '#signals';
import {
  barsOf,
  checkBooks,
  closed,
  crossingDesk,
  INTERVAL,
  lawPortfolio,
  live,
  marketOf,
  PAIR,
  START,
} from './engine-kit.ts';

const REFERENCE = 'LAW@paper';
const IDS = ['aaaa', 'bbbb', 'cccc', null] as const;
type Id = (typeof IDS)[number];
/** Whoever goes on a warm-up has known this many bars. */
const WARM_UP = 9;

/** Lengths that the models of this desk were trained with. Both averages and the range remember every bar. */
const LENGTHS = { aaaa: [2, 5, 3], bbbb: [3, 7, 2], cccc: [2, 4, 5] } as const;

/** A desk whose features, sizer and counting come from its model; without one it says nothing. */
function modelDesk(id: Id, changes: Partial<DeskParts> = {}): DeskParts {
  const [fast, slow, range] = id === null ? LENGTHS.aaaa : LENGTHS[id];
  const model = source({
    name: 'model',
    emits: 'score',
    features: { fast: `ema:${fast}`, slow: `ema:${slow}`, strength: `rsi:${slow}` },
    state: () => ({ asked: 0 }),
    signal: (view, values, memory) => {
      memory.asked += 1;
      if (id === null || !Number.isFinite(values.slow + values.strength)) return null;
      const value = Math.max(-1, Math.min(1, (values.fast - values.slow) / 2 + (values.strength - 50) / 500));
      return { kind: 'score', source: 'model', value, horizonMs: view.intervalMs };
    },
  });
  const base = crossingDesk();
  return {
    ...base,
    warmUpBars: WARM_UP,
    regime: {
      features: { range: `atr:${range}` },
      create: () => new Widest(),
    },
    sources: [model],
    pooling: single(),
    sizer: { ...base.sizer, features: { ...base.sizer.features, atr: `atr:${range}` } },
    exits: [stopLossExit(), takeProfitExit(), timeExit({ otherwiseMs: 6 * INTERVAL })],
    ...changes,
  };
}

/** A regime that remembers every bar it has seen. */
class Widest {
  widest = 0;
  bars = 0;
  get name(): string | null {
    return this.bars === 0 ? null : this.widest > 12 ? 'WIDE' : 'NARROW';
  }
  update(values: { readonly [name: string]: number }): void {
    this.bars += 1;
    if (values.range! > this.widest) this.widest = values.range!;
  }
}

/** A desk that also asks somebody outside. */
function askingDesk(id: Id): DeskParts {
  const remote = remoteSource({
    name: 'remote',
    emits: 'score',
    features: { last: 'sma:1' },
    timeoutMs: MINUTE,
    ask: (view, values) => (view.count % 2 === 0 ? { topic: 'score', prompt: values.last } : null),
    read: (view, answer) => readScoreAnswer(answer, { source: 'remote', horizonMs: view.intervalMs }),
  });
  const parts = modelDesk(id);
  const pooling = weightedSum({ weights: { model: 0.5, remote: 0.5 }, enterFrom: 0.1 });
  return { ...parts, pooling, sources: [...parts.sources, remote] };
}

type Make = (id: Id) => DeskParts;

function portfolio(make: Make, begun: Id = 'aaaa'): PortfolioDefinition {
  const definition = lawPortfolio(make(begun));
  const build = (models: ModelsInPlace) => {
    const id = models[REFERENCE] as Id;
    return { parts: make(id), hash: `with ${id}` };
  };
  const models = { begun: { [REFERENCE]: begun }, build };
  return { ...definition, desks: definition.desks.map((desk) => ({ ...desk, models })) };
}

const changeAt = (at: number, id: Id): Event => ({
  kind: 'operator-acted',
  at,
  eventTime: at,
  by: 'model registry',
  reason: 'law',
  act: { action: 'model', desk: 'law', reference: REFERENCE, id },
});

const steps = fc.array(fc.integer({ min: -25, max: 25 }), { minLength: 24, maxLength: 48 });
/** Bars after which something changes, and what to. */
const changes = fc.array(fc.tuple(fc.integer({ min: 1, max: 40 }), fc.constantFrom(...IDS)), {
  minLength: 1,
  maxLength: 4,
});
const eventsOf = (walk: readonly number[], given: readonly (readonly [number, Id])[]) =>
  marketOf(
    barsOf(walk),
    given.map(([k, id], i) => changeAt(START + k * INTERVAL + 1 + i, id)),
  );

const noTape = (): never => {
  throw new Error('every event is written in full');
};

describe('a desk whose model changes', () => {
  it.each<[string, Make]>([
    ['decides the same again', modelDesk],
    ['that asks outside decides the same again', askingDesk],
  ])('%s, from the first entry and from a snapshot at any point', (_, make) => {
    let commands = 0;
    let taken = 0;
    fc.assert(
      fc.property(steps, changes, fc.nat(), (walk, given, pick) => {
        const definition = portfolio(make);
        const events = eventsOf(walk, given);
        const whole = live(definition, events, { answer: { value: 0.4 } });
        const snapshotAfter = 1 + (pick % whole.steps);
        const life = live(definition, events, { answer: { value: 0.4 }, snapshotAfter });
        const again = new Engine(definition);
        expect(replay(again, life.entries, noTape).difference).toBeNull();
        expect(JSON.stringify(again.capture())).toBe(JSON.stringify(life.engine.capture()));
        const { position, text } = life.snapshot!;
        const warm = new Engine(definition);
        warm.restore(JSON.parse(text));
        expect(JSON.stringify(warm.capture())).toBe(text);
        expect(replay(warm, life.entries.slice(position), noTape).difference).toBeNull();
        expect(JSON.stringify(warm.capture())).toBe(JSON.stringify(life.engine.capture()));
        checkBooks(life.engine);
        commands += life.commands.length;
        if (life.engine.desks[0]!.models![REFERENCE] !== 'aaaa') taken += 1;
      }),
      { numRuns: 80 },
    );
    expect(commands).toBeGreaterThan(300);
    expect(taken).toBeGreaterThan(25);
  });

  it('decides until then as one whose model does not change', () => {
    fc.assert(
      fc.property(steps, fc.integer({ min: 12, max: 20 }), (walk, k) => {
        const at = START + k * INTERVAL + 1;
        const before = (definition: PortfolioDefinition, events: Event[]) => {
          const { entries } = live(definition, events);
          const texts: string[] = [];
          for (const { kind, text } of entries) {
            if (kind === 'event' && readEvent(text).at >= at) break;
            if (kind === 'command') texts.push(text);
          }
          return texts;
        };
        const definition = portfolio(modelDesk);
        const changed = before(definition, eventsOf(walk, [[k, 'bbbb']]));
        expect(changed).toEqual(before(definition, marketOf(barsOf(walk))));
      }),
      { numRuns: 100 },
    );
  });

  it('decides from then on as one that began with it and the same warm-up', () => {
    let decided = 0;
    fc.assert(
      fc.property(steps, fc.integer({ min: 2, max: 20 }), (walk, k) => {
        const bars = barsOf(walk);
        const seen = (engine: Engine) => {
          const told: unknown[] = [];
          engine.observer = {
            decided: (_, view, { signals, action, confidence }) =>
              told.push({ at: view.at, regime: view.regimeName, signals, action, confidence }),
          };
          return told;
        };
        const take = (engine: Engine, some: readonly Bar[]) => {
          for (const bar of some) engine.step(closed(PAIR[0], bar));
        };
        const changed = new Engine(portfolio(modelDesk));
        take(changed, bars.slice(0, k));
        changed.step(changeAt(START + k * INTERVAL + 1, 'bbbb'));
        const after = seen(changed);
        take(changed, bars.slice(k));
        const fresh = new Engine(portfolio(modelDesk, 'bbbb'));
        take(fresh, bars.slice(Math.max(0, k - WARM_UP), k));
        const own = seen(fresh);
        take(fresh, bars.slice(k));
        expect(after).toEqual(own);
        const [mine, other] = [changed, fresh].map(({ desks }) => desks[0]!.instruments[0]!);
        expect([...mine!.frame.latest]).toEqual([...other!.frame.latest]);
        expect(mine!.regime).toEqual(other!.regime);
        decided += own.length;
      }),
      { numRuns: 150 },
    );
    expect(decided).toBeGreaterThan(500);
  });

  it('is another desk afterwards: the laws above compare something', () => {
    const bars = barsOf(Array.from({ length: 40 }, (_, i) => Math.round(20 * Math.sin(i / 3))));
    const commands = (id: Id | undefined) =>
      live(
        portfolio(modelDesk),
        marketOf(bars, id === undefined ? [] : [changeAt(START + 12 * INTERVAL + 1, id)]),
      )
        .entries.filter(({ kind }) => kind === 'command')
        .map(({ text }) => text);
    const plain = commands(undefined);
    expect(plain.length).toBeGreaterThan(4);
    expect(commands('bbbb')).not.toEqual(plain);
    expect(commands(null).length).toBeLessThan(plain.length);
  });
});
