import { describe, expect, it } from 'vitest';
import { NO_REPORTS } from './port.ts';
import { impactRate } from './prices.ts';
import {
  barOf,
  closed,
  fills,
  instrument,
  MIN,
  type Ohlc,
  opened,
  order,
  PERP,
  play,
  story,
  submit,
  venue,
} from './test-kit.ts';

const T = 60 * MIN;

describe('market orders on bars', () => {
  it('fill at the open of the next bar', () => {
    const sim = venue();
    play(sim, T, [100, 101, 99, 100.5]);
    expect(story(submit(sim, T + MIN, { id: 'm' }))).toEqual(['accepted:m']);
    expect(fills(sim.onMarket(opened(T + MIN, 100.7)))).toEqual(['buy 1@100.7 taker']);
  });

  it('a latency below one interval does not move the fill, a longer one does', () => {
    for (const [latencyMs, at] of [
      [250, T],
      [MIN - 1, T],
      [MIN, T + MIN],
      [90_000, T + MIN],
      [2 * MIN, T + 2 * MIN],
    ] as const) {
      const sim = venue({ latencyMs });
      submit(sim, T, { id: 'm' });
      const seen: number[] = [];
      for (let time = T; time < T + 5 * MIN; time += MIN) {
        for (const report of [...sim.advanceTo(time), ...play(sim, time, [100, 101, 99, 100])]) {
          if (report.kind === 'order-filled') seen.push(report.eventTime);
        }
      }
      expect(seen, `latency ${latencyMs}`).toEqual([at]);
    }
  });

  it('fill at the open told by the closed bar where no opening was seen, but never at one before they were sent', () => {
    const sim = venue();
    submit(sim, T, { id: 'm' });
    expect(fills(sim.onMarket(closed(barOf(T, [100, 101, 99, 100]))))).toEqual(['buy 1@100 taker']);
    submit(sim, T + MIN + 1, { id: 'late' });
    expect(sim.onMarket(closed(barOf(T + MIN, [100, 101, 99, 100])))).toBe(NO_REPORTS);
  });

  it('acknowledges by latency, and before the fill', () => {
    const sim = venue({ latencyMs: 250 });
    expect(submit(sim, T, { id: 'm' })).toBe(NO_REPORTS);
    expect(story(play(sim, T, [100, 101, 99, 100]))).toEqual(['accepted:m', 'filled:m:1@100']);
    submit(sim, T + MIN + 1, { id: 'n' });
    expect(sim.advanceTo(T + MIN + 250)).toBe(NO_REPORTS);
    expect(sim.advanceTo(T + MIN + 251)[0]).toMatchObject({
      kind: 'order-accepted',
      eventTime: T + MIN + 251,
    });
  });

  it('a cancellation within the latency of a bar comes before the bar', () => {
    const sim = venue({ latencyMs: 250 });
    submit(sim, T, { id: 'm', type: 'limit', limitTicks: 990 });
    play(sim, T, [100, 101, 99.5, 100]);
    sim.execute({ kind: 'cancel-order', clientId: order({ id: 'm' }).clientId, reason: 'wish' }, T + MIN);
    expect(story(play(sim, T + MIN, [98, 99, 97, 98]))).toEqual(['canceled:m:wish']);
  });
});

describe('limits', () => {
  const limitBuy = (ohlc: Ohlc, options = {}) => {
    const sim = venue(options);
    submit(sim, T, { id: 'l', type: 'limit', limitTicks: 1000 });
    return fills(play(sim, T, ohlc));
  };
  it('buy 100: a low of 100.0 does not fill, 99.9 with open 101 fills at 100, open 99 at 99', () => {
    expect(limitBuy([101, 102, 100, 101])).toEqual([]);
    expect(limitBuy([101, 102, 99.9, 101])).toEqual(['buy 1@100 maker']);
    expect(limitBuy([99, 102, 98, 101])).toEqual(['buy 1@99 taker']);
  });
  it('a rested limit that gaps is a maker at the open', () => {
    const sim = venue();
    submit(sim, T, { type: 'limit', limitTicks: 1000 });
    play(sim, T, [101, 102, 100.5, 101]);
    expect(fills(play(sim, T + MIN, [99, 100, 98, 99]))).toEqual(['buy 1@99 maker']);
  });
  it('touch is enough as an option', () => {
    expect(limitBuy([101, 102, 100, 101], { limitFill: 'touch' })).toEqual(['buy 1@100 maker']);
  });
  it('mirrored for sells', () => {
    const sim = venue();
    submit(sim, T, { id: 's', side: 'sell', type: 'limit', limitTicks: 1000 });
    expect(fills(play(sim, T, [99, 100, 98, 99]))).toEqual([]);
    expect(fills(play(sim, T + MIN, [99, 100.1, 98, 99]))).toEqual(['sell 1@100 maker']);
  });
  it('queue: what is ahead must trade first', () => {
    const sim = venue({ limitFill: 'queue', queueShare: 0.1 });
    play(sim, T, [101, 102, 100.5, 101, 1000]); // 100 stand ahead
    submit(sim, T + MIN, { lots: 50, type: 'limit', limitTicks: 1000 });
    // range 2, 0.1 beyond the limit: 5 % of 1000 = 50 traded, 50 still ahead
    expect(fills(play(sim, T + MIN, [101, 101.9, 99.9, 101, 1000]))).toEqual([]);
    // 80 trade, 50 ahead: 30 are ours
    expect(fills(play(sim, T + 2 * MIN, [101, 101.9, 99.9, 101, 1600]))).toEqual(['buy 30@100 maker']);
    expect(fills(play(sim, T + 3 * MIN, [101, 101.9, 99.9, 101, 1000]))).toEqual(['buy 20@100 maker']);
  });
  it('slippage never makes a limit worse than its limit', () => {
    const sim = venue({ slippage: { kind: 'fixed', rate: 5_000_000 } });
    submit(sim, T, { type: 'limit', limitTicks: 1000 });
    expect(fills(play(sim, T, [99, 102, 98, 101]))).toEqual(['buy 1@100 taker']);
  });
});

describe('stops', () => {
  const long = (options = {}) => {
    const sim = venue(options);
    submit(sim, T, { lots: 10 });
    play(sim, T, [100, 101, 99, 100]);
    return sim;
  };
  const stop = {
    id: 'stop',
    side: 'sell',
    lots: 10,
    type: 'stop',
    triggerTicks: 950,
    reduceOnly: true,
  } as const;
  it('long stop 95: open 93 fills at 93; open 97 low 94 at 95; a touch triggers', () => {
    for (const [ohlc, price] of [
      [[93, 94, 92, 93], 93],
      [[97, 98, 94, 96], 95],
      [[97, 98, 95, 96], 95],
    ] as const) {
      const sim = long();
      submit(sim, T + MIN, stop);
      const reports = play(sim, T + MIN, ohlc);
      expect(story(reports)).toEqual(['triggered:stop', `filled:stop:10@${price}`]);
    }
  });
  it('stops pay slippage', () => {
    const sim = long({ slippage: { kind: 'fixed', rate: 100_000 } }); // 0.1 %: 94.905 -> 94.9
    submit(sim, T + MIN, stop);
    expect(fills(play(sim, T + MIN, [97, 98, 94, 96]))).toEqual(['sell 10@94.9 taker']);
  });
  it('a buy stop enters at its level, or at the open when it gaps', () => {
    const sim = venue();
    submit(sim, T, { type: 'stop', triggerTicks: 1050 });
    expect(fills(play(sim, T, [104, 106, 103, 104]))).toEqual(['buy 1@105 taker']);
    submit(sim, T + MIN, { type: 'stop', triggerTicks: 1050 });
    expect(fills(play(sim, T + MIN, [107, 108, 106, 107]))).toEqual(['buy 1@107 taker']);
  });
  it('a stop-limit that gaps past its limit rests there', () => {
    const sim = long();
    submit(sim, T + MIN, { ...stop, type: 'stop-limit', limitTicks: 945 });
    expect(story(play(sim, T + MIN, [93, 94, 92, 93]))).toEqual(['triggered:stop']);
    expect(fills(play(sim, T + 2 * MIN, [93, 95, 93, 94.8]))).toEqual(['sell 10@94.5 maker']);
  });
  it('a stop-limit fills at its trigger when the limit allows', () => {
    const sim = long();
    submit(sim, T + MIN, { ...stop, type: 'stop-limit', limitTicks: 940 });
    expect(fills(play(sim, T + MIN, [97, 98, 93, 94]))).toEqual(['sell 10@95 taker']);
  });
  it('take-profits are strict like limits and gap in our favour', () => {
    const target = { ...stop, id: 'tp', type: 'take-profit', triggerTicks: 1050 } as const;
    const sim = long({ slippage: { kind: 'fixed', rate: 100_000 } });
    submit(sim, T + MIN, target);
    expect(fills(play(sim, T + MIN, [100, 105, 99, 100]))).toEqual([]);
    expect(fills(play(sim, T + 2 * MIN, [100, 105.1, 99, 100]))).toEqual(['sell 10@105 taker']);
    const gap = long();
    submit(gap, T + MIN, target);
    expect(fills(play(gap, T + MIN, [107, 108, 106, 107]))).toEqual(['sell 10@107 taker']);
  });
  it('a take-profit-limit rests after its trigger', () => {
    const sim = long();
    submit(sim, T + MIN, { ...stop, type: 'take-profit-limit', triggerTicks: 1050, limitTicks: 1060 });
    expect(story(play(sim, T + MIN, [100, 105.5, 99, 100]))).toEqual(['triggered:stop']);
    expect(fills(play(sim, T + 2 * MIN, [100, 106.5, 99, 100]))).toEqual(['sell 10@106 maker']);
  });
  it('a trailing stop follows the high of a closed bar, from the next bar on', () => {
    const sim = long();
    const trail = { ...stop, type: 'trailing-stop', triggerTicks: null, trailRate: 5_000_000 } as const; // 5 %
    submit(sim, T + MIN, trail);
    // best at the open 100 -> trigger 95; the bar's own high of 120 does not trail its low
    expect(fills(play(sim, T + MIN, [100, 120, 96, 118]))).toEqual([]);
    // now 114
    expect(fills(play(sim, T + 2 * MIN, [118, 119, 114.1, 118]))).toEqual([]);
    expect(fills(play(sim, T + 3 * MIN, [118, 119, 113, 118]))).toEqual(['sell 10@114 taker']);
  });
});

describe('intrabar order', () => {
  const bracket = (intrabar: 'adverse-first' | 'ohlc' | 'olhc', side: 'buy' | 'sell', ohlc: Ohlc) => {
    const sim = venue({ intrabar });
    const out = side === 'buy' ? ('sell' as const) : ('buy' as const);
    const [stop, target] = side === 'buy' ? [950, 1050] : [1050, 950];
    submit(sim, T, { id: 'e', side });
    const child = { side: out, parent: order({ id: 'e' }).clientId, ocoGroup: 'g', reduceOnly: true };
    submit(sim, T, { id: 'stop', type: 'stop', triggerTicks: stop, ...child });
    submit(sim, T, { id: 'target', type: 'take-profit', triggerTicks: target, ...child });
    return story(play(sim, T, ohlc));
  };
  it('takes the stop first when both are touched, on the entry bar too', () => {
    const both: Ohlc = [100, 106, 94, 100];
    expect(bracket('adverse-first', 'buy', both)).toEqual([
      'filled:e:1@100',
      'triggered:stop',
      'filled:stop:1@95',
      'canceled:target:oco',
    ]);
    expect(bracket('adverse-first', 'sell', both).slice(2)).toEqual([
      'filled:stop:1@105',
      'canceled:target:oco',
    ]);
  });
  it('follows one path for all as an option', () => {
    const both: Ohlc = [100, 106, 94, 100];
    expect(bracket('ohlc', 'buy', both).slice(2)).toEqual(['filled:target:1@105', 'canceled:stop:oco']);
    expect(bracket('olhc', 'buy', both).slice(2)).toEqual(['filled:stop:1@95', 'canceled:target:oco']);
    expect(bracket('ohlc', 'sell', both).slice(2)).toEqual(['filled:stop:1@105', 'canceled:target:oco']);
    expect(bracket('olhc', 'sell', both).slice(2)).toEqual(['filled:target:1@95', 'canceled:stop:oco']);
  });
  it('reaches the target of the entry bar after an open entry', () => {
    expect(bracket('adverse-first', 'buy', [100, 106, 96, 104]).slice(2)).toEqual([
      'filled:target:1@105',
      'canceled:stop:oco',
    ]);
  });
  const limitEntry = (ohlc: Ohlc) => {
    const sim = venue();
    submit(sim, T, { id: 'e', type: 'limit', limitTicks: 990 });
    const child = {
      side: 'sell',
      parent: order({ id: 'e' }).clientId,
      ocoGroup: 'g',
      reduceOnly: true,
    } as const;
    submit(sim, T, { id: 'stop', type: 'stop', triggerTicks: 950, ...child });
    submit(sim, T, { id: 'target', type: 'take-profit', triggerTicks: 1050, ...child });
    return fills(play(sim, T, ohlc));
  };
  it('after an entry inside the bar only prices that came after it count', () => {
    // the high may have come before the limit filled
    expect(limitEntry([100, 106, 98, 104])).toEqual(['buy 1@99 maker']);
    // the low came after it for sure
    expect(limitEntry([100, 101, 94, 96])).toEqual(['buy 1@99 maker', 'sell 1@95 taker']);
    // and so did the close
    expect(limitEntry([100, 107, 98, 106])).toEqual(['buy 1@99 maker', 'sell 1@105 taker']);
  });
  it('a stop entry is stopped out if the bar allows it', () => {
    const sim = venue();
    submit(sim, T, { id: 'e', type: 'stop', triggerTicks: 1050 });
    const child = {
      side: 'sell',
      parent: order({ id: 'e' }).clientId,
      ocoGroup: 'g',
      reduceOnly: true,
    } as const;
    submit(sim, T, { id: 'stop', type: 'stop', triggerTicks: 1000, ...child });
    submit(sim, T, { id: 'target', type: 'take-profit', triggerTicks: 1060, ...child });
    expect(fills(play(sim, T, [102, 107, 99, 103]))).toEqual(['buy 1@105 taker', 'sell 1@100 taker']);
  });
});

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

describe('trailing after an entry inside the bar', () => {
  it('knows only the close of that bar', () => {
    const sim = venue();
    submit(sim, T, { id: 'e', type: 'limit', limitTicks: 990 });
    submit(sim, T, {
      id: 't',
      side: 'sell',
      type: 'trailing-stop',
      trailRate: 10_000_000,
      parent: order({ id: 'e' }).clientId,
      reduceOnly: true,
    });
    // the high of 120 came before the entry at 99; the close of 100 moves the trigger to 90
    expect(fills(play(sim, T, [119, 120, 98, 100]))).toEqual(['buy 1@99 maker']);
    expect(fills(play(sim, T + MIN, [100, 101, 91, 100]))).toEqual([]);
    // best 101 now: 90.9
    expect(fills(play(sim, T + 2 * MIN, [100, 101, 90, 100]))).toEqual(['sell 1@90.9 taker']);
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
