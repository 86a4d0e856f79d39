import { describe, expect, it } from 'vitest';
import { DAY, HOUR, MINUTE } from '#base';
import {
  expectsBar,
  holidaysKnown,
  isOpen,
  isTradingDay,
  nextClose,
  nextOpen,
  sessionDay,
} from './calendar.ts';
import { newYorkInstant, newYorkOffset } from './new-york-time.ts';
import { nyseYear } from './nyse-days.ts';

const at = (iso: string) => Date.parse(iso);
const iso = (instant: number | null) =>
  instant === null ? null : new Date(instant).toISOString().slice(0, 16);
const dates = (days: Iterable<number>) =>
  [...days].sort((a, b) => a - b).map((d) => new Date(d * DAY).toISOString().slice(5, 10));

describe('New York time', () => {
  it('agrees with the zone database at every daylight-saving edge since 1987', () => {
    const format = new Intl.DateTimeFormat('en-US', {
      timeZone: 'America/New_York',
      hour: 'numeric',
      hourCycle: 'h23',
    });
    for (let year = 1987; year <= 2027; year++) {
      for (let day = 0; day < 366; day++) {
        for (const hour of day % 30 === 0 ? [3, 5, 6, 7, 12] : [5, 6, 7]) {
          const instant = Date.UTC(year, 0, 1, hour) + day * DAY;
          const local = Number(format.format(instant));
          expect((hour + newYorkOffset(instant) / HOUR + 24) % 24).toBe(local);
        }
      }
    }
  });

  it('turns wall-clock times into instants', () => {
    const day = (text: string) => at(text) / DAY;
    expect(iso(newYorkInstant(day('2023-07-03'), 9.5 * HOUR))).toBe('2023-07-03T13:30');
    expect(iso(newYorkInstant(day('2023-01-03'), 9.5 * HOUR))).toBe('2023-01-03T14:30');
    expect(iso(newYorkInstant(day('2023-03-12'), 17 * HOUR))).toBe('2023-03-12T21:00');
  });
});

describe('NYSE', () => {
  it('has the published holidays', () => {
    expect(dates(nyseYear(2023).holidays)).toEqual(
      '01-02 01-16 02-20 04-07 05-29 06-19 07-04 09-04 11-23 12-25'.split(' '),
    );
    // New Year's Day 2022 fell on a Saturday and was not moved; Juneteenth was kept on Monday the 20th
    expect(dates(nyseYear(2022).holidays)).toEqual(
      '01-17 02-21 04-15 05-30 06-20 07-04 09-05 11-24 12-26'.split(' '),
    );
    expect(dates(nyseYear(2001).holidays)).toEqual(
      '01-01 01-15 02-19 04-13 05-28 07-04 09-03 09-11 09-12 09-13 09-14 11-22 12-25'.split(' '),
    );
    expect(dates(nyseYear(2012).holidays)).toEqual(
      '01-02 01-16 02-20 04-06 05-28 07-04 09-03 10-29 10-30 11-22 12-25'.split(' '),
    );
  });

  it('has the published half days', () => {
    expect(dates(nyseYear(2023).halfDays)).toEqual(['07-03', '11-24']);
    expect(dates(nyseYear(2024).halfDays)).toEqual(['07-03', '11-29', '12-24']);
    expect(dates(nyseYear(2002).halfDays)).toEqual(['07-05', '11-29', '12-24']);
    expect(dates(nyseYear(2026).halfDays)).toEqual(['11-27', '12-24']);
  });

  it('opens and closes', () => {
    expect(isOpen('NYSE', at('2023-07-03T13:29:59Z'))).toBe(false);
    expect(isOpen('NYSE', at('2023-07-03T13:30:00Z'))).toBe(true);
    expect(isOpen('NYSE', at('2023-07-03T17:00:00Z'))).toBe(false);
    expect(iso(nextClose('NYSE', at('2023-07-03T14:00:00Z')))).toBe('2023-07-03T17:00');
    expect(iso(nextOpen('NYSE', at('2023-07-03T18:00:00Z')))).toBe('2023-07-05T13:30');
    expect(iso(nextOpen('NYSE', at('2001-09-10T21:00:00Z')))).toBe('2001-09-17T13:30');
    expect(isTradingDay('NYSE', at('2023-12-25T00:00:00Z'))).toBe(false);
    expect(expectsBar('NYSE', at('2023-07-03T13:00:00Z'), HOUR)).toBe(true);
    expect(expectsBar('NYSE', at('2023-07-03T12:00:00Z'), HOUR)).toBe(false);
    expect(expectsBar('NYSE', at('2023-07-04T00:00:00Z'), DAY)).toBe(false);
  });
});

describe('other calendars', () => {
  it('IDX has two sessions and another Friday', () => {
    const open = (text: string) => isOpen('IDX', at(text));
    expect([open('2023-07-03T01:59:59Z'), open('2023-07-03T02:00:00Z')]).toEqual([false, true]);
    expect([open('2023-07-03T05:30:00Z'), open('2023-07-03T06:30:00Z')]).toEqual([false, true]);
    expect([
      open('2023-07-07T04:30:00Z'),
      open('2023-07-07T06:30:00Z'),
      open('2023-07-07T07:00:00Z'),
    ]).toEqual([false, false, true]);
    expect(iso(nextOpen('IDX', at('2023-07-07T04:30:00Z')))).toBe('2023-07-07T07:00');
    expect(iso(nextClose('IDX', at('2023-07-07T07:00:00Z')))).toBe('2023-07-07T08:50');
    expect(isTradingDay('IDX', at('2026-08-17T00:00:00Z'))).toBe(false);
    expect(sessionDay('IDX', at('2023-07-03T18:00:00Z'))).toBe(at('2023-07-04T00:00:00Z'));
    expect([holidaysKnown('IDX', at('2026-05-05')), holidaysKnown('IDX', at('2025-05-05'))]).toEqual([
      true,
      false,
    ]);
    let days = 0;
    for (let day = at('2026-01-01'); day < at('2027-01-01'); day += DAY)
      if (isTradingDay('IDX', day)) days += 1;
    expect(days).toBe(239);
  });

  it('FX runs from Sunday to Friday evening, across the clock change', () => {
    expect(isOpen('FX', at('2023-03-10T21:59:00Z'))).toBe(true);
    expect(isOpen('FX', at('2023-03-10T22:00:00Z'))).toBe(false);
    expect(iso(nextOpen('FX', at('2023-03-11T00:00:00Z')))).toBe('2023-03-12T21:00');
    expect(iso(nextClose('FX', at('2023-03-13T00:00:00Z')))).toBe('2023-03-17T21:00');
    expect(iso(nextOpen('FX', at('2023-03-13T00:00:00Z')))).toBe('2023-03-19T21:00');
    expect(sessionDay('FX', at('2023-03-12T21:00:00Z'))).toBe(at('2023-03-13T00:00:00Z'));
  });

  it('24x7 never closes; unknown names are refused', () => {
    expect(isOpen('24x7', 12345)).toBe(true);
    expect(nextOpen('24x7', 0)).toBeNull();
    expect(nextClose('24x7', 0)).toBeNull();
    expect(expectsBar('24x7', 0, MINUTE)).toBe(true);
    expect(() => isOpen('LSE', 0)).toThrow(/LSE/);
  });

  it('opening and closing instants agree with isOpen', () => {
    for (const name of ['NYSE', 'IDX', 'FX']) {
      let now = at('2023-06-30T00:00:00Z');
      for (let i = 0; i < 40; i++) {
        const open = isOpen(name, now);
        const next = open ? nextClose(name, now)! : nextOpen(name, now)!;
        expect(next).toBeGreaterThan(now);
        expect(isOpen(name, next)).toBe(!open);
        expect(isOpen(name, next - 1)).toBe(open);
        now = next;
      }
    }
  });
});
