import { describe, expect, it } from 'vitest';
import { Chance, InputError } from '#base';
import { calibrateRows, type FoldPredictions, fitOutOfSample } from './fit-out-of-sample.ts';

/** Walk-forward folds of a three-class model that is too sure of itself: its log-odds are tripled. */
function folds(count: number, rowsEach: number): FoldPredictions[] {
  const chance = new Chance('folds');
  return Array.from({ length: count }, (_, f) => {
    const first = (f + 1) * rowsEach;
    const probabilities: number[] = [];
    const happened: number[] = [];
    for (let i = 0; i < rowsEach; i++) {
      const weights = [0, 1, 2].map(() => Math.exp(chance.normal()));
      const total = weights[0]! + weights[1]! + weights[2]!;
      const sure = weights.map((w) => w ** 3);
      const sureTotal = sure[0]! + sure[1]! + sure[2]!;
      probabilities.push(...sure.map((w) => w / sureTotal));
      const drawn = chance.uniform() * total;
      happened.push(drawn < weights[0]! ? 0 : drawn < weights[0]! + weights[1]! ? 1 : 2);
    }
    return {
      learnedFrom: Array.from({ length: first }, (_, row) => row),
      rows: Array.from({ length: rowsEach }, (_, i) => first + i),
      probabilities,
      happened,
    };
  });
}

const options = { method: 'platt', outputs: 3 } as const;

describe('calibrating out of sample', () => {
  it.each(['isotonic', 'platt', 'beta'] as const)(
    '%s: each fold is judged by what the others teach',
    (method) => {
      const fit = fitOutOfSample(folds(4, 500), { ...options, method });
      expect(fit.refused).toBeNull();
      expect(fit.calibrations).toHaveLength(3);
      expect(fit.before.rows).toBe(2000);
      expect(fit.after!.rows).toBe(2000);
      expect(fit.after!.logLoss).toBeLessThan(fit.before.logLoss);
      expect(fit.after!.brier).toBeLessThan(fit.before.brier);
      expect(fit.after!.calibrationError).toBeLessThan(0.5 * fit.before.calibrationError);
    },
  );

  it('the score after is not that of the fit on its own rows', () => {
    const three = folds(3, 120);
    const fit = fitOutOfSample(three, { ...options, method: 'isotonic', sampleMin: 50, eitherMin: 5 });
    const own = three.map((fold) => ({
      ...fold,
      probabilities: calibrateRows(fit.calibrations!, fold.probabilities, 3),
    }));
    const flattered = fitOutOfSample(own, { ...options, sampleMin: 50, eitherMin: 5 }).before;
    expect(flattered.logLoss).toBeLessThan(fit.after!.logLoss);
  });

  it('serves a binary model too', () => {
    const binary = folds(2, 400).map((fold) => ({
      ...fold,
      probabilities: Array.from(fold.rows, (_, i) => fold.probabilities[i * 3 + 2]!),
      happened: Array.from(fold.happened, (h) => Number(h === 2)),
    }));
    const fit = fitOutOfSample(binary, { method: 'beta', outputs: 1 });
    expect(fit.calibrations).toHaveLength(1);
    expect(fit.after!.logLoss).toBeLessThan(fit.before.logLoss);
  });

  it('calibrated rows sum to no more than one', () => {
    const [fold] = folds(1, 300);
    const { calibrations } = fitOutOfSample([fold!], options);
    const rows = calibrateRows(calibrations!, fold!.probabilities, 3);
    for (let i = 0; i < 300; i++)
      expect(rows[3 * i]! + rows[3 * i + 1]! + rows[3 * i + 2]!).toBeLessThanOrEqual(1 + 1e-12);
  });

  it('has no score after with one fold, nor where the others are too few', () => {
    expect(fitOutOfSample(folds(1, 300), options).after).toBeNull();
    const uneven = [
      ...folds(1, 300),
      { ...folds(1, 300)[0]!, rows: [9000], probabilities: [0.2, 0.3, 0.5], happened: [1] },
    ];
    const fit = fitOutOfSample(uneven, options);
    expect(fit.calibrations).not.toBeNull();
    expect(fit.after).toBeNull();
  });

  it('is refused with the class and the reason where too little is known', () => {
    const fit = fitOutOfSample(folds(2, 30), options);
    expect(fit).toMatchObject({ calibrations: null, refused: 'class 0: 60 predictions, 100 are needed' });
    expect(fit.before.rows).toBe(60);
    expect(fitOutOfSample([], options).before.rows).toBe(0);
  });

  const [first, second] = folds(2, 200);
  it.each<[string, FoldPredictions[], readonly number[], string]>([
    [
      'a row the model learned from',
      [{ ...first!, learnedFrom: [5, 250] }],
      [],
      'fold 0 predicts row 250, which it learned from',
    ],
    [
      'a row that two folds predict',
      [first!, { ...second!, learnedFrom: [], rows: [...Array.from(second!.rows).slice(1), 200] }],
      [],
      'fold 1 predicts row 200, which another fold predicts too',
    ],
    [
      'a kept back row that was predicted',
      [first!, second!],
      [401],
      'fold 1 predicts row 401, which is kept back',
    ],
    [
      'a kept back row that was learned from',
      [first!, second!],
      [7],
      'fold 0 learned from row 7, which is kept back',
    ],
  ])('finds the planted fault: %s', (_, planted, keptBack, message) => {
    const fit = () => fitOutOfSample(planted, { ...options, keptBack });
    expect(fit).toThrow(InputError);
    expect(fit).toThrow(message);
  });

  it.each<[string, Partial<FoldPredictions>]>([
    ['a class that is none', { happened: [3] }],
    ['a class between', { happened: [0.5] }],
    ['a probability too few', { probabilities: [0.5, 0.5] }],
    ['an outcome too many', { happened: [0, 1] }],
  ])('throws for %s', (_, change) => {
    const fold = { learnedFrom: [], rows: [1], probabilities: [0.2, 0.3, 0.5], happened: [0], ...change };
    expect(() => fitOutOfSample([fold], options)).toThrow(InputError);
  });
});
