import type { Chance } from '#base';
import type { DenseHmm } from '#signals';
import { emptyHmm, type Sequences } from './hmm-rows.ts';

/** Rounds of Lloyd's algorithm: enough for a start. */
const ROUNDS = 10;

/** Rows on each side of the running window that spreads are clustered by. */
const REACH = 10;

/**
 * A model to start from, for standardised rows: clusters of the rows themselves (k-means++ of Arthur and Vassilvitskii
 * 2007, a few rounds of Lloyd), or, where `bySpread`, clusters of running means and log deviations, because states of
 * returns differ more in how wildly than in where they move. Means, covariances and counted moves of the clusters; a
 * move that was not seen counts as one.
 */
export function startParameters(
  values: Float64Array,
  sequences: Sequences,
  states: number,
  dimensions: number,
  full: boolean,
  bySpread: boolean,
  floor: number,
  chance: Chance,
): DenseHmm {
  const points = bySpread ? runningSpreads(values, dimensions) : values;
  const width = bySpread ? 2 * dimensions : dimensions;
  const labels = cluster(points, width, states, chance);
  return modelOfLabels(values, sequences, labels, states, dimensions, full, floor);
}

/** Running mean and log deviation of each dimension in a window centred on the row, standardised. N x 2D. */
function runningSpreads(values: Float64Array, d: number): Float64Array {
  const n = values.length / d;
  const out = new Float64Array(n * 2 * d);
  for (let i = 0; i < d; i++) {
    let [sum, squares, from, to] = [0, 0, 0, 0];
    for (let t = 0; t < n; t++) {
      for (; to < Math.min(n, t + REACH + 1); to++) {
        sum += values[to * d + i]!;
        squares += values[to * d + i]! ** 2;
      }
      for (; from < t - REACH; from++) {
        sum -= values[from * d + i]!;
        squares -= values[from * d + i]! ** 2;
      }
      const mean = sum / (to - from);
      out[t * 2 * d + 2 * i] = mean;
      out[t * 2 * d + 2 * i + 1] = 0.5 * Math.log(Math.max(squares / (to - from) - mean * mean, 1e-6));
    }
  }
  for (let c = 0; c < 2 * d; c++) {
    let [mean, variance] = [0, 0];
    for (let at = c; at < out.length; at += 2 * d) mean += out[at]! / n;
    for (let at = c; at < out.length; at += 2 * d) variance += (out[at]! - mean) ** 2 / n;
    const scale = variance > 0 ? 1 / Math.sqrt(variance) : 0;
    for (let at = c; at < out.length; at += 2 * d) out[at] = (out[at]! - mean) * scale;
  }
  return out;
}

/** The cluster of each point. */
function cluster(points: Float64Array, width: number, states: number, chance: Chance): Int32Array {
  const n = points.length / width;
  const centres = new Float64Array(states * width);
  const nearest = new Float64Array(n).fill(Infinity);
  for (let s = 0; s < states; s++) {
    const pick = s === 0 ? chance.below(n) : pickByWeight(nearest, chance);
    centres.set(points.subarray(pick * width, (pick + 1) * width), s * width);
    for (let t = 0; t < n; t++) nearest[t] = Math.min(nearest[t]!, squareTo(points, t, centres, s, width));
  }
  const labels = new Int32Array(n);
  const counts = new Float64Array(states);
  for (let round = 0; round < ROUNDS; round++) {
    for (let t = 0; t < n; t++) {
      let least = Infinity;
      for (let s = 0; s < states; s++) {
        const square = squareTo(points, t, centres, s, width);
        if (square < least) {
          least = square;
          labels[t] = s;
        }
      }
    }
    counts.fill(0);
    for (let t = 0; t < n; t++) counts[labels[t]!]! += 1;
    for (let s = 0; s < states; s++) if (counts[s]! > 0) centres.fill(0, s * width, (s + 1) * width);
    for (let t = 0; t < n; t++) {
      const s = labels[t]!;
      for (let i = 0; i < width; i++) centres[s * width + i]! += points[t * width + i]! / counts[s]!;
    }
  }
  return labels;
}

function squareTo(points: Float64Array, t: number, centres: Float64Array, s: number, width: number): number {
  let sum = 0;
  for (let i = 0; i < width; i++) sum += (points[t * width + i]! - centres[s * width + i]!) ** 2;
  return sum;
}

function pickByWeight(weights: Float64Array, chance: Chance): number {
  let total = 0;
  for (const weight of weights) total += weight;
  // all points equal a centre: any will do
  if (!(total > 0)) return chance.below(weights.length);
  let rest = chance.uniform() * total;
  for (let t = 0; t < weights.length; t++) {
    rest -= weights[t]!;
    if (rest < 0) return t;
  }
  return weights.length - 1;
}

function modelOfLabels(
  values: Float64Array,
  { bounds }: Sequences,
  labels: Int32Array,
  k: number,
  d: number,
  full: boolean,
  floor: number,
): DenseHmm {
  const model = emptyHmm(k, d, full);
  const { initial, transition, means, covariances } = model;
  const counts = new Float64Array(k);
  for (const s of labels) counts[s]! += 1;
  initial.fill(1 / k);
  transition.fill(1);
  for (let b = 0; b + 1 < bounds.length; b++) {
    for (let t = bounds[b]! + 1; t < bounds[b + 1]!; t++) transition[labels[t - 1]! * k + labels[t]!]! += 1;
  }
  for (let i = 0; i < k; i++) {
    const row = transition.subarray(i * k, (i + 1) * k);
    const sum = row.reduce((a, b) => a + b, 0);
    for (let j = 0; j < k; j++) row[j]! /= sum;
  }
  labels.forEach((s, t) => {
    for (let i = 0; i < d; i++) means[s * d + i]! += values[t * d + i]! / counts[s]!;
  });
  // the shape of a small cluster says nothing; variances without correlations are a start that is always valid
  const variances = new Float64Array(k * d);
  labels.forEach((s, t) => {
    for (let i = 0; i < d; i++)
      variances[s * d + i]! += (values[t * d + i]! - means[s * d + i]!) ** 2 / counts[s]!;
  });
  const least = Math.max(floor, 1e-3);
  for (let s = 0; s < k; s++) {
    for (let i = 0; i < d; i++) {
      const variance = counts[s]! > 1 ? Math.max(variances[s * d + i]!, least) : 1;
      covariances[full ? s * d * d + i * d + i : s * d + i] = variance;
    }
  }
  return model;
}
