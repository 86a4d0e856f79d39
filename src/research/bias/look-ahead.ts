import { Chance, InputError } from '#base';
import type { BarColumns } from '#market';
import { type Compute, computeChecked, cutBars } from './columns.ts';

export interface LookAheadOptions {
  /** Places where the series is cut, spread over it. Default 60, at least 50 where there are as many bars. */
  readonly cuts?: number;
  /** Rows where something happened (signals, entries): the series is cut at each of them as well. */
  readonly signals?: readonly number[];
  /** Most cuts in all; beyond it signals are thinned evenly. Default 300. */
  readonly cutsMax?: number;
  /** Values this close, relative to the larger of them, count as equal. Default 1e-9. */
  readonly tolerance?: number;
  /** Default 'look-ahead'. */
  readonly seed?: string;
}

/** A column whose past changes when its future is cut off. */
export interface LookAheadFault {
  readonly column: string;
  /** Cuts at which a value at or before the cut differed. */
  readonly cuts: number;
  /** The first of them: the last row that was left. */
  readonly cut: number;
  /** The row whose value differed there; `cut - row` bars before the end. */
  readonly row: number;
  /** With the whole series, and with the series cut. */
  readonly whole: number;
  readonly whenCut: number;
}

export interface LookAheadReport {
  readonly cuts: number;
  readonly columns: number;
  /** Biased columns in the order of their names; empty when all is well. */
  readonly faults: readonly LookAheadFault[];
}

/** Signals of a column are rows with a value unlike the row before; a column with more of them has no rare ones. */
const RARE_SHARE = 0.05;
/** Differences are relative to this share of a column's largest value at least: rounding around 0 is no look-ahead. */
const FAINT = 1e-4;

/**
 * Looks for values that know the future. Columns computed from the whole series are compared with columns computed
 * from the series cut after row t, at every row up to t, for many t: spread over the series with random steps (so that
 * no cut pattern coincides with hours or days), at the given signals, and where a column that rarely changes does.
 * Comparing whole prefixes finds what repaints too: a value that comes later than the row it is written on.
 *
 * A column that exists only in one of the two counts as NaN in the other. Throws InputError for fewer than 3 bars.
 */
export function findLookAhead(
  bars: BarColumns,
  compute: Compute,
  options: LookAheadOptions = {},
): LookAheadReport {
  const { tolerance = 1e-9 } = options;
  if (bars.length < 3)
    throw new InputError(`${bars.length} bars cannot be cut`, 'give a series of at least 3 bars');
  const whole = computeChecked(compute, cutBars(bars, 0, bars.length));
  const sizes = new Map([...whole].map(([name, column]) => [name, largest(column)]));
  const places = cutPlaces(bars.length, whole, options);
  const found = new Map<string, LookAheadFault>();
  const names = new Set(whole.keys());
  for (const cut of places) {
    const cutColumns = computeChecked(compute, cutBars(bars, 0, cut + 1));
    for (const name of cutColumns.keys()) names.add(name);
    for (const column of names) {
      const row = lastDifference(
        whole.get(column),
        cutColumns.get(column),
        cut,
        tolerance,
        sizes.get(column) ?? 0,
      );
      if (row < 0) continue;
      const known = found.get(column);
      if (known !== undefined) found.set(column, { ...known, cuts: known.cuts + 1 });
      else {
        found.set(column, {
          column,
          cuts: 1,
          cut,
          row,
          whole: whole.get(column)?.[row] ?? Number.NaN,
          whenCut: cutColumns.get(column)?.[row] ?? Number.NaN,
        });
      }
    }
  }
  const faults = [...found.values()].sort((a, b) => (a.column < b.column ? -1 : 1));
  return { cuts: places.length, columns: names.size, faults };
}

/** The last row up to `cut` with unequal values: the nearest to the cut tells most; -1 when there is none. */
function lastDifference(
  whole: Float64Array | undefined,
  cutColumn: Float64Array | undefined,
  cut: number,
  tolerance: number,
  size: number,
): number {
  for (let row = cut; row >= 0; row--) {
    const a = whole?.[row] ?? Number.NaN;
    const b = cutColumn?.[row] ?? Number.NaN;
    if (a === b || (Number.isNaN(a) && Number.isNaN(b))) continue;
    const difference = Math.abs(a - b);
    const allowed = tolerance * Math.max(Math.abs(a), Math.abs(b), FAINT * size);
    if (!(difference <= allowed) || difference === Number.POSITIVE_INFINITY) return row;
  }
  return -1;
}

/** The largest finite size of a value. */
function largest(column: Float64Array): number {
  let size = 0;
  for (const value of column) if (Number.isFinite(value)) size = Math.max(size, Math.abs(value));
  return size;
}

/** Last rows of the cut series, ascending; never the last row of all, where nothing would be cut. */
function cutPlaces(
  length: number,
  whole: ReadonlyMap<string, Float64Array>,
  { cuts = 60, signals = [], cutsMax = 300, seed = 'look-ahead' }: LookAheadOptions,
): number[] {
  const chance = new Chance(seed);
  const places = new Set<number>();
  const usable = length - 1;
  const spread = Math.min(Math.max(cuts, 50), usable);
  for (let k = 0; k < spread; k++) {
    places.add(Math.min(Math.floor(((k + chance.uniform()) * usable) / spread), usable - 1));
  }
  const rare = [...whole.values()].flatMap(rareRows);
  const wanted = [...new Set([...signals, ...rare])].filter(
    (row) => row >= 0 && row < usable && !places.has(row),
  );
  wanted.sort((a, b) => a - b);
  const room = Math.max(cutsMax - places.size, 0);
  const kept = Math.min(wanted.length, room);
  for (let k = 0; k < kept; k++) places.add(wanted[Math.floor((k * wanted.length) / kept)]!);
  return [...places].sort((a, b) => a - b);
}

/** Rows where a column takes another value, if that happens rarely: events, which cuts at random would miss. */
function rareRows(column: Float64Array): number[] {
  const rows: number[] = [];
  const most = RARE_SHARE * column.length;
  for (let row = 1; row < column.length; row++) {
    if (Object.is(column[row], column[row - 1])) continue;
    rows.push(row);
    if (rows.length > most) return [];
  }
  return rows;
}
