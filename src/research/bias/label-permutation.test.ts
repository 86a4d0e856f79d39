import { describe, expect, it } from 'vitest';
import { Chance } from '#base';
import { permuteLabels } from './label-permutation.ts';

const SAMPLES = 120;
const chance = new Chance('labels');
const columns = Array.from({ length: 40 }, () =>
  Float64Array.from({ length: SAMPLES }, () => chance.normal()),
);
/** Labels that the first column knows something about. */
const labels = columns[0]!.map((x) => Number(x + 0.8 * chance.normal() > 0));
const even = (i: number) => i % 2 === 0;

/** Correlation over some rows. */
function correlation(x: ArrayLike<number>, y: ArrayLike<number>, among: (i: number) => boolean): number {
  let [n, sx, sy, sxx, syy, sxy] = [0, 0, 0, 0, 0, 0];
  for (let i = 0; i < x.length; i++) {
    if (!among(i)) continue;
    n += 1;
    sx += x[i]!;
    sy += y[i]!;
    sxx += x[i]! ** 2;
    syy += y[i]! ** 2;
    sxy += x[i]! * y[i]!;
  }
  return (n * sxy - sx * sy) / Math.sqrt((n * sxx - sx * sx) * (n * syy - sy * sy));
}

/** The column most correlated over the training rows, with its sign. */
function bestColumn(y: Float64Array, among: (i: number) => boolean): Float64Array {
  const scored = columns.map((column) => correlation(column, y, among));
  const best = scored.reduce((k, value, i) => (Math.abs(value) > Math.abs(scored[k]!) ? i : k), 0);
  return columns[best]!.map((x) => Math.sign(scored[best]!) * x);
}

const odd = (i: number) => !even(i);
const all = () => true;
const honest = (y: Float64Array) => correlation(bestColumn(y, even), y, odd);

describe('permuteLabels', () => {
  it('finds an honest procedure honest, and its result more than luck', () => {
    const report = permuteLabels(labels, honest, { chance: 0, seed: 'honest' });
    expect(report.leaks).toBe(false);
    expect(Math.abs(report.mean)).toBeLessThan(0.03);
    expect(report.p).toBeLessThan(0.01);
    expect(permuteLabels(labels, honest, { chance: 0, seed: 'honest' })).toEqual(report);
  });

  it('finds nothing in labels without meaning', () => {
    const noise = Float64Array.from({ length: SAMPLES }, () => Number(chance.happens(0.5)));
    expect(permuteLabels(noise, honest, { chance: 0, seed: 'noise' }).p).toBeGreaterThan(0.05);
  });

  const leaking: Record<string, (y: Float64Array) => number> = {
    'columns chosen on all rows': (y) => correlation(bestColumn(y, all), y, odd),
    'tested where it was trained': (y) => correlation(bestColumn(y, even), y, even),
    'the label among the columns': (y) =>
      correlation(
        y.map((label, i) => label + 3 * columns[1]![i]!),
        y,
        odd,
      ),
    'mean of the label by group, own label included': (y) => {
      const group = columns[2]!.map((x) => Math.floor(3 * x));
      const encoded = y.map((_, i) => {
        const peers = y.filter((_label, j) => group[j] === group[i]);
        return peers.reduce((a, b) => a + b, 0) / peers.length;
      });
      return correlation(encoded, y, odd);
    },
    'best of many tries on the test rows': (y) =>
      Math.max(...columns.map((column) => correlation(column, y, odd))),
  };

  it.each(Object.entries(leaking))('finds the leak: %s', (_, score) => {
    expect(permuteLabels(labels, score, { chance: 0, seed: 'leak', permutations: 100 }).leaks).toBe(true);
  });

  it('refuses what says nothing', () => {
    expect(() => permuteLabels(labels, honest, { chance: 0, seed: '', permutations: 5 })).toThrow(
      '5 permutations',
    );
    expect(() => permuteLabels(labels, () => Number.NaN, { chance: 0, seed: '' })).toThrow(
      'the score is NaN',
    );
  });
});
