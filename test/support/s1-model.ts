import { scalerHash } from '#features';
import {
  type BoostedModel,
  type BoostedTree,
  type ModelArtefact,
  S1_FEATURE_NAMES,
  writeBoostedModel,
} from '#signals';

/** A leaf, or a split on one feature. */
export type Shape =
  | number
  | { readonly feature: string; readonly below: number; readonly left: Shape; readonly right: Shape };

function treeOf(shape: Shape): BoostedTree {
  const left: number[] = [];
  const right: number[] = [];
  const feature: number[] = [];
  const condition: number[] = [];
  const add = (one: Shape): number => {
    const at = left.length;
    left.push(-1);
    right.push(-1);
    feature.push(0);
    condition.push(typeof one === 'number' ? one : one.below);
    if (typeof one === 'number') return at;
    feature[at] = S1_FEATURE_NAMES.indexOf(one.feature);
    left[at] = add(one.left);
    right[at] = add(one.right);
    return at;
  };
  add(shape);
  const n = left.length;
  return {
    left: Int32Array.from(left),
    right: Int32Array.from(right),
    feature: Int32Array.from(feature),
    condition: Float32Array.from(condition),
    defaultLeft: Uint8Array.from(left, (l) => (l < 0 ? 0 : 1)),
    gain: new Float32Array(n),
    cover: new Float32Array(n).fill(1),
    weight: new Float32Array(n),
  };
}

/** A scaler that leaves rows as they are. */
export const plainScaler = () => {
  const fitted = {
    features: S1_FEATURE_NAMES,
    mean: S1_FEATURE_NAMES.map(() => 0),
    std: S1_FEATURE_NAMES.map((name) => (name === 'rsi14' ? 100 : 1)),
  };
  return { ...fitted, hash: scalerHash(fitted) };
};

/** A small model of three trees: the margins of down, none and up. */
export function s1Model(
  margins: { readonly down: Shape; readonly none: Shape; readonly up: Shape },
  changes: Partial<ModelArtefact> = {},
): ModelArtefact {
  const model: BoostedModel = {
    booster: 'gbtree',
    objective: 'multi:softprob',
    objectiveParameters: { softmax_multiclass_param: { num_class: '3' } },
    features: S1_FEATURE_NAMES.length,
    featureNames: [],
    featureTypes: [],
    classes: 3,
    targets: 1,
    baseScore: [0],
    trees: [margins.down, margins.none, margins.up].map(treeOf),
    outputOf: Int32Array.of(0, 1, 2),
    treeWeights: Float32Array.of(1, 1, 1),
    parallelTrees: 1,
    attributes: {},
  };
  return {
    schemaVersion: 1,
    name: 'S1_RX68_BTC_15M',
    kind: 'boosted-trees',
    features: S1_FEATURE_NAMES,
    classes: ['down', 'none', 'up'],
    model: JSON.parse(writeBoostedModel(model)),
    scaler: plainScaler(),
    calibration: null,
    threshold: { probabilityMin: 0.55, leadMin: 0.1 },
    training: {
      from: 0,
      to: 0,
      rows: 1,
      seed: 'test',
      dataHash: '',
      codeHash: '',
      instrument: 'BTCUSDT.BINANCE-USDM',
      interval: '15m',
      parameters: {},
    },
    metrics: {},
    stamps: [],
    parent: null,
    ...changes,
  };
}

/** A model that always states these probabilities. */
export const steadyModel = (
  down: number,
  none: number,
  up: number,
  changes: Partial<ModelArtefact> = {},
): ModelArtefact => s1Model({ down: Math.log(down), none: Math.log(none), up: Math.log(up) }, changes);
