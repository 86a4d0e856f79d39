/** One value in, one value out: the recursive averages that larger kernels are made of. NaN until defined. */

/** EMA: alpha 2/(n+1), seeded with the simple mean of the first n values. Exact on constant input. */
export class EmaLine {
  readonly n: number;
  readonly alpha: number;
  seen = 0;
  private sum = 0;
  value = Number.NaN;

  constructor(n: number) {
    this.n = n;
    this.alpha = 2 / (n + 1);
  }

  next(x: number): number {
    if (this.seen < this.n) {
      this.sum += x;
      if (++this.seen === this.n) this.value = this.sum / this.n;
      return this.value;
    }
    this.value += this.alpha * (x - this.value);
    return this.value;
  }
}

/** Wilder's average: simple mean of the first n values, then (previous * (n-1) + x) / n. */
export class WilderLine {
  readonly n: number;
  seen = 0;
  /** n times the average. */
  sum = 0;

  constructor(n: number) {
    this.n = n;
  }

  next(x: number): number {
    if (this.seen < this.n) {
      this.sum += x;
      this.seen++;
      return this.seen === this.n ? this.sum / this.n : Number.NaN;
    }
    this.sum += x - this.sum / this.n;
    return this.sum / this.n;
  }
}

/** RSI (Wilder 1978): the first change is that of the second value; 0 where nothing has ever moved, as TA-Lib. */
export class RsiLine {
  readonly n: number;
  readonly decay: number;
  seen = 0;
  last = 0;
  gains = 0;
  losses = 0;

  constructor(n: number) {
    this.n = n;
    this.decay = (n - 1) / n;
  }

  next(x: number): number {
    const d = x - this.last;
    this.last = x;
    if (this.seen <= this.n) {
      if (this.seen++ === 0) return Number.NaN;
      const size = Math.abs(d);
      this.gains += (size + d) / 2;
      this.losses += (size - d) / 2;
      if (this.seen <= this.n) return Number.NaN;
    } else {
      const size = Math.abs(d);
      this.gains = this.gains * this.decay + (size + d) / 2;
      this.losses = this.losses * this.decay + (size - d) / 2;
    }
    const moves = this.gains + this.losses;
    return moves > 0 ? 100 * (this.gains / moves) : 0;
  }

  /** The newest value; of no meaning before there is one. */
  get value(): number {
    const moves = this.gains + this.losses;
    return moves > 0 ? 100 * (this.gains / moves) : 0;
  }

  /** As {@link next} for rows from..to-1 of `values`, into `out` from `at` on, once there is a value. */
  fill(values: Float64Array, out: Float64Array, from: number, to: number, at: number): void {
    const { decay } = this;
    let { gains, losses, last } = this;
    for (let i = from, k = at; i < to; i++, k++) {
      const d = values[i] - last;
      const size = Math.abs(d);
      last = values[i];
      gains = gains * decay + (size + d) / 2;
      losses = losses * decay + (size - d) / 2;
      const moves = gains + losses;
      out[k] = moves > 0 ? 100 * (gains / moves) : 0;
    }
    this.gains = gains;
    this.losses = losses;
    this.last = last;
  }
}

/** True range (Wilder 1978) against the previous close. */
export function trueRange(high: number, low: number, previousClose: number): number {
  // Comparisons of finite numbers, which the processor foresees; Math.max asks for more.
  let top = high;
  let bottom = low;
  if (previousClose > top) top = previousClose;
  if (previousClose < bottom) bottom = previousClose;
  return top - bottom;
}
