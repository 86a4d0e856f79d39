import { DAY } from '#base';
import type { BarColumns } from '#market';
import { bars, type Definitions } from '../definition.ts';
import { BLOCK, inBlocks, type Kernel } from '../kernel.ts';
import { Regression } from '../moments.ts';
import { FADED, History, REBUILD } from '../windows.ts';

/** Signed volume of a bar: with the move of the close; none when it did not move. Free of branches to mispredict. */
function signedVolume(close: number, before: number, volume: number): number {
  return volume * (Number(close > before) - Number(close < before));
}

/** On-balance volume (Granville 1963); starts at the first bar's volume. */
export class Obv implements Kernel {
  readonly lookback = 1;
  private begun = false;
  private total = 0;

  run(bars: BarColumns, out: readonly Float64Array[], from: number, to: number): void {
    if (to - from > BLOCK) return inBlocks(this, bars, out, from, to);
    const { close, volume } = bars;
    const y = out[0];
    let i = from;
    if (!this.begun && i < to) {
      this.begun = true;
      this.total = volume[i];
      y[i++] = this.total;
    }
    let total = this.total;
    for (; i < to; i++) {
      total += signedVolume(close[i], close[i - 1], volume[i]);
      y[i] = total;
    }
    this.total = total;
  }
}

/** Least-squares slope per bar of the last n values of OBV, and its R2. */
export class ObvSlope implements Kernel {
  readonly lookback = 1;
  private begun = false;
  private total = 0;
  private readonly totals: History;
  private readonly line: Regression;

  constructor(n: number) {
    this.totals = new History(n);
    this.line = new Regression(n);
  }

  run(bars: BarColumns, out: readonly Float64Array[], from: number, to: number): void {
    if (to - from > BLOCK) return inBlocks(this, bars, out, from, to);
    const { close, volume } = bars;
    const [slopes, r2s] = out;
    const { totals, line } = this;
    for (let i = from; i < to; i++) {
      this.total += this.begun ? signedVolume(close[i], close[i - 1], volume[i]) : volume[i];
      this.begun = true;
      line.update(totals.values, totals.push(this.total));
      slopes[i] = line.slope;
      r2s[i] = line.r2;
    }
  }
}

/** Volume-weighted average of the typical price since 00:00 UTC of the bar's open time; the close while nothing has traded. */
export class SessionVwap implements Kernel {
  readonly lookback = 0;
  private day = Number.NaN;
  private traded = 0;
  private volume = 0;

  run(bars: BarColumns, out: readonly Float64Array[], from: number, to: number): void {
    if (to - from > BLOCK) return inBlocks(this, bars, out, from, to);
    const { time, high, low, close, volume } = bars;
    const y = out[0];
    for (let i = from; i < to; i++) {
      const day = Math.floor(time[i] / DAY);
      if (day !== this.day) {
        this.day = day;
        this.traded = 0;
        this.volume = 0;
      }
      this.traded += ((high[i] + low[i] + close[i]) / 3) * volume[i];
      this.volume += volume[i];
      y[i] = this.volume > 0 ? this.traded / this.volume : close[i];
    }
  }
}

/** Volume-weighted average of the typical price since the first bar; the close while nothing has traded. */
export class CumulativeVwap implements Kernel {
  readonly lookback = 0;
  private traded = 0;
  private volume = 0;

  run(bars: BarColumns, out: readonly Float64Array[], from: number, to: number): void {
    if (to - from > BLOCK) return inBlocks(this, bars, out, from, to);
    const { high, low, close, volume } = bars;
    const y = out[0];
    for (let i = from; i < to; i++) {
      this.traded += ((high[i] + low[i] + close[i]) / 3) * volume[i];
      this.volume += volume[i];
      y[i] = this.volume > 0 ? this.traded / this.volume : close[i];
    }
  }
}

/** Money flow index (Quong and Soudack 1989): 100 without negative flow, 0 without any flow. */
export class Mfi implements Kernel {
  readonly lookback = 0;
  readonly n: number;
  private seen = 0;
  private typical = 0;
  /** Signed flows of the last n bars. */
  private ring: Float64Array;
  private at = 0;
  private inflow = 0;
  private outflow = 0;
  private inflowPeak = 0;
  private outflowPeak = 0;
  private left = REBUILD;

  constructor(n: number) {
    this.n = n;
    this.ring = new Float64Array(n);
  }

  run(bars: BarColumns, out: readonly Float64Array[], from: number, to: number): void {
    if (to - from > BLOCK) return inBlocks(this, bars, out, from, to);
    const { high, low, close } = bars;
    const y = out[0];
    const { n } = this;
    let i = from;
    if (this.seen === 0 && i < to) {
      this.seen = 1;
      this.typical = (high[i] + low[i] + close[i]) / 3;
      y[i++] = Number.NaN;
    }
    const first = i;
    while (i < to) {
      i = this.slide(bars, y, i, to);
      if (this.left === 0) this.rebuild(y, i - 1);
    }
    for (let j = first; j < to && this.seen < n; j++) {
      this.seen++;
      y[j] = Number.NaN;
    }
  }

  /** Fills rows up to one after which the sums must be rebuilt, with nothing `left`; returns the row after it. */
  private slide({ high, low, close, volume }: BarColumns, y: Float64Array, from: number, to: number): number {
    const { n, ring } = this;
    let { typical, at, inflow, outflow, inflowPeak, outflowPeak, left } = this;
    const stop = Math.min(to, from + left);
    let i = from;
    let faded = false;
    while (i < stop && !faded) {
      const before = typical;
      typical = (high[i] + low[i] + close[i]) / 3;
      const flow = typical * volume[i] * (Number(typical > before) - Number(typical < before));
      const old = ring[at];
      ring[at] = flow;
      at = at + 1 === n ? 0 : at + 1;
      // (|f| + f) / 2 and (|f| - f) / 2 are the positive and the negative part, exactly and without a branch.
      const size = Math.abs(flow);
      const oldSize = Math.abs(old);
      inflow += (size + flow - (oldSize + old)) / 2;
      outflow += (size - flow - (oldSize - old)) / 2;
      if (inflow > inflowPeak) inflowPeak = inflow;
      if (outflow > outflowPeak) outflowPeak = outflow;
      const total = inflow + outflow;
      y[i++] = total === 0 ? 0 : 100 * (inflow / total);
      faded = !(inflow >= FADED * inflowPeak && outflow >= FADED * outflowPeak);
    }
    left = faded ? 0 : left - (i - from);
    this.typical = typical;
    this.at = at;
    this.inflow = inflow;
    this.outflow = outflow;
    this.inflowPeak = inflowPeak;
    this.outflowPeak = outflowPeak;
    this.left = left;
    return i;
  }

  /** Sums the window's flows anew, and corrects row `i`, the newest. */
  private rebuild(y: Float64Array, i: number): void {
    const { n, ring } = this;
    let inflow = 0;
    let outflow = 0;
    for (let j = 0; j < n; j++) {
      if (ring[j] > 0) inflow += ring[j];
      else outflow -= ring[j];
    }
    this.inflow = inflow;
    this.outflow = outflow;
    this.inflowPeak = inflow;
    this.outflowPeak = outflow;
    this.left = REBUILD;
    const total = inflow + outflow;
    y[i] = total === 0 ? 0 : 100 * (inflow / total);
  }
}

export const volumes: Definitions = [
  {
    name: 'obv',
    summary: 'on-balance volume, starting at the first volume',
    parameters: [],
    outputs: [{ suffix: '', unit: 'volume' }],
    source: 'Granville 1963; TA-Lib OBV',
    firstRow: () => 0,
    create: () => new Obv(),
  },
  {
    name: 'obv_slope',
    summary: 'slope of a least-squares line through on-balance volume, and its R2',
    parameters: [bars('period', 20, 2)],
    outputs: [
      { suffix: '', unit: 'volume per bar' },
      { suffix: 'r2', unit: 'ratio' },
    ],
    source: 'TA-Lib LINEARREG_SLOPE of OBV; a flat window has slope 0 and R2 0',
    firstRow: ([n]) => n - 1,
    create: ([n]) => new ObvSlope(n),
  },
  {
    name: 'vwap',
    summary: 'volume-weighted typical price since 00:00 UTC; the close while nothing has traded',
    parameters: [],
    outputs: [{ suffix: '', unit: 'price' }],
    source: 'sum of (H+L+C)/3 times volume over sum of volume',
    firstRow: () => 0,
    create: () => new SessionVwap(),
  },
  {
    name: 'vwap_cum',
    summary: 'volume-weighted typical price since the first bar; the close while nothing has traded',
    parameters: [],
    outputs: [{ suffix: '', unit: 'price' }],
    source: 'sum of (H+L+C)/3 times volume over sum of volume',
    firstRow: () => 0,
    create: () => new CumulativeVwap(),
  },
  {
    name: 'mfi',
    summary: 'money flow index; no negative flow 100, no flow at all 0',
    parameters: [bars('period', 14, 2)],
    outputs: [{ suffix: '', unit: 'points 0..100' }],
    source: 'Quong and Soudack 1989; TA-Lib MFI without its special case for flows below 1',
    firstRow: ([n]) => n,
    volumeBars: ([n]) => n + 1,
    create: ([n]) => new Mfi(n),
  },
];
