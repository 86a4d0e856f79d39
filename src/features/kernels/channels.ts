import type { BarColumns } from '#market';
import { WindowMax, WindowMin } from '../extremes.ts';
import { BLOCK, type Kernel } from '../kernel.ts';
import { fillsBlocks, lanes } from '../lanes.ts';

/** Highest high, lowest low and their middle over n bars, the current one included. */
export class Donchian implements Kernel {
  readonly lookback = 0;
  private readonly high: WindowMax;
  private readonly low: WindowMin;

  constructor(n: number) {
    this.high = new WindowMax(n);
    this.low = new WindowMin(n);
  }

  run(bars: BarColumns, out: readonly Float64Array[], from: number, to: number): void {
    const { high, low } = bars;
    const [uppers, middles, lowers] = out;
    const { high: tops, low: bottoms } = this;
    const { n } = tops;
    if (!fillsBlocks(n, to - from)) {
      this.rows(bars, out, from, to);
      return;
    }
    const begin = from + n - 1;
    this.rows(bars, out, from, begin);
    const block = lanes();
    for (let i = begin; i < to; i += BLOCK) {
      const end = Math.min(to, i + BLOCK);
      block.take(high, i - n + 1, end, block.first);
      block.highest(block.first, end - i, n);
      block.give(block.first, end - i, uppers, i);
      block.take(low, i - n + 1, end, block.first);
      block.lowest(block.first, end - i, n);
      block.give(block.first, end - i, lowers, i);
      for (let j = i; j < end; j++) middles[j] = (uppers[j] + lowers[j]) / 2;
    }
    tops.pass(high, begin, to);
    bottoms.pass(low, begin, to);
  }

  private rows(bars: BarColumns, out: readonly Float64Array[], from: number, to: number): void {
    const { high, low } = bars;
    const [uppers, middles, lowers] = out;
    const { high: tops, low: bottoms } = this;
    for (let i = from; i < to; i++) {
      const top = tops.next(high[i]);
      const bottom = bottoms.next(low[i]);
      uppers[i] = tops.full ? top : Number.NaN;
      lowers[i] = tops.full ? bottom : Number.NaN;
      middles[i] = tops.full ? (top + bottom) / 2 : Number.NaN;
    }
  }
}

/** Highest close of n bars. */
export class Maximum implements Kernel {
  readonly lookback = 0;
  private readonly window: WindowMax;

  constructor(n: number) {
    this.window = new WindowMax(n);
  }

  run(bars: BarColumns, out: readonly Float64Array[], from: number, to: number): void {
    const x = bars.close;
    const y = out[0];
    const { n } = this.window;
    if (!fillsBlocks(n, to - from)) {
      this.rows(x, y, from, to);
      return;
    }
    const begin = from + n - 1;
    this.rows(x, y, from, begin);
    const block = lanes();
    for (let i = begin; i < to; i += BLOCK) {
      const end = Math.min(to, i + BLOCK);
      block.take(x, i - n + 1, end, block.first);
      block.highest(block.first, end - i, n);
      block.give(block.first, end - i, y, i);
    }
    this.window.pass(x, begin, to);
  }

  private rows(x: Float64Array, y: Float64Array, from: number, to: number): void {
    const window = this.window;
    for (let i = from; i < to; i++) {
      const top = window.next(x[i]);
      y[i] = window.full ? top : Number.NaN;
    }
  }
}

/** Lowest close of n bars. */
export class Minimum implements Kernel {
  readonly lookback = 0;
  private readonly window: WindowMin;

  constructor(n: number) {
    this.window = new WindowMin(n);
  }

  run(bars: BarColumns, out: readonly Float64Array[], from: number, to: number): void {
    const x = bars.close;
    const y = out[0];
    const { n } = this.window;
    if (!fillsBlocks(n, to - from)) {
      this.rows(x, y, from, to);
      return;
    }
    const begin = from + n - 1;
    this.rows(x, y, from, begin);
    const block = lanes();
    for (let i = begin; i < to; i += BLOCK) {
      const end = Math.min(to, i + BLOCK);
      block.take(x, i - n + 1, end, block.first);
      block.lowest(block.first, end - i, n);
      block.give(block.first, end - i, y, i);
    }
    this.window.pass(x, begin, to);
  }

  private rows(x: Float64Array, y: Float64Array, from: number, to: number): void {
    const window = this.window;
    for (let i = from; i < to; i++) {
      const bottom = window.next(x[i]);
      y[i] = window.full ? bottom : Number.NaN;
    }
  }
}
