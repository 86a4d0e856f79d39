import type { BoostedTree } from './boosted-model.ts';
import { countAt, listAt, type Members, membersAt, numbersAt, own, refuse } from './document.ts';

interface RawTree {
  readonly nodes: number;
  readonly left: ArrayLike<number>;
  readonly right: ArrayLike<number>;
  readonly feature: ArrayLike<number>;
  readonly condition: ArrayLike<number>;
  readonly defaultLeft: ArrayLike<number>;
  readonly gain: ArrayLike<number>;
  readonly cover: ArrayLike<number>;
  readonly weight: ArrayLike<number>;
}

/**
 * One tree of the document at `path`. Nodes that pruning left behind (nothing leads to them) are dropped, the others
 * keep their order. Throws InputError where a tree is no tree, splits on categories or has vectors in its leaves.
 */
export function parseTree(tree: Members, path: string, features: number): BoostedTree {
  const raw = readTree(tree, path);
  refuseCategories(tree, path, raw);
  return compact(raw, reachable(raw, path, features));
}

function readTree(tree: Members, path: string): RawTree {
  const parameters = membersAt(tree, 'tree_param', path);
  const nodes = countAt(parameters, 'num_nodes', `${path}.tree_param`);
  if (nodes === 0) refuse(`${path}.tree_param.num_nodes`, 'is 0: a tree has at least a root');
  const vector = countAt(parameters, 'size_leaf_vector', `${path}.tree_param`, 0);
  if (vector > 1 || own(tree, 'leaf_weights') !== undefined)
    refuse(
      path,
      'has vectors in its leaves, which are not supported',
      "train with multi_strategy='one_output_per_tree'",
    );
  const numbers = (key: string) => numbersAt(tree, key, path, nodes);
  return {
    nodes,
    left: numbers('left_children'),
    right: numbers('right_children'),
    feature: numbers('split_indices'),
    condition: numbers('split_conditions'),
    defaultLeft: numbers('default_left'),
    gain: numbers('loss_changes'),
    cover: numbers('sum_hessian'),
    weight: numbers('base_weights'),
  };
}

function refuseCategories(tree: Members, path: string, { nodes }: RawTree): void {
  const mend = 'encode the categories as numbers (one-hot or ordinal) and train without enable_categorical';
  const nodesOfCategories = own(tree, 'categories_nodes');
  if (nodesOfCategories !== undefined && listAt(tree, 'categories_nodes', path).length > 0)
    refuse(`${path}.categories_nodes`, 'names categorical splits, which are not supported', mend);
  if (own(tree, 'split_type') === undefined) return;
  const types = numbersAt(tree, 'split_type', path, nodes);
  for (let n = 0; n < nodes; n++)
    if (types[n] !== 0)
      refuse(`${path}.split_type[${n}]`, `is ${types[n]}: only numerical splits (0) are supported`, mend);
}

/** Marks the nodes that the root leads to, each checked to be reached once and to hold what it must. */
function reachable(raw: RawTree, path: string, features: number): Uint8Array {
  const seen = new Uint8Array(raw.nodes);
  const open = [0];
  seen[0] = 1;
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    if (!Number.isFinite(Math.fround(raw.condition[node]!)))
      refuse(`${path}.split_conditions[${node}]`, `is ${raw.condition[node]} and not a finite number`);
    const left = raw.left[node]!;
    const right = raw.right[node]!;
    if (left === -1 && right === -1) continue;
    checkSplit(raw, node, path, features);
    for (const [child, key] of [
      [left, 'left_children'],
      [right, 'right_children'],
    ] as const) {
      if (!(Number.isInteger(child) && child >= 0 && child < raw.nodes))
        refuse(
          `${path}.${key}[${node}]`,
          `is ${child}: there are ${raw.nodes} nodes from 0, and -1 at leaves`,
        );
      if (seen[child] === 1)
        refuse(`${path}.${key}[${node}]`, `is ${child}, which another node leads to: this is no tree`);
      seen[child] = 1;
      open.push(child);
    }
  }
  return seen;
}

function checkSplit(raw: RawTree, node: number, path: string, features: number): void {
  const feature = raw.feature[node]!;
  if (!(Number.isInteger(feature) && feature >= 0 && feature < features))
    refuse(`${path}.split_indices[${node}]`, `is ${feature}: there are ${features} features from 0`);
  const missing = raw.defaultLeft[node]!;
  if (missing !== 0 && missing !== 1)
    refuse(`${path}.default_left[${node}]`, `is ${missing} and neither 0 nor 1`);
}

function compact(raw: RawTree, kept: Uint8Array): BoostedTree {
  const nodes: number[] = [];
  const place = new Int32Array(raw.nodes);
  for (let n = 0; n < raw.nodes; n++) if (kept[n] === 1) place[n] = nodes.push(n) - 1;
  const isLeaf = (n: number) => raw.left[n] === -1;
  return {
    left: Int32Array.from(nodes, (n) => (isLeaf(n) ? -1 : place[raw.left[n]!]!)),
    right: Int32Array.from(nodes, (n) => (isLeaf(n) ? -1 : place[raw.right[n]!]!)),
    feature: Int32Array.from(nodes, (n) => (isLeaf(n) ? 0 : raw.feature[n]!)),
    condition: Float32Array.from(nodes, (n) => raw.condition[n]!),
    defaultLeft: Uint8Array.from(nodes, (n) => (isLeaf(n) ? 0 : raw.defaultLeft[n]!)),
    gain: Float32Array.from(nodes, (n) => (isLeaf(n) ? 0 : raw.gain[n]!)),
    cover: Float32Array.from(nodes, (n) => raw.cover[n]!),
    weight: Float32Array.from(nodes, (n) => raw.weight[n]!),
  };
}
