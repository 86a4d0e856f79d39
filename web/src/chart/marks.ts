import type { SeriesMarker, Time } from 'lightweight-charts';
import type { BarStore } from './bar-store.ts';
import { seconds } from './draw-series.ts';
import { type ChartPalette, regimeName } from './palette.ts';
import type { Band } from './regime-bands.ts';
import type { Span } from './span.ts';

/** What was bought or sold, to be marked at its bar. */
export interface FillMark {
  readonly at: number;
  readonly side: string;
  readonly quantity: string;
}

/** A price worth a line: of an open position. */
export interface PriceMark {
  readonly price: number;
  readonly kind: 'entry' | 'stop' | 'target';
  readonly label: string;
}

export function isBuy(side: string): boolean {
  return /^(buy|long|bid)/i.test(side);
}

/** Marks of the fills inside a stretch, one a bar and side: a bar with many fills says how many. */
export function fillMarkers(
  store: BarStore,
  span: Span,
  fills: readonly FillMark[],
  palette: ChartPalette,
): SeriesMarker<Time>[] {
  const groups = new Map<string, { index: number; buy: boolean; fills: FillMark[] }>();
  for (const fill of fills) {
    const index = store.indexAt(fill.at);
    if (index < span.start || index >= span.end) continue;
    const buy = isBuy(fill.side);
    const key = `${index} ${buy}`;
    const group = groups.get(key) ?? { index, buy, fills: [] };
    group.fills.push(fill);
    groups.set(key, group);
  }
  return [...groups.values()]
    .sort((a, b) => a.index - b.index)
    .map(({ index, buy, fills: these }) => ({
      time: seconds(store.timeAt(index)),
      position: buy ? 'belowBar' : 'aboveBar',
      shape: buy ? 'arrowUp' : 'arrowDown',
      color: buy ? palette.up : palette.down,
      text: these.length === 1 ? (buy ? 'B' : 'S') : `${buy ? 'B' : 'S'} ×${these.length}`,
    }));
}

/** The regimes of a stretch as bands over its bars. */
export function regimeBands(store: BarStore, span: Span, palette: ChartPalette): Band[] {
  const bands: Band[] = [];
  const marks = store.regimes;
  for (let i = 0; i < marks.length; i += 1) {
    const mark = marks[i]!;
    const next = marks[i + 1];
    const first = Math.max(span.start, firstIndexFrom(store, mark.from));
    const last = Math.min(span.end, next ? firstIndexFrom(store, next.from) : store.length) - 1;
    if (last < first) continue;
    const fill = palette.regimes[mark.regime] ?? palette.neutral;
    bands.push({
      from: first - span.start,
      to: last - span.start,
      label: regimeName(mark.regime),
      fill,
      ink: palette.soft,
    });
  }
  return bands;
}

function firstIndexFrom(store: BarStore, time: number): number {
  const index = store.indexAt(time);
  return index >= 0 && store.timeAt(index) === time ? index : index + 1;
}

/** The regime in force at an instant; null when nothing is known. */
export function regimeAt(store: BarStore, time: number): string | null {
  let found: string | null = null;
  for (const mark of store.regimes) {
    if (mark.from > time) break;
    found = mark.regime;
  }
  return found;
}
