/**
 * Greatest and least of any stretch of some values in a few steps: a table of the extremes of all stretches of 1, 2, 4, ...
 * values (Bender and Farach-Colton 2000). Filling costs two comparisons a value and level.
 */
export class RangeTable {
  /** Extremes of stretches of 2^k values that begin at a row: at `k * rows + row`. */
  readonly highest: Float64Array | Int32Array;
  readonly lowest: Float64Array | Int32Array;
  readonly rows: number;
  /** First row taken. */
  from = 0;

  /** `whole`: all values will be whole numbers of 32 bits, which take half the room in the processor's cache. */
  constructor(rows: number, whole: boolean) {
    const levels = 32 - Math.clz32(Math.max(1, rows));
    this.rows = rows;
    const kind = whole ? Int32Array : Float64Array;
    this.highest = new kind(levels * rows);
    this.lowest = new kind(levels * rows);
  }

  /** Takes rows [from, to) of both columns, the second one for the least. */
  fill(highs: Float64Array, lows: Float64Array, from: number, to: number): void {
    const { highest, lowest, rows } = this;
    this.from = from;
    const n = to - from;
    for (let i = 0; i < n; i++) {
      highest[i] = highs[from + i]!;
      lowest[i] = lows[from + i]!;
    }
    for (let at = rows, half = 1; 2 * half <= n; at += rows, half *= 2) {
      const below = at - rows;
      for (let i = 0; i + 2 * half <= n; i++) {
        const high = highest[below + i]!;
        const highBehind = highest[below + i + half]!;
        const low = lowest[below + i]!;
        const lowBehind = lowest[below + i + half]!;
        highest[at + i] = high > highBehind ? high : highBehind;
        lowest[at + i] = low < lowBehind ? low : lowBehind;
      }
    }
  }

  /** The greatest of rows [from, to), which must not be empty. */
  max(from: number, to: number): number {
    const level = 31 - Math.clz32(to - from);
    const at = level * this.rows - this.from;
    const a = this.highest[at + from]!;
    const b = this.highest[at + to - (1 << level)]!;
    return a > b ? a : b;
  }

  /** The least of rows [from, to), which must not be empty. */
  min(from: number, to: number): number {
    const level = 31 - Math.clz32(to - from);
    const at = level * this.rows - this.from;
    const a = this.lowest[at + from]!;
    const b = this.lowest[at + to - (1 << level)]!;
    return a < b ? a : b;
  }
}
