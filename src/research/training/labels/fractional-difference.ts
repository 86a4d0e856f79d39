import { InputError } from '#base';

/**
 * Weights of (1 - B)^d, B the lag: w0 = 1, wk = -w(k-1) (d - k + 1) / k (Hosking 1981; Lopez de Prado 2018, section 5.4).
 * The newest value's weight comes first; `count` of them.
 */
export function fractionalWeights(d: number, count: number): Float64Array {
  if (!Number.isFinite(d)) throw new InputError(`an order of ${d}`, 'give a finite order, such as 0.4');
  if (!Number.isInteger(count) || count < 1)
    throw new InputError(`${count} weights`, 'give a whole number from 1');
  const weights = new Float64Array(count);
  weights[0] = 1;
  for (let k = 1; k < count; k++) weights[k] = (-weights[k - 1]! * (d - k + 1)) / k;
  return weights;
}

/**
 * Fractional differences with a window of fixed width (section 5.5): weights from the first one smaller in size than
 * `threshold` on are left out, so that each value is made alike. NaN until the window is full, and wherever a value in
 * the window is not finite. Throws InputError when no window fits the series or the weights do not fall below the
 * threshold.
 */
export function fractionalDifferenceFixed(
  values: ArrayLike<number>,
  d: number,
  threshold = 1e-4,
): Float64Array {
  if (!(threshold > 0 && threshold < 1)) {
    throw new InputError(
      `a threshold of ${threshold}`,
      'give a size of weights between 0 and 1, such as 1e-4',
    );
  }
  const n = values.length;
  const all = fractionalWeights(d, n + 1);
  const width = all.findIndex((w) => Math.abs(w) < threshold);
  if (width < 0) {
    throw new InputError(
      `weights of order ${d} stay above ${threshold} for more than ${n} values`,
      'give a longer series or a larger threshold',
    );
  }
  const out = new Float64Array(n).fill(Number.NaN);
  for (let t = width - 1; t < n; t++) out[t] = weighted(values, t, all, width);
  return out;
}

/**
 * Fractional differences with a window that grows with the series (section 5.4). A value is NaN while the weights that
 * its history is too short for are more than `lossMax` of all weights by size; with 1 there is a value from the first
 * row on. Later values are made of more history than earlier ones. Quadratic in the length.
 */
export function fractionalDifference(values: ArrayLike<number>, d: number, lossMax = 0.01): Float64Array {
  if (!(lossMax >= 0 && lossMax <= 1))
    throw new InputError(`a loss of ${lossMax}`, 'give a share from 0 to 1');
  const n = values.length;
  const out = new Float64Array(n).fill(Number.NaN);
  if (n === 0) return out;
  const weights = fractionalWeights(d, n);
  const total = weights.reduce((sum, w) => sum + Math.abs(w), 0);
  let held = 0;
  for (let t = 0; t < n; t++) {
    held += Math.abs(weights[t]!);
    // the last sum differs from the total by nothing but rounding
    if (1 - held / total <= lossMax + 1e-15) out[t] = weighted(values, t, weights, t + 1);
  }
  return out;
}

function weighted(values: ArrayLike<number>, t: number, weights: Float64Array, width: number): number {
  let sum = 0;
  for (let k = 0; k < width; k++) sum += weights[k]! * values[t - k]!;
  return Number.isFinite(sum) ? sum : Number.NaN;
}
