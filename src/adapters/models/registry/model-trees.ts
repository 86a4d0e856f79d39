import { canonicalJson, InputError } from '#base';
import { type BoostedModel, type ModelArtefact, outputsOf, parseBoostedModel } from '#signals';

/**
 * The trees of a model, checked against what the artefact says of them: as many columns as features, under the same names where
 * the trees know names, and as many outputs as classes. Throws {@link InputError}.
 */
export function treesOf({ name, features, classes, model }: ModelArtefact): BoostedModel {
  const trees = parseBoostedModel(model);
  const wrong = (what: string) =>
    new InputError(`${name}: ${what}`, 'name every feature and class, in the order of the training');
  if (trees.features !== features.length)
    throw wrong(`the trees read ${trees.features} columns, and ${features.length} features are named`);
  if (trees.featureNames.length > 0 && canonicalJson(trees.featureNames) !== canonicalJson(features))
    throw wrong(`the trees were grown on ${trees.featureNames.join(', ')}, in this order`);
  if (outputsOf(trees) !== classes.length)
    throw wrong(`the trees have ${outputsOf(trees)} outputs, and ${classes.length} classes are named`);
  return trees;
}
