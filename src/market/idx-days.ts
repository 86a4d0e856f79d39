import { dayNumber } from './new-york-time.ts';

/**
 * Weekdays without trading in Jakarta, as `MM-DD` per year. 2019 to 2023 as traded; 2026 from announcement
 * Peng-00171/BEI.POP/09-2025 (its three December days are inferred from the stated total of 239 trading days).
 * A year that is not here has weekends only: see `holidaysKnown`.
 */
const CLOSED: Readonly<Record<number, string>> = {
  2019: '01-01 02-05 03-07 04-03 04-17 04-19 05-01 05-30 06-03 06-04 06-05 06-06 06-07 12-24 12-25 12-31',
  2020:
    '01-01 03-25 04-10 05-01 05-07 05-21 05-22 05-25 06-01 07-31 08-17 08-20 08-21 10-28 10-29 10-30 12-09 12-24 ' +
    '12-25 12-31',
  2021: '01-01 02-12 03-11 04-02 05-12 05-13 05-14 05-26 06-01 07-20 08-11 08-17 10-20 12-31',
  2022: '02-01 02-28 03-03 04-15 04-29 05-02 05-03 05-04 05-05 05-06 05-16 05-26 06-01 08-17',
  2023:
    '01-23 03-22 03-23 04-07 04-19 04-20 04-21 04-24 04-25 05-01 05-18 06-01 06-02 06-28 06-29 06-30 07-19 08-17 ' +
    '09-28 12-25 12-26',
  2026:
    '01-01 01-16 02-16 02-17 03-18 03-19 03-20 03-23 03-24 04-03 05-01 05-14 05-15 05-27 05-28 06-01 06-16 08-17 ' +
    '08-25 12-24 12-25 12-31',
};

/** Day numbers of a year's exchange holidays, or null when they are not known. */
export function idxHolidays(year: number): ReadonlySet<number> | null {
  const text = CLOSED[year];
  if (text === undefined) return null;
  return new Set(text.split(' ').map((d) => dayNumber(year, Number(d.slice(0, 2)), Number(d.slice(3)))));
}
