import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Chance } from '#base';
import {
  BoostedExplainer,
  type BoostedModel,
  BoostedScorer,
  readBoostedModel,
  writeBoostedModel,
} from '#signals';
import { modelOf, type Nested, treeOf } from '../support/boosted-fixtures.ts';
import { XGBOOST, type XgboostScores, xgboostModels, xgboostScores } from '../support/xgboost-oracle.ts';

const FEATURES = 5;
const near = (a: number, b: number, within: number) =>
  Math.abs(a - b) <= within * Math.max(1, Math.abs(b)) || Object.is(a, b);

/** Greatest error, relative where numbers are above 1. */
function differences(model: BoostedModel, rows: readonly Float64Array[], theirs: XgboostScores): string[] {
  const found: string[] = [];
  const scorer = new BoostedScorer(model);
  const out = new Float64Array(scorer.outputs);
  const tell = (what: string, row: number, a: number, b: number) =>
    found.push(`${what} of row ${row}: ${a} and not ${b}`);
  rows.forEach((row, i) => {
    scorer.margins(row, out);
    theirs.margins[i]!.forEach((b, o) => {
      if (!near(out[o]!, b, 1e-6)) tell('margin', i, out[o]!, b);
    });
    scorer.predictions(row, out);
    theirs.predictions[i]!.forEach((b, o) => {
      if (!near(out[o]!, b, 1e-6)) tell('prediction', i, out[o]!, b);
    });
  });
  const explainer = new BoostedExplainer(model);
  const parts = new Float64Array(explainer.outputs * (FEATURES + 1));
  theirs.finite.forEach((row, i) => {
    explainer.values(rows[row]!, parts);
    theirs.shap[i]!.forEach((b, k) => {
      if (!near(parts[k]!, b, 1e-5)) tell(`SHAP value ${k}`, row, parts[k]!, b);
    });
  });
  return found;
}

/** Rows that sit on the models' thresholds and a bit beside them, miss values, and hold the ends of the numbers. */
function hostileRows(models: readonly BoostedModel[], chance: Chance): readonly Float64Array[] {
  const splits = models
    .flatMap((model) =>
      model.trees.flatMap((tree) =>
        Array.from(tree.condition, (threshold, n) => ({
          feature: tree.feature[n]!,
          threshold,
          leaf: tree.left[n]! < 0,
        })),
      ),
    )
    .filter(({ leaf }) => !leaf);
  const ends = [0, -0, 1e-45, -1e-45, 3.4e38, -3.4e38, 1e39, Infinity, -Infinity, Number.NaN, 5e-324];
  return Array.from({ length: 400 }, (_, i) => {
    const row = Float64Array.from({ length: FEATURES }, () => chance.normal());
    for (let k = 0; k < 3 && i % 8 !== 0; k++) {
      const { feature, threshold } = splits[chance.below(splits.length)]!;
      // itself, the doubles beside it, the floats beside it
      row[feature] = threshold * [1, 1 - 1e-15, 1 + 1e-15, 1 - 1.2e-7, 1 + 1.2e-7][chance.below(5)]!;
    }
    if (i % 3 === 0) row[chance.below(FEATURES)] = ends[chance.below(ends.length)]!;
    if (i % 4 === 0) row[chance.below(FEATURES)] = Number.NaN;
    return row;
  });
}

describe.skipIf(XGBOOST === null)('boosted models beside real XGBoost', () => {
  let folder = '';
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'boosted-models-'));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('we score what it trained, and it scores what we wrote, as it scores its own', () => {
    const files = xgboostModels(folder, 11);
    expect(files.length).toBe(30);
    const models = files.map((file) => readBoostedModel(readFileSync(file)));
    const rows = hostileRows(models, new Chance('rows'));
    const written = models.map((model, m) => {
      const file = join(folder, `ours-${m}.json`);
      writeFileSync(file, writeBoostedModel(model));
      return file;
    });
    const scores = xgboostScores([...files, ...written], rows);
    files.forEach((file, m) => {
      expect([basename(file), differences(models[m]!, rows, scores[m]!)]).toEqual([basename(file), []]);
      expect([basename(file), scores[files.length + m]]).toEqual([basename(file), scores[m]]);
    });
  });

  it('it loads trees that no trainer grew: single leaves, deep chains, the ends of the numbers', () => {
    const chain = (depth: number): Nested =>
      depth === 0 ? 1.5 : [depth % FEATURES, depth - 20, depth % 2 === 0, -depth, chain(depth - 1)];
    const odd: readonly Nested[] = [
      0,
      -0,
      1,
      1e-45,
      [0, 0, true, 1e-38, -3],
      [1, -0, false, 2, 7],
      [4, 3.4e38, true, 1, [4, -3.4e38, false, 2, 3]],
      [2, 1e-45, true, 0.1, 0.2],
      chain(40),
    ];
    const grown = odd.map((nested) => treeOf(nested));
    const models = [
      modelOf([], FEATURES, { baseScore: [0.25] }),
      ...grown.map((tree) => modelOf([tree], FEATURES)),
      modelOf(grown, FEATURES, { objective: 'binary:logistic', baseScore: [0.3] }),
      modelOf(grown, FEATURES, {
        booster: 'dart',
        objective: 'multi:softprob',
        classes: 3,
        baseScore: [0.5],
        outputOf: Int32Array.from(grown, (_, t) => t % 3),
        treeWeights: Float32Array.from(grown, (_, t) => 1 / (t + 1)),
      }),
      // objectives without the parameters that XGBoost itself would have written
      ...[
        'binary:logitraw',
        'reg:logistic',
        'count:poisson',
        'reg:tweedie',
        'reg:pseudohubererror',
        'rank:ndcg',
      ].map((objective) =>
        modelOf([treeOf([0, 0, true, 0.5, -0.5])], FEATURES, {
          objective,
          objectiveParameters: {},
          baseScore: [0.5],
        }),
      ),
      modelOf([treeOf(1), treeOf(2)], FEATURES, {
        objective: 'multi:softmax',
        objectiveParameters: {},
        classes: 2,
        outputOf: Int32Array.of(0, 1),
      }),
    ];
    const rows = hostileRows(models, new Chance('odd rows'));
    const files = models.map((model, m) => {
      const file = join(folder, `odd-${m}.json`);
      writeFileSync(file, writeBoostedModel(model));
      return file;
    });
    xgboostScores(files, rows).forEach((scores, m) => {
      expect([m, differences(models[m]!, rows, scores)]).toEqual([m, []]);
    });
  });
});
