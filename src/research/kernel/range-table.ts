/**
 * Greatest and least of any stretch of some values in a few steps: a table of the extremes of all stretches of 1, 2, 4, ...
 * values (Bender and Farach-Colton 2000). Filling costs two comparisons a value and level.
 */
export class RangeTable {
  readonly rows: number;
  /**
   * Of the stretch of 2^k values that begins at a row, at `2 * (k * rows + row)`: the greatest and, with its sign changed,
   * the least, so that the greater of two entries is the answer for both.
   */
  private readonly extremes: Float64Array | Int32Array;
  /** First row taken. */
  private from = 0;

  /** Numbers that a table of so many rows takes. */
  static size(rows: number): number {
    return 2 * rows * (32 - Math.clz32(Math.max(1, rows)));
  }

  /** Whole numbers of 32 bits may be kept in room of their own. */
  constructor(rows: number, room: Int32Array | null = null) {
    this.rows = rows;
    this.extremes = room ?? new Float64Array(RangeTable.size(rows));
  }

  /** Takes rows [from, to) of both columns, the second one for the least. */
  fill(highs: Float64Array, lows: Float64Array, from: number, to: number): void {
    const { extremes, rows } = this;
    this.from = from;
    const n = to - from;
    for (let i = 0; i < n; i++) {
      extremes[2 * i] = highs[from + i]!;
      extremes[2 * i + 1] = -lows[from + i]!;
    }
    for (let at = 2 * rows, half = 1; 2 * half <= n; at += 2 * rows, half *= 2) {
      const end = at + 2 * (n + 1 - 2 * half);
      for (let i = at; i < end; i++) {
        const one = extremes[i - 2 * rows]!;
        const behind = extremes[i - 2 * rows + 2 * half]!;
        extremes[i] = Math.max(one, behind);
      }
    }
  }

  /** The greatest of rows [from, to), which must not be empty. */
  max(from: number, to: number): number {
    return this.greatest(from, to, 0);
  }

  /** The least of rows [from, to), which must not be empty. */
  min(from: number, to: number): number {
    return -this.greatest(from, to, 1);
  }

  private greatest(from: number, to: number, which: 0 | 1): number {
    const { extremes } = this;
    const level = 31 - Math.clz32(to - from);
    const at = level * this.rows - this.from;
    const a = extremes[2 * (at + from) + which]!;
    const b = extremes[2 * (at + to - (1 << level)) + which]!;
    return Math.max(a, b);
  }
}
