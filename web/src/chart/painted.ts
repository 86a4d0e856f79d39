import type {
  AutoscaleInfo,
  IChartApi,
  IPrimitivePaneRenderer,
  IPrimitivePaneView,
  ISeriesApi,
  ISeriesPrimitive,
  Logical,
  PrimitivePaneViewZOrder,
  SeriesAttachedParameter,
  Time,
} from 'lightweight-charts';

export type PaintTarget = Parameters<IPrimitivePaneRenderer['draw']>[0];

/** Where the bars that are seen stand: bar `i` of the drawn stretch has its middle at `left + (i - from) * spacing`. */
export interface Seen {
  readonly from: number;
  /** Without this one. */
  readonly to: number;
  readonly left: number;
  readonly spacing: number;
}

/**
 * Something that is painted with the candles straight from where it is kept. The library would copy every point of a
 * series of its own each time the drawn stretch moves; what is painted costs only what is seen.
 */
export abstract class Painted implements ISeriesPrimitive<Time> {
  protected chart: IChartApi | null = null;
  protected series: ISeriesApi<'Candlestick'> | null = null;
  private redraw: (() => void) | null = null;
  private readonly views: readonly IPrimitivePaneView[];

  constructor(layer: PrimitivePaneViewZOrder) {
    const renderer: IPrimitivePaneRenderer = { draw: (target) => this.paint(target) };
    this.views = [{ zOrder: () => layer, renderer: () => renderer }];
  }

  protected abstract paint(target: PaintTarget): void;

  attached(parameters: SeriesAttachedParameter<Time>): void {
    this.chart = parameters.chart as IChartApi;
    this.series = parameters.series as ISeriesApi<'Candlestick'>;
    this.redraw = parameters.requestUpdate;
  }

  detached(): void {
    this.chart = null;
    this.series = null;
    this.redraw = null;
  }

  paneViews(): readonly IPrimitivePaneView[] {
    return this.views;
  }

  autoscaleInfo(_from: Logical, _to: Logical): AutoscaleInfo | null {
    return null;
  }

  protected again(): void {
    this.redraw?.();
  }

  /** What is seen of a stretch of `length` bars; null while nothing is. */
  protected seen(length: number): Seen | null {
    const scale = this.chart?.timeScale();
    const range = scale?.getVisibleLogicalRange();
    if (!scale || !range) return null;
    const from = Math.max(0, Math.floor(range.from) - 1);
    const to = Math.min(length, Math.ceil(range.to) + 2);
    const left = scale.logicalToCoordinate(from as Logical);
    if (left === null || to <= from) return null;
    return { from, to, left, spacing: scale.options().barSpacing };
  }
}
