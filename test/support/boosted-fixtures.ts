import { readFileSync } from 'node:fs';
import type { BoostedModel, BoostedTree, ImportanceKind } from '#signals';

/** Models that real XGBoost 1.7 made (scripts/make-boosted-fixtures.py), each with what it says of hostile rows. */
export const BOOSTED_FIXTURES = [
  'binary',
  'pruned',
  'softprob',
  'forest',
  'dart',
  'squared',
  'poisson',
  'targets',
] as const;

export type BoostedFixture = (typeof BOOSTED_FIXTURES)[number];

export function fixtureBytes(name: string): Uint8Array {
  return readFileSync(new URL(`../fixtures/boosting/${name}`, import.meta.url));
}

/** The document of a model, new with every call: a test may change it. */
export function fixtureDocument(name: BoostedFixture): Learner {
  return JSON.parse(new TextDecoder().decode(fixtureBytes(`${name}.json`))) as Learner;
}

/** A document as far as tests change it. */
export interface Learner {
  learner: {
    attributes: Record<string, string>;
    feature_names: unknown;
    gradient_booster: {
      name: string;
      model: { gbtree_model_param: Record<string, string>; tree_info: number[]; trees: RawTree[] };
      weight_drop?: number[];
    } & Record<string, unknown>;
    learner_model_param: Record<string, unknown>;
    objective: Record<string, unknown>;
  };
  version: number[];
}

export type RawTree = Record<string, unknown[]> & { tree_param: Record<string, string> };

export interface Expected {
  readonly rows: readonly Float64Array[];
  readonly margins: readonly (readonly number[])[];
  readonly predictions: readonly (readonly number[])[];
  /** Rows without infinities: those that `shap` speaks of. */
  readonly finite: readonly number[];
  readonly shap: readonly (readonly number[])[];
  readonly importances: Readonly<Record<ImportanceKind, Readonly<Record<string, number>>>>;
}

export function expectedOf(name: BoostedFixture): Expected {
  const raw = JSON.parse(new TextDecoder().decode(fixtureBytes(`${name}.expected.json`)));
  const number = (cell: number | string | null) =>
    cell === null ? Number.NaN : cell === 'inf' ? Infinity : cell === '-inf' ? -Infinity : (cell as number);
  return { ...raw, rows: raw.rows.map((row: (number | string | null)[]) => Float64Array.from(row, number)) };
}

/** A tree from nested splits: `[feature, threshold, missing goes left, left, right]` or a leaf's value. */
export type Nested = number | readonly [number, number, boolean, Nested, Nested];

/** The tree of nested splits; every leaf was reached by as many rows as `cover` gives for its running number. */
export function treeOf(nested: Nested, cover: (leaf: number) => number = () => 1): BoostedTree {
  const nodes: { left: number; right: number; feature: number; condition: number; missing: number }[] = [];
  const covers: number[] = [];
  let leaves = 0;
  const add = (part: Nested): number => {
    const at = nodes.length;
    if (typeof part === 'number') {
      nodes.push({ left: -1, right: -1, feature: 0, condition: part, missing: 0 });
      covers.push(cover(leaves++));
      return at;
    }
    const [feature, condition, missing, left, right] = part;
    nodes.push({ left: 0, right: 0, feature, condition, missing: Number(missing) });
    covers.push(0);
    const [l, r] = [add(left), add(right)];
    nodes[at] = { ...nodes[at]!, left: l, right: r };
    covers[at] = covers[l]! + covers[r]!;
    return at;
  };
  add(nested);
  return {
    left: Int32Array.from(nodes, (node) => node.left),
    right: Int32Array.from(nodes, (node) => node.right),
    feature: Int32Array.from(nodes, (node) => node.feature),
    condition: Float32Array.from(nodes, (node) => node.condition),
    defaultLeft: Uint8Array.from(nodes, (node) => node.missing),
    gain: Float32Array.from(nodes, (node) => (node.left < 0 ? 0 : 1)),
    cover: Float32Array.from(covers),
    weight: Float32Array.from(nodes, (node) => (node.left < 0 ? node.condition : 0)),
  };
}

/** A regression model of such trees, its base score 0. */
export function modelOf(
  trees: readonly BoostedTree[],
  features: number,
  changes: Partial<BoostedModel> = {},
): BoostedModel {
  return {
    booster: 'gbtree',
    objective: 'reg:squarederror',
    objectiveParameters: { reg_loss_param: { scale_pos_weight: '1' } },
    features,
    featureNames: [],
    featureTypes: [],
    classes: 0,
    targets: 1,
    baseScore: [0],
    trees,
    outputOf: new Int32Array(trees.length),
    treeWeights: new Float32Array(trees.length).fill(1),
    parallelTrees: 1,
    attributes: {},
    ...changes,
  };
}
