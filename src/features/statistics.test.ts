import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { normalCdf, normalPdf, normalQuantile } from './statistics.ts';

/** Phi(x) = 1/2 + phi(x) (x + x^3/3 + x^5/15 + ...), all terms positive. For |x| < 6. */
function series(x: number): number {
  let term = x;
  let total = x;
  for (let k = 1; k < 400 && Math.abs(term) > 1e-20; k++) {
    term *= (x * x) / (2 * k + 1);
    total += term;
  }
  return 0.5 + (total * Math.exp((-x * x) / 2)) / Math.sqrt(2 * Math.PI);
}

describe('normalCdf', () => {
  it('has an absolute error below 1e-12', () => {
    for (let x = -6; x <= 6; x += 1 / 128) expect(Math.abs(normalCdf(x) - series(x))).toBeLessThan(1e-14);
  });

  it('keeps tabulated values, in the tail relatively too', () => {
    expect(normalCdf(0)).toBeCloseTo(0.5, 15);
    expect(normalCdf(1.959963984540054)).toBeCloseTo(0.975, 14);
    expect(normalCdf(-8) / 6.220960574271785e-16).toBeCloseTo(1, 7);
    expect(normalCdf(-20) / 2.7536241186062337e-89).toBeCloseTo(1, 7);
    expect(normalCdf(-50)).toBe(0);
    expect(normalCdf(50)).toBe(1);
    expect(normalCdf(Number.NaN)).toBeNaN();
  });

  it('rises and is symmetric', () => {
    fc.assert(
      fc.property(
        fc.double({ min: -30, max: 30, noNaN: true }),
        fc.double({ min: 1e-6, max: 1, noNaN: true }),
        (x, d) => {
          expect(normalCdf(x + d)).toBeGreaterThanOrEqual(normalCdf(x));
          expect(normalCdf(x) + normalCdf(-x)).toBeCloseTo(1, 14);
        },
      ),
      { numRuns: 1000 },
    );
  });
});

describe('normalQuantile', () => {
  it('is the inverse of normalCdf', () => {
    fc.assert(
      fc.property(fc.double({ min: 1e-12, max: 1 - 1e-12, noNaN: true }), (p) => {
        const back = normalCdf(normalQuantile(p));
        expect(Math.abs(back - p)).toBeLessThan(1e-13);
      }),
      { numRuns: 1000 },
    );
    expect(normalQuantile(0.975)).toBeCloseTo(1.959963984540054, 12);
    expect(normalQuantile(0)).toBe(Number.NEGATIVE_INFINITY);
    expect(normalQuantile(1)).toBe(Number.POSITIVE_INFINITY);
    expect(normalQuantile(1.5)).toBeNaN();
  });

  it('has its density', () => {
    expect(normalPdf(0)).toBeCloseTo(0.3989422804014327, 15);
    expect((normalCdf(1.00001) - normalCdf(0.99999)) / 2e-5).toBeCloseTo(normalPdf(1), 8);
  });
});
