import { type Chance, InputError } from '#base';
import type { LabelSpans } from '../../splits/index.ts';
import { type RowSpans, rowSpans } from './uniqueness.ts';

/**
 * Draws samples with replacement so that overlapping labels are seldom drawn together (Lopez de Prado 2018, section
 * 4.5): the chance of each sample is proportional to its average uniqueness beside what was drawn already, the mean over
 * its span of 1 / (1 + spans drawn that hold the row). Sample numbers in the order drawn; as many as there are samples
 * unless told otherwise. A draw costs the samples that overlap it, not all.
 */
export function sequentialBootstrap(spans: LabelSpans, chance: Chance, draws = spans.t0.length): Int32Array {
  if (!Number.isInteger(draws) || draws < 0)
    throw new InputError(`${draws} draws`, 'give a whole number from 0');
  const count = spans.t0.length;
  if (count === 0 && draws > 0) throw new InputError('there is nothing to draw from', 'give samples');
  const pool = new UniquenessPool(spans);
  return Int32Array.from({ length: draws }, () => {
    const sample = pool.pick(chance.uniform());
    pool.draw(sample);
    return sample;
  });
}

/** The chance of each sample in the next draw, after the samples `drawn`. */
export function drawProbabilities(spans: LabelSpans, drawn: readonly number[]): Float64Array {
  const pool = new UniquenessPool(spans);
  for (const sample of drawn) pool.draw(sample);
  return pool.probabilities();
}

/** Weights in a tree of sums, so that one can be changed and one can be drawn in logarithmic time without drift. */
class UniquenessPool {
  private readonly spans: RowSpans;
  private readonly counts: Int32Array;
  /** Samples by where they begin, and the longest span: together they bound whom a draw concerns. */
  private readonly byStart: Int32Array;
  private readonly starts: Int32Array;
  private readonly longest: number;
  /** Node i is the sum of nodes 2i and 2i+1; samples are leaves from `leaves` on. */
  private readonly tree: Float64Array;
  private readonly leaves: number;

  constructor(spans: LabelSpans) {
    this.spans = rowSpans(spans);
    const { from, to, rows } = this.spans;
    this.counts = new Int32Array(rows);
    this.byStart = Int32Array.from(from, (_, i) => i).sort((a, b) => from[a]! - from[b]! || a - b);
    this.starts = this.byStart.map((i) => from[i]!);
    this.longest = from.reduce((most, begin, i) => Math.max(most, to[i]! - begin), 0);
    this.leaves = 1;
    while (this.leaves < from.length) this.leaves *= 2;
    this.tree = new Float64Array(2 * this.leaves);
    this.tree.fill(1, this.leaves, this.leaves + from.length);
    for (let node = this.leaves - 1; node > 0; node--)
      this.tree[node] = this.tree[2 * node]! + this.tree[2 * node + 1]!;
  }

  pick(u: number): number {
    let rest = u * this.tree[1]!;
    let node = 1;
    while (node < this.leaves) {
      node *= 2;
      // rounding may leave a little more than there is: never walk into an empty branch
      if (rest >= this.tree[node]! && this.tree[node + 1]! > 0) {
        rest -= this.tree[node]!;
        node += 1;
      }
    }
    return node - this.leaves;
  }

  draw(sample: number): void {
    const { from, to } = this.spans;
    const [begin, end] = [from[sample]!, to[sample]!];
    for (let t = begin; t <= end; t++) this.counts[t]! += 1;
    for (let k = this.firstFrom(begin - this.longest); k < this.byStart.length; k++) {
      if (this.starts[k]! > end) break;
      const other = this.byStart[k]!;
      if (to[other]! >= begin) this.weigh(other);
    }
  }

  probabilities(): Float64Array {
    return this.tree.slice(this.leaves, this.leaves + this.byStart.length).map((w) => w / this.tree[1]!);
  }

  private weigh(sample: number): void {
    const { from, to } = this.spans;
    let sum = 0;
    for (let t = from[sample]!; t <= to[sample]!; t++) sum += 1 / (1 + this.counts[t]!);
    let node = this.leaves + sample;
    this.tree[node] = sum / (to[sample]! - from[sample]! + 1);
    for (node >>= 1; node > 0; node >>= 1) this.tree[node] = this.tree[2 * node]! + this.tree[2 * node + 1]!;
  }

  /** The first place in {@link starts} that is at least `row`. */
  private firstFrom(row: number): number {
    let low = 0;
    let high = this.starts.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.starts[middle]! < row) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
