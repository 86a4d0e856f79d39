import type { BarColumns } from '#market';
import { bars, type Definitions } from '../definition.ts';
import { BLOCK, inBlocks, type Kernel } from '../kernel.ts';
import { EmaLine, RsiLine } from '../lines.ts';
import { changes, rates, SPAN } from '../loops.ts';

/** RSI (Wilder 1978): 100 without losses, 0 where the close has never moved (TA-Lib; a desk may read it as 50). */
export class Rsi implements Kernel {
  readonly lookback = 0;
  private readonly line: RsiLine;

  constructor(n: number) {
    this.line = new RsiLine(n);
  }

  run(bars: BarColumns, out: readonly Float64Array[], from: number, to: number): void {
    if (to - from > BLOCK) return inBlocks(this, bars, out, from, to);
    const x = bars.close;
    const y = out[0];
    const line = this.line;
    let i = from;
    for (; i < to && line.seen <= line.n; i++) y[i] = line.next(x[i]);
    if (i < to) line.fill(x, y, i, to, i);
  }
}

/** MACD (Appel): both EMAs become available at row slow-1, the fast one seeded with the fast closes before it. */
export class Macd implements Kernel {
  readonly lookback = 0;
  private readonly fast: EmaLine;
  private readonly slow: EmaLine;
  private readonly signal: EmaLine;
  private skip: number;

  constructor(fast: number, slow: number, signal: number) {
    this.fast = new EmaLine(fast);
    this.slow = new EmaLine(slow);
    this.signal = new EmaLine(signal);
    this.skip = slow - fast;
  }

  run(bars: BarColumns, out: readonly Float64Array[], from: number, to: number): void {
    if (to - from > BLOCK) return inBlocks(this, bars, out, from, to);
    const x = bars.close;
    const [lines, signals, hists] = out;
    const { fast, slow, signal } = this;
    let i = from;
    for (; i < to && signal.seen < signal.n; i++) {
      const b = slow.next(x[i]);
      if (this.skip > 0) this.skip--;
      else fast.next(x[i]);
      lines[i] = fast.value - b;
      signals[i] = slow.seen < slow.n ? Number.NaN : signal.next(lines[i]);
      hists[i] = lines[i] - signals[i];
    }
    let f = fast.value;
    let s = slow.value;
    let g = signal.value;
    for (; i < to; i++) {
      const c = x[i];
      f += fast.alpha * (c - f);
      s += slow.alpha * (c - s);
      const line = f - s;
      g += signal.alpha * (line - g);
      lines[i] = line;
      signals[i] = g;
      hists[i] = line - g;
    }
    fast.value = f;
    slow.value = s;
    signal.value = g;
  }
}

/** Rate of change in percent over n bars. */
export class Roc implements Kernel {
  readonly lookback: number;
  private seen = 0;

  constructor(n: number) {
    this.lookback = n;
  }

  run(bars: BarColumns, out: readonly Float64Array[], from: number, to: number): void {
    const x = bars.close;
    const y = out[0];
    const n = this.lookback;
    let i = from;
    for (; i < to && this.seen < n; i++) {
      this.seen++;
      y[i] = Number.NaN;
    }
    for (; i < to; i += SPAN) rates(x, y, n, i, Math.min(to, i + SPAN));
  }
}

/** Change of the close over n bars. */
export class Momentum implements Kernel {
  readonly lookback: number;
  private seen = 0;

  constructor(n: number) {
    this.lookback = n;
  }

  run(bars: BarColumns, out: readonly Float64Array[], from: number, to: number): void {
    const x = bars.close;
    const y = out[0];
    const n = this.lookback;
    let i = from;
    for (; i < to && this.seen < n; i++) {
      this.seen++;
      y[i] = Number.NaN;
    }
    for (; i < to; i += SPAN) changes(x, y, n, i, Math.min(to, i + SPAN));
  }
}

/** Natural logarithm of the close over that n bars before. */
export class LogReturn implements Kernel {
  readonly lookback: number;
  private seen = 0;

  constructor(n: number) {
    this.lookback = n;
  }

  run(bars: BarColumns, out: readonly Float64Array[], from: number, to: number): void {
    if (to - from > BLOCK) return inBlocks(this, bars, out, from, to);
    const x = bars.close;
    const y = out[0];
    const n = this.lookback;
    let i = from;
    for (; i < to && this.seen < n; i++) {
      this.seen++;
      y[i] = Number.NaN;
    }
    for (; i < to; i++) y[i] = Math.log(x[i] / x[i - n]);
  }
}

export const momentum: Definitions = [
  {
    name: 'rsi',
    summary: 'relative strength index; no losses 100, no movement at all 0',
    parameters: [bars('period', 14, 2)],
    outputs: [{ suffix: '', unit: 'points 0..100' }],
    source: 'Wilder 1978; TA-Lib RSI',
    firstRow: ([n]) => n,
    create: ([n]) => new Rsi(n),
  },
  {
    name: 'macd',
    summary: 'moving average convergence divergence, its signal line and their difference',
    parameters: [bars('fast', 12), bars('slow', 26, 2), bars('signal', 9)],
    outputs: [
      { suffix: '', unit: 'price' },
      { suffix: 'signal', unit: 'price' },
      { suffix: 'hist', unit: 'price' },
    ],
    source: 'Appel; TA-Lib MACD (aligned seeding)',
    refuse: ([fast, slow]) => (fast < slow ? null : 'fast must be below slow'),
    firstRow: ([, slow, signal]) => slow + signal - 2,
    create: ([fast, slow, signal]) => new Macd(fast, slow, signal),
  },
  {
    name: 'roc',
    summary: 'rate of change in percent',
    parameters: [bars('period', 10)],
    outputs: [{ suffix: '', unit: 'percent' }],
    source: 'TA-Lib ROC',
    firstRow: ([n]) => n,
    create: ([n]) => new Roc(n),
  },
  {
    name: 'mom',
    summary: 'change of the close',
    parameters: [bars('period', 10)],
    outputs: [{ suffix: '', unit: 'price' }],
    source: 'TA-Lib MOM',
    firstRow: ([n]) => n,
    create: ([n]) => new Momentum(n),
  },
  {
    name: 'logret',
    summary: 'natural logarithm of the ratio of closes',
    parameters: [bars('period', 1)],
    outputs: [{ suffix: '', unit: 'log ratio' }],
    source: 'ln(c / c[n])',
    firstRow: ([n]) => n,
    create: ([n]) => new LogReturn(n),
  },
];
