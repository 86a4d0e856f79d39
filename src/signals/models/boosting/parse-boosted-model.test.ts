import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InputError } from '#base';
import {
  BOOSTED_FIXTURES,
  fixtureBytes,
  fixtureDocument,
  type Learner,
  type RawTree,
} from '../../../../test/support/boosted-fixtures.ts';
import { BoostedScorer } from './boosted-scorer.ts';
import { parseBoostedModel } from './parse-boosted-model.ts';
import { readBoostedModel } from './read-boosted-model.ts';

type Change = (document: Learner, tree: RawTree) => void;

function changed(name: 'binary' | 'softprob' | 'dart', change: Change): Learner {
  const document = fixtureDocument(name);
  const booster = document.learner.gradient_booster;
  const trees = ((booster.gbtree ?? booster) as typeof booster).model.trees;
  change(document, trees[0]!);
  return document;
}

const base = (text: unknown): Change => {
  return ({ learner }) => {
    learner.learner_model_param.base_score = text;
  };
};

describe('the forms of a boosted model', () => {
  it.each(BOOSTED_FIXTURES)('%s: JSON and UBJ of real XGBoost give the same model', (name) => {
    const json = readBoostedModel(fixtureBytes(`${name}.json`));
    expect(readBoostedModel(fixtureBytes(`${name}.ubj`))).toEqual(json);
    expect(json.trees.length).toBeGreaterThan(0);
    expect(json.featureNames).toEqual(['a', 'b', 'c', 'd']);
  });

  it('drops the nodes that pruning left behind', () => {
    const raw = fixtureDocument('pruned').learner.gradient_booster.model.trees;
    const model = parseBoostedModel(fixtureDocument('pruned'));
    const deleted = raw.reduce((sum, tree) => sum + Number(tree.tree_param.num_deleted), 0);
    expect(deleted).toBeGreaterThan(0);
    const nodes = (trees: readonly { length: number }[]) =>
      trees.reduce((sum, { length }) => sum + length, 0);
    expect(nodes(model.trees.map((tree) => tree.left))).toBe(
      nodes(raw.map((tree) => tree.left_children!)) - deleted,
    );
  });

  it.each<[string, unknown, readonly number[]]>([
    ['a number', 0.25, [0.25]],
    ['a text', '2.5E-1', [0.25]],
    ['a list of one as text, as 3.x writes it', '[2.5E-1]', [0.25]],
    ['one per class as text', '[-3.95E-2,1.97E-1,-1.57E-1]', [-0.0395, 0.197, -0.157]],
    ['one per class with spaces', ' [ 0.1, 0.2 ,0.3 ] ', [0.1, 0.2, 0.3]],
    ['a list', [0.1, 0.2, 0.3], [0.1, 0.2, 0.3]],
  ])('reads a base score that is %s', (_, form, scores) => {
    expect(parseBoostedModel(changed('softprob', base(form))).baseScore).toEqual(scores);
  });

  it('starts each class from its own base score', () => {
    const margins = (form: unknown) => {
      const scorer = new BoostedScorer(parseBoostedModel(changed('softprob', base(form))));
      const out = new Float64Array(3);
      scorer.margins(new Float64Array(4), out);
      return [...out];
    };
    const common = margins('0E0');
    margins('[1E0,-2E0,0E0]').forEach((margin, o) => {
      expect(margin - common[o]!).toBeCloseTo([1, -2, 0][o]!, 6);
    });
  });

  it.each([
    ['5E-1', 0],
    ['[2.5E-1]', -Math.log(3)],
    // XGBoost 3 keeps away from the ends
    ['0', -13.8155],
    ['1E0', 13.7452],
  ])('turns the base score %s of a logistic model into the margin %d', (form, margin) => {
    const document = changed('binary', base(form));
    document.learner.gradient_booster.model.trees = [];
    document.learner.gradient_booster.model.tree_info = [];
    document.learner.gradient_booster.model.gbtree_model_param.num_trees = '0';
    const out = new Float64Array(1);
    new BoostedScorer(parseBoostedModel(document)).margins(new Float64Array(4), out);
    expect(out[0]).toBeCloseTo(margin, 3);
  });

  it('reads what 2.x and 3.x add and leave out', () => {
    const later = changed('binary', ({ learner }) => {
      const { model } = learner.gradient_booster;
      model.gbtree_model_param = { num_trees: '8', num_parallel_tree: '1' };
      Object.assign(model, {
        iteration_indptr: [0, 1, 2, 3, 4, 5, 6, 7, 8],
        cats: { enc: [], feature_segments: [], sorted_idx: [] },
      });
      for (const tree of model.trees) tree.tree_param.size_leaf_vector = '1';
      learner.learner_model_param.base_score = '[3.7E-1]';
    });
    later.version = [3, 1, 0];
    expect(parseBoostedModel(later)).toEqual(parseBoostedModel(fixtureDocument('binary')));
  });

  it('reads what 1.0 wrote: truths for default_left, no split types, no targets', () => {
    const early = changed('binary', ({ learner }) => {
      delete learner.learner_model_param.num_target;
      for (const tree of learner.gradient_booster.model.trees) {
        tree.default_left = tree.default_left!.map((left) => left === 1);
        for (const key of ['split_type', 'categories', 'categories_nodes']) delete tree[key];
      }
    });
    expect(parseBoostedModel(early)).toEqual(parseBoostedModel(fixtureDocument('binary')));
  });
});

describe('what is refused, and where', () => {
  const trees = 'learner.gradient_booster.model.trees[0]';
  it.each<[string, Change, string]>([
    [
      'a linear model',
      ({ learner }) => Object.assign(learner.gradient_booster, { name: 'gblinear' }),
      'learner.gradient_booster.name is "gblinear", a linear model',
    ],
    [
      'an unknown objective',
      ({ learner }) => Object.assign(learner.objective, { name: 'constructor' }),
      'learner.objective.name is "constructor", which is not known',
    ],
    [
      'a categorical split',
      (_, tree) => {
        tree.split_type![0] = 1;
      },
      `${trees}.split_type[0] is 1`,
    ],
    [
      'categories by node',
      (_, tree) => {
        tree.categories_nodes = [0];
      },
      `${trees}.categories_nodes names categorical splits`,
    ],
    [
      'vectors in leaves',
      (_, tree) => {
        tree.tree_param.size_leaf_vector = '3';
      },
      `${trees} has vectors in its leaves`,
    ],
    [
      'a node that leads to itself',
      (_, tree) => {
        tree.left_children![0] = 0;
      },
      `${trees}.left_children[0] is 0, which another node leads to`,
    ],
    [
      'a node with two parents',
      (_, tree) => {
        tree.right_children![0] = tree.left_children![0];
      },
      `${trees}.right_children[0] is 1, which another node leads to`,
    ],
    [
      'a child out of range',
      (_, tree) => {
        tree.left_children![0] = 1e6;
      },
      `${trees}.left_children[0] is 1000000: there are`,
    ],
    [
      'a child that is none',
      (_, tree) => {
        tree.left_children![0] = 1.5;
      },
      `${trees}.left_children[0] is 1.5`,
    ],
    [
      'half a leaf',
      (_, tree) => {
        tree.left_children![0] = -1;
      },
      `${trees}.left_children[0] is -1`,
    ],
    [
      'a threshold that is no number',
      (_, tree) => {
        tree.split_conditions![0] = Number.NaN;
      },
      `${trees}.split_conditions[0] is NaN`,
    ],
    [
      'a threshold beyond single precision',
      (_, tree) => {
        tree.split_conditions![0] = 1e39;
      },
      `${trees}.split_conditions[0] is 1e+39`,
    ],
    [
      'a leaf without a number',
      (_, tree) => {
        tree.split_conditions![0] = null;
      },
      `${trees}.split_conditions[0] is null and not a number`,
    ],
    [
      'an unknown feature',
      (_, tree) => {
        tree.split_indices![0] = 4;
      },
      `${trees}.split_indices[0] is 4: there are 4 features`,
    ],
    [
      'a default way that is none',
      (_, tree) => {
        tree.default_left![0] = 2;
      },
      `${trees}.default_left[0] is 2`,
    ],
    [
      'arrays of different lengths',
      (_, tree) => {
        tree.sum_hessian!.pop();
      },
      `${trees}.sum_hessian has`,
    ],
    [
      'a tree without nodes',
      (_, tree) => {
        tree.tree_param.num_nodes = '0';
      },
      `${trees}.tree_param.num_nodes is 0`,
    ],
    [
      'a count that is none',
      (_, tree) => {
        tree.tree_param.num_nodes = 'many';
      },
      'is "many" and not a whole number',
    ],
    [
      'a tree of no output',
      ({ learner }) => {
        learner.gradient_booster.model.tree_info[0] = 1;
      },
      'tree_info[0] is 1: the model has 1 outputs',
    ],
    [
      'too few trees',
      ({ learner }) => {
        learner.gradient_booster.model.trees.pop();
      },
      'trees has 7 entries and not 8',
    ],
    [
      'names for other features',
      ({ learner }) => {
        learner.feature_names = ['a'];
      },
      'learner.feature_names has 1 entries for 4 features',
    ],
    ['a base score that is none', base('high'), 'base_score is "high" and not a number'],
    ['an empty base score', base('[]'), 'base_score is "[]" and not a number'],
    ['a base score beyond a probability', base('2E0'), '2 is not a probability'],
    ['an endless base score', base('Infinity'), 'Infinity is not a finite number'],
    ['base scores for other outputs', base('[1E-1,2E-1]'), 'base_score has 2 entries for 1 outputs'],
    [
      'no learner',
      (document) => {
        delete (document as Partial<Learner>).learner;
      },
      'the document.learner is missing',
    ],
  ])('%s', (_, change, message) => {
    const parse = () => parseBoostedModel(changed('binary', change));
    expect(parse).toThrow(InputError);
    expect(parse).toThrow(message);
  });

  it.each([null, 7, 'model', [], undefined])('a document that is %j', (document) => {
    expect(() => parseBoostedModel(document)).toThrow('the document is not an object');
  });

  it('a weight of a dart tree that is no number, or missing', () => {
    const weights = (weight: unknown): Change => {
      return ({ learner }) => {
        Object.assign(learner.gradient_booster, { weight_drop: weight });
      };
    };
    expect(() => parseBoostedModel(changed('dart', weights([1, 1])))).toThrow('weight_drop has 2 entries');
    expect(() => parseBoostedModel(changed('dart', weights(undefined)))).toThrow('weight_drop is missing');
    const endless = new Array(8).fill(1e39);
    expect(() => parseBoostedModel(changed('dart', weights(endless)))).toThrow('is not a finite number');
  });

  it('whatever is changed at random, or gives a model that scores', () => {
    const keys = ['left_children', 'right_children', 'split_indices', 'split_conditions', 'default_left'];
    const odd = fc.oneof(fc.integer({ min: -3, max: 40 }), fc.double(), fc.constantFrom(null, '1', [], {}));
    const planted = fc.tuple(fc.constantFrom(...keys), fc.nat(40), odd);
    let refused = 0;
    fc.assert(
      fc.property(fc.array(planted, { minLength: 1, maxLength: 4 }), (plants) => {
        const document = changed('binary', (_, tree) => {
          for (const [key, at, value] of plants) tree[key]![at % tree[key]!.length] = value;
        });
        const outcome = attempt(() => {
          const out = new Float64Array(1);
          new BoostedScorer(parseBoostedModel(document)).margins(new Float64Array(4), out);
          expect(Number.isFinite(out[0]!)).toBe(true);
        });
        if (outcome !== null) expect(outcome).toBeInstanceOf(InputError);
        if (outcome !== null) refused++;
      }),
      { numRuns: 300 },
    );
    expect(refused).toBeGreaterThan(50);
  });
});

function attempt(work: () => void): unknown {
  try {
    work();
    return null;
  } catch (error) {
    return error;
  }
}
