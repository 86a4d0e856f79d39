import { broken, InputError } from '#base';
import { choleskyOf, type HmmParameters } from './hmm-parameters.ts';

export interface NameOptions {
  /** Which dimension is the return; default 0. */
  readonly returnDimension?: number;
  /** The model that names came from so far. */
  readonly previous?: HmmParameters | null;
}

export interface NamedHmm {
  /** The same model with its states named, and in the order of their names. */
  readonly parameters: HmmParameters;
  /** `matched`: names follow the previous model; `ranked`: they were given anew. */
  readonly by: 'matched' | 'ranked';
  /** Sum of the distances between matched states; null when ranked. */
  readonly distance: number | null;
  /** Why names of a previous model were not kept; null when they were, or when there was none. */
  readonly reason: string | null;
}

/** Names of K states from the lowest mean return to the highest: `bear`, `sideways`, `bull`. */
export function rankedNames(states: number): readonly string[] {
  if (states === 1) return ['sideways'];
  const between = states - 2;
  const middle = Array.from({ length: between }, (_, i) =>
    between === 1 ? 'sideways' : `sideways-${i + 1}`,
  );
  return ['bear', ...middle, 'bull'];
}

/**
 * Names the states of a model, which a fit leaves in any order.
 *
 * Without a previous model: by mean return from the lowest (`bear`) to the highest (`bull`); of equal means the more
 * volatile one is the lower. Names are relative: the highest of two falling means is still called `bull`.
 *
 * With one: each state takes the name of the previous state it is matched with, by the assignment whose sum of
 * Bhattacharyya distances between the Gaussians is least. A name then stays with its state though means move a little
 * past each other. Names are given anew when the previous model has other states or features, or when the match would
 * call a state `bull` whose mean return is not above that of `bear`: a desk would trade against what the model says.
 */
export function nameStates(parameters: HmmParameters, options: NameOptions = {}): NamedHmm {
  const { returnDimension: r = 0, previous = null } = options;
  if (!Number.isInteger(r) || r < 0 || r >= parameters.features.length) {
    throw new InputError(
      `dimension ${r} cannot be the return`,
      `give 0 to ${parameters.features.length - 1}`,
    );
  }
  if (previous === null) return ranked(parameters, r, null);
  if (previous.names.length !== parameters.names.length)
    return ranked(parameters, r, 'another number of states');
  if (previous.features.join() !== parameters.features.join()) return ranked(parameters, r, 'other features');
  const costs = parameters.means.map((_, i) =>
    previous.names.map((_name, j) => stateDistance(parameters, i, previous, j)),
  );
  const { columns, cost } = cheapestAssignment(costs);
  const order = previous.names.map((_, j) => columns.indexOf(j));
  const named = { ...reordered(parameters, order), names: previous.names };
  const meanOf = (name: string) => named.means[named.names.indexOf(name)]?.[r];
  const [bear, bull] = [meanOf('bear'), meanOf('bull')];
  if (bear !== undefined && bull !== undefined && !(bull > bear)) {
    return ranked(parameters, r, 'the mean return of bull would not be above that of bear');
  }
  return { parameters: named, by: 'matched', distance: cost, reason: null };
}

function ranked(parameters: HmmParameters, r: number, reason: string | null): NamedHmm {
  const d = parameters.features.length;
  const varianceAt = parameters.covariance === 'full' ? r * d + r : r;
  const order = parameters.means.map((_, i) => i);
  order.sort((a, b) => {
    const byMean = parameters.means[a]![r]! - parameters.means[b]![r]!;
    return byMean !== 0
      ? byMean
      : parameters.covariances[b]![varianceAt]! - parameters.covariances[a]![varianceAt]!;
  });
  const named = { ...reordered(parameters, order), names: rankedNames(order.length) };
  return { parameters: named, by: 'ranked', distance: null, reason };
}

/** State `order[i]` becomes state i; names go along. */
function reordered(parameters: HmmParameters, order: readonly number[]): HmmParameters {
  const taken = <T>(values: readonly T[]): T[] => order.map((i) => values[i]!);
  return {
    ...parameters,
    names: taken(parameters.names),
    initial: taken(parameters.initial),
    transition: taken(parameters.transition).map(taken),
    means: taken(parameters.means),
    covariances: taken(parameters.covariances),
  };
}

/**
 * Bhattacharyya distance between two states' Gaussians: (m1-m2)' S^-1 (m1-m2) / 8 + ln(det S / sqrt(det S1 det S2)) / 2
 * with S = (S1 + S2) / 2. Free of the units of the features.
 */
export function stateDistance(a: HmmParameters, i: number, b: HmmParameters, j: number): number {
  const d = a.features.length;
  const [first, second] = [matrixOf(a, i), matrixOf(b, j)];
  const lower = choleskyOf(
    first.map((v, m) => (v + second[m]!) / 2),
    d,
  );
  const [lowerA, lowerB] = [choleskyOf(first, d), choleskyOf(second, d)];
  if (lower === null || lowerA === null || lowerB === null) broken('a covariance is not positive definite');
  let square = 0;
  const z = new Float64Array(d);
  for (let m = 0; m < d; m++) {
    let rest = a.means[i]![m]! - b.means[j]![m]!;
    for (let c = 0; c < m; c++) rest -= lower[m * d + c]! * z[c]!;
    z[m] = rest / lower[m * d + m]!;
    square += z[m]! ** 2;
  }
  return (
    square / 8 + (logDeterminant(lower, d) - (logDeterminant(lowerA, d) + logDeterminant(lowerB, d)) / 2) / 2
  );
}

function matrixOf({ covariance, covariances, features }: HmmParameters, i: number): number[] {
  const row = covariances[i]!;
  const d = features.length;
  if (covariance === 'full') return [...row];
  return Array.from({ length: d * d }, (_, m) => (m % (d + 1) === 0 ? row[m / (d + 1)]! : 0));
}

/** Of L L', from its diagonal. */
function logDeterminant(lower: Float64Array, d: number): number {
  let sum = 0;
  for (let m = 0; m < d; m++) sum += 2 * Math.log(lower[m * d + m]!);
  return sum;
}

/**
 * The assignment of rows to columns with the least sum, each column taken once: `columns[row]`. By dynamic programming
 * over sets of columns, K 2^K steps; of equal sums the one found first. Meant for a few states.
 */
export function cheapestAssignment(costs: readonly (readonly number[])[]): {
  readonly columns: number[];
  readonly cost: number;
} {
  const k = costs.length;
  const least = new Float64Array(1 << k).fill(Infinity);
  const last = new Int32Array(1 << k).fill(-1);
  const rows = new Int32Array(1 << k);
  least[0] = 0;
  for (let taken = 0; taken < 1 << k; taken++) {
    const row = rows[taken]!;
    for (let column = 0; column < k; column++) {
      const with_ = taken | (1 << column);
      if (with_ === taken) continue;
      rows[with_] = row + 1;
      const sum = least[taken]! + costs[row]![column]!;
      if (sum < least[with_]!) {
        least[with_] = sum;
        last[with_] = column;
      }
    }
  }
  const columns = new Array<number>(k);
  for (let taken = (1 << k) - 1, row = k - 1; row >= 0; row--) {
    columns[row] = last[taken]!;
    taken ^= 1 << columns[row]!;
  }
  return { columns, cost: least[(1 << k) - 1]! };
}
