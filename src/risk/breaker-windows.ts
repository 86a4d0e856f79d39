import { MINUTE } from '#base';

/**
 * The highest equity of the last minutes: a queue of per-minute maxima, falling from head to tail. Amortised O(1)
 * per value, no allocation.
 */
export class HighestEquity {
  static readonly configuration = ['minutes'];
  private readonly minutes: number;
  private readonly minuteOf: Float64Array;
  private readonly highest: Float64Array;
  private head = 0;
  private count = 0;

  constructor(minutes: number) {
    this.minutes = minutes;
    // minutes + 1 distinct minutes can be inside the window at once
    this.minuteOf = new Float64Array(minutes + 2);
    this.highest = new Float64Array(minutes + 2);
  }

  /** Takes a value in and returns the highest of the window, this one included. Whole minutes leave together. */
  push(at: number, value: number): number {
    const { minuteOf, highest } = this;
    const size = minuteOf.length;
    const minute = Math.floor(at / MINUTE);
    while (this.count > 0 && minuteOf[this.head]! < minute - this.minutes) {
      this.head = (this.head + 1) % size;
      this.count -= 1;
    }
    while (this.count > 0 && highest[(this.head + this.count - 1) % size]! <= value) this.count -= 1;
    const last = (this.head + this.count - 1 + size) % size;
    if (this.count === 0 || minuteOf[last] !== minute) {
      const slot = (this.head + this.count) % size;
      minuteOf[slot] = minute;
      highest[slot] = value;
      this.count += 1;
    }
    return highest[this.head]!;
  }

  /** The highest of the window as it was at the newest value; NaN before any. */
  get current(): number {
    return this.count === 0 ? Number.NaN : this.highest[this.head]!;
  }

  clear(): void {
    this.count = 0;
  }
}

/** The last calls' latencies. */
export class LatencyMedian {
  private readonly values: Float64Array;
  private readonly sorted: Float64Array;
  private count = 0;

  constructor(calls: number) {
    this.values = new Float64Array(calls);
    this.sorted = new Float64Array(calls);
  }

  /** Takes a call in and returns the median of the last ones; of an even number the mean of the middle two. */
  push(latencyMs: number): number {
    const { values, sorted } = this;
    values[this.count % values.length] = latencyMs;
    this.count += 1;
    const n = Math.min(this.count, values.length);
    for (let i = 0; i < n; i++) {
      let j = i - 1;
      for (; j >= 0 && sorted[j]! > values[i]!; j--) sorted[j + 1] = sorted[j]!;
      sorted[j + 1] = values[i]!;
    }
    return this.current;
  }

  /** The median as it stands; NaN before any call. */
  get current(): number {
    const { sorted, values } = this;
    const n = Math.min(this.count, values.length);
    if (n === 0) return Number.NaN;
    const middle = n >> 1;
    return n % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
  }

  clear(): void {
    this.count = 0;
  }
}

const ORDERS = 256;

/** Outcomes of the last 256 orders with their times, for the failure rate of a window. */
export class OrderOutcomes {
  private readonly at = new Float64Array(ORDERS);
  private readonly failed = new Uint8Array(ORDERS);
  private count = 0;
  /** Of the newest call of {@link look}. */
  orders = 0;
  failures = 0;

  push(at: number, failed: boolean): void {
    const slot = this.count % ORDERS;
    this.at[slot] = at;
    this.failed[slot] = failed ? 1 : 0;
    this.count += 1;
  }

  /** The share of (at - windowMs, at] that failed, and of how many; for whoever only watches. */
  rateAt(at: number, windowMs: number): { readonly rate: number | null; readonly orders: number } {
    let orders = 0;
    let failures = 0;
    for (let i = 1; i <= Math.min(this.count, ORDERS); i++) {
      const slot = (this.count - i) % ORDERS;
      if (this.at[slot]! <= at - windowMs) break;
      orders += 1;
      failures += this.failed[slot]!;
    }
    return { rate: orders === 0 ? null : failures / orders, orders };
  }

  /** Counts orders and failures in (at - windowMs, at]. */
  look(at: number, windowMs: number): void {
    this.orders = 0;
    this.failures = 0;
    const kept = Math.min(this.count, ORDERS);
    for (let i = 1; i <= kept; i++) {
      const slot = (this.count - i) % ORDERS;
      if (this.at[slot]! <= at - windowMs) return;
      this.orders += 1;
      this.failures += this.failed[slot]!;
    }
  }

  clear(): void {
    this.count = 0;
  }
}
