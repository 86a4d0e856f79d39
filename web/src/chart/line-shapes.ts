import type { ResponseOf } from '@contract';
import type { LineShape } from './pane-lines.ts';

export type IndicatorItem = ResponseOf<'indicators'>['items'][number];

/** The indicator a column such as `macd_12_26_9_signal` belongs to; null when nobody knows it. */
export function indicatorOf(column: string, items: readonly IndicatorItem[]): IndicatorItem | null {
  let best: IndicatorItem | null = null;
  for (const item of items) {
    const fits = column === item.name || column.startsWith(`${item.name}_`);
    if (fits && (best === null || item.name.length > best.name.length)) best = item;
  }
  return best;
}

/** Where each column is drawn: over the candles, or in a pane that columns with the same indicator and parameters share. */
export function shapesOf(
  columns: readonly string[],
  overlays: readonly string[],
  items: readonly IndicatorItem[],
): LineShape[] {
  return columns.map((column) => {
    if (overlays.includes(column)) return { column, pane: null };
    const item = indicatorOf(column, items);
    if (item === null) return { column, pane: column };
    const parameters = /^(_[-\d.]+)*/.exec(column.slice(item.name.length))?.[0] ?? '';
    return { column, pane: item.name + parameters };
  });
}

/** `macd_12_26_9_signal` as `macd 12 26 9 signal`. */
export function columnName(column: string): string {
  return column.replaceAll('_', ' ');
}
