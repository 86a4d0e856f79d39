import { InputError } from '#base';
import { CALIBRATION, effectiveCount, fitIsotonic, fitPlatt, type WeightedOutcomes } from '#learning';
import { PROBABILITY_EDGE, type ProbabilityCalibration } from '#signals';
import { fitLogistic } from './logistic-fit.ts';

export type CalibrationMethod = ProbabilityCalibration['kind'];

export const CALIBRATION_METHODS: readonly CalibrationMethod[] = ['isotonic', 'platt', 'beta'];

export interface CalibrationGuard {
  /** Fewer predictions than this, weights counted, calibrate nothing: ten labels of the same hour are hardly more than one. */
  readonly sampleMin: number;
  /** Nor do fewer of either outcome. */
  readonly eitherMin: number;
}

export const CALIBRATION_GUARD: CalibrationGuard = { sampleMin: CALIBRATION.sampleMin, eitherMin: 10 };

/** A calibration, or why there is none. */
export type CalibrationFit =
  | { readonly calibration: ProbabilityCalibration; readonly refused: null }
  | { readonly calibration: null; readonly refused: string };

/**
 * Fits a calibration to stated probabilities and what happened (1 or 0). No fit falls: a model may be useless, never
 * upside down. Weights say how much of a prediction each is. Refused where too little is known. Throws InputError for values that are no probabilities or outcomes.
 *
 * `isotonic`: pooling adjacent violators. `platt`: Newton with Platt's targets. `beta`: {@link fitBeta}.
 */
export function fitCalibration(
  method: CalibrationMethod,
  outcomes: WeightedOutcomes,
  changes: Partial<CalibrationGuard> = {},
): CalibrationFit {
  check(outcomes);
  const { sampleMin, eitherMin } = { ...CALIBRATION_GUARD, ...changes };
  const count = effectiveCount(outcomes);
  if (outcomes.stated.length === 0 || count < sampleMin)
    return refusal(`${counted(outcomes, count)}, ${sampleMin} are needed`);
  const happened = outcomes.happened.reduce((sum, o) => sum + o, 0);
  const fewer = Math.min(happened, outcomes.stated.length - happened);
  if (fewer < eitherMin) return refusal(`one outcome came ${fewer} times, ${eitherMin} are needed`);
  const calibration = fitted(method, outcomes);
  return calibration === null ? refusal('the fit did not settle') : { calibration, refused: null };
}

const short = (count: number): string => String(Number(count.toFixed(1)));

const counted = ({ stated, weights }: WeightedOutcomes, count: number): string =>
  weights === undefined
    ? `${count} predictions`
    : `${stated.length} overlapping predictions count as ${short(count)}`;

const positives = ({ happened, weights }: WeightedOutcomes): number =>
  happened.reduce((sum, o, i) => sum + (weights?.[i] ?? 1) * o, 0);

function fitted(method: CalibrationMethod, outcomes: WeightedOutcomes): ProbabilityCalibration | null {
  if (method === 'beta') return fitBeta(outcomes);
  const guarded = { sampleMin: 1 };
  const fit = method === 'platt' ? fitPlatt(outcomes, 'forecast', guarded) : fitIsotonic(outcomes, guarded);
  if (fit === null) return null;
  return fit.kind === 'platt' ? fit : { kind: 'isotonic', x: fit.x, p: fit.p };
}

/**
 * Beta calibration (Kull, Silva Filho and Flach 2017): logistic regression of the outcome on ln p and -ln(1 - p) with
 * neither coefficient below 0. The loss is convex, so the best of the fits with one, the other or both left out is the
 * bounded optimum where the free one leaves the bounds. Platt's targets keep separable data finite.
 */
export function fitBeta({ stated, happened, weights }: WeightedOutcomes): ProbabilityCalibration {
  const clipped = stated.map((p) => Math.min(1 - PROBABILITY_EDGE, Math.max(PROBABILITY_EDGE, p)));
  const lnP = clipped.map((p) => Math.log(p));
  const lnRest = clipped.map((p) => -Math.log1p(-p));
  const targets = plattTargets({ stated, happened, ...(weights === undefined ? {} : { weights }) });
  const both = fitLogistic([lnP, lnRest], targets, weights).coefficients;
  if (both[0]! >= 0 && both[1]! >= 0) return { kind: 'beta', a: both[0]!, b: both[1]!, c: both[2]! };
  const first = fitLogistic([lnP], targets, weights);
  const second = fitLogistic([lnRest], targets, weights);
  const [a, b] = [first.coefficients[0]!, second.coefficients[0]!];
  if (a >= 0 && (b < 0 || first.loss <= second.loss))
    return { kind: 'beta', a, b: 0, c: first.coefficients[1]! };
  if (b >= 0) return { kind: 'beta', a: 0, b, c: second.coefficients[1]! };
  return { kind: 'beta', a: 0, b: 0, c: fitLogistic([], targets, weights).coefficients[0]! };
}

/** Platt (1999): outcomes drawn in from 0 and 1 as one more observation of each would. */
function plattTargets(outcomes: WeightedOutcomes): readonly number[] {
  const positive = positives(outcomes);
  const high = (positive + 1) / (positive + 2);
  const low = 1 / (effectiveCount(outcomes) - positive + 2);
  return outcomes.happened.map((o) => low + o * (high - low));
}

function check({ stated, happened, weights }: WeightedOutcomes): void {
  if (stated.length !== happened.length)
    throw new InputError(
      `${stated.length} stated probabilities and ${happened.length} outcomes`,
      'give one outcome per probability',
    );
  stated.forEach((p, i) => {
    if (!(p >= 0 && p <= 1))
      throw new InputError(`stated probability ${i} is ${p}`, 'give probabilities from 0 to 1');
  });
  if (weights !== undefined && weights.length !== stated.length)
    throw new InputError(
      `${stated.length} stated probabilities and ${weights.length} weights`,
      'give one weight per probability',
    );
  weights?.forEach((weight, i) => {
    if (!(weight > 0 && Number.isFinite(weight)))
      throw new InputError(`weight ${i} is ${weight}`, 'give weights above 0');
  });
  happened.forEach((o, i) => {
    if (o !== 0 && o !== 1)
      throw new InputError(`outcome ${i} is ${o}`, 'give 1 for what happened and 0 for what did not');
  });
}

function refusal(refused: string): CalibrationFit {
  return { calibration: null, refused };
}
