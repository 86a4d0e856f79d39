import { closeOf, seriesLength, type Tape } from '#adapters';
import { DAY, type Instant } from '#base';

/** The UTC day a moment's equity belongs to, as a number since 1970-01-01: what happens at 00:00 belongs to the day that ends. */
export const dayOf = (at: Instant): number => Math.ceil(at / DAY) - 1;

const WHOLE = { from: -Infinity, to: Infinity };

/**
 * The UTC days at whose end a run over a tape has its equity taken: those in which anything but an opening happened. Of a
 * stretch [from, to) those of the bars that open in it and of what else happens after `from`: what is booked at `from` itself
 * is before the stretch. None where nothing was recorded.
 */
export function tapeDays(
  tape: Tape,
  { from, to }: { readonly from: Instant; readonly to: Instant } = WHOLE,
): Int32Array {
  const days = new Set<number>();
  for (const series of tape.series) {
    const rows = seriesLength(series);
    const isBars = series.kind === 'bars';
    let last = Number.NaN;
    for (let row = 0; row < rows; row++) {
      const begins = isBars ? series.columns.time[row]! : series.at[row]!;
      if (begins < from || begins >= to || (begins === from && !isBars)) continue;
      const day = dayOf(isBars ? closeOf(series, row) : begins);
      if (day === last) continue;
      days.add(day);
      last = day;
    }
  }
  return Int32Array.from(days).sort();
}
