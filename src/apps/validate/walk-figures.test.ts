import { describe, expect, it } from 'vitest';
import { barSeries, Tape } from '#adapters';
import { DAY, HOUR } from '#base';
import { columnsOfBars, parseInstrumentId } from '#market';
import { joinedDays } from './walk-figures.ts';

const { id } = parseInstrumentId('BTCUSDT.BINANCE-USDM');
const flat = { open: 1, high: 1, low: 1, close: 1, volume: 1 };
/** Twelve-hour bars of days 0 to 4, but none of day 3. */
const times = [0, 12, 24, 36, 48, 60, 96, 108].map((hour) => ({ time: hour * HOUR, ...flat }));
const tape = new Tape([barSeries(id, 12 * HOUR, columnsOfBars(times))]);
const setting = { data: { tape } } as never;
const tested = (cash: number, ...daily: number[]) => ({ cash, daily }) as never;

describe('the days of joined tests', () => {
  it('are those on record, and a flat window has its own', () => {
    const windows = [
      { test: { from: 0, to: DAY }, tested: null },
      { test: { from: DAY, to: 2 * DAY }, tested: tested(100, 110) },
      { test: { from: 2 * DAY, to: 5 * DAY }, tested: null },
    ];
    const { cash, days, daily } = joinedDays({ setting }, windows);
    expect(cash).toBe(100);
    expect([...days]).toEqual([0, 1, 2, 4]);
    expect(daily).toEqual([100, 110, 110, 110]);
  });

  it('have one close for a day in which one test ends and the next begins', () => {
    const windows = [
      { test: { from: 0, to: 1.5 * DAY }, tested: tested(100, 101, 102) },
      { test: { from: 1.5 * DAY, to: 3 * DAY }, tested: tested(102, 103, 104) },
    ];
    const { days, daily } = joinedDays({ setting }, windows);
    expect([...days]).toEqual([0, 1, 2]);
    expect(daily).toEqual([101, 103, 104]);
  });
});
