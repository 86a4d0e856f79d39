import { DAY, HOUR, type Instant } from '#base';

/** Days since 1970-01-01 of a civil date in the proleptic Gregorian calendar (`month` 1..12). */
export function dayNumber(year: number, month: number, day: number): number {
  // days_from_civil, H. Hinnant, "chrono-compatible low-level date algorithms"
  const y = month <= 2 ? year - 1 : year;
  const era = Math.floor(y / 400);
  const yearOfEra = y - era * 400;
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1;
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  return era * 146_097 + dayOfEra - 719_468;
}

/** 0 is Sunday. */
export function weekday(day: number): number {
  return (((day + 4) % 7) + 7) % 7;
}

/** The year that holds a day number. */
export function yearOf(day: number): number {
  let year = 1970 + Math.floor(day / 365.2425);
  while (dayNumber(year, 1, 1) > day) year -= 1;
  while (dayNumber(year + 1, 1, 1) <= day) year += 1;
  return year;
}

/** Day number of the `n`th given weekday of a month; n = -1 is the last. */
export function nthWeekday(year: number, month: number, which: number, n: number): number {
  if (n > 0) {
    const first = dayNumber(year, month, 1);
    return first + ((which - weekday(first) + 7) % 7) + (n - 1) * 7;
  }
  const last = (month === 12 ? dayNumber(year + 1, 1, 1) : dayNumber(year, month + 1, 1)) - 1;
  return last - ((weekday(last) - which + 7) % 7);
}

/** Day numbers on which United States daylight saving begins and ends (Uniform Time Act as amended 1986 and 2005). */
function daylightDays(year: number): { begins: number; ends: number } {
  if (year >= 2007) return { begins: nthWeekday(year, 3, 0, 2), ends: nthWeekday(year, 11, 0, 1) };
  const begins = year >= 1987 ? nthWeekday(year, 4, 0, 1) : nthWeekday(year, 4, 0, -1);
  return { begins, ends: nthWeekday(year, 10, 0, -1) };
}

/** New York's offset from UTC in ms: -5 h, or -4 h in daylight saving. Right from 1976 on. */
export function newYorkOffset(at: Instant): number {
  const year = yearOf(Math.floor((at - 5 * HOUR) / DAY));
  const { begins, ends } = daylightDays(year);
  // begins at 02:00 EST = 07:00 UTC, ends at 02:00 EDT = 06:00 UTC
  return at >= begins * DAY + 7 * HOUR && at < ends * DAY + 6 * HOUR ? -4 * HOUR : -5 * HOUR;
}

/** The instant of a New York wall-clock time, `ms` after local midnight. A time that daylight saving skips counts as standard time. */
export function newYorkInstant(day: number, ms: number): Instant {
  const standard = day * DAY + ms + 5 * HOUR;
  return newYorkOffset(standard - HOUR) === -4 * HOUR ? standard - HOUR : standard;
}
