/** How well stated probabilities `p` fit outcomes `o` of 0 or 1 (or a payout between). Arrays of one length. */

const CLIP = 1e-15;

/** (p - o)^2 (Brier 1950). */
export const brier = (p: number, o: number): number => (p - o) ** 2;

/** -ln of the probability given to what happened, p clipped at 1e-15. */
export function logLoss(p: number, o: number): number {
  const q = Math.min(1 - CLIP, Math.max(CLIP, p));
  return -(o * Math.log(q) + (1 - o) * Math.log1p(-q));
}

export function meanBrier(p: ArrayLike<number>, o: ArrayLike<number>): number {
  return meanOf(p, o, brier);
}

export function meanLogLoss(p: ArrayLike<number>, o: ArrayLike<number>): number {
  return meanOf(p, o, logLoss);
}

function meanOf(p: ArrayLike<number>, o: ArrayLike<number>, score: (p: number, o: number) => number): number {
  let sum = 0;
  for (let i = 0; i < p.length; i++) sum += score(p[i]!, o[i]!);
  return p.length === 0 ? Number.NaN : sum / p.length;
}

/** One row of a calibration table. `from` is included, `to` only in the last bin. */
export interface ReliabilityBin {
  readonly from: number;
  readonly to: number;
  readonly n: number;
  /** Mean stated probability and mean outcome; NaN in an empty bin. */
  readonly stated: number;
  readonly observed: number;
}

/** Stated against observed in equal-width bins of 0..1. */
export function reliability(
  p: ArrayLike<number>,
  o: ArrayLike<number>,
  bins = 10,
): readonly ReliabilityBin[] {
  const n = new Float64Array(bins);
  const stated = new Float64Array(bins);
  const observed = new Float64Array(bins);
  for (let i = 0; i < p.length; i++) {
    const bin = Math.min(bins - 1, Math.max(0, Math.floor(p[i]! * bins)));
    n[bin]! += 1;
    stated[bin]! += p[i]!;
    observed[bin]! += o[i]!;
  }
  return Array.from(n, (count, i) => ({
    from: i / bins,
    to: (i + 1) / bins,
    n: count,
    stated: count === 0 ? Number.NaN : stated[i]! / count,
    observed: count === 0 ? Number.NaN : observed[i]! / count,
  }));
}

/** Expected calibration error: the mean gap between stated and observed, weighted by the bins' counts. */
export function expectedCalibrationError(p: ArrayLike<number>, o: ArrayLike<number>, bins = 10): number {
  if (p.length === 0) return Number.NaN;
  let sum = 0;
  for (const bin of reliability(p, o, bins))
    if (bin.n > 0) sum += bin.n * Math.abs(bin.stated - bin.observed);
  return sum / p.length;
}
