import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { momentsOf, quantileOf, returnsOf, sharpeOf, sortinoOf } from './moments.ts';

const values = fc.array(fc.integer({ min: -500, max: 500 }), { minLength: 3, maxLength: 60 });

describe('moments', () => {
  it('of 1, 2, 3, 10 are those worked by hand', () => {
    // deviations from 4: -3, -2, -1, 6; squares 50, cubes 180, fourth powers 1394
    const moments = momentsOf([1, 2, 3, 10])!;
    expect(moments.mean).toBe(4);
    expect(moments.deviation).toBeCloseTo(Math.sqrt(50 / 3), 12);
    expect(moments.skew).toBeCloseTo(180 / 4 / 12.5 ** 1.5, 12);
    expect(moments.kurtosis).toBeCloseTo(1394 / 4 / 12.5 ** 2, 12);
  });

  it('are null without movement, rounding error or not', () => {
    expect(momentsOf([])).toBeNull();
    expect(momentsOf([1])).toBeNull();
    expect(momentsOf([0.1, 0.1, 0.1])).toBeNull();
    // growth by one factor leaves returns that differ in the last digit only
    const equity = Array.from({ length: 300 }, (_, i) => 1e6 * 1.001 ** i);
    expect(sharpeOf(returnsOf(equity)!)).toBeNull();
  });
});

describe('ratios', () => {
  it('Sharpe is mean over sample deviation, per year by the root', () => {
    expect(sharpeOf([1, 2, 3, 10])).toBeCloseTo(4 / Math.sqrt(50 / 3), 12);
    expect(sharpeOf([1, 2, 3, 10], 365)).toBeCloseTo((4 / Math.sqrt(50 / 3)) * Math.sqrt(365), 10);
    expect(sharpeOf([0, 0, 0])).toBeNull();
  });

  it('Sortino divides by the downside of all observations', () => {
    expect(sortinoOf([0.02, -0.01, 0.03, -0.02])).toBeCloseTo(0.005 / Math.sqrt(0.0005 / 4), 12);
    expect(sortinoOf([0.02, 0.01])).toBeNull();
  });

  it('Sharpe does not depend on scale and changes sign with the series', () => {
    fc.assert(
      fc.property(values, fc.double({ min: 0.01, max: 100, noNaN: true }), (series, scale) => {
        const sharpe = sharpeOf(series);
        fc.pre(sharpe !== null);
        expect(sharpeOf(series.map((value) => value * scale))).toBeCloseTo(sharpe!, 6);
        expect(sharpeOf(series.map((value) => -value))).toBeCloseTo(-sharpe!, 6);
      }),
    );
  });
});

describe('returns and quantiles', () => {
  it('returns need an equity above 0 to stand on', () => {
    expect([...returnsOf([100, 110, 99])!]).toEqual([expect.closeTo(0.1, 12), expect.closeTo(-0.1, 12)]);
    expect(returnsOf([100, 0, 50])).toBeNull();
    expect(returnsOf([100, -5])).toHaveLength(1);
  });

  it('quantiles lie between order statistics', () => {
    expect(quantileOf([1, 2, 3, 4], 0.5)).toBe(2.5);
    expect(quantileOf([1, 2, 3, 4], 0)).toBe(1);
    expect(quantileOf([1, 2, 3, 4], 1)).toBe(4);
    expect(quantileOf([1, 2, 3, 4], 0.05)).toBeCloseTo(1.15, 12);
    expect(quantileOf([], 0.5)).toBeNaN();
  });
});
