import { InputError } from '#base';
import { mean } from '#learning';
import type { BarColumns } from '#market';
import { type Compute, computeChecked, cutBars } from './columns.ts';

export interface WarmUpOptions {
  /** Bars of history that a run gives before its first decision; default 200. */
  readonly declared?: number;
  /** Histories that are compared, in bars; the longest is the yardstick. Default 200, 400, 800, 1600. */
  readonly histories?: readonly number[];
  /** Rows at which values are compared. Default 20, spread over the series. */
  readonly rows?: number;
  /** Relative difference to the longest history that still counts as stable. Default 0.001. */
  readonly tolerance?: number;
  /** Rows that must differ by more for a column to be at fault. Default 1; more for columns that jump at a threshold. */
  readonly leastRows?: number;
}

/** A column whose value depends on how much history there was. */
export interface WarmUpFault {
  readonly column: string;
  /** Largest relative difference to the longest history, with the declared one or one between. Infinity: no value there. */
  readonly difference: number;
  /** The shortest history compared from which on the column is stable; null when only the longest itself is left. */
  readonly needed: number | null;
}

export interface WarmUpReport {
  readonly declared: number;
  readonly columns: number;
  /** Histories compared, ascending. */
  readonly histories: readonly number[];
  /** Columns that the declared history does not settle, in the order of their names. */
  readonly faults: readonly WarmUpFault[];
}

/** A value below this share of the column's mean size is compared with that share: near 0 everything is relatively far. */
const SMALL_SHARE = 0.01;

/**
 * Looks for values that remember how the series began. At each of several rows the columns are computed from the last
 * h bars for every history h, and the value at the row is compared with that from the longest. A column is at fault
 * when the declared history, or one between it and the longest, leaves more than the tolerance.
 *
 * Columns that count from the beginning by definition (a cumulative volume) are found as well; whoever uses one says
 * why that does not matter. Throws InputError when the series is shorter than the longest history.
 */
export function findWarmUpBias(
  bars: BarColumns,
  compute: Compute,
  options: WarmUpOptions = {},
): WarmUpReport {
  const { declared = 200, rows = 20, tolerance = 0.001, leastRows = 1 } = options;
  const histories = [...new Set([declared, ...(options.histories ?? [200, 400, 800, 1600])])].sort(
    (a, b) => a - b,
  );
  const longest = histories.at(-1)!;
  if (!histories.every((h) => Number.isInteger(h) && h >= 1) || declared === longest) {
    throw new InputError(
      `a declared history of ${declared} bars cannot be compared with ${longest}`,
      'compare it with histories of whole bars, the longest of them longer than the declared one',
    );
  }
  if (bars.length < longest) {
    throw new InputError(
      `${bars.length} bars are fewer than a history of ${longest}`,
      'give a longer series',
    );
  }
  const ends = spreadRows(longest - 1, bars.length - 1, rows);
  // values[h] of a column: one for each row
  const values = histories.map((history) => valuesAt(bars, compute, ends, history));
  const names = new Set(values.flatMap((byColumn) => [...byColumn.keys()]));
  const faults: WarmUpFault[] = [];
  for (const column of [...names].sort()) {
    const last = values.at(-1)!.get(column) ?? ends.map(() => Number.NaN);
    const worst = values
      .slice(0, -1)
      .map((byColumn) => largestDifference(byColumn.get(column), last, leastRows));
    const at = histories.indexOf(declared);
    if (worst.slice(at).every((difference) => difference <= tolerance)) continue;
    const unstable = worst.findLastIndex((difference) => !(difference <= tolerance));
    const needed = unstable + 1 < histories.length - 1 ? histories[unstable + 1]! : null;
    faults.push({ column, difference: Math.max(...worst.slice(at)), needed });
  }
  return { declared, columns: names.size, histories, faults };
}

/** Up to `count` rows from `first` to `last`, both included, evenly spread. */
function spreadRows(first: number, last: number, count: number): number[] {
  const n = Math.min(Math.max(Math.floor(count), 1), last - first + 1);
  if (n === 1) return [last];
  return Array.from({ length: n }, (_, k) => first + Math.round(((last - first) * k) / (n - 1)));
}

function valuesAt(
  bars: BarColumns,
  compute: Compute,
  ends: readonly number[],
  history: number,
): Map<string, number[]> {
  const byColumn = new Map<string, number[]>();
  ends.forEach((end, k) => {
    for (const [name, column] of computeChecked(compute, cutBars(bars, end + 1 - history, end + 1))) {
      let list = byColumn.get(name);
      if (list === undefined) {
        list = ends.map(() => Number.NaN);
        byColumn.set(name, list);
      }
      list[k] = column[history - 1]!;
    }
  });
  return byColumn;
}

/** The `nth` largest relative difference; Infinity where only one of the two has a value. */
function largestDifference(
  short: readonly number[] | undefined,
  long: readonly number[],
  nth: number,
): number {
  const sizes = long.filter((value) => Number.isFinite(value)).map(Math.abs);
  const typical = sizes.length === 0 ? 0 : mean(sizes);
  const differences = long.map((b, k) => {
    const a = short?.[k] ?? Number.NaN;
    if (a === b || (Number.isNaN(a) && Number.isNaN(b))) return 0;
    const difference = Math.abs(a - b) / Math.max(Math.abs(b), SMALL_SHARE * typical);
    return Number.isNaN(difference) ? Number.POSITIVE_INFINITY : difference;
  });
  return differences.sort((x, y) => y - x)[nth - 1] ?? 0;
}
