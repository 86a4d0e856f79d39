import type { DenseHmm } from '#signals';
import { symmetricEigen } from '../../optimise/symmetric-eigen.ts';
import type { Expectations } from './expectations.ts';
import type { Sequences } from './hmm-rows.ts';

/**
 * The maximisation step: puts the parameters with the greatest expected likelihood into `model`, among those whose
 * covariances have no eigenvalue below `floor`. For a Gaussian that bound is kept by raising the eigenvalues of the
 * weighted sample covariance, which is the exact constrained maximum; so the likelihood never falls. A state that no row
 * belongs to keeps what it had. Gives how many states were raised. `values` is N x D.
 */
export function maximise(
  model: DenseHmm,
  expectations: Expectations,
  values: Float64Array,
  sequences: Sequences,
  floor: number,
  moments: Float64Array,
): number {
  const { states: k, dimensions: d, initial, transition } = model;
  const { posteriors, moves } = expectations;
  const { bounds } = sequences;
  initial.fill(0);
  for (let s = 0; s + 1 < bounds.length; s++) {
    for (let j = 0; j < k; j++) initial[j]! += posteriors[bounds[s]! * k + j]!;
  }
  normalise(initial, 0, k);
  for (let i = 0; i < k; i++) {
    let sum = 0;
    for (let j = 0; j < k; j++) sum += moves[i * k + j]!;
    if (!(sum > 0)) continue;
    for (let j = 0; j < k; j++) transition[i * k + j] = moves[i * k + j]! / sum;
    normalise(transition, i * k, k);
  }
  let raised = 0;
  for (let s = 0; s < k; s++) {
    gather(model, posteriors, values, s, moments);
    const weight = moments[0]!;
    // too little to divide by
    if (!(weight > 1e-200)) continue;
    if (takeMoments(model, s, weight, moments, floor, d)) raised += 1;
  }
  return raised;
}

/** How many numbers {@link maximise} needs for its moments. */
export const momentCount = (d: number): number => 1 + d + d * d;

/** Weight, first and second moments of the rows about the state's present mean, which keeps small variances exact. */
function gather(
  model: DenseHmm,
  posteriors: Float64Array,
  x: Float64Array,
  s: number,
  out: Float64Array,
): void {
  const { states: k, dimensions: d, means, full } = model;
  if (d === 1) {
    const mean = means[s]!;
    let [weight, first, second] = [0, 0, 0];
    for (let t = 0, at = s; t < x.length; t++, at += k) {
      const p = posteriors[at]!;
      const away = x[t]! - mean;
      weight += p;
      first += p * away;
      second += p * away * away;
    }
    out[0] = weight;
    out[1] = first;
    out[2] = second;
    return;
  }
  // pass by pass, because sums in registers are faster than one pass with sums in an array
  const n = x.length / d;
  let weight = 0;
  for (let t = 0, at = s; t < n; t++, at += k) weight += posteriors[at]!;
  out[0] = weight;
  for (let i = 0; i < d; i++) {
    const meanI = means[s * d + i]!;
    let first = 0;
    for (let t = 0, at = s, row = i; t < n; t++, at += k, row += d)
      first += posteriors[at]! * (x[row]! - meanI);
    out[1 + i] = first;
    for (let j = full ? 0 : i; j <= i; j++) {
      const meanJ = means[s * d + j]!;
      let second = 0;
      for (let t = 0, at = s, row = 0; t < n; t++, at += k, row += d) {
        second += posteriors[at]! * (x[row + i]! - meanI) * (x[row + j]! - meanJ);
      }
      out[1 + d + i * d + j] = second;
    }
  }
}

/** Mean and covariance of one state from its moments; true when its covariance had to be raised. */
function takeMoments(
  { means, covariances, full }: DenseHmm,
  s: number,
  weight: number,
  moments: Float64Array,
  floor: number,
  d: number,
): boolean {
  const shift = (i: number) => moments[1 + i]! / weight;
  const spread = (i: number, j: number) => moments[1 + d + i * d + j]! / weight - shift(i) * shift(j);
  let raised = false;
  if (!full) {
    for (let i = 0; i < d; i++) {
      const variance = spread(i, i);
      if (!(variance >= floor)) raised = true;
      covariances[s * d + i] = Math.max(variance, floor);
    }
  } else {
    const matrix = covariances.subarray(s * d * d, (s + 1) * d * d);
    for (let i = 0; i < d; i++) {
      for (let j = 0; j <= i; j++) matrix[i * d + j] = matrix[j * d + i] = spread(i, j);
    }
    raised = raiseEigenvalues(matrix, d, floor);
  }
  for (let i = 0; i < d; i++) means[s * d + i]! += shift(i);
  return raised;
}

/** Raises the eigenvalues of a symmetric matrix to `floor` in place; false when all were above it. */
export function raiseEigenvalues(matrix: Float64Array, d: number, floor: number): boolean {
  const { values, vectors } = symmetricEigen(matrix, d);
  if (values.every((value) => value >= floor)) return false;
  for (let i = 0; i < d; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = 0;
      for (let m = 0; m < d; m++) {
        sum += Math.max(values[m]!, floor) * vectors[i * d + m]! * vectors[j * d + m]!;
      }
      matrix[i * d + j] = matrix[j * d + i] = sum;
    }
  }
  return true;
}

function normalise(row: Float64Array, from: number, count: number): void {
  let sum = 0;
  for (let i = from; i < from + count; i++) sum += row[i]!;
  for (let i = from; i < from + count; i++) row[i]! /= sum;
}
