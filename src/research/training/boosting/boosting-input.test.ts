import { describe, expect, it } from 'vitest';
import { InputError } from '#base';
import type { BoostingData, BoostingOptions } from './boosting-options.ts';
import { trainBoosted } from './train-boosted.ts';

const columns = [Float32Array.of(1, 2, 3, 4), Float32Array.of(4, Number.NaN, 2, 1)];
const labels = Float32Array.of(0, 1, 0, 1);
const good: BoostingData = { columns, labels };
const LOGISTIC: BoostingOptions = { objective: 'binary:logistic', rounds: 2 };
const SOFTPROB: BoostingOptions = { objective: 'multi:softprob', classes: 3, rounds: 2 };

const labelled = (...own: number[]): BoostingData => ({ columns, labels: Float32Array.from(own) });

describe('data that cannot be learned from', () => {
  it.each<[string, BoostingData, BoostingOptions?]>([
    ['the training rows are empty', { columns: [new Float32Array(0)], labels: new Float32Array(0) }],
    ['the training rows are empty', { columns: [], labels: new Float32Array(0) }],
    ['no features', { values: new Float32Array(0), rows: 4, features: 0, labels }],
    ['column 1', { columns: [columns[0]!, new Float32Array(3)], labels }],
    ['7 values for 4 rows', { values: new Float32Array(7), rows: 4, features: 2, labels }],
    ['3 labels for 4 rows', labelled(0, 1, 0)],
    ['row 2 of the training rows has the label NaN', labelled(0, 1, Number.NaN, 1)],
    ['row 3 of the training rows has the label 2', labelled(0, 1, 1, 2)],
    ['the label -1', labelled(0, -1, 1, 1)],
    ['the label 3', labelled(0, 1, 2, 3), SOFTPROB],
    ['the label 0.5', labelled(0, 0.5, 2, 1), SOFTPROB],
    ['the label Infinity', labelled(0, Infinity, 2, 1), { objective: 'reg:squarederror', rounds: 1 }],
    ['3 weights', { ...good, weights: new Float32Array(3) }],
    ['the weight -1', { ...good, weights: Float32Array.of(1, -1, 1, 1) }],
    ['the weight NaN', { ...good, weights: Float32Array.of(1, 1, Number.NaN, 1) }],
    ['no row of the training rows weighs anything', { ...good, weights: new Float32Array(4) }],
    ['Infinity as feature 0', { columns: [Float32Array.of(1, 2, Infinity, 4)], labels }],
    [
      '-Infinity as feature 1',
      { ...good, validation: { columns: [columns[0]!, columns[0]!.map(() => -Infinity)], labels } },
    ],
    ['validation rows have 1 features', { ...good, validation: { columns: [columns[0]!], labels } }],
    ['validation rows has the label 5', { ...good, validation: labelled(5, 0, 0, 0) }],
    ['all of one class', { ...good, validation: labelled(1, 1, 1, 1) }, { ...LOGISTIC, metric: 'auc' }],
  ])('%s', (what, data, options = LOGISTIC) => {
    expect(() => trainBoosted(data, options)).toThrow(InputError);
    expect(() => trainBoosted(data, options)).toThrow(what);
  });

  it('says so where the data are too large for one memory', () => {
    const rows = 2 ** 26;
    const column = new Float32Array(1);
    const large = { columns: [], labels: column };
    // lengths alone are looked at: as many values would not fit here
    const wide = new Proxy(new Array(100).fill({ length: rows }), {}) as unknown as Float32Array[];
    const many = { length: rows, findIndex: () => -1, some: () => true } as unknown as Float32Array;
    expect(() => trainBoosted({ ...large, columns: wide, labels: many }, LOGISTIC)).toThrow(
      'more than 4 GiB',
    );
  });
});

describe('options that cannot be', () => {
  it.each<[string, Partial<BoostingOptions>]>([
    ['rounds is 0', { rounds: 0 }],
    ['rounds is 1.5', { rounds: 1.5 }],
    ['eta is 0', { eta: 0 }],
    ['eta is NaN', { eta: Number.NaN }],
    ['maxDepth is 0', { maxDepth: 0 }],
    ['maxDepth is 21', { maxDepth: 21 }],
    ['minChildWeight is -1', { minChildWeight: -1 }],
    ['lambda is Infinity', { lambda: Infinity }],
    ['alpha is -0.1', { alpha: -0.1 }],
    ['gamma is -1', { gamma: -1 }],
    ['subsample is 0', { subsample: 0 }],
    ['subsample is 1.1', { subsample: 1.1 }],
    ['colsampleByNode is 2', { colsampleByNode: 2 }],
    ['maxBin is 257', { maxBin: 257 }],
    ['maxBin is 1', { maxBin: 1 }],
    ['baseScore is 1', { baseScore: 1 }],
    ['scalePosWeight is 0', { scalePosWeight: 0 }],
    ['binary:logistic has no classes', { classes: 2 }],
    ['classes is undefined', { objective: 'multi:softprob' }],
    ['classes is 1', { objective: 'multi:softprob', classes: 1 }],
    ['scalePosWeight does not apply', { objective: 'reg:squarederror', scalePosWeight: 2 }],
    ['the objective rank:pairwise', { objective: 'rank:pairwise' as 'reg:squarederror' }],
    ['mlogloss does not measure', { metric: 'mlogloss' }],
    ['monotone names 1 of 2', { monotone: [1] }],
    ['another number than -1', { monotone: [1, 2] }],
    ['several classes', { objective: 'multi:softprob', classes: 2, monotone: [1, 0] }],
    ['1 names for 2 features', { featureNames: ['one'] }],
    ['nothing to watch', { earlyStoppingRounds: 3 }],
  ])('%s', (what, more) => {
    const train = () => trainBoosted(good, { ...LOGISTIC, ...more });
    expect(train).toThrow(InputError);
    expect(train).toThrow(what);
  });
});
