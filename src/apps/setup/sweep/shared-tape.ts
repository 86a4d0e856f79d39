import { type BarSeries, type RowSeries, Tape, type TapeSeries } from '#adapters';
import { columnsOver } from '#market';
import type { RecordedData } from '../run-backtest.ts';

/** Recorded data as it may be handed to a thread: columns lie in memory that all threads share. */
export interface SharedData {
  readonly series: readonly TapeSeries[];
  readonly faults: readonly (readonly [reason: string, rows: number])[];
}

/** Puts the columns of a tape where threads can share them. Those of the history store lie there already. */
export function shareData({ tape, faults }: RecordedData): SharedData {
  return { series: tape.series.map(shareSeries), faults: [...faults] };
}

/** The data in the thread it was handed to. */
export function dataFromShared({ series, faults }: SharedData): RecordedData {
  return { tape: new Tape(series.map(withOwnShape)), faults: new Map(faults) };
}

function shareSeries(series: TapeSeries): TapeSeries {
  if (series.kind === 'bars') {
    const { length, time, open, high, low, close, volume } = series.columns;
    const columns = {
      length,
      time: shared(time),
      open: shared(open),
      high: shared(high),
      low: shared(low),
      close: shared(close),
      volume: shared(volume),
    };
    return { ...series, columns } satisfies BarSeries;
  }
  const times = { at: shared(series.at), time: shared(series.time) };
  // the changes of an order book are objects, and what was published is text: each thread gets a copy of them
  if (series.kind === 'depth' || series.kind === 'observations') return { ...series, ...times };
  return { ...series, ...times, columns: series.columns.map(shared) } satisfies RowSeries;
}

function shared(column: Float64Array): Float64Array {
  if (column.buffer instanceof SharedArrayBuffer) return column;
  const copy = new Float64Array(new SharedArrayBuffer(column.byteLength));
  copy.set(column);
  return copy;
}

/** A copy between threads loses the class that makes loops over columns fast. */
function withOwnShape(series: TapeSeries): TapeSeries {
  return series.kind === 'bars' ? { ...series, columns: columnsOver(series.columns) } : series;
}
