import type { Lanes } from './lanes.ts';
import { REBUILD } from './windows.ts';

/** Mean and squared deviations of the last n values, accurate whatever the level of the values is. */
export class Moments {
  readonly n: number;
  seen = 0;
  /** Mean of the window; NaN until it is full. */
  mean = Number.NaN;
  /** Sum of (x - mean)^2; NaN until the window is full, exactly 0 when all its values are equal. */
  squares = Number.NaN;
  private anchor = 0;
  private sum = 0;
  private sumSquares = 0;
  private peak = 0;
  private equal = 0;
  private left = REBUILD;

  constructor(n: number) {
    this.n = n;
  }

  update(values: Float64Array, i: number): void {
    const n = this.n;
    const x = values[i];
    if (this.seen < n) {
      this.equal = this.seen > 0 && x === values[i - 1] ? this.equal + 1 : 1;
      if (++this.seen < n) return;
      this.rebuild(values, i);
      if (this.equal >= n) this.settle(x);
      return;
    }
    this.equal = x === values[i - 1] ? this.equal + 1 : 1;
    const d = x - this.anchor;
    const old = values[i - n] - this.anchor;
    const sum = this.sum + (d - old);
    const sumSquares = this.sumSquares + (d - old) * (d + old);
    this.sum = sum;
    this.sumSquares = sumSquares;
    if (sumSquares > this.peak) this.peak = sumSquares;
    if (this.equal >= n) {
      this.left = this.left > 1 ? this.left - 1 : 1;
      this.settle(x);
      return;
    }
    const shift = sum / n;
    const squares = sumSquares - sum * shift;
    if (--this.left <= 0 || !(squares >= 1e-4 * this.peak)) {
      this.rebuild(values, i);
      return;
    }
    this.mean = this.anchor + shift;
    this.squares = squares;
  }

  /**
   * {@link update} for `rows` rows from row `from` on, with each row's mean and squares at addresses of the lanes. The
   * values, and n before them, stand there at `at` too.
   */
  fill(
    lanes: Lanes,
    values: Float64Array,
    from: number,
    rows: number,
    at: number,
    mean: number,
    square: number,
  ): void {
    const memory = lanes.values;
    for (let k = 0; k < rows; k++) {
      k += this.slide(lanes, at + 8 * k, rows - k, mean + 8 * k, square + 8 * k);
      if (k === rows) break;
      this.update(values, from + k);
      memory[mean / 8 + k] = this.mean;
      memory[square / 8 + k] = this.squares;
    }
  }

  /** Takes in values at `at` as long as there is nothing to rebuild or to settle; returns how many. */
  private slide(lanes: Lanes, at: number, rows: number, mean: number, square: number): number {
    const { n, left } = this;
    const most = rows < left ? rows : left - 1;
    // A window of equal values has hardly any squares, and it ends there when that is little beside the peak.
    if (this.seen < n || most <= 0 || !(this.peak > 0)) return 0;
    const { values, state: s } = lanes;
    const state = s / 8;
    values[state] = this.anchor;
    values[state + 1] = this.sum;
    values[state + 2] = this.sumSquares;
    values[state + 3] = this.peak;
    const even = most - (most % 2);
    let taken = even > 0 && lanes.momentPairs(at, even, mean, square, n) ? even : 0;
    if (taken < most) {
      const done = 8 * taken;
      taken += lanes.moments(at + done, most - taken, mean + done, square + done, n);
    }
    if (taken === 0) return 0;
    this.sum = values[state + 1];
    this.sumSquares = values[state + 2];
    this.peak = values[state + 3];
    this.left -= taken;
    this.mean = values[mean / 8 + taken - 1];
    this.squares = values[square / 8 + taken - 1];
    const last = at / 8 + taken - 1;
    let equal = 1;
    while (equal < n && values[last - equal] === values[last]) equal++;
    this.equal = equal;
    return taken;
  }

  /** Standard deviation with `n - ddof` in the denominator. */
  deviation(ddof: 0 | 1): number {
    return Math.sqrt(this.squares / (this.n - ddof));
  }

  private settle(x: number): void {
    this.mean = x;
    this.squares = 0;
  }

  private rebuild(values: Float64Array, i: number): void {
    const n = this.n;
    const base = values[i];
    let sum = 0;
    for (let j = i - n + 1; j <= i; j++) sum += values[j] - base;
    const anchor = base + sum / n;
    sum = 0;
    let squares = 0;
    for (let j = i - n + 1; j <= i; j++) {
      const d = values[j] - anchor;
      sum += d;
      squares += d * d;
    }
    this.anchor = anchor;
    this.sum = sum;
    this.sumSquares = squares;
    this.peak = squares;
    this.left = REBUILD;
    this.mean = anchor + sum / n;
    this.squares = squares - (sum * sum) / n;
  }
}

/** Least-squares line through the last n values against 0..n-1. */
export class Regression {
  readonly n: number;
  seen = 0;
  /** Per step; NaN until the window is full. Exactly 0 when all values are equal. */
  slope = Number.NaN;
  mean = Number.NaN;
  /** Squared correlation; 0 for a window without any movement. */
  r2 = Number.NaN;
  private readonly sxx: number;
  private anchor = 0;
  private sum = 0;
  private weighted = 0;
  private sumSquares = 0;
  private peak = 0;
  private equal = 0;
  private left = REBUILD;

  constructor(n: number) {
    this.n = n;
    this.sxx = (n * (n * n - 1)) / 12;
  }

  update(values: Float64Array, i: number): void {
    const n = this.n;
    const x = values[i];
    if (this.seen < n) {
      this.equal = this.seen > 0 && x === values[i - 1] ? this.equal + 1 : 1;
      if (++this.seen < n) return;
      this.rebuild(values, i);
    } else {
      this.equal = x === values[i - 1] ? this.equal + 1 : 1;
      const d = x - this.anchor;
      const old = values[i - n] - this.anchor;
      this.weighted += (n - 1) * d - (this.sum - old);
      this.sum += d - old;
      this.sumSquares += (d - old) * (d + old);
      if (this.sumSquares > this.peak) this.peak = this.sumSquares;
    }
    if (this.equal >= n) {
      this.left = this.left > 1 ? this.left - 1 : 1;
      this.mean = x;
      this.slope = 0;
      this.r2 = 0;
      return;
    }
    let squares = this.sumSquares - (this.sum * this.sum) / n;
    if (--this.left <= 0 || !(squares >= 1e-4 * this.peak)) {
      this.rebuild(values, i);
      squares = this.sumSquares - (this.sum * this.sum) / n;
    }
    const sxy = this.weighted - ((n - 1) / 2) * this.sum;
    this.mean = this.anchor + this.sum / n;
    this.slope = sxy / this.sxx;
    this.r2 = Math.min(1, (sxy * sxy) / (this.sxx * squares));
  }

  private rebuild(values: Float64Array, i: number): void {
    const n = this.n;
    const base = values[i];
    let sum = 0;
    for (let j = i - n + 1; j <= i; j++) sum += values[j] - base;
    const anchor = base + sum / n;
    const first = i - n + 1;
    sum = 0;
    let weighted = 0;
    let squares = 0;
    for (let k = 0; k < n; k++) {
      const d = values[first + k] - anchor;
      sum += d;
      weighted += k * d;
      squares += d * d;
    }
    this.anchor = anchor;
    this.sum = sum;
    this.weighted = weighted;
    this.sumSquares = squares;
    this.peak = squares;
    this.left = REBUILD;
  }
}
