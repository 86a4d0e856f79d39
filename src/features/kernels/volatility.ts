import type { BarColumns } from '#market';
import { bars, barsPerYear, type Definitions } from '../definition.ts';
import { BLOCK, inBlocks, type Kernel } from '../kernel.ts';
import { trueRange, WilderLine } from '../lines.ts';
import { SPAN, trueRanges } from '../loops.ts';
import { Moments } from '../moments.ts';
import { History, WindowSum } from '../windows.ts';

/** True range; the first bar has no previous close and therefore none. */
export class TrueRange implements Kernel {
  readonly lookback = 1;
  private begun = false;

  run(bars: BarColumns, out: readonly Float64Array[], from: number, to: number): void {
    const { high, low, close } = bars;
    const y = out[0];
    let i = from;
    if (!this.begun && i < to) {
      this.begun = true;
      y[i++] = Number.NaN;
    }
    for (; i < to; i += SPAN) trueRanges(high, low, close, y, i, Math.min(to, i + SPAN));
  }
}

/** Average true range (Wilder 1978): mean of the true ranges of bars 1..n, then Wilder's smoothing. */
export class Atr implements Kernel {
  readonly lookback = 1;
  readonly relative: boolean;
  private readonly line: WilderLine;
  private begun = false;

  /** `relative`: in percent of the close (NATR). */
  constructor(n: number, relative: boolean) {
    this.relative = relative;
    this.line = new WilderLine(n);
  }

  run(bars: BarColumns, out: readonly Float64Array[], from: number, to: number): void {
    if (to - from > BLOCK) return inBlocks(this, bars, out, from, to);
    const { high, low, close } = bars;
    const y = out[0];
    const line = this.line;
    const n = line.n;
    let i = from;
    for (; i < to && line.seen < n; i++) {
      y[i] = this.begun ? line.next(trueRange(high[i], low[i], close[i - 1])) : Number.NaN;
      this.begun = true;
      if (this.relative) y[i] = (100 * y[i]) / close[i];
    }
    const decay = (n - 1) / n;
    const relative = this.relative;
    let sum = line.sum;
    for (; i < to; i++) {
      sum = sum * decay + trueRange(high[i], low[i], close[i - 1]);
      y[i] = relative ? (100 * (sum / n)) / close[i] : sum / n;
    }
    line.sum = sum;
  }
}

/** Which estimate of one bar's variance is averaged. */
export type RangeEstimate = 'garman-klass' | 'parkinson' | 'rogers-satchell';

const GK = 2 * Math.LN2 - 1;

function barVariance(
  estimate: RangeEstimate,
  open: number,
  high: number,
  low: number,
  close: number,
): number {
  switch (estimate) {
    case 'garman-klass': {
      const range = Math.log(high / low);
      const body = Math.log(close / open);
      return 0.5 * range * range - GK * body * body;
    }
    case 'parkinson': {
      const range = Math.log(high / low);
      return (range * range) / (4 * Math.LN2);
    }
    case 'rogers-satchell': {
      const up = Math.log(high / open);
      const down = Math.log(low / open);
      const body = Math.log(close / open);
      return up * (up - body) + down * (down - body);
    }
  }
}

/** Volatility from the ranges of n bars: square root of the mean of a per-bar variance, per bar and annualised. */
export class RangeVolatility implements Kernel {
  readonly lookback = 0;
  readonly estimate: RangeEstimate;
  readonly barsPerYear: number;
  private readonly sum: WindowSum;

  constructor(estimate: RangeEstimate, n: number, barsPerYear: number) {
    this.estimate = estimate;
    this.barsPerYear = barsPerYear;
    this.sum = new WindowSum(n);
  }

  run(bars: BarColumns, out: readonly Float64Array[], from: number, to: number): void {
    if (to - from > BLOCK) return inBlocks(this, bars, out, from, to);
    const { open, high, low, close } = bars;
    const [vols, annuals] = out;
    const { sum, estimate } = this;
    const scale = Math.sqrt(this.barsPerYear);
    for (let i = from; i < to; i++) {
      const total = sum.next(barVariance(estimate, open[i], high[i], low[i], close[i]));
      const vol = total <= 0 ? 0 : Math.sqrt(total / sum.n);
      vols[i] = vol;
      annuals[i] = vol * scale;
    }
  }
}

/**
 * Yang and Zhang 2000: overnight and open-to-close variances (sample) combined with Rogers-Satchell,
 * k = 0.34 / (1.34 + (n+1)/(n-1)).
 */
export class YangZhang implements Kernel {
  readonly lookback = 1;
  readonly barsPerYear: number;
  private readonly gaps: History;
  private readonly bodies: History;
  private readonly gap: Moments;
  private readonly body: Moments;
  private readonly sum: WindowSum;
  private begun = false;

  constructor(n: number, barsPerYear: number) {
    this.barsPerYear = barsPerYear;
    this.gaps = new History(n);
    this.bodies = new History(n);
    this.gap = new Moments(n);
    this.body = new Moments(n);
    this.sum = new WindowSum(n);
  }

  run(bars: BarColumns, out: readonly Float64Array[], from: number, to: number): void {
    if (to - from > BLOCK) return inBlocks(this, bars, out, from, to);
    const { open, high, low, close } = bars;
    const [vols, annuals] = out;
    const { gaps, bodies, sum } = this;
    const n = sum.n;
    const k = 0.34 / (1.34 + (n + 1) / (n - 1));
    const scale = Math.sqrt(this.barsPerYear);
    for (let i = from; i < to; i++) {
      if (!this.begun) {
        this.begun = true;
        vols[i] = Number.NaN;
        annuals[i] = Number.NaN;
        continue;
      }
      this.gap.update(gaps.values, gaps.push(Math.log(open[i] / close[i - 1])));
      this.body.update(bodies.values, bodies.push(Math.log(close[i] / open[i])));
      const satchell = sum.next(barVariance('rogers-satchell', open[i], high[i], low[i], close[i])) / n;
      const variance = (this.gap.squares + k * this.body.squares) / (n - 1) + (1 - k) * satchell;
      const vol = variance <= 0 ? 0 : Math.sqrt(variance);
      vols[i] = vol;
      annuals[i] = vol * scale;
    }
  }
}

const vols = [
  { suffix: 'vol', unit: 'fraction per bar' },
  { suffix: 'annual', unit: 'annualised fraction' },
];

export const volatility: Definitions = [
  {
    name: 'tr',
    summary: 'true range',
    parameters: [],
    outputs: [{ suffix: '', unit: 'price' }],
    source: 'Wilder 1978; TA-Lib TRANGE',
    firstRow: () => 1,
    create: () => new TrueRange(),
  },
  {
    name: 'atr',
    summary: 'average true range',
    parameters: [bars('period', 14)],
    outputs: [{ suffix: '', unit: 'price' }],
    source: 'Wilder 1978; TA-Lib ATR',
    firstRow: ([n]) => n,
    create: ([n]) => new Atr(n, false),
  },
  {
    name: 'natr',
    summary: 'average true range in percent of the close',
    parameters: [bars('period', 14)],
    outputs: [{ suffix: '', unit: 'percent' }],
    source: 'TA-Lib NATR',
    firstRow: ([n]) => n,
    create: ([n]) => new Atr(n, true),
  },
  {
    name: 'gk',
    summary: 'Garman-Klass volatility, per bar and annualised',
    parameters: [bars('period', 20), barsPerYear],
    outputs: vols,
    source: 'Garman and Klass 1980: mean of 0.5 ln(H/L)^2 - (2 ln 2 - 1) ln(C/O)^2',
    firstRow: ([n]) => n - 1,
    create: ([n, perYear]) => new RangeVolatility('garman-klass', n, perYear),
  },
  {
    name: 'parkinson',
    summary: 'Parkinson volatility, per bar and annualised',
    parameters: [bars('period', 20), barsPerYear],
    outputs: vols,
    source: 'Parkinson 1980: mean of ln(H/L)^2 / (4 ln 2)',
    firstRow: ([n]) => n - 1,
    create: ([n, perYear]) => new RangeVolatility('parkinson', n, perYear),
  },
  {
    name: 'rs',
    summary: 'Rogers-Satchell volatility, per bar and annualised',
    parameters: [bars('period', 20), barsPerYear],
    outputs: vols,
    source: 'Rogers and Satchell 1991: mean of ln(H/C) ln(H/O) + ln(L/C) ln(L/O)',
    firstRow: ([n]) => n - 1,
    create: ([n, perYear]) => new RangeVolatility('rogers-satchell', n, perYear),
  },
  {
    name: 'yz',
    summary: 'Yang-Zhang volatility, per bar and annualised',
    parameters: [bars('period', 20, 2), barsPerYear],
    outputs: vols,
    source: 'Yang and Zhang 2000',
    firstRow: ([n]) => n,
    create: ([n, perYear]) => new YangZhang(n, perYear),
  },
];
