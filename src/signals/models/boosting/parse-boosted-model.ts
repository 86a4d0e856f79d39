import { type BoostedModel, type ObjectiveParameters, outputsOf } from './boosted-model.ts';
import {
  countAt,
  isMembers,
  listAt,
  type Members,
  membersAt,
  numbersAt,
  own,
  refuse,
  shown,
  textsAt,
} from './document.ts';
import { baseScoreFault, objectiveOf } from './objectives.ts';
import { parseTree } from './parse-tree.ts';

/**
 * A boosted model from XGBoost's document, as 1.7 to 3.x write it with `save_model` (JSON or UBJ, read to data):
 * boosters `gbtree` and `dart`, every form of the base score. Trees are checked to be trees. All trees are kept: see
 * `bestRounds` for a model that was stopped early.
 * Throws InputError (what, where, how to mend) for linear boosters, categorical splits, vectors in leaves, unknown
 * objectives, and whatever a sound file cannot hold.
 */
export function parseBoostedModel(document: unknown): BoostedModel {
  if (!isMembers(document)) return refuse('the document', 'is not an object');
  const learner = membersAt(document, 'learner', 'the document');
  const parameters = membersAt(learner, 'learner_model_param', 'learner');
  const section = 'learner.learner_model_param';
  const features = countAt(parameters, 'num_feature', section);
  const shape = {
    classes: countAt(parameters, 'num_class', section, 0),
    targets: Math.max(1, countAt(parameters, 'num_target', section, 1)),
  };
  const { objective, objectiveParameters } = objectivePart(learner, shape.classes);
  const featureNames = perFeature(learner, 'feature_names', features);
  const featureTypes = perFeature(learner, 'feature_types', features);
  return {
    ...treesPart(learner, features, outputsOf(shape)),
    ...shape,
    objective,
    objectiveParameters,
    features,
    featureNames,
    featureTypes,
    baseScore: baseScoreOf(parameters, objective, outputsOf(shape)),
    attributes: textMembers(own(learner, 'attributes')),
  };
}

function objectivePart(learner: Members, classes: number) {
  const part = membersAt(learner, 'objective', 'learner');
  const name = own(part, 'name');
  if (typeof name !== 'string') return refuse('learner.objective.name', `is ${shown(name)} and not a text`);
  const objective = objectiveOf(name);
  if (objective.kind === 'classes' && classes < 2)
    refuse('learner.learner_model_param.num_class', `is ${classes}: ${name} has at least 2`);
  const objectiveParameters: ObjectiveParameters = Object.fromEntries(
    Object.entries(part)
      .filter(([, value]) => isMembers(value))
      .map(([key, value]) => [key, textMembers(value)]),
  );
  return { objective: name, objectiveParameters };
}

/** The members of an object that are texts or numbers, as texts. */
function textMembers(value: unknown): Readonly<Record<string, string>> {
  if (!isMembers(value)) return {};
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, member]) => typeof member === 'string' || typeof member === 'number')
      .map(([key, member]) => [key, String(member)]),
  );
}

function perFeature(learner: Members, key: string, features: number): readonly string[] {
  const texts = textsAt(learner, key, 'learner');
  if (texts.length !== 0 && texts.length !== features)
    refuse(`learner.${key}`, `has ${texts.length} entries for ${features} features`);
  return texts;
}

function treesPart(learner: Members, features: number, outputs: number) {
  const { booster, holder, path, weights } = boosterPart(learner);
  const model = membersAt(holder, 'model', path);
  const at = `${path}.model`;
  const parameters = membersAt(model, 'gbtree_model_param', at);
  const section = `${at}.gbtree_model_param`;
  const listed = listAt(model, 'trees', at);
  const count = countAt(parameters, 'num_trees', section, listed.length);
  if (count !== listed.length) refuse(`${at}.trees`, `has ${listed.length} entries and not ${count}`);
  const parallelTrees = Math.max(1, countAt(parameters, 'num_parallel_tree', section, 1));
  const trees = listed.map((tree, t) =>
    isMembers(tree)
      ? parseTree(tree, `${at}.trees[${t}]`, features)
      : refuse(`${at}.trees[${t}]`, 'is not an object'),
  );
  const outputOf = numbersAt(model, 'tree_info', at, count);
  for (let t = 0; t < count; t++)
    if (!(Number.isInteger(outputOf[t]) && outputOf[t]! >= 0 && outputOf[t]! < outputs))
      refuse(`${at}.tree_info[${t}]`, `is ${outputOf[t]}: the model has ${outputs} outputs from 0`);
  const treeWeights =
    weights === null
      ? new Float32Array(count).fill(1)
      : Float32Array.from(numbersAt(weights, 'weight_drop', 'learner.gradient_booster', count));
  const bad = treeWeights.findIndex((weight) => !Number.isFinite(weight));
  if (bad >= 0) refuse(`learner.gradient_booster.weight_drop[${bad}]`, 'is not a finite number');
  return { booster, trees, outputOf: Int32Array.from(outputOf), treeWeights, parallelTrees };
}

/** Where the trees stand (dart keeps a whole gbtree inside), and who holds their weights. */
function boosterPart(learner: Members): {
  booster: 'gbtree' | 'dart';
  holder: Members;
  path: string;
  weights: Members | null;
} {
  const path = 'learner.gradient_booster';
  const part = membersAt(learner, 'gradient_booster', 'learner');
  const name = own(part, 'name');
  if (name === 'gbtree') return { booster: 'gbtree', holder: part, path, weights: null };
  if (name === 'dart')
    return {
      booster: 'dart',
      holder: membersAt(part, 'gbtree', path),
      path: `${path}.gbtree`,
      weights: part,
    };
  return refuse(
    `${path}.name`,
    `is ${shown(name)}${name === 'gblinear' ? ', a linear model without trees' : ''}: only gbtree and dart can be scored`,
    "train with booster='gbtree' or booster='dart'",
  );
}

/**
 * `0.5`, `"5E-1"` (1.x and 2.x), `"[5E-1]"` or `"[a,b,c]"` (3.x), or a list: one score for all outputs or one each.
 */
function baseScoreOf(parameters: Members, objective: string, outputs: number): readonly number[] {
  const where = 'learner.learner_model_param.base_score';
  const value = own(parameters, 'base_score');
  const entries =
    typeof value === 'string'
      ? value
          .trim()
          .replace(/^\[(.*)\]$/s, '$1')
          .split(',')
          .map((text) => (text.trim() === '' ? Number.NaN : Number(text)))
      : Array.isArray(value)
        ? value
        : [value];
  if (entries.length !== 1 && entries.length !== outputs)
    refuse(where, `has ${entries.length} entries for ${outputs} outputs`);
  for (const entry of entries) {
    if (typeof entry !== 'number' || Number.isNaN(entry))
      return refuse(where, `is ${shown(value)} and not a number, a list of numbers or the text of one`);
    const fault = baseScoreFault(objectiveOf(objective), entry);
    if (fault !== null) refuse(where, `is ${shown(value)}: ${entry} ${fault}`);
  }
  return entries as readonly number[];
}
