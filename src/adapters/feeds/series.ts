import { createHash } from 'node:crypto';
import { assert, formatInstant, formatInterval, InputError, type Instant } from '#base';
import {
  type BarColumns,
  type BarCounts,
  barColumns,
  type InstrumentId,
  type MarketEvent,
  MERGE_RANK,
  noBarCounts,
} from '#market';

/** Bars of one instrument and interval, checked: open times strictly increase. */
export interface BarSeries {
  readonly kind: 'bars';
  readonly instrument: InstrumentId;
  readonly intervalMs: number;
  readonly columns: BarColumns;
  /** SHA-256 of interval and columns. */
  readonly hash: string;
  readonly faults: BarCounts;
  /** Files it came from. */
  readonly files: readonly string[];
}

export type RowKind = 'funding' | 'quotes' | 'prints' | 'marks';

/** Columns of each kind. `taker` is 1 for a buyer, -1 for a seller; `mark` of funding and `index` are NaN when unknown. */
export const ROW_COLUMNS = {
  funding: ['rate', 'mark'],
  quotes: ['bid', 'bidSize', 'ask', 'askSize'],
  prints: ['price', 'size', 'taker'],
  marks: ['mark', 'index'],
} as const satisfies Record<RowKind, readonly string[]>;

/** Events of one kind and instrument. `at` never goes back; `time` is the source's own clock. */
export interface RowSeries {
  readonly kind: RowKind;
  readonly instrument: InstrumentId;
  readonly length: number;
  readonly at: Float64Array;
  readonly time: Float64Array;
  /** In the order of {@link ROW_COLUMNS}. */
  readonly columns: readonly Float64Array[];
  readonly hash: string;
  /** Rows dropped as unusable, and rows whose time was behind an earlier row's. */
  readonly dropped: number;
  readonly backward: number;
  readonly files: readonly string[];
}

export interface BookChange {
  readonly snapshot: boolean;
  readonly bids: readonly (readonly [number, number])[];
  readonly asks: readonly (readonly [number, number])[];
}

/** Changes of one order book. */
export interface DepthSeries {
  readonly kind: 'depth';
  readonly instrument: InstrumentId;
  readonly length: number;
  readonly at: Float64Array;
  readonly time: Float64Array;
  readonly changes: readonly BookChange[];
  readonly hash: string;
  /** Breaks in the venue's update ids. */
  readonly breaks: number;
  readonly files: readonly string[];
}

/** What one source published about one subject, such as `news:BTC`; it stands where others have their instrument. */
export interface ObservationSeries {
  readonly kind: 'observations';
  readonly instrument: InstrumentId;
  readonly subject: string;
  readonly source: string;
  readonly length: number;
  /** When each was published; never goes back. */
  readonly at: Float64Array;
  /** What each speaks of. */
  readonly time: Float64Array;
  readonly values: readonly string[];
  readonly hash: string;
  readonly files: readonly string[];
}

export type TapeSeries = BarSeries | RowSeries | DepthSeries | ObservationSeries;

export function barSeries(
  instrument: InstrumentId,
  intervalMs: number,
  columns: BarColumns,
  faults: BarCounts = noBarCounts(),
  files: readonly string[] = [],
): BarSeries {
  const parts = [columns.time, columns.open, columns.high, columns.low, columns.close, columns.volume];
  return {
    kind: 'bars',
    instrument,
    intervalMs,
    columns,
    hash: hashColumns(`bars ${intervalMs}`, parts, columns.length),
    faults,
    files,
  };
}

export function rowSeries(
  parts: Omit<RowSeries, 'hash' | 'dropped' | 'backward' | 'files'> & Partial<RowSeries>,
): RowSeries {
  assert(parts.columns.length === ROW_COLUMNS[parts.kind].length, `wrong columns for ${parts.kind}`);
  const hash = hashColumns(parts.kind, [parts.at, parts.time, ...parts.columns], parts.length);
  return { dropped: 0, backward: 0, files: [], ...parts, hash };
}

export function depthSeries(parts: Omit<DepthSeries, 'kind' | 'hash' | 'length'>): DepthSeries {
  const hash = createHash('sha256').update(`depth ${parts.changes.length}\n`);
  hash.update(bytesOf(parts.at)).update(bytesOf(parts.time));
  for (const change of parts.changes)
    hash.update(`${change.snapshot} ${change.bids.join()} ${change.asks.join()}\n`);
  return { ...parts, kind: 'depth', length: parts.changes.length, hash: hash.digest('hex') };
}

export function observationSeries(
  parts: Omit<ObservationSeries, 'kind' | 'hash' | 'length' | 'files'> & Partial<ObservationSeries>,
): ObservationSeries {
  const { subject, source, at, time, values } = parts;
  const hash = createHash('sha256').update(`observations ${JSON.stringify([subject, source, values])}\n`);
  hash.update(bytesOf(at)).update(bytesOf(time));
  return { files: [], ...parts, kind: 'observations', length: values.length, hash: hash.digest('hex') };
}

function bytesOf(column: Float64Array): Uint8Array {
  return new Uint8Array(column.buffer, column.byteOffset, column.byteLength);
}

function hashColumns(label: string, columns: readonly Float64Array[], length: number): string {
  const hash = createHash('sha256').update(`${label} ${length}\n`);
  for (const column of columns) hash.update(bytesOf(column.subarray(0, length)));
  return hash.digest('hex');
}

/** Number of rows. */
export function seriesLength(series: TapeSeries): number {
  return series.kind === 'bars' ? series.columns.length : series.length;
}

/** One line that identifies a series: kind, instrument, interval, hash. */
export function describeSeries(series: TapeSeries): string {
  const interval = series.kind === 'bars' ? series.intervalMs : 0;
  return `${series.kind} ${series.instrument} ${interval} ${series.hash}`;
}

/** Instant at which a bar has closed: open + interval, or the next bar's open where that comes first. */
export function closeOf(series: BarSeries, row: number): Instant {
  const { time, length } = series.columns;
  const close = time[row]! + series.intervalMs;
  return row + 1 < length && time[row + 1]! < close ? time[row + 1]! : close;
}

/** Rank of a series' events at equal instants; bars have two. */
export function rankOf(series: TapeSeries): number {
  if (series.kind === 'bars') return MERGE_RANK.barClosed;
  return series.kind === 'funding' ? MERGE_RANK.funding : MERGE_RANK.price;
}

/** The event of one row; `phase` matters for bars only. */
export function eventOf(
  series: TapeSeries,
  row: number,
  phase: 'open' | 'close' | 'funding' | 'event',
): MarketEvent {
  const { instrument } = series;
  if (series.kind === 'bars') return barEvent(series, row, phase === 'open');
  const at = series.at[row]!;
  const eventTime = series.time[row]!;
  if (series.kind === 'depth') {
    const change = series.changes[row]!;
    return { kind: 'book-changed', at, eventTime, instrument, ...change };
  }
  if (series.kind === 'observations') {
    const { source, subject, values } = series;
    return {
      kind: 'observation-published',
      at,
      eventTime,
      source,
      subject,
      value: values[row]!,
      publishedAt: at,
    };
  }
  const [a, b, c, d] = series.columns as [Float64Array, Float64Array, Float64Array?, Float64Array?];
  switch (series.kind) {
    case 'funding':
      return { kind: 'funding-due', at, eventTime, instrument, rate: a[row]!, mark: known(b[row]!) };
    case 'quotes':
      return {
        kind: 'quote-updated',
        at,
        eventTime,
        instrument,
        bid: a[row]!,
        bidSize: b[row]!,
        ask: c![row]!,
        askSize: d![row]!,
      };
    case 'prints':
      return {
        kind: 'print-seen',
        at,
        eventTime,
        instrument,
        price: a[row]!,
        size: b[row]!,
        taker: c![row]! > 0 ? 'buy' : 'sell',
      };
    case 'marks':
      return { kind: 'mark-updated', at, eventTime, instrument, mark: a[row]!, index: known(b[row]!) };
  }
}

function known(value: number): number | null {
  return Number.isNaN(value) ? null : value;
}

function barEvent(series: BarSeries, row: number, opening: boolean): MarketEvent {
  const { instrument, intervalMs, columns } = series;
  const time = columns.time[row]!;
  const open = columns.open[row]!;
  if (opening) return { kind: 'bar-opened', at: time, eventTime: time, instrument, intervalMs, open };
  const at = closeOf(series, row);
  const high = columns.high[row]!;
  const low = columns.low[row]!;
  const close = columns.close[row]!;
  const volume = columns.volume[row]!;
  const bar = { time, open, high, low, close, volume };
  return { kind: 'bar-closed', at, eventTime: at, instrument, intervalMs, bar };
}

/** First row whose time is not below `at`. */
export function lowerBound(time: Float64Array, length: number, at: Instant): number {
  let low = 0;
  let high = length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (time[middle]! < at) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The rows that begin in [from, to); the series itself when that is all of it. */
export function cutSeries(series: TapeSeries, from: Instant, to: Instant): TapeSeries {
  const time = series.kind === 'bars' ? series.columns.time : series.at;
  const length = seriesLength(series);
  const first = lowerBound(time, length, from);
  const end = lowerBound(time, length, to);
  if (first === 0 && end === length) return series;
  if (series.kind === 'bars') {
    return barSeries(
      series.instrument,
      series.intervalMs,
      cutBars(series.columns, first, end),
      series.faults,
      series.files,
    );
  }
  const part = {
    ...series,
    length: end - first,
    at: series.at.slice(first, end),
    time: series.time.slice(first, end),
  };
  if (part.kind === 'observations')
    return observationSeries({ ...part, values: part.values.slice(first, end) });
  if (part.kind === 'depth') return depthSeries({ ...part, changes: part.changes.slice(first, end) });
  return rowSeries({ ...part, columns: part.columns.map((column) => column.slice(first, end)) });
}

/** A copy of rows [from, to). */
export function cutBars(columns: BarColumns, from: number, to: number): BarColumns {
  return {
    length: to - from,
    time: columns.time.slice(from, to),
    open: columns.open.slice(from, to),
    high: columns.high.slice(from, to),
    low: columns.low.slice(from, to),
    close: columns.close.slice(from, to),
    volume: columns.volume.slice(from, to),
  };
}

/**
 * Joins series of one instrument and interval that follow or overlap one another. Rows in both must be equal.
 * Throws InputError where they differ.
 */
export function joinBars(a: BarSeries, b: BarSeries): BarSeries {
  assert(a.instrument === b.instrument && a.intervalMs === b.intervalMs, 'joined series must be of one kind');
  const x = a.columns;
  const y = b.columns;
  const out = barColumns(x.length + y.length);
  let i = 0;
  let j = 0;
  while (i < x.length || j < y.length) {
    const ti = i < x.length ? x.time[i]! : Infinity;
    const tj = j < y.length ? y.time[j]! : Infinity;
    if (ti === tj && !sameRow(x, i, y, j)) {
      throw new InputError(
        `${a.instrument} ${formatInterval(a.intervalMs)}: two files differ at ${formatInstant(ti)} (${[...a.files, ...b.files].join(', ')})`,
        'give only one of them, or give them different names with INSTRUMENT=FILE',
      );
    }
    copyRow(out, ti <= tj ? x : y, ti <= tj ? i : j);
    if (ti <= tj) i += 1;
    if (tj <= ti) j += 1;
  }
  const faults = noBarCounts();
  for (const key of Object.keys(faults) as (keyof BarCounts)[]) faults[key] = a.faults[key] + b.faults[key];
  const columns = cutBars(out, 0, out.length);
  return barSeries(a.instrument, a.intervalMs, columns, faults, [...a.files, ...b.files].sort());
}

function sameRow(x: BarColumns, i: number, y: BarColumns, j: number): boolean {
  return (
    x.open[i] === y.open[j] &&
    x.high[i] === y.high[j] &&
    x.low[i] === y.low[j] &&
    x.close[i] === y.close[j] &&
    x.volume[i] === y.volume[j]
  );
}

function copyRow(out: BarColumns, from: BarColumns, row: number): void {
  const to = out.length++;
  out.time[to] = from.time[row]!;
  out.open[to] = from.open[row]!;
  out.high[to] = from.high[row]!;
  out.low[to] = from.low[row]!;
  out.close[to] = from.close[row]!;
  out.volume[to] = from.volume[row]!;
}
