import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InputError } from '#base';
import {
  BOOSTED_FIXTURES,
  expectedOf,
  fixtureDocument,
  modelOf,
  type Nested,
  treeOf,
} from '../../../../test/support/boosted-fixtures.ts';
import type { BoostedTree } from './boosted-model.ts';
import { BoostedScorer } from './boosted-scorer.ts';
import { parseBoostedModel } from './parse-boosted-model.ts';

const tree: fc.Arbitrary<Nested> = fc.letrec<{ node: Nested }>((tie) => ({
  node: fc.oneof(
    { maxDepth: 5, depthSize: 'small' },
    fc.float({ noNaN: true, min: -100, max: 100 }),
    fc.tuple(
      fc.nat(2),
      fc.oneof(fc.constantFrom(0, -0, 1), fc.float({ noNaN: true, noDefaultInfinity: true })),
      fc.boolean(),
      tie('node'),
      tie('node'),
    ),
  ),
})).node;

/** A row as written: float32 comparison, node by node. */
function leafOf(tree: BoostedTree, row: Float64Array): number {
  let node = 0;
  while (tree.left[node]! >= 0) {
    const x = Math.fround(row[tree.feature[node]!]!);
    const left = Number.isNaN(x) ? tree.defaultLeft[node] === 1 : x < tree.condition[node]!;
    node = left ? tree.left[node]! : tree.right[node]!;
  }
  return tree.condition[node]!;
}

describe('a boosted scorer beside real XGBoost', () => {
  it.each(BOOSTED_FIXTURES)('%s: margins and predictions of hostile rows', (name) => {
    const scorer = new BoostedScorer(parseBoostedModel(fixtureDocument(name)));
    const { rows, margins, predictions } = expectedOf(name);
    const out = new Float64Array(scorer.outputs);
    expect(rows.length).toBe(24);
    rows.forEach((row, i) => {
      scorer.margins(row, out);
      margins[i]!.forEach((margin, o) => {
        expect(Math.abs(out[o]! - margin)).toBeLessThanOrEqual(1e-6);
      });
      scorer.predictions(row, out);
      predictions[i]!.forEach((prediction, o) => {
        expect(Math.abs(out[o]! - prediction)).toBeLessThanOrEqual(1e-6 * Math.max(1, prediction));
      });
    });
  });

  it('scores rows that lie one after the other as one by one', () => {
    const scorer = new BoostedScorer(parseBoostedModel(fixtureDocument('softprob')));
    const { rows, margins } = expectedOf('softprob');
    const block = Float32Array.from(rows.flatMap((row) => [...row]));
    const out = new Float32Array(rows.length * 3);
    rows.forEach((_, i) => {
      scorer.marginsAt(block, i * 4, out, i * 3);
    });
    expect([...out]).toEqual(margins.flat());
  });
});

describe('what a boosted scorer does with a row', () => {
  it('goes left below the threshold only, compared in single precision', () => {
    const scorer = new BoostedScorer(modelOf([treeOf([0, 0.1, false, 1, 2])], 1));
    const leaf = (x: number) => {
      const out = new Float64Array(1);
      scorer.margins(Float64Array.of(x), out);
      return out[0];
    };
    // 0.1 becomes the same float32 as the threshold; the double just below it too
    expect(leaf(0.1)).toBe(2);
    expect(leaf(0.1 - 1e-12)).toBe(2);
    expect(leaf(0.0999)).toBe(1);
    expect(leaf(-Infinity)).toBe(1);
    expect(leaf(Infinity)).toBe(2);
  });

  it('takes minus zero for zero', () => {
    const scorer = new BoostedScorer(modelOf([treeOf([0, 0, false, 1, 2])], 1));
    const out = new Float64Array(1);
    scorer.margins(Float64Array.of(-0), out);
    expect(out[0]).toBe(2);
  });

  it('sums in single precision in the order of the trees', () => {
    const out = new Float64Array(1);
    new BoostedScorer(
      modelOf(
        [1e8, 1, -1e8].map((leaf) => treeOf(leaf)),
        1,
      ),
    ).margins(Float64Array.of(0), out);
    expect(out[0]).toBe(0);
  });

  it('walks trees of any depth together, and goes no further than a leaf', () => {
    const chain = (depth: number): Nested => (depth === 0 ? 7 : [0, depth, true, depth, chain(depth - 1)]);
    const depths = [0, 1, 50, 3, 0, 2, 9, 1, 700, 0, 4];
    const trees = depths.map((depth) => treeOf(chain(depth)));
    const out = new Float64Array(1);
    const scorer = new BoostedScorer(modelOf(trees, 1));
    // not below any threshold: down to the last leaf of each
    scorer.margins(Float64Array.of(1000), out);
    expect(out[0]).toBe(7 * depths.length);
    // missing goes left: the first leaf of each, 7 where the root is one
    scorer.margins(Float64Array.of(Number.NaN), out);
    expect(out[0]).toBe(depths.reduce((sum, depth) => sum + (depth === 0 ? 7 : depth), 0));
  });

  it('stays at a leaf whose weighted value leaves single precision', () => {
    const model = modelOf([treeOf([0, 0, true, -3e38, 1]), treeOf(5)], 1, {
      booster: 'dart',
      treeWeights: Float32Array.of(2, 1),
    });
    const out = new Float64Array(1);
    new BoostedScorer(model).margins(Float64Array.of(-1), out);
    expect(out[0]).toBe(-Infinity);
  });

  it('starts from the base score alone where there are no trees', () => {
    const out = new Float64Array(2);
    new BoostedScorer(modelOf([], 3, { targets: 2, baseScore: [1.5, -2] })).margins(new Float64Array(3), out);
    expect([...out]).toEqual([1.5, -2]);
  });

  it('equals a walk from node to node on any trees and rows', () => {
    const cell = fc.oneof(
      fc.double(),
      fc.float(),
      fc.constantFrom(0, -0, 1, Number.NaN, Infinity, -Infinity),
    );
    fc.assert(
      fc.property(
        fc.array(fc.tuple(tree, fc.nat(1), fc.float({ min: 0, max: 1, noNaN: true })), { maxLength: 6 }),
        fc.array(cell, { minLength: 3, maxLength: 3 }),
        (grown, cells) => {
          const trees = grown.map(([nested]) => treeOf(nested));
          const model = modelOf(trees, 3, {
            booster: 'dart',
            targets: 2,
            outputOf: Int32Array.from(grown, ([, output]) => output),
            treeWeights: Float32Array.from(grown, ([, , weight]) => weight),
            baseScore: [0.25, -1.5],
          });
          const row = Float64Array.from(cells);
          const sums = [0.25, -1.5];
          trees.forEach((one, t) => {
            const output = grown[t]![1];
            const add = Math.fround(leafOf(one, row) * model.treeWeights[t]!);
            sums[output] = Math.fround(sums[output]! + add);
          });
          const out = new Float64Array(2);
          new BoostedScorer(model).margins(row, out);
          expect([...out]).toEqual(sums);
        },
      ),
      { numRuns: 300 },
    );
  });

  it('says which input does not fit', () => {
    const scorer = new BoostedScorer(modelOf([treeOf(1)], 3));
    const score = (row: number, out: number) => () =>
      scorer.margins(new Float64Array(row), new Float64Array(out));
    expect(score(2, 1)).toThrow('a row has 2 numbers where the model needs 3');
    expect(score(3, 0)).toThrow('the output has 0 numbers where the model needs 1');
    expect(score(3, 1)).not.toThrow();
  });
});

describe('what a boosted scorer states', () => {
  const state = (objective: string, classes: number, leaves: readonly number[]) => {
    const model = modelOf(
      leaves.map((leaf) => treeOf(leaf)),
      1,
      {
        objective,
        classes,
        baseScore: [objective === 'binary:logistic' ? 0.5 : 0],
        outputOf: Int32Array.from(leaves, (_, t) => t),
      },
    );
    const scorer = new BoostedScorer(model);
    const [probabilities, predictions] = [new Float64Array(scorer.outputs), new Float64Array(scorer.outputs)];
    const row = Float64Array.of(0);
    if (scorer.kind !== 'number') scorer.probabilities(row, probabilities);
    scorer.predictions(row, predictions);
    return { kind: scorer.kind, probabilities: [...probabilities], predictions: [...predictions] };
  };

  it('a probability for binary objectives, raw ones too', () => {
    const third = Math.fround(Math.log(0.5));
    expect(state('binary:logistic', 0, [third]).probabilities[0]).toBeCloseTo(1 / 3, 7);
    const raw = state('binary:logitraw', 0, [third]);
    expect(raw.probabilities[0]).toBeCloseTo(1 / 3, 7);
    expect(raw.predictions).toEqual([third]);
  });

  it('a share per class that sums to one, and the lowest of the best classes', () => {
    const soft = state('multi:softmax', 3, [1, 2, 2]);
    expect(soft.kind).toBe('classes');
    expect(soft.probabilities.reduce((sum, p) => sum + p)).toBeCloseTo(1, 12);
    expect(soft.predictions).toEqual([1, 0, 0]);
    expect(state('multi:softprob', 3, [1000, 0, 0]).probabilities).toEqual([1, 0, 0]);
  });

  it('no probability for a regression, and says so', () => {
    expect(state('reg:squarederror', 0, [4])).toMatchObject({ kind: 'number', predictions: [4] });
    expect(state('binary:hinge', 0, [0]).predictions).toEqual([0]);
    expect(state('binary:hinge', 0, [0.1]).predictions).toEqual([1]);
    const scorer = new BoostedScorer(modelOf([treeOf(1)], 1));
    expect(() => scorer.probabilities(new Float64Array(1), new Float64Array(1))).toThrow(InputError);
  });
});
