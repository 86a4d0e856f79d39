import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { areaUnderCurve, measure } from './boosting-metrics.ts';
import type { BoostingMetric } from './boosting-options.ts';

const measured = (
  metric: BoostingMetric,
  margins: readonly number[],
  labels: readonly number[],
  weights: readonly number[] | null = null,
  outputs = 1,
) =>
  measure(metric, {
    margins: Float64Array.from(margins),
    apart: labels.length,
    outputs,
    labels: Float32Array.from(labels),
    weights: weights && Float32Array.from(weights),
    isLogistic: metric !== 'rmse',
  });

describe('metrics', () => {
  it('are what their formulas say', () => {
    const margins = [Math.log(3), -Math.log(3), 0];
    expect(measured('logloss', margins, [1, 1, 0])).toBeCloseTo(-Math.log(0.75 * 0.25 * 0.5) / 3, 12);
    expect(measured('logloss', margins, [1, 1, 0], [2, 0, 2])).toBeCloseTo(-Math.log(0.75 * 0.5) / 2, 12);
    expect(measured('logloss', [1_000, -1_000], [0, 1])).toBeCloseTo(-Math.log(1e-15), 1);
    expect(measured('rmse', [1, 2, 5], [1, 0, 2])).toBeCloseTo(Math.sqrt(13 / 3), 12);
    expect(measured('rmse', [1, 2, 5], [1, 0, 2], [1, 1, 0])).toBeCloseTo(Math.SQRT2, 12);
    // outputs lie behind each other: row 0 has margins 0 and ln 3, row 1 has 800 and 800
    expect(measured('mlogloss', [0, 800, Math.log(3), 800], [1, 0], null, 2)).toBeCloseTo(
      -Math.log(0.75 * 0.5) / 2,
      12,
    );
    expect(measured('auc', [1, 2, 3, 4], [0, 1, 0, 1])).toBe(0.75);
  });

  it('count pairs that are ranked rightly, ties half, by weight', () => {
    const row = fc.record({
      score: fc.integer({ min: -4, max: 4 }),
      label: fc.integer({ min: 0, max: 1 }),
      weight: fc.integer({ min: 1, max: 3 }),
    });
    fc.assert(
      fc.property(fc.array(row, { minLength: 2, maxLength: 30 }), fc.boolean(), (others, weighted) => {
        const rows = [...others, { score: 0, label: 1, weight: 1 }, { score: 1, label: 0, weight: 2 }];
        const weights = weighted ? rows.map(({ weight }) => weight) : null;
        let [right, all] = [0, 0];
        for (const up of rows) {
          for (const down of rows) {
            if (up.label === 0 || down.label === 1) continue;
            const pairs = weighted ? up.weight * down.weight : 1;
            all += pairs;
            right += pairs * (up.score > down.score ? 1 : up.score === down.score ? 0.5 : 0);
          }
        }
        const scores = rows.map(({ score }) => score);
        const labels = rows.map(({ label }) => label);
        expect(areaUnderCurve(scores, labels, weights)).toBeCloseTo(right / all, 12);
        expect(measured('auc', scores, labels, weights)).toBeCloseTo(right / all, 12);
      }),
    );
  });
});
