import { describe, expect, it } from 'vitest';
import { Chance, InputError } from '#base';
import { permutationImportance } from './permutation-importance.ts';

const FEATURES = 3;
const COUNT = 400;
const chance = new Chance('rows');
const rows = Float64Array.from({ length: COUNT * FEATURES }, () => chance.normal());
// the second column is worth twice the first, the third nothing
const target = Array.from({ length: COUNT }, (_, i) => rows[i * FEATURES]! + 2 * rows[i * FEATURES + 1]!);

function negativeError(given: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < COUNT; i++)
    sum += (given[i * FEATURES]! + 2 * given[i * FEATURES + 1]! - target[i]!) ** 2;
  return -sum / COUNT;
}

const options = { features: FEATURES, seed: 'importance', repeats: 5 };

describe('permutation importance', () => {
  it('is what the score loses: twice a variance times the square of the slope', () => {
    const { score, mean, std } = permutationImportance(rows, negativeError, options);
    expect(score).toBeCloseTo(0, 12);
    expect(mean[0]).toBeGreaterThan(1.5);
    expect(mean[0]).toBeLessThan(2.5);
    expect(mean[1]! / mean[0]!).toBeGreaterThan(3);
    expect(mean[2]).toBe(0);
    expect(std[2]).toBe(0);
    expect(std[0]).toBeGreaterThan(0);
  });

  it('is the same for the same seed and another for another', () => {
    const again = permutationImportance(rows, negativeError, options);
    expect(again).toEqual(permutationImportance(rows, negativeError, options));
    expect(again).not.toEqual(permutationImportance(rows, negativeError, { ...options, seed: 'other' }));
  });

  it('shuffles one column at a time and leaves the rows alone', () => {
    const before = rows.slice();
    const touched = new Set<string>();
    permutationImportance(
      rows,
      (given) => {
        const columns = [0, 1, 2].filter((f) =>
          Array.from({ length: COUNT }, (_, i) => i).some(
            (i) => given[i * FEATURES + f] !== before[i * FEATURES + f],
          ),
        );
        for (const f of columns) {
          const sorted = (from: Float64Array) => from.filter((_, k) => k % FEATURES === f).sort();
          expect(sorted(given)).toEqual(sorted(before));
        }
        touched.add(columns.join());
        // what a score does to its rows must not reach the next one
        given.fill(0);
        return 0;
      },
      { ...options, repeats: 2 },
    );
    expect([...touched].sort()).toEqual(['', '0', '1', '2']);
    expect(rows).toEqual(before);
  });

  it.each([
    ['no rows', new Float64Array(0), options],
    ['half a row', new Float64Array(4), options],
    ['no features', rows, { ...options, features: 0 }],
    ['no repeats', rows, { ...options, repeats: 0 }],
  ])('throws for %s', (_, given, wrong) => {
    expect(() => permutationImportance(given, negativeError, wrong)).toThrow(InputError);
  });
});
