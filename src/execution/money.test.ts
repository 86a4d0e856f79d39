import { describe, expect, it } from 'vitest';
import { DAY, HOUR } from '#base';
import type { VenueReport } from '#ledger';
import type { InstrumentChange } from '#market';
import {
  BOOK,
  fills,
  funding,
  instrument,
  MIN,
  mark,
  opened,
  order,
  PERP,
  play,
  print,
  quote,
  story,
  submit,
  venue,
} from '../../test/support/venue-kit.ts';
import { feeOn } from './fees.ts';

const T = 100 * DAY;
const FLAT = [100, 100.5, 99.5, 100] as const;
const USDT = 100_000_000;

const changed = (at: number, change: InstrumentChange) =>
  ({ kind: 'instrument-changed', at, eventTime: at, instrument: PERP.id, change }) as const;
const feesOf = (reports: readonly VenueReport[]) =>
  reports.flatMap((r) => (r.kind === 'order-filled' || r.kind === 'unasked-fill' ? [r.fill.fee] : []));

describe('fees', () => {
  const paid = instrument({
    fees: [
      { from: 0, makerRate: 12_000, takerRate: 38_000 },
      { from: T + 10 * MIN, makerRate: -5_000, takerRate: 50_000 },
    ],
  });
  it('maker and taker by the dated schedule', () => {
    const sim = venue({}, paid);
    submit(sim, T, {});
    expect(feesOf(play(sim, T, FLAT))).toEqual([0.038 * USDT]);
    submit(sim, T + MIN, { type: 'limit', limitTicks: 998 });
    expect(feesOf(play(sim, T + MIN, FLAT))).toEqual([Math.ceil(99.8 * 0.00012 * USDT)]);
    submit(sim, T + 10 * MIN, {});
    expect(feesOf(play(sim, T + 10 * MIN, FLAT))).toEqual([0.05 * USDT]);
    submit(sim, T + 11 * MIN, { type: 'limit', limitTicks: 998 });
    expect(feesOf(play(sim, T + 11 * MIN, FLAT))).toEqual([-Math.floor(99.8 * 0.00005 * USDT)]);
  });
  it('an override and a rule of the venue win over it', () => {
    const flat = venue({ feeOverride: { makerRate: 0, takerRate: 100_000 } }, paid);
    submit(flat, T, {});
    expect(feesOf(play(flat, T, FLAT))).toEqual([0.1 * USDT]);
    const own = venue({ feeRule: ({ lots, lotsBefore }) => lots * 7 + lotsBefore }, paid);
    submit(own, T, { lots: 3 });
    expect(feesOf(play(own, T, FLAT))).toEqual([21]);
  });
  it('are rounded against us: paid up, rebates down', () => {
    const coarse = instrument({ minorScale: 0 });
    expect(feeOn(coarse, 1000, 1, 1_000_000)).toBe(1); // 100 * 1 % exactly
    expect(feeOn(coarse, 1005, 1, 1_000_000)).toBe(2); // 1.005
    expect(feeOn(coarse, 1995, 1, -1_000_000)).toBe(-1); // rebate of 1.995
    const inverse = instrument({
      kind: 'inverse-perpetual',
      base: 'BTC',
      contractSize: { units: 100, scale: 0 },
    });
    expect(feeOn(inverse, 500_000, 1, 50_000)).toBe(Math.ceil((100 / 50_000) * USDT * 0.0005));
  });
});

describe('funding', () => {
  const holding = (side: 'buy' | 'sell', options = {}) => {
    const sim = venue(options);
    submit(sim, T, { side, lots: 100, leverage: 10 });
    play(sim, T, FLAT);
    return sim;
  };
  it('a long of 10,000 pays 1.00 at 0.0001, a short receives it', () => {
    expect(story(holding('buy').onMarket(funding(T + HOUR, 0.0001, 100)))).toEqual([`funding:${USDT}`]);
    expect(story(holding('sell').onMarket(funding(T + HOUR, 0.0001, 100)))).toEqual([`funding:${-USDT}`]);
    expect(story(holding('buy').onMarket(funding(T + HOUR, -0.0001, 100)))).toEqual([`funding:${-USDT}`]);
  });
  it('takes the mark, else the last price; ignores what is no number; can be off', () => {
    const sim = holding('buy');
    sim.onMarket(mark(T + HOUR - 1, 110));
    expect(story(sim.onMarket(funding(T + HOUR, 0.0001)))).toEqual(['funding:110000000']);
    expect(sim.onMarket(funding(T + 2 * HOUR, Number.NaN, 100))).toEqual([]);
    expect(story(sim.onMarket(funding(T + 9 * HOUR, 0.0001, Number.NaN)))).toEqual([]);
    expect(holding('buy', { funding: false }).onMarket(funding(T + HOUR, 0.0001, 100))).toEqual([]);
  });
  it('positions opened exactly at the time do not pay, nor do those closed before', () => {
    const sim = venue();
    submit(sim, T, { lots: 100 });
    sim.onMarket(opened(T, 100));
    expect(sim.onMarket({ ...funding(T, 0.0001, 100), at: T + 1 })).toEqual([]);
    submit(sim, T + MIN, { side: 'sell', lots: 100 });
    sim.onMarket(opened(T + MIN, 100));
    expect(sim.onMarket(funding(T + 2 * MIN, 0.0001, 100))).toEqual([]);
    // closed exactly at the time: it was held until then
    expect(story(sim.onMarket({ ...funding(T + MIN, 0.0001, 100), at: T + 2 * MIN }))).toEqual([
      `funding:${USDT}`,
    ]);
  });
  it('is rounded against us', () => {
    const sim = venue({}, instrument({ minorScale: 0 }));
    submit(sim, T, { lots: 1 });
    play(sim, T, FLAT);
    expect(story(sim.onMarket(funding(T + HOUR, 0.0001, 100)))).toEqual(['funding:1']);
    expect(sim.onMarket(funding(T + 2 * HOUR, -0.0001, 100))).toEqual([]);
  });
  it('a fill told late with its bar settles the funding in between', () => {
    const sim = venue({ participation: 1 });
    submit(sim, T, { lots: 100 });
    sim.onMarket(opened(T, 100));
    sim.onMarket(funding(T + MIN, 0.0001, 100));
    expect(story(play(sim, T, FLAT)).slice(0, 2)).toEqual([
      expect.stringMatching(/^filled/),
      `funding:${USDT}`,
    ]);
    expect(story(sim.onMarket(funding(T + HOUR, 0.0001, 100)))).toEqual([`funding:${USDT}`]);
  });
});

describe('liquidation', () => {
  const half = { maxNotional: null, maintenanceRate: 500_000, maintenanceAmount: 0, maxLeverage: 100 };
  const margined = instrument({ marginTiers: [half], tick: { units: 1, scale: 2 } });
  const at = (leverage: number, side: 'buy' | 'sell' = 'buy', options = {}) => {
    const sim = venue(options, margined);
    submit(sim, T, { side, lots: 1, leverage });
    sim.onMarket(opened(T, 10_000));
    play(sim, T, [10_000, 10_000, 10_000, 10_000]);
    return sim;
  };
  const lossOf = (reports: readonly VenueReport[]) =>
    reports.flatMap((r) => (r.kind === 'unasked-fill' ? [10_000 - r.fill.ticks / 100] : []));

  it('10,000 at 3x: liquidated at -33.0 %, and a -39 % day costs the margin, not 3,900', () => {
    expect(at(3).onMarket(mark(T + HOUR, 6_700.5))).toEqual([]);
    expect(lossOf(at(3).onMarket(mark(T + HOUR, 6_700.1)))).toEqual([expect.closeTo(3333.33, 2)]);
    expect(lossOf(play(at(3), T + MIN, [9_900, 9_950, 6_100, 6_100]))).toEqual([expect.closeTo(3333.33, 2)]);
    expect(lossOf(play(at(3), T + MIN, [6_100, 6_200, 6_000, 6_100]))).toEqual([expect.closeTo(3333.33, 2)]);
  });
  it('is a taker fill of the venue, told as unasked, and ends the orders of the book', () => {
    const sim = at(10, 'sell', { feeOverride: { makerRate: 0, takerRate: 50_000 } });
    submit(sim, T + MIN, { id: 's', type: 'limit', limitTicks: 900_000, reduceOnly: true });
    const reports = play(sim, T + MIN, [10_000, 11_000, 9_990, 10_500]);
    expect(story(reports)).toEqual(['liquidation:1@110000', 'canceled:s:liquidation']);
    expect(reports[0]).toMatchObject({
      book: BOOK,
      fill: { side: 'buy', liquidity: 'liquidation', fee: 5.5 * USDT },
    });
    expect(play(sim, T + 2 * MIN, [10_500, 20_000, 9_000, 10_500])).toEqual([]);
  });
  it('a stop on the way comes first; a gap beyond both is a liquidation', () => {
    const stop = { side: 'sell', type: 'stop', triggerTicks: 950_000, reduceOnly: true } as const;
    const sim = at(10);
    submit(sim, T + MIN, { id: 's', ...stop });
    expect(story(play(sim, T + MIN, [9_900, 9_950, 8_000, 8_100]))).toEqual([
      'triggered:s',
      'filled:s:1@95000',
    ]);
    const gap = at(10);
    submit(gap, T + MIN, { id: 's', ...stop });
    expect(story(play(gap, T + MIN, [8_500, 9_950, 8_000, 8_100]))).toEqual([
      'liquidation:1@90000',
      'canceled:s:liquidation',
    ]);
  });
  it('marks speak where they are present, bars do not', () => {
    const sim = at(10);
    sim.onMarket(mark(T + MIN, 9_900));
    expect(play(sim, T + MIN, [9_900, 9_950, 8_000, 8_100])).toEqual([]);
  });
  it('without marks quotes and prints do', () => {
    expect(fills(at(10).onMarket(print(T + MIN, 9_000, 1, 'sell')))).toHaveLength(1);
    expect(fills(at(10).onMarket(quote(T + MIN, 9_000, 9_001)))).toHaveLength(1);
  });
  it('long 60,000 with 5x and 0.5 % is liquidated at 48,241.21, short at 71,641.79', () => {
    const near = (side: 'buy' | 'sell', safe: number, over: number) => {
      const sim = venue({}, margined);
      submit(sim, T, { side, leverage: 5 });
      sim.onMarket(opened(T, 60_000));
      expect(sim.onMarket(mark(T + 1, safe))).toEqual([]);
      expect(sim.onMarket(mark(T + 2, over))).toHaveLength(1);
    };
    near('buy', 48_241.22, 48_241.2);
    near('sell', 71_641.78, 71_641.8);
  });
  it('spot and equity are never liquidated, and it can be off', () => {
    const spot = venue({}, instrument({ kind: 'spot' }));
    submit(spot, T, {});
    play(spot, T, FLAT);
    expect(play(spot, T + MIN, [0.1, 0.1, 0.1, 0.1])).toEqual([]);
    expect(play(at(10, 'buy', { liquidation: false }), T + MIN, [5_000, 5_000, 4_000, 4_500])).toEqual([]);
  });
  it('inverse contracts: the coin margin is what is lost', () => {
    const inverse = instrument({ kind: 'inverse-perpetual', base: 'BTC', marginTiers: [half] });
    const sim = venue({}, inverse);
    submit(sim, T, { lots: 1000, leverage: 2 });
    play(sim, T, [100, 100, 100, 100]);
    // 10 coins at 100, margin 5: bankrupt at 1000 / 15 = 66.67; liquidated at 1000 * 1.005 / 15 = 67.0
    expect(sim.onMarket(mark(T + HOUR, 67.1))).toEqual([]);
    expect(story(sim.onMarket(mark(T + HOUR + 1, 66.9)))).toEqual(['liquidation:1000@66.7']);
  });
});

describe('changes of the instrument', () => {
  it('halted instruments fill nothing until they resume', () => {
    const sim = venue();
    submit(sim, T, { id: 'm' });
    sim.onMarket(changed(T, { change: 'halted' }));
    expect(play(sim, T, FLAT)).toEqual([]);
    expect(sim.onMarket(quote(T + MIN, 99, 100))).toEqual([]);
    sim.onMarket(changed(T + 10 * MIN, { change: 'resumed' }));
    expect(fills(play(sim, T + 10 * MIN, FLAT))).toEqual(['buy 1@100 taker']);
  });
  it('a resolved binary pays out', () => {
    const claim = instrument({
      kind: 'binary',
      tick: { units: 1, scale: 2 },
      payoutTicks: 100,
      minorScale: 2,
    });
    for (const [payout, side, ticks] of [
      [1, 'buy', 10],
      [0, 'buy', 0],
      [0.5, 'sell', 5],
    ] as const) {
      const sim = venue({}, claim);
      submit(sim, T, { side, lots: 5 });
      play(sim, T, [0.4, 0.41, 0.39, 0.4]);
      submit(sim, T, { id: 'l', type: 'limit', limitTicks: 10 });
      expect(story(sim.onMarket(changed(T + HOUR, { change: 'resolved', payout })))).toEqual([
        `settlement:5@${ticks}`,
        'canceled:l:settlement',
      ]);
      expect(sim.accountReport(T)).toMatchObject({ nets: [], openOrders: [] });
    }
  });
  it('a delisted perpetual is settled at its last price, other things keep their position', () => {
    const sim = venue();
    submit(sim, T, {});
    play(sim, T, FLAT);
    expect(story(sim.onMarket(changed(T + HOUR, { change: 'delisted' })))).toEqual(['settlement:1@100']);
    const spot = venue({}, instrument({ kind: 'equity' }));
    submit(spot, T, {});
    play(spot, T, FLAT);
    expect(spot.onMarket(changed(T + HOUR, { change: 'delisted' }))).toEqual([]);
    expect(spot.accountReport(T)).toMatchObject({ nets: [{ lots: 1 }] });
  });
  it('a split changes sizes and prices', () => {
    const share = venue({}, instrument({ kind: 'equity' }));
    submit(share, T, { lots: 10 });
    play(share, T, FLAT);
    submit(share, T + MIN, {
      id: 's',
      side: 'sell',
      lots: 10,
      type: 'stop',
      triggerTicks: 900,
      reduceOnly: true,
    });
    expect(story(share.onMarket(changed(T + MIN, { change: 'split', ratio: 4 })))).toEqual(['amended:s:40']);
    expect(share.accountReport(T)).toMatchObject({ nets: [{ lots: 40 }] });
    expect(fills(play(share, T + MIN, [25, 25, 22, 23]))).toEqual(['sell 40@22.5 taker']);
  });
});

describe('price bands', () => {
  const banded = (options = {}) =>
    venue({
      priceBand: (_, __, previous) =>
        previous === null
          ? null
          : { lowTicks: Math.ceil(previous * 8.5), highTicks: Math.floor(previous * 12.5) },
      ...options,
    });
  const withReference = (options = {}) => {
    const sim = banded(options);
    submit(sim, T - DAY, { lots: 10 });
    play(sim, T - DAY, [100, 101, 99, 100]);
    return sim;
  };
  it('nobody buys in a market locked up, nobody sells in one locked down', () => {
    const sim = withReference();
    play(sim, T, [100, 101, 99, 100]);
    submit(sim, T + MIN, { id: 'b' });
    expect(play(sim, T + MIN, [125, 125, 125, 125])).toEqual([]);
    expect(story(play(sim, T + 2 * MIN, [124, 125, 123, 124]))).toEqual(['filled:b:1@124']);
    submit(sim, T + 3 * MIN, {
      id: 's',
      side: 'sell',
      lots: 11,
      type: 'stop',
      triggerTicks: 900,
      reduceOnly: true,
    });
    expect(play(sim, T + 3 * MIN, [85, 85, 85, 85])).toEqual([]);
    expect(story(play(sim, T + 4 * MIN, [85, 86, 85, 86]))).toEqual(['triggered:s', 'filled:s:11@85']);
  });
  it('slippage stays inside, limits outside are rejected', () => {
    const sim = withReference({ slippage: { kind: 'fixed', rate: 10_000_000 } });
    play(sim, T, [100, 101, 99, 100]);
    expect(story(submit(sim, T + MIN, { id: 'l', type: 'limit', limitTicks: 1251 }))).toEqual([
      'rejected:l:price-outside-band',
    ]);
    submit(sim, T + MIN, { id: 'b' });
    expect(story(play(sim, T + MIN, [120, 124, 119, 120]))).toEqual(['filled:b:1@125']);
    expect(order().instrument).toBe(PERP.id);
  });
});
