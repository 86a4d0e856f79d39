import { describe, expect, it } from 'vitest';
import {
  barOf,
  closed,
  fills,
  MIN,
  type Ohlc,
  opened,
  order,
  play,
  story,
  submit,
  venue,
} from '../../test/support/venue-kit.ts';
import { NO_REPORTS } from './port.ts';

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
  /** A stop and a target for the order `e`, of which one cancels the other. */
  const protect = (sim: ReturnType<typeof venue>, side: 'buy' | 'sell', stop: number, target: number) => {
    const child = { side, parent: order({ id: 'e' }).clientId, ocoGroup: 'g', reduceOnly: true };
    submit(sim, T, { id: 'stop', type: 'stop', triggerTicks: stop, ...child });
    submit(sim, T, { id: 'target', type: 'take-profit', triggerTicks: target, ...child });
  };
  const bracket = (intrabar: 'adverse-first' | 'ohlc' | 'olhc', side: 'buy' | 'sell', ohlc: Ohlc) => {
    const sim = venue({ intrabar });
    const out = side === 'buy' ? ('sell' as const) : ('buy' as const);
    const [stop, target] = side === 'buy' ? [950, 1050] : [1050, 950];
    submit(sim, T, { id: 'e', side });
    protect(sim, out, stop!, target!);
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
    protect(sim, 'sell', 950, 1050);
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
    protect(sim, 'sell', 1000, 1060);
    expect(fills(play(sim, T, [102, 107, 99, 103]))).toEqual(['buy 1@105 taker', 'sell 1@100 taker']);
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
