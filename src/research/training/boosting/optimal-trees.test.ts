// Every node of every tree is checked against all splits that there are, found by trying them one by one.
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Chance } from '#base';
import type { BoostedTree } from '#signals';
import type { BoostingOptions } from './boosting-options.ts';
import { trainBoosted } from './train-boosted.ts';

interface Sums {
  first: number;
  second: number;
}

type Terms = Required<
  Pick<BoostingOptions, 'lambda' | 'alpha' | 'gamma' | 'minChildWeight' | 'maxDepth' | 'eta'>
>;

const shrunk = (first: number, alpha: number) => Math.sign(first) * Math.max(0, Math.abs(first) - alpha);
const gainOf = ({ first, second }: Sums, { lambda, alpha }: Terms) =>
  shrunk(first, alpha) ** 2 / (second + lambda);
const optimum = ({ first, second }: Sums, { lambda, alpha, minChildWeight }: Terms) =>
  second < minChildWeight || second <= 0 ? 0 : -shrunk(first, alpha) / (second + lambda);

class Checker {
  private readonly columns: readonly Float32Array[];
  private readonly pairs: readonly Sums[];
  private readonly terms: Terms;
  readonly margins: Float64Array;

  constructor(columns: readonly Float32Array[], pairs: readonly Sums[], terms: Terms) {
    this.columns = columns;
    this.pairs = pairs;
    this.terms = terms;
    this.margins = new Float64Array(pairs.length);
  }

  private sumsOf(rows: readonly number[]): Sums {
    const sums = { first: 0, second: 0 };
    for (const row of rows) {
      sums.first += this.pairs[row]!.first;
      sums.second += this.pairs[row]!.second;
    }
    return sums;
  }

  /** What a parting of rows gains; -1 where it may not be. */
  private gain(rows: readonly number[], goesLeft: (row: number) => boolean): number {
    const { terms } = this;
    const left = this.sumsOf(rows.filter(goesLeft));
    const right = this.sumsOf(rows.filter((row) => !goesLeft(row)));
    const least = Math.max(1e-12, terms.minChildWeight - 1e-7);
    if (left.second < least || right.second < least) return -1;
    return gainOf(left, terms) + gainOf(right, terms) - gainOf(this.sumsOf(rows), terms);
  }

  private bestGain(rows: readonly number[]): number {
    let best = -1;
    for (const column of this.columns) {
      const thresholds = [
        ...new Set(rows.map((row) => column[row]!).filter((x) => !Number.isNaN(x))),
        Infinity,
      ];
      for (const threshold of thresholds) {
        for (const missingLeft of [true, false]) {
          const goesLeft = (row: number) =>
            Number.isNaN(column[row]!) ? missingLeft : column[row]! < threshold;
          best = Math.max(best, this.gain(rows, goesLeft));
        }
      }
    }
    return best;
  }

  check(tree: BoostedTree, node: number, rows: readonly number[], depth: number): void {
    const { terms } = this;
    const sums = this.sumsOf(rows);
    const value = optimum(sums, terms);
    const isLeaf = tree.left[node]! < 0;
    expect(tree.cover[node]).toBeCloseTo(sums.second, 4);
    expect(tree.weight[node]).toBeCloseTo(isLeaf ? terms.eta * value : value, 4);
    const best = depth === terms.maxDepth ? -1 : this.bestGain(rows);
    if (isLeaf) {
      expect(best).toBeLessThan(Math.max(terms.gamma, 1e-6) + 1e-4);
      expect(tree.condition[node]).toBeCloseTo(terms.eta * value, 4);
      for (const row of rows) this.margins[row]! += tree.condition[node]!;
      return;
    }
    const column = this.columns[tree.feature[node]!]!;
    const goesLeft = (row: number) =>
      Number.isNaN(column[row]!) ? tree.defaultLeft[node] === 1 : column[row]! < tree.condition[node]!;
    expect(this.gain(rows, goesLeft)).toBeCloseTo(best, 4);
    expect(tree.gain[node]).toBeCloseTo(best, 3);
    expect(best).toBeGreaterThan(Math.max(terms.gamma, 1e-6) - 1e-4);
    this.check(tree, tree.left[node]!, rows.filter(goesLeft), depth + 1);
    this.check(
      tree,
      tree.right[node]!,
      rows.filter((row) => !goesLeft(row)),
      depth + 1,
    );
  }
}

const DERIVATIVES: Readonly<
  Record<BoostingOptions['objective'], (margins: readonly number[], label: number, k: number) => Sums>
> = {
  'binary:logistic': ([margin], label) => {
    const p = 1 / (1 + Math.exp(-margin!));
    return { first: p - label, second: p * (1 - p) };
  },
  'multi:softprob': (margins, label, k) => {
    const powers = margins.map(Math.exp);
    const p = powers[k]! / powers.reduce((a, b) => a + b);
    return { first: p - (label === k ? 1 : 0), second: 2 * p * (1 - p) };
  },
  'reg:squarederror': ([margin], label) => ({ first: margin! - label, second: 1 }),
};

describe('trees', () => {
  const problem = fc.record({
    objective: fc.constantFrom<BoostingOptions['objective']>(
      'binary:logistic',
      'multi:softprob',
      'reg:squarederror',
    ),
    seed: fc.nat(),
    rows: fc.integer({ min: 2, max: 60 }),
    features: fc.integer({ min: 1, max: 11 }),
    missing: fc.constantFrom(0, 0.2),
    levels: fc.constantFrom(2, 5, 100),
    weighted: fc.boolean(),
    lambda: fc.constantFrom(0, 1, 5),
    alpha: fc.constantFrom(0, 0, 0.5),
    gamma: fc.constantFrom(0, 0, 1),
    minChildWeight: fc.constantFrom(0, 0.3, 1, 4),
    maxDepth: fc.integer({ min: 1, max: 4 }),
    eta: fc.constantFrom(0.1, 1),
  });

  it('take the best of all splits at every node, and none where none is worth it', () => {
    fc.assert(
      fc.property(problem, ({ objective, seed, rows, features, missing, levels, weighted, ...terms }) => {
        const chance = new Chance(seed);
        const columns = Array.from({ length: features }, () =>
          Float32Array.from({ length: rows }, () =>
            chance.happens(missing) ? Number.NaN : chance.below(levels) - chance.below(3) / 4,
          ),
        );
        const outputs = objective === 'multi:softprob' ? 3 : 1;
        const labels = Float32Array.from({ length: rows }, () =>
          objective === 'reg:squarederror' ? chance.normal() : chance.below(Math.max(2, outputs)),
        );
        const weights = Float32Array.from({ length: rows }, () =>
          weighted ? chance.below(3) / 2 + 0.25 : 1,
        );
        const { model } = trainBoosted(
          { columns, labels, ...(weighted && { weights }) },
          { ...terms, objective, rounds: 2, ...(outputs > 1 && { classes: outputs }) },
        );
        const margins = Array.from({ length: outputs }, () =>
          new Float64Array(rows).fill(objective === 'binary:logistic' ? 0 : 0.5),
        );
        for (let round = 0; round < 2; round++) {
          const own = Array.from({ length: rows }, (_, row) => margins.map((of) => of[row]!));
          for (let k = 0; k < outputs; k++) {
            const pairs = own.map((of, row) => {
              const { first, second } = DERIVATIVES[objective](of, labels[row]!, k);
              return { first: first * weights[row]!, second: second * weights[row]! };
            });
            const checker = new Checker(columns, pairs, terms);
            checker.check(model.trees[round * outputs + k]!, 0, [...pairs.keys()], 0);
            checker.margins.forEach((value, row) => {
              margins[k]![row]! += value;
            });
          }
        }
      }),
      { numRuns: 150 },
    );
  });
});
