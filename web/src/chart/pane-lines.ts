import { HistogramSeries, type IChartApi, type ISeriesApi, LineSeries, LineStyle } from 'lightweight-charts';
import { decimal } from '../ui/format.ts';
import type { BarStore } from './bar-store.ts';
import { over, pointAt } from './draw-series.ts';
import type { ChartPalette } from './palette.ts';
import type { Span } from './span.ts';

/** An indicator's column and where it is drawn: over the candles, or in the pane of its name. */
export interface LineShape {
  readonly column: string;
  readonly pane: string | null;
}

/** Indicators have digits of their own: some are per cent, some a fraction of a tick. */
const INDICATOR_FORMAT = {
  type: 'custom',
  minMove: 1e-8,
  formatter: (value: number) => decimal(Number(value.toPrecision(4))),
} as const;
const CANDLES_STRETCH = 3.5;

const STROKES = [
  { style: LineStyle.Solid, dash: [] },
  { style: LineStyle.Dashed, dash: [6, 4] },
  { style: LineStyle.Dotted, dash: [2, 3] },
] as const;

/** How the line at a place of the list looks: lines beyond the number of colours are told apart by their strokes. */
export function lookOf(i: number, { lines }: ChartPalette) {
  const color = lines[i % lines.length]!;
  return { color, ...STROKES[Math.floor(i / lines.length) % STROKES.length]! };
}

type Line =
  | { readonly is: 'line'; readonly series: ISeriesApi<'Line'> }
  | { readonly is: 'histogram'; readonly series: ISeriesApi<'Histogram'> };

/** Indicators that have panes of their own below the candles. */
export class PaneLines {
  private readonly chart: IChartApi;
  private readonly store: BarStore;
  private readonly lines = new Map<string, Line>();
  /** The library has points of these lines. */
  filled = false;

  constructor(chart: IChartApi, store: BarStore) {
    this.chart = chart;
    this.store = store;
  }

  show(shapes: readonly LineShape[]): void {
    for (const { series } of this.lines.values()) this.chart.removeSeries(series);
    this.lines.clear();
    this.filled = false;
    const panes = new Map<string, number>();
    for (const { column, pane: name } of shapes) {
      if (name === null) continue;
      const pane = panes.get(name) ?? panes.size + 1;
      panes.set(name, pane);
      this.lines.set(column, this.lineIn(pane, /(_hist|_histogram)$/.test(column)));
    }
    for (const [i, pane] of this.chart.panes().entries())
      pane.setStretchFactor(i === 0 ? CANDLES_STRETCH : 1);
  }

  private lineIn(pane: number, bars: boolean): Line {
    const common = { priceLineVisible: false, priceFormat: INDICATOR_FORMAT } as const;
    if (bars) {
      const options = { ...common, lastValueVisible: false };
      return { is: 'histogram', series: this.chart.addSeries(HistogramSeries, options, pane) };
    }
    const options = { ...common, crosshairMarkerVisible: false, lineWidth: 2 } as const;
    return { is: 'line', series: this.chart.addSeries(LineSeries, options, pane) };
  }

  colour(shapes: readonly LineShape[], palette: ChartPalette): void {
    for (const [i, { column }] of shapes.entries()) {
      const line = this.lines.get(column);
      const { color, style } = lookOf(i, palette);
      if (line?.is === 'line') line.series.applyOptions({ color, lineStyle: style });
      else line?.series.applyOptions({ color });
    }
  }

  /** The value at the newest bar. */
  update(index: number): void {
    for (const [column, { series }] of this.lines) series.update(pointAt(this.store, column, index));
  }

  fill(span: Span): void {
    for (const [column, { series }] of this.lines)
      series.setData(over(span, (i) => pointAt(this.store, column, i)));
    this.filled = this.lines.size > 0;
  }
}
