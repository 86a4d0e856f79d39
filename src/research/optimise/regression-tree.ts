import type { Chance } from '#base';

/** Points as columns of shares in [0, 1] or choice numbers, with the value of each. */
export interface TreeData {
  readonly columns: readonly Float64Array[];
  /** Choices of a column, 0 for a number. */
  readonly choices: readonly number[];
  readonly values: Float64Array;
}

/** A part of the space with one value: along each column an interval of shares, or the choices that belong to it. */
export interface Leaf {
  readonly value: number;
  readonly low: readonly number[];
  readonly high: readonly number[];
  /** Per column the choices inside, or null for a number. */
  readonly among: readonly (readonly boolean[] | null)[];
}

const LEAST_TO_SPLIT = 4;
const LEAST_IN_LEAF = 2;
const DEEPEST = 12;

interface Split {
  readonly column: number;
  readonly gain: number;
  /** Numbers below go left; choices go left where `left` says so. */
  readonly at: number;
  readonly left: readonly boolean[] | null;
}

/**
 * The leaves of one CART regression tree over a bootstrap sample (Breiman 2001: drawn with replacement, as many as
 * there are points; every column is a candidate at every node). Numbers are split half way between neighbours,
 * choices into the two sets that best part their means (Breiman et al. 1984, section 4.2.2).
 */
export function growLeaves(data: TreeData, chance: Chance): Leaf[] {
  const n = data.values.length;
  const rows = Array.from({ length: n }, () => chance.below(n));
  const whole: Leaf = {
    value: 0,
    low: data.columns.map(() => 0),
    high: data.columns.map(() => 1),
    among: data.choices.map((k) => (k > 0 ? new Array<boolean>(k).fill(true) : null)),
  };
  const leaves: Leaf[] = [];
  grow(data, rows, whole, 0, leaves);
  return leaves;
}

function grow(data: TreeData, rows: readonly number[], box: Leaf, depth: number, leaves: Leaf[]): void {
  const split = rows.length < LEAST_TO_SPLIT || depth === DEEPEST ? null : bestSplit(data, rows, box);
  if (split === null) {
    leaves.push({ ...box, value: rows.reduce((sum, row) => sum + data.values[row]!, 0) / rows.length });
    return;
  }
  const { column, at, left } = split;
  const goesLeft = (row: number) => {
    const x = data.columns[column]![row]!;
    return left === null ? x < at : left[x]!;
  };
  const replaced = <T>(list: readonly T[], value: T) => list.map((old, i) => (i === column ? value : old));
  const inside = box.among[column] ?? null;
  const half = (isLeft: boolean): Leaf => {
    if (left !== null && inside !== null) {
      return {
        ...box,
        among: replaced(
          box.among,
          inside.map((held, k) => held && left[k] === isLeft),
        ),
      };
    }
    return isLeft ? { ...box, high: replaced(box.high, at) } : { ...box, low: replaced(box.low, at) };
  };
  grow(data, rows.filter(goesLeft), half(true), depth + 1, leaves);
  grow(
    data,
    rows.filter((row) => !goesLeft(row)),
    half(false),
    depth + 1,
    leaves,
  );
}

function bestSplit(data: TreeData, rows: readonly number[], box: Leaf): Split | null {
  let best: Split | null = null;
  for (let column = 0; column < data.columns.length; column++) {
    const among = box.among[column] ?? null;
    const split = among === null ? splitNumbers(data, rows, column) : splitChoices(data, rows, column, among);
    if (split !== null && (best === null || split.gain > best.gain)) best = split;
  }
  return best;
}

/** Where a sequence of (sum, count) parts best: the reduction of the squared error; -1 when nowhere. */
function bestCut(
  sums: readonly number[],
  counts: readonly number[],
  mayCut: (k: number) => boolean,
): { k: number; gain: number } {
  const sum = sums.reduce((a, b) => a + b, 0);
  const count = counts.reduce((a, b) => a + b, 0);
  let best = -1;
  let most = 1e-12 * (1 + Math.abs((sum * sum) / count));
  let leftSum = 0;
  let leftCount = 0;
  for (let k = 0; k < sums.length - 1; k++) {
    leftSum += sums[k]!;
    leftCount += counts[k]!;
    const rightCount = count - leftCount;
    if (leftCount < LEAST_IN_LEAF || rightCount < LEAST_IN_LEAF || !mayCut(k)) continue;
    const gain = leftSum ** 2 / leftCount + (sum - leftSum) ** 2 / rightCount - sum ** 2 / count;
    if (gain > most) {
      most = gain;
      best = k;
    }
  }
  return { k: best, gain: most };
}

function splitNumbers(data: TreeData, rows: readonly number[], column: number): Split | null {
  const x = data.columns[column]!;
  const sorted = [...rows].sort((a, b) => x[a]! - x[b]! || a - b);
  const { k, gain } = bestCut(
    sorted.map((row) => data.values[row]!),
    sorted.map(() => 1),
    (i) => x[sorted[i]!]! < x[sorted[i + 1]!]!,
  );
  if (k < 0) return null;
  return { column, gain, at: (x[sorted[k]!]! + x[sorted[k + 1]!]!) / 2, left: null };
}

function splitChoices(
  data: TreeData,
  rows: readonly number[],
  column: number,
  among: readonly boolean[],
): Split | null {
  const sums = among.map(() => 0);
  const counts = among.map(() => 0);
  for (const row of rows) {
    const k = data.columns[column]![row]!;
    sums[k]! += data.values[row]!;
    counts[k]! += 1;
  }
  const order = among.flatMap((_, k) => (counts[k]! > 0 ? [k] : []));
  order.sort((a, b) => sums[a]! / counts[a]! - sums[b]! / counts[b]! || a - b);
  const { k, gain } = bestCut(
    order.map((choice) => sums[choice]!),
    order.map((choice) => counts[choice]!),
    () => true,
  );
  if (k < 0) return null;
  const left = among.map(() => false);
  for (const choice of order.slice(0, k + 1)) left[choice] = true;
  return { column, gain, at: 0, left };
}
