import type { BlockTable } from './block-table.ts';
import { moves } from './moments.ts';

export type HalfMeasure = 'sharpe' | 'mean';

/**
 * Every choice of half the blocks as a bit mask, upward. The complement of the i-th stands at the i-th place from
 * the end.
 */
export function halvesOf(blocks: number): Uint32Array {
  const out: number[] = [];
  for (let mask = 0; mask < 2 ** blocks; mask++) if (bitCount(mask) === blocks / 2) out.push(mask);
  return Uint32Array.from(out);
}

function bitCount(mask: number): number {
  let count = 0;
  for (let rest = mask; rest > 0; rest &= rest - 1) count += 1;
  return count;
}

/**
 * Performance of one strategy after the other on every half: per-period Sharpe ratio (ddof 1), or the mean. Masks
 * are cut in two and both parts' sums tabled, so a half costs two additions whatever the number of blocks, and its
 * value does not depend on which half was asked for before. A half that does not move has performance 0.
 */
export class HalfPerformance {
  readonly values: Float64Array;
  private readonly table: BlockTable;
  private readonly halves: Uint32Array;
  private readonly measure: HalfMeasure;
  private readonly bits: number;
  private readonly parts: readonly [Float64Array, Float64Array, Float64Array, Float64Array];

  constructor(table: BlockTable, halves: Uint32Array, measure: HalfMeasure) {
    this.table = table;
    this.halves = halves;
    this.measure = measure;
    this.bits = table.blocks / 2;
    const size = 2 ** this.bits;
    this.parts = [
      new Float64Array(size),
      new Float64Array(size),
      new Float64Array(size),
      new Float64Array(size),
    ];
    this.values = new Float64Array(halves.length);
  }

  /** Fills {@link values} for a strategy. */
  of(strategy: number): void {
    const { table, halves, values, bits } = this;
    const [lowSums, lowSquares, highSums, highSquares] = this.parts;
    this.tabulate(strategy, 0, lowSums, lowSquares);
    this.tabulate(strategy, bits, highSums, highSquares);
    const center = table.center(strategy);
    const n = bits * table.blockLength;
    const low = 2 ** bits - 1;
    if (this.measure === 'mean') {
      for (let i = 0; i < halves.length; i++)
        values[i] = center + (lowSums[halves[i]! & low]! + highSums[halves[i]! >>> bits]!) / n;
      return;
    }
    for (let i = 0; i < halves.length; i++) {
      const mask = halves[i]!;
      const sum = lowSums[mask & low]! + highSums[mask >>> bits]!;
      const square = lowSquares[mask & low]! + highSquares[mask >>> bits]!;
      const mean = center + sum / n;
      const sd = Math.sqrt((square - (sum * sum) / n) / (n - 1));
      values[i] = moves(mean, sd) ? mean / sd : 0;
    }
  }

  /** Sums of every union of `bits` blocks from `first` on. */
  private tabulate(strategy: number, first: number, sums: Float64Array, squares: Float64Array): void {
    const { table } = this;
    for (let mask = 1; mask < sums.length; mask++) {
      const top = 31 - Math.clz32(mask);
      const rest = mask ^ (1 << top);
      sums[mask] = sums[rest]! + table.sum(strategy, first + top);
      squares[mask] = squares[rest]! + table.square(strategy, first + top);
    }
  }
}
