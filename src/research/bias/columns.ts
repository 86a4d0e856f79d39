import { InputError } from '#base';
import { type BarColumns, barColumns } from '#market';

/**
 * What a detector examines: bars in, named columns out, each as long as the bars, NaN where there is no value. Pure: the
 * same bars give the same columns.
 */
export type Compute = (bars: BarColumns) => ReadonlyMap<string, Float64Array>;

/** Rows `from..to-1` as columns of their own, exactly full, so that nothing behind them can be read. */
export function cutBars(bars: BarColumns, from: number, to: number): BarColumns {
  const cut = barColumns(to - from);
  cut.length = to - from;
  cut.time.set(bars.time.subarray(from, to));
  cut.open.set(bars.open.subarray(from, to));
  cut.high.set(bars.high.subarray(from, to));
  cut.low.set(bars.low.subarray(from, to));
  cut.close.set(bars.close.subarray(from, to));
  cut.volume.set(bars.volume.subarray(from, to));
  return cut;
}

/** The columns of `bars`. Throws InputError when one is not as long as the bars. */
export function computeChecked(compute: Compute, bars: BarColumns): ReadonlyMap<string, Float64Array> {
  const columns = compute(bars);
  for (const [name, column] of columns) {
    if (column.length !== bars.length) {
      throw new InputError(
        `column '${name}' has ${column.length} rows for ${bars.length} bars`,
        'give every bar one value, NaN where there is none',
      );
    }
  }
  return columns;
}
