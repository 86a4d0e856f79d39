import { DAY, HOUR, InputError, type Instant, MINUTE } from '#base';
import { idxHolidays } from './idx-days.ts';
import { dayNumber, newYorkInstant, newYorkOffset, weekday, yearOf } from './new-york-time.ts';
import { type NyseYear, nyseYear } from './nyse-days.ts';

/**
 * Trading calendars by name:
 * - `24x7`: always open.
 * - `NYSE`: 09:30 to 16:00 New York, 13:00 on half days, with holidays.
 * - `IDX`: Jakarta (UTC+7): 09:00 to 12:00 and 13:30 to 15:50, on Fridays 09:00 to 11:30 and 14:00 to 15:50, with the
 *   holidays of the known years. Pre-opening and closing auctions count as closed.
 * - `FX`: Sunday 17:00 to Friday 17:00 New York; the trade date changes at 17:00. No holidays.
 */
export const CALENDARS = ['24x7', 'NYSE', 'IDX', 'FX'] as const;
export type CalendarName = (typeof CALENDARS)[number];

interface Session {
  readonly opens: Instant;
  readonly closes: Instant;
}

const JAKARTA = 7 * HOUR;
const FRIDAY = 5;
const FIRST_YEAR = 1976;
const LAST_YEAR = 2060;

// Built once: looked up by every bar of an equity desk.
const NYSE_YEARS: readonly NyseYear[] = Array.from({ length: LAST_YEAR - FIRST_YEAR + 1 }, (_, i) =>
  nyseYear(FIRST_YEAR + i),
);
const IDX_YEARS: readonly (ReadonlySet<number> | null)[] = Array.from(
  { length: LAST_YEAR - FIRST_YEAR + 1 },
  (_, i) => idxHolidays(FIRST_YEAR + i),
);
const NO_SESSIONS: readonly Session[] = Object.freeze([]);
/** The longest a calendar stays shut, with room: no search goes further. */
const SEARCH_DAYS = 40;

function known(calendar: string): CalendarName {
  const found = CALENDARS.find((name) => name === calendar);
  if (found === undefined) {
    throw new InputError(`no trading calendar is named "${calendar}"`, `use one of ${CALENDARS.join(', ')}`);
  }
  return found;
}

/** Sessions of the trade date `day` (days since 1970), in order. */
function sessionsOf(calendar: CalendarName, day: number): readonly Session[] {
  const which = weekday(day);
  switch (calendar) {
    case '24x7':
      return [{ opens: day * DAY, closes: (day + 1) * DAY }];
    case 'FX':
      if (which === 0 || which === 6) return NO_SESSIONS;
      return [{ opens: newYorkInstant(day - 1, 17 * HOUR), closes: newYorkInstant(day, 17 * HOUR) }];
    case 'NYSE': {
      if (which === 0 || which === 6) return NO_SESSIONS;
      const year = NYSE_YEARS[yearOf(day) - FIRST_YEAR];
      if (year?.holidays.has(day)) return NO_SESSIONS;
      const closes = year?.halfDays.has(day) ? 13 * HOUR : 16 * HOUR;
      return [{ opens: newYorkInstant(day, 9 * HOUR + 30 * MINUTE), closes: newYorkInstant(day, closes) }];
    }
    case 'IDX': {
      if (which === 0 || which === 6 || IDX_YEARS[yearOf(day) - FIRST_YEAR]?.has(day)) return NO_SESSIONS;
      const midnight = day * DAY - JAKARTA;
      const noon = which === FRIDAY ? 11.5 * HOUR : 12 * HOUR;
      const second = which === FRIDAY ? 14 * HOUR : 13.5 * HOUR;
      return [
        { opens: midnight + 9 * HOUR, closes: midnight + noon },
        { opens: midnight + second, closes: midnight + 15 * HOUR + 50 * MINUTE },
      ];
    }
  }
}

/** Trade date of `at` as a day number, whether or not it is open then. */
function tradeDay(calendar: CalendarName, at: Instant): number {
  switch (calendar) {
    case '24x7':
      return Math.floor(at / DAY);
    case 'IDX':
      return Math.floor((at + JAKARTA) / DAY);
    case 'NYSE':
      return Math.floor((at + newYorkOffset(at)) / DAY);
    case 'FX':
      return Math.floor((at + newYorkOffset(at) + 7 * HOUR) / DAY);
  }
}

function within(sessions: readonly Session[], at: Instant): boolean {
  for (const session of sessions) if (at >= session.opens && at < session.closes) return true;
  return false;
}

function openAt(calendar: CalendarName, at: Instant): boolean {
  return calendar === '24x7' || within(sessionsOf(calendar, tradeDay(calendar, at)), at);
}

/** Whether continuous trading is on at `at`; the opening instant counts, the closing one does not. Throws on an unknown name. */
export function isOpen(calendar: string, at: Instant): boolean {
  return openAt(known(calendar), at);
}

/** The first opening after `at`; null for a calendar that never closes. */
export function nextOpen(calendar: string, at: Instant): Instant | null {
  const name = known(calendar);
  if (name === '24x7') return null;
  const first = tradeDay(name, at);
  for (let day = first; day < first + SEARCH_DAYS; day++) {
    // sessions that join (FX from day to day) are one: only a closed instant before makes an opening
    for (const { opens } of sessionsOf(name, day)) if (opens > at && !openAt(name, opens - 1)) return opens;
  }
  return null;
}

/** The first closing after `at`; null for a calendar that never closes. */
export function nextClose(calendar: string, at: Instant): Instant | null {
  const name = known(calendar);
  if (name === '24x7') return null;
  const first = tradeDay(name, at) - 1;
  for (let day = first; day < first + SEARCH_DAYS; day++) {
    for (const { closes } of sessionsOf(name, day)) if (closes > at && !openAt(name, closes)) return closes;
  }
  return null;
}

/** The trade date of `at`, as the instant of its 00:00 UTC (the stamp of a daily bar). */
export function sessionDay(calendar: string, at: Instant): Instant {
  return tradeDay(known(calendar), at) * DAY;
}

/** Whether the trade date that `at` (its 00:00 UTC, as daily bars are stamped) falls on has a session. */
export function isTradingDay(calendar: string, at: Instant): boolean {
  return sessionsOf(known(calendar), Math.floor(at / DAY)).length > 0;
}

/** Whether a bar that opens at `time` is to be expected: its span meets a session, or, for days and more, a trade date. */
export function expectsBar(calendar: string, time: Instant, intervalMs: number): boolean {
  const name = known(calendar);
  if (name === '24x7') return true;
  if (intervalMs >= DAY) {
    const first = Math.floor(time / DAY);
    const last = Math.min(first + SEARCH_DAYS, Math.ceil((time + intervalMs) / DAY));
    for (let day = first; day < last; day++) if (sessionsOf(name, day).length > 0) return true;
    return false;
  }
  const last = tradeDay(name, time + intervalMs - 1);
  for (let day = tradeDay(name, time); day <= last; day++) {
    for (const { opens, closes } of sessionsOf(name, day))
      if (opens < time + intervalMs && closes > time) return true;
  }
  return false;
}

/** Whether the calendar knows the holidays of the year of `at`, not only its weekends. */
export function holidaysKnown(calendar: string, at: Instant): boolean {
  const name = known(calendar);
  const day = tradeDay(name, at);
  if (name === 'IDX') return (IDX_YEARS[yearOf(day) - FIRST_YEAR] ?? null) !== null;
  return name !== 'NYSE' || (day >= dayNumber(2000, 1, 1) && day < dayNumber(2028, 1, 1));
}
