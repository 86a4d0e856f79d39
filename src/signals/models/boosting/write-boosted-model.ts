import type { BoostedModel, BoostedTree } from './boosted-model.ts';

/** XGBoost's mark of a root's missing parent: the largest int32. */
const NO_PARENT = 2_147_483_647;

/**
 * The model as JSON text that XGBoost 1.7 and later load, without white space and the same for the same model. Real
 * numbers carry an exponent (`0E0`), without which XGBoost takes whole ones for integers and refuses them. A base score
 * per output, which differ, is written as XGBoost 3.1 does, and loads there only.
 */
export function writeBoostedModel(model: BoostedModel): string {
  const trees = model.trees.map((tree, t) => writeTree(tree, t, model.features));
  const gbtree = `"model":{"gbtree_model_param":${texts({
    num_parallel_tree: model.parallelTrees,
    num_trees: model.trees.length,
    size_leaf_vector: 0,
  })},"tree_info":[${model.outputOf.join(',')}],"trees":[${trees.join(',')}]}`;
  const booster =
    model.booster === 'gbtree'
      ? `{${gbtree},"name":"gbtree"}`
      : `{"gbtree":{${gbtree},"name":"gbtree"},"name":"dart","weight_drop":${reals(model.treeWeights)}}`;
  const oneScore = model.baseScore.every((score) => score === model.baseScore[0]);
  const learner = [
    `"attributes":${texts(model.attributes)}`,
    `"feature_names":${JSON.stringify(model.featureNames)}`,
    `"feature_types":${JSON.stringify(model.featureTypes)}`,
    `"gradient_booster":${booster}`,
    `"learner_model_param":${texts({
      base_score: oneScore ? real(model.baseScore[0]!) : reals(model.baseScore),
      // the base score stands as it is, whoever trains on
      boost_from_average: 0,
      num_class: model.classes,
      num_feature: model.features,
      num_target: model.targets,
    })}`,
    `"objective":${writeObjective(model)}`,
  ];
  return `{"learner":{${learner.join(',')}},"version":${oneScore ? '[1,7,4]' : '[3,1,0]'}}`;
}

function writeObjective(model: BoostedModel): string {
  const sections = Object.entries({ ...impliedParameters(model), ...model.objectiveParameters }).map(
    ([name, members]) => `,${JSON.stringify(name)}:${texts(members)}`,
  );
  return `{"name":${JSON.stringify(model.objective)}${sections.join('')}}`;
}

/** The section of an objective that XGBoost 1.7 refuses to go without, with XGBoost's own defaults. */
function impliedParameters({ objective, classes }: BoostedModel): BoostedModel['objectiveParameters'] {
  switch (objective) {
    case 'binary:logistic':
    case 'binary:logitraw':
    case 'reg:logistic':
    case 'reg:squarederror':
    case 'reg:linear':
    case 'reg:squaredlogerror':
      return { reg_loss_param: { scale_pos_weight: '1' } };
    case 'multi:softprob':
    case 'multi:softmax':
      return { softmax_multiclass_param: { num_class: String(classes) } };
    case 'reg:pseudohubererror':
      return { pseudo_huber_param: { huber_slope: '1' } };
    case 'reg:tweedie':
      return { tweedie_regression_param: { tweedie_variance_power: '1.5' } };
    case 'count:poisson':
      return { poisson_regression_param: { max_delta_step: '0.7' } };
    case 'survival:aft':
      return { aft_loss_param: { aft_loss_distribution: 'normal', aft_loss_distribution_scale: '1' } };
    case 'rank:pairwise':
    case 'rank:ndcg':
    case 'rank:map':
      return { lambda_rank_param: { fix_list_weight: '0', num_pairsample: '1' } };
    default:
      return {};
  }
}

function writeTree(tree: BoostedTree, id: number, features: number): string {
  const nodes = tree.left.length;
  const parents = new Int32Array(nodes).fill(NO_PARENT);
  for (let n = 0; n < nodes; n++) {
    if (tree.left[n]! < 0) continue;
    parents[tree.left[n]!] = n;
    parents[tree.right[n]!] = n;
  }
  const zeros = new Uint8Array(nodes);
  const members = [
    `"base_weights":${reals(tree.weight)}`,
    '"categories":[],"categories_nodes":[],"categories_segments":[],"categories_sizes":[]',
    `"default_left":[${tree.defaultLeft.join(',')}]`,
    `"id":${id}`,
    `"left_children":[${tree.left.join(',')}]`,
    `"loss_changes":${reals(tree.gain)}`,
    `"parents":[${parents.join(',')}]`,
    `"right_children":[${tree.right.join(',')}]`,
    `"split_conditions":${reals(tree.condition)}`,
    `"split_indices":[${tree.feature.join(',')}]`,
    `"split_type":[${zeros.join(',')}]`,
    `"sum_hessian":${reals(tree.cover)}`,
    `"tree_param":${texts({ num_deleted: 0, num_feature: features, num_nodes: nodes, size_leaf_vector: 0 })}`,
  ];
  return `{${members.join(',')}}`;
}

/** XGBoost writes parameters as texts. */
function texts(members: Readonly<Record<string, string | number>>): string {
  return JSON.stringify(Object.fromEntries(Object.entries(members).map(([k, v]) => [k, String(v)])));
}

function reals(values: ArrayLike<number>): string {
  const out: string[] = [];
  for (let i = 0; i < values.length; i++) out.push(real(values[i]!));
  return `[${out.join(',')}]`;
}

/** The shortest text with an exponent that reads back as the same single-precision number. */
function real(value: number): string {
  const single = Math.fround(value);
  if (single === 0) return Object.is(single, -0) ? '-0E0' : '0E0';
  // XGBoost's own words for the numbers that JSON lacks
  if (!Number.isFinite(single)) return String(single);
  for (let digits = 5; digits < 8; digits++) {
    const text = single.toExponential(digits);
    if (Math.fround(Number(text)) === single) return tidy(text);
  }
  return tidy(single.toExponential(8));
}

function tidy(text: string): string {
  return text.replace(/\.?0*e\+?/, 'E');
}
