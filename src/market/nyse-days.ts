import { dayNumber, nthWeekday, weekday } from './new-york-time.ts';

/**
 * The New York Stock Exchange's full holidays and 13:00 closes by rule (NYSE Rule 7.2 and its predecessors), with the
 * unscheduled closings as dated data. Checked against the published lists for 2000 to 2027; later years follow the rules of today.
 * Late openings and trading halts inside a day are not in it.
 */
export interface NyseYear {
  readonly holidays: ReadonlySet<number>;
  readonly halfDays: ReadonlySet<number>;
}

const SUNDAY = 0;
const MONDAY = 1;
const THURSDAY = 4;
const SATURDAY = 6;

/** Attacks of 2001, mourning days of 2004, 2007, 2018 and 2025, hurricane of 2012. */
const UNSCHEDULED: readonly (readonly [number, number, number])[] = [
  [2001, 9, 11],
  [2001, 9, 12],
  [2001, 9, 13],
  [2001, 9, 14],
  [2004, 6, 11],
  [2007, 1, 2],
  [2012, 10, 29],
  [2012, 10, 30],
  [2018, 12, 5],
  [2025, 1, 9],
];

/** 13:00 closes outside the rules. */
const UNSCHEDULED_HALF: readonly (readonly [number, number, number])[] = [[2003, 12, 26]];

/** Easter Sunday, anonymous Gregorian algorithm (Meeus 1991). */
function easter(year: number): number {
  const a = year % 19;
  const b = Math.floor(year / 100);
  const c = year % 100;
  const g = Math.floor((8 * b + 13) / 25);
  const h = (19 * a + b - Math.floor(b / 4) - g + 15) % 30;
  const l = (32 + 2 * (b % 4) + 2 * Math.floor(c / 4) - h - (c % 4)) % 7;
  const m = Math.floor((a + 11 * h + 22 * l) / 451);
  const n = h + l - 7 * m + 114;
  return dayNumber(year, Math.floor(n / 31), (n % 31) + 1);
}

/** A fixed date, moved to Friday from a Saturday and to Monday from a Sunday. */
function observed(day: number): number {
  return weekday(day) === SATURDAY ? day - 1 : weekday(day) === SUNDAY ? day + 1 : day;
}

export function nyseYear(year: number): NyseYear {
  const newYear = dayNumber(year, 1, 1);
  const july4 = dayNumber(year, 7, 4);
  const christmas = dayNumber(year, 12, 25);
  const thanksgiving = nthWeekday(year, 11, THURSDAY, 4);
  const holidays = new Set<number>([
    nthWeekday(year, 2, MONDAY, 3),
    easter(year) - 2,
    nthWeekday(year, 5, MONDAY, -1),
    observed(july4),
    nthWeekday(year, 9, MONDAY, 1),
    thanksgiving,
    observed(christmas),
  ]);
  // New Year's Day on a Saturday is not moved to the old year's last day
  if (weekday(newYear) !== SATURDAY) holidays.add(observed(newYear));
  if (year >= 1998) holidays.add(nthWeekday(year, 1, MONDAY, 3));
  if (year >= 2022) holidays.add(observed(dayNumber(year, 6, 19)));
  for (const [y, month, day] of UNSCHEDULED) if (y === year) holidays.add(dayNumber(y, month, day));

  const halfDays = new Set<number>([thanksgiving + 1]);
  const eve = weekday(christmas) - 1;
  if (eve >= MONDAY && eve <= THURSDAY) halfDays.add(christmas - 1);
  const july4th = weekday(july4);
  if (july4th >= 2 && july4th <= 5) {
    // before 2013 a Thursday holiday shortened the Friday after it
    halfDays.add(july4th === THURSDAY && year < 2013 ? july4 + 1 : july4 - 1);
  }
  for (const [y, month, day] of UNSCHEDULED_HALF) if (y === year) halfDays.add(dayNumber(y, month, day));
  return { holidays, halfDays };
}
