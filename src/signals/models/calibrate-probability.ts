import { broken } from '#base';
import type { ProbabilityCalibration } from './probability-calibration.ts';

/** Stated probabilities are kept this far from 0 and 1 before their logarithms are taken. */
export const PROBABILITY_EDGE = 1e-9;

/**
 * The observed probability that belongs to the stated one, in [0, 1]. A probability that is not a number stays none:
 * whoever uses it must refuse it.
 */
export function calibrateProbability(calibration: ProbabilityCalibration, stated: number): number {
  if (Number.isNaN(stated)) return Number.NaN;
  if (calibration.kind === 'isotonic') return between(calibration.x, calibration.p, stated);
  const p = Math.min(1 - PROBABILITY_EDGE, Math.max(PROBABILITY_EDGE, stated));
  const [lnP, lnRest] = [Math.log(p), Math.log1p(-p)];
  return calibration.kind === 'platt'
    ? logistic(calibration.a * (lnP - lnRest) + calibration.b)
    : logistic(calibration.a * lnP - calibration.b * lnRest + calibration.c);
}

/**
 * Each class's probability through its own calibration, into `out` (which may be `probabilities` itself). What sums to more than
 * 1 is scaled down to it; less is left: scaled up, a class would be stated as more likely than it was ever observed to be.
 */
export function calibrateProbabilities(
  calibrations: readonly ProbabilityCalibration[],
  probabilities: ArrayLike<number>,
  out: Float64Array,
): void {
  const count = calibrations.length;
  if (count !== probabilities.length || out.length < count)
    broken(`${count} calibrations for ${probabilities.length} probabilities and room for ${out.length}`);
  let sum = 0;
  for (let i = 0; i < count; i++) {
    out[i] = calibrateProbability(calibrations[i]!, probabilities[i]!);
    sum += out[i]!;
  }
  // a sum that is no number leaves what is none
  if (sum > 1) for (let i = 0; i < count; i++) out[i] = out[i]! / sum;
}

function logistic(x: number): number {
  if (x >= 0) return 1 / (1 + Math.exp(-x));
  const e = Math.exp(x);
  return e / (1 + e);
}

function between(xs: readonly number[], ps: readonly number[], x: number): number {
  const last = xs.length - 1;
  if (last < 0 || xs.length !== ps.length)
    broken(`an isotonic calibration with ${xs.length} knots and ${ps.length} values`);
  if (x <= xs[0]!) return ps[0]!;
  if (x >= xs[last]!) return ps[last]!;
  let below = 0;
  let above = last;
  while (above - below > 1) {
    const middle = (below + above) >> 1;
    if (xs[middle]! <= x) below = middle;
    else above = middle;
  }
  const share = (x - xs[below]!) / (xs[above]! - xs[below]!);
  return ps[below]! + share * (ps[above]! - ps[below]!);
}
