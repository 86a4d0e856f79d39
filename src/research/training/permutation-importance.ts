import { Chance, InputError } from '#base';

/** How well a model does on rows that lie one after the other; higher is better (give losses a minus sign). */
export type ScoreRows = (rows: Float64Array) => number;

export interface PermutationOptions {
  /** Columns of a row. */
  readonly features: number;
  readonly seed: number | string;
  /** Shuffles per feature. */
  readonly repeats?: number;
}

export interface PermutationImportance {
  /** The score of the rows as they are. */
  readonly score: number;
  /** Per feature, how far the score falls on average when its column is shuffled. */
  readonly mean: Float64Array;
  /** Population deviation of that over the repeats. */
  readonly std: Float64Array;
}

/**
 * Permutation importance (Breiman 2001; Fisher, Rudin and Dominici 2019) of every feature for any score: a feature's
 * column is shuffled among the rows, and what the score loses is its importance. Take rows that the model was not
 * trained on. Features that tell the same share it: neither falls far while the other stands. Each feature and repeat
 * draws its shuffle from a stream of its own, so that the result does not depend on the number of features before it.
 * `score` is handed a copy of the rows that it must not keep.
 */
export function permutationImportance(
  rows: Float64Array,
  score: ScoreRows,
  { features, seed, repeats = 5 }: PermutationOptions,
): PermutationImportance {
  if (!(Number.isInteger(features) && features > 0 && rows.length % features === 0 && rows.length > 0))
    throw new InputError(
      `${rows.length} numbers are no rows of ${features} features`,
      'give whole rows, one after the other',
    );
  if (!(Number.isInteger(repeats) && repeats > 0))
    throw new InputError(`${repeats} repeats`, 'give a whole number from 1');
  const count = rows.length / features;
  const shuffled = rows.slice();
  const whole = score(shuffled);
  const mean = new Float64Array(features);
  const std = new Float64Array(features);
  const falls = new Float64Array(repeats);
  for (let feature = 0; feature < features; feature++) {
    for (let repeat = 0; repeat < repeats; repeat++) {
      // anew each time: a score function may have worked in the rows it was handed
      shuffled.set(rows);
      shuffleColumn(shuffled, features, feature, count, new Chance(`${seed}/${feature}/${repeat}`));
      falls[repeat] = whole - score(shuffled);
    }
    const average = falls.reduce((sum, fall) => sum + fall, 0) / repeats;
    mean[feature] = average;
    std[feature] = Math.sqrt(falls.reduce((sum, fall) => sum + (fall - average) ** 2, 0) / repeats);
  }
  return { score: whole, mean, std };
}

/** Fisher and Yates on one column. */
function shuffleColumn(
  rows: Float64Array,
  features: number,
  feature: number,
  count: number,
  chance: Chance,
): void {
  for (let i = count - 1; i > 0; i--) {
    const j = chance.below(i + 1);
    const held = rows[i * features + feature]!;
    rows[i * features + feature] = rows[j * features + feature]!;
    rows[j * features + feature] = held;
  }
}
