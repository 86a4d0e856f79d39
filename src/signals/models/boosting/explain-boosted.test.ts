import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
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
import { type ImportanceKind, importances } from './importances.ts';
import { parseBoostedModel } from './parse-boosted-model.ts';
import { bestIteration, bestRounds, firstRounds, roundsOf } from './rounds.ts';
import { BoostedExplainer, shapValues } from './shap-values.ts';

const FEATURES = 4;

const nested: fc.Arbitrary<Nested> = fc.letrec<{ node: Nested }>((tie) => ({
  node: fc.oneof(
    { maxDepth: 6, depthSize: 'medium', withCrossShrink: true },
    fc.integer({ min: -9, max: 9 }),
    fc.tuple(fc.nat(FEATURES - 1), fc.integer({ min: -2, max: 2 }), fc.boolean(), tie('node'), tie('node')),
  ),
})).node;

/** Mean of the tree when only the features in `known` are: elsewhere both ways by their covers. */
function expectation(tree: BoostedTree, row: Float64Array, known: number, node = 0): number {
  if (tree.left[node]! < 0) return tree.condition[node]!;
  const [left, right] = [tree.left[node]!, tree.right[node]!];
  const feature = tree.feature[node]!;
  if ((known & (1 << feature)) === 0) {
    const share = tree.cover[left]! / (tree.cover[left]! + tree.cover[right]!);
    return share * expectation(tree, row, known, left) + (1 - share) * expectation(tree, row, known, right);
  }
  const x = row[feature]!;
  const goesLeft = Number.isNaN(x) ? tree.defaultLeft[node] === 1 : x < tree.condition[node]!;
  return expectation(tree, row, known, goesLeft ? left : right);
}

/** Shapley's own formula over all subsets. */
function shapley(tree: BoostedTree, row: Float64Array, feature: number): number {
  const factorial = [1, 1, 2, 6, 24];
  let sum = 0;
  for (let known = 0; known < 1 << FEATURES; known++) {
    if ((known & (1 << feature)) !== 0) continue;
    const size = known.toString(2).replaceAll('0', '').length;
    const weight = (factorial[size]! * factorial[FEATURES - size - 1]!) / factorial[FEATURES]!;
    sum += weight * (expectation(tree, row, known | (1 << feature)) - expectation(tree, row, known));
  }
  return sum;
}

describe('SHAP values', () => {
  it.each(BOOSTED_FIXTURES)('%s: as XGBoost has them, and they sum to the margin', (name) => {
    const model = parseBoostedModel(fixtureDocument(name));
    const { rows, finite, shap, margins } = expectedOf(name);
    const explainer = new BoostedExplainer(model);
    const width = model.features + 1;
    const out = new Float64Array(explainer.outputs * width);
    finite.forEach((r, i) => {
      explainer.values(rows[r]!, out);
      shap[i]!.forEach((value, k) => {
        expect(Math.abs(out[k]! - value)).toBeLessThanOrEqual(1e-5);
      });
      margins[r]!.forEach((margin, o) => {
        const total = out.subarray(o * width, (o + 1) * width).reduce((sum, value) => sum + value, 0);
        expect(Math.abs(total - margin)).toBeLessThanOrEqual(1e-5);
      });
    });
    expect(finite.length).toBeGreaterThan(10);
  });

  it("equal Shapley's formula on any tree, features met again and missing values too", () => {
    const cell = fc.oneof(fc.integer({ min: -3, max: 3 }), fc.constant(Number.NaN));
    fc.assert(
      fc.property(
        nested,
        fc.array(cell, { minLength: FEATURES, maxLength: FEATURES }),
        fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 8 }),
        (grown, cells, covers) => {
          const tree = treeOf(grown, (leaf) => covers[leaf % covers.length]!);
          const row = Float64Array.from(cells);
          const values = shapValues(modelOf([tree], FEATURES), row);
          for (let f = 0; f < FEATURES; f++) expect(values[f]).toBeCloseTo(shapley(tree, row, f), 9);
          expect(values[FEATURES]).toBeCloseTo(expectation(tree, row, 0), 9);
        },
      ),
      { numRuns: 150 },
    );
  });

  it('stay finite and complete where the covers say nothing', () => {
    const model = modelOf([treeOf([0, 0, true, [0, -1, true, 1, 2], [1, 3, false, 4, 8]], () => 0)], 2);
    const values = shapValues(model, Float64Array.of(1, 5));
    expect([...values].every(Number.isFinite)).toBe(true);
    expect(values.reduce((sum, value) => sum + value, 0)).toBeCloseTo(8, 9);
    expect(values[2]).toBe((1 + 2 + 4 + 8) / 4);
  });

  it('follow the weights of dart', () => {
    const trees = [treeOf([0, 0, true, 1, 3]), treeOf([0, 0, true, 2, 4])];
    const model = modelOf(trees, 1, { booster: 'dart', treeWeights: Float32Array.of(0.5, 2) });
    expect([...shapValues(model, Float64Array.of(1))]).toEqual([0.5 + 2, 1 + 6]);
  });

  it('say which sizes do not fit', () => {
    const explainer = new BoostedExplainer(modelOf([treeOf(1)], 2));
    expect(() => explainer.values(new Float64Array(1), new Float64Array(3))).toThrow('do not fit 2 features');
    expect(() => explainer.values(new Float64Array(2), new Float64Array(2))).toThrow('do not fit 2 features');
  });
});

describe('importances', () => {
  it.each(BOOSTED_FIXTURES)('%s: as XGBoost counts them', (name) => {
    const model = parseBoostedModel(fixtureDocument(name));
    for (const [kind, scores] of Object.entries(expectedOf(name).importances)) {
      const found = importances(model, kind as ImportanceKind);
      expect(found.length).toBe(model.features);
      found.forEach((value, f) => {
        const score = scores[model.featureNames[f]!] ?? 0;
        expect(Math.abs(value - score)).toBeLessThanOrEqual(1e-5 * Math.max(1, score));
      });
    }
  });
});

describe('rounds of a model', () => {
  const model = parseBoostedModel(fixtureDocument('forest'));

  it('are counted over outputs and parallel trees', () => {
    expect(roundsOf(model)).toBe(2);
    expect(roundsOf(modelOf([], 1))).toBe(0);
  });

  it('can be cut: the first ones and then the others make the whole', () => {
    const first = firstRounds(model, 1);
    expect(first.trees.length).toBe(6);
    expect([...first.outputOf]).toEqual([0, 0, 1, 1, 2, 2]);
    expect(firstRounds(model, 2)).toEqual(model);
    expect(() => firstRounds(model, 3)).toThrow('has 2 rounds, 3 were asked for');
    expect(() => firstRounds(model, 0.5)).toThrow('has 2 rounds');
  });

  it('end at the best one only when asked, as XGBoost has it', () => {
    const out = new Float64Array(1);
    const stopped = modelOf([treeOf(1), treeOf(2), treeOf(4)], 1, { attributes: { best_iteration: '1' } });
    const margin = (one: typeof stopped) => {
      new BoostedScorer(one).margins(Float64Array.of(0), out);
      return out[0];
    };
    expect(bestIteration(stopped)).toBe(1);
    expect(margin(stopped)).toBe(7);
    expect(margin(bestRounds(stopped))).toBe(3);
    const unstopped = { ...stopped, attributes: {} };
    expect(bestRounds(unstopped)).toBe(unstopped);
  });

  it.each(['-1', '3', '1.5', '', 'late'])('a best iteration of %j is refused', (text) => {
    const wrong = modelOf([treeOf(1)], 1, { attributes: { best_iteration: text } });
    expect(() => bestRounds(wrong)).toThrow('best_iteration');
  });
});
