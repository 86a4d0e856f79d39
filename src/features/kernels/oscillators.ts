import type { BarColumns } from '#market';
import { bars, type Definitions } from '../definition.ts';
import { WindowMax, WindowMin } from '../extremes.ts';
import type { Kernel } from '../kernel.ts';
import { RsiLine } from '../lines.ts';
import { History, REBUILD, ShortMean, WindowSum } from '../windows.ts';

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
    const { high: tops, low: bottoms } = this;
    for (let i = from; i < to; i++) {
      const top = tops.next(high[i]);
      const bottom = bottoms.next(low[i]);
      if (!tops.full) y[i] = Number.NaN;
      else y[i] = top > bottom ? 100 * ((close[i] - top) / (top - bottom)) : 0;
    }
  }
}

/** Commodity channel index (Lambert 1980) of the typical price; 0 where it does not deviate. */
export class Cci implements Kernel {
  readonly lookback = 0;
  readonly n: number;
  private readonly typical: History;
  private seen = 0;
  /** Prices are taken relative to this one, so that deviations keep their digits at any price. */
  private anchor = 0;
  private sum = 0;
  private left = REBUILD;
  private equal = 0;

  constructor(n: number) {
    this.n = n;
    this.typical = new History(n);
  }

  run(bars: BarColumns, out: readonly Float64Array[], from: number, to: number): void {
    const { high, low, close } = bars;
    const y = out[0];
    const { typical, n } = this;
    const values = typical.values;
    let { anchor, sum, left, equal } = this;
    for (let i = from; i < to; i++) {
      const x = (high[i] + low[i] + close[i]) / 3;
      const at = typical.push(x);
      if (this.seen < n) {
        if (this.seen === 0) anchor = x;
        this.seen++;
        sum += x - anchor;
        equal = this.seen > 1 && x === values[at - 1] ? equal + 1 : 1;
        if (this.seen < n) {
          y[i] = Number.NaN;
          continue;
        }
      } else {
        equal = x === values[at - 1] ? equal + 1 : 1;
        sum += x - anchor - (values[at - n] - anchor);
        if (--left === 0) {
          left = REBUILD;
          anchor = x;
          sum = 0;
          for (let j = at - n + 1; j <= at; j++) sum += values[j] - anchor;
        }
      }
      const mean = sum / n;
      // Two sums side by side: each addition waits for the one before.
      let deviation = n % 2 === 1 ? Math.abs(x - anchor - mean) : 0;
      let other = 0;
      for (let j = at - n + 1; j < at; j += 2) {
        deviation += Math.abs(values[j] - anchor - mean);
        other += Math.abs(values[j + 1] - anchor - mean);
      }
      deviation += other;
      // Equal prices must not divide one rounding error by another.
      y[i] = equal < n && deviation > 0 ? (x - anchor - mean) / ((0.015 * deviation) / n) : 0;
    }
    this.anchor = anchor;
    this.sum = sum;
    this.left = left;
    this.equal = equal;
  }
}

/** Buying pressure over true range in one window; 0 without range. */
class PressureShare {
  readonly pressure: WindowSum;
  readonly range: WindowSum;

  constructor(n: number) {
    this.pressure = new WindowSum(n);
    this.range = new WindowSum(n);
  }

  next(pressure: number, range: number): number {
    const sum = this.pressure.next(pressure);
    const whole = this.range.next(range);
    return whole === 0 ? 0 : sum / whole;
  }
}

/** Ultimate oscillator (Williams 1985), weights 4, 2, 1; a window without range counts as 0. */
export class UltimateOscillator implements Kernel {
  readonly lookback = 1;
  private readonly short: PressureShare;
  private readonly middle: PressureShare;
  private readonly long: PressureShare;
  private begun = false;

  constructor(a: number, b: number, c: number) {
    const periods = [a, b, c].sort((p, q) => p - q);
    this.short = new PressureShare(periods[0]);
    this.middle = new PressureShare(periods[1]);
    this.long = new PressureShare(periods[2]);
  }

  run(bars: BarColumns, out: readonly Float64Array[], from: number, to: number): void {
    const { high, low, close } = bars;
    const y = out[0];
    const { short, middle, long } = this;
    let i = from;
    if (!this.begun && i < to) {
      this.begun = true;
      y[i++] = Number.NaN;
    }
    for (; i < to; i++) {
      const bottom = Math.min(low[i], close[i - 1]);
      const pressure = close[i] - bottom;
      const range = Math.max(high[i], close[i - 1]) - bottom;
      const total =
        4 * short.next(pressure, range) + 2 * middle.next(pressure, range) + long.next(pressure, range);
      y[i] = (100 * total) / 7;
    }
  }
}

const points = 'points 0..100';

export const oscillators: Definitions = [
  {
    name: 'stoch',
    summary: 'slow stochastic: smoothed K, its mean D, and the raw K; no range 0',
    parameters: [bars('fastk', 14), bars('slowk', 3), bars('slowd', 3)],
    outputs: [
      { suffix: 'k', unit: points },
      { suffix: 'd', unit: points },
      { suffix: 'rawk', unit: points },
    ],
    source: 'Lane; TA-Lib STOCH',
    firstRow: ([n, k, d]) => n + k + d - 3,
    create: ([n, k, d]) => new Stochastic(n, k, d),
  },
  {
    name: 'stochrsi',
    summary: 'fast stochastic of the RSI; no range 0',
    parameters: [bars('period', 14, 2), bars('fastk', 5), bars('fastd', 3)],
    outputs: [
      { suffix: 'k', unit: points },
      { suffix: 'd', unit: points },
    ],
    source: 'Chande and Kroll 1994; TA-Lib STOCHRSI',
    firstRow: ([n, k, d]) => n + k + d - 2,
    create: ([n, k, d]) => new StochasticRsi(n, k, d),
  },
  {
    name: 'willr',
    summary: 'Williams percent R; no range 0',
    parameters: [bars('period', 14, 2)],
    outputs: [{ suffix: '', unit: 'points -100..0' }],
    source: 'Williams; TA-Lib WILLR',
    firstRow: ([n]) => n - 1,
    create: ([n]) => new WilliamsR(n),
  },
  {
    name: 'cci',
    summary: 'commodity channel index, constant 0.015; no deviation 0',
    parameters: [bars('period', 20, 2)],
    outputs: [{ suffix: '', unit: 'points' }],
    source: 'Lambert 1980; TA-Lib CCI',
    firstRow: ([n]) => n - 1,
    create: ([n]) => new Cci(n),
  },
  {
    name: 'ultosc',
    summary: 'ultimate oscillator over three windows',
    parameters: [bars('short', 7), bars('middle', 14), bars('long', 28)],
    outputs: [{ suffix: '', unit: points }],
    source: 'Williams 1985; TA-Lib ULTOSC',
    firstRow: (periods) => Math.max(...periods),
    create: ([a, b, c]) => new UltimateOscillator(a, b, c),
  },
];
