import { describe, expect, it } from 'vitest';
import { DAY } from '#base';
import { tradingYear } from './trading-year.ts';

const day = (date: string) => Date.parse(date) / DAY;
const daysOf = (...dates: string[]) => Int32Array.from(dates, day);

describe('the year of a run', () => {
  it('is 365 days where a Saturday is among its days, else 252', () => {
    // 2023-07-01 was a Saturday
    expect(tradingYear(daysOf('2023-06-30', '2023-07-01', '2023-07-03'))).toBe(365);
    expect(tradingYear(daysOf('2023-06-29', '2023-06-30', '2023-07-02', '2023-07-03'))).toBe(252);
  });
});
