import type { BarColumns } from '#market';
import { WindowMax, WindowMin } from '../extremes.ts';
import { BLOCK, type Kernel } from '../kernel.ts';
import { fillsBlocks, lanes, throughBlocks } from '../lanes.ts';
import { RsiLine } from '../lines.ts';
import { ShortMean } from '../windows.ts';

/** Slow stochastic (Lane). As TA-Lib: raw K is 0 where high equals low; k begins together with d. */
export class Stochastic implements Kernel {
  readonly lookback = 0;
  private readonly high: WindowMax;
  private readonly low: WindowMin;
  private readonly raw: ShortMean;
  private readonly slow: ShortMean;

  constructor(n: number, slowK: number, slowD: number) {
    this.high = new WindowMax(n);
    this.low = new WindowMin(n);
    this.raw = new ShortMean(slowK);
    this.slow = new ShortMean(slowD);
  }

  run(bars: BarColumns, out: readonly Float64Array[], from: number, to: number): void {
    const { high, low, close } = bars;
    const { n } = this.high;
    if (!fillsBlocks(n, to - from)) {
      this.rows(bars, out, from, to);
      return;
    }
    const begin = from + n - 1;
    this.rows(bars, out, from, begin);
    const block = lanes();
    const { first, second, values } = block;
    const raws = out[2];
    for (let i = begin; i < to; i += BLOCK) {
      const end = Math.min(to, i + BLOCK);
      block.take(high, i - n + 1, end, first);
      block.highest(first, end - i, n);
      block.take(low, i - n + 1, end, second);
      block.lowest(second, end - i, n);
      position(close, values, first / 8, second / 8, raws, i, end);
      this.smooth(out, i, end);
    }
    this.high.pass(high, begin, to);
    this.low.pass(low, begin, to);
  }

  private rows(bars: BarColumns, out: readonly Float64Array[], from: number, to: number): void {
    const { high, low, close } = bars;
    const [ks, ds, raws] = out;
    const { raw, slow, high: tops, low: bottoms } = this;
    for (let i = from; i < to; i++) {
      const top = tops.next(high[i]);
      const bottom = bottoms.next(low[i]);
      let rawK = Number.NaN;
      let k = Number.NaN;
      let d = Number.NaN;
      if (tops.full) {
        rawK = top > bottom ? 100 * ((close[i] - bottom) / (top - bottom)) : 0;
        k = raw.next(rawK);
        if (raw.seen === raw.n) d = slow.next(k);
        if (slow.seen < slow.n) k = Number.NaN;
      }
      ks[i] = k;
      ds[i] = d;
      raws[i] = rawK;
    }
  }

  /** K and D of rows that have a raw K. */
  private smooth([ks, ds, raws]: readonly Float64Array[], from: number, to: number): void {
    const { raw, slow } = this;
    let i = from;
    for (; i < to && slow.seen < slow.n; i++) {
      const k = raw.next(raws[i]);
      ds[i] = raw.seen === raw.n ? slow.next(k) : Number.NaN;
      ks[i] = slow.seen < slow.n ? Number.NaN : k;
    }
    raw.fill(raws, ks, i, to);
    slow.fill(ks, ds, i, to);
  }
}

/** Raw K of rows whose highest highs and lowest lows stand in `values` from `top` and from `bottom` on. */
function position(
  close: Float64Array,
  values: Float64Array,
  top: number,
  bottom: number,
  raws: Float64Array,
  from: number,
  to: number,
): void {
  for (let i = from, a = top, b = bottom; i < to; i++, a++, b++) {
    const least = values[b];
    const range = values[a] - least;
    raws[i] = range > 0 ? 100 * ((close[i] - least) / range) : 0;
  }
}

/** An RSI that moved less than this stood still: what is left is rounding, which must not become a signal. */
const STILL = 1e-9;

/** Stochastic of the RSI (Chande and Kroll 1994): fast K of the RSI and its mean; 0 where the RSI stood still. */
export class StochasticRsi implements Kernel {
  readonly lookback = 0;
  private readonly rsi: RsiLine;
  private readonly high: WindowMax;
  private readonly low: WindowMin;
  private readonly fast: ShortMean;

  constructor(n: number, fastK: number, fastD: number) {
    this.rsi = new RsiLine(n);
    this.high = new WindowMax(fastK);
    this.low = new WindowMin(fastK);
    this.fast = new ShortMean(fastD);
  }

  run(bars: BarColumns, out: readonly Float64Array[], from: number, to: number): void {
    // It may begin an RSI later.
    if (fillsBlocks(this.high.n, to - from - this.rsi.n)) return throughBlocks(this, bars, out, from, to);
    const x = bars.close;
    const [ks, ds] = out;
    const { fast } = this;
    for (let i = from; i < to; i++) {
      ks[i] = Number.NaN;
      ds[i] = Number.NaN;
      const rsi = this.rsi.next(x[i]);
      if (this.rsi.seen <= this.rsi.n) continue;
      const top = this.high.next(rsi);
      const bottom = this.low.next(rsi);
      if (!this.high.full) continue;
      const k = top - bottom > STILL ? 100 * ((rsi - bottom) / (top - bottom)) : 0;
      const d = fast.next(k);
      if (fast.seen < fast.n) continue;
      ks[i] = k;
      ds[i] = d;
    }
  }

  blocks(bars: BarColumns, out: readonly Float64Array[], from: number, to: number): void {
    const x = bars.close;
    const { rsi, high, low } = this;
    const { n } = high;
    // The RSI must exist, and two windows of it.
    const born = from + Math.max(0, rsi.n + 1 - rsi.seen);
    this.run(bars, out, from, born);
    const block = lanes();
    const { first, second, third, values } = block;
    const window = third / 8;
    const begin = born + 2 * n;
    for (let i = born; i < begin; i++) {
      this.run(bars, out, i, i + 1);
      values[window + i - born] = rsi.value;
    }
    for (let i = begin; ; i += BLOCK) {
      const rows = Math.min(to - i, BLOCK);
      const newest = window + 2 * n;
      rsi.fill(x, values, i, i + rows, newest);
      values.copyWithin(first / 8, newest - n + 1, newest + rows);
      values.copyWithin(second / 8, newest - n + 1, newest + rows);
      block.highest(first, rows, n);
      block.lowest(second, rows, n);
      this.fill(values, newest, first / 8, second / 8, out, i, i + rows);
      if (i + rows === to) {
        high.pass(values, newest + begin - i, newest + rows);
        low.pass(values, newest + begin - i, newest + rows);
        return;
      }
      values.copyWithin(window, window + rows, newest + rows);
    }
  }

  /** Rows whose RSI, its highest and its lowest stand in `values` from `at`, `top` and `bottom` on. */
  private fill(
    values: Float64Array,
    at: number,
    top: number,
    bottom: number,
    [ks, ds]: readonly Float64Array[],
    from: number,
    to: number,
  ): void {
    for (let i = from, k = 0; i < to; i++, k++) {
      const least = values[bottom + k];
      const range = values[top + k] - least;
      ks[i] = range > STILL ? 100 * ((values[at + k] - least) / range) : 0;
    }
    const { fast } = this;
    let i = from;
    for (; i < to && fast.seen < fast.n; i++) {
      ds[i] = fast.next(ks[i]);
      if (fast.seen < fast.n) ks[i] = Number.NaN;
    }
    fast.fill(ks, ds, i, to);
  }
}

/** Williams %R, -100..0; 0 where high equals low, as TA-Lib. */
export class WilliamsR implements Kernel {
  readonly lookback = 0;
  private readonly high: WindowMax;
  private readonly low: WindowMin;

  constructor(n: number) {
    this.high = new WindowMax(n);
    this.low = new WindowMin(n);
  }

  run(bars: BarColumns, out: readonly Float64Array[], from: number, to: number): void {
    const { high, low, close } = bars;
    const y = out[0];
    const { n } = this.high;
    if (!fillsBlocks(n, to - from)) {
      this.rows(bars, y, from, to);
      return;
    }
    const begin = from + n - 1;
    this.rows(bars, y, from, begin);
    const block = lanes();
    const { first, second, values } = block;
    for (let i = begin; i < to; i += BLOCK) {
      const end = Math.min(to, i + BLOCK);
      block.take(high, i - n + 1, end, first);
      block.highest(first, end - i, n);
      block.take(low, i - n + 1, end, second);
      block.lowest(second, end - i, n);
      below(close, values, first / 8, second / 8, y, i, end);
    }
    this.high.pass(high, begin, to);
    this.low.pass(low, begin, to);
  }

  private rows({ high, low, close }: BarColumns, y: Float64Array, from: number, to: number): void {
    const { high: tops, low: bottoms } = this;
    for (let i = from; i < to; i++) {
      const top = tops.next(high[i]);
      const bottom = bottoms.next(low[i]);
      if (!tops.full) y[i] = Number.NaN;
      else y[i] = top > bottom ? 100 * ((close[i] - top) / (top - bottom)) : 0;
    }
  }
}

/** Williams %R of rows as in {@link position}. */
function below(
  close: Float64Array,
  values: Float64Array,
  top: number,
  bottom: number,
  y: Float64Array,
  from: number,
  to: number,
): void {
  for (let i = from, a = top, b = bottom; i < to; i++, a++, b++) {
    const most = values[a];
    const range = most - values[b];
    y[i] = range > 0 ? 100 * ((close[i] - most) / range) : 0;
  }
}
