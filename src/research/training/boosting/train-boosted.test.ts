import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Chance, sha256 } from '#base';
import { type BoostedModel, BoostedScorer, writeBoostedModel } from '#signals';
import { areaUnderCurve } from './boosting-metrics.ts';
import type { BoostingData, BoostingOptions, BoostingRound } from './boosting-options.ts';
import { trainBoosted } from './train-boosted.ts';

const LOGISTIC = { objective: 'binary:logistic', rounds: 5 } as const;
const SQUARED = { objective: 'reg:squarederror', rounds: 5 } as const;

/** Rows of normal columns whose label 1 grows likelier with the first and with the product of the next two. */
function madeUp(rows: number, seed: number, features = 5): BoostingData & { columns: Float32Array[] } {
  const chance = new Chance(seed);
  const columns = Array.from({ length: features }, () =>
    Float32Array.from({ length: rows }, () => chance.normal()),
  );
  const labels = Float32Array.from({ length: rows }, (_, row) => {
    const [a, b, c] = columns.map((column) => column[row]!);
    return chance.uniform() < 1 / (1 + Math.exp(-a! - b! * c!)) ? 1 : 0;
  });
  return { columns, labels };
}

const rowOf = (columns: readonly Float32Array[], row: number) =>
  Float32Array.from(columns, (column) => column[row]!);

function marginsOf(model: BoostedModel, columns: readonly Float32Array[]): Float64Array {
  const scorer = new BoostedScorer(model);
  const out = new Float64Array(scorer.outputs);
  return Float64Array.from(columns[0]!, (_, row) => {
    scorer.margins(rowOf(columns, row), out);
    return out[0]!;
  });
}

/** By its hash: models are too long to be told. */
const hashOf = (data: BoostingData, options: BoostingOptions) =>
  sha256(writeBoostedModel(trainBoosted(data, options).model));

const leavesOf = ({ trees }: BoostedModel) =>
  trees.flatMap(({ left }) => [...left]).filter((n) => n < 0).length;

describe('a boosted model', () => {
  it('ranks rows that it did not see', () => {
    const [train, test] = [madeUp(4_000, 1), madeUp(2_000, 2)];
    const { model } = trainBoosted(train, { ...LOGISTIC, rounds: 60, eta: 0.1, maxDepth: 4 });
    expect(areaUnderCurve(marginsOf(model, test.columns), test.labels, null)).toBeGreaterThan(0.74);
  });

  it('is the same from columns and from rows one after the other', () => {
    const data = madeUp(500, 3, 11);
    const values = Float32Array.from(
      { length: 500 * 11 },
      (_, i) => data.columns[i % 11]![Math.floor(i / 11)]!,
    );
    const rows = { values, rows: 500, features: 11, labels: data.labels };
    expect(hashOf(rows, LOGISTIC)).toBe(hashOf(data, LOGISTIC));
  });

  it('measures in training what its scorer gives', () => {
    const data = madeUp(700, 4);
    for (let i = 0; i < 700; i += 3) data.columns[1]![i] = Number.NaN;
    const other = madeUp(300, 5);
    for (let i = 0; i < 300; i += 2) other.columns[i % 5]![i] = Number.NaN;
    const options = { ...SQUARED, rounds: 8, watchTraining: true, subsample: 0.6, colsampleByTree: 0.7 };
    const { model, history } = trainBoosted({ ...data, validation: other }, options);
    const error = ({ columns, labels }: typeof data) => {
      const squares = marginsOf(model, columns).map((margin, row) => (margin - labels[row]!) ** 2);
      return Math.sqrt(squares.reduce((sum, x) => sum + x) / labels.length);
    };
    expect(history.training!.at(-1)).toBeCloseTo(error(data), 6);
    expect(history.validation!.at(-1)).toBeCloseTo(error(other), 6);
    expect(history.training!.length).toBe(8);
  });

  it('learns classes', () => {
    const data = madeUp(1_500, 6);
    const labels = data.columns[0]!.map((x) => (x < -0.5 ? 0 : x < 0.5 ? 1 : 2));
    const options: BoostingOptions = { objective: 'multi:softprob', classes: 3, rounds: 20 };
    const { model, history } = trainBoosted({ ...data, labels, validation: { ...data, labels } }, options);
    expect(model.trees.length).toBe(60);
    expect([...model.outputOf.subarray(0, 4)]).toEqual([0, 1, 2, 0]);
    expect(history.validation!.at(-1)).toBeLessThan(0.02);
    const scorer = new BoostedScorer(model);
    const out = new Float64Array(3);
    scorer.probabilities(Float32Array.of(2, 0, 0, 0, 0), out);
    expect(out[2]).toBeGreaterThan(0.98);
  });

  it('begins at the base score, and a weight on positives moves it', () => {
    const columns = [Float32Array.of(1, 1, 1, 1)];
    const labels = Float32Array.of(0, 0, 0, 1);
    const options = { ...LOGISTIC, rounds: 200, minChildWeight: 0, lambda: 0 };
    const p = (more: Partial<BoostingOptions>) =>
      1 /
      (1 +
        Math.exp(-marginsOf(trainBoosted({ columns, labels }, { ...options, ...more }).model, columns)[0]!));
    expect(p({ rounds: 1, eta: 1e-9, baseScore: 0.3 })).toBeCloseTo(0.3, 6);
    expect(p({ baseScore: 0.9 })).toBeCloseTo(0.25, 5);
    expect(p({ scalePosWeight: 3 })).toBeCloseTo(0.5, 5);
  });
});

describe('weights', () => {
  it('count a row as often as they say: twice, or not at all', () => {
    fc.assert(
      fc.property(fc.nat(), fc.constantFrom(LOGISTIC, SQUARED), (seed, options) => {
        const chance = new Chance(seed);
        const { columns } = madeUp(60, seed);
        // labels that make no two different splits equally good
        const labels = Float32Array.from({ length: 60 }, () => chance.uniform());
        const weights = Float32Array.from({ length: 60 }, () => chance.below(4));
        weights[0] = 1;
        const rows = [...weights].flatMap((weight, row) => new Array<number>(weight).fill(row));
        const repeated = {
          columns: columns.map((column) => Float32Array.from(rows, (row) => column[row]!)),
          labels: Float32Array.from(rows, (row) => labels[row]!),
        };
        const [a, b] = [{ columns, labels, weights }, repeated].map(
          (data) => trainBoosted(data, options).model,
        );
        // weights up to 4 take two bits more of the whole numbers that derivatives are written in
        marginsOf(a!, columns).forEach((margin, row) => {
          if (weights[row]! > 0) expect(margin).toBeCloseTo(marginsOf(b!, columns)[row]!, 5);
        });
      }),
      { numRuns: 25 },
    );
  });
});

describe('monotone constraints', () => {
  it('hold between any two rows that differ in one feature', () => {
    fc.assert(
      fc.property(
        fc.nat(),
        fc.constantFrom(0, 0.5),
        fc.constantFrom(LOGISTIC, SQUARED),
        (seed, alpha, kind) => {
          const data = madeUp(150, seed);
          for (let i = 0; i < 150; i += 7) data.columns[i % 5]![i] = Number.NaN;
          const monotone = [1, -1, 0, 1, 0];
          const options = { ...kind, rounds: 6, alpha, monotone, minChildWeight: 0.2, lambda: 0.1 };
          const scorer = new BoostedScorer(trainBoosted(data, options).model);
          const out = new Float64Array(1);
          const margin = (row: Float32Array) => {
            scorer.margins(row, out);
            return out[0]!;
          };
          const chance = new Chance(seed);
          for (let k = 0; k < 100; k++) {
            const row = Float32Array.from(monotone, () => 1.5 * chance.normal());
            if (k % 3 === 0) row[k % 5] = Number.NaN;
            for (const [feature, sign] of monotone.entries()) {
              if (Number.isNaN(row[feature]!)) continue;
              const higher = row.slice();
              higher[feature]! += chance.uniform();
              expect(sign * (margin(higher) - margin(row))).toBeGreaterThanOrEqual(-1e-6);
            }
          }
        },
      ),
      { numRuns: 30 },
    );
  });

  it('would be broken without them', () => {
    const columns = [Float32Array.from({ length: 100 }, (_, i) => i)];
    const labels = columns[0]!.map((x) => -x);
    const rises = (monotone: number[]) => {
      const margins = marginsOf(trainBoosted({ columns, labels }, { ...SQUARED, monotone }).model, columns);
      return margins[99]! >= margins[0]!;
    };
    expect(rises([0])).toBe(false);
    expect(rises([1])).toBe(true);
  });
});

describe('missing values', () => {
  const columns = [Float32Array.from({ length: 40 }, (_, i) => (i < 10 ? Number.NaN : i))];
  /** Label of rows without a value, of the lower ones, of the upper ones. */
  const learned = (missing: number, low: number, high: number) => {
    const labels = Float32Array.from({ length: 40 }, (_, i) => (i < 10 ? missing : i < 25 ? low : high));
    const { model } = trainBoosted({ columns, labels }, { ...SQUARED, rounds: 1, maxDepth: 1 });
    return { tree: model.trees[0]!, margins: marginsOf(model, columns) };
  };

  it('go to the side where they belong', () => {
    expect(learned(0, 0, 9).tree.defaultLeft[0]).toBe(1);
    expect(learned(0, 0, 9).tree.condition[0]).toBe(25);
    expect(learned(9, 0, 9).tree.defaultLeft[0]).toBe(0);
    expect(learned(9, 0, 9).tree.condition[0]).toBe(25);
  });

  it('part from all others where they alone differ', () => {
    const { margins, tree } = learned(9, 0, 0);
    expect(tree.left.length).toBe(3);
    expect(margins[0]).toBeGreaterThan(2);
    expect(new Set(margins.subarray(10)).size).toBe(1);
  });

  it.each([2, 4, 8])('have a bin of their own beside %i others', (maxBin) => {
    const chance = new Chance(maxBin);
    const several = Array.from({ length: 9 }, () =>
      Float32Array.from({ length: 300 }, () => (chance.happens(0.2) ? Number.NaN : chance.below(maxBin))),
    );
    const labels = Float32Array.from({ length: 300 }, () => chance.normal());
    const data = { columns: several, labels };
    expect(hashOf(data, { ...SQUARED, maxBin })).toBe(hashOf(data, SQUARED));
  });

  it('go right where training had none', () => {
    const whole = Float32Array.from({ length: 40 }, (_, i) => i);
    const labels = whole.map((x) => (x < 20 ? 0 : 9));
    const data = { columns: [whole], labels };
    const validation = { columns: [Float32Array.of(Number.NaN, 39)], labels: Float32Array.of(9, 9) };
    const { model, history } = trainBoosted({ ...data, validation }, { ...SQUARED, rounds: 1 });
    expect([...model.trees[0]!.defaultLeft]).not.toContain(1);
    const margins = marginsOf(model, [Float32Array.of(Number.NaN, 39)]);
    expect(margins[0]).toBe(margins[1]);
    expect(history.validation![0]).toBeCloseTo(9 - margins[0]!, 5);
  });
});

describe('what keeps trees small', () => {
  const columns = [Float32Array.of(0, 0, 1, 1)];
  const labels = Float32Array.of(-1, -1, 1, 1);
  const treeOf = (more: Partial<BoostingOptions>) =>
    trainBoosted({ columns, labels }, { ...SQUARED, rounds: 1, eta: 1, baseScore: 0, lambda: 0, ...more })
      .model.trees[0]!;

  it.each([
    // both sides weigh 2 and the split gains 2^2/2 + 2^2/2 = 4
    [{ minChildWeight: 2 }, 3],
    [{ minChildWeight: 2.01 }, 1],
    [{ gamma: 4 }, 3],
    [{ gamma: 4.01 }, 1],
    // (2 - 2)^2 of either side is nothing
    [{ alpha: 1.9 }, 3],
    [{ alpha: 2 }, 1],
    [{ lambda: 1e12 }, 1],
  ])('%j leaves %i nodes', (more, nodes) => {
    expect(treeOf(more).left.length).toBe(nodes);
  });

  it.each([
    [{}, 1],
    [{ lambda: 2 }, 0.5],
    [{ alpha: 1 }, 0.5],
    [{ alpha: 1, lambda: 2 }, 0.25],
    [{ eta: 0.5 }, 0.5],
  ])('%j makes leaves of plus and minus %f', (more, value) => {
    expect([...treeOf(more).condition.subarray(1)]).toEqual([-value, value]);
  });

  it('grows no deeper than maxDepth', () => {
    const data = madeUp(500, 9);
    const depthOf = (maxDepth: number) => {
      const { left, right } = trainBoosted(data, { ...LOGISTIC, maxDepth }).model.trees[0]!;
      const depth = (node: number): number =>
        left[node]! < 0 ? 0 : 1 + Math.max(depth(left[node]!), depth(right[node]!));
      return depth(0);
    };
    expect([1, 2, 5].map(depthOf)).toEqual([1, 2, 5]);
  });

  it('finds nothing in features that never vary, or are always missing', () => {
    const data = madeUp(50, 10, 3);
    data.columns[0]!.fill(7);
    data.columns[1]!.fill(Number.NaN);
    data.columns[2]!.fill(0);
    const { model } = trainBoosted(data, LOGISTIC);
    expect(leavesOf(model)).toBe(model.trees.length);
  });
});

describe('early stopping', () => {
  const data = madeUp(300, 11);
  const validation = madeUp(300, 12);
  const options = { ...LOGISTIC, rounds: 200, eta: 0.5, earlyStoppingRounds: 5 };

  it.each(['logloss', 'auc', 'rmse'] as const)('keeps the trees up to the best %s', (metric) => {
    const rounds: BoostingRound[] = [];
    const hooks = { progress: (round: BoostingRound) => rounds.push(round) };
    const { model, history } = trainBoosted({ ...data, validation }, { ...options, metric }, hooks);
    const values = history.validation!;
    const best = metric === 'auc' ? Math.max(...values) : Math.min(...values);
    expect(history.bestRound).toBe(values.indexOf(best));
    expect(values.length).toBe(history.bestRound + 6);
    expect(model.trees.length).toBe(history.bestRound + 1);
    expect(rounds.map(({ validation: value }) => value)).toEqual(values);
    expect(rounds.at(-1)).toMatchObject({ round: values.length - 1, rounds: 200, training: null });
  });

  it('does not change the trees that it keeps', () => {
    const { model, history } = trainBoosted({ ...data, validation }, options);
    const plain = trainBoosted(data, { ...LOGISTIC, eta: 0.5, rounds: history.bestRound + 1 });
    expect(writeBoostedModel(model)).toBe(writeBoostedModel(plain.model));
  });

  it('ends when it is told to', () => {
    const stop = new AbortController();
    const seen: number[] = [];
    const hooks = {
      signal: stop.signal,
      progress: ({ round }: BoostingRound) => {
        seen.push(round);
        if (round === 2) stop.abort(new Error('enough'));
      },
    };
    expect(() => trainBoosted(data, LOGISTIC, hooks)).toThrow('enough');
    expect(seen).toEqual([0, 1, 2]);
  });
});
