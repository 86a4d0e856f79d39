import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Chance, InputError } from '#base';
import { averageLinkage } from './linkage.ts';
import { groupedNoise, independentNoise } from './noise-study.ts';
import { sharpeFigures, sharpeVariance } from './sharpe-evidence.ts';
import { clusterTrials, meanSilhouette } from './trial-clusters.ts';
import { clusterVariance, evidenceOf } from './trial-evidence.ts';

/** Full matrix of |a - b|. */
const line = (points: readonly number[]) => points.flatMap((a) => points.map((b) => Math.abs(a - b)));

describe('average linkage', () => {
  it('joins 0, 1, 5, 7, 20 as worked by hand', () => {
    expect(averageLinkage(line([0, 1, 5, 7, 20]), 5)).toEqual([
      { into: 0, from: 1, height: 1 },
      { into: 2, from: 3, height: 2 },
      { into: 0, from: 2, height: 5.5 },
      { into: 0, from: 4, height: 16.75 },
    ]);
  });

  it('merges upward, each point once, at the height of the nearest pair (naive search)', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.integer({ min: 0, max: 100_000 }), { minLength: 2, maxLength: 12 }),
        (points) => {
          const merges = averageLinkage(line(points), points.length);
          expect(merges.map((merge) => merge.from).sort((a, b) => a - b)).toEqual(
            points.slice(1).map((_, i) => i + 1),
          );
          let clusters = points.map((p, i) => ({ name: i, points: [p] }));
          for (const { into, from, height } of merges) {
            const between = (a: readonly number[], b: readonly number[]) =>
              a.flatMap((x) => b.map((y) => Math.abs(x - y))).reduce((s, d) => s + d, 0) /
              a.length /
              b.length;
            const least = Math.min(
              ...clusters.flatMap((a) =>
                clusters.filter((b) => b !== a).map((b) => between(a.points, b.points)),
              ),
            );
            expect(height).toBeCloseTo(least, 6);
            const kept = clusters.find((cluster) => cluster.name === into)!;
            const gone = clusters.find((cluster) => cluster.name === from)!;
            expect(between(kept.points, gone.points)).toBeCloseTo(height, 6);
            kept.points.push(...gone.points);
            clusters = clusters.filter((cluster) => cluster !== gone);
          }
        },
      ),
      { numRuns: 60 },
    );
  });
});

describe('silhouette', () => {
  it('of 0, 1 against 4, with one point alone at 0', () => {
    // point 0: a 1, b 4 -> 0.75; point 1: a 1, b 3 -> 2/3; the one alone 0
    expect(meanSilhouette(line([0, 1, 4]), [0, 0, 2])).toBeCloseTo((0.75 + 2 / 3) / 3, 12);
  });

  it('of one cluster is 0', () => {
    expect(meanSilhouette(line([0, 1, 4]), [0, 0, 0])).toBe(0);
  });
});

describe('effective number of trials', () => {
  it('is every trial where nothing is correlated', () => {
    const found = clusterTrials(independentNoise({ trials: 40, periods: 250 })(new Chance('single')));
    expect(found).toMatchObject({ effective: 40, silhouette: null, idle: 0 });
  });

  it('is the number of groups, and labels are the groups', () => {
    const trials = groupedNoise({ trials: 60, periods: 250 }, 6, 0.9)(new Chance('groups'));
    const found = clusterTrials(trials);
    expect(found.effective).toBe(6);
    // the first six trials are one of each group
    expect([...found.labels.slice(0, 6)]).toEqual([0, 1, 2, 3, 4, 5]);
    expect(Math.max(...found.labels)).toBe(5);
    expect(found.silhouette).toBeGreaterThan(0.5);
  });

  it('does not depend on the order, nor on scale or level of a trial', () => {
    const trials = groupedNoise({ trials: 30, periods: 200 }, 5, 0.8)(new Chance('order'));
    const other = trials.toReversed().map((trial, k) => trial.map((value) => (k + 1) * value + k));
    expect(clusterTrials(other).effective).toBe(clusterTrials(trials).effective);
  });

  it('beyond the leaders puts near copies together and counts strangers one by one', () => {
    const trials = groupedNoise({ trials: 300, periods: 150 }, 4, 0.999)(new Chance('leaders'));
    expect(clusterTrials(trials, { leadersMax: 20 }).effective).toBe(4);
    const strangers = independentNoise({ trials: 60, periods: 150 })(new Chance('strangers'));
    const found = clusterTrials(strangers, { leadersMax: 20 });
    expect(found.effective).toBe(60);
    expect(new Set(found.labels).size).toBe(60);
  });

  it('does not take groups of near copies for one because the groups are alike', () => {
    // four ideas, each with thirty variants that go together somewhat, each variant with three near copies
    const chance = new Chance('families');
    const ideas = independentNoise({ trials: 4, periods: 400 })(chance);
    const trials = ideas.flatMap((idea) =>
      Array.from({ length: 30 }, () => idea.map((value) => 0.6 * value + 0.8 * chance.normal())).flatMap(
        (variant) => Array.from({ length: 3 }, () => variant.map((value) => value + 0.05 * chance.normal())),
      ),
    );
    expect(clusterTrials(trials).effective).toBe(120);
    expect(clusterTrials(trials, { leadersMax: 300 }).effective).toBe(120);
    // with less room for leaders than there are groups more may count, never fewer
    expect(clusterTrials(trials, { leadersMax: 80 }).effective).toBeGreaterThanOrEqual(120);
  });

  it('law: copies of a trial, however many, do not make the others fewer', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 3, max: 30 }),
        fc.integer({ min: 0, max: 120 }),
        fc.constantFrom(0.02, 0.1),
        (n, copies, noise) => {
          const chance = new Chance(`${n} ${copies} ${noise}`);
          const trials = independentNoise({ trials: n, periods: 250 })(chance);
          const near = Array.from({ length: copies }, () =>
            trials[0]!.map((value) => value + noise * chance.normal()),
          );
          expect(clusterTrials([...trials, ...near]).effective).toBeGreaterThanOrEqual(n);
          expect(clusterTrials([...trials, ...near], { leadersMax: 60 }).effective).toBeGreaterThanOrEqual(n);
        },
      ),
      { numRuns: 25 },
    );
  });

  it('finds a home for trials beyond the leaders that are no near copies of one', () => {
    const trials = groupedNoise({ trials: 400, periods: 300 }, 4, 0.8)(new Chance('homes'));
    const found = clusterTrials(trials, { leadersMax: 60 });
    expect(clusterTrials(trials).effective).toBe(4);
    expect(found.effective).toBeGreaterThanOrEqual(4);
    expect(found.effective).toBeLessThan(60);
  });

  it('leaves trials out that never moved', () => {
    const [a, b] = independentNoise({ trials: 2, periods: 50 })(new Chance('idle'));
    const found = clusterTrials([new Float64Array(50), a!, b!, new Float64Array(50).fill(0.1)]);
    expect(found).toMatchObject({ effective: 2, idle: 2 });
    expect([...found.labels]).toEqual([-1, 0, 1, -1]);
    expect(clusterTrials([]).effective).toBe(1);
    expect(() => clusterTrials([[1, 2], [1]])).toThrow(InputError);
  });
});

describe('variance of clustered trials', () => {
  const figures = [0.1, 0.2, 0.6].map((sharpe) => ({ sharpe, n: 9, skew: 0, kurtosis: 3 }));

  it('is the sample variance where every trial is a cluster', () => {
    expect(clusterVariance(figures, Int32Array.of(0, 1, 2))).toBeCloseTo(0.07, 12);
  });

  it('does not shrink when one trial is copied', () => {
    const copies = [...figures, ...Array.from({ length: 50 }, () => figures[0]!)];
    const labels = Int32Array.of(0, 1, 2, ...new Array<number>(50).fill(0));
    expect(clusterVariance(copies, labels)).toBeCloseTo(0.07, 12);
    expect(sharpeVariance(copies.map((f) => f.sharpe))).toBeLessThan(0.01);
    expect(clusterVariance(figures, Int32Array.of(0, 0, 0))).toBe(0);
  });
});

describe('evidence of trials', () => {
  it('judges the best, or the one that was chosen', () => {
    const trials = independentNoise({ trials: 10, periods: 300 })(new Chance('evidence'));
    trials[4] = trials[4]!.map((value) => value + 0.4);
    const found = evidenceOf(trials, { blocks: 8 });
    expect(found).toMatchObject({ trials: 10, effective: 10, idle: 0, chosen: 4, clears: true });
    expect(found.figures).toEqual(sharpeFigures(trials[4]!));
    expect(evidenceOf(trials, { blocks: 8, chosen: 0 })).toMatchObject({ chosen: 0, clears: false });
    expect(() => evidenceOf(trials, { chosen: 10 })).toThrow(InputError);
  });

  it('of one trial needs its DSR only; of none, or one that never moved, clears nothing', () => {
    const [trial] = independentNoise({ trials: 1, periods: 300 })(new Chance('one'));
    const good = trial!.map((value) => value + 0.3);
    expect(evidenceOf([good])).toMatchObject({ effective: 1, luck: 0, overfitting: null, clears: true });
    expect(evidenceOf([good.map((value) => -value)]).clears).toBe(false);
    expect(evidenceOf([new Float64Array(300)])).toMatchObject({ chosen: null, dsr: null, clears: false });
    expect(evidenceOf([])).toMatchObject({ chosen: null, clears: false });
  });
});
