import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  BOOSTED_FIXTURES,
  fixtureDocument,
  modelOf,
  treeOf,
} from '../../../../test/support/boosted-fixtures.ts';
import { parseBoostedModel } from './parse-boosted-model.ts';
import { readModelText } from './read-model-text.ts';
import { writeBoostedModel } from './write-boosted-model.ts';

describe('writing a boosted model', () => {
  it.each(BOOSTED_FIXTURES)('%s: reads back as it was', (name) => {
    const model = parseBoostedModel(fixtureDocument(name));
    expect(parseBoostedModel(JSON.parse(writeBoostedModel(model)))).toEqual(model);
  });

  it('writes the document that XGBoost wrote, where nothing was pruned', () => {
    for (const name of ['binary', 'dart', 'poisson'] as const) {
      const document = fixtureDocument(name);
      document.learner.learner_model_param.boost_from_average = '0';
      expect(JSON.parse(writeBoostedModel(parseBoostedModel(document)))).toEqual(document);
    }
  });

  it('gives every real number an exponent and every other none', () => {
    const text = writeBoostedModel(modelOf([treeOf([0, 2, true, 3, -0])], 1, { baseScore: [1] }));
    expect(text).toContain('"split_conditions":[2E0,3E0,-0E0]');
    expect(text).toContain('"left_children":[1,-1,-1]');
    expect(text).toContain('"base_score":"1E0"');
  });

  it('loses no bit of any single-precision number', () => {
    const any = fc.float({ noDefaultInfinity: true, noNaN: true });
    fc.assert(
      fc.property(fc.array(any, { minLength: 1, maxLength: 20 }), (leaves) => {
        const model = modelOf(
          leaves.map((leaf) => treeOf(leaf)),
          1,
        );
        const read = parseBoostedModel(JSON.parse(writeBoostedModel(model)));
        expect(read.trees.map((tree) => tree.condition[0])).toEqual(leaves);
      }),
    );
  });

  it('keeps gains and covers that are no numbers as XGBoost writes them', () => {
    const tree = { ...treeOf([0, 1, true, 2, 3]), gain: Float32Array.of(Number.NaN, 0, 0) };
    const model = modelOf([{ ...tree, cover: Float32Array.of(Infinity, 1, 1) }], 1);
    const text = writeBoostedModel(model);
    expect(text).toContain('"loss_changes":[NaN,0E0,0E0]');
    expect(parseBoostedModel(readModelText(text))).toEqual(model);
  });

  it('writes base scores that differ as XGBoost 3.1 does, equal ones for 1.7', () => {
    const write = (baseScore: readonly number[]) =>
      JSON.parse(
        writeBoostedModel(modelOf([], 1, { objective: 'multi:softprob', classes: 3, baseScore })),
      ) as { version: number[]; learner: { learner_model_param: { base_score: string } } };
    const differing = write([0.5, -1, 0]);
    expect(differing.version[0]).toBe(3);
    expect(differing.learner.learner_model_param.base_score).toBe('[5E-1,-1E0,0E0]');
    const equal = write([0.5, 0.5, 0.5]);
    expect(equal.version[0]).toBe(1);
    expect(equal.learner.learner_model_param.base_score).toBe('5E-1');
  });
});
