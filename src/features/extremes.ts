/**
 * The largest of the last n values. As in {@link WindowSum}, the window is the newest part of a block of n and a tail
 * of the block before: no branch depends on the values, and what a processor mispredicts costs more than a maximum.
 */
export class WindowMax {
  readonly n: number;
  /** Whether n values have come. */
  full = false;
  private ring: Float64Array;
  private at = 0;
  private front = Number.NEGATIVE_INFINITY;

  constructor(n: number) {
    this.n = n;
    this.ring = new Float64Array(n + 1).fill(Number.NEGATIVE_INFINITY);
  }

  /** The largest so far while fewer than n values have come. */
  next(x: number): number {
    const { ring, at } = this;
    const top = Math.max(this.front, x);
    ring[at] = x;
    if (at + 1 < this.n) {
      this.front = top;
      this.at = at + 1;
      return Math.max(top, ring[at + 1]);
    }
    for (let j = at - 1; j > 0; j--) ring[j] = Math.max(ring[j], ring[j + 1]);
    this.front = Number.NEGATIVE_INFINITY;
    this.at = 0;
    this.full = true;
    return top;
  }

  /** Takes in rows from..to-1, at least 2n of them, of which only the last ones leave a trace. */
  pass(values: Float64Array, from: number, to: number): void {
    const at = (this.at + to - from) % this.n;
    this.ring.fill(Number.NEGATIVE_INFINITY);
    this.front = Number.NEGATIVE_INFINITY;
    this.at = 0;
    for (let i = to - at - this.n; i < to; i++) this.next(values[i]);
  }
}

/** The smallest of the last n values, as {@link WindowMax}. */
export class WindowMin {
  readonly n: number;
  /** Whether n values have come. */
  full = false;
  private ring: Float64Array;
  private at = 0;
  private front = Number.POSITIVE_INFINITY;

  constructor(n: number) {
    this.n = n;
    this.ring = new Float64Array(n + 1).fill(Number.POSITIVE_INFINITY);
  }

  /** The smallest so far while fewer than n values have come. */
  next(x: number): number {
    const { ring, at } = this;
    const bottom = Math.min(this.front, x);
    ring[at] = x;
    if (at + 1 < this.n) {
      this.front = bottom;
      this.at = at + 1;
      return Math.min(bottom, ring[at + 1]);
    }
    for (let j = at - 1; j > 0; j--) ring[j] = Math.min(ring[j], ring[j + 1]);
    this.front = Number.POSITIVE_INFINITY;
    this.at = 0;
    this.full = true;
    return bottom;
  }

  /** As that of {@link WindowMax}. */
  pass(values: Float64Array, from: number, to: number): void {
    const at = (this.at + to - from) % this.n;
    this.ring.fill(Number.POSITIVE_INFINITY);
    this.front = Number.POSITIVE_INFINITY;
    this.at = 0;
    for (let i = to - at - this.n; i < to; i++) this.next(values[i]);
  }
}

/** How long ago the largest of the last n values was, 0 = it is the newest one; among equals the newest counts. */
export class HighestAge {
  readonly n: number;
  seen = 0;
  private value = Number.NEGATIVE_INFINITY;
  private age = 0;

  constructor(n: number) {
    this.n = n;
  }

  update(values: Float64Array, i: number): number {
    const x = values[i];
    if (this.seen < this.n) this.seen++;
    if (x >= this.value) {
      this.value = x;
      this.age = 0;
    } else if (++this.age >= this.n) this.rescan(values, i);
    return this.age;
  }

  /** What {@link update} knows after a row with this value and age. */
  pass(value: number, age: number): void {
    this.value = value;
    this.age = age;
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

/** How long ago the smallest of the last n values was, as {@link HighestAge}. */
export class LowestAge {
  readonly n: number;
  seen = 0;
  private value = Number.POSITIVE_INFINITY;
  private age = 0;

  constructor(n: number) {
    this.n = n;
  }

  update(values: Float64Array, i: number): number {
    const x = values[i];
    if (this.seen < this.n) this.seen++;
    if (x <= this.value) {
      this.value = x;
      this.age = 0;
    } else if (++this.age >= this.n) this.rescan(values, i);
    return this.age;
  }

  /** What {@link update} knows after a row with this value and age. */
  pass(value: number, age: number): void {
    this.value = value;
    this.age = age;
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
