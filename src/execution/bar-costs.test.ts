import { describe, expect, it } from 'vitest';
import {
  barOf,
  closed,
  fills,
  instrument,
  MIN,
  opened,
  order,
  PERP,
  play,
  story,
  submit,
  venue,
} from '../../test/support/venue-kit.ts';
import { NO_REPORTS } from './port.ts';
import { impactRate } from './prices.ts';

const T = 60 * MIN;

describe('slippage', () => {
  it('square root of the share: 1 bp + 0.5 * 0.002 * sqrt(0.04) is 3 bps', () => {
    expect(impactRate(0.0001, 0.5, 0.002, 0.04)).toBeCloseTo(0.0003, 15);
  });
  it('impact uses the deviation and mean volume of the last bars', () => {
    const fine = instrument({ tick: { units: 1, scale: 8 } });
    const sim = venue({ slippage: { kind: 'impact', halfSpreadRate: 10_000, k: 0.5, windowBars: 20 } }, fine);
    // closes whose simple returns are +-0.002 alternately: sample deviation 0.002 * sqrt(n/(n-1))
    let close = 100;
    for (let i = 0; i < 21; i++) {
      if (i > 0) close *= i % 2 === 1 ? 1.002 : 0.998;
      play(sim, T + i * MIN, [close, close, close, close, 100]);
    }
    submit(sim, T + 21 * MIN, { id: 'm', lots: 4 });
    const [fill] = sim.onMarket(opened(T + 21 * MIN, 100));
    const returns = 19;
    const sigma = Math.sqrt(
      (() => {
        const r = Array.from({ length: returns }, (_, i): number => (i % 2 === 0 ? -0.002 : 0.002));
        const mean = r.reduce((a, b) => a + b) / returns;
        return r.reduce((a, b) => a + (b - mean) ** 2, 0) / (returns - 1);
      })(),
    );
    const expected = 100 * (1 + 0.0001 + 0.5 * sigma * Math.sqrt(0.04));
    expect(fill?.kind === 'order-filled' && fill.fill.ticks / 1e8).toBeCloseTo(expected, 6);
  });
  it('fixed rates are rounded to ticks against us', () => {
    const sim = venue({ slippage: { kind: 'fixed', rate: 30_000 } });
    submit(sim, T, {});
    expect(fills(play(sim, T, [100, 101, 99, 100]))).toEqual(['buy 1@100.1 taker']);
    submit(sim, T + MIN, { side: 'sell' });
    expect(fills(play(sim, T + MIN, [100, 101, 99, 100]))).toEqual(['sell 1@99.9 taker']);
  });
});

describe('participation', () => {
  it('fills at most the share of each bar; GTC goes on, IOC ends', () => {
    const sim = venue({ participation: 0.1 });
    submit(sim, T, { id: 'g', lots: 25 });
    expect(story(play(sim, T, [100, 101, 99, 100, 100]))).toEqual(['filled:g:10@100']);
    expect(story(play(sim, T + MIN, [101, 102, 100, 101, 100]))).toEqual(['filled:g:10@101']);
    expect(story(play(sim, T + 2 * MIN, [102, 103, 101, 102, 100]))).toEqual(['filled:g:5@102']);
    submit(sim, T + 3 * MIN, { id: 'i', lots: 25, timeInForce: 'IOC' });
    expect(story(play(sim, T + 3 * MIN, [100, 101, 99, 100, 100]))).toEqual([
      'filled:i:10@100',
      'canceled:i:ioc-remainder',
    ]);
    submit(sim, T + 4 * MIN, { id: 'f', lots: 25, timeInForce: 'FOK' });
    expect(story(play(sim, T + 4 * MIN, [100, 101, 99, 100, 100]))).toEqual(['canceled:f:fok-not-whole']);
  });
  it('is shared by all orders of the bar, takers first, by age', () => {
    const sim = venue({ participation: 0.1 });
    submit(sim, T, { id: 'l', lots: 8, type: 'limit', limitTicks: 1010 });
    submit(sim, T, { id: 'a', lots: 6 });
    submit(sim, T, { id: 'b', lots: 3 });
    expect(story(play(sim, T, [100, 101, 99, 100, 100]))).toEqual([
      'filled:a:6@100',
      'filled:b:3@100',
      'filled:l:1@100',
    ]);
  });
  it('a bar without volume fills nothing', () => {
    const sim = venue({ participation: 0.1 });
    submit(sim, T, { id: 'g' });
    expect(play(sim, T, [100, 101, 99, 100, 0])).toEqual([]);
  });
  it('children grow with what their parent has filled', () => {
    const sim = venue({ participation: 0.1 });
    submit(sim, T, { id: 'e', lots: 15 });
    submit(sim, T, {
      id: 'stop',
      side: 'sell',
      lots: 15,
      type: 'stop',
      triggerTicks: 950,
      parent: order({ id: 'e' }).clientId,
      reduceOnly: true,
    });
    expect(story(play(sim, T, [100, 101, 99, 100, 100]))).toEqual(['filled:e:10@100', 'amended:stop:10']);
    expect(story(play(sim, T + MIN, [100, 101, 99, 100, 100]))).toEqual([
      'filled:e:5@100',
      'amended:stop:15',
    ]);
    expect(story(play(sim, T + 2 * MIN, [100, 101, 94, 95, 200]))).toEqual([
      'triggered:stop',
      'filled:stop:15@95',
    ]);
  });
});

describe('data', () => {
  it('ignores bars with faults and prices that are no numbers', () => {
    const sim = venue();
    submit(sim, T, { id: 'm' });
    expect(sim.onMarket(opened(T, Number.NaN))).toBe(NO_REPORTS);
    expect(sim.onMarket(opened(T, -1))).toBe(NO_REPORTS);
    expect(sim.onMarket(closed(barOf(T, [100, 99, 101, 100])))).toBe(NO_REPORTS);
    expect(sim.onMarket(closed(barOf(T, [Number.NaN, 101, 99, 100])))).toBe(NO_REPORTS);
    expect(fills(play(sim, T + MIN, [100, 101, 99, 100]))).toEqual(['buy 1@100 taker']);
  });
  it('matches on the shortest interval and falls back when it stops', () => {
    const sim = venue();
    for (let i = 0; i < 5; i++) play(sim, T + i * MIN, [100, 101, 99, 100]);
    submit(sim, T + 5 * MIN, { id: 'l', type: 'limit', limitTicks: 950 });
    for (let i = 5; i < 10; i++) play(sim, T + i * MIN, [100, 101, 99, 100]);
    // the long bar tells of a low the short ones have not seen
    expect(sim.onMarket(closed(barOf(T + 5 * MIN, [100, 101, 90, 100]), 5 * MIN))).toBe(NO_REPORTS);
    // then only long bars come
    expect(fills(play(sim, T + 15 * MIN, [100, 101, 90, 100], 5 * MIN))).toEqual(['buy 1@95 maker']);
  });
  it('returns the shared empty array when nothing happens', () => {
    const sim = venue();
    expect(sim.onMarket(closed(barOf(T, [100, 101, 99, 100])))).toBe(NO_REPORTS);
    expect(sim.advanceTo(T)).toBe(NO_REPORTS);
    expect(Object.isFrozen(NO_REPORTS)).toBe(true);
    expect(PERP.id).toBe('BTC.SIM');
  });
  it('a bar told twice, or late, counts once', () => {
    const sim = venue();
    submit(sim, T, { id: 'l', type: 'limit', limitTicks: 900 });
    play(sim, T, [100, 101, 99, 100]);
    expect(sim.onMarket(closed(barOf(T, [100, 101, 80, 100])))).toBe(NO_REPORTS);
    expect(sim.onMarket(closed(barOf(T - MIN, [100, 101, 80, 100])))).toBe(NO_REPORTS);
    expect(fills(play(sim, T + MIN, [100, 101, 80, 100]))).toEqual(['buy 1@90 maker']);
  });
  it('ignores prices that the grid cannot hold', () => {
    const sim = venue({}, instrument({ tick: { units: 1, scale: 8 } }));
    play(sim, T, [1e9, 1e9, 1e9, 1e9]);
    expect(story(submit(sim, T + MIN, { id: 'm' }))).toEqual(['accepted:m']);
    expect(play(sim, T + MIN, [1e9, 1e9, 1e9, 1e9])).toEqual([]);
    expect(story(play(sim, T + 2 * MIN, [1e5, 1e5, 1e5, 1e5]))).toEqual(['filled:m:1@1000000000000']);
  });
  it('refuses options it cannot work with', () => {
    expect(() => venue({ latencyMs: -1 })).toThrow('latency');
    expect(() => venue({ participation: 0 })).toThrow('participation');
    expect(() => venue({ slippage: { kind: 'fixed', rate: Number.NaN } })).toThrow('slippage');
    expect(() => venue({ slippage: { kind: 'impact', halfSpreadRate: 0, k: 0.5, windowBars: 2 } })).toThrow(
      'impact',
    );
  });
});

describe('execution noise', () => {
  const noise = { slippageFrom: 0.5, slippageTo: 2, latencySigma: 1, skippedFills: 0.5 };
  const slippage = { kind: 'fixed', rate: 1_000_000 } as const;
  it('spreads slippage over its range, by order and seed', () => {
    const prices = (seed: number) => {
      const sim = venue({ noise: { ...noise, latencySigma: 0 }, slippage, seed });
      for (let i = 0; i < 200; i++) submit(sim, T, { id: `n${i}` });
      return play(sim, T, [100, 101, 99, 100]).flatMap((r) =>
        r.kind === 'order-filled' ? [r.fill.ticks] : [],
      );
    };
    const seen = prices(1);
    expect(prices(1)).toEqual(seen);
    expect(prices(2)).not.toEqual(seen);
    expect(Math.min(...seen)).toBe(1006); // 0.5 % and the next tick
    expect(Math.max(...seen)).toBe(1020);
  });
  it('passes over resting limits, and scatters latency', () => {
    const sim = venue({ noise, latencyMs: 1000 });
    for (let i = 0; i < 200; i++) submit(sim, T, { id: `l${i}`, type: 'limit', limitTicks: 995 });
    const arrivals = sim.advanceTo(T + 1000).length;
    expect(arrivals).toBeGreaterThan(50);
    expect(arrivals).toBeLessThan(150);
    const filled = fills(play(sim, T, [100, 101, 99, 100])).length;
    expect(filled).toBeGreaterThan(50);
    expect(filled).toBeLessThan(150);
  });
});
