import { InputError } from '#base';

/** The smaller half of the block table's masks must fit a small array, and the list of halves into memory. */
const BLOCKS_MAX = 20;

/**
 * Sums of every strategy's returns per block of time: all that a Sharpe ratio of any union of blocks needs. A
 * strategy costs 16 bytes a block, whatever its length, so the returns themselves need not be kept.
 *
 * Blocks are contiguous and of equal length floor(periods / blocks); the oldest periods that do not fill a block are
 * left out. Returns are taken less the strategy's own mean before they are squared, so that a half's variance does
 * not cancel.
 */
export class BlockTable {
  readonly blocks: number;
  /** Of every strategy. */
  readonly periods: number;
  readonly blockLength: number;
  strategies = 0;
  private centers: Float64Array = new Float64Array(64);
  private sums: Float64Array;
  private squares: Float64Array;

  constructor(periods: number, blocks = 16) {
    if (!Number.isInteger(blocks) || blocks < 2 || blocks > BLOCKS_MAX || blocks % 2 !== 0)
      throw new InputError(`${blocks} blocks`, `give an even number from 2 to ${BLOCKS_MAX}`);
    if (!Number.isInteger(periods) || periods < blocks)
      throw new InputError(`${periods} periods for ${blocks} blocks`, 'give at least one period per block');
    this.blocks = blocks;
    this.periods = periods;
    this.blockLength = Math.floor(periods / blocks);
    this.sums = new Float64Array(64 * blocks);
    this.squares = new Float64Array(64 * blocks);
  }

  /** Takes a strategy's returns in (as many as every other's) and returns its number, from 0. */
  add(returns: ArrayLike<number>): number {
    const { blocks, blockLength } = this;
    if (returns.length !== this.periods)
      throw new InputError(`${returns.length} returns`, `every strategy needs ${this.periods}`);
    const first = this.periods - blocks * blockLength;
    const center = centerOf(returns, first);
    if (!Number.isFinite(center)) throw new InputError('a return is not finite', 'leave such strategies out');
    this.grow();
    const strategy = this.strategies++;
    this.centers[strategy] = center;
    for (let b = 0; b < blocks; b++) {
      let sum = 0;
      let square = 0;
      const from = first + b * blockLength;
      for (let i = from; i < from + blockLength; i++) {
        const d = returns[i]! - center;
        sum += d;
        square += d * d;
      }
      this.sums[strategy * blocks + b] = sum;
      this.squares[strategy * blocks + b] = square;
    }
    return strategy;
  }

  center(strategy: number): number {
    return this.centers[strategy]!;
  }

  /** Of returns less the center. */
  sum(strategy: number, block: number): number {
    return this.sums[strategy * this.blocks + block]!;
  }

  square(strategy: number, block: number): number {
    return this.squares[strategy * this.blocks + block]!;
  }

  private grow(): void {
    if (this.strategies < this.centers.length) return;
    this.centers = doubled(this.centers);
    this.sums = doubled(this.sums);
    this.squares = doubled(this.squares);
  }
}

function doubled(values: Float64Array): Float64Array {
  const out = new Float64Array(values.length * 2);
  out.set(values);
  return out;
}

function centerOf(returns: ArrayLike<number>, first: number): number {
  let sum = 0;
  for (let i = first; i < returns.length; i++) sum += returns[i]!;
  return sum / (returns.length - first);
}
