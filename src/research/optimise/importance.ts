import { Chance, InputError } from '#base';
import { growLeaves, type Leaf, type TreeData } from './regression-tree.ts';
import type { Point, Space } from './space.ts';

/** A finished trial: where it was and what came out. */
export interface TrialOutcome {
  readonly point: Point;
  readonly value: number;
}

export interface ImportanceOptions {
  /** Default 64. */
  readonly trees?: number;
  /** Default 'importance': the same outcomes give the same shares. */
  readonly seed?: string;
}

/**
 * How much of the variance of the results each parameter explains by itself, averaged over the whole space: functional
 * ANOVA over a random forest (Hutter, Hoos and Leyton-Brown 2014, "An efficient approach for assessing hyperparameter
 * importance", equations 5 to 8). Shares of the forest's variance, each in [0, 1]; what is missing from a sum of 1 is
 * interaction. A log parameter counts on its logarithm. Where a conditional parameter does not exist it counts as the
 * middle of its range (a number) or its first choice.
 *
 * All shares are 0 when the results do not vary. Throws InputError for fewer than ten outcomes.
 */
export function parameterImportance(
  space: Space,
  outcomes: readonly TrialOutcome[],
  { trees = 64, seed = 'importance' }: ImportanceOptions = {},
): Record<string, number> {
  if (outcomes.length < 10) {
    throw new InputError(
      `${outcomes.length} outcomes say nothing about importance`,
      'finish at least 10 trials',
    );
  }
  if (!outcomes.every((outcome) => Number.isFinite(outcome.value))) {
    throw new InputError('an outcome is not a finite number', 'leave out trials without a result');
  }
  const data = treeData(space, outcomes);
  const shares = space.axes.map(() => 0);
  let counted = 0;
  for (let t = 0; t < trees; t++) {
    const leaves = growLeaves(data, new Chance(`${seed}/tree ${t}`));
    const whole = wholeVariance(leaves);
    if (!(whole > 0)) continue;
    counted += 1;
    for (let a = 0; a < shares.length; a++) shares[a]! += marginalVariance(leaves, a) / whole;
  }
  return Object.fromEntries(
    space.axes.map((axis, a) => [axis.name, counted === 0 ? 0 : Math.min(shares[a]! / counted, 1)]),
  );
}

function treeData(space: Space, outcomes: readonly TrialOutcome[]): TreeData {
  const columns = space.axes.map(() => new Float64Array(outcomes.length));
  const scratch = new Float64Array(space.axes.length);
  outcomes.forEach(({ point }, row) => {
    space.coordinates(point, scratch);
    for (let a = 0; a < scratch.length; a++) {
      const axis = space.axes[a]!;
      const c = scratch[a]!;
      const isNumber = axis.choices === null;
      if (Number.isNaN(c)) columns[a]![row] = isNumber ? 0.5 : 0;
      else
        columns[a]![row] =
          isNumber && axis.upper > axis.lower ? (c - axis.lower) / (axis.upper - axis.lower) : c;
    }
  });
  return {
    columns,
    choices: space.axes.map((axis) => axis.choices?.length ?? 0),
    values: Float64Array.from(outcomes, (outcome) => outcome.value),
  };
}

/** The share of column `c`'s extent that a leaf covers. */
function extent(leaf: Leaf, c: number): number {
  const among = leaf.among[c] ?? null;
  if (among === null) return leaf.high[c]! - leaf.low[c]!;
  return among.filter(Boolean).length / among.length;
}

/** The volume of a leaf, over all columns but `but`. */
function volume(leaf: Leaf, but = -1): number {
  let product = 1;
  for (let c = 0; c < leaf.low.length; c++) if (c !== but) product *= extent(leaf, c);
  return product;
}

function wholeVariance(leaves: readonly Leaf[]): number {
  return variance(leaves.map((leaf) => [leaf.value, volume(leaf)]));
}

/** The variance of the mean over all other columns, as column `c` moves. */
function marginalVariance(leaves: readonly Leaf[], c: number): number {
  const among = leaves[0]!.among[c] ?? null;
  const others = leaves.map((leaf) => volume(leaf, c));
  const meanWhere = (holds: (leaf: Leaf) => boolean) => {
    let sum = 0;
    for (let i = 0; i < leaves.length; i++) if (holds(leaves[i]!)) sum += leaves[i]!.value * others[i]!;
    return sum;
  };
  if (among !== null) {
    return variance(among.map((_, k) => [meanWhere((leaf) => leaf.among[c]![k]!), 1 / among.length]));
  }
  const cuts = [...new Set(leaves.flatMap((leaf) => [leaf.low[c]!, leaf.high[c]!]))].sort((a, b) => a - b);
  const parts: [number, number][] = [];
  for (let i = 0; i + 1 < cuts.length; i++) {
    const middle = (cuts[i]! + cuts[i + 1]!) / 2;
    parts.push([
      meanWhere((leaf) => leaf.low[c]! < middle && middle < leaf.high[c]!),
      cuts[i + 1]! - cuts[i]!,
    ]);
  }
  return variance(parts);
}

/** Of values with weights that sum to 1. */
function variance(parts: readonly (readonly [value: number, weight: number])[]): number {
  let mean = 0;
  for (const [value, weight] of parts) mean += value * weight;
  let sum = 0;
  for (const [value, weight] of parts) sum += weight * (value - mean) ** 2;
  return sum;
}
