import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Tape, TapeCursor } from '#adapters';
import {
  type DeskParts,
  Engine,
  type Event,
  NO_JOURNAL,
  type OperatorAction,
  readCommand,
  readEvent,
  replay,
  type TraceLine,
} from '#engine';
import { weightedSum } from '#ensemble';
import { simulatedVenue, venueOptions } from '#execution';
import { type BookId, bookId, type ClientOrderId } from '#ledger';
import { appendBar, type Bar, barColumns, currency } from '#market';
import { Backtest, EquityCurve } from '#research';
import {
  correlatedGroupLimit,
  heatLimit,
  type Limit,
  riskPerPlanLimit,
  safetyLayers,
  singleAssetLimit,
  stopLossExit,
} from '#risk';
import { crossSource, readScoreAnswer, remoteSource, source } from '#signals';
import { barSeries } from '../../src/adapters/feeds/series.ts';
import {
  barsOf,
  checkBooks,
  closed,
  crossingDesk,
  INTERVAL,
  instrumentOf,
  lawPortfolio,
  live,
  marketOf,
  PAIR,
  START,
} from './engine-kit.ts';

const CASES = { numRuns: 1_000 };
const steps = fc.array(fc.integer({ min: -25, max: 25 }), { minLength: 8, maxLength: 26 });

/** A remote source beside the cross, so that questions and answers are part of the laws. */
function askingDesk(changes: Partial<DeskParts> = {}): DeskParts {
  const model = remoteSource({
    name: 'model',
    emits: 'score',
    features: { last: 'sma:1' },
    timeoutMs: 30_000,
    ask: (view, values) => (view.count % 2 === 0 ? { topic: 'score', prompt: values.last } : null),
    read: (view, answer) => readScoreAnswer(answer, { source: 'model', horizonMs: view.intervalMs }),
  });
  return crossingDesk({
    sources: [crossSource({ fast: 'sma:1', slow: 'sma:3' }), model],
    pooling: weightedSum({ weights: { cross: 0.5, model: 0.5 }, enterFrom: 0.3 }),
    ...changes,
  });
}

const noTape = (): never => {
  throw new Error('every event is written in full');
};

describe('replay', () => {
  it('names the first difference when a recorded command is another', () => {
    fc.assert(
      fc.property(steps, fc.nat(), (walk, pick) => {
        const definition = lawPortfolio(crossingDesk());
        const life = live(definition, marketOf(barsOf(walk)));
        const recorded = life.entries.filter((e) => e.kind === 'command');
        fc.pre(recorded.length > 0);
        const { position } = recorded[pick % recorded.length]!;
        const changed = life.entries.map((e) =>
          e.position === position ? { ...e, text: e.text.replace(/^./, '$& ') } : e,
        );
        expect(replay(new Engine(definition), changed, noTape).difference?.position).toBe(position);
      }),
      CASES,
    );
  });

  it('repeats every command and ends in the same state, from the beginning and from a snapshot at any point', () => {
    let commands = 0;
    const value = fc.double({ min: -1, max: 1, noNaN: true });
    fc.assert(
      fc.property(steps, value, fc.nat(), (walk, value, pick) => {
        const definition = lawPortfolio(askingDesk());
        const market = marketOf(barsOf(walk));
        const whole = live(definition, market, { answer: { value } });
        const end = JSON.stringify(whole.engine.capture());
        commands += whole.commands.length;
        const again = new Engine(definition);
        const report = replay(again, whole.entries, noTape);
        expect(report.difference).toBeNull();
        expect(report.unreleased).toEqual([]);
        expect(report.commands).toBe(whole.commands.length);
        expect(JSON.stringify(again.capture())).toBe(end);

        const snapshotAfter = 1 + (pick % whole.steps);
        const life = live(definition, market, { answer: { value }, snapshotAfter });
        // taking one changes nothing
        expect(JSON.stringify(life.engine.capture())).toBe(end);
        const { position, text } = life.snapshot!;
        const warm = new Engine(definition);
        warm.restore(JSON.parse(text));
        expect(JSON.stringify(warm.capture())).toBe(text);
        expect(replay(warm, life.entries.slice(position), noTape).difference).toBeNull();
        expect(JSON.stringify(warm.capture())).toBe(end);
      }),
      CASES,
    );
    expect(commands).toBeGreaterThan(1_000);
  });
});

describe('what operators do', () => {
  const book = bookId({ portfolio: 'laws', desk: 'law', configuration: 'default', instrument: PAIR[0].id });
  const share = fc.constantFrom(0.001, 0.01, 0.05, 0.3, 1, null);
  /** Among them orders, books and desks that are not there: refused, and refused again. */
  const act: fc.Arbitrary<OperatorAction> = fc.oneof(
    fc.constantFrom<OperatorAction>(
      { action: 'stop', desk: 'law' },
      { action: 'start', desk: 'law' },
      { action: 'stop', desk: 'nobody' },
      { action: 'stop' },
      { action: 'start', desk: null },
      { action: 'start' },
      { action: 'close', book },
      { action: 'close', book },
      { action: 'close', book: 'laws/nobody/default/X' as BookId },
      { action: 'record', subject: 'user', detail: '{"role":"trader"}' },
    ),
    fc
      .integer({ min: 1, max: 8 })
      .map(
        (n): OperatorAction => ({ action: 'cancel', clientId: `laws-${n.toString(36)}` as ClientOrderId }),
      ),
    fc
      .record({ riskMax: share, assetMax: share, groupMax: share, groupRho: share, heatMax: share })
      .map((changes): OperatorAction => ({ action: 'limits', changes })),
  );
  const acts = fc.array(fc.tuple(fc.nat(30), act), { minLength: 3, maxLength: 12 });
  const eventsOf = (walk: readonly number[], given: readonly (readonly [number, OperatorAction])[]) => {
    const more = given.map(([k, wanted], i): Event => {
      const at = START + (1 + (k % walk.length)) * INTERVAL + 1 + i;
      return { kind: 'operator-acted', at, eventTime: at, by: 'law', reason: 'law', act: wanted };
    });
    return marketOf(barsOf(walk), more);
  };
  const FEWER = { numRuns: 400 };

  it('is repeated by replay, and a snapshot at any point and the tail are the whole', () => {
    const done = { stopped: 0, changed: 0, canceled: 0, closed: 0 };
    fc.assert(
      fc.property(steps, acts, fc.nat(), (walk, given, pick) => {
        const definition = { ...lawPortfolio(crossingDesk()), limits: { assetMax: 0.5 } };
        const events = eventsOf(walk, given);
        const whole = live(definition, events);
        const snapshotAfter = 1 + (pick % whole.steps);
        const life = live(definition, events, { snapshotAfter });
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
        done.stopped += life.engine.desksStopped.size;
        done.changed += Object.keys(life.engine.limitChanges).length;
        for (const command of life.commands) {
          if (command.kind === 'cancel-order' && command.reason === 'operator') done.canceled += 1;
          if (command.kind === 'submit-order' && command.order.reason === 'exit:close') done.closed += 1;
        }
      }),
      { numRuns: 200 },
    );
    for (const [what, count] of Object.entries(done)) expect(count, what).toBeGreaterThan(3);
  });

  it('a stopped desk enters nothing', () => {
    fc.assert(
      fc.property(steps, (walk) => {
        const stop: OperatorAction = { action: 'stop', desk: 'law' };
        const at = START + 1;
        const event: Event = {
          kind: 'operator-acted',
          at,
          eventTime: at,
          by: 'law',
          reason: 'law',
          act: stop,
        };
        const life = live(lawPortfolio(crossingDesk()), marketOf(barsOf(walk), [event]));
        expect(life.commands).toEqual([]);
      }),
      FEWER,
    );
  });

  it('no change of limits lets through more than the desk alone allows', () => {
    fc.assert(
      fc.property(steps, fc.constantFrom(0.01, 0.05, 0.2, 1), (walk, assetMax) => {
        const parts = crossingDesk({ limits: [singleAssetLimit({ max: 0.01 })] });
        const changes: OperatorAction = { action: 'limits', changes: { assetMax } };
        const at = START + 1;
        const event: Event = {
          kind: 'operator-acted',
          at,
          eventTime: at,
          by: 'law',
          reason: 'law',
          act: changes,
        };
        const alone = live(lawPortfolio(parts), marketOf(barsOf(walk)));
        const changed = live({ ...lawPortfolio(parts), limits: {} }, marketOf(barsOf(walk), [event]));
        // a limit as tight as the desk's own, or looser, changes nothing
        expect(JSON.stringify(changed.commands)).toBe(JSON.stringify(alone.commands));
      }),
      FEWER,
    );
  });
});

describe('numbers that are none', () => {
  const wrong = fc.constantFrom(
    Number.NaN,
    Infinity,
    -Infinity,
    0,
    -1,
    1e300,
    -0,
    undefined as unknown as number,
  );
  const field = fc.constantFrom('open', 'high', 'low', 'close', 'volume', 'time');
  const stray = (walkBars: readonly Bar[], k: number, kind: number, x: number): Event => {
    const bar = walkBars[k % walkBars.length]!;
    const at = bar.time + INTERVAL + 1;
    const shared = { at, eventTime: at, instrument: PAIR[0].id };
    switch (kind) {
      case 0:
        return { kind: 'quote-updated', ...shared, bid: x, bidSize: 1, ask: bar.close, askSize: 1 };
      case 1:
        return { kind: 'quote-updated', ...shared, bid: bar.close, bidSize: x, ask: x, askSize: x };
      case 2:
        return { kind: 'mark-updated', ...shared, mark: x, index: x };
      case 3:
        return { kind: 'funding-due', ...shared, rate: x, mark: null };
      case 4:
        return {
          kind: 'fx-rate-updated',
          at,
          eventTime: at,
          from: currency('EUR'),
          to: currency('USDT'),
          rate: x,
        };
      case 5:
        return {
          kind: 'observation-published',
          at,
          eventTime: at,
          source: 's',
          subject: 'x',
          value: x,
          publishedAt: at,
        };
      case 6:
        return { kind: 'print-seen', ...shared, price: x, size: x, taker: 'buy' };
      case 7:
        return { kind: 'funding-due', ...shared, rate: 0.0001, mark: x };
      default:
        return { kind: 'call-measured', at, eventTime: at, venue: 'LAW', latencyMs: x };
    }
  };

  it('never become an order and never break the books', () => {
    let orders = 0;
    const spoilt = fc.record({ k: fc.nat(25), field, x: wrong });
    const strays = fc.array(fc.tuple(fc.nat(25), fc.nat(8), wrong), { maxLength: 5 });
    fc.assert(
      fc.property(steps, fc.array(spoilt, { maxLength: 4 }), strays, wrong, (walk, spoil, extra, answer) => {
        const good = barsOf(walk);
        const bars = good.map((bar) => ({ ...bar }));
        for (const { k, field: name, x } of spoil) bars[k % bars.length]![name] = x;
        const market: Event[] = bars.map(
          (bar, k) =>
            ({
              ...closed(PAIR[0], bar),
              at: good[k]!.time + INTERVAL,
              eventTime: good[k]!.time + INTERVAL,
            }) as Event,
        );
        const events = [...market, ...extra.map(([k, kind, x]) => stray(good, k, kind, x))].sort(
          (a, b) => a.at - b.at,
        );
        const parts = askingDesk({
          sources: [
            crossSource({ fast: 'sma:1', slow: 'sma:3' }),
            ...askingDesk().sources.slice(1),
            source({
              name: 'seen',
              features: {},
              signal: (view) => {
                const seen = view.observation('x');
                return typeof seen?.value === 'number'
                  ? { kind: 'score', source: 'seen', value: seen.value, horizonMs: 1 }
                  : null;
              },
            }),
          ],
          pooling: weightedSum({ weights: { cross: 0.5, model: 0.5, seen: 0.5 }, enterFrom: 0.3 }),
        });
        const definition = lawPortfolio(parts);
        const life = live(definition, events, { answer: { value: answer } });
        for (const command of life.commands) {
          if (command.kind !== 'submit-order') continue;
          orders += 1;
          const { lots, limitTicks, triggerTicks, expectedTicks, leverage } = command.order;
          expect(Number.isSafeInteger(lots) && lots > 0).toBe(true);
          expect(leverage >= 1 && Number.isFinite(leverage)).toBe(true);
          for (const ticks of [limitTicks, triggerTicks, expectedTicks]) {
            expect(ticks === null || (Number.isSafeInteger(ticks) && ticks > 0)).toBe(true);
          }
        }
        checkBooks(life.engine);
        expect(replay(new Engine(definition), life.entries, noTape).difference).toBeNull();
      }),
      CASES,
    );
    expect(orders).toBeGreaterThan(1_000);
  });
});

describe('a desk', () => {
  it('without signals never trades', () => {
    fc.assert(
      fc.property(steps, (walk) => {
        const silent = source({ name: 'silent', features: {}, signal: () => null });
        const life = live(lawPortfolio(crossingDesk({ sources: [silent] })), marketOf(barsOf(walk)));
        expect(life.commands).toEqual([]);
        expect(life.engine.equity()).toBe(life.engine.definition.cash);
      }),
      CASES,
    );
  });

  it('keeps the identity of equity after every event, and never holds what no fill made', () => {
    let fills = 0;
    fc.assert(
      fc.property(steps, (walk) => {
        const definition = lawPortfolio(crossingDesk());
        const life = live(definition, marketOf(barsOf(walk)));
        const again = new Engine(definition);
        let held = 0;
        for (const entry of life.entries) {
          if (entry.kind !== 'event') continue;
          const event = readEvent(entry.text);
          if (event.kind === 'order-filled') {
            fills += 1;
            held += event.fill.side === 'buy' ? event.fill.lots : -event.fill.lots;
          }
          again.step(event);
          checkBooks(again);
          expect(again.real.ledger.net(PAIR[0].id)).toBe(held);
        }
      }),
      CASES,
    );
    expect(fills).toBeGreaterThan(1_000);
  });

  it('decides the same at every trace level', () => {
    fc.assert(
      fc.property(steps, (walk) => {
        const texts = (['none', 'decisions', 'all'] as const).map((level) => {
          const lines: TraceLine[] = [];
          const sink = { level, line: (line: TraceLine) => void lines.push(line) };
          const life = live(lawPortfolio(askingDesk(), [PAIR[0]], sink), marketOf(barsOf(walk)), {
            answer: { value: -1 },
          });
          if (level === 'none') expect(lines).toEqual([]);
          return JSON.stringify(life.commands);
        });
        expect(new Set(texts).size).toBe(1);
      }),
      CASES,
    );
  });
});

describe('the only way to a venue', () => {
  it('no entry leaves that risk refuses, and every entry that leaves was judged', () => {
    let judged = 0;
    fc.assert(
      fc.property(steps, fc.array(fc.boolean(), { minLength: 30, maxLength: 30 }), (walk, allowed) => {
        const passed = new Set<string>();
        let asked = 0;
        const coin: Limit = {
          name: 'coin',
          check: (plan) => {
            const pass = allowed[asked++ % allowed.length]!;
            if (!pass) return { kind: 'refuse', objection: { by: 'coin', reason: 'tails' } };
            passed.add(`${plan.at} ${plan.legs[0]!.side}`);
            return { kind: 'pass' };
          },
        };
        const life = live(
          lawPortfolio(crossingDesk({ limits: [coin], opposite: 'close' })),
          marketOf(barsOf(walk)),
        );
        judged += asked;
        for (const entry of life.entries) {
          if (entry.kind !== 'command') continue;
          const command = readCommand(entry.text);
          if (command.kind !== 'submit-order' || command.order!.reduceOnly) continue;
          expect(passed.size).toBeGreaterThan(0);
        }
        const entries = life.commands.filter((c) => c.kind === 'submit-order' && !c.order.reduceOnly);
        expect(entries.length).toBe(passed.size);
      }),
      CASES,
    );
    expect(judged).toBeGreaterThan(1_000);
  });

  it('a stopped portfolio enters nothing, and flatten closes what is held', () => {
    fc.assert(
      fc.property(steps, fc.nat(20), (walk, k) => {
        const bars = barsOf([...walk, 0, 0, 0]);
        const at = bars[Math.min(k, walk.length - 1)]!.time + INTERVAL + 1;
        const by = { kind: 'operator-acted' as const, at, eventTime: at, by: 'law', reason: 'law' };
        const acts: Event[] = [
          { ...by, act: { action: 'stop' } },
          { ...by, at: at + 1, eventTime: at + 1, act: { action: 'flatten', desk: null } },
        ];
        const life = live(lawPortfolio(crossingDesk()), marketOf(bars, acts));
        const cut = life.entries.findIndex((e) => e.kind === 'event' && e.text.includes('"action":"stop"'));
        const later = life.entries
          .slice(cut)
          .filter((e) => e.kind === 'command' && e.text.includes('"submit-order"'));
        for (const entry of later)
          expect(readCommand(entry.text)).toMatchObject({ order: { reduceOnly: true } });
        expect(life.engine.real.ledger.positions()).toEqual([]);
      }),
      CASES,
    );
  });
});

describe('tightening any limit', () => {
  const lever = fc.record({
    which: fc.nat(4),
    loose: fc.integer({ min: 2, max: 40 }),
    share: fc.double({ min: 0.05, max: 1, noNaN: true }),
  });

  /** One limit of each kind around a level in percent. */
  const limitsAt = (which: number, percent: number): Partial<DeskParts> => {
    const max = percent / 100;
    switch (which) {
      case 0:
        return { limits: [riskPerPlanLimit({ max: max / 10 })] };
      case 1:
        return { limits: [singleAssetLimit({ max })] };
      case 2:
        return { limits: [heatLimit({ max: max / 10 })] };
      case 3:
        return { limits: [correlatedGroupLimit({ rho: 0.7, max })] };
      default:
        return { safetyLayers: safetyLayers({ riskMax: max / 10, dayLossMax: max }) };
    }
  };

  /** The first entry: the slice it was decided in and its size. Later ones see other accounts. */
  const firstEntry = (parts: DeskParts, walk: readonly number[]): { at: number; lots: number } => {
    const life = live(lawPortfolio(parts), marketOf(barsOf(walk)));
    let at = 0;
    for (const entry of life.entries) {
      if (entry.kind === 'event') at = readEvent(entry.text).at;
      else if (entry.kind === 'command') {
        const command = readCommand(entry.text);
        if (command.kind === 'submit-order' && !command.order!.reduceOnly)
          return { at, lots: command.order!.lots };
      }
    }
    return { at: Infinity, lots: 0 };
  };

  it('never enlarges the plan, and never lets one through that did not pass before', () => {
    let cut = 0;
    const sized = { sizer: crossingDesk().sizer, exits: [stopLossExit()] };
    fc.assert(
      fc.property(steps, lever, (walk, { which, loose, share }) => {
        const wide = firstEntry(crossingDesk({ ...sized, ...limitsAt(which, loose) }), walk);
        const tight = firstEntry(crossingDesk({ ...sized, ...limitsAt(which, loose * share) }), walk);
        expect(tight.at).toBeGreaterThanOrEqual(wide.at);
        if (tight.at === wide.at) expect(tight.lots).toBeLessThanOrEqual(wide.lots);
        if (tight.at > wide.at || tight.lots < wide.lots) cut += 1;
      }),
      CASES,
    );
    expect(cut).toBeGreaterThan(20);
  });
});

describe('the order of input files', () => {
  const series = (steps: readonly number[], which: 0 | 1) => {
    const columns = barColumns(steps.length);
    for (const bar of barsOf(steps)) appendBar(columns, bar);
    return barSeries(PAIR[which].id, INTERVAL, columns);
  };
  const run = (order: readonly ReturnType<typeof series>[]) => {
    const tape = new Tape([...order]);
    const backtest = new Backtest({
      definition: lawPortfolio(crossingDesk(), PAIR),
      tape: new TapeCursor(tape),
      venue: simulatedVenue(venueOptions({ instrumentOf, seed: 'laws' })),
      journal: NO_JOURNAL,
      seed: 'laws',
      codeHash: '',
      configurationHash: '',
      curve: new EquityCurve(),
    });
    const { commandsHash, engine } = backtest.run();
    return { commandsHash, tape: tape.hash, equity: engine.equity(), orders: engine.counts.orders };
  };

  it('changes nothing', () => {
    let orders = 0;
    fc.assert(
      fc.property(steps, steps, (one, other) => {
        const a = series(one, 0);
        const b = series(other, 1);
        const forth = run([a, b]);
        orders += forth.orders;
        expect(run([b, a])).toEqual(forth);
      }),
      CASES,
    );
    expect(orders).toBeGreaterThan(1_000);
  });
});
