/**
 * Running statistics over the last `n` values of an array. Each `update(values, i)` takes in `values[i]` and lets go
 * of `values[i - n]`, so the window lies in the array itself: a bar column, or a {@link History} for derived series.
 *
 * Sliding sums collect rounding errors in proportion to the largest sum they ever held. They are therefore rebuilt
 * from the window every 256 updates, and at once when the sum has become small against its peak. Both rules look
 * only at the values, so one call over a million rows and a million calls over one row give the same bits.
 */

/** Updates between two rebuilds of a running sum. */
export const REBUILD = 256;

/** A running sum below this share of its peak is rebuilt: the rounding errors of the peak would show in it. */
export const FADED = 1 / 64;

/** The last values of a derived series, contiguous in `values` and ending at `at`; at least `n` earlier ones are kept. */
export class History {
  values: Float64Array;
  /** Index of the newest value in `values`; -1 while empty. */
  at = -1;
  readonly keep: number;

  constructor(n: number) {
    this.keep = n;
    this.values = new Float64Array(n + Math.max(n, REBUILD) + 1);
  }

  /** Appends `x` and returns its index. */
  push(x: number): number {
    let at = this.at + 1;
    if (at === this.values.length) at = this.drop();
    this.values[at] = x;
    this.at = at;
    return at;
  }

  private drop(): number {
    this.values.copyWithin(0, this.values.length - this.keep);
    return this.keep;
  }
}

/** Sum of the last n values, all of one sign or of similar size. Exact zero when the window holds only zeros. */
export class WindowSum {
  readonly n: number;
  seen = 0;
  private sum = 0;
  private peak = 0;
  private left = REBUILD;

  constructor(n: number) {
    this.n = n;
  }

  /** The sum, or NaN while fewer than n values have come. */
  update(values: Float64Array, i: number): number {
    if (this.seen < this.n) {
      this.seen++;
      this.sum += values[i];
      if (this.sum > this.peak) this.peak = this.sum;
      return this.seen === this.n ? this.sum : Number.NaN;
    }
    const sum = this.sum + values[i] - values[i - this.n];
    if (sum > this.peak) this.peak = sum;
    // The negated form also catches NaN.
    if (--this.left === 0 || !(sum >= FADED * this.peak)) return this.rebuild(values, i);
    this.sum = sum;
    return sum;
  }

  private rebuild(values: Float64Array, i: number): number {
    let sum = 0;
    for (let j = i - this.n + 1; j <= i; j++) sum += values[j];
    this.sum = sum;
    this.peak = Math.max(sum, 0);
    this.left = REBUILD;
    return sum;
  }
}

/** Sum of the last n values of any sign. */
export class SignedSum {
  readonly n: number;
  seen = 0;
  private sum = 0;
  private left = REBUILD;

  constructor(n: number) {
    this.n = n;
  }

  /** The sum, or NaN while fewer than n values have come. */
  update(values: Float64Array, i: number): number {
    const full = this.seen === this.n;
    this.sum += full ? values[i] - values[i - this.n] : values[i];
    if (!full) this.seen++;
    if (--this.left === 0) {
      this.left = REBUILD;
      this.sum = 0;
      for (let j = i - this.seen + 1; j <= i; j++) this.sum += values[j];
    }
    return this.seen === this.n ? this.sum : Number.NaN;
  }
}

/** Mean of the last n values of a derived series, added up afresh each time: for windows of a few values. */
export class ShortMean {
  readonly n: number;
  seen = 0;
  private ring: Float64Array;
  private at = 0;

  constructor(n: number) {
    this.n = n;
    this.ring = new Float64Array(n);
  }

  /** The mean, or NaN while fewer than n values have come. */
  next(x: number): number {
    const { n, ring, at } = this;
    ring[at] = x;
    this.at = at + 1 === n ? 0 : at + 1;
    if (this.seen < n && ++this.seen < n) return Number.NaN;
    let sum = 0;
    for (let j = 0; j < n; j++) sum += ring[j];
    return sum / n;
  }
}
