/**
 * One tree. Every array has one entry per node; node 0 is the root, each other node has exactly one parent that stands
 * before or after it, and none is unreachable.
 */
export interface BoostedTree {
  /** The nodes that a split leads to, both -1 at a leaf. */
  readonly left: Int32Array;
  readonly right: Int32Array;
  /** Column that is split on; 0 at a leaf. */
  readonly feature: Int32Array;
  /** At a split its threshold (`x < threshold` goes left), at a leaf what it adds to the margin. Finite. */
  readonly condition: Float32Array;
  /** Where a missing value (NaN) goes: 1 left, 0 right; 0 at a leaf. */
  readonly defaultLeft: Uint8Array;
  /** XGBoost's `loss_changes`: what the split gained; 0 at a leaf. */
  readonly gain: Float32Array;
  /** XGBoost's `sum_hessian`: the weight of the rows that came here. */
  readonly cover: Float32Array;
  /** XGBoost's `base_weights`: the optimal value of the node, before the learning rate unless it is a leaf. */
  readonly weight: Float32Array;
}

/** Parameters of an objective by their section: `{ softmax_multiclass_param: { num_class: '3' } }`. All text. */
export type ObjectiveParameters = Readonly<Record<string, Readonly<Record<string, string>>>>;

/** Boosted trees as XGBoost has them: `gbtree`, or `dart` (trees that carry a weight each). */
export interface BoostedModel {
  readonly booster: 'gbtree' | 'dart';
  /** XGBoost's name: `binary:logistic`, `multi:softprob`. */
  readonly objective: string;
  readonly objectiveParameters: ObjectiveParameters;
  /** Columns of a row. */
  readonly features: number;
  /** One per column, or none. */
  readonly featureNames: readonly string[];
  /** XGBoost's type per column (`float`, `int`, `i`, `q`), or none. */
  readonly featureTypes: readonly string[];
  /** Number of classes of a multi-class model, otherwise 0. */
  readonly classes: number;
  /** Number of regression targets, 1 but for a multi-output model. */
  readonly targets: number;
  /** As the file states it (a probability for logistic objectives): one for all outputs or one per output. */
  readonly baseScore: readonly number[];
  /** In the order they were grown: rounds, in a round outputs, in an output `parallelTrees`. */
  readonly trees: readonly BoostedTree[];
  /** Per tree the output (class or target) that it adds to; XGBoost's `tree_info`. */
  readonly outputOf: Int32Array;
  /** Per tree its weight; all 1 unless the booster is `dart`. */
  readonly treeWeights: Float32Array;
  /** Trees per output and round, more than 1 in boosted forests. */
  readonly parallelTrees: number;
  /** XGBoost's free attributes: `best_iteration`, `best_score`. */
  readonly attributes: Readonly<Record<string, string>>;
}

/** How many numbers a row is given: its classes, targets, or one. */
export function outputsOf(model: Pick<BoostedModel, 'classes' | 'targets'>): number {
  return Math.max(1, model.classes, model.targets);
}
