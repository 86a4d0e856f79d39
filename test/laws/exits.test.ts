import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HOUR, MINUTE } from '#base';
import {
  BREAKER_LEVELS,
  CircuitBreaker,
  type Exit,
  type ExitContext,
  ExitMemories,
  type Exposure,
  type Severity,
  sigmaExits,
} from '#risk';
import { AT, accountOf, bookOf, EQUITY, exposureOf, idOf, instrumentOf } from './fixtures/risk-cases.ts';

const RUNS = { numRuns: 1_000 };
const REGIMES = ['TREND_UP', 'TREND_DOWN', 'RANGE', 'CHOP', 'VOLATILE'] as const;
const ORDER = ['stop-loss', 'take-profit', 'trailing', 'time', 'regime-change', 'rebalance', 'thesis'];

/** One look at one position, drawn so that every exit's threshold is met about as often as missed. */
interface Look {
  readonly direction: 1 | -1;
  /** Price, best price, stop and target as signed profit per 10,000 of the entry price. */
  readonly profit: number;
  readonly best: number;
  readonly stop: number;
  readonly target: number;
  readonly entryRegime: (typeof REGIMES)[number];
  readonly regime: (typeof REGIMES)[number];
  readonly heldMs: number;
  readonly rsiThen: number;
  readonly rsiNow: number;
  readonly others: readonly {
    readonly direction: 1 | -1;
    readonly margin: number;
    readonly unrealised: number;
  }[];
  readonly margin: number;
  readonly unrealised: number;
}

const look: fc.Arbitrary<Look> = fc.record({
  direction: fc.constantFrom(1 as const, -1 as const),
  profit: fc.integer({ min: -600, max: 900 }),
  best: fc.integer({ min: 0, max: 900 }),
  stop: fc.integer({ min: 50, max: 800 }),
  target: fc.integer({ min: 100, max: 1_200 }),
  entryRegime: fc.constantFrom(...REGIMES),
  regime: fc.constantFrom(...REGIMES),
  heldMs: fc.oneof(
    fc.integer({ min: 0, max: 5 * HOUR }),
    fc.constantFrom(HOUR - 1, HOUR, 2 * HOUR - 1, 2 * HOUR, 4 * HOUR - 1, 4 * HOUR),
  ),
  rsiThen: fc.oneof(fc.integer({ min: 0, max: 100 }), fc.constantFrom(30, 70)),
  rsiNow: fc.oneof(fc.integer({ min: 0, max: 100 }), fc.constantFrom(30, 70)),
  others: fc.array(
    fc.record({
      direction: fc.constantFrom(1 as const, -1 as const),
      margin: fc.integer({ min: 0, max: EQUITY / 5 }),
      unrealised: fc.integer({ min: -1_000, max: 1_000 }),
    }),
    { maxLength: 3 },
  ),
  margin: fc.integer({ min: 1, max: EQUITY / 5 }),
  unrealised: fc.integer({ min: -1_000, max: 1_000 }),
});

const ENTRY = 50_000;
const NAMES = ['BTC', 'ETH', 'SOL', 'XRP'];
const priceAt = ({ direction }: Look, profit: number) => ENTRY * (1 + (direction * profit) / 10_000);

function exposuresOf(l: Look): Exposure[] {
  const own = exposureOf('BTC', { direction: l.direction, margin: l.margin, unrealised: l.unrealised });
  return [own, ...l.others.map((other, i) => exposureOf(NAMES[i + 1]!, other))];
}

function contextOf(l: Look): ExitContext {
  return {
    at: AT + l.heldMs,
    instrument: instrumentOf(idOf('BTC')),
    price: priceAt(l, l.profit),
    regime: l.regime,
    account: accountOf({ exposures: exposuresOf(l) }),
    openPositions: exposuresOf(l).length,
    position: {
      book: bookOf('BTC'),
      direction: l.direction,
      entryPrice: ENTRY,
      openedAt: AT,
      stopPrice: priceAt(l, -l.stop),
      targetPrice: priceAt(l, l.target),
      bestPrice: priceAt(l, l.best),
      entryRegime: l.entryRegime,
      atEntry: { rsi: l.rsiThen },
    },
  };
}

/** The sheet's section 10 written down a second time, on profits instead of prices. */
const SHEET: Readonly<Record<string, (l: Look) => boolean>> = {
  'stop-loss': (l) => l.profit <= -l.stop,
  'take-profit': (l) => l.profit >= l.target,
  trailing: (l) => {
    const distance = { TREND_UP: 0.025, TREND_DOWN: 0.025, VOLATILE: 0.02, RANGE: 0.015, CHOP: 0.01 }[
      l.regime
    ];
    if (l.best < distance * 10_000) return false;
    const level = 1 + (l.direction * l.best) / 10_000;
    const trail = level * (1 - l.direction * distance);
    return l.direction * (1 + (l.direction * l.profit) / 10_000 - trail) <= 1e-12;
  },
  time: (l) =>
    l.heldMs >= { TREND_UP: 4, TREND_DOWN: 4, RANGE: 2, CHOP: 1, VOLATILE: 1 }[l.entryRegime] * HOUR,
  'regime-change': (l) =>
    (l.entryRegime === 'TREND_UP' && (l.regime === 'CHOP' || l.regime === 'TREND_DOWN')) ||
    (l.entryRegime === 'TREND_DOWN' && (l.regime === 'CHOP' || l.regime === 'TREND_UP')),
  rebalance: (l) => {
    const all = exposuresOf(l);
    const side = (d: number) => all.reduce((sum, e) => (e.direction === d ? sum + e.margin : sum), 0);
    const [long, short] = [side(1), side(-1)];
    if (all.length < 3 || long + short < 0.3 * EQUITY) return false;
    if (Math.abs(long - short) / (long + short) <= 0.5) return false;
    const heavy = all.filter((e) => e.direction === (long > short ? 1 : -1));
    const worst = Math.min(...heavy.map((e) => e.unrealised));
    const victim = heavy.filter((e) => e.unrealised === worst).sort((a, b) => (a.book < b.book ? -1 : 1))[0]!;
    return victim.book === bookOf('BTC');
  },
  thesis: (l) => (l.direction === 1 ? l.rsiThen <= 30 && l.rsiNow >= 70 : l.rsiThen >= 70 && l.rsiNow <= 30),
};

function fires(exit: Exit, l: Look): boolean {
  const context = contextOf(l);
  const memory = new ExitMemories().of(exit, context.position.book);
  return exit.check(context, { rsi: l.rsiNow }, memory) !== null;
}

describe('the seven exits', () => {
  const exits = sigmaExits();

  it.each(ORDER)('%s fires alone exactly where the sheet says', (name) => {
    const exit = exits.find((e) => e.name === name)!;
    let fired = 0;
    fc.assert(
      fc.property(look, (l) => {
        const expected = SHEET[name]!(l);
        if (expected) fired += 1;
        expect(fires(exit, l)).toBe(expected);
      }),
      RUNS,
    );
    expect(fired, `fired ${fired}`).toBeGreaterThan(10);
  });

  it('asked in order, the first of the sheet wins', () => {
    expect(exits.map((exit) => exit.name)).toEqual(ORDER);
    const won = new Map<string, number>();
    fc.assert(
      fc.property(look, (l) => {
        const first = exits.find((exit) => fires(exit, l))?.name ?? 'none';
        expect(first).toBe(ORDER.find((name) => SHEET[name]!(l)) ?? 'none');
        won.set(first, (won.get(first) ?? 0) + 1);
      }),
      RUNS,
    );
    expect(won.size, JSON.stringify([...won])).toBeGreaterThan(5);
  });

  it('the trailing level never loosens, whatever prices and regimes come', () => {
    const trailing = exits.find((exit) => exit.name === 'trailing')!;
    fc.assert(
      fc.property(look, fc.array(look, { maxLength: 20 }), (start, path) => {
        const memory = new ExitMemories().of(trailing, bookOf('BTC'))!;
        let best = start.best;
        let level = Number.NaN;
        for (const next of path) {
          const step = { ...start, regime: next.regime, best, profit: next.profit };
          trailing.check(contextOf(step), {}, memory);
          if (!Number.isNaN(level)) {
            expect(start.direction * (memory.level! - level)).toBeGreaterThanOrEqual(0);
          }
          level = memory.level!;
          best = Math.max(best, next.profit);
        }
      }),
      RUNS,
    );
  });
});

describe('the breaker table, row by row', () => {
  const level = (steps: readonly (number | null)[], value: number): number =>
    steps.reduce<number>((found, step, i) => (step !== null && value >= step ? i + 1 : found), 0);
  const state = (breaker: CircuitBreaker): number => BREAKER_LEVELS.indexOf(breaker.state);

  it('latency: the median of the last five calls at 500, 1000 and 3000 ms', () => {
    const calls = fc.array(fc.integer({ min: 0, max: 5_000 }), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(calls, (list) => {
        const breaker = new CircuitBreaker();
        let highest = 0;
        list.forEach((ms, i) => {
          breaker.latency(ms, AT + i);
          const sorted = list.slice(0, i + 1).sort((a, b) => a - b);
          const middle = (sorted[i >> 1]! + sorted[(i + 1) >> 1]!) / 2;
          highest = Math.max(highest, level([500, 1_000, 3_000], middle));
          expect(state(breaker)).toBe(highest);
        });
      }),
      RUNS,
    );
  });

  it('failures in a row at 2, 3, 5 and 10; a success resets the counter, not the level', () => {
    // far apart, so that the rate of five minutes is not reached
    fc.assert(
      fc.property(fc.array(fc.boolean(), { maxLength: 30 }), (outcomes) => {
        const breaker = new CircuitBreaker();
        let row = 0;
        let highest = 0;
        outcomes.forEach((failed, i) => {
          const at = AT + i * 10 * MINUTE;
          row = failed ? row + 1 : 0;
          highest = Math.max(highest, level([2, 3, 5, 10], row));
          if (failed) breaker.orderFailed(at);
          else breaker.orderSucceeded(at);
          expect(state(breaker)).toBe(highest);
        });
      }),
      RUNS,
    );
  });

  it('adverse slippage at 0.1, 0.3 and 0.5 %', () => {
    fc.assert(
      fc.property(fc.integer({ min: -1_000, max: 1_000 }), (points) => {
        const breaker = new CircuitBreaker();
        breaker.slippage(points / 100_000, AT);
        expect(state(breaker)).toBe(level([100, 300, 500], points));
      }),
      RUNS,
    );
  });

  it('30 % failures of at least five orders within five minutes throttle', () => {
    fc.assert(
      fc.property(fc.array(fc.boolean(), { minLength: 1, maxLength: 24 }), (outcomes) => {
        const breaker = new CircuitBreaker();
        let row = 0;
        let highest = 0;
        outcomes.forEach((failed, i) => {
          const at = AT + i * MINUTE;
          row = failed ? row + 1 : 0;
          if (failed) breaker.orderFailed(at);
          else breaker.orderSucceeded(at);
          const recent = outcomes.slice(Math.max(0, i - 4), i + 1);
          const share = recent.filter(Boolean).length / recent.length;
          if (failed && recent.length >= 5 && share >= 0.3) highest = Math.max(highest, 2);
          highest = Math.max(highest, level([2, 3, 5, 10], row));
          expect(state(breaker)).toBe(highest);
        });
      }),
      RUNS,
    );
  });

  it('a loss of 5 % within 60 minutes halts and closes', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 9_000, max: 10_000 }),
        fc.integer({ min: 1, max: 59 }),
        (equity, minutes) => {
          const breaker = new CircuitBreaker();
          breaker.equity(10_000, AT);
          breaker.equity(equity, AT + minutes * MINUTE);
          expect(breaker.state).toBe(equity <= 9_500 ? 'HALT' : 'CLOSED');
          expect(breaker.closesAll).toBe(equity <= 9_500);
        },
      ),
      RUNS,
    );
  });

  it('severity, expectancy collapse, corruption, security and the kill command', () => {
    const rows = fc.constantFrom<readonly [(b: CircuitBreaker) => void, number, boolean]>(
      ...(['minor', 'moderate', 'severe', 'critical'] as const).map(
        (s: Severity, i) =>
          [(b: CircuitBreaker) => b.monitor(s, AT), Math.min(3, i + 1), s === 'critical'] as const,
      ),
      [(b) => b.expectancyCollapse(AT), 3, false],
      [(b) => b.critical('corruption', AT), 4, false],
      [(b) => b.critical('security', AT), 4, false],
      [(b) => b.critical('kill-command', AT), 4, false],
    );
    const confidence = fc.oneof(fc.double({ min: 0, max: 1, noNaN: true }), fc.constantFrom(0.7, 0.700001));
    fc.assert(
      fc.property(fc.array(rows, { minLength: 1, maxLength: 4 }), confidence, (list, c) => {
        const breaker = new CircuitBreaker();
        for (const [act] of list) act(breaker);
        const highest = Math.max(...list.map(([, to]) => to));
        expect(state(breaker)).toBe(highest);
        expect(breaker.closesAll).toBe(highest === 3 && list.some(([, , closes]) => closes));
        expect(breaker.allowsEntry(c)).toBe(highest < 2 || (highest === 2 && c > 0.7));
        expect(breaker.sizeMultiplier).toBe(highest < 2 ? 1 : highest === 2 ? 0.5 : 0);
        expect(breaker.exitsAllowed()).toBe(highest < 4);
        expect(breaker.exitsAllowed(true)).toBe(true);
      }),
      RUNS,
    );
  });

  it('comes down after 900, 300 and 60 healthy seconds, and never from SHUTDOWN', () => {
    const start = fc.constantFrom(1, 2, 3, 4);
    const again = fc.array(fc.tuple(fc.integer({ min: 1, max: 1_000 }), fc.constantFrom(1, 2, 3)), {
      maxLength: 5,
    });
    const raise = (b: CircuitBreaker, to: number, at: number) => {
      if (to === 4) b.critical('security', at);
      else b.slippage([0.001, 0.003, 0.005][to - 1]!, at);
    };
    fc.assert(
      fc.property(start, again, (to, later) => {
        const breaker = new CircuitBreaker();
        raise(breaker, to, AT);
        let expected = to;
        let since = AT;
        let at = AT;
        const pass = (until: number) => {
          for (let t = at + 1_000; t <= until; t += 1_000) {
            breaker.tick(t);
            const coolDown = [0, 60, 300, 900, Number.POSITIVE_INFINITY][expected]! * 1_000;
            if (expected > 0 && t - since >= coolDown) {
              expected -= 1;
              since = t;
            }
            expect(state(breaker)).toBe(expected);
          }
          at = until;
        };
        for (const [seconds, level_] of later) {
          pass(at + seconds * 1_000);
          raise(breaker, level_, at);
          if (level_ >= expected) {
            expected = level_;
            since = at;
          }
          expect(state(breaker)).toBe(expected);
        }
      }),
      RUNS,
    );
  });
});
