import { Chance } from '#base';
import { SLICE_ROWS } from './boosting-plan.ts';
import type { BoostingTeam } from './boosting-team.ts';
import { drawRising } from './column-draw.ts';
import { CONTROL, WAITING, WAITING_DOUBLE, WAITING_DOUBLES, WAITING_WORDS, WORK } from './control-words.ts';
import { PartWork, slicesOf } from './part-work.ts';
import type { Child, DividedNode, OpenNode } from './tree-grower.ts';

/** Waiting nodes per thread to aim for, so that the last of them is not waited for long. */
const NODES_PER_THREAD = 4;

/**
 * Grows one tree after the other with a team. The large nodes at the top are worked on by all threads together, then each
 * takes smaller ones with all that comes below. Sums are exact, so who does what cannot be seen in a tree.
 */
export class ForestLead {
  private readonly team: BoostingTeam;

  constructor(team: BoostingTeam) {
    this.team = team;
  }

  /** Grows tree number `tree` for an output, whose derivatives are written, and raises the margins of all rows. */
  grow(tree: number, output: number): void {
    const { team } = this;
    const { plan, words } = team.own.hand;
    this.tell(CONTROL.tree, tree);
    this.tell(CONTROL.output, output);
    this.drawColumns(tree);
    const sampled = this.drawRows(tree);
    this.tell(CONTROL.sampled, sampled);
    team.own.grower.begin();
    const histogram = plan.at.waiting;
    this.count(0, sampled, histogram);
    const root = team.own.grower.root(sampled, histogram);
    const waiting = team.threads === 1 ? [root] : this.openTop(root);
    this.hand(waiting);
    team.run(WORK.grow, waiting.length);
    const { rows, validationRows } = plan.shape;
    team.run(
      WORK.walk,
      slicesOf(rows - words[(plan.at.control >>> 2) + CONTROL.sampled]!) + slicesOf(validationRows),
    );
  }

  private tell(word: number, value: number): void {
    const { words, plan } = this.team.own.hand;
    words[(plan.at.control >>> 2) + word] = value;
  }

  private told(place: number): number {
    const { words, plan } = this.team.own.hand;
    return words[(plan.at.control >>> 2) + CONTROL.told + place]!;
  }

  private drawColumns(tree: number): void {
    const { hand } = this.team.own;
    const { columns, shape, settings } = hand.plan;
    const chosen = hand.wordsAt('chosen', shape.features);
    for (let i = 0; i < shape.features; i++) chosen[i] = i;
    if (columns === shape.features) return;
    drawRising(chosen, shape.features, columns, new Chance(`${settings.seed}/tree ${tree}/columns`));
  }

  /** Lists the rows, those that the tree sees first, in order; their number, at least one. */
  private drawRows(tree: number): number {
    const { hand } = this.team.own;
    const { at, shape, settings } = hand.plan;
    if (settings.subsample === 1) {
      hand.kernels.enumerate(at.rows, shape.rows);
      return shape.rows;
    }
    const chance = new Chance(`${settings.seed}/tree ${tree}/rows`);
    const below = settings.subsample * 2 ** 32;
    const list = hand.wordsAt('rows', shape.rows);
    const others = hand.wordsAt('buffer', shape.rows);
    let n = 0;
    let m = 0;
    for (let row = 0; row < shape.rows; row++) {
      if (chance.bits() < below) list[n++] = row;
      else others[m++] = row;
    }
    // a tree without rows has no sums: one row is drawn after all
    if (n === 0) {
      list[n++] = others[0]!;
      others.copyWithin(0, 1, m--);
    }
    list.set(others.subarray(0, m), n);
    return n;
  }

  /** The histogram of rows [from, to) of the list. */
  private count(from: number, to: number, histogram: number): void {
    const { team } = this;
    const { hand, grower } = team.own;
    const { plan, kernels } = hand;
    kernels.clear(histogram, plan.histogramBytes);
    const slices = slicesOf(to - from);
    if (team.threads === 1 || slices === 1) return grower.count(from, to, histogram);
    this.tell(CONTROL.from, from);
    this.tell(CONTROL.to, to);
    team.run(WORK.count, slices);
    const turn = hand.words[(plan.at.control >>> 2) + CONTROL.turn]!;
    for (let thread = 0; thread < team.threads; thread++) {
      if (this.told(thread) !== turn) continue;
      kernels.add(histogram, PartWork.ownHistogram(hand, thread), histogram + plan.histogramBytes);
    }
  }

  /** Splits the largest nodes until there is enough for every thread; gives those that wait to be grown, the largest first. */
  private openTop(root: OpenNode): OpenNode[] {
    const { team } = this;
    const { hand, grower } = team.own;
    const { plan } = hand;
    const enough = Math.max(SLICE_ROWS, (root.to - root.from) / (NODES_PER_THREAD * team.threads));
    const free = Array.from({ length: plan.waitingRoom - 1 }, (_, k) => k + 1);
    const waiting = [root];
    const place = (k: number) => plan.at.waiting + k * plan.histogramBytes;
    const release = ({ histogram }: OpenNode) =>
      free.push((histogram - plan.at.waiting) / plan.histogramBytes);
    const settle = ({ open, grows, value }: Child) => {
      if (grows) return waiting.push(open);
      grower.lift(open, value);
      return release(open);
    };
    while (waiting.length > 0 && free.length > 0) {
      waiting.sort((a, b) => b.to - b.from - (a.to - a.from) || a.from - b.from);
      const open = waiting[0]!;
      if (open.to - open.from <= enough) break;
      waiting.shift();
      const pair = grower.divide(open);
      if (pair === null) {
        release(open);
        continue;
      }
      const { small, large } = grower.childrenOf(open, pair, this.part(open, pair), place(free.pop()!));
      this.count(small.open.from, small.open.to, small.open.histogram);
      if (large.grows) grower.subtract(large.open.histogram, small.open.histogram);
      settle(small);
      settle(large);
    }
    return waiting;
  }

  /** Sorts a node's rows to the sides of its split; gives the first on the right. */
  private part({ from, to }: OpenNode, { column, bin, missing }: DividedNode): number {
    const { team } = this;
    const { kernels, plan } = team.own.hand;
    const { at } = plan;
    const parts = team.threads;
    for (const [word, value] of [
      [CONTROL.from, from],
      [CONTROL.to, to],
      [CONTROL.column, column],
      [CONTROL.bin, bin],
      [CONTROL.missing, missing],
    ] as const) {
      this.tell(word, value);
    }
    team.run(WORK.part, parts);
    const place = (k: number) => from + Math.floor(((to - from) * k) / parts);
    // what went left lies at the beginning of each part
    let middle = from;
    for (let part = 0; part < parts; part++) {
      const length = this.told(part) - place(part);
      kernels.move(at.rows + 4 * middle, at.rows + 4 * place(part), 4 * length);
      middle += length;
    }
    let end = middle;
    for (let part = 0; part < parts; part++) {
      const length = place(part + 1) - this.told(part);
      kernels.move(at.rows + 4 * end, at.buffer + 4 * place(part), 4 * length);
      end += length;
    }
    return middle;
  }

  /** Writes down the nodes that threads are to grow. */
  private hand(waiting: readonly OpenNode[]): void {
    const { words, doubles, plan } = this.team.own.hand;
    const { at, histogramBytes } = plan;
    for (const [k, open] of waiting.entries()) {
      const word = (at.waitingWords >>> 2) + k * WAITING_WORDS;
      words[word + WAITING.node] = open.node;
      words[word + WAITING.from] = open.from;
      words[word + WAITING.to] = open.to;
      words[word + WAITING.depth] = open.depth;
      words[word + WAITING.path] = open.path;
      words[word + WAITING.histogram] = (open.histogram - at.waiting) / histogramBytes;
      const double = (at.waitingDoubles >>> 3) + k * WAITING_DOUBLES;
      doubles[double + WAITING_DOUBLE.first] = open.first;
      doubles[double + WAITING_DOUBLE.second] = open.second;
      doubles[double + WAITING_DOUBLE.lower] = open.lower;
      doubles[double + WAITING_DOUBLE.upper] = open.upper;
    }
  }
}
