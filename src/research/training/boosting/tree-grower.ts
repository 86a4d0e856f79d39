import type { BoostingHand } from './boosting-hand.ts';
import { BLOCK_ROWS } from './boosting-plan.ts';
import { ColumnDraw } from './column-draw.ts';
import { CONTROL, CONTROL_DOUBLE, NODE, NODE_DOUBLE, NODE_DOUBLES, NODE_WORDS } from './control-words.ts';
import { BIN_BYTES, CHOSEN_AT_ONCE, COLUMNS_AT_ONCE } from './row-kernels.ts';
import { SplitFinder } from './split-finder.ts';

/** A node that may be split: rows [from, to) of the list, sums in units, the bounds that constraints set its value. */
export interface OpenNode {
  readonly node: number;
  readonly from: number;
  readonly to: number;
  readonly depth: number;
  /** Its place in a full tree: 1 for the root, 2p and 2p + 1 below p. */
  readonly path: number;
  readonly first: number;
  readonly second: number;
  readonly lower: number;
  readonly upper: number;
  /** Byte address of its histogram. */
  readonly histogram: number;
}

type Side = Pick<OpenNode, 'first' | 'second' | 'lower' | 'upper'>;

/** A node whose split is written down; of what comes left, then right. */
export interface DividedNode {
  /** The left child; the right one is the next. */
  readonly node: number;
  readonly column: number;
  /** Bins up to this one go left, and the one in `missing`. */
  readonly bin: number;
  readonly missing: number;
  readonly sides: readonly [Side, Side];
  /** Whether the child may be split further. */
  readonly grows: readonly [boolean, boolean];
  /** What it adds to margins as a leaf. */
  readonly values: readonly [number, number];
}

export interface Child {
  readonly open: OpenNode;
  readonly grows: boolean;
  readonly value: number;
}

/** By their number of rows. */
export interface Children {
  readonly small: Child;
  readonly large: Child;
}

/** No bin: stands for missing values where those that are there share no bin with them. */
const NO_BIN = 256;

/** Grows trees below a node, in one thread, in the memory of all. */
export class TreeGrower {
  private readonly hand: BoostingHand;
  private readonly finder: SplitFinder;
  private readonly draw: ColumnDraw;
  private readonly isWhole: boolean;
  private readonly offsets: Int32Array;
  private tree = -1;
  private pairs = 0;
  private margins = 0;

  constructor(hand: BoostingHand) {
    this.hand = hand;
    this.draw = new ColumnDraw(hand);
    this.finder = new SplitFinder(hand, this.draw);
    const { columns, shape } = hand.plan;
    this.isWhole = columns === shape.features;
    this.offsets = new Int32Array(Math.ceil(columns / CHOSEN_AT_ONCE) * CHOSEN_AT_ONCE);
  }

  /** Takes up the tree that the control words name, if it is another one. */
  begin(): void {
    const { plan, words, doubles } = this.hand;
    const { at, outputApart, columns } = plan;
    const control = at.control >>> 2;
    const tree = words[control + CONTROL.tree]!;
    if (tree === this.tree) return;
    this.tree = tree;
    const output = words[control + CONTROL.output]!;
    this.pairs = at.pairs + output * outputApart;
    this.margins = at.margins + output * outputApart;
    const units = at.doubles >>> 3;
    this.finder.setUnits({
      perFirst: doubles[units + CONTROL_DOUBLE.perFirst]!,
      perSecond: doubles[units + CONTROL_DOUBLE.perSecond]!,
    });
    this.draw.begin();
    for (let k = 0; k < this.offsets.length; k++) {
      this.offsets[k] = words[(at.chosen >>> 2) + Math.min(k, columns - 1)]!;
    }
  }

  /** Adds rows [from, to) of the list to a histogram. */
  count(from: number, to: number, histogram: number): void {
    const { plan, kernels, thread } = this.hand;
    const { at, stride, slots } = plan;
    const bins = at.blocks + thread * plan.blockBytes;
    const pairs = bins + BLOCK_ROWS * stride;
    const columnBytes = slots * BIN_BYTES;
    for (let row = from; row < to; row += BLOCK_ROWS) {
      const end = Math.min(to, row + BLOCK_ROWS);
      kernels.gather(at.rows + 4 * row, at.rows + 4 * end, at.rowBins, this.pairs, bins, pairs);
      const pairsEnd = pairs + (end - row) * BIN_BYTES;
      if (this.isWhole) this.countWhole(bins, pairs, pairsEnd, histogram, columnBytes);
      else this.countChosen(bins, pairs, pairsEnd, histogram, columnBytes);
    }
  }

  private countWhole(bins: number, pairs: number, end: number, histogram: number, bytes: number): void {
    const { plan, kernels } = this.hand;
    const { columns } = plan;
    let column = 0;
    for (; column + COLUMNS_AT_ONCE <= columns; column += COLUMNS_AT_ONCE) {
      kernels.countEight(bins + column, pairs, end, histogram + column * bytes);
    }
    if (column < columns) kernels.countRest(bins + column, pairs, end, histogram + column * bytes);
  }

  private countChosen(bins: number, pairs: number, end: number, histogram: number, bytes: number): void {
    const { offsets } = this;
    for (let k = 0; k < offsets.length; k += CHOSEN_AT_ONCE) {
      this.hand.kernels.countFour(
        ...([bins, pairs, end, histogram + k * bytes] as const),
        ...([offsets[k]!, offsets[k + 1]!, offsets[k + 2]!, offsets[k + 3]!] as const),
      );
    }
  }

  /** The root, over the first rows of the list; its histogram is complete. */
  root(rows: number, histogram: number): OpenNode {
    const { doubles, plan, words } = this.hand;
    const { at } = plan;
    // every row lies in some bin of a column, those with a missing value too
    const column = words[at.chosen >>> 2]!;
    const bins = words[(at.binCounts >>> 2) + column]! + words[(at.missing >>> 2) + column]!;
    let first = 0;
    let second = 0;
    for (let bin = 0, place = histogram >>> 3; bin < bins; bin++, place += 2) {
      first += doubles[place]!;
      second += doubles[place + 1]!;
    }
    this.write(0, second, this.finder.valueOf(first, second, -Infinity, Infinity));
    words[(at.control >>> 2) + CONTROL.nodes] = 1;
    return {
      ...{ node: 0, from: 0, to: rows, depth: 0, path: 1, histogram },
      ...{ first, second, lower: -Infinity, upper: Infinity },
    };
  }

  /** Grows all that comes below a node, up to the margins of its rows; `room` is the address of histograms that it may use. */
  grow(open: OpenNode, room: number): void {
    const pair = this.divide(open);
    if (pair === null) return;
    const { kernels, plan } = this.hand;
    const { at, histogramBytes } = plan;
    const { column, bin, missing } = pair;
    const [begin, end] = [at.rows + 4 * open.from, at.rows + 4 * open.to];
    // each thread has rows of its own, and so a stretch of the buffer
    const buffer = at.buffer + 4 * open.from;
    // an address: WebAssembly gives it a sign
    const half = kernels.part(begin, end, this.columnAt(column), bin, missing, begin, buffer) >>> 0;
    kernels.move(half, buffer, end - half);
    const middle = (half - at.rows) / 4;
    const { small, large } = this.childrenOf(open, pair, middle, room);
    if (small.grows || large.grows) {
      kernels.clear(room, histogramBytes);
      this.count(small.open.from, small.open.to, room);
    }
    if (large.grows) this.subtract(open.histogram, room);
    // the small one first: the large one then needs its parent's histogram alone
    this.follow(small, room + histogramBytes);
    this.follow(large, room);
  }

  /** Both children of a divided node, whose rows part at `middle`; the small one's histogram goes to `histogram`. */
  childrenOf(open: OpenNode, pair: DividedNode, middle: number, histogram: number): Children {
    const { from, to, depth, path } = open;
    const leftSmall = middle - from <= to - middle;
    const child = (side: 0 | 1): Child => {
      const isSmall = (side === 0) === leftSmall;
      const place = {
        ...{ node: pair.node + side, depth: depth + 1, path: 2 * path + side },
        ...(side === 0 ? { from, to: middle } : { from: middle, to }),
        histogram: isSmall ? histogram : open.histogram,
      };
      return { open: { ...place, ...pair.sides[side] }, grows: pair.grows[side], value: pair.values[side] };
    };
    const [left, right] = [child(0), child(1)];
    return leftSmall ? { small: left, large: right } : { small: right, large: left };
  }

  /** Grows a child further, or makes it the leaf that it is. */
  private follow({ open, grows, value }: Child, room: number): void {
    if (grows) this.grow(open, room);
    else this.lift(open, value);
  }

  /** target -= source, histograms. */
  subtract(target: number, source: number): void {
    this.hand.kernels.subtract(target, source, target + this.hand.plan.histogramBytes);
  }

  /**
   * Finds the split of a node and writes it and its two children down. Null where the node is a leaf, or its children are
   * and nothing is left to do: the margins of its rows are then raised.
   */
  divide(open: OpenNode): DividedNode | null {
    const { finder, hand } = this;
    const { settings } = hand.plan;
    const { histogram, depth, path, first, second, lower, upper } = open;
    if (!finder.find(histogram, depth, path, first, second, lower, upper)) {
      this.lift(open, this.leafOf(finder.valueOf(first, second, lower, upper)));
      return null;
    }
    const { column, bin, missingLeft, left, right } = finder;
    const { words, plan } = hand;
    const node = Atomics.add(words, (plan.at.control >>> 2) + CONTROL.nodes, 2);
    this.writeSplit(open.node, node);
    this.write(node, finder.second, left);
    this.write(node + 1, second - finder.second, right);
    const sides = this.sidesOf(open);
    const deeper = depth + 1 < settings.maxDepth;
    const grows = sides.map((side) => deeper && finder.mayDivide(side.second)) as [boolean, boolean];
    const missing =
      missingLeft && words[(plan.at.missing >>> 2) + column] === 1
        ? words[(plan.at.binCounts >>> 2) + column]!
        : NO_BIN;
    const values = [this.leafOf(left), this.leafOf(right)] as const;
    if (grows[0] || grows[1]) return { node, column, bin, missing, sides, grows, values };
    const { at } = plan;
    hand.kernels.liftApart(
      ...([at.rows + 4 * open.from, at.rows + 4 * open.to, this.columnAt(column), bin, missing] as const),
      ...([this.margins, ...values] as const),
    );
    return null;
  }

  /** Sums and bounds of both sides of the split that was found; children of a constrained one meet in the middle. */
  private sidesOf({ first, second, lower, upper }: OpenNode): readonly [Side, Side] {
    const { finder, hand } = this;
    const sign = hand.plan.settings.monotone[finder.column] ?? 0;
    const middle = (finder.left + finder.right) / 2;
    const rest = { first: first - finder.first, second: second - finder.second };
    return [
      {
        ...{ first: finder.first, second: finder.second },
        ...{ lower: sign < 0 ? middle : lower, upper: sign > 0 ? middle : upper },
      },
      { ...rest, lower: sign > 0 ? middle : lower, upper: sign < 0 ? middle : upper },
    ];
  }

  /** Raises the margins of a leaf's rows. */
  lift({ from, to }: OpenNode, value: number): void {
    const { at } = this.hand.plan;
    this.hand.kernels.lift(at.rows + 4 * from, at.rows + 4 * to, this.margins, value);
  }

  /** What a leaf of an optimal value adds, as the model will hold it. */
  private leafOf(value: number): number {
    return Math.fround(this.hand.plan.settings.eta * value);
  }

  /** Address of the bins of a column. */
  columnAt(column: number): number {
    const { at, shape } = this.hand.plan;
    return at.columnBins + column * shape.rows;
  }

  private write(node: number, second: number, value: number): void {
    const { words, doubles, plan } = this.hand;
    const word = (plan.at.nodes >>> 2) + node * NODE_WORDS;
    const double = (plan.at.nodeDoubles >>> 3) + node * NODE_DOUBLES;
    const perSecond = doubles[(plan.at.doubles >>> 3) + CONTROL_DOUBLE.perSecond]!;
    words[word + NODE.left] = -1;
    doubles[double + NODE_DOUBLE.gain] = 0;
    doubles[double + NODE_DOUBLE.value] = value;
    doubles[double + NODE_DOUBLE.cover] = second / perSecond;
  }

  /** The split that was found, leading to nodes `left` and the next one. */
  private writeSplit(node: number, left: number): void {
    const { words, doubles, plan } = this.hand;
    const { column, bin, missingLeft, gain } = this.finder;
    const word = (plan.at.nodes >>> 2) + node * NODE_WORDS;
    words[word + NODE.left] = left;
    words[word + NODE.right] = left + 1;
    words[word + NODE.column] = column;
    words[word + NODE.bin] = bin;
    words[word + NODE.missingLeft] = missingLeft ? 1 : 0;
    doubles[(plan.at.nodeDoubles >>> 3) + node * NODE_DOUBLES + NODE_DOUBLE.gain] = gain;
  }
}
