import { DAY, formatInstant, InputError } from '#base';
import { BarChecker, type BarColumns, type BarCounts, barColumns, noBarCounts } from '#market';

/** Bars as they are read, before any check: columns that grow, and where the first row out of order stood. */
export class BarRows {
  readonly symbol: string;
  columns: BarColumns = barColumns(1024);
  /** Line of the first row whose time lies before the row above it; 0 when there is none. */
  unsortedLine = 0;

  constructor(symbol: string) {
    this.symbol = symbol;
  }

  add(t: number, open: number, high: number, low: number, close: number, volume: number, line: number): void {
    let { columns } = this;
    const row = columns.length;
    if (row === columns.time.length) {
      columns = grown(columns);
      this.columns = columns;
    }
    columns.time[row] = t;
    columns.open[row] = open;
    columns.high[row] = high;
    columns.low[row] = low;
    columns.close[row] = close;
    columns.volume[row] = volume;
    columns.length = row + 1;
    if (row > 0 && t < columns.time[row - 1]! && this.unsortedLine === 0) this.unsortedLine = line;
  }

  /** Puts the rows in order of time; rows of one time keep their order. */
  sort(): void {
    const { columns } = this;
    const order = Array.from({ length: columns.length }, (_, i) => i);
    order.sort((a, b) => columns.time[a]! - columns.time[b]! || a - b);
    const out = barColumns(columns.length);
    for (const name of ['time', 'open', 'high', 'low', 'close', 'volume'] as const) {
      order.forEach((from, to) => {
        out[name][to] = columns[name][from]!;
      });
    }
    out.length = columns.length;
    this.columns = out;
    this.unsortedLine = 0;
  }
}

function grown(from: BarColumns): BarColumns {
  const to = barColumns(from.time.length * 2);
  for (const name of ['time', 'open', 'high', 'low', 'close', 'volume'] as const) to[name].set(from[name]);
  to.length = from.length;
  return to;
}

/** How often each positive distance between neighbouring times occurs. */
export function stepCounts(
  time: Float64Array,
  length: number,
  into = new Map<number, number>(),
): Map<number, number> {
  // runs of equal steps are counted in one go: most files are one run
  let last = -1;
  let run = 0;
  for (let i = 1; i < length; i++) {
    const step = time[i]! - time[i - 1]!;
    if (step === last) {
      run += 1;
      continue;
    }
    if (run > 0) into.set(last, (into.get(last) ?? 0) + run);
    last = step;
    run = step > 0 ? 1 : 0;
  }
  if (run > 0 && last > 0) into.set(last, (into.get(last) ?? 0) + run);
  return into;
}

/** The value that occurs most often, the smallest of equals; null without any. */
export function modeOf(counts: ReadonlyMap<number, number>): number | null {
  let best: number | null = null;
  let most = 0;
  for (const [value, count] of counts) {
    if (count > most || (count === most && best !== null && value < best)) {
      best = value;
      most = count;
    }
  }
  return best;
}

/** Where in the interval most bars open: 0, or half an hour for hourly bars that begin at 09:30. */
function phaseOf(columns: BarColumns, intervalMs: number): number {
  if (intervalMs >= DAY || columns.length === 0) return 0;
  const counts = new Map<number, number>();
  const stride = Math.max(1, Math.floor(columns.length / 4096));
  for (let i = 0; i < columns.length; i += stride) {
    const phase = columns.time[i]! % intervalMs;
    counts.set(phase, (counts.get(phase) ?? 0) + 1);
  }
  return modeOf(counts)!;
}

/** The rows that a BarChecker accepts, in trimmed columns. Rows must be in order of time. */
export function checkedColumns(
  rows: BarColumns,
  intervalMs: number,
): { columns: BarColumns; faults: BarCounts } {
  const checker = new BarChecker(intervalMs, phaseOf(rows, intervalMs));
  const out = barColumns(rows.length);
  let n = 0;
  for (let i = 0; i < rows.length; i++) {
    const time = rows.time[i]!;
    const open = rows.open[i]!;
    const close = rows.close[i]!;
    const volume = rows.volume[i]!;
    if (checker.judge(time, open, rows.high[i]!, rows.low[i]!, close, volume) !== 'accept') continue;
    out.time[n] = time;
    out.open[n] = open;
    out.high[n] = checker.high;
    out.low[n] = checker.low;
    out.close[n] = close;
    out.volume[n] = volume;
    n += 1;
  }
  out.length = n;
  return { columns: n === rows.length ? out : trimmed(out), faults: { ...noBarCounts(), ...checker.counts } };
}

function trimmed(columns: BarColumns): BarColumns {
  const out = barColumns(columns.length);
  for (const name of ['time', 'open', 'high', 'low', 'close', 'volume'] as const) {
    out[name].set(columns[name].subarray(0, columns.length));
  }
  out.length = columns.length;
  return out;
}

/** Throws when times are plainly not epoch milliseconds. Returns what to multiply them by when `mend` is set. */
export function timeFactor(file: string, last: number, mend: boolean): number {
  if (!Number.isFinite(last)) return 1;
  const unit =
    last < 1e11 && last > 1e8 ? 'seconds' : last > 1e17 ? 'nanoseconds' : last > 1e14 ? 'microseconds' : null;
  if (unit === null) return 1;
  if (mend) return unit === 'seconds' ? 1000 : unit === 'microseconds' ? 1e-3 : 1e-6;
  throw new InputError(
    `${file}: the times look like ${unit} (${last} would be ${last < 8.64e15 ? formatInstant(last) : 'beyond all dates'})`,
    'times are epoch milliseconds UTC; `quorum data import` converts them',
  );
}
