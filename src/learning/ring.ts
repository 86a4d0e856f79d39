/** The last `capacity` numbers, oldest first on reading. */
export class NumberRing {
  private readonly values: Float64Array;
  private next = 0;
  private filled = 0;

  constructor(capacity: number) {
    this.values = new Float64Array(capacity);
  }

  get length(): number {
    return this.filled;
  }

  push(value: number): void {
    this.values[this.next] = value;
    this.next = (this.next + 1) % this.values.length;
    if (this.filled < this.values.length) this.filled += 1;
  }

  /** The value `back` places before the newest (0 is the newest). */
  fromEnd(back: number): number {
    const size = this.values.length;
    return this.values[(this.next - 1 - back + 2 * size) % size]!;
  }

  /** The last `count` values after leaving out the newest `skip`, oldest first; fewer when there are fewer. */
  last(count: number, skip = 0): Float64Array {
    const n = Math.max(0, Math.min(count, this.filled - skip));
    const out = new Float64Array(n);
    for (let i = 0; i < n; i++) out[i] = this.fromEnd(skip + n - 1 - i);
    return out;
  }

  clear(): void {
    this.next = 0;
    this.filled = 0;
  }
}
