import { type Chance, InputError } from '#base';
import { mean } from '#learning';
import { moves } from './moments.ts';

/** A number of periods, 1 and above, or the length that the data ask for. */
export type MeanBlock = number | 'auto';

/**
 * Stationary bootstrap (Politis and Romano 1994): fills `out` with indices below n in blocks of geometric length
 * with mean `meanBlock`, each starting anywhere, wrapping at the end. A mean of 1 is the bootstrap of single
 * observations.
 */
export function stationaryIndices(n: number, meanBlock: number, chance: Chance, out: Int32Array): void {
  if (!(meanBlock >= 1)) throw new InputError(`a mean block of ${meanBlock}`, 'give 1 or more');
  if (meanBlock === 1) {
    for (let i = 0; i < out.length; i++) out[i] = chance.below(n);
    return;
  }
  const scale = 1 / Math.log1p(-1 / meanBlock);
  for (let i = 0; i < out.length; ) {
    let index = chance.below(n);
    const end = i + 1 + Math.floor(Math.log(1 - chance.uniform()) * scale);
    for (; i < end && i < out.length; i++) {
      out[i] = index;
      if (++index === n) index = 0;
    }
  }
}

/** Random order in place (Fisher and Yates). */
export function shuffle(values: Float64Array | Int32Array, chance: Chance): void {
  for (let i = values.length - 1; i > 0; i--) {
    const j = chance.below(i + 1);
    const kept = values[i]!;
    values[i] = values[j]!;
    values[j] = kept;
  }
}

/**
 * Mean block length for the stationary bootstrap of a series' mean: Politis and White 2004, as corrected by Patton,
 * Politis and White 2009. (2 G^2 / D)^(1/3) n^(1/3) with flat-top windows, whose width is twice the lag after which
 * max(5, sqrt(log10 n)) autocorrelations in a row lie within 2 sqrt(log10(n) / n). Between 1 and
 * min(3 sqrt(n), n/3); 1 for fewer than 9 values and for values that do not vary.
 */
export function automaticBlock(values: ArrayLike<number>): number {
  const n = values.length;
  if (n < 9) return 1;
  const reach = Math.max(5, Math.ceil(Math.sqrt(Math.log10(n))));
  const lagMax = Math.min(n - 1, Math.ceil(Math.sqrt(n)) + reach);
  const covariances = autocovariances(values, lagMax);
  const variance = covariances[0]!;
  if (!moves(mean(values), Math.sqrt(variance))) return 1;
  const width = Math.min(2 * Math.max(1, lastSignificant(covariances, n, reach)), lagMax);
  let spectrum = variance;
  let slope = 0;
  for (let k = 1; k <= width; k++) {
    const share = k / width;
    const weighted = 2 * (share <= 0.5 ? 1 : 2 * (1 - share)) * covariances[k]!;
    spectrum += weighted;
    slope += k * weighted;
  }
  const longest = Math.max(1, Math.ceil(Math.min(3 * Math.sqrt(n), n / 3)));
  // 2 G^2 / D with D = 2 spectrum^2; a spectrum of 0 asks for the longest block
  const length = Math.cbrt((slope / spectrum) ** 2 * n);
  return Number.isNaN(length) ? 1 : Math.min(Math.max(length, 1), longest);
}

/** Divisor n, lags 0 to lagMax. */
function autocovariances(values: ArrayLike<number>, lagMax: number): Float64Array {
  const n = values.length;
  const m = mean(values);
  const centred = Float64Array.from(values, (value) => value - m);
  const out = new Float64Array(lagMax + 1);
  for (let lag = 0; lag <= lagMax; lag++) {
    let sum = 0;
    for (let i = lag; i < n; i++) sum += centred[i]! * centred[i - lag]!;
    out[lag] = sum / n;
  }
  return out;
}

/** The lag after which `reach` correlations in a row are within the bound; else the last one beyond it. */
function lastSignificant(covariances: Float64Array, n: number, reach: number): number {
  const bound = 2 * Math.sqrt(Math.log10(n) / n) * covariances[0]!;
  let last = 0;
  for (let lag = 1; lag < covariances.length; lag++) {
    if (Math.abs(covariances[lag]!) >= bound) last = lag;
    else if (lag - last >= reach) return last;
  }
  return last;
}
