import type { BarColumns } from '#market';
import { bars, type Definitions } from '../definition.ts';
import { BLOCK, type Kernel } from '../kernel.ts';
import { fillsBlocks, type Lanes, lanes } from '../lanes.ts';
import { History, REBUILD, WindowSum } from '../windows.ts';
import { Stochastic, StochasticRsi, WilliamsR } from './stochastics.ts';

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
    const y = out[0];
    const { typical, n } = this;
    let i = from;
    if (fillsBlocks(n, to - from)) {
      const begin = from + Math.max(0, n - this.seen);
      this.rows(bars, y, from, begin);
      const block = lanes();
      const { first, second, third, fourth, values } = block;
      for (i = begin; i < to; i += BLOCK) {
        const rows = Math.min(to - i, BLOCK);
        block.take(typical.values, typical.at - n + 1, typical.at + 1, first);
        const newest = first + 8 * n;
        this.sums(bars, i, rows, values, newest / 8, second / 8, third / 8);
        block.distances(fourth, rows, newest, second, third, n);
        this.scale(values, newest / 8, second / 8, third / 8, fourth / 8, y, i, rows);
      }
      return;
    }
    this.rows(bars, y, i, to);
  }

  /** Typical prices, means above the anchor and anchors of `rows` rows, to places in `values`. */
  private sums(
    { high, low, close }: BarColumns,
    from: number,
    rows: number,
    values: Float64Array,
    prices: number,
    means: number,
    anchors: number,
  ): void {
    const { typical, n } = this;
    let { anchor, sum, left } = this;
    for (let k = 0; k < rows; k++) {
      const i = from + k;
      const x = (high[i] + low[i] + close[i]) / 3;
      typical.push(x);
      values[prices + k] = x;
      sum += x - anchor - (values[prices + k - n] - anchor);
      if (--left === 0) {
        left = REBUILD;
        anchor = x;
        sum = distanceFrom(anchor, values, prices + k - n + 1, prices + k + 1);
      }
      values[means + k] = sum / n;
      values[anchors + k] = anchor;
    }
    this.anchor = anchor;
    this.sum = sum;
    this.left = left;
  }

  /** The index of rows whose prices, means, anchors and sums of deviations stand at places in `values`. */
  private scale(
    values: Float64Array,
    prices: number,
    means: number,
    anchors: number,
    deviations: number,
    y: Float64Array,
    from: number,
    rows: number,
  ): void {
    const { n } = this;
    let { equal } = this;
    for (let k = 0; k < rows; k++) {
      const x = values[prices + k];
      const deviation = values[deviations + k];
      equal = x === values[prices + k - 1] ? equal + 1 : 1;
      const distance = x - values[anchors + k] - values[means + k];
      y[from + k] = equal < n && deviation > 0 ? distance / ((0.015 * deviation) / n) : 0;
    }
    this.equal = equal;
  }

  private rows(bars: BarColumns, y: Float64Array, from: number, to: number): void {
    const { high, low, close } = bars;
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

/** Sum of values[from..to-1] - anchor. */
function distanceFrom(anchor: number, values: Float64Array, from: number, to: number): number {
  let sum = 0;
  for (let j = from; j < to; j++) sum += values[j] - anchor;
  return sum;
}

/** Buying pressure over true range in one window; 0 without range. */
class PressureShare {
  readonly n: number;
  readonly pressure: WindowSum;
  readonly range: WindowSum;

  constructor(n: number) {
    this.n = n;
    this.pressure = new WindowSum(n);
    this.range = new WindowSum(n);
  }

  /** Takes in pairs of which the last stands at `last` and `last + 1`; see {@link WindowSum.pass}. */
  pass(values: Float64Array, last: number, count: number): void {
    this.pressure.pass(values, last, count);
    this.range.pass(values, last + 1, count);
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
    const y = out[0];
    const { short, middle, long } = this;
    let i = from;
    if (!this.begun && i < to) {
      this.begun = true;
      y[i++] = Number.NaN;
    }
    const behind = 2 * long.n;
    if (!fillsBlocks(behind, to - i) || short.n < 2) {
      this.rows(bars, y, i, to);
      return;
    }
    const begin = i + behind;
    this.rows(bars, y, i, begin);
    const block = lanes();
    const { first, fourth, fifth, sixth, values } = block;
    for (i = begin; i < to; i += PAIRS) {
      const end = Math.min(to, i + PAIRS);
      const rows = end - i;
      pressures(bars, i - behind, end, values, first / 8);
      const past = i - begin;
      shares(block, short, past, behind, rows, fourth);
      shares(block, middle, past, behind, rows, fifth);
      shares(block, long, past, behind, rows, sixth);
      block.ultimate(fourth, fourth, fifth, sixth, rows);
      block.give(fourth, rows, y, i);
      if (end < to) continue;
      const last = first / 8 + 2 * (behind + end - i - 1);
      short.pass(values, last, to - begin);
      middle.pass(values, last, to - begin);
      long.pass(values, last, to - begin);
    }
  }

  private rows({ high, low, close }: BarColumns, y: Float64Array, from: number, to: number): void {
    const { short, middle, long } = this;
    for (let i = from; i < to; i++) {
      const bottom = Math.min(low[i], close[i - 1]);
      const pressure = close[i] - bottom;
      const range = Math.max(high[i], close[i - 1]) - bottom;
      const total =
        4 * short.next(pressure, range) + 2 * middle.next(pressure, range) + long.next(pressure, range);
      y[i] = (100 * total) / 7;
    }
  }
}

/** Rows of a block of pairs. */
const PAIRS = BLOCK / 4;

/** Buying pressure and true range of rows from..to-1 in turns, from `at` on. */
function pressures(
  { high, low, close }: BarColumns,
  from: number,
  to: number,
  values: Float64Array,
  at: number,
): void {
  let before = close[from - 1];
  for (let i = from, k = at; i < to; i++, k += 2) {
    let bottom = low[i];
    let top = high[i];
    if (before < bottom) bottom = before;
    if (before > top) top = before;
    before = close[i];
    values[k] = before - bottom;
    values[k + 1] = top - bottom;
  }
}

/** Shares of the pairs in the first region, from the one at `behind` on; `past`: rows since the sums' own state. */
function shares(
  block: Lanes,
  { n, pressure }: PressureShare,
  past: number,
  behind: number,
  rows: number,
  to: number,
): void {
  const { first, second, third } = block;
  // From the block of n before the one that the first row is in.
  const skip = behind - ((pressure.place + past) % n) - n;
  block.windowSums(third + 16 * skip, first + 16 * skip, second + 16 * skip, n, behind + rows - skip);
  block.shares(to, third + 16 * behind, rows);
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
