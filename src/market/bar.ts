import type { Instant } from '#base';

/** A closed interval of trading, stamped with its open time; floats exactly as recorded. */
export interface Bar {
  readonly time: Instant;
  readonly open: number;
  readonly high: number;
  readonly low: number;
  readonly close: number;
  readonly volume: number;
}

/**
 * Bars as columns. Row i of every column is one bar; rows `0..length-1` are filled. `time` is the open time.
 * The arrays may be longer than `length`.
 */
export interface BarColumns {
  length: number;
  readonly time: Float64Array;
  readonly open: Float64Array;
  readonly high: Float64Array;
  readonly low: Float64Array;
  readonly close: Float64Array;
  readonly volume: Float64Array;
}

/** A class, so that all columns have one shape (loops over them compile once) and a restored owner keeps the object. */
class OwnColumns implements BarColumns {
  length = 0;
  readonly time: Float64Array;
  readonly open: Float64Array;
  readonly high: Float64Array;
  readonly low: Float64Array;
  readonly close: Float64Array;
  readonly volume: Float64Array;

  constructor(capacity: number) {
    this.time = new Float64Array(capacity);
    this.open = new Float64Array(capacity);
    this.high = new Float64Array(capacity);
    this.low = new Float64Array(capacity);
    this.close = new Float64Array(capacity);
    this.volume = new Float64Array(capacity);
  }
}

/** Empty columns with room for `capacity` bars. */
export function barColumns(capacity: number): BarColumns {
  return new OwnColumns(capacity);
}

/** Columns over arrays that exist, such as memory that threads share. All must have the same length. */
export function columnsOver(parts: BarColumns): BarColumns {
  return Object.assign(new OwnColumns(0), parts);
}

/** Row `i` as an object. */
export function barAt(columns: BarColumns, i: number): Bar {
  return {
    time: columns.time[i]!,
    open: columns.open[i]!,
    high: columns.high[i]!,
    low: columns.low[i]!,
    close: columns.close[i]!,
    volume: columns.volume[i]!,
  };
}

/** Adds a bar as the next row; the columns must have room. */
export function appendBar(columns: BarColumns, bar: Bar): void {
  const row = columns.length++;
  columns.time[row] = bar.time;
  columns.open[row] = bar.open;
  columns.high[row] = bar.high;
  columns.low[row] = bar.low;
  columns.close[row] = bar.close;
  columns.volume[row] = bar.volume;
}

/** Bars as columns that are exactly full. */
export function columnsOfBars(bars: readonly Bar[]): BarColumns {
  const columns = barColumns(bars.length);
  for (const bar of bars) appendBar(columns, bar);
  return columns;
}

export type BarFault =
  | 'not-finite'
  | 'not-positive'
  | 'high-below-low'
  | 'not-enclosing'
  | 'negative-volume'
  | 'misaligned';

/** Why a bar may not be used, or null. `intervalMs` checks that the open time is a multiple of the interval. */
export function barFault(bar: Bar, intervalMs: number | null): BarFault | null {
  const { time, open, high, low, close, volume } = bar;
  if (!Number.isFinite(time + open + high + low + close + volume)) return 'not-finite';
  if (open <= 0 || high <= 0 || low <= 0 || close <= 0) return 'not-positive';
  if (high < low) return 'high-below-low';
  if (high < open || high < close || low > open || low > close) return 'not-enclosing';
  if (volume < 0) return 'negative-volume';
  if (!Number.isSafeInteger(time) || (intervalMs !== null && time % intervalMs !== 0)) return 'misaligned';
  return null;
}
