import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DAY, HOUR } from '#base';
import { Grid, readAxis } from '../sweep/grid.ts';
import type { SweepRow } from '../sweep/sweep-row.ts';
import { drawdownEpisodes } from './drawdown-episodes.ts';
import { buyAndHold, costsOverTime, heldOverTime, shareOfTimeHeld } from './held.ts';
import { histogramOf } from './histogram.ts';
import { monthlyReturns } from './monthly-returns.ts';
import { rollingFigures, windowFor } from './rolling-figures.ts';
import { dailyCloses, drawdownSeries, thinSeries, valueAt } from './series.ts';
import { heatMaps, parameterSlices, plateauRegion } from './sweep-view.ts';
import { entriesOfTrades, excursionOf, type FillFact, groupTrades, type TradeFact } from './trade-facts.ts';

const JANUARY = Date.UTC(2023, 0, 1);

const fill = (part: Partial<FillFact>): FillFact => ({
  time: 0,
  book: 'b',
  instrument: 'X',
  side: 'buy',
  quantity: 1,
  price: 100,
  fee: 0,
  liquidity: 'taker',
  orderId: 'o',
  reason: 'entry',
  multiplier: 1,
  ...part,
});

const trade = (part: Partial<TradeFact>): TradeFact => ({
  id: 't',
  book: 'b',
  instrument: 'X',
  direction: 1,
  openedAt: 0,
  closedAt: HOUR,
  quantity: 1,
  entryPrice: 100,
  exitPrice: 110,
  realised: 10,
  fees: 0,
  funding: 0,
  net: 10,
  exitReason: 'exit:time',
  notional: 100,
  ...part,
});

describe('series', () => {
  it('thins without losing the first, last, lowest and highest', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: -1000, max: 1000 }), { minLength: 1, maxLength: 300 }),
        fc.integer({ min: 1, max: 40 }),
        (values, buckets) => {
          const thin = thinSeries({ times: values.map((_, i) => i * 7), values }, buckets);
          expect(thin.times.length).toBeLessThanOrEqual(Math.max(4 * buckets, 2 * buckets));
          expect(Math.min(...thin.values)).toBe(Math.min(...values));
          expect(Math.max(...thin.values)).toBe(Math.max(...values));
          expect([thin.values[0], thin.values.at(-1)]).toEqual([values[0], values.at(-1)]);
          expect(thin.times.every((time, i) => i === 0 || time > thin.times[i - 1]!)).toBe(true);
          expect(thin.times.every((time, i) => values[time / 7] === thin.values[i])).toBe(true);
        },
      ),
    );
  });

  it('takes the close at midnight for the day that ends there', () => {
    const times = [JANUARY + HOUR, JANUARY + DAY, JANUARY + DAY + 1, JANUARY + 4 * DAY];
    expect(dailyCloses({ times, values: [1, 2, 3, 4] })).toEqual({
      times: [JANUARY + DAY, JANUARY + 2 * DAY, JANUARY + 4 * DAY],
      values: [2, 3, 4],
    });
  });

  it('tells the fall from the highest value so far', () => {
    const { values } = drawdownSeries({ times: [1, 2, 3, 4, 5], values: [100, 120, 90, 120, 132] });
    expect(Array.from(values)).toEqual([0, 0, -0.25, 0, 0]);
  });

  it('finds the value at or before a time', () => {
    const series = { times: [10, 20, 30], values: [1, 2, 3] };
    expect([9, 10, 29, 30, 99].map((at) => valueAt(series, at))).toEqual([null, 1, 2, 3, 3]);
  });
});

describe('drawdown episodes', () => {
  it('goes from the peak to the trough and back, the deepest first', () => {
    const series = { times: [1, 2, 3, 4, 5, 6, 7], values: [100, 90, 100, 80, 95, 110, 99] };
    expect(drawdownEpisodes(series, 2)).toEqual([
      { from: 3, trough: 4, to: 6, depth: expect.closeTo(0.2, 12) },
      { from: 1, trough: 2, to: 3, depth: expect.closeTo(0.1, 12) },
    ]);
    expect(drawdownEpisodes(series, 9)[2]).toEqual({
      from: 6,
      trough: 7,
      to: null,
      depth: expect.closeTo(0.1, 12),
    });
    expect(drawdownEpisodes({ times: [], values: [] }, 3)).toEqual([]);
  });
});

describe('monthly returns', () => {
  it('stand on the month before and multiply to the year', () => {
    const times = [10, 31, 40, 59, 365].map((day) => JANUARY + day * DAY);
    const [year, ...others] = monthlyReturns(100, { times, values: [105, 110, 100, 99, 121] });
    expect(others).toEqual([]);
    expect(year!.months.slice(0, 3)).toEqual([expect.closeTo(0.1, 12), expect.closeTo(-0.1, 12), null]);
    expect(year!.months[11]).toBeCloseTo(121 / 99 - 1, 12);
    expect(year!.total).toBeCloseTo(0.21, 12);
  });

  it('has nothing to say of an account that is lost', () => {
    const times = [31, 59].map((day) => JANUARY + day * DAY);
    expect(monthlyReturns(100, { times, values: [0, 10] })[0]!.months.slice(0, 2)).toEqual([-1, null]);
  });
});

describe('rolling figures', () => {
  it('are those of the window alone', () => {
    const { sharpe, volatility } = rollingFigures([0.01, 0.03, 0.02, 0.02, 0.02], 3, 4);
    expect(sharpe).toEqual([null, null, expect.closeTo(4, 9), expect.closeTo(8.0829037687, 9), null]);
    expect(volatility.slice(0, 3)).toEqual([null, null, expect.closeTo(0.02, 12)]);
  });

  it('takes a window that suits the run', () => {
    expect([13, 14, 44, 90, 400, 730, 9000].map(windowFor)).toEqual([null, 7, 14, 30, 30, 52, 365]);
  });
});

describe('histogram', () => {
  it('has round bins with an edge at 0', () => {
    expect(histogramOf([-1.2, -0.1, 0, 0.4, 2.9], 5)).toEqual({
      step: 1,
      bins: [
        { from: -2, count: 1 },
        { from: -1, count: 1 },
        { from: 0, count: 2 },
        { from: 1, count: 0 },
        { from: 2, count: 1 },
      ],
    });
    expect(histogramOf([], 5)).toBeNull();
    expect(histogramOf([5e-324])!.bins).toHaveLength(1);
    expect(histogramOf([0, 0], 5)!.bins).toEqual([{ from: 0, count: 2 }]);
  });

  it('counts every value once', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: -1e6, max: 1e6, noNaN: true }), { minLength: 1, maxLength: 80 }),
        (values) => {
          const { bins } = histogramOf(values)!;
          expect(bins.reduce((sum, { count }) => sum + count, 0)).toBe(values.length);
          expect(bins.length).toBeLessThanOrEqual(33);
        },
      ),
    );
  });
});

describe('trades', () => {
  it('know the order that opened them, through a reversal too', () => {
    const fills = [
      fill({ orderId: 'a', quantity: 0.1, reason: 'entry' }),
      fill({ orderId: 'b', quantity: 0.2, reason: 'add' }),
      fill({ orderId: 'c', side: 'sell', quantity: 0.3, reason: 'exit:time' }),
      fill({ orderId: 'd', side: 'sell', quantity: 1 }),
      fill({ orderId: 'e', side: 'buy', quantity: 3, reason: 'turn' }),
      fill({ orderId: 'z', instrument: 'Y' }),
    ];
    const trades = [
      trade({ id: '1' }),
      trade({ id: '2' }),
      trade({ id: '3' }),
      trade({ id: 'y', instrument: 'Y' }),
    ];
    const entries = entriesOfTrades(fills, trades);
    expect([...entries].map(([id, { orderId }]) => [id, orderId])).toEqual([
      ['1', 'a'],
      ['2', 'd'],
      ['3', 'e'],
      ['y', 'z'],
    ]);
  });

  it('are summed by group', () => {
    const trades = [
      trade({ net: 6, exitReason: 'stop' }),
      trade({ net: -2, closedAt: 3 * HOUR }),
      trade({ net: -2, closedAt: 5 * HOUR }),
      trade({ net: 5 }),
    ];
    expect(groupTrades(trades, ({ exitReason }) => [exitReason])).toEqual([
      {
        name: 'exit:time',
        trades: 3,
        winRate: 1 / 3,
        net: 1,
        mean: 1 / 3,
        profitFactor: 1.25,
        meanHoldMs: 3 * HOUR,
      },
      { name: 'stop', trades: 1, winRate: 1, net: 6, mean: 6, profitFactor: null, meanHoldMs: HOUR },
    ]);
  });

  it('have gone for and against their holder as the bars say', () => {
    const bars = {
      intervalMs: HOUR,
      time: [0, HOUR, 2 * HOUR, 3 * HOUR],
      high: [500, 112, 105, 500],
      low: [1, 95, 90, 1],
    };
    const held = { openedAt: 2 * HOUR, closedAt: 3 * HOUR, exitPrice: 101 };
    const within = { ...bars, time: [-HOUR, HOUR, 2 * HOUR, 3 * HOUR] };
    expect(excursionOf(trade(held), within)).toEqual({
      adverse: expect.closeTo(0.1, 12),
      favourable: expect.closeTo(0.12, 12),
    });
    expect(excursionOf(trade({ ...held, direction: -1 }), within)).toEqual({
      adverse: expect.closeTo(0.12, 12),
      favourable: expect.closeTo(0.1, 12),
    });
    expect(excursionOf(trade({ openedAt: 9 * HOUR, closedAt: 10 * HOUR }), bars)).toBeNull();
  });
});

describe('what was held and what it cost', () => {
  it('sums positions at the prices of their last fills', () => {
    const held = heldOverTime([
      fill({ time: 1, quantity: 2 }),
      fill({ time: 2, instrument: 'Y', side: 'sell', quantity: 1, price: 50, multiplier: 3 }),
      fill({ time: 3, side: 'sell', quantity: 2, price: 120 }),
    ]);
    expect(held).toEqual({ times: [1, 2, 3], gross: [200, 350, 150], net: [200, 50, -150] });
    expect(shareOfTimeHeld(held, 0, 5)).toBe(0.8);
    expect(shareOfTimeHeld(heldOverTime([]), 0, 5)).toBe(0);
    expect(shareOfTimeHeld(held, 5, 5)).toBeNull();
  });

  it('knows what a fixed slippage took from taker fills', () => {
    const fills = [
      fill({ price: 101, fee: 1 }),
      fill({ liquidity: 'maker', fee: 2 }),
      fill({ time: 1, side: 'sell', price: 99 }),
    ];
    const { fees, slippage, funding } = costsOverTime(fills, [trade({ funding: -3 })], 0.01);
    expect(fees).toEqual({ times: [0, 1], values: [3, 3] });
    expect(slippage).toEqual({ times: [0, 1], values: [expect.closeTo(1, 12), expect.closeTo(2, 12)] });
    expect(funding).toEqual({ times: [HOUR], values: [-3] });
    expect(costsOverTime(fills, [], 0).slippage).toBeNull();
  });

  it('holds equal money in each instrument from its first close on', () => {
    const one = { times: [1, 2, 3], values: [10, 20, 30] };
    const late = { times: [2, 3], values: [5, 4] };
    expect(buyAndHold(100, [one, late], 1)).toEqual({ times: [1, 2, 3], values: [100, 150, 190] });
    expect(buyAndHold(100, [one], 2)).toEqual({ times: [2, 3], values: [100, 150] });
  });
});

describe('a sweep', () => {
  const grid = new Grid([readAxis('a=1:3:1'), readAxis('b=1:2:1'), readAxis('m=x,y')]);
  const sharpes = [5, 0, 1, 9, 7, null, 0, 0, 8, 1, 2, 0];
  const rows = sharpes.map(
    (sharpe, variant) =>
      ({ variant, parameters: grid.pointAt(variant), figures: { sharpe } }) as unknown as SweepRow,
  );

  it('marks what hangs together with the best and is nearly as good', () => {
    // best 9 at (1,2,y), median 1: nothing beside it reaches 7
    expect(plateauRegion(grid, rows, 'sharpe')).toEqual({ best: 3, threshold: 7, variants: [3] });
    const without = rows.filter(({ variant }) => variant !== 3);
    // best 8, median 1: at least 6.25
    expect(plateauRegion(grid, without, 'sharpe')).toEqual({ best: 8, threshold: 6.25, variants: [4, 8] });
    expect(plateauRegion(grid, [], 'sharpe')).toBeNull();
  });

  it('shows each pair of parameters through the best, and each alone', () => {
    const maps = heatMaps(grid, rows, 8, 'sharpe');
    expect(maps.map(({ across, up, fixed }) => [across.name, up.name, fixed])).toEqual([
      ['a', 'b', { m: 'x' }],
      ['a', 'm', { b: 1 }],
      ['b', 'm', { a: 3 }],
    ]);
    expect(maps[0]!.cells.map((line) => line.map(({ figure }) => figure))).toEqual([
      [5, 7, 8],
      [1, 0, 2],
    ]);
    const [a] = parameterSlices(grid, rows, 8, 'sharpe');
    expect(a!.through).toEqual([5, 7, 8]);
    expect(a!.median).toEqual([3, 0, 1.5]);
    expect(a!.high).toEqual([6, 3.5, 3.5]);
  });
});
