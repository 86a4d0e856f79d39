import { InputError } from '#base';
import type { DenseHmm, HmmParameters } from '#signals';
import { checkFeatures, emptyHmm, type HmmRows } from './hmm-rows.ts';

/** Rows less their mean over their deviation, and the way back. A fit works on these, so that its floor has no unit. */
export interface Standardised {
  readonly values: Float64Array;
  readonly mean: Float64Array;
  readonly deviation: Float64Array;
  /** Sum over all numbers of ln deviation: what log likelihoods of the rows themselves are lower by. */
  readonly logVolume: number;
}

/** Throws InputError for a feature that never moves. */
export function standardise({ values, features }: HmmRows): Standardised {
  const d = features.length;
  const n = values.length / d;
  const mean = new Float64Array(d);
  const deviation = new Float64Array(d);
  const out = new Float64Array(values.length);
  let logVolume = 0;
  for (let i = 0; i < d; i++) {
    for (let at = i; at < values.length; at += d) mean[i]! += values[at]! / n;
    for (let at = i; at < values.length; at += d) deviation[i]! += (values[at]! - mean[i]!) ** 2 / n;
    deviation[i] = Math.sqrt(deviation[i]!);
    // rounding leaves a little behind where all values are equal
    if (!(deviation[i]! > 1e-12 * Math.abs(mean[i]!))) {
      throw new InputError(`${features[i]} does not move`, 'leave the feature out or take a longer stretch');
    }
    for (let at = i; at < values.length; at += d) out[at] = (values[at]! - mean[i]!) / deviation[i]!;
    logVolume += n * Math.log(deviation[i]!);
  }
  return { values: out, mean, deviation, logVolume };
}

/** A model of the rows as one of the standardised rows. */
export function toStandard(parameters: HmmParameters, rows: HmmRows, by: Standardised): DenseHmm {
  checkFeatures(rows, parameters.features);
  const d = rows.features.length;
  const full = parameters.covariance === 'full';
  const model = emptyHmm(parameters.names.length, d, full);
  model.initial.set(parameters.initial);
  model.transition.set(parameters.transition.flat());
  model.means.set(parameters.means.flatMap((row) => row.map((m, i) => (m - by.mean[i]!) / by.deviation[i]!)));
  model.covariances.set(
    parameters.covariances.flatMap((row) => row.map((c, m) => c / scaleOf(by, full, d, m))),
  );
  return model;
}

/** The way back, with states called `state-0` and so on. */
export function fromStandard(model: DenseHmm, rows: HmmRows, by: Standardised): HmmParameters {
  const { states: k, dimensions: d, full } = model;
  const lines = (values: Float64Array) => {
    const width = values.length / k;
    return Array.from({ length: k }, (_, s) => [...values.subarray(s * width, (s + 1) * width)]);
  };
  return {
    kind: 'gaussian-hmm',
    features: [...rows.features],
    names: Array.from({ length: k }, (_, s) => `state-${s}`),
    initial: [...model.initial],
    transition: lines(model.transition),
    means: lines(model.means).map((row) => row.map((m, i) => m * by.deviation[i]! + by.mean[i]!)),
    covariance: full ? 'full' : 'diagonal',
    covariances: lines(model.covariances).map((row) => row.map((c, m) => c * scaleOf(by, full, d, m))),
  };
}

/** What entry m of a state's covariances grows by on the way back. */
function scaleOf({ deviation }: Standardised, full: boolean, d: number, m: number): number {
  return full ? deviation[Math.floor(m / d)]! * deviation[m % d]! : deviation[m]! ** 2;
}
