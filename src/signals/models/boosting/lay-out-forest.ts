import { InputError, WASM_BYTES_MOST, wasmMemory } from '#base';
import { type BoostedModel, type BoostedTree, outputsOf } from './boosted-model.ts';
import { type ForestWalk, forestWalk, GROUP_BYTES, LANES, NODE_BYTES } from './forest-walk.ts';
import { baseMargin, objectiveOf } from './objectives.ts';

/** A model's trees in the memory of {@link forestWalk}. */
export interface Forest {
  /** Where a row is put: once with minus infinity for missing values, once with plus infinity. */
  readonly row: Float32Array;
  /** Margin that every row starts from, per output. */
  readonly base: Float32Array;
  /** Address of the first group of each output, and of the end of the last one's. */
  readonly groups: Int32Array;
  readonly walk: ForestWalk;
}

/** Lays the trees out: row, nodes tree by tree and each tree breadth first, groups of trees output by output. */
export function layOutForest(model: BoostedModel): Forest {
  const { features } = model;
  const outputs = outputsOf(model);
  const treesOf = Array.from({ length: outputs }, (_, output) =>
    model.trees.map((_, t) => t).filter((t) => model.outputOf[t] === output),
  );
  const groupCount = treesOf.reduce((sum, trees) => sum + Math.ceil(trees.length / LANES), 0);
  // one node more: the filler
  const nodes = model.trees.reduce((sum, tree) => sum + tree.left.length, 1);
  const nodesAt = Math.ceil((4 * (2 * features + 1)) / NODE_BYTES) * NODE_BYTES;
  const groupsAt = nodesAt + NODE_BYTES * nodes;
  const bytes = groupsAt + GROUP_BYTES * groupCount;
  if (bytes > WASM_BYTES_MOST / 2)
    throw new InputError(
      `the boosted model has ${nodes} nodes, too many to score`,
      'train fewer or smaller trees',
    );
  const memory = wasmMemory(bytes);
  const writer = new NodeWriter(memory.buffer, features, nodesAt);
  const groups = new Int32Array(outputs + 1);
  let group = groupsAt;
  treesOf.forEach((trees, output) => {
    groups[output] = group;
    for (let first = 0; first < trees.length; first += LANES, group += GROUP_BYTES)
      writer.group(group, model, trees.slice(first, first + LANES));
  });
  groups[outputs] = group;
  const objective = objectiveOf(model.objective);
  return {
    row: new Float32Array(memory.buffer, 0, 2 * features),
    base: Float32Array.from({ length: outputs }, (_, o) =>
      baseMargin(objective, model.baseScore[model.baseScore.length === 1 ? 0 : o]!),
    ),
    groups,
    walk: forestWalk(memory),
  };
}

class NodeWriter {
  private readonly words: Int32Array;
  private readonly reals: Float32Array;
  private readonly features: number;
  /** Address of a leaf of minus zero, which changes no sum: it fills the last group of an output. */
  private readonly filler: number;
  /** Address of the next node. */
  private place: number;

  constructor(buffer: ArrayBuffer, features: number, place: number) {
    this.words = new Int32Array(buffer);
    this.reals = new Float32Array(buffer);
    this.features = features;
    // what leaves read: no comparison with it holds
    this.reals[2 * features] = Number.NaN;
    this.filler = place;
    this.leaf(place, -0);
    this.place = place + NODE_BYTES;
  }

  /** Lays out up to eight trees, and the group that names them, at its address. */
  group(at: number, model: BoostedModel, trees: readonly number[]): void {
    let steps = 0;
    for (let i = 0; i < LANES; i++) {
      const t = trees[i];
      this.words[(at >> 2) + i] = t === undefined ? this.filler : this.place;
      if (t !== undefined) steps = Math.max(steps, this.tree(model.trees[t]!, model.treeWeights[t]!));
    }
    this.words[(at >> 2) + LANES] = steps;
  }

  /** Lays one tree out; gives the steps to its deepest leaf. */
  private tree(tree: BoostedTree, weight: number): number {
    const { words, reals, features, place } = this;
    const order = [0];
    let steps = 0;
    for (let i = 0, levelEnd = 1; i < order.length; i++) {
      if (i === levelEnd) {
        steps++;
        levelEnd = order.length;
      }
      const node = order[i]!;
      const at = place + NODE_BYTES * i;
      if (tree.left[node]! < 0) {
        // the product in single precision, as dart takes it
        this.leaf(at, tree.condition[node]! * weight);
        continue;
      }
      words[at >> 2] = 4 * (tree.feature[node]! + (tree.defaultLeft[node] === 1 ? 0 : features));
      words[(at >> 2) + 1] = place + NODE_BYTES * order.length;
      reals[(at >> 2) + 2] = tree.condition[node]!;
      order.push(tree.left[node]!, tree.right[node]!);
    }
    this.place = place + NODE_BYTES * order.length;
    return steps;
  }

  private leaf(at: number, value: number): void {
    this.words[at >> 2] = 4 * 2 * this.features;
    this.words[(at >> 2) + 1] = at;
    this.reals[(at >> 2) + 2] = value;
  }
}
