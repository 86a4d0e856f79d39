import { Chance } from '#base';
import type { BoostingHand } from './boosting-hand.ts';
import { CONTROL } from './control-words.ts';

export interface DrawnColumns {
  /** Places among the columns of the tree, rising. */
  readonly places: Int32Array;
  readonly count: number;
}

/** So many of a share, at least one, as XGBoost counts. */
export const shareOf = (share: number, count: number): number => Math.max(1, Math.floor(share * count));

/** Puts `count` of the first `among` numbers, drawn without replacement, to the front of `numbers`, rising. */
export function drawRising(numbers: Int32Array, among: number, count: number, chance: Chance): void {
  for (let i = 0; i < count; i++) {
    const other = i + chance.below(among - i);
    const kept = numbers[i]!;
    numbers[i] = numbers[other]!;
    numbers[other] = kept;
  }
  numbers.subarray(0, count).sort();
}

/**
 * The columns that a node may be split on. What is drawn depends on seed, tree, level and the node's place in the tree alone,
 * not on the order in which nodes are grown.
 */
export class ColumnDraw {
  private readonly seed: string;
  private readonly levelCount: number;
  private readonly nodeCount: number;
  private readonly levels: readonly Int32Array[];
  private readonly drawn: boolean[];
  private readonly node: Int32Array;
  private readonly hand: BoostingHand;
  private readonly answer: { places: Int32Array; count: number };

  constructor(hand: BoostingHand) {
    this.hand = hand;
    const { settings, columns } = hand.plan;
    this.seed = settings.seed;
    this.levelCount = shareOf(settings.colsampleByLevel, columns);
    this.nodeCount = shareOf(settings.colsampleByNode, this.levelCount);
    this.levels = Array.from({ length: settings.maxDepth }, () => new Int32Array(columns));
    this.drawn = this.levels.map(() => false);
    this.node = new Int32Array(this.levelCount);
    this.answer = { places: this.node, count: this.nodeCount };
  }

  /** Before a tree: forgets the last one's levels. */
  begin(): void {
    this.drawn.fill(false);
  }

  /** Valid until it is called again. */
  of(depth: number, path: number): DrawnColumns {
    const { columns } = this.hand.plan;
    const level = this.levels[depth]!;
    if (!this.drawn[depth]) {
      for (let i = 0; i < columns; i++) level[i] = i;
      if (this.levelCount < columns)
        drawRising(level, columns, this.levelCount, this.chance(`level ${depth}`));
      this.drawn[depth] = true;
    }
    this.answer.places = level;
    if (this.nodeCount < this.levelCount) {
      this.node.set(level.subarray(0, this.levelCount));
      drawRising(this.node, this.levelCount, this.nodeCount, this.chance(`node ${path}`));
      this.answer.places = this.node;
    }
    return this.answer;
  }

  private chance(what: string): Chance {
    return new Chance(`${this.seed}/tree ${this.tree()}/${what}`);
  }

  /** The number of the tree at work. */
  private tree(): number {
    return this.hand.words[(this.hand.plan.at.control >>> 2) + CONTROL.tree]!;
  }
}
