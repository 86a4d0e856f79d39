import { describe, expect, it } from 'vitest';
import { DAY } from '#base';
import { lastDayUpTo, monthsOf, regimesOf, volatilityTerciles } from './habitat.ts';

// 30 January to 4 February 2023
const FIRST = Date.UTC(2023, 0, 30) / DAY;
const days = Int32Array.from({ length: 6 }, (_, i) => FIRST + i);
const returns = Float64Array.of(0.1, -0.1, 0.02, 0, 0.01, -0.03);
const trade = (openedDay: number, closedDay: number, net: number, regime: string | null = null) => ({
  openedAt: (FIRST + openedDay) * DAY + 1,
  // at the very end of a day
  closedAt: (FIRST + closedDay + 1) * DAY,
  net,
  regime,
});
const trades = [trade(0, 1, 5, 'TREND'), trade(1, 2, -2, 'CHOP'), trade(5, 5, 3, 'TREND')];
const volatility = Float64Array.of(0.01, 0.02, 0.03, 0.04, 0.05, 0.06);
const input = { days, returns, trades, volatility };

describe('where a run lived', () => {
  it('by month: days compound, trades belong to the month they closed in', () => {
    const [january, february, ...rest] = monthsOf(input);
    expect(rest).toEqual([]);
    expect(january).toMatchObject({ name: '2023-01', days: 2, trades: 1, winRate: 1, net: 5, sharpe: null });
    expect(january!.return).toBeCloseTo(1.1 * 0.9 - 1, 12);
    expect(february).toMatchObject({ name: '2023-02', days: 4, trades: 2, winRate: 0.5, net: 1 });
  });

  it('by terciles of volatility: trades by the day they were opened on', () => {
    const found = volatilityTerciles(input);
    expect(found.map(({ name, days: n, trades: t, net }) => [name, n, t, net])).toEqual([
      ['calm', 2, 2, 3],
      ['usual', 2, 0, 0],
      ['wild', 2, 1, 3],
    ]);
    expect(found[2]!.return).toBeCloseTo(1.01 * 0.97 - 1, 12);
    expect(volatilityTerciles({ ...input, volatility: new Float64Array(6).fill(Number.NaN) })).toEqual([]);
  });

  it('keeps days apart whose volatility nobody knows', () => {
    const found = volatilityTerciles({ ...input, volatility: Float64Array.of(Number.NaN, 1, 2, 3, 4, 5) });
    expect(found.at(-1)).toMatchObject({ name: 'unknown', days: 1, trades: 1, net: 5 });
    expect(found.reduce((sum, one) => sum + one.days, 0)).toBe(6);
  });

  it('tells an entry on the open after a weekend by the last day before it', () => {
    const week = Int32Array.from([0, 1, 2, 3, 4, 7], (day) => days[0]! + day);
    // opened at 00:00 of the seventh day, which ends the sixth, a day without bars
    const monday = { ...trades[0]!, openedAt: (days[0]! + 7) * DAY };
    const found = volatilityTerciles({ ...input, days: week, trades: [monday] });
    expect(found.map(({ name, trades: n }) => [name, n])).toEqual([
      ['calm', 0],
      ['usual', 0],
      ['wild', 1],
    ]);
    const known = new Map([[10, 'x']]);
    expect([9, 10, 19, 20].map((day) => lastDayUpTo(known, day))).toEqual([undefined, 'x', 'x', undefined]);
  });

  it('by the regimes the desk saw', () => {
    expect(regimesOf({ trades }).map(({ name, trades: n, net }) => [name, n, net])).toEqual([
      ['CHOP', 1, -2],
      ['TREND', 2, 8],
    ]);
  });
});
