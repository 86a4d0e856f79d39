import { InputError } from '#base';
import type { DenseHmm } from '#signals';

/** Observations that a hidden Markov model is fitted to or read with: N rows of D finite numbers. */
export interface HmmRows {
  /** N x D, row by row, in the order of time. */
  readonly values: Float64Array;
  /** D feature expressions: `logret:1`. */
  readonly features: readonly string[];
  /** Rows at which a sequence of its own begins (after a gap, another instrument), ascending; row 0 always does. */
  readonly starts?: ArrayLike<number>;
}

/** Checked rows: how many, and where sequences begin with N behind the last. */
export interface Sequences {
  readonly count: number;
  readonly bounds: Int32Array;
}

/** Throws InputError for rows that are ragged, not finite, fewer than two, or cut where they cannot be. */
export function checkedSequences({ values, features, starts = [] }: HmmRows): Sequences {
  const d = features.length;
  const count = d === 0 ? 0 : values.length / d;
  if (!Number.isInteger(count) || count < 2) {
    throw new InputError(
      `${values.length} numbers in rows of ${d}`,
      'give two rows or more, all of one length',
    );
  }
  for (let i = 0; i < values.length; i++) {
    if (!Number.isFinite(values[i]!)) {
      throw new InputError(
        `row ${Math.floor(i / d)} of ${features[i % d]} is ${values[i]}`,
        'leave out rows that are not defined, and let a sequence start behind a gap',
      );
    }
  }
  const bounds = [0];
  for (let k = 0; k < starts.length; k++) {
    const at = starts[k]!;
    if (at === 0 && k === 0) continue;
    if (!Number.isInteger(at) || at <= bounds.at(-1)! || at >= count) {
      throw new InputError(`a sequence cannot start at row ${at}`, `give ascending rows below ${count}`);
    }
    bounds.push(at);
  }
  return { count, bounds: Int32Array.from([...bounds, count]) };
}

/** Throws InputError when rows and model do not speak of the same features. */
export function checkFeatures(rows: HmmRows, features: readonly string[]): void {
  if (rows.features.join() !== features.join()) {
    throw new InputError(
      `the model reads ${features.join(', ')}, the rows hold ${rows.features.join(', ')}`,
      'give the features of the model in its order',
    );
  }
}

/** A model with room for its numbers, all 0. */
export function emptyHmm(states: number, dimensions: number, full: boolean): DenseHmm {
  return {
    states,
    dimensions,
    full,
    initial: new Float64Array(states),
    transition: new Float64Array(states * states),
    means: new Float64Array(states * dimensions),
    covariances: new Float64Array(states * dimensions * (full ? dimensions : 1)),
  };
}
