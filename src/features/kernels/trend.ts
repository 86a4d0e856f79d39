import type { BarColumns } from '#market';
import { bars, type Definitions, real } from '../definition.ts';
import { HighestAge, LowestAge } from '../extremes.ts';
import { BLOCK, inBlocks, type Kernel } from '../kernel.ts';
import { fillsBlocks, type Lanes, lanes, throughBlocks } from '../lanes.ts';
import { trueRange } from '../lines.ts';
import { Regression } from '../moments.ts';
import { Donchian, Maximum, Minimum } from './channels.ts';

/**
 * Directional movement (Wilder 1978) with TA-Lib's seeding: the sums start as the sum of bars 1..n-1, then
 * S - S/n + x from bar n; ADX starts as the mean of the first n DX. Without any directional movement DX is 0.
 */
export class Adx implements Kernel {
  readonly lookback = 1;
  readonly n: number;
  private seen = 0;
  private plus = 0;
  private minus = 0;
  private range = 0;
  private adx = 0;

  constructor(n: number) {
    this.n = n;
  }

  run(bars: BarColumns, out: readonly Float64Array[], from: number, to: number): void {
    if (to - from > BLOCK) return inBlocks(this, bars, out, from, to);
    const { high, low, close } = bars;
    const [adxs, pluses, minuses, dxs] = out;
    const n = this.n;
    const decay = (n - 1) / n;
    let { seen, plus, minus, range, adx } = this;
    for (let i = from; i < to; i++) {
      if (seen <= 2 * n) seen++;
      if (seen > 1) {
        const keep = seen <= n ? 1 : decay;
        const up = high[i] - high[i - 1];
        const down = low[i - 1] - low[i];
        // Products instead of branches: which side moved is a coin toss the processor mispredicts.
        plus = plus * keep + up * (Number(up > down) * Number(up > 0));
        minus = minus * keep + down * (Number(down > up) * Number(down > 0));
        range = range * keep + trueRange(high[i], low[i], close[i - 1]);
      }
      if (seen <= n) {
        adxs[i] = Number.NaN;
        pluses[i] = Number.NaN;
        minuses[i] = Number.NaN;
        dxs[i] = Number.NaN;
        continue;
      }
      const scale = range > 0 ? 100 / range : 0;
      const total = plus + minus;
      const dx = total > 0 ? 100 * (Math.abs(plus - minus) / total) : 0;
      adx += seen <= 2 * n ? dx / n : (dx - adx) / n;
      adxs[i] = seen < 2 * n ? Number.NaN : adx;
      pluses[i] = scale * plus;
      minuses[i] = scale * minus;
      dxs[i] = dx;
    }
    this.seen = seen;
    this.plus = plus;
    this.minus = minus;
    this.range = range;
    this.adx = adx;
  }
}

/** Aroon (Chande 1995): how recent the extremes of the last n+1 bars are; among equals the newest counts. */
export class Aroon implements Kernel {
  readonly lookback: number;
  private readonly high: HighestAge;
  private readonly low: LowestAge;

  constructor(n: number) {
    this.lookback = n + 1;
    this.high = new HighestAge(n + 1);
    this.low = new LowestAge(n + 1);
  }

  run(bars: BarColumns, out: readonly Float64Array[], from: number, to: number): void {
    if (fillsBlocks(this.high.n, to - from)) return throughBlocks(this, bars, out, from, to);
    const [ups, downs, differences] = out;
    const n = this.high.n - 1;
    for (let i = from; i < to; i++) {
      const high = this.high.update(bars.high, i);
      const low = this.low.update(bars.low, i);
      const ready = this.high.seen > n;
      ups[i] = ready ? (100 * (n - high)) / n : Number.NaN;
      downs[i] = ready ? (100 * (n - low)) / n : Number.NaN;
      differences[i] = ups[i] - downs[i];
    }
  }

  blocks(bars: BarColumns, out: readonly Float64Array[], from: number, to: number): void {
    const { high, low } = bars;
    const { n, seen } = this.high;
    // With a window behind them.
    const begin = from + n - seen;
    this.run(bars, out, from, begin);
    const block = lanes();
    const { first, second, third, fourth, values } = block;
    for (let i = begin; i < to; i += BLOCK) {
      const rows = Math.min(to - i, BLOCK);
      block.count(second, rows + n);
      block.count(fourth, rows + n);
      block.take(high, i - n + 1, i + rows, first);
      block.newestHighest(first, second, rows, n);
      block.take(low, i - n + 1, i + rows, third);
      block.newestLowest(third, fourth, rows, n);
      recency(values, second / 8, fourth / 8, n - 1, out, i, i + rows);
      if (i + rows < to) continue;
      const last = rows - 1;
      this.high.pass(values[first / 8 + last], last + n - 1 - values[second / 8 + last]);
      this.low.pass(values[third / 8 + last], last + n - 1 - values[fourth / 8 + last]);
    }
  }
}

/** Aroon of rows in whose windows the extremes stand at positions that begin at `high` and `low` in `values`. */
function recency(
  values: Float64Array,
  high: number,
  low: number,
  n: number,
  [ups, downs, differences]: readonly Float64Array[],
  from: number,
  to: number,
): void {
  for (let i = from, k = 0; i < to; i++, k++) {
    const up = (100 * (values[high + k] - k)) / n;
    const down = (100 * (values[low + k] - k)) / n;
    ups[i] = up;
    downs[i] = down;
    differences[i] = up - down;
  }
}

/** Parabolic stop and reverse (Wilder 1978) with TA-Lib's start: the first direction is that of the second bar. */
export class ParabolicSar implements Kernel {
  readonly lookback = 1;
  readonly step: number;
  readonly limit: number;
  private seen = 0;
  private long = true;
  private stop = 0;
  private extreme = 0;
  private factor = 0;

  constructor(acceleration: number, maximum: number) {
    this.limit = maximum;
    this.step = Math.min(acceleration, maximum);
  }

  run(bars: BarColumns, out: readonly Float64Array[], from: number, to: number): void {
    if (fillsBlocks(1, to - from)) return throughBlocks(this, bars, out, from, to);
    const { high, low } = bars;
    const y = out[0];
    for (let i = from; i < to; i++) {
      if (this.seen > 1) {
        y[i] = this.advance(high[i - 1], low[i - 1], high[i], low[i]);
        continue;
      }
      this.seen++;
      if (this.seen === 1) {
        y[i] = Number.NaN;
        continue;
      }
      this.begin(high, low, i);
      y[i] = this.advance(high[i], low[i], high[i], low[i]);
    }
  }

  blocks(bars: BarColumns, out: readonly Float64Array[], from: number, to: number): void {
    const { high, low } = bars;
    const begin = from + 2 - this.seen;
    this.run(bars, out, from, begin);
    const block = lanes();
    const { first, second, third } = block;
    for (let i = begin; i < to; i += BLOCK) {
      const rows = Math.min(to - i, BLOCK);
      block.take(high, i - 1, i + rows, first);
      block.take(low, i - 1, i + rows, second);
      this.trail(block, first + 8, second + 8, third, rows);
      block.give(third, rows, out[0], i);
    }
  }

  /** As {@link advance} for rows whose highs and lows stand at addresses. */
  private trail(block: Lanes, high: number, low: number, to: number, rows: number): void {
    const { values, state: s } = block;
    const state = s / 8;
    const sign = this.long ? 1 : -1;
    values[state] = sign * this.stop;
    values[state + 1] = sign * this.extreme;
    values[state + 2] = this.factor;
    values[state + 3] = this.long ? 0 : -0;
    if (this.long) block.trail(high, low, to, rows, this.step, this.limit);
    else block.trail(low, high, to, rows, this.step, this.limit);
    this.long = Object.is(values[state + 3], 0);
    const after = this.long ? 1 : -1;
    // never a negative zero
    this.stop = after * values[state] + 0;
    this.extreme = after * values[state + 1] + 0;
    this.factor = values[state + 2];
  }

  private begin(high: Float64Array, low: Float64Array, i: number): void {
    const down = low[i - 1] - low[i];
    this.long = !(down > 0 && high[i] - high[i - 1] < down);
    this.extreme = this.long ? high[i] : low[i];
    this.stop = this.long ? low[i - 1] : high[i - 1];
    this.factor = this.step;
  }

  /** The stop in force during the bar; prepares that of the next one. */
  private advance(highBefore: number, lowBefore: number, high: number, low: number): number {
    const hit = this.long ? low <= this.stop : high >= this.stop;
    if (hit) {
      this.long = !this.long;
      this.stop = this.beyond(this.extreme, highBefore, lowBefore, high, low);
      this.factor = this.step;
      this.extreme = this.long ? high : low;
    }
    const now = this.stop;
    if (!hit && (this.long ? high > this.extreme : low < this.extreme)) {
      this.extreme = this.long ? high : low;
      this.factor = Math.min(this.limit, this.factor + this.step);
    }
    this.stop = this.beyond(now + this.factor * (this.extreme - now), highBefore, lowBefore, high, low);
    return now;
  }

  /** `stop`, kept outside the ranges of the last two bars. */
  private beyond(stop: number, highBefore: number, lowBefore: number, high: number, low: number): number {
    return this.long ? Math.min(stop, lowBefore, low) : Math.max(stop, highBefore, high);
  }
}

/** Least-squares line of the last n closes: its end value, slope per bar, slope in percent of the close, R2. */
export class LinearRegression implements Kernel {
  readonly lookback: number;
  private readonly line: Regression;

  constructor(n: number) {
    this.lookback = n;
    this.line = new Regression(n);
  }

  run(bars: BarColumns, out: readonly Float64Array[], from: number, to: number): void {
    if (to - from > BLOCK) return inBlocks(this, bars, out, from, to);
    const x = bars.close;
    const [ends, slopes, percents, r2s] = out;
    const line = this.line;
    for (let i = from; i < to; i++) {
      line.update(x, i);
      slopes[i] = line.slope;
      ends[i] = line.mean + (line.slope * (line.n - 1)) / 2;
      percents[i] = (100 * line.slope) / x[i];
      r2s[i] = line.r2;
    }
  }
}

const points = 'points 0..100';

export const trend: Definitions = [
  {
    name: 'adx',
    summary: 'average directional index, with +DI, -DI and DX; no directional movement 0',
    parameters: [bars('period', 14, 2)],
    outputs: [
      { suffix: '', unit: points },
      { suffix: 'plus_di', unit: points },
      { suffix: 'minus_di', unit: points },
      { suffix: 'dx', unit: points },
    ],
    source: 'Wilder 1978; TA-Lib ADX, PLUS_DI, MINUS_DI, DX',
    firstRow: ([n]) => 2 * n - 1,
    create: ([n]) => new Adx(n),
  },
  {
    name: 'aroon',
    summary: 'bars since the highest high and the lowest low as a share of the window, and their difference',
    parameters: [bars('period', 14, 2)],
    outputs: [
      { suffix: 'up', unit: points },
      { suffix: 'down', unit: points },
      { suffix: 'osc', unit: 'points -100..100' },
    ],
    source: 'Chande 1995; TA-Lib AROON, AROONOSC',
    firstRow: ([n]) => n,
    create: ([n]) => new Aroon(n),
  },
  {
    name: 'sar',
    summary: 'parabolic stop and reverse',
    parameters: [real('acceleration', 0.02, 0, 1), real('maximum', 0.2, 0, 1)],
    outputs: [{ suffix: '', unit: 'price' }],
    source: 'Wilder 1978; TA-Lib SAR',
    firstRow: () => 1,
    create: ([acceleration, maximum]) => new ParabolicSar(acceleration, maximum),
  },
  {
    name: 'linreg',
    summary: 'least-squares line of the closes: end value, slope per bar, slope in percent of the close, R2',
    parameters: [bars('period', 20, 2)],
    outputs: [
      { suffix: '', unit: 'price' },
      { suffix: 'slope', unit: 'price per bar' },
      { suffix: 'slope_pct', unit: 'percent per bar' },
      { suffix: 'r2', unit: 'ratio' },
    ],
    source: 'TA-Lib LINEARREG, LINEARREG_SLOPE; a flat window has slope 0 and R2 0',
    firstRow: ([n]) => n - 1,
    create: ([n]) => new LinearRegression(n),
  },
  {
    name: 'donchian',
    summary: 'highest high, middle and lowest low, the current bar included',
    parameters: [bars('period', 20)],
    outputs: [
      { suffix: 'upper', unit: 'price' },
      { suffix: 'middle', unit: 'price' },
      { suffix: 'lower', unit: 'price' },
    ],
    source: 'Donchian',
    firstRow: ([n]) => n - 1,
    create: ([n]) => new Donchian(n),
  },
  {
    name: 'max',
    summary: 'highest close',
    parameters: [bars('period', 20)],
    outputs: [{ suffix: '', unit: 'price' }],
    source: 'TA-Lib MAX',
    firstRow: ([n]) => n - 1,
    create: ([n]) => new Maximum(n),
  },
  {
    name: 'min',
    summary: 'lowest close',
    parameters: [bars('period', 20)],
    outputs: [{ suffix: '', unit: 'price' }],
    source: 'TA-Lib MIN',
    firstRow: ([n]) => n - 1,
    create: ([n]) => new Minimum(n),
  },
];
