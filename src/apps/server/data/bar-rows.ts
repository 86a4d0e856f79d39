import { setImmediate as nextTurn } from 'node:timers/promises';
import type { ProjectionStore } from '#adapters';
import { type BarColumns, barColumns } from '#market';

/** Intervals in which bars of an instrument are kept, finest first. */
export async function intervalsOf({ db }: ProjectionStore, instrument: string): Promise<number[]> {
  const rows = await db
    .selectFrom('bars')
    .select('interval_ms')
    .distinct()
    .where('instrument', '=', instrument)
    .where('interval_ms', 'is not', null)
    .orderBy('interval_ms')
    .execute();
  return rows.map((row) => row.interval_ms!);
}

export interface BarsAsk {
  readonly instrument: string;
  readonly intervalMs: number;
  /** Open times in [from, to). */
  readonly from: number | undefined;
  readonly to: number | undefined;
  /** The newest of them when there are more. */
  readonly limit: number;
}

/** Rows read in one go: more at once would hold up everybody else. */
const PIECE = 10_000;

interface BarRow {
  readonly at: number | null;
  readonly open: number | null;
  readonly high: number | null;
  readonly low: number | null;
  readonly close: number | null;
  readonly volume: number | null;
}

/** Bars as they were kept, oldest first. */
export async function storedBars(store: ProjectionStore, ask: BarsAsk): Promise<BarColumns> {
  const pieces: BarRow[][] = [];
  let n = 0;
  let { to } = ask;
  while (n < ask.limit) {
    const wanted = Math.min(PIECE, ask.limit - n);
    const piece = await pieceOf(store, { ...ask, to, limit: wanted });
    pieces.push(piece);
    n += piece.length;
    if (piece.length < wanted) break;
    to = piece.at(-1)!.at!;
    await nextTurn();
  }
  return columnsOf(pieces, n);
}

/** The newest bars before `to`, newest first. */
async function pieceOf({ db }: ProjectionStore, ask: BarsAsk): Promise<BarRow[]> {
  let query = db
    .selectFrom('bars')
    .select(['at', 'open', 'high', 'low', 'close', 'volume'])
    .where('instrument', '=', ask.instrument)
    .where('interval_ms', '=', ask.intervalMs)
    .where('close', 'is not', null);
  if (ask.from !== undefined) query = query.where('at', '>=', ask.from);
  if (ask.to !== undefined) query = query.where('at', '<', ask.to);
  return query.orderBy('at', 'desc').limit(ask.limit).execute();
}

/** Columns from pieces that go from newest to oldest. */
function columnsOf(pieces: readonly (readonly BarRow[])[], n: number): BarColumns {
  const columns = barColumns(n);
  const { time, open, high, low, close, volume } = columns;
  let i = n;
  for (const piece of pieces) {
    for (const row of piece) {
      i -= 1;
      time[i] = row.at!;
      open[i] = row.open!;
      high[i] = row.high!;
      low[i] = row.low!;
      close[i] = row.close!;
      volume[i] = row.volume ?? 0;
    }
  }
  columns.length = n;
  return columns;
}

/** Finer bars put together to coarser ones on the grid of the epoch; the last one may still be open. */
export function resampled(bars: BarColumns, intervalMs: number): BarColumns {
  const out = barColumns(bars.length);
  let row = -1;
  for (let i = 0; i < bars.length; i++) {
    const time = Math.floor(bars.time[i]! / intervalMs) * intervalMs;
    if (row < 0 || out.time[row] !== time) {
      row += 1;
      out.time[row] = time;
      out.open[row] = bars.open[i]!;
      out.high[row] = bars.high[i]!;
      out.low[row] = bars.low[i]!;
    } else {
      out.high[row] = Math.max(out.high[row]!, bars.high[i]!);
      out.low[row] = Math.min(out.low[row]!, bars.low[i]!);
    }
    out.close[row] = bars.close[i]!;
    out.volume[row] = out.volume[row]! + bars.volume[i]!;
  }
  out.length = row + 1;
  return out;
}

/** Rows [from, to) of all columns, as arrays of plain numbers. */
export function barArrays(bars: BarColumns, from: number, to: number) {
  const cut = (column: Float64Array) => Array.from(column.subarray(from, to));
  return {
    time: cut(bars.time),
    open: cut(bars.open),
    high: cut(bars.high),
    low: cut(bars.low),
    close: cut(bars.close),
    volume: cut(bars.volume),
  };
}
