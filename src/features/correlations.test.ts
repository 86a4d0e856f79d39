import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { captureState, HOUR, restoreState } from '#base';
import { Correlations } from './correlations.ts';

const OPTIONS = { window: 12, minimum: 4, prior: 0.85 };

/** Pearson by the book over the last `window` hours, holes left out. */
function plainly(x: readonly (number | null)[], y: readonly (number | null)[]): number {
  const returns = (prices: readonly (number | null)[]) =>
    prices.map((price, i) => {
      const before = i === 0 ? null : prices[i - 1]!;
      return price === null || before === null ? null : price / before - 1;
    });
  const a = returns(x);
  const b = returns(y);
  const hours = [...a.keys()].slice(-OPTIONS.window).filter((i) => a[i] !== null && b[i] !== null);
  if (hours.length < OPTIONS.minimum) return OPTIONS.prior;
  const mean = (of: readonly (number | null)[]) => hours.reduce((sum, i) => sum + of[i]!, 0) / hours.length;
  const [ma, mb] = [mean(a), mean(b)];
  const sum = (f: (i: number) => number) => hours.reduce((total, i) => total + f(i), 0);
  const xx = sum((i) => (a[i]! - ma) ** 2);
  const yy = sum((i) => (b[i]! - mb) ** 2);
  return xx > 0 && yy > 0 ? sum((i) => (a[i]! - ma) * (b[i]! - mb)) / Math.sqrt(xx * yy) : OPTIONS.prior;
}

describe('Correlations', () => {
  it('is Pearson of the common hourly returns of the window, asked again after every hour', () => {
    const price = fc.option(fc.double({ min: 50, max: 150, noNaN: true }), { freq: 8 });
    const hours = fc.array(fc.tuple(price, price), { minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(hours, (rows) => {
        const correlations = new Correlations(OPTIONS);
        rows.forEach(([x, y], hour) => {
          if (x !== null) correlations.observe('X', hour * HOUR, x);
          if (y !== null) correlations.observe('Y', hour * HOUR, y);
          if (x === null || y === null) return;
          const seen = rows.slice(0, hour + 1);
          const expected = plainly(
            seen.map((row) => row[0]),
            seen.map((row) => row[1]),
          );
          // twice, for the second answer is a remembered one
          for (let k = 0; k < 2; k++) expect(correlations.between('X', 'Y')).toBeCloseTo(expected, 9);
          expect(correlations.between('Y', 'X')).toBeCloseTo(expected, 9);
        });
      }),
      { numRuns: 300 },
    );
  });

  it('samples the first close of an hour, and is 1 with itself and the prior with a stranger', () => {
    const correlations = new Correlations(OPTIONS);
    for (let hour = 0; hour < 10; hour++) {
      for (const id of ['X', 'Y']) {
        correlations.observe(id, hour * HOUR, 100 + (hour % 3));
        correlations.observe(id, hour * HOUR + 1, 1_000 * (id === 'X' ? 1 : hour));
      }
    }
    expect(correlations.between('X', 'Y')).toBeCloseTo(1, 12);
    expect(correlations.between('X', 'X')).toBe(1);
    expect(correlations.between('X', 'Z')).toBe(OPTIONS.prior);
  });

  it('gives the deviation of the returns of the window, and none while there are too few', () => {
    const correlations = new Correlations({ ...OPTIONS, window: 6, minimum: 4 });
    const closes = [100, 101, 99, 104, 102, 107, 103, 108];
    const found = closes.map((close, hour) => {
      correlations.observe('X', hour * HOUR, close);
      return correlations.deviation('X');
    });
    expect(found.slice(0, 4)).toEqual([null, null, null, null]);
    const returns = closes.slice(1).map((close, i) => close / closes[i]! - 1);
    const newest = returns.slice(-6);
    const mean = newest.reduce((sum, r) => sum + r, 0) / 6;
    const variance = newest.reduce((sum, r) => sum + (r - mean) ** 2, 0) / 5;
    expect(found.at(-1)).toBeCloseTo(Math.sqrt(variance), 12);
    expect(correlations.deviation('Z')).toBeNull();
  });

  it('goes on from a snapshot', () => {
    const first = new Correlations(OPTIONS);
    for (let hour = 0; hour < 9; hour++) {
      first.observe('X', hour * HOUR, 100 + Math.sin(hour));
      first.observe('Y', hour * HOUR, 100 + Math.cos(3 * hour));
    }
    const value = first.between('X', 'Y');
    const second = new Correlations(OPTIONS);
    restoreState(second, JSON.parse(JSON.stringify(captureState(first))));
    expect(second.between('X', 'Y')).toBe(value);
  });
});
