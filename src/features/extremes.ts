/** The largest of the last n values and how long ago it was; the newest one counts among equals. */
export class Highest {
  readonly n: number;
  seen = 0;
  value = Number.NEGATIVE_INFINITY;
  /** Bars since `value`, 0 = the current one. */
  age = 0;

  constructor(n: number) {
    this.n = n;
  }

  update(values: Float64Array, i: number): number {
    const x = values[i];
    if (this.seen < this.n) this.seen++;
    if (x >= this.value) {
      this.value = x;
      this.age = 0;
      return x;
    }
    if (++this.age >= this.n) this.rescan(values, i);
    return this.value;
  }

  private rescan(values: Float64Array, i: number): void {
    let best = values[i];
    let at = i;
    for (let j = i - 1; j > i - this.n; j--) {
      if (values[j] > best) {
        best = values[j];
        at = j;
      }
    }
    this.value = best;
    this.age = i - at;
  }
}

/** The smallest of the last n values and how long ago it was; the newest one counts among equals. */
export class Lowest {
  readonly n: number;
  seen = 0;
  value = Number.POSITIVE_INFINITY;
  /** Bars since `value`, 0 = the current one. */
  age = 0;

  constructor(n: number) {
    this.n = n;
  }

  update(values: Float64Array, i: number): number {
    const x = values[i];
    if (this.seen < this.n) this.seen++;
    if (x <= this.value) {
      this.value = x;
      this.age = 0;
      return x;
    }
    if (++this.age >= this.n) this.rescan(values, i);
    return this.value;
  }

  private rescan(values: Float64Array, i: number): void {
    let best = values[i];
    let at = i;
    for (let j = i - 1; j > i - this.n; j--) {
      if (values[j] < best) {
        best = values[j];
        at = j;
      }
    }
    this.value = best;
    this.age = i - at;
  }
}

/** Median of the last n values by a sorted copy of the window. What is not a number counts as infinite. */
export class WindowMedian {
  readonly n: number;
  seen = 0;
  private sorted: Float64Array;

  constructor(n: number) {
    this.n = n;
    this.sorted = new Float64Array(n);
  }

  /** The median, or NaN while fewer than n values have come. */
  update(values: Float64Array, i: number): number {
    const x = Number.isNaN(values[i]) ? Number.POSITIVE_INFINITY : values[i];
    const sorted = this.sorted;
    let at: number;
    if (this.seen < this.n) {
      at = this.seen++;
    } else {
      const old = Number.isNaN(values[i - this.n]) ? Number.POSITIVE_INFINITY : values[i - this.n];
      at = this.find(old);
    }
    // Move the hole left behind to where x belongs.
    const last = this.seen - 1;
    while (at > 0 && sorted[at - 1] > x) {
      sorted[at] = sorted[at - 1];
      at--;
    }
    while (at < last && sorted[at + 1] < x) {
      sorted[at] = sorted[at + 1];
      at++;
    }
    sorted[at] = x;
    if (this.seen < this.n) return Number.NaN;
    const half = this.n >> 1;
    return this.n % 2 === 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
  }

  /** Index of `x`, which is in the sorted window. */
  private find(x: number): number {
    let low = 0;
    let high = this.n - 1;
    while (low < high) {
      const mid = (low + high) >> 1;
      if (this.sorted[mid] < x) low = mid + 1;
      else high = mid;
    }
    return low;
  }
}
