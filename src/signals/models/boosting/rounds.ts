import { InputError } from '#base';
import { type BoostedModel, outputsOf } from './boosted-model.ts';

/** Rounds of boosting that a model holds: each grew `parallelTrees` trees for every output. */
export function roundsOf(model: BoostedModel): number {
  return Math.ceil(model.trees.length / (outputsOf(model) * model.parallelTrees));
}

/** The model as it was after its first `rounds` rounds, as XGBoost's `booster[:rounds]`. */
export function firstRounds(model: BoostedModel, rounds: number): BoostedModel {
  if (!(Number.isInteger(rounds) && rounds >= 0 && rounds <= roundsOf(model)))
    throw new InputError(
      `the boosted model has ${roundsOf(model)} rounds, ${rounds} were asked for`,
      'ask for a whole number from 0 to the rounds it has',
    );
  const count = Math.min(model.trees.length, rounds * outputsOf(model) * model.parallelTrees);
  return {
    ...model,
    trees: model.trees.slice(0, count),
    outputOf: model.outputOf.slice(0, count),
    treeWeights: model.treeWeights.slice(0, count),
  };
}

/** The round (from 0) that early stopping found best, from the attribute `best_iteration`; null where there is none. */
export function bestIteration(model: BoostedModel): number | null {
  const text = model.attributes.best_iteration;
  if (text === undefined) return null;
  const round = Number(text);
  if (text.trim() !== '' && Number.isInteger(round) && round >= 0 && round < roundsOf(model)) return round;
  throw new InputError(
    `the boosted model is not usable: learner.attributes.best_iteration is ${JSON.stringify(text)}, and it has ${roundsOf(model)} rounds`,
    'remove the attribute or train the model again',
  );
}

/**
 * The model up to and with its best round, or the whole of it where nothing stopped it early. XGBoost's own rule is
 * split: `Booster.predict` and `inplace_predict` use all trees (so does a scorer given the model as it was read), its
 * scikit-learn classes use the best rounds (as does a scorer given this).
 */
export function bestRounds(model: BoostedModel): BoostedModel {
  const best = bestIteration(model);
  return best === null ? model : firstRounds(model, best + 1);
}
