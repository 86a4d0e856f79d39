import type { BarColumns } from '#market';
import { bars, type Definitions, real } from '../definition.ts';
import { WindowMedian } from '../extremes.ts';
import { BLOCK, inBlocks, type Kernel } from '../kernel.ts';
import { fillsBlocks, lanes, throughBlocks } from '../lanes.ts';
import { EmaLine, trueRange, WilderLine } from '../lines.ts';
import { Moments } from '../moments.ts';
import { History } from '../windows.ts';

/** Bollinger bands (population deviation), %B and width/middle. %B is NaN where the bands have no width. */
export class BollingerBands implements Kernel {
  readonly lookback: number;
  readonly factor: number;
  private readonly moments: Moments;

  constructor(n: number, factor: number) {
    this.lookback = n;
    this.factor = factor;
    this.moments = new Moments(n);
  }

  run(bars: BarColumns, out: readonly Float64Array[], from: number, to: number): void {
    const x = bars.close;
    const [uppers, middles, lowers, percents, widths] = out;
    const { moments, factor } = this;
    const n = moments.n;
    if (fillsBlocks(n, to - from)) return throughBlocks(this, bars, out, from, to);
    for (let i = from; i < to; i++) {
      moments.update(x, i);
      const mean = moments.mean;
      const half = factor * Math.sqrt(moments.squares / n);
      middles[i] = mean;
      uppers[i] = mean + half;
      lowers[i] = mean - half;
      // From the half width, not from the rounded bands: at a price of 1e6 their difference has lost digits.
      percents[i] = half > 0 ? 0.5 + (x[i] - mean) / (2 * half) : Number.NaN;
      widths[i] = (2 * half) / mean;
    }
  }

  blocks(bars: BarColumns, out: readonly Float64Array[], from: number, to: number): void {
    const x = bars.close;
    const [uppers, middles, lowers, percents, widths] = out;
    const { moments, factor } = this;
    const n = moments.n;
    // With a window behind them.
    const begin = from + n - moments.seen;
    this.run(bars, out, from, begin);
    const block = lanes();
    const { first, second, third, sixth } = block;
    for (let i = begin; i < to; i += BLOCK) {
      const rows = Math.min(to - i, BLOCK);
      const values = sixth + 8 * n;
      block.take(x, i - n, i + rows, sixth);
      moments.fill(block, x, i, rows, values, second, third);
      block.bands(values, rows, n, factor);
      block.give(first, rows, uppers, i);
      block.give(second, rows, middles, i);
      block.give(third, rows, lowers, i);
      block.give(block.fourth, rows, percents, i);
      block.give(block.fifth, rows, widths, i);
    }
  }
}

/** Median of the Bollinger width over the last `span` bars, this one included. */
export class BandWidthMedian implements Kernel {
  readonly lookback: number;
  readonly factor: number;
  private readonly moments: Moments;
  private readonly widths: History;
  private readonly median: WindowMedian;

  constructor(n: number, factor: number, span: number) {
    this.lookback = n;
    this.factor = factor;
    this.moments = new Moments(n);
    this.widths = new History(span);
    this.median = new WindowMedian(span);
  }

  run(bars: BarColumns, out: readonly Float64Array[], from: number, to: number): void {
    if (to - from > BLOCK) return inBlocks(this, bars, out, from, to);
    const x = bars.close;
    const y = out[0];
    const { moments, widths, median, factor } = this;
    const n = moments.n;
    for (let i = from; i < to; i++) {
      moments.update(x, i);
      if (moments.seen < n) {
        y[i] = Number.NaN;
        continue;
      }
      const width = (2 * factor * Math.sqrt(moments.squares / n)) / moments.mean;
      y[i] = median.update(widths.values, widths.push(width));
    }
  }
}

/** Population standard deviation of the close times a factor. */
export class StandardDeviation implements Kernel {
  readonly lookback: number;
  readonly factor: number;
  private readonly moments: Moments;

  constructor(n: number, factor: number) {
    this.lookback = n;
    this.factor = factor;
    this.moments = new Moments(n);
  }

  run(bars: BarColumns, out: readonly Float64Array[], from: number, to: number): void {
    const x = bars.close;
    const y = out[0];
    const { moments, factor } = this;
    if (fillsBlocks(moments.n, to - from)) return throughBlocks(this, bars, out, from, to);
    for (let i = from; i < to; i++) {
      moments.update(x, i);
      y[i] = factor * moments.deviation(0);
    }
  }

  blocks(bars: BarColumns, out: readonly Float64Array[], from: number, to: number): void {
    const x = bars.close;
    const y = out[0];
    const { moments, factor } = this;
    const { n } = moments;
    // With a window behind them.
    const begin = from + n - moments.seen;
    this.run(bars, out, from, begin);
    const block = lanes();
    const { first, second, third } = block;
    for (let i = begin; i < to; i += BLOCK) {
      const rows = Math.min(to - i, BLOCK);
      block.take(x, i - n, i + rows, first);
      moments.fill(block, x, i, rows, first + 8 * n, second, third);
      block.deviations(third, rows, n, factor);
      block.give(third, rows, y, i);
    }
  }
}

/** (close - mean) / population deviation; 0 where the window is flat. */
export class ZScore implements Kernel {
  readonly lookback: number;
  private readonly moments: Moments;

  constructor(n: number) {
    this.lookback = n;
    this.moments = new Moments(n);
  }

  run(bars: BarColumns, out: readonly Float64Array[], from: number, to: number): void {
    if (to - from > BLOCK) return inBlocks(this, bars, out, from, to);
    const x = bars.close;
    const y = out[0];
    const moments = this.moments;
    for (let i = from; i < to; i++) {
      moments.update(x, i);
      const deviation = moments.deviation(0);
      y[i] = deviation === 0 ? 0 : (x[i] - moments.mean) / deviation;
    }
  }
}

/** Keltner channel (Raschke): EMA of the close and a multiple of the ATR around it. */
export class Keltner implements Kernel {
  readonly lookback = 1;
  readonly factor: number;
  private readonly middle: EmaLine;
  private readonly range: WilderLine;
  private begun = false;

  constructor(n: number, atr: number, factor: number) {
    this.factor = factor;
    this.middle = new EmaLine(n);
    this.range = new WilderLine(atr);
  }

  run(bars: BarColumns, out: readonly Float64Array[], from: number, to: number): void {
    if (to - from > BLOCK) return inBlocks(this, bars, out, from, to);
    const { high, low, close } = bars;
    const [uppers, middles, lowers] = out;
    for (let i = from; i < to; i++) {
      const middle = this.middle.next(close[i]);
      const atr = this.begun ? this.range.next(trueRange(high[i], low[i], close[i - 1])) : Number.NaN;
      this.begun = true;
      middles[i] = middle;
      uppers[i] = middle + this.factor * atr;
      lowers[i] = middle - this.factor * atr;
    }
  }
}

const channel = [
  { suffix: 'upper', unit: 'price' },
  { suffix: 'middle', unit: 'price' },
  { suffix: 'lower', unit: 'price' },
];

const factor = real('deviations', 2, 0, 100);

export const bands: Definitions = [
  {
    name: 'bbands',
    summary: 'Bollinger bands (population deviation), position in the bands, width over middle',
    parameters: [bars('period', 20, 2), factor],
    outputs: [...channel, { suffix: 'pctb', unit: 'ratio' }, { suffix: 'width', unit: 'ratio' }],
    source: 'Bollinger; TA-Lib BBANDS; %B is undefined without width',
    firstRow: ([n]) => n - 1,
    create: ([n, factor]) => new BollingerBands(n, factor),
  },
  {
    name: 'bbwidth_median',
    summary: 'median of the Bollinger width over a span of bars',
    parameters: [bars('period', 20, 2), factor, bars('span', 100)],
    outputs: [{ suffix: '', unit: 'ratio' }],
    source: 'median of (upper - lower) / middle, the current bar included',
    firstRow: ([n, , span]) => n + span - 2,
    create: ([n, factor, span]) => new BandWidthMedian(n, factor, span),
  },
  {
    name: 'stddev',
    summary: 'population standard deviation of the close',
    parameters: [bars('period', 20, 2), real('deviations', 1, 0, 100)],
    outputs: [{ suffix: '', unit: 'price' }],
    source: 'TA-Lib STDDEV',
    firstRow: ([n]) => n - 1,
    create: ([n, factor]) => new StandardDeviation(n, factor),
  },
  {
    name: 'zscore',
    summary: 'distance of the close from its mean in population deviations; flat 0',
    parameters: [bars('period', 20, 2)],
    outputs: [{ suffix: '', unit: 'deviations' }],
    source: '(c - SMA) / STDDEV',
    firstRow: ([n]) => n - 1,
    create: ([n]) => new ZScore(n),
  },
  {
    name: 'keltner',
    summary: 'EMA of the close with a multiple of the ATR on both sides',
    parameters: [bars('period', 20), bars('atr_period', 10), real('multiple', 2, 0, 100)],
    outputs: channel,
    source: 'Raschke: EMA and ATR by the definitions of `ema` and `atr`',
    firstRow: ([n, atr]) => Math.max(n - 1, atr),
    create: ([n, atr, multiple]) => new Keltner(n, atr, multiple),
  },
];
