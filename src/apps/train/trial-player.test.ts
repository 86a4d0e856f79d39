import { describe, expect, it } from 'vitest';
import { DAY } from '#base';
import { type InstrumentId, instrumentFor } from '#market';
import { type ColdData, coldWindows, regimeAlong, scoreTrial } from '#research';
import { QUARTER, TREND_START, trendingBars } from '../../../test/support/trending-market.ts';
import { chosenConfigs, coldPoint } from './train-config.ts';
import { dailyEquity, playTrial } from './trial-player.ts';

const bars = trendingBars({ days: 26, seed: 'trial' });
const data: ColdData = {
  instrument: instrumentFor('BTCUSDT.BINANCE-USDM' as InstrumentId),
  intervalMs: QUARTER,
  bars,
  fundingTilts: null,
  funding: null,
  ...regimeAlong(bars, null),
  news: null,
};
const [train] = chosenConfigs(['BTC_15M'], { trainDays: 5, testHours: 48 });
const study = {
  data,
  rules: train!.rules,
  costs: { cash: 10_000 * 10 ** 8, feeRate: 0.00038, slippageRate: 0.0001 },
  embargoBars: 12,
  seed: '1',
};
const windows = coldWindows(bars.time, bars.length, QUARTER, train!.lengths);
const point = coldPoint({
  rsi: 14,
  atr: 14,
  momentum: 20,
  maxDepth: 3,
  eta: 0.2,
  minChildWeight: 2,
  subsample: 0.8,
  rounds: 20,
});

describe('equity day by day', () => {
  const days = (times: readonly number[], equity: readonly number[], length = 2) => {
    const own = { ...bars, time: Float64Array.from(times), length: times.length };
    const window = {
      number: 0,
      train: { from: 0, to: 0 },
      test: { from: 0, to: times.length },
      from: TREND_START,
      to: TREND_START + length * DAY,
    };
    return dailyEquity(Float64Array.from(equity), window, { bars: own, intervalMs: QUARTER });
  };
  const at = (day: number) => TREND_START + day * DAY;

  it('takes the close at midnight to the day that ends', () => {
    const times = [at(0), at(1) - QUARTER, at(1), at(2) - QUARTER];
    expect(days(times, [100, 101, 102, 103, 104])).toEqual([100, 102, 104]);
  });

  it('has every day, also where bars are missing at its begin, its end or throughout', () => {
    expect(days([at(0), at(0.5)], [100, 101, 102])).toEqual([100, 102, 102]);
    expect(days([at(1.5)], [100, 105])).toEqual([100, 100, 105]);
    expect(days([at(0.1), at(2.5)], [100, 101, 107], 3)).toEqual([100, 101, 101, 107]);
  });
});

/** The first window that those before it taught enough to calibrate. */
const FIRST = 4;

describe('a trial', () => {
  const whole = playTrial({ study, windows }, { point, medians: null, until: null, detail: true });

  it('plays every window, and what it reports on the way is what it would be worth then', () => {
    expect(windows.length).toBe(10);
    expect(whole.windows.map(({ number }) => number)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    // the first ones only teach
    expect(whole.windows.map(({ calibrated }) => calibrated).indexOf(true)).toBe(FIRST);
    expect(whole.reports.map(([step]) => step)).toEqual([4, 5, 6, 7, 8, 9]);
    const { value } = scoreTrial(whole.windows.slice(FIRST, FIRST + 3));
    expect(whole.reports[2]).toEqual([FIRST + 2, value]);
    expect(whole).toMatchObject({ pruned: false, failed: false });
    expect(whole.windows.some(({ nets }) => nets.length > 5)).toBe(true);
    for (const { equity, sharpe } of whole.windows) {
      expect(equity).toHaveLength(3);
      expect([...equity, sharpe ?? 0].every(Number.isFinite)).toBe(true);
    }
  });

  it('learns only from bars whose labels are known an embargo before each test', () => {
    for (const [k, { fitted }] of whole.detail!.entries())
      expect(fitted!.learnedFrom.at(-1)).toBeLessThan(windows[k]!.test.from - study.embargoBars);
  });

  it('is stopped where it is worse than the median, and not before five windows that count', () => {
    const bar = (value: number) => windows.map(() => value);
    const stopped = playTrial({ study, windows }, { point, medians: bar(-1e6), until: null, detail: false });
    // losses: everybody is worse than -1e6
    expect(stopped.windows).toHaveLength(FIRST + 5);
    expect(stopped).toMatchObject({ pruned: true, detail: null });
    expect(
      playTrial({ study, windows }, { point, medians: bar(1e6), until: null, detail: false }).pruned,
    ).toBe(false);
    expect(stopped.windows).toEqual(whole.windows.slice(0, FIRST + 5));
  });

  it('sees no more windows than it is asked to', () => {
    const part = playTrial({ study, windows }, { point, medians: null, until: 5, detail: false });
    expect(part.windows).toEqual(whole.windows.slice(0, 5));
  });

  it('is worth nothing where the engine cannot tell', () => {
    const poor = { ...study, costs: { ...study.costs, feeRate: 0.9 } };
    const failed = playTrial({ study: poor, windows }, { point, medians: null, until: null, detail: false });
    expect(failed.failed).toBe(true);
  });
});
