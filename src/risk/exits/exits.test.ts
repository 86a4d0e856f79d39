import { describe, expect, it } from 'vitest';
import { captureState, HOUR, MINUTE, restoreState } from '#base';
import type { BookId } from '#ledger';
import { defineInstrument } from '#market';
import type { AccountSummary, Exposure } from '../account.ts';
import type { Exit, ExitContext, HeldPosition } from '../exit.ts';
import { ExitMemories } from './exit-memories.ts';
import { stopLossExit, takeProfitExit, trailingExit, trailLevel } from './price-exits.ts';
import { sigmaExits } from './sigma-exits.ts';
import { rebalanceExit, regimeChangeExit, thesisExit, timeExit } from './state-exits.ts';

const BTC = defineInstrument({ id: 'BTCUSDT.X', kind: 'linear-perpetual', base: 'BTC' });
const BOOK = 'p/d/c/BTCUSDT.X' as BookId;

const account = (exposures: readonly Exposure[] = [], equity = 1000): AccountSummary => ({
  at: 0,
  equity,
  equityAtDayStart: equity,
  freeBalance: equity,
  exposures,
  ratesFresh: true,
  correlation: () => 0,
});

const held = (changes: Partial<HeldPosition> = {}): HeldPosition => ({
  book: BOOK,
  direction: 1,
  entryPrice: 50_000,
  openedAt: 0,
  stopPrice: 49_500,
  targetPrice: 51_250,
  bestPrice: 50_000,
  entryRegime: 'TREND_UP',
  atEntry: {},
  ...changes,
});

const context = (position: Partial<HeldPosition>, changes: Partial<ExitContext> = {}): ExitContext => ({
  at: 0,
  instrument: BTC,
  position: held(position),
  price: 50_000,
  regime: 'TREND_UP',
  openPositions: (changes.account ?? account()).exposures.length,
  account: account(),
  ...changes,
});

const fires = (exit: Exit, ctx: ExitContext, values = {}, memory = exit.memory?.make()) =>
  exit.check(ctx, values, memory) !== null;

describe('sigma exits', () => {
  it('come in the sheet order; stop and target rest at the venue', () => {
    expect(sigmaExits().map((exit) => [exit.name, exit.restsAtVenue])).toEqual([
      ['stop-loss', true],
      ['take-profit', true],
      ['trailing', false],
      ['time', false],
      ['regime-change', false],
      ['rebalance', false],
      ['thesis', false],
    ]);
  });
});

describe('stop and target', () => {
  it('fire at the price, not before', () => {
    expect([49_501, 49_500, 49_000].map((price) => fires(stopLossExit(), context({}, { price })))).toEqual([
      false,
      true,
      true,
    ]);
    expect([51_249, 51_250, 52_000].map((price) => fires(takeProfitExit(), context({}, { price })))).toEqual([
      false,
      true,
      true,
    ]);
    const short = { direction: -1, stopPrice: 50_500, targetPrice: 48_750 } as const;
    expect(fires(stopLossExit(), context(short, { price: 50_500 }))).toBe(true);
    expect(fires(stopLossExit(), context(short, { price: 50_499 }))).toBe(false);
    expect(fires(takeProfitExit(), context(short, { price: 48_750 }))).toBe(true);
    expect(fires(stopLossExit(), context({ stopPrice: null }, { price: 1 }))).toBe(false);
    expect(fires(stopLossExit(), context({}, { price: Number.NaN }))).toBe(false);
  });
});

describe('trailing', () => {
  it('trails 51,000 at 49,725 in a trend and at 50,490 in chop', () => {
    expect(trailLevel(1, 49_000, 51_000, 0.025)).toBeCloseTo(49_725, 9);
    expect(trailLevel(1, 50_000, 51_000, 0.01)).toBeCloseTo(50_490, 9);
    expect(trailLevel(-1, 50_000, 49_000, 0.01)).toBeCloseTo(49_490, 9);
  });

  it('is armed at a profit of the distance', () => {
    expect(trailLevel(1, 50_000, 51_249, 0.025)).toBeNull();
    expect(trailLevel(1, 50_000, 51_250, 0.025)).toBeCloseTo(49_968.75, 9);
    expect(trailLevel(-1, 50_000, 49_501, 0.01)).toBeNull();
    expect(trailLevel(-1, 50_000, 49_500, 0.01)).not.toBeNull();
  });

  it.each([
    ['TREND_UP', 0.025],
    ['TREND_DOWN', 0.025],
    ['VOLATILE', 0.02],
    ['RANGE', 0.015],
    ['CHOP', 0.01],
    [null, 0.01],
  ])('in %s the distance is %d', (regime, distance) => {
    const level = 52_000 * (1 - distance);
    const position = { bestPrice: 52_000 };
    expect(fires(trailingExit(), context(position, { regime, price: level + 0.01 }))).toBe(false);
    expect(fires(trailingExit(), context(position, { regime, price: level - 0.01 }))).toBe(true);
  });

  it('never loosens when the regime asks for a wider distance', () => {
    const exit = trailingExit();
    const memory = exit.memory!.make();
    const position = { bestPrice: 51_500 };
    expect(exit.check(context(position, { regime: 'CHOP', price: 51_400 }), {}, memory)).toBeNull();
    expect(memory.level).toBeCloseTo(50_985, 9);
    expect(exit.check(context(position, { regime: 'TREND_UP', price: 51_000 }), {}, memory)).toBeNull();
    expect(exit.check(context(position, { regime: 'TREND_UP', price: 50_985 }), {}, memory)).not.toBeNull();
  });

  it('says so when its memory is missing', () => {
    expect(() => trailingExit().check(context({}), {})).toThrow(/ExitMemories/);
  });
});

describe('time', () => {
  it.each([
    ['TREND_UP', 4 * HOUR],
    ['TREND_DOWN', 4 * HOUR],
    ['RANGE', 2 * HOUR],
    ['CHOP', HOUR],
    ['VOLATILE', HOUR],
    [null, HOUR],
  ])('entered in %s it ends after %d ms, whatever the regime is now', (entryRegime, longest) => {
    const at = (ms: number) => fires(timeExit(), context({ entryRegime }, { at: ms, regime: 'TREND_UP' }));
    expect([at(longest - 1), at(longest)]).toEqual([false, true]);
  });
});

describe('regime change', () => {
  it.each([
    ['TREND_UP', 'CHOP', true],
    ['TREND_DOWN', 'CHOP', true],
    ['TREND_UP', 'TREND_DOWN', true],
    ['TREND_DOWN', 'TREND_UP', true],
    ['TREND_UP', 'TREND_UP', false],
    ['TREND_UP', 'RANGE', false],
    ['TREND_UP', 'VOLATILE', false],
    ['RANGE', 'CHOP', false],
    ['CHOP', 'TREND_UP', false],
    [null, 'CHOP', false],
    ['TREND_UP', null, false],
  ])('%s -> %s: %s', (entryRegime, regime, expected) => {
    expect(fires(regimeChangeExit(), context({ entryRegime }, { regime }))).toBe(expected);
  });
});

describe('rebalance', () => {
  const position = (name: string, direction: 1 | -1, margin: number, unrealised: number): Exposure => ({
    book: name as BookId,
    desk: 'd',
    instrument: BTC.id,
    underlying: name,
    direction,
    lots: 1,
    notional: margin * 10,
    margin,
    riskToStop: 1,
    unrealised,
  });
  const asked = (
    exposures: readonly Exposure[],
    book: string,
    memory = rebalanceExit().memory!.make(),
    at = 0,
  ) =>
    fires(
      rebalanceExit(),
      context({ book: book as BookId }, { account: account(exposures), at }),
      {},
      memory,
    );

  it('3 long and 1 short of one size are exactly 0.50: not above', () => {
    const four = [1, 2, 3, 4].map((i) => position(`b${i}`, i === 4 ? -1 : 1, 100, -i));
    expect(four.some((e) => asked(four, e.book))).toBe(false);
  });

  it('closes the worst of the heavy side only', () => {
    const books = [
      position('a', 1, 100, 5),
      position('b', 1, 101, -7),
      position('c', 1, 100, -3),
      position('s', -1, 100, -99),
    ];
    expect(books.map((e) => asked(books, e.book))).toEqual([false, true, false, false]);
  });

  it('needs three positions and gross margin of 30 % of equity', () => {
    const two = [position('a', 1, 300, 0), position('b', 1, 300, -1)];
    expect(asked(two, 'b')).toBe(false);
    const thin = (margin: number) => ['a', 'b', 'c'].map((n) => position(n, 1, margin, n === 'c' ? -1 : 0));
    expect(asked(thin(99.9), 'c')).toBe(false);
    expect(asked(thin(100), 'c')).toBe(true);
  });

  it('closes at most one per five minutes, across positions', () => {
    const books = ['a', 'b', 'c', 'd'].map((n, i) => position(n, 1, 100, i));
    const memory = rebalanceExit().memory!.make();
    expect(asked(books, 'a', memory, 1000)).toBe(true);
    const rest = books.slice(1);
    expect(asked(rest, 'b', memory, 1000 + 5 * MINUTE - 1)).toBe(false);
    expect(asked(rest, 'b', memory, 1000 + 5 * MINUTE)).toBe(true);
  });

  it('breaks ties by book name whatever the order', () => {
    const books = ['b', 'a', 'c'].map((n) => position(n, 1, 100, -1));
    expect(['a', 'b', 'c'].map((n) => asked(books, n))).toEqual([true, false, false]);
  });
});

describe('thesis', () => {
  it.each([
    [1, 30, 70, true],
    [1, 30.01, 70, false],
    [1, 30, 69.99, false],
    [-1, 70, 30, true],
    [-1, 69.99, 30, false],
    [-1, 70, 30.01, false],
    [1, Number.NaN, 90, false],
    [1, 20, Number.NaN, false],
  ] as const)('direction %d, RSI %d then and %d now: %s', (direction, then, now, expected) => {
    expect(fires(thesisExit(), context({ direction, atEntry: { rsi: then } }), { rsi: now })).toBe(expected);
  });
});

describe('exit memories', () => {
  it('keep positions apart, share the portfolio one, and survive a restart', () => {
    const memories = new ExitMemories();
    const [trailing, rebalance] = [trailingExit(), rebalanceExit()];
    const other = 'p/d/c/ETHUSDT.X' as BookId;
    memories.of(trailing, BOOK)!.level = 7;
    memories.of(rebalance, BOOK)!.lastAt = 9;
    expect(memories.of(trailing, other)!.level).toBeNaN();
    expect(memories.of(rebalance, other)!.lastAt).toBe(9);
    expect(memories.of(timeExit(), BOOK)).toBeUndefined();
    const copy = new ExitMemories();
    restoreState(copy, JSON.parse(JSON.stringify(captureState(memories))));
    expect(copy.of(trailing, BOOK)!.level).toBe(7);
    expect(copy.of(trailing, other)!.level).toBeNaN();
    expect(copy.of(rebalance, other)!.lastAt).toBe(9);
    copy.forget(BOOK);
    expect(copy.of(trailing, BOOK)!.level).toBeNaN();
    expect(copy.of(rebalance, BOOK)!.lastAt).toBe(9);
  });
});

describe('what lies ahead of an exit', () => {
  const ahead = (exit: Exit, ctx: ExitContext, values = {}, memory = exit.memory?.make()) =>
    exit.ahead!(ctx, values, memory);

  it('is the level at which its own check fires, not before', () => {
    for (const [exit, beyond] of [
      [stopLossExit(), -1],
      [takeProfitExit(), 1],
    ] as const) {
      const { level } = ahead(exit, context({}))!;
      expect(fires(exit, context({}, { price: level! }))).toBe(true);
      expect(fires(exit, context({}, { price: level! - beyond }))).toBe(false);
    }
    const time = timeExit();
    const due = ahead(time, context({}))!;
    expect(due).toMatchObject({ on: 'time', from: 0, now: 0, armed: true });
    expect(fires(time, context({}, { at: due.level! }))).toBe(true);
    expect(fires(time, context({}, { at: due.level! - 1 }))).toBe(false);
  });

  it('is nothing where it cannot fire', () => {
    expect(ahead(stopLossExit(), context({ stopPrice: null }))).toBeNull();
    expect(ahead(timeExit({ longestMs: {}, otherwiseMs: Infinity }), context({}))).toBeNull();
    expect(ahead(takeProfitExit(), context({ targetPrice: null }))).toBeNull();
    expect(ahead(regimeChangeExit(), context({ entryRegime: 'RANGE' }))).toBeNull();
    expect(ahead(thesisExit(), context({ atEntry: { rsi: 50 } }), { rsi: 60 })).toBeNull();
    expect(ahead(rebalanceExit(), context({}))).toBeNull();
  });

  it('says what a trailing stop waits for, then where it is, and leaves its memory alone', () => {
    const exit = trailingExit();
    const memory = exit.memory!.make();
    const arms = ahead(exit, context({}), {}, memory)!;
    expect(arms).toMatchObject({ armed: false, from: 50_000, level: expect.closeTo(51_250, 6) });
    expect(memory).toEqual({ level: Number.NaN });
    const up = context({ bestPrice: 52_000 }, { price: 52_000 });
    expect(fires(exit, up, {}, memory)).toBe(false);
    const trails = ahead(exit, up, {}, memory)!;
    expect(trails).toMatchObject({ armed: true, from: 52_000, now: 52_000, level: memory.level });
    expect(fires(exit, context({ bestPrice: 52_000 }, { price: trails.level! }), {}, memory)).toBe(true);
  });

  it('names the value of the indicator, the regimes and the imbalance that would do it', () => {
    const long = context({ atEntry: { rsi: 25 } });
    expect(ahead(thesisExit(), long, { rsi: 40 })).toMatchObject({
      on: 'indicator',
      level: 70,
      now: 40,
      from: 25,
    });
    const short = context({ direction: -1, atEntry: { rsi: 75 } });
    expect(ahead(thesisExit(), short, { rsi: 60 })).toMatchObject({ level: 30, now: 60, from: 75 });
    expect(ahead(regimeChangeExit(), context({}))).toMatchObject({
      on: 'state',
      text: expect.stringContaining('CHOP or TREND_DOWN'),
    });
  });
});
