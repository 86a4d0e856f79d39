import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { combinatorialPurged, pathValues, purgedKFold } from './cross-validation.ts';
import { evenSpans, type LabelSpans, standardEmbargo } from './label-spans.ts';
import { purgedTraining } from './purge.ts';
import { walkForward, walkForwardEfficiency } from './walk-forward.ts';

const numbers = (n: number) => Array.from({ length: n }, (_, i) => i);

/** Irregular samples: gaps of 0 to 5, labels of 0 to 30. */
const irregular = fc
  .array(fc.tuple(fc.integer({ min: 0, max: 5 }), fc.integer({ min: 0, max: 30 })), {
    minLength: 12,
    maxLength: 80,
  })
  .map((pairs): LabelSpans => {
    let t = 0;
    const t0 = pairs.map(([gap]) => {
      t += gap;
      return t;
    });
    return { t0, t1: t0.map((start, i) => start + pairs[i]![1]) };
  });

/** By the definition, pair by pair. */
function trainingByDefinition({ t0, t1 }: LabelSpans, test: readonly number[], embargo: number): number[] {
  const hull: [number, number][] = [];
  for (const j of test) {
    const last = hull.at(-1);
    if (last !== undefined && t0[j]! <= last[1]) last[1] = Math.max(last[1], t1[j]!);
    else hull.push([t0[j]!, t1[j]!]);
  }
  return numbers(t0.length).filter((i) => {
    if (test.includes(i)) return false;
    if (test.some((j) => t0[i]! <= t1[j]! && t1[i]! >= t0[j]!)) return false;
    return !hull.some(([, end]) => t0[i]! > end && t0[i]! <= end + embargo);
  });
}

describe('purge and embargo', () => {
  it('the worked example: ten samples with spans [i, i + 2], test 4 and 5', () => {
    const spans = evenSpans(10, 2);
    expect([...purgedTraining(spans, [4, 5], 0)]).toEqual([0, 1, 8, 9]);
    expect([...purgedTraining(spans, [4, 5], 1)]).toEqual([0, 1, 9]);
  });

  it('agrees with the definition on irregular spans and scattered tests', () => {
    fc.assert(
      fc.property(
        irregular,
        fc.integer({ min: 2, max: 9 }),
        fc.integer({ min: 0, max: 12 }),
        (spans, every, embargo) => {
          const test = numbers(spans.t0.length).filter((i) => Math.floor(i / 3) % every === 0);
          expect([...purgedTraining(spans, test, embargo)]).toEqual(
            trainingByDefinition(spans, test, embargo),
          );
        },
      ),
    );
  });

  it('the standard embargo is the longest label or 1 % of the samples', () => {
    expect(standardEmbargo(evenSpans(1000, 3))).toBeCloseTo(10, 12);
    expect(standardEmbargo(evenSpans(100, 3))).toBe(3);
    expect(standardEmbargo(evenSpans(1, 3))).toBe(3);
  });

  it('refuses spans and samples that cannot be', () => {
    const refuse = (t0: number[], t1: number[], test: number[] = [0], embargo = 0) =>
      expect(() => purgedTraining({ t0, t1 }, test, embargo));
    refuse([0, 1], [1]).toThrow('2 label starts and 1 ends');
    refuse([0, 1], [1, 0]).toThrow('from 1 to 0');
    refuse([0, Number.NaN], [1, 2]).toThrow('NaN');
    refuse([1, 0], [1, 2]).toThrow('begins before');
    refuse([0, 1], [1, 2], [2]).toThrow('does not exist');
    refuse([0, 1], [1, 2], [1, 0]).toThrow('out of order');
    refuse([0, 1], [1, 2], [0], -1).toThrow('embargo is -1');
  });
});

describe('walk-forward', () => {
  it('90 days, 30 to train, 2 to test: 30 windows', () => {
    const windows = walkForward(90, { train: 30, test: 2 });
    expect(windows).toHaveLength(30);
    expect([...windows[0]!.train]).toEqual(numbers(30));
    expect([...windows[0]!.test]).toEqual([30, 31]);
    expect([...windows[29]!.test]).toEqual([88, 89]);
    expect(windows[29]!.train[0]).toBe(58);
    expect(windows.flatMap((w) => [...w.test])).toEqual(numbers(60).map((i) => 30 + i));
  });

  it('anchored training begins at the first sample', () => {
    const windows = walkForward(50, { train: 20, test: 10, anchored: true });
    expect(windows.map((w) => w.train.length)).toEqual([20, 30, 40]);
    expect(windows.every((w) => w.train[0] === 0)).toBe(true);
  });

  it('holds its laws for any shape', () => {
    const shape = fc.record({
      samples: fc.integer({ min: 1, max: 120 }),
      train: fc.integer({ min: 1, max: 40 }),
      test: fc.integer({ min: 1, max: 20 }),
      step: fc.integer({ min: 1, max: 30 }),
      label: fc.integer({ min: 0, max: 12 }),
      anchored: fc.boolean(),
      standard: fc.boolean(),
    });
    fc.assert(
      fc.property(shape, ({ samples, train, test, step, label, anchored, standard }) => {
        fc.pre(train + test <= samples);
        const spans = evenSpans(samples, label);
        const steps = standard ? {} : { step };
        const windows = walkForward(samples, { train, test, anchored, spans, ...steps });
        const move = standard ? test : step;
        expect(windows).toHaveLength(Math.floor((samples - train - test) / move) + 1);
        if (standard) expect(windows).toHaveLength(Math.floor((samples - train) / test));
        for (const [k, window] of windows.entries()) {
          expect(window.test[0]).toBe(train + k * move);
          expect(window.test).toHaveLength(test);
          for (const i of window.train) expect(spans.t1[i]).toBeLessThan(window.test[0]!);
          // nothing is dropped without a reason
          const begin = anchored ? 0 : k * move;
          expect(window.train).toHaveLength(Math.max(0, train + k * move - label - begin));
        }
      }),
    );
  });

  it('says when no window fits, and what was kept out of sample', () => {
    expect(() => walkForward(10, { train: 9, test: 2 })).toThrow('no window');
    expect(() => walkForward(10, { train: 0, test: 2 })).toThrow('train of a walk-forward is 0');
    expect(() => walkForward(10, { train: 2, test: 2, step: 0.5 })).toThrow('step');
    expect(() => walkForward(10, { train: 2, test: 2, spans: evenSpans(9, 1) })).toThrow('9 label spans');
    expect(walkForwardEfficiency(0.2, 0.1)).toBe(0.5);
    expect(walkForwardEfficiency(0, 0.1)).toBeNull();
    expect(walkForwardEfficiency(-0.1, 0.1)).toBeNull();
  });
});

describe('purged K-fold', () => {
  it('tests every sample once, and no training label touches a test label', () => {
    fc.assert(
      fc.property(
        irregular,
        fc.integer({ min: 2, max: 7 }),
        fc.integer({ min: 0, max: 9 }),
        (spans, folds, embargo) => {
          const splits = purgedKFold(spans, { folds, embargo });
          expect(splits.flatMap((split) => [...split.test])).toEqual(numbers(spans.t0.length));
          const sizes = splits.map((split) => split.test.length);
          expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
          for (const { train, test } of splits) {
            expect([...train]).toEqual(trainingByDefinition(spans, [...test], embargo));
          }
        },
      ),
      { numRuns: 50 },
    );
  });

  it('has five folds and the standard embargo unless told otherwise', () => {
    const splits = purgedKFold(evenSpans(100, 4));
    expect(splits).toHaveLength(5);
    // test 20..39 covers [20, 43]: 16..19 and 40..43 are purged, 44..47 embargoed
    expect([...splits[1]!.train]).toEqual(numbers(100).filter((i) => i < 16 || i > 47));
    expect(() => purgedKFold(evenSpans(3, 0))).toThrow('cannot make 5 folds');
    expect(() => purgedKFold(evenSpans(3, 0), { folds: 1 })).toThrow('folds');
  });
});

describe('combinatorial purged cross-validation', () => {
  it('(6, 2) has 15 splits and 5 paths, (10, 2) 45 and 9', () => {
    const six = combinatorialPurged(evenSpans(60, 0));
    expect([six.splits.length, six.paths.length]).toEqual([15, 5]);
    const ten = combinatorialPurged(evenSpans(60, 0), { groups: 10 });
    expect([ten.splits.length, ten.paths.length]).toEqual([45, 9]);
    // the figure of chapter 12: group 0 meets splits 0..4, group 1 splits 0, 5..8
    expect(six.paths.map((path) => path[0])).toEqual([0, 1, 2, 3, 4]);
    expect(six.paths.map((path) => path[1])).toEqual([0, 5, 6, 7, 8]);
    expect(six.splits[5]!.groups).toEqual([1, 2]);
  });

  it('paths cover every sample once, use every test once, and training stays clean', () => {
    const shape = fc
      .integer({ min: 2, max: 7 })
      .chain((groups) =>
        fc.record({ groups: fc.constant(groups), tested: fc.integer({ min: 1, max: groups - 1 }) }),
      );
    fc.assert(
      fc.property(irregular, shape, fc.integer({ min: 0, max: 9 }), (spans, { groups, tested }, embargo) => {
        const plan = combinatorialPurged(spans, { groups, tested, embargo });
        const n = spans.t0.length;
        const times = new Int32Array(n);
        for (const { train, test } of plan.splits) {
          for (const i of test) times[i]! += 1;
          expect([...train]).toEqual(trainingByDefinition(spans, [...test], embargo));
        }
        expect(plan.paths).toHaveLength((plan.splits.length * tested) / groups);
        expect(new Set(times)).toEqual(new Set([plan.paths.length]));
        // every (split, group) pair lies on exactly one path
        const used = plan.paths.flatMap((path) => [...path].map((split, g) => `${split}/${g}`));
        expect(new Set(used).size).toBe(plan.splits.length * tested);
        for (const [p, path] of plan.paths.entries()) {
          path.forEach((split, g) => {
            expect(plan.splits[split]!.groups).toContain(g);
          });
          const results = plan.splits.map(({ test }, s) => test.map((i) => 1000 * s + i));
          const values = pathValues(plan, p, results);
          expect(values).toHaveLength(n);
          values.forEach((value, i) => {
            expect(value % 1000).toBe(i);
          });
        }
      }),
      { numRuns: 30 },
    );
  });

  it('refuses what cannot be tested', () => {
    expect(() => combinatorialPurged(evenSpans(60, 0), { groups: 6, tested: 6 })).toThrow('cannot be tested');
    expect(() => combinatorialPurged(evenSpans(60, 0), { groups: 30, tested: 15 })).toThrow(
      'more than 10000',
    );
    const plan = combinatorialPurged(evenSpans(60, 0));
    expect(() =>
      pathValues(
        plan,
        0,
        plan.splits.map(() => [1]),
      ),
    ).toThrow('20 samples and has 1');
  });
});
