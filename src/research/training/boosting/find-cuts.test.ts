import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { findCuts, sortedKeys } from './find-cuts.ts';

function cutsOf(values: readonly number[], bins: number, weights: readonly number[] | null = null) {
  const column = Float32Array.from(values);
  const keys = new Uint32Array(column.length);
  const n = sortedKeys(column, weights && Float32Array.from(weights), keys, new Uint32Array(column.length));
  const cuts = new Float32Array(255);
  return { n, keys: keys.slice(0, n), cuts: cuts.slice(0, findCuts(keys, n, bins, cuts)) };
}

/** Rows per bin. */
function fillOf(values: readonly number[], cuts: Float32Array): number[] {
  const counts = new Array<number>(cuts.length + 1).fill(0);
  for (const value of Float32Array.from(values)) counts[cuts.filter((cut) => cut <= value).length]!++;
  return counts;
}

describe('the cuts of a column', () => {
  it('sorts all kinds of numbers and leaves out those that are missing or weigh nothing', () => {
    const values = [3, -1, Number.NaN, 0, -0, 1e-40, -1e-40, 3e38, -3e38, 7];
    const { n, keys } = cutsOf(values, 8, [1, 1, 1, 1, 1, 1, 1, 1, 1, 0]);
    expect(n).toBe(8);
    expect([...keys]).toEqual([...keys].sort((a, b) => a - b));
    expect([...cutsOf(values, 8, [1, 1, 1, 1, 1, 1, 1, 1, 1, 0]).cuts]).toEqual([
      ...Float32Array.of(-1, -1e-40, 0, 1e-40, 3, 3e38),
    ]);
  });

  it('gives each of few values a bin of its own, 0 and -0 the same', () => {
    expect([...cutsOf([5, 1, 1, 3, 5, -0, 0], 4).cuts]).toEqual([1, 3, 5]);
    expect([...cutsOf([5, 1, 1, 3, 5, -0, 0], 256).cuts]).toEqual([1, 3, 5]);
    expect([...cutsOf([2, 2, 2], 256).cuts]).toEqual([]);
    expect([...cutsOf([], 256).cuts]).toEqual([]);
    expect([...cutsOf([Number.NaN], 256).cuts]).toEqual([]);
  });

  it('fills bins equally where values are all different', () => {
    const values = Array.from({ length: 1_000 }, (_, i) => (i * 7919) % 1_000);
    const fill = fillOf(values, cutsOf(values, 10).cuts);
    expect(fill).toEqual(new Array<number>(10).fill(100));
  });

  it('spends one bin on a value that half of the rows have, and the others on the rest', () => {
    const values = Array.from({ length: 1_000 }, (_, i) => (i % 2 === 0 ? 0 : i - 500));
    const fill = fillOf(values, cutsOf(values, 11).cuts);
    expect(fill.length).toBe(11);
    expect(Math.max(...fill)).toBe(500);
    expect(fill.filter((count) => count >= 40 && count <= 60).length).toBe(10);
  });

  it('keeps values apart that fill a bin each, with few rows between them', () => {
    // a hundred rows of each of ten numbers, and one row between any two
    const values = Array.from({ length: 1_010 }, (_, i) => (i < 1_000 ? i % 10 : i - 1_000 + 0.5));
    const fill = fillOf(values, cutsOf(values, 12).cuts);
    expect(Math.max(...fill)).toBeLessThan(110);
    expect(fill.length).toBeGreaterThanOrEqual(10);
  });

  it('gives rising values of the data as cuts, no more than asked for, and leaves no bin empty', () => {
    const value = fc.oneof(
      fc.integer({ min: -5, max: 5 }),
      fc.float({ noNaN: true, noDefaultInfinity: true }),
      fc.constant(Number.NaN),
    );
    fc.assert(
      fc.property(fc.array(value, { maxLength: 200 }), fc.integer({ min: 2, max: 20 }), (values, bins) => {
        const { cuts } = cutsOf(values, bins);
        const present = values.filter((x) => !Number.isNaN(x));
        const different = new Set(Float32Array.from(present).map((x) => x + 0));
        expect(cuts.length).toBeLessThan(bins);
        expect([...cuts]).toEqual([...cuts].sort((a, b) => a - b));
        expect([...cuts].every((cut) => different.has(cut))).toBe(true);
        if (different.size <= bins) expect(cuts.length).toBe(Math.max(0, different.size - 1));
        if (present.length > 0) expect(Math.min(...fillOf(present, cuts))).toBeGreaterThan(0);
      }),
      { numRuns: 300 },
    );
  });
});
