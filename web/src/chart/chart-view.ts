import {
  CandlestickSeries,
  ColorType,
  CrosshairMode,
  createChart,
  createSeriesMarkers,
  type IChartApi,
  type IPriceLine,
  type ISeriesApi,
  type ISeriesMarkersPluginApi,
  LineStyle,
  type LogicalRange,
  type Time,
} from 'lightweight-charts';
import type { Bar, BarStore } from './bar-store.ts';
import { candleAt, over, seconds } from './draw-series.ts';
import { type FillMark, fillMarkers, type PriceMark, regimeBands } from './marks.ts';
import { OverlayLines } from './overlay-lines.ts';
import { type ChartPalette, chartPalette } from './palette.ts';
import { type LineShape, lookOf, PaneLines } from './pane-lines.ts';
import { RegimeBands } from './regime-bands.ts';
import { chooseSpan, type Span } from './span.ts';
import { VolumeBars } from './volume-bars.ts';

export interface ChartTold {
  /** The bars before the first are wanted. */
  older(): void;
  /** The bar under the crosshair; null: none. */
  pointed(index: number | null): void;
  /** The stretch that is seen, as whole indexes. */
  seen(from: number, to: number): void;
}

/** Pixels of one bar at first. */
const SPACING_AT_FIRST = 7;
const SEEN_LEAST = 40;
const OLDER_FROM_SCREENS = 2.5;
/** Not less: a screen then holds a few thousand bars at most, and filling a stretch stays short. */
const BAR_SPACING_LEAST = 2;
/**
 * Candles, volume, indicators and marks of one {@link BarStore} in a canvas. Of all bars only a stretch around what is
 * seen is handed to the library, and moved along when no pointer is down; its bars keep their place on the screen.
 */
export class ChartView {
  private readonly chart: IChartApi;
  private readonly candles: ISeriesApi<'Candlestick'>;
  private readonly markers: ISeriesMarkersPluginApi<Time>;
  private readonly bands = new RegimeBands();
  private readonly volume: VolumeBars;
  private readonly overlays: OverlayLines;
  private readonly panes: PaneLines;
  private shapes: readonly LineShape[] = [];
  private readonly newest: IPriceLine;
  private priceLines: IPriceLine[] = [];
  private prices: readonly PriceMark[] = [];
  private fills: readonly FillMark[] = [];
  private span: Span = { start: 0, end: 0 };
  private palette: ChartPalette = chartPalette();
  private pressed = false;
  private waiting: ReturnType<typeof setTimeout> | null = null;
  private readonly element: HTMLElement;
  private readonly store: BarStore;
  private readonly told: ChartTold;

  /** `tick` is the smallest step of a price. */
  constructor(element: HTMLElement, store: BarStore, tick: number, digits: number, told: ChartTold) {
    this.element = element;
    this.store = store;
    this.told = told;
    this.chart = createChart(element, {
      autoSize: true,
      layout: { attributionLogo: false, fontFamily: 'system-ui, sans-serif', panes: { enableResize: true } },
      crosshair: { mode: CrosshairMode.Normal },
      rightPriceScale: { borderVisible: false, scaleMargins: { top: 0.12, bottom: 0.24 } },
      timeScale: {
        borderVisible: false,
        timeVisible: true,
        secondsVisible: false,
        minBarSpacing: BAR_SPACING_LEAST,
        rightOffset: 6,
      },
      kineticScroll: { touch: false, mouse: false },
      handleScale: { axisPressedMouseMove: { time: false, price: true } },
      handleScroll: { vertTouchDrag: false },
    });
    const priceFormat = { type: 'price', precision: digits, minMove: tick } as const;
    this.candles = this.chart.addSeries(CandlestickSeries, {
      priceFormat,
      borderVisible: true,
      // Of the body's colour, which is that of the background in a hollow candle: drawn by `newest` instead.
      lastValueVisible: false,
      priceLineVisible: false,
    });
    this.newest = this.candles.createPriceLine({
      price: 0,
      lineVisible: true,
      lineStyle: LineStyle.Dotted,
      lineWidth: 1,
      axisLabelVisible: true,
    });
    this.panes = new PaneLines(this.chart, store);
    this.volume = new VolumeBars(store);
    this.overlays = new OverlayLines(store);
    for (const painted of [this.bands, this.volume, this.overlays]) this.candles.attachPrimitive(painted);
    this.markers = createSeriesMarkers(this.candles, []);
    this.paint();
    this.chart.timeScale().subscribeVisibleLogicalRangeChange(this.moved);
    this.chart.subscribeCrosshairMove((event) => {
      this.told.pointed(
        event.logical === undefined || event.point === undefined ? null : event.logical + this.span.start,
      );
    });
    element.addEventListener('pointerdown', this.press, true);
    window.addEventListener('pointerup', this.release, true);
    window.addEventListener('pointercancel', this.release, true);
  }

  destroy(): void {
    if (this.waiting !== null) clearTimeout(this.waiting);
    this.element.removeEventListener('pointerdown', this.press, true);
    window.removeEventListener('pointerup', this.release, true);
    window.removeEventListener('pointercancel', this.release, true);
    this.chart.remove();
  }

  /** Draws the colours of the theme in use. */
  paint(): void {
    const palette = chartPalette();
    this.palette = palette;
    this.chart.applyOptions({
      layout: {
        background: { type: ColorType.Solid, color: palette.background },
        textColor: palette.soft,
        panes: { separatorColor: palette.grid, separatorHoverColor: palette.neutral },
      },
      grid: { vertLines: { color: palette.grid }, horzLines: { color: palette.grid } },
    });
    this.candles.applyOptions({
      // Up is hollow: the shape says it without the colour.
      upColor: palette.background,
      borderUpColor: palette.up,
      wickUpColor: palette.up,
      downColor: palette.down,
      borderDownColor: palette.down,
      wickDownColor: palette.down,
    });
    this.colourLines();
    this.showPrices(this.prices);
    if (this.span.end > 0) this.fill(this.span);
  }

  /** Which indicators are drawn. Their columns must be in the store before {@link refill}. */
  showLines(shapes: readonly LineShape[]): void {
    if (JSON.stringify(shapes) === JSON.stringify(this.shapes)) return;
    this.shapes = shapes;
    this.panes.show(shapes);
    this.colourLines();
  }

  /** Colour of each indicator, for a legend. */
  colours(): ReadonlyMap<string, string> {
    return new Map(this.shapes.map((shape, i) => [shape.column, lookOf(i, this.palette).color]));
  }

  private colourLines(): void {
    this.panes.colour(this.shapes, this.palette);
    this.showPainted();
  }

  /** Hands on which bars are drawn to what is painted straight from the store. */
  private showPainted(): void {
    const { span, palette } = this;
    this.volume.show(span, palette.up, palette.down);
    const lines = this.shapes.flatMap(({ column, pane }, i) =>
      pane === null ? [{ column, ...lookOf(i, palette) }] : [],
    );
    this.overlays.show(span, lines);
    this.bands.show(regimeBands(this.store, span, palette));
  }

  showPrices(prices: readonly PriceMark[]): void {
    this.prices = prices;
    for (const line of this.priceLines) this.candles.removePriceLine(line);
    const { up, down, neutral } = this.palette;
    this.priceLines = prices.map(({ price, kind, label }) =>
      this.candles.createPriceLine({
        price,
        title: label,
        color: kind === 'stop' ? down : kind === 'target' ? up : neutral,
        lineStyle: kind === 'entry' ? LineStyle.Dotted : LineStyle.Dashed,
        lineWidth: 2,
        axisLabelVisible: true,
      }),
    );
  }

  showFills(fills: readonly FillMark[]): void {
    this.fills = fills;
    if (this.span.end > 0) this.markers.setMarkers(fillMarkers(this.store, this.span, fills, this.palette));
  }

  /** Shows the newest bars: after the first page came in. */
  open(): void {
    const total = this.store.length;
    const seen = this.seenAtFirst();
    this.fill(chooseSpan({ from: total - seen, to: total }, total, { start: 0, end: 0 }));
    const last = this.span.end - this.span.start;
    this.chart.timeScale().setVisibleLogicalRange({ from: last - seen, to: last + 6 });
  }

  private seenAtFirst(): number {
    return Math.max(SEEN_LEAST, Math.round(this.element.clientWidth / SPACING_AT_FIRST));
  }

  /** `count` bars came in before the first one. */
  shifted(count: number): void {
    this.span = { start: this.span.start + count, end: this.span.end + count };
    this.showPainted();
    this.schedule();
  }

  /** Draws the stretch again: after indicators or bars inside it changed. */
  refill(): void {
    this.fill(this.span);
  }

  /** Draws what {@link BarStore.put} or a page of the newest bars changed at the end, from the bar at `index` on. */
  extended(index: number): void {
    const total = this.store.length;
    const { start, end } = this.span;
    if (end < index) return;
    if (index < end - 1) {
      this.fill({ start, end: total });
      return;
    }
    this.span = { start, end: total };
    for (let i = index; i < total; i += 1) {
      this.candles.update(candleAt(this.store, i));
      this.panes.update(i);
    }
    this.showPainted();
    this.showNewest();
    this.schedule();
  }

  private showNewest(): void {
    const bar = this.store.at(this.store.length - 1);
    if (bar) this.newest.applyOptions({ price: bar.close, color: this.palette.neutral });
  }

  /** Moves what is seen by a share of the screen; 1 is a whole screen into the past. */
  pan(share: number): void {
    const scale = this.chart.timeScale();
    const range = scale.getVisibleLogicalRange();
    if (range) scale.scrollToPosition(scale.scrollPosition() - share * (range.to - range.from), false);
  }

  /** Below 1 shows fewer bars. */
  zoom(factor: number): void {
    const scale = this.chart.timeScale();
    const range = scale.getVisibleLogicalRange();
    if (!range) return;
    const least = scale.width() / BAR_SPACING_LEAST;
    const width = Math.min(least, Math.max(10, (range.to - range.from) * factor));
    scale.setVisibleLogicalRange({ from: range.to - width, to: range.to });
  }

  toNewest(): void {
    this.fill(
      chooseSpan(
        { from: this.store.length - this.screen(), to: this.store.length },
        this.store.length,
        this.span,
      ),
    );
    this.chart.timeScale().scrollToPosition(6, false);
  }

  private screen(): number {
    const range = this.chart.timeScale().getVisibleLogicalRange();
    return range ? range.to - range.from : this.seenAtFirst();
  }

  private readonly press = (): void => {
    this.arrange();
    this.pressed = true;
  };

  private readonly release = (): void => {
    if (!this.pressed) return;
    this.pressed = false;
    this.schedule();
  };

  private readonly moved = (range: LogicalRange | null): void => {
    if (!range) return;
    const offset = this.span.start;
    this.told.seen(Math.max(0, Math.floor(range.from) + offset), Math.ceil(range.to) + offset + 1);
    if (this.store.more && range.from + offset < (range.to - range.from) * OLDER_FROM_SCREENS)
      this.told.older();
    this.schedule();
  };

  private schedule(): void {
    if (this.waiting !== null || this.pressed) return;
    // A task of its own: together with the drawing of a frame it would be a long one.
    this.waiting = setTimeout(() => {
      this.waiting = null;
      if (!this.pressed) this.arrange();
    });
  }

  /** Moves the stretch along with what is seen. */
  private arrange(): void {
    const range = this.chart.timeScale().getVisibleLogicalRange();
    if (!range) return;
    const seen = { from: range.from + this.span.start, to: range.to + this.span.start };
    const next = chooseSpan(seen, this.store.length, this.span);
    if (next !== this.span) this.fill(next);
  }

  private fill(span: Span): void {
    const scale = this.chart.timeScale();
    const before = this.span.end > this.span.start ? scale.scrollPosition() + this.span.end : null;
    this.span = span;
    // The library (5.2) mixes up its points when its only series is given the same times again, and draws nothing after
    // the next series is added: it must forget them first.
    if (!this.panes.filled) this.candles.setData([]);
    this.candles.setData(over(span, (i) => candleAt(this.store, i)));
    this.panes.fill(span);
    this.showPainted();
    this.markers.setMarkers(fillMarkers(this.store, span, this.fills, this.palette));
    this.showNewest();
    if (before !== null) scale.scrollToPosition(before - span.end, false);
  }

  /** The bar at an index, for a legend. */
  barAt(index: number): Bar | null {
    return this.store.at(index);
  }

  /** Shows the crosshair at a bar, for the keyboard. */
  point(index: number): void {
    const bar = this.store.at(index);
    if (bar) this.chart.setCrosshairPosition(bar.close, seconds(bar.time), this.candles);
  }
}
