import { describe, expect, it } from 'vitest';
import { DAY, HOUR } from '#base';
import { type InstrumentId, instrumentFor } from '#market';
import type { ColdData } from '#research';
import { nextRun } from './schedule.ts';
import { chosenConfigs, TRAIN_SPACE } from './train-config.ts';
import { coldCosts } from './train-costs.ts';

const lengths = { trainDays: null, testHours: 48 };

describe('configurations to train', () => {
  it('are all sixteen, or those that were named, each once', () => {
    expect(chosenConfigs([], lengths)).toHaveLength(16);
    const named = chosenConfigs(['btc-15m', 'S1_RX68_XRP_1M', 'BTC_15M'], lengths);
    expect(named.map(({ config }) => config.id)).toEqual(['S1_RX68_BTC_15M', 'S1_RX68_XRP_1M']);
    expect(() => chosenConfigs(['BTC_16M'], lengths)).toThrow('there is no configuration BTC_16M');
  });

  it('have the lengths and bounds of the sheet', () => {
    const [m1, m3, m5, m15] = ['1M', '3M', '5M', '15M'].map((t) => chosenConfigs([`BTC_${t}`], lengths)[0]!);
    expect([m1, m3, m5, m15].map((one) => one!.lengths.trainMs / DAY)).toEqual([14, 30, 30, 30]);
    expect([m1, m3, m5, m15].map((one) => one!.rules.verticalBars)).toEqual([30, 20, 18, 12]);
    expect([m1, m3, m5, m15].map((one) => one!.rules.scoreMin)).toEqual([0.65, 0.62, 0.6, 0.58]);
    expect(m15!.lengths).toMatchObject({ testMs: 48 * HOUR, stepMs: 48 * HOUR });
    expect(m15!.rules).toMatchObject({ stopAtr: 1.5, targetAtr: 2.25, risk: 0.005, notionalMax: 3 });
    const other = chosenConfigs(['BTC_15M'], { trainDays: 5, testHours: 24 })[0]!;
    expect(other.lengths).toEqual({ trainMs: 5 * DAY, testMs: DAY, stepMs: DAY });
  });

  it("are searched in the sheet's space", () => {
    const bounds = TRAIN_SPACE.axes.map(({ name, low, high }) => [name, low, high]);
    expect(bounds).toEqual([
      ['rsi', 7, 28],
      ['atr', 7, 28],
      ['momentum', 5, 60],
      ['maxDepth', 2, 6],
      ['eta', 0.01, 0.3],
      ['minChildWeight', 1, 20],
      ['subsample', 0.5, 1],
      ['rounds', 50, 600],
    ]);
  });
});

it('costs are rates of 1e-8 and times a factor', () => {
  const data = { instrument: instrumentFor('BTCUSDT.BINANCE-USDM' as InstrumentId) } as ColdData;
  const costs = { cash: 10_000, feeBps: 3.8, slippageBps: 1 };
  const { minorScale } = data.instrument;
  expect(coldCosts(costs, data)).toEqual({
    cash: 10_000 * 10 ** minorScale,
    feeRate: 0.00038,
    slippageRate: 0.0001,
  });
  expect(coldCosts(costs, data, 3)).toMatchObject({ feeRate: 0.00114, slippageRate: 0.0003 });
});

describe('the schedule', () => {
  // a Wednesday
  const now = Date.UTC(2024, 0, 10, 12, 30);

  it('comes next at its time, in UTC', () => {
    expect(nextRun('0 3 * * 0', now)).toBe(Date.UTC(2024, 0, 14, 3));
    expect(nextRun('0 3 * * 0', Date.UTC(2024, 0, 14, 2, 59, 59))).toBe(Date.UTC(2024, 0, 14, 3));
    expect(nextRun('30 12 * * *', now)).toBe(Date.UTC(2024, 0, 11, 12, 30));
    // a week later, whatever clocks are put on in between
    expect(nextRun('0 3 * * 0', Date.UTC(2024, 2, 31, 3))).toBe(Date.UTC(2024, 3, 7, 3));
  });

  it('is refused where it is none, or never comes', () => {
    expect(() => nextRun('every sunday', now)).toThrow('"every sunday" is no schedule');
    expect(() => nextRun('0 0 31 2 *', now)).toThrow('never comes again');
  });
});
