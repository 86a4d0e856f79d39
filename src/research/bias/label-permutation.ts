import { Chance, InputError } from '#base';
import { deviation, mean } from '#learning';
import { shuffle } from '../statistics/block-bootstrap.ts';

export interface LabelPermutationOptions {
  /** What the score is when there is nothing to find: 0.5 for accuracy on even classes and AUC, 0 for a correlation. */
  readonly chance: number;
  /** Default 200. */
  readonly permutations?: number;
  /** Standard errors of the mean that a leak stands out by. Default 4. */
  readonly errors?: number;
  /** A mean this near to chance is no leak, however sure. Default 0.005. */
  readonly slack?: number;
  readonly seed: string;
}

export interface LabelPermutationReport {
  /** With the labels as they are. */
  readonly score: number;
  /** Of the scores on permuted labels: mean and sample deviation (ddof 1). */
  readonly mean: number;
  readonly deviation: number;
  /** Share of permutations that score at least as well, the real order counted as one of them (Phipson and Smyth 2010). */
  readonly p: number;
  /**
   * The mean on permuted labels lies away from chance: the procedure sees labels that it should not, because labels
   * without meaning cannot be predicted.
   */
  readonly leaks: boolean;
}

/**
 * Runs a whole procedure (preparing, selecting, fitting, testing) on labels in random order. `score` is given the
 * labels and must do everything again that used them; higher is better. Two answers: `leaks` says whether the
 * procedure is honest, `p` whether its result is more than luck. Throws InputError for fewer than 20 permutations and
 * for a score that is not finite.
 */
export function permuteLabels(
  labels: ArrayLike<number>,
  score: (labels: Float64Array) => number,
  options: LabelPermutationOptions,
): LabelPermutationReport {
  const { chance: level, permutations = 200, errors = 4, slack = 0.005, seed } = options;
  if (!Number.isInteger(permutations) || permutations < 20) {
    throw new InputError(`${permutations} permutations say nothing`, 'take at least 20');
  }
  const checked = (value: number) => {
    if (!Number.isFinite(value)) throw new InputError(`the score is ${value}`, 'a score is a finite number');
    return value;
  };
  const real = checked(score(Float64Array.from(labels)));
  const scores = Array.from({ length: permutations }, (_, k) => {
    const permuted = Float64Array.from(labels);
    shuffle(permuted, new Chance(`${seed}/permutation ${k}`));
    return checked(score(permuted));
  });
  const centre = mean(scores);
  const spread = deviation(scores);
  const away = Math.abs(centre - level);
  return {
    score: real,
    mean: centre,
    deviation: spread,
    p: (1 + scores.filter((s) => s >= real).length) / (permutations + 1),
    leaks: away > slack && away > (errors * spread) / Math.sqrt(permutations),
  };
}
