import type { Series } from './series.ts';

export interface YearOfReturns {
  readonly year: number;
  /** January to December; null for months outside the run. Fractions. */
  readonly months: readonly (number | null)[];
  readonly total: number | null;
}

/**
 * Returns by calendar month, UTC. `closes` are daily equities at the ends of their days; a month's return stands on the last
 * equity of the month before, the first one's on `start`. Null where the equity that it stands on is not above 0.
 */
export function monthlyReturns(start: number, closes: Series): YearOfReturns[] {
  const years: { year: number; months: (number | null)[]; total: number | null }[] = [];
  let before = start;
  let yearStart = start;
  for (let i = 0; i < closes.times.length; i++) {
    const { year, month } = monthOf(closes.times[i]!);
    const equity = closes.values[i]!;
    if (years.at(-1)?.year !== year) {
      years.push({ year, months: Array.from({ length: 12 }, () => null), total: null });
      yearStart = before;
    }
    const next = i + 1 < closes.times.length ? monthOf(closes.times[i + 1]!) : null;
    if (next !== null && next.month === month && next.year === year) continue;
    const last = years.at(-1)!;
    last.months[month] = growth(before, equity);
    last.total = growth(yearStart, equity);
    before = equity;
  }
  return years;
}

/** A day ends with the next midnight, which is still of its month. */
function monthOf(dayEnd: number): { year: number; month: number } {
  const date = new Date(dayEnd - 1);
  return { year: date.getUTCFullYear(), month: date.getUTCMonth() };
}

const growth = (from: number, to: number): number | null => (from > 0 ? to / from - 1 : null);
