/**
 * Statistics over the last `n` values. What is given `values` and `i` reads its window from the array itself: a bar
 * column, or a {@link History} for derived series. What is given a value keeps what it needs.
 *
 * Sums that let go of old values collect rounding errors in proportion to the largest sum they ever held. They are
 * therefore rebuilt from the window every 256 updates, and at once when the sum has become small against its peak.
 * Both rules look only at the values, so one call over a million rows and a million calls over one row give the same
 * bits.
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

/**
 * Sum of the last n values. Values come in blocks of n: the window is the newest part of this block and a tail of the
 * one before, whose sums are made once when a block ends. Nothing is ever subtracted, so no rounding error outlives
 * its value, and a window of zeros sums to exactly zero.
 */
export class WindowSum {
  readonly n: number;
  /** Whether n values have come. */
  full = false;
  /** Before `at` the values of this block, from `at` on the tail sums of the one before; a zero at the end. */
  private ring: Float64Array;
  private at = 0;
  private front = 0;

  constructor(n: number) {
    this.n = n;
    this.ring = new Float64Array(n + 1);
  }

  /** The sum, or NaN while fewer than n values have come. */
  next(x: number): number {
    const { ring, at } = this;
    const sum = this.front + x;
    ring[at] = x;
    if (at + 1 < this.n) {
      this.front = sum;
      this.at = at + 1;
      return this.full ? sum + ring[at + 1] : Number.NaN;
    }
    for (let j = at - 1; j > 0; j--) ring[j] += ring[j + 1];
    this.front = 0;
    this.at = 0;
    this.full = true;
    return sum;
  }

  /** How many values of the block have come. */
  get place(): number {
    return this.at;
  }

  /**
   * Takes in `count` values, at least 2n, of which only the last ones leave a trace: every second one of `values` up to
   * and including the one at `last`.
   */
  pass(values: Float64Array, last: number, count: number): void {
    const at = (this.at + count) % this.n;
    this.ring.fill(0);
    this.front = 0;
    this.at = 0;
    for (let k = at + this.n - 1; k >= 0; k--) this.next(values[last - 2 * k]);
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

  /** As {@link next} for rows from..to-1 of `values`, once n values have come. */
  fill(values: Float64Array, out: Float64Array, from: number, to: number): void {
    let i = from;
    if (this.n === 3) {
      const aligned = Math.min(to, from + 3 + ((3 - this.at) % 3));
      for (; i < aligned; i++) out[i] = this.next(values[i]);
      if (to - i >= 3) i = this.threes(values, out, i, to);
    }
    for (; i < to; i++) out[i] = this.next(values[i]);
  }

  /** Means of three, the usual length, while the ring need not turn; the order of the additions is that of the ring. */
  private threes(values: Float64Array, out: Float64Array, from: number, to: number): number {
    let b = values[from - 2];
    let c = values[from - 1];
    let i = from;
    for (; i + 2 < to; i += 3) {
      const a = values[i];
      out[i] = (a + b + c) / 3;
      b = values[i + 1];
      out[i + 1] = (a + b + c) / 3;
      c = values[i + 2];
      out[i + 2] = (a + b + c) / 3;
    }
    for (let j = 0; j < 3; j++) this.ring[j] = values[i - 3 + j];
    return i;
  }
}
