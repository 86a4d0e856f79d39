import { InputError } from '#base';
import { type BoostedModel, type BoostedTree, outputsOf } from './boosted-model.ts';
import { baseMargin, objectiveOf } from './objectives.ts';

/**
 * SHAP values of a row: what each feature adds to each margin, against the mean of the training rows as the covers
 * remember them. Exact and path-dependent (Lundberg, Erion and Lee 2018, algorithm 2), as XGBoost's `pred_contribs`.
 * In double precision; polynomial in the depth of a tree.
 */
export class BoostedExplainer {
  readonly features: number;
  readonly outputs: number;
  private readonly model: BoostedModel;
  private readonly base: Float64Array;
  /** Mean margin of each tree over its training rows. */
  private readonly means: Float64Array;
  private readonly row: Float32Array;
  private readonly paths: Paths;

  constructor(model: BoostedModel) {
    const objective = objectiveOf(model.objective);
    this.model = model;
    this.features = model.features;
    this.outputs = outputsOf(model);
    this.base = Float64Array.from({ length: this.outputs }, (_, o) =>
      baseMargin(objective, model.baseScore[model.baseScore.length === 1 ? 0 : o]!),
    );
    this.means = Float64Array.from(model.trees, meanOf);
    this.row = new Float32Array(model.features);
    this.paths = new Paths(model.trees.reduce((depth, tree) => Math.max(depth, depthOf(tree)), 0));
  }

  /**
   * Into `out`, which holds `outputs` times `features + 1` numbers: per output the contribution of every feature, then
   * what no feature explains (base margin and means). Each output's numbers sum to its margin.
   */
  values(row: Float64Array | Float32Array, out: Float64Array): void {
    const { features, outputs, model } = this;
    const width = features + 1;
    if (row.length < features || out.length < outputs * width)
      throw new InputError(
        `a row of ${row.length} and an output of ${out.length} numbers do not fit ${features} features and ${outputs} outputs`,
        'give one number per feature, and room for (features + 1) per output',
      );
    this.row.set(row.length === features ? row : row.subarray(0, features));
    out.fill(0, 0, outputs * width);
    for (let o = 0; o < outputs; o++) out[o * width + features] = this.base[o]!;
    for (let t = 0; t < model.trees.length; t++) {
      const from = model.outputOf[t]! * width;
      const weight = model.treeWeights[t]!;
      out[from + features]! += this.means[t]! * weight;
      const tree = model.trees[t]!;
      if (tree.left[0]! >= 0) this.paths.explain(tree, this.row, weight, out, from);
    }
  }
}

/** The SHAP values of one row: per output `features` contributions and the rest; see {@link BoostedExplainer}. */
export function shapValues(model: BoostedModel, row: Float64Array | Float32Array): Float64Array {
  const explainer = new BoostedExplainer(model);
  const out = new Float64Array(explainer.outputs * (explainer.features + 1));
  explainer.values(row, out);
  return out;
}

/** Share of a split's training rows that went to its left child; half where the covers tell nothing. */
function leftShare(tree: BoostedTree, node: number): number {
  const left = tree.cover[tree.left[node]!]!;
  const both = left + tree.cover[tree.right[node]!]!;
  return both > 0 ? left / both : 0.5;
}

/** Nodes with every parent before its children. */
function downwards(tree: BoostedTree): readonly number[] {
  const order = [0];
  for (let i = 0; i < order.length; i++) {
    const node = order[i]!;
    if (tree.left[node]! >= 0) order.push(tree.left[node]!, tree.right[node]!);
  }
  return order;
}

function meanOf(tree: BoostedTree): number {
  const means = Float64Array.from(tree.condition);
  for (const node of downwards(tree).toReversed()) {
    if (tree.left[node]! < 0) continue;
    const share = leftShare(tree, node);
    means[node] = share * means[tree.left[node]!]! + (1 - share) * means[tree.right[node]!]!;
  }
  return means[0]!;
}

function depthOf(tree: BoostedTree): number {
  const depth = new Int32Array(tree.left.length);
  let deepest = 0;
  for (const node of downwards(tree)) {
    if (tree.left[node]! < 0) continue;
    depth[tree.left[node]!] = depth[node]! + 1;
    depth[tree.right[node]!] = depth[node]! + 1;
    deepest = Math.max(deepest, depth[node]! + 1);
  }
  return deepest;
}

/**
 * The paths of the algorithm: for every depth a copy of the features met so far, with the shares of paths that flow
 * when the feature is unknown (`zero`) and known (`one`), and the weight of subsets of each size.
 */
class Paths {
  private readonly width: number;
  private readonly feature: Int32Array;
  private readonly zero: Float64Array;
  private readonly one: Float64Array;
  private readonly weight: Float64Array;
  /** One divided by each number up to the longest path's. */
  private readonly inverse: Float64Array;
  private tree: BoostedTree | null = null;
  private row: Float32Array = new Float32Array(0);
  private out: Float64Array = new Float64Array(0);
  private outFrom = 0;
  private scale = 1;

  constructor(depth: number) {
    this.width = depth + 2;
    const size = this.width * this.width;
    this.feature = new Int32Array(size);
    this.zero = new Float64Array(size);
    this.one = new Float64Array(size);
    this.weight = new Float64Array(size);
    this.inverse = Float64Array.from({ length: this.width + 1 }, (_, i) => 1 / i);
  }

  /** Adds `scale` times the tree's contributions to `out` from `outFrom` on. */
  explain(tree: BoostedTree, row: Float32Array, scale: number, out: Float64Array, outFrom: number): void {
    this.tree = tree;
    this.row = row;
    this.scale = scale;
    this.out = out;
    this.outFrom = outFrom;
    this.visit(0, 0, 0, 1, 1, -1);
  }

  /** `level` counts the splits above, `length` the features met: one fewer for each met again. */
  private visit(
    node: number,
    level: number,
    length: number,
    zero: number,
    one: number,
    feature: number,
  ): void {
    const tree = this.tree!;
    const at = level * this.width;
    if (level > 0) this.copy(at - this.width, at, length);
    this.extend(at, length, zero, one, feature);
    if (tree.left[node]! < 0) {
      this.collect(at, length, tree.condition[node]!);
      return;
    }
    const split = tree.feature[node]!;
    const x = this.row[split]!;
    const left = Number.isNaN(x) ? tree.defaultLeft[node] === 1 : x < tree.condition[node]!;
    const share = leftShare(tree, node);
    let metZero = 1;
    let metOne = 1;
    let rest = length;
    // a feature met before is taken out of the path and put in again with both shares
    for (let i = 1; i <= length; i++) {
      if (this.feature[at + i] !== split) continue;
      metZero = this.zero[at + i]!;
      metOne = this.one[at + i]!;
      this.unwind(at, length, i);
      rest = length - 1;
      break;
    }
    const hot = left ? tree.left[node]! : tree.right[node]!;
    const cold = left ? tree.right[node]! : tree.left[node]!;
    const hotShare = left ? share : 1 - share;
    this.visit(hot, level + 1, rest + 1, metZero * hotShare, metOne, split);
    this.visit(cold, level + 1, rest + 1, metZero * (1 - hotShare), 0, split);
  }

  private copy(from: number, to: number, count: number): void {
    for (let i = 0; i < count; i++) {
      this.feature[to + i] = this.feature[from + i]!;
      this.zero[to + i] = this.zero[from + i]!;
      this.one[to + i] = this.one[from + i]!;
      this.weight[to + i] = this.weight[from + i]!;
    }
  }

  private extend(at: number, length: number, zero: number, one: number, feature: number): void {
    const { weight, inverse } = this;
    const share = inverse[length + 1]!;
    this.feature[at + length] = feature;
    this.zero[at + length] = zero;
    this.one[at + length] = one;
    weight[at + length] = length === 0 ? 1 : 0;
    for (let i = length - 1; i >= 0; i--) {
      weight[at + i + 1]! += one * weight[at + i]! * (i + 1) * share;
      weight[at + i] = zero * weight[at + i]! * (length - i) * share;
    }
  }

  private unwind(at: number, length: number, index: number): void {
    const { weight } = this;
    const zero = this.zero[at + index]!;
    const one = this.one[at + index]!;
    let next = weight[at + length]!;
    for (let i = length - 1; i >= 0; i--) {
      if (one !== 0) {
        const before = weight[at + i]!;
        weight[at + i] = (next * (length + 1)) / ((i + 1) * one);
        next = before - (weight[at + i]! * zero * (length - i)) / (length + 1);
      } else weight[at + i] = zero === 0 ? 0 : (weight[at + i]! * (length + 1)) / (zero * (length - i));
    }
    for (let i = index; i < length; i++) {
      this.feature[at + i] = this.feature[at + i + 1]!;
      this.zero[at + i] = this.zero[at + i + 1]!;
      this.one[at + i] = this.one[at + i + 1]!;
    }
  }

  /** At a leaf: every feature of the path gets its part of the leaf's value. */
  private collect(at: number, length: number, value: number): void {
    for (let i = 1; i <= length; i++) {
      const part = this.sumWithout(at, length, i) * (this.one[at + i]! - this.zero[at + i]!);
      this.out[this.outFrom + this.feature[at + i]!]! += part * value * this.scale;
    }
  }

  /**
   * Sum of the weights that {@link unwind} would leave. The share of a known feature is 0 or 1, so that only the unknown
   * one is divided by.
   */
  private sumWithout(at: number, length: number, index: number): number {
    const { weight, inverse } = this;
    const zero = this.zero[at + index]!;
    let total = 0;
    if (this.one[at + index]! === 0) {
      if (zero === 0) return 0;
      for (let i = length - 1; i >= 0; i--) total += weight[at + i]! * inverse[length - i]!;
      return (total * (length + 1)) / zero;
    }
    const given = zero * inverse[length + 1]!;
    let next = weight[at + length]!;
    for (let i = length - 1; i >= 0; i--) {
      const part = next * (length + 1) * inverse[i + 1]!;
      total += part;
      next = weight[at + i]! - part * given * (length - i);
    }
    return total;
  }
}
