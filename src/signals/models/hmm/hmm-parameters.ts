import { InputError } from '#base';

/** Shapes of a state's covariance: one variance per dimension, or a whole matrix. */
export type HmmCovariance = 'diagonal' | 'full';

/**
 * A hidden Markov model with one Gaussian per state, over K states and D dimensions. Plain data: it is stored as JSON
 * and hashed as it is. Units are those of the features it was fitted to.
 */
export interface HmmParameters {
  readonly kind: 'gaussian-hmm';
  /** D feature expressions in the order of the observation: `logret:1`. */
  readonly features: readonly string[];
  /** K names, all different: `bear`, `sideways`, `bull`. */
  readonly names: readonly string[];
  /** K probabilities of the first state. */
  readonly initial: readonly number[];
  /** K x K; row i holds the probabilities of what follows state i. */
  readonly transition: readonly (readonly number[])[];
  /** K x D. */
  readonly means: readonly (readonly number[])[];
  readonly covariance: HmmCovariance;
  /** K x D variances when `covariance` is diagonal; K times D rows of D when it is full, joined row by row (K x D*D). */
  readonly covariances: readonly (readonly number[])[];
}

export const HMM_STATES_MAX = 16;
export const HMM_DIMENSIONS_MAX = 32;

/** How far a row of probabilities may be from 1: what JSON text and a fit leave behind. */
const SUM_SLACK = 1e-9;

/**
 * Checks a model that came from outside and returns it. Throws InputError for another shape, probabilities that do not
 * sum to 1, numbers that are not finite and covariances that are not positive definite.
 */
export function parseHmm(value: unknown): HmmParameters {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) wrong('it is not an object');
  const model = value as { [K in keyof HmmParameters]?: unknown };
  if (model.kind !== 'gaussian-hmm') wrong(`its kind is ${JSON.stringify(model.kind)}`);
  const features = texts(model.features, 'features', HMM_DIMENSIONS_MAX);
  const names = texts(model.names, 'names', HMM_STATES_MAX);
  if (new Set(names).size !== names.length) wrong('two states have one name');
  const [k, d] = [names.length, features.length];
  const { covariance } = model;
  if (covariance !== 'diagonal' && covariance !== 'full') {
    wrong(`its covariance is ${JSON.stringify(covariance)}, not diagonal or full`);
  }
  const initial = probabilities(numbers(model.initial, k, 'initial'), 'initial');
  const transition = table(model.transition, k, k, 'transition').map((row, i) =>
    probabilities(row, `row ${i} of transition`),
  );
  const means = table(model.means, k, d, 'means');
  const width = covariance === 'full' ? d * d : d;
  const covariances = table(model.covariances, k, width, 'covariances');
  covariances.forEach((row, i) => {
    const held = covariance === 'full' ? choleskyOf(row, d) !== null : row.every((v) => v > 0);
    if (!held) wrong(`the covariance of state ${i} is not positive definite`);
  });
  return { kind: 'gaussian-hmm', features, names, initial, transition, means, covariance, covariances };
}

/**
 * The lower triangle L, row by row, of a symmetric D x D matrix = L L'; null unless the matrix is symmetric and
 * positive definite.
 */
export function choleskyOf(matrix: ArrayLike<number>, d: number): Float64Array | null {
  const lower = new Float64Array(d * d);
  for (let i = 0; i < d; i++) {
    for (let j = 0; j <= i; j++) {
      const [a, b] = [matrix[i * d + j]!, matrix[j * d + i]!];
      if (Math.abs(a - b) > 1e-9 * Math.max(Math.abs(a), Math.abs(b))) return null;
      let rest = a;
      for (let m = 0; m < j; m++) rest -= lower[i * d + m]! * lower[j * d + m]!;
      if (i !== j) lower[i * d + j] = rest / lower[j * d + j]!;
      else if (rest > 0 && Number.isFinite(rest)) lower[i * d + i] = Math.sqrt(rest);
      else return null;
    }
  }
  return lower;
}

function wrong(what: string): never {
  throw new InputError(`this is no hidden Markov model: ${what}`, 'give one as fitHmm returns it');
}

function texts(value: unknown, name: string, max: number): string[] {
  if (!Array.isArray(value) || value.some((v) => typeof v !== 'string' || v === '')) {
    wrong(`${name} is not a list of words`);
  }
  if (value.length < 1 || value.length > max) wrong(`${name} has ${value.length} entries, not 1 to ${max}`);
  return [...value] as string[];
}

function numbers(value: unknown, length: number, name: string): number[] {
  if (!Array.isArray(value) || value.length !== length) wrong(`${name} is not a list of ${length}`);
  if (value.some((v) => typeof v !== 'number' || !Number.isFinite(v))) wrong(`${name} holds no number`);
  return [...value] as number[];
}

function table(value: unknown, rows: number, columns: number, name: string): number[][] {
  if (!Array.isArray(value) || value.length !== rows) wrong(`${name} is not a list of ${rows} rows`);
  return value.map((row, i) => numbers(row, columns, `row ${i} of ${name}`));
}

function probabilities(row: number[], name: string): number[] {
  const sum = row.reduce((a, b) => a + b, 0);
  if (row.some((p) => p < 0) || Math.abs(sum - 1) > SUM_SLACK) wrong(`${name} does not sum to 1`);
  return row;
}
