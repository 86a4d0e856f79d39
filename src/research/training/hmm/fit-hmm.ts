import { Chance, InputError } from '#base';
import {
  type DenseHmm,
  HMM_DIMENSIONS_MAX,
  HMM_STATES_MAX,
  type HmmCovariance,
  type HmmParameters,
  nameStates,
  parseHmm,
} from '#signals';
import { Expectations } from './expectations.ts';
import { checkedSequences, type HmmRows, type Sequences } from './hmm-rows.ts';
import { maximise, momentCount, raiseEigenvalues } from './maximise.ts';
import { fromStandard, type Standardised, standardise, toStandard } from './standardised.ts';
import { startParameters } from './start-parameters.ts';

export interface HmmFitOptions {
  /** K, 1 to 16. */
  readonly states: number;
  /** Default `full`; with one dimension the two are the same. */
  readonly covariance?: HmmCovariance;
  /** Starting points tried, the best kept; default 6. With `start` they come on top of it. */
  readonly restarts?: number;
  /** A model to start from as well: the one that is to be refitted, whose names are then kept where they still hold. */
  readonly start?: HmmParameters;
  /** Maximisation steps of each try, at most; default 500. */
  readonly iterationsMax?: number;
  /** A try has converged when a step raises the log likelihood per row by no more than this; default 1e-8. */
  readonly tolerance?: number;
  /**
   * Least eigenvalue of a state's covariance, as a share of each feature's variance over all rows; default 1e-6. Without
   * it the likelihood has no maximum: a state may shrink onto a single row.
   */
  readonly covarianceFloor?: number;
  /** Which feature is the return that names follow; default 0. */
  readonly returnDimension?: number;
  readonly seed: string;
}

/** One start and what it came to. */
export interface HmmTry {
  readonly from: 'given' | 'rows' | 'spreads';
  readonly logLikelihood: number;
  /** Maximisation steps. */
  readonly iterations: number;
  readonly converged: boolean;
}

export interface HmmFit {
  /** States named and ordered by {@link nameStates}. */
  readonly parameters: HmmParameters;
  /** Of the rows as given, under `parameters`. */
  readonly logLikelihood: number;
  readonly iterations: number;
  readonly converged: boolean;
  /** Log likelihood before each step and at the end; never falling but for rounding. */
  readonly history: Float64Array;
  readonly tries: readonly HmmTry[];
  /** States whose covariance the floor had to hold up in the last step: little data or too many states. */
  readonly raised: number;
  /** Free parameters, and Schwarz's criterion: parameters * ln N - 2 ln likelihood, lower is better. */
  readonly freeParameters: number;
  readonly bic: number;
}

interface Climb extends HmmTry {
  readonly model: DenseHmm;
  readonly history: Float64Array;
  readonly raised: number;
}

/**
 * Maximum likelihood by Baum and Welch's expectation maximisation, from several seeded starts; no prior on anything. The
 * recursions are scaled where that is proven as exact as logarithms and run in logarithms where not (see Expectations),
 * so that no length underflows. The cost of a step is linear in rows; memory 16 N K + 8 N D bytes, nothing is allocated
 * per row. Throws InputError for rows and options that cannot be.
 */
export function fitHmm(rows: HmmRows, options: HmmFitOptions): HmmFit {
  const { states, covariance = 'full', restarts = 6, start, seed, covarianceFloor: floor = 1e-6 } = options;
  checkOptions(rows, options);
  const sequences = checkedSequences(rows);
  if (sequences.count < states) {
    throw new InputError(
      `${sequences.count} rows for ${states} states`,
      'take a longer stretch or fewer states',
    );
  }
  const by = standardise(rows);
  const d = rows.features.length;
  const full = covariance === 'full';
  const chance = new Chance(`${seed}/hmm/${states}`);
  let best: Climb | null = null;
  const tries: HmmTry[] = [];
  let expectations: Expectations | null = null;
  const attempt = (from: HmmTry['from'], model: DenseHmm) => {
    expectations ??= new Expectations(by.values, sequences, model);
    const climb = climbFrom(from, model, expectations, by, sequences, options, floor);
    tries.push({
      from,
      logLikelihood: climb.logLikelihood,
      iterations: climb.iterations,
      converged: climb.converged,
    });
    if (best === null || climb.logLikelihood > best.logLikelihood) best = climb;
  };
  if (start !== undefined) attempt('given', startOf(start, rows, by, states, covariance, floor));
  for (let r = 0; r < restarts; r++) {
    const bySpread = r % 2 === 1;
    const fork = chance.fork(`start ${r}`);
    attempt(
      bySpread ? 'spreads' : 'rows',
      startParameters(by.values, sequences, states, d, full, bySpread, floor, fork),
    );
  }
  return finished(best!, tries, rows, by, options);
}

/** Parameters that can be chosen freely: K-1 first states, K(K-1) moves, K D means and the covariances. */
export function freeParametersOf(states: number, dimensions: number, covariance: HmmCovariance): number {
  const spread = covariance === 'full' ? (dimensions * (dimensions + 1)) / 2 : dimensions;
  return states - 1 + states * (states - 1) + states * dimensions + states * spread;
}

function climbFrom(
  from: HmmTry['from'],
  model: DenseHmm,
  expectations: Expectations,
  by: Standardised,
  sequences: Sequences,
  { iterationsMax = 500, tolerance = 1e-8 }: HmmFitOptions,
  floor: number,
): Climb {
  const moments = new Float64Array(momentCount(model.dimensions));
  const history = new Float64Array(iterationsMax + 1);
  let iterations = 0;
  let raised = 0;
  let converged = false;
  for (;;) {
    const logLikelihood = expectations.forwards(model) - by.logVolume;
    if (!Number.isFinite(logLikelihood)) {
      throw new InputError(
        'the model to start from cannot have made these rows',
        'start from another, or from none',
      );
    }
    history[iterations] = logLikelihood;
    if (iterations > 0) {
      converged = logLikelihood - history[iterations - 1]! <= tolerance * sequences.count;
    }
    if (converged || iterations === iterationsMax) break;
    expectations.backwards(model);
    raised = maximise(model, expectations, by.values, sequences, floor, moments);
    iterations += 1;
  }
  return {
    from,
    model,
    logLikelihood: history[iterations]!,
    iterations,
    converged,
    history: history.slice(0, iterations + 1),
    raised,
  };
}

function finished(
  best: Climb,
  tries: HmmTry[],
  rows: HmmRows,
  by: Standardised,
  options: HmmFitOptions,
): HmmFit {
  const { states, covariance = 'full', start, returnDimension = 0 } = options;
  const { model, logLikelihood, iterations, converged, history, raised } = best;
  const fitted = fromStandard(model, rows, by);
  const { parameters } = nameStates(fitted, { returnDimension, previous: start ?? null });
  const freeParameters = freeParametersOf(states, rows.features.length, covariance);
  const count = rows.values.length / rows.features.length;
  const bic = freeParameters * Math.log(count) - 2 * logLikelihood;
  return { parameters, logLikelihood, iterations, converged, history, tries, raised, freeParameters, bic };
}

/** A model that was given, standardised, with its covariances above the floor. */
function startOf(
  start: HmmParameters,
  rows: HmmRows,
  by: Standardised,
  states: number,
  covariance: HmmCovariance,
  floor: number,
): DenseHmm {
  const model = toStandard(parseHmm(start), rows, by);
  if (model.states !== states || start.covariance !== covariance) {
    throw new InputError(
      `the model to start from has ${model.states} states and ${start.covariance} covariances`,
      'ask for the same, or start from none',
    );
  }
  const { dimensions: d, covariances, full } = model;
  if (!full) for (let i = 0; i < covariances.length; i++) covariances[i] = Math.max(covariances[i]!, floor);
  else {
    for (let s = 0; s < states; s++)
      raiseEigenvalues(covariances.subarray(s * d * d, (s + 1) * d * d), d, floor);
  }
  return model;
}

function checkOptions(rows: HmmRows, options: HmmFitOptions): void {
  const {
    states,
    restarts = 6,
    start,
    iterationsMax = 500,
    tolerance = 1e-8,
    covarianceFloor = 1e-6,
  } = options;
  const whole = (value: number, min: number, max: number, name: string) => {
    if (!Number.isInteger(value) || value < min || value > max) {
      throw new InputError(`${name} is ${value}`, `give a whole number from ${min} to ${max}`);
    }
  };
  whole(states, 1, HMM_STATES_MAX, 'states');
  whole(rows.features.length, 1, HMM_DIMENSIONS_MAX, 'the number of features');
  whole(restarts, start === undefined ? 1 : 0, 1000, 'restarts');
  whole(iterationsMax, 0, 100_000, 'iterationsMax');
  if (!(tolerance >= 0)) throw new InputError(`tolerance is ${tolerance}`, 'give 0 or more');
  if (!(covarianceFloor > 0 && covarianceFloor < 1)) {
    throw new InputError(
      `covarianceFloor is ${covarianceFloor}`,
      'give a share between 0 and 1, such as 1e-6',
    );
  }
}
