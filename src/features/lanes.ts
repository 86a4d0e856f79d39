import { wasmMemory, wasmOver } from '#base';
import type { BarColumns } from '#market';
import { BLOCK } from './kernel.ts';
import { asFunction } from './lane-assembler.ts';
import { laneRoutines } from './lane-routines.ts';

/** Longest window of a block; longer ones go row by row. */
export const REACH = 512;

/**
 * Values of one region: half a block of pairs with two windows before and one after it, or a block of values. Not a
 * multiple of the cache's stride.
 */
const REGION = BLOCK + REACH + 64;
const REGIONS = 6;
/** Values of a routine's state, and of what it leaves beside. */
const STATE = 16;

interface Routines {
  higher(to: number, a: number, b: number, end: number): void;
  lower(to: number, a: number, b: number, end: number): void;
  windowSums(to: number, values: number, tails: number, n: number, end: number): void;
  newestHighest(values: number, positions: number, shift: number, end: number): void;
  newestLowest(values: number, positions: number, shift: number, end: number): void;
  shares(to: number, pairs: number, end: number): void;
  ultimate(to: number, short: number, middle: number, long: number, end: number): void;
  trail(
    tops: number,
    bottoms: number,
    to: number,
    end: number,
    state: number,
    step: number,
    limit: number,
  ): void;
  distances(
    to: number,
    end: number,
    values: number,
    means: number,
    anchors: number,
    n: number,
    odd: number,
  ): void;
  deviations(at: number, end: number, n: number, factor: number): void;
  bands(at: number, end: number, values: number, n: number, factor: number): void;
  moments(
    state: number,
    values: number,
    old: number,
    end: number,
    means: number,
    squares: number,
    n: number,
  ): void;
  momentPairs: Routines['moments'];
}

/**
 * Six regions of memory and loops over them that take two values at a time, for spans of many rows: a compiled loop
 * over an array takes one, and branches on every comparison. The results have the bits of the same work row by row,
 * maxima included (`Math.max`). It holds nothing between two calls of a kernel.
 */
export class Lanes {
  /** Addresses of the regions, in bytes. */
  readonly first = 0;
  readonly second = 8 * REGION;
  readonly third = 16 * REGION;
  readonly fourth = 24 * REGION;
  readonly fifth = 32 * REGION;
  readonly sixth = 40 * REGION;
  readonly state = 48 * REGION;
  /** The memory as values; region r begins at address / 8. */
  readonly values: Float64Array;
  private readonly routines: Routines;
  /** A view of the first block of each region: making one costs as much as copying a block. */
  private readonly blocks: readonly Float64Array[];

  constructor() {
    const memory = wasmMemory(8 * (REGIONS * REGION + STATE));
    this.routines = wasmOver(memory, laneRoutines(8 * REGION).map(asFunction)) as unknown as Routines;
    const values = new Float64Array(memory.buffer);
    this.values = values;
    this.blocks = Array.from({ length: REGIONS }, (_, r) => values.subarray(r * REGION, r * REGION + BLOCK));
  }

  /** Copies rows from..to-1 of a column to an address. */
  take(column: Float64Array, from: number, to: number, at: number): void {
    this.values.set(column.subarray(from, to), at / 8);
  }

  /** Copies `rows` values from the start of a region to a column's rows from `row` on. */
  give(region: number, rows: number, column: Float64Array, row: number): void {
    const at = region / 8;
    column.set(rows === BLOCK ? this.blocks[at / REGION]! : this.values.subarray(at, at + rows), row);
  }

  /** Makes of each of the values at `at` the largest of it and the n - 1 after it; `rows` of them are right. */
  highest(at: number, rows: number, n: number): void {
    const { routines } = this;
    const end = at + 8 * (rows + n);
    let wide = 1;
    for (; 2 * wide <= n; wide *= 2) routines.higher(at, at, at + 8 * wide, end - 16 * wide);
    if (wide < n) routines.higher(at, at, at + 8 * (n - wide), at + 8 * rows);
  }

  /** The smallest, as {@link highest}. */
  lowest(at: number, rows: number, n: number): void {
    const { routines } = this;
    const end = at + 8 * (rows + n);
    let wide = 1;
    for (; 2 * wide <= n; wide *= 2) routines.lower(at, at, at + 8 * wide, end - 16 * wide);
    if (wide < n) routines.lower(at, at, at + 8 * (n - wide), at + 8 * rows);
  }

  /**
   * As {@link highest}, and makes of the numbers 0, 1, 2, ... at `positions` where those stand; among equals the last.
   */
  newestHighest(at: number, positions: number, rows: number, n: number): void {
    const { routines } = this;
    const end = at + 8 * (rows + n);
    let wide = 1;
    for (; 2 * wide <= n; wide *= 2) routines.newestHighest(at, positions, 8 * wide, end - 16 * wide);
    if (wide < n) routines.newestHighest(at, positions, 8 * (n - wide), at + 8 * rows);
  }

  /** As {@link newestHighest} for the smallest. */
  newestLowest(at: number, positions: number, rows: number, n: number): void {
    const { routines } = this;
    const end = at + 8 * (rows + n);
    let wide = 1;
    for (; 2 * wide <= n; wide *= 2) routines.newestLowest(at, positions, 8 * wide, end - 16 * wide);
    if (wide < n) routines.newestLowest(at, positions, 8 * (n - wide), at + 8 * rows);
  }

  /** Writes the numbers 0, 1, 2, ... */
  count(at: number, rows: number): void {
    for (let k = 0; k < rows; k++) this.values[at / 8 + k] = k;
  }

  /** to = the first over the second of each pair, 0 where the second is 0. */
  shares(to: number, pairs: number, rows: number): void {
    this.routines.shares(to, pairs, to + 8 * rows);
  }

  /** to = (100 * (4 * short + 2 * middle + long)) / 7 for as many values. */
  ultimate(to: number, short: number, middle: number, long: number, rows: number): void {
    this.routines.ultimate(to, short, middle, long, to + 8 * rows);
  }

  /**
   * Sums of |value - anchor - mean| over the n values up to each one from `values` on, a mean and an anchor for each sum.
   * Added in two halves, as `Cci` does.
   */
  distances(to: number, rows: number, values: number, means: number, anchors: number, n: number): void {
    const odd = n % 2;
    this.routines.distances(to, to + 8 * rows, values, means, anchors, 8 * (n - odd), odd);
  }

  /**
   * The parabolic stop over highs and lows, with one more before them; see `trail` in the module for its `state`. For a
   * short position lows are `tops`.
   */
  trail(tops: number, bottoms: number, to: number, rows: number, step: number, limit: number): void {
    this.routines.trail(tops, bottoms, to, to + 8 * rows, this.state, step, limit);
  }

  /** Makes factor * sqrt(squares / n) of the squares at `at`. */
  deviations(at: number, rows: number, n: number, factor: number): void {
    this.routines.deviations(at, at + 8 * rows, n, factor);
  }

  /**
   * Bollinger bands of values with their means and squares in the second and the third region: the first five then hold
   * upper, middle, lower, position in the bands and width.
   */
  bands(values: number, rows: number, n: number, factor: number): void {
    this.routines.bands(this.first, this.first + 8 * rows, values, n, factor);
  }

  /**
   * As {@link moments}, two values at a time, for an even number of rows. Returns whether it took them: not where one of
   * them might be one to stop before. The state is then as it was.
   */
  momentPairs(values: number, rows: number, means: number, squares: number, n: number): boolean {
    const memory = this.values;
    const at = this.state / 8;
    this.routines.momentPairs(this.state, values, values - 8 * n, values + 8 * rows, means, squares, n);
    const peak = Math.max(memory[at + 10], memory[at + 11]);
    // What is not a number is left out of the least, but every square after it is none either.
    const limit = 1e-4 * peak;
    const least = Math.min(memory[at + 12], memory[at + 13]);
    if (!(least >= limit && memory[squares / 8 + rows - 1] >= limit)) return false;
    memory[at + 1] = memory[at + 8];
    memory[at + 2] = memory[at + 9];
    memory[at + 3] = peak;
    return true;
  }

  /**
   * The loop of `Moments` over values at an address, with those that leave the window n before them; means and squares
   * go to addresses. `state` holds anchor, sum, sum of squares and peak. Returns how many values it took.
   */
  moments(values: number, rows: number, means: number, squares: number, n: number): number {
    const { state } = this;
    this.routines.moments(state, values, values - 8 * n, values + 8 * rows, means, squares, n);
    return (this.values[state / 8 + 4] - values) / 8;
  }

  /**
   * Sums of the last n pairs of values, added up as `WindowSum` does when its blocks begin at `values`. `tails` is a
   * region to work in. The first n pairs of the result are not sums.
   */
  windowSums(to: number, values: number, tails: number, n: number, pairs: number): void {
    this.routines.windowSums(to, values, tails, 16 * n, to + 16 * pairs);
  }
}

/** Whether a span of rows is long enough for blocks with a window of n. */
export function fillsBlocks(n: number, rows: number): boolean {
  return rows >= 64 + 4 * n && n <= REACH;
}

interface BlockKernel {
  blocks(bars: BarColumns, out: readonly Float64Array[], from: number, to: number): void;
}

/** Calls `blocks` from a place that many kernels share, so that the compiler keeps it out of the work on single rows. */
export function throughBlocks(
  kernel: BlockKernel,
  bars: BarColumns,
  out: readonly Float64Array[],
  from: number,
  to: number,
): void {
  kernel.blocks(bars, out, from, to);
}

let made: Lanes | undefined;

/** The lanes of this thread, made when they are first needed. */
export function lanes(): Lanes {
  made ??= new Lanes();
  return made;
}
