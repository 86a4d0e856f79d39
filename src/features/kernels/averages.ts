import type { BarColumns } from '#market';
import { bars, type Definitions } from '../definition.ts';
import { BLOCK, inBlocks, type Kernel } from '../kernel.ts';
import { EmaLine } from '../lines.ts';
import { REBUILD } from '../windows.ts';

/** Simple moving average of one column. */
export class Sma implements Kernel {
  readonly lookback: number;
  readonly n: number;
  readonly column: 'close' | 'volume';
  private seen = 0;
  private sum = 0;
  private left = REBUILD;

  constructor(n: number, column: 'close' | 'volume') {
    this.n = n;
    this.lookback = n;
    this.column = column;
  }

  run(bars: BarColumns, out: readonly Float64Array[], from: number, to: number): void {
    if (to - from > BLOCK) return inBlocks(this, bars, out, from, to);
    const x = bars[this.column];
    const y = out[0];
    const n = this.n;
    let sum = this.sum;
    let i = from;
    for (; i < to && this.seen < n; i++) {
      sum += x[i];
      y[i] = ++this.seen === n ? sum / n : Number.NaN;
    }
    while (i < to) {
      // Up to the next rebuild without looking for it.
      const stop = to - i < this.left ? to : i + this.left - 1;
      this.left -= stop - i;
      for (; i < stop; i++) {
        sum += x[i] - x[i - n];
        y[i] = sum / n;
      }
      if (i === to) break;
      sum = 0;
      for (let j = i - n + 1; j <= i; j++) sum += x[j];
      y[i] = sum / n;
      this.left = REBUILD;
      i++;
    }
    this.sum = sum;
  }
}

/** Exponential moving average of the close: alpha 2/(n+1), seeded with the mean of the first n closes. */
export class Ema implements Kernel {
  readonly lookback = 0;
  private readonly line: EmaLine;

  constructor(n: number) {
    this.line = new EmaLine(n);
  }

  run(bars: BarColumns, out: readonly Float64Array[], from: number, to: number): void {
    if (to - from > BLOCK) return inBlocks(this, bars, out, from, to);
    const x = bars.close;
    const y = out[0];
    const line = this.line;
    let i = from;
    for (; i < to && line.seen < line.n; i++) y[i] = line.next(x[i]);
    const alpha = line.alpha;
    let value = line.value;
    for (; i < to; i++) {
      value += alpha * (x[i] - value);
      y[i] = value;
    }
    line.value = value;
  }
}

/** Linearly weighted moving average: the newest close has weight n, the oldest 1. */
export class Wma implements Kernel {
  readonly lookback: number;
  readonly n: number;
  private seen = 0;
  private sum = 0;
  private weighted = 0;
  private left = REBUILD;

  constructor(n: number) {
    this.n = n;
    this.lookback = n;
  }

  run(bars: BarColumns, out: readonly Float64Array[], from: number, to: number): void {
    if (to - from > BLOCK) return inBlocks(this, bars, out, from, to);
    const x = bars.close;
    const y = out[0];
    const n = this.n;
    const weights = (n * (n + 1)) / 2;
    let i = from;
    for (; i < to && this.seen < n; i++) {
      this.seen++;
      this.sum += x[i];
      this.weighted += this.seen * x[i];
      y[i] = this.seen === n ? this.weighted / weights : Number.NaN;
    }
    while (i < to) {
      // Up to the next rebuild without looking for it.
      const stop = to - i < this.left ? to : i + this.left - 1;
      this.left -= stop - i;
      this.slide(x, y, weights, i, stop);
      i = stop;
      if (i === to) break;
      this.rebuild(x, i);
      y[i++] = this.weighted / weights;
    }
  }

  private slide(x: Float64Array, y: Float64Array, weights: number, from: number, to: number): void {
    const { n } = this;
    let { sum, weighted } = this;
    const end = to | 0;
    for (let i = from | 0, old = (from - n) | 0; i < end; i = (i + 1) | 0, old = (old + 1) | 0) {
      weighted += n * x[i] - sum;
      sum += x[i] - x[old];
      y[i] = weighted / weights;
    }
    this.sum = sum;
    this.weighted = weighted;
  }

  private rebuild(x: Float64Array, i: number): void {
    this.sum = 0;
    this.weighted = 0;
    for (let k = 1; k <= this.n; k++) {
      const value = x[i - this.n + k];
      this.sum += value;
      this.weighted += k * value;
    }
    this.left = REBUILD;
  }
}

/** Feeds an EMA with another line's values once they exist. */
function chain(line: EmaLine, x: number): number {
  return Number.isNaN(x) ? Number.NaN : line.next(x);
}

/** Double EMA (Mulloy 1994): 2 EMA - EMA(EMA), each seeded with the mean of its first n inputs. */
export class Dema implements Kernel {
  readonly lookback = 0;
  private readonly first: EmaLine;
  private readonly second: EmaLine;

  constructor(n: number) {
    this.first = new EmaLine(n);
    this.second = new EmaLine(n);
  }

  run(bars: BarColumns, out: readonly Float64Array[], from: number, to: number): void {
    if (to - from > BLOCK) return inBlocks(this, bars, out, from, to);
    const x = bars.close;
    const y = out[0];
    const { first, second } = this;
    let i = from;
    for (; i < to && second.seen < second.n; i++) {
      const a = first.next(x[i]);
      y[i] = 2 * a - chain(second, a);
    }
    const { alpha } = first;
    let a = first.value;
    let b = second.value;
    for (; i < to; i++) {
      a += alpha * (x[i] - a);
      b += alpha * (a - b);
      y[i] = 2 * a - b;
    }
    first.value = a;
    second.value = b;
  }
}

/** Triple EMA (Mulloy 1994): 3 EMA - 3 EMA(EMA) + EMA(EMA(EMA)). */
export class Tema implements Kernel {
  readonly lookback = 0;
  private readonly first: EmaLine;
  private readonly second: EmaLine;
  private readonly third: EmaLine;

  constructor(n: number) {
    this.first = new EmaLine(n);
    this.second = new EmaLine(n);
    this.third = new EmaLine(n);
  }

  run(bars: BarColumns, out: readonly Float64Array[], from: number, to: number): void {
    if (to - from > BLOCK) return inBlocks(this, bars, out, from, to);
    const x = bars.close;
    const y = out[0];
    const { first, second, third } = this;
    let i = from;
    for (; i < to && third.seen < third.n; i++) {
      const a = first.next(x[i]);
      const b = chain(second, a);
      y[i] = 3 * (a - b) + chain(third, b);
    }
    const { alpha } = first;
    let a = first.value;
    let b = second.value;
    let c = third.value;
    for (; i < to; i++) {
      a += alpha * (x[i] - a);
      b += alpha * (a - b);
      c += alpha * (b - c);
      y[i] = 3 * (a - b) + c;
    }
    first.value = a;
    second.value = b;
    third.value = c;
  }
}

/** TRIX (Hutson): percent change per bar of a triple EMA. */
export class Trix implements Kernel {
  readonly lookback = 0;
  private readonly first: EmaLine;
  private readonly second: EmaLine;
  private readonly third: EmaLine;

  constructor(n: number) {
    this.first = new EmaLine(n);
    this.second = new EmaLine(n);
    this.third = new EmaLine(n);
  }

  run(bars: BarColumns, out: readonly Float64Array[], from: number, to: number): void {
    if (to - from > BLOCK) return inBlocks(this, bars, out, from, to);
    const x = bars.close;
    const y = out[0];
    const { first, second, third } = this;
    let i = from;
    for (; i < to && third.seen < third.n; i++) {
      const before = third.value;
      const now = chain(third, chain(second, first.next(x[i])));
      y[i] = 100 * ((now - before) / before);
    }
    const { alpha } = first;
    let a = first.value;
    let b = second.value;
    let c = third.value;
    for (; i < to; i++) {
      const before = c;
      a += alpha * (x[i] - a);
      b += alpha * (a - b);
      c += alpha * (b - c);
      y[i] = 100 * ((c - before) / before);
    }
    first.value = a;
    second.value = b;
    third.value = c;
  }
}

const price = [{ suffix: '', unit: 'price' }];

export const averages: Definitions = [
  {
    name: 'sma',
    summary: 'simple moving average of the close',
    parameters: [bars('period', 20)],
    outputs: price,
    source: 'TA-Lib SMA',
    firstRow: ([n]) => n - 1,
    create: ([n]) => new Sma(n, 'close'),
  },
  {
    name: 'volume_mean',
    summary: 'simple moving average of the volume',
    parameters: [bars('period', 20)],
    outputs: [{ suffix: '', unit: 'volume' }],
    source: 'arithmetic mean',
    firstRow: ([n]) => n - 1,
    volumeBars: ([n]) => n,
    create: ([n]) => new Sma(n, 'volume'),
  },
  {
    name: 'ema',
    summary: 'exponential moving average, alpha 2/(n+1), seeded with the mean of the first n closes',
    parameters: [bars('period', 20)],
    outputs: price,
    source: 'TA-Lib EMA',
    firstRow: ([n]) => n - 1,
    create: ([n]) => new Ema(n),
  },
  {
    name: 'wma',
    summary: 'linearly weighted moving average',
    parameters: [bars('period', 20)],
    outputs: price,
    source: 'TA-Lib WMA',
    firstRow: ([n]) => n - 1,
    create: ([n]) => new Wma(n),
  },
  {
    name: 'dema',
    summary: 'double exponential moving average',
    parameters: [bars('period', 20)],
    outputs: price,
    source: 'Mulloy 1994; TA-Lib DEMA',
    firstRow: ([n]) => 2 * (n - 1),
    create: ([n]) => new Dema(n),
  },
  {
    name: 'tema',
    summary: 'triple exponential moving average',
    parameters: [bars('period', 20)],
    outputs: price,
    source: 'Mulloy 1994; TA-Lib TEMA',
    firstRow: ([n]) => 3 * (n - 1),
    create: ([n]) => new Tema(n),
  },
  {
    name: 'trix',
    summary: 'percent change per bar of a triple exponential moving average',
    parameters: [bars('period', 15)],
    outputs: [{ suffix: '', unit: 'percent' }],
    source: 'Hutson 1983; TA-Lib TRIX',
    firstRow: ([n]) => 3 * (n - 1) + 1,
    create: ([n]) => new Trix(n),
  },
];
