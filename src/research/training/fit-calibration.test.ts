import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Chance, InputError } from '#base';
import { expectedCalibrationError, meanLogLoss, type Outcomes, type WeightedOutcomes } from '#learning';
import { calibrateProbability } from '#signals';
import { CALIBRATION_METHODS, fitBeta, fitCalibration } from './fit-calibration.ts';
import { fitLogistic } from './logistic-fit.ts';

/** Probabilities that a model states too boldly: the log-odds it states are twice the true ones. */
function bold(count: number, seed: string): Outcomes {
  const chance = new Chance(seed);
  const stated: number[] = [];
  const happened: number[] = [];
  for (let i = 0; i < count; i++) {
    const truth = 0.05 + 0.9 * chance.uniform();
    const odds = (truth / (1 - truth)) ** 2;
    stated.push(odds / (1 + odds));
    happened.push(Number(chance.happens(truth)));
  }
  return { stated, happened };
}

const repeat = (values: readonly number[], times: number): number[] =>
  values.flatMap((value) => Array.from({ length: times }, () => value));

describe('fitting a calibration', () => {
  it.each(CALIBRATION_METHODS)('%s mends a bold model on rows it was not fitted to', (method) => {
    const { calibration } = fitCalibration(method, bold(4000, 'fitted'));
    const { stated, happened } = bold(4000, 'judged');
    const mended = stated.map((p) => calibrateProbability(calibration!, p));
    expect(meanLogLoss(mended, happened)).toBeLessThan(meanLogLoss(stated, happened));
    expect(expectedCalibrationError(mended, happened)).toBeLessThan(
      0.5 * expectedCalibrationError(stated, happened),
    );
  });

  it('Platt and beta find the slope that was planted', () => {
    const platt = fitCalibration('platt', bold(20_000, 'slope')).calibration;
    expect(platt).toMatchObject({ kind: 'platt' });
    if (platt?.kind === 'platt') expect(platt.a).toBeCloseTo(0.5, 1);
    const beta = fitBeta(bold(20_000, 'slope'));
    if (beta.kind === 'beta') {
      expect(beta.a).toBeCloseTo(0.5, 1);
      expect(beta.b).toBeCloseTo(0.5, 1);
      expect(beta.c).toBeCloseTo(0, 0);
    }
  });

  it('isotonic pools the violators', () => {
    const outcomes = { stated: [0.1, 0.2, 0.3, 0.4], happened: [0, 1, 0, 1] };
    expect(fitCalibration('isotonic', outcomes, { sampleMin: 4, eitherMin: 1 }).calibration).toEqual({
      kind: 'isotonic',
      x: [0.1, 0.2, 0.3, 0.4],
      p: [0, 0.5, 0.5, 1],
    });
  });

  it.each(CALIBRATION_METHODS)('%s never falls, upside down or not, and stays finite', (method) => {
    const row = fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.constantFrom(0, 1));
    fc.assert(
      fc.property(fc.array(row, { minLength: 2, maxLength: 40 }), (rows) => {
        const outcomes = { stated: rows.map(([p]) => p), happened: rows.map(([, o]) => o) };
        const { calibration } = fitCalibration(method, outcomes, { sampleMin: 1, eitherMin: 0 });
        let last = 0;
        for (let p = 0; p <= 1; p += 0.05) {
          const observed = calibrateProbability(calibration!, p);
          expect(observed).toBeGreaterThanOrEqual(last - 1e-9);
          expect(observed).toBeLessThanOrEqual(1);
          last = observed;
        }
      }),
      { numRuns: 60 },
    );
  });

  it('beta keeps a coefficient at 0 where the free fit would be below', () => {
    const upsideDown = bold(2000, 'down');
    const flat = fitBeta({ ...upsideDown, happened: upsideDown.happened.map((o) => 1 - o) });
    expect(flat).toMatchObject({ kind: 'beta', a: 0, b: 0 });
    // only what is near 1 tells anything
    const chance = new Chance('one side');
    const stated = Array.from({ length: 4000 }, () => chance.uniform());
    const happened = stated.map((p) => Number(chance.happens(0.3 + 0.6 * p ** 8)));
    const beta = fitBeta({ stated, happened });
    expect(beta.kind === 'beta' && beta.a >= 0 && beta.b > 0).toBe(true);
  });

  it('beta at a bound loses no less than any point within the bounds nearby', () => {
    const chance = new Chance('bound');
    const stated = Array.from({ length: 500 }, () => chance.uniform());
    const happened = stated.map((p) => Number(chance.happens(0.9 - 0.5 * (1 - p) ** 4 - 0.3 * p)));
    const beta = fitBeta({ stated, happened });
    const loss = (a: number, b: number, c: number) =>
      meanLogLoss(
        stated.map((p) => calibrateProbability({ kind: 'beta', a, b, c }, p)),
        happened,
      );
    expect(beta.kind).toBe('beta');
    if (beta.kind !== 'beta') return;
    const best = loss(beta.a, beta.b, beta.c);
    for (const [da, db, dc] of [
      [0.05, 0, 0],
      [0, 0.05, 0],
      [0, 0, 0.05],
      [0, 0, -0.05],
      [0.05, 0, 0.05],
      [0, 0.05, -0.05],
    ] as const)
      expect(loss(beta.a + da, beta.b + db, beta.c + dc)).toBeGreaterThan(best - 1e-6);
  });

  it('refuses too few rows and too few of either outcome, with the reason', () => {
    expect(fitCalibration('platt', bold(99, 'few'))).toEqual({
      calibration: null,
      refused: '99 predictions, 100 are needed',
    });
    const never = { stated: new Array(200).fill(0.3), happened: new Array(200).fill(0) };
    expect(fitCalibration('beta', never).refused).toBe('one outcome came 0 times, 10 are needed');
    expect(fitCalibration('isotonic', { stated: [], happened: [] }, { sampleMin: 0 }).refused).not.toBeNull();
  });

  it('counts labels that overlap as the few independent ones they are', () => {
    const few = bold(80, 'overlap');
    // every label told twelve times, as labels of twelve bars are at each of twelve bars
    const told = { stated: repeat(few.stated, 12), happened: repeat(few.happened, 12) };
    const weights = told.stated.map(() => 1 / 12);
    expect(fitCalibration('platt', told).calibration).not.toBeNull();
    expect(fitCalibration('platt', { ...told, weights }).refused).toBe(
      '960 overlapping predictions count as 80, 100 are needed',
    );
    const rare = { ...told, weights, happened: told.happened.map((_, i) => Number(i < 5)) };
    expect(fitCalibration('platt', rare, { sampleMin: 50 }).refused).toBe(
      'one outcome came 5 times, 10 are needed',
    );
  });

  it.each(CALIBRATION_METHODS)('%s fits weighted labels as it fits the independent ones', (method) => {
    const once = bold(400, 'weighted');
    const told = { stated: repeat(once.stated, 4), happened: repeat(once.happened, 4) };
    const weights = told.stated.map(() => 0.25);
    const plain = fitCalibration(method, once).calibration!;
    const weighted = fitCalibration(method, { ...told, weights }).calibration!;
    for (let p = 0.05; p < 1; p += 0.05)
      expect(calibrateProbability(weighted, p)).toBeCloseTo(calibrateProbability(plain, p), 6);
    const heavy = once.happened.map((o) => (o === 1 ? 3 : 1));
    const raised = fitCalibration(method, { ...once, weights: heavy }).calibration!;
    expect(calibrateProbability(raised, 0.5)).toBeGreaterThan(calibrateProbability(plain, 0.5) + 0.1);
  });

  it.each<[string, WeightedOutcomes]>([
    ['a probability that is none', { stated: [Number.NaN], happened: [1] }],
    ['a probability above 1', { stated: [1.1], happened: [1] }],
    ['an outcome between', { stated: [0.5], happened: [0.5] }],
    ['a weight of nothing', { stated: [0.5], happened: [1], weights: [0] }],
    ['weights of another length', { stated: [0.5], happened: [1], weights: [] }],
    ['arrays of two lengths', { stated: [0.5], happened: [] }],
  ])('throws for %s', (_, outcomes) => {
    expect(() => fitCalibration('platt', outcomes)).toThrow(InputError);
  });
});

describe('logistic regression', () => {
  it('finds coefficients where the gradient vanishes', () => {
    const chance = new Chance('logistic');
    const columns = [0, 1].map(() => Array.from({ length: 300 }, () => chance.normal()));
    const targets = columns[0]!.map((x, i) =>
      Number(chance.happens(1 / (1 + Math.exp(-(0.5 + x - 2 * columns[1]![i]!))))),
    );
    const { coefficients } = fitLogistic(columns, targets);
    const [a, b, c] = coefficients as [number, number, number];
    const gradient = [0, 0, 0];
    targets.forEach((t, i) => {
      const p = 1 / (1 + Math.exp(-(a * columns[0]![i]! + b * columns[1]![i]! + c)));
      gradient[0]! += (p - t) * columns[0]![i]!;
      gradient[1]! += (p - t) * columns[1]![i]!;
      gradient[2]! += p - t;
    });
    for (const part of gradient) expect(Math.abs(part)).toBeLessThan(1e-5);
    expect(b).toBeCloseTo(-2, 0);
  });

  it('stays finite where columns repeat each other', () => {
    const x = [1, 2, 3, 4, 5, 6];
    const { coefficients } = fitLogistic([x, x], [0.1, 0.2, 0.4, 0.6, 0.8, 0.9]);
    expect(coefficients.every(Number.isFinite)).toBe(true);
    expect(coefficients[0]! + coefficients[1]!).toBeGreaterThan(0.5);
  });
});
