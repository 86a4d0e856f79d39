import fc from 'fast-check';
import jstat from 'jstat';
import { describe, expect, it } from 'vitest';
import { InvariantError } from '#base';
import { normalCdf, normalQuantile } from '#features';
import {
  deflatedSharpe,
  expectedBestSharpe,
  minimumTrackRecord,
  probabilisticSharpe,
  sharpeFigures,
  sharpeVariance,
} from './sharpe-evidence.ts';

const NORMAL = { skew: 0, kurtosis: 3 };
const SHEET = { sharpe: 0.1, n: 250, skew: -0.5, kurtosis: 5 };

describe('probabilistic Sharpe ratio', () => {
  it('is 0.937321 for the sheet, 0.942261 were it normal', () => {
    expect(probabilisticSharpe(SHEET)).toBeCloseTo(0.937321, 6);
    expect(probabilisticSharpe({ ...SHEET, ...NORMAL })).toBeCloseTo(0.942261, 6);
  });

  it('gives the 2012 paper: 24 months at 0.458, 0.982 as normal and 0.913 with its skew and kurtosis', () => {
    const fund = { sharpe: 0.458, n: 24 };
    expect(probabilisticSharpe({ ...fund, ...NORMAL })).toBeCloseTo(0.982, 3);
    expect(probabilisticSharpe({ ...fund, skew: -2.448, kurtosis: 10.164 })).toBeCloseTo(0.913, 3);
  });

  it('is one half at its own value and rises with length', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0.01, max: 1, noNaN: true }),
        fc.double({ min: -1, max: 1, noNaN: true }),
        fc.integer({ min: 3, max: 5000 }),
        (sharpe, skew, n) => {
          const figures = { sharpe, n, skew, kurtosis: 4 };
          expect(probabilisticSharpe(figures, sharpe)).toBeCloseTo(0.5, 12);
          expect(probabilisticSharpe({ ...figures, n: n + 1 })!).toBeGreaterThanOrEqual(
            probabilisticSharpe(figures)!,
          );
        },
      ),
    );
  });

  it('is null where the estimate has no spread', () => {
    // two points with weights 0.8 and 0.2: kurtosis = 1 + skew^2, and the spread is (1 - skew SR / 2)^2
    expect(probabilisticSharpe({ sharpe: 2, n: 10, skew: 1, kurtosis: 2 })).toBeNull();
    expect(probabilisticSharpe({ sharpe: 1, n: 1, ...NORMAL })).toBeNull();
    expect(sharpeFigures([1, 1, 1])).toBeNull();
  });
});

describe('minimum track record', () => {
  it('is 287.79 periods for the sheet', () => {
    expect(minimumTrackRecord(SHEET)).toBeCloseTo(287.79, 2);
  });

  it('gives the 2012 paper: 2 a year against 1 takes 2.73 years of days, 2.83 of weeks, 3.24 of months', () => {
    const years = (periods: number) =>
      minimumTrackRecord({ sharpe: 2 / Math.sqrt(periods), ...NORMAL }, 1 / Math.sqrt(periods))! / periods;
    expect(years(252)).toBeCloseTo(2.73, 2);
    expect(years(52)).toBeCloseTo(2.83, 2);
    expect(years(12)).toBeCloseTo(3.24, 2);
  });

  it('is the length at which PSR reaches the confidence; none at or below the benchmark', () => {
    const n = minimumTrackRecord(SHEET, 0.02, 0.99)!;
    expect(probabilisticSharpe({ ...SHEET, n }, 0.02)).toBeCloseTo(0.99, 10);
    expect(minimumTrackRecord(SHEET, 0.1)).toBeNull();
    expect(() => minimumTrackRecord(SHEET, 0, 1)).toThrow(InvariantError);
  });
});

describe('deflated Sharpe ratio', () => {
  it('is 0.488999 against 0.101799 for the sheet', () => {
    expect(expectedBestSharpe(0.002, 50)).toBeCloseTo(0.101799, 6);
    expect(deflatedSharpe(SHEET, 0.002, 50)).toBeCloseTo(0.488999, 6);
  });

  it('gives the 2014 paper: 2.5 a year over 1,250 days, 100 trials: 0.1132 and 0.9004; 46 trials: 0.9505', () => {
    const paper = { sharpe: 2.5 / Math.sqrt(250), n: 1250, skew: -3, kurtosis: 10 };
    const variance = 0.5 / 250;
    expect(expectedBestSharpe(variance, 100)).toBeCloseTo(0.1132, 4);
    expect(deflatedSharpe(paper, variance, 100)).toBeCloseTo(0.9004, 4);
    expect(deflatedSharpe(paper, variance, 46)).toBeCloseTo(0.9505, 4);
    expect(deflatedSharpe({ ...paper, ...NORMAL }, variance, 88)).toBeCloseTo(0.9505, 3);
  });

  it('is PSR against 0 for one trial, and falls with every further one', () => {
    expect(expectedBestSharpe(0.002, 1)).toBe(0);
    expect(expectedBestSharpe(0.002, 1.05)).toBe(0);
    expect(deflatedSharpe(SHEET, 0.002, 1)).toBe(probabilisticSharpe(SHEET));
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1e6 }), (n) => {
        expect(expectedBestSharpe(1, n + 1)).toBeGreaterThanOrEqual(expectedBestSharpe(1, n));
      }),
    );
    expect(() => expectedBestSharpe(1, 0.5)).toThrow(InvariantError);
  });

  it('takes the variance of the trials with ddof 1', () => {
    expect(sharpeVariance([0.1, 0.2, 0.6])).toBeCloseTo(0.07, 12);
    expect(sharpeVariance([0.1])).toBe(0);
  });
});

describe('the normal distribution beneath', () => {
  it('agrees with jstat where jstat is exact', () => {
    for (let x = -4; x <= 4; x += 0.25) expect(normalCdf(x)).toBeCloseTo(jstat.normal.cdf(x, 0, 1), 14);
    for (let p = 0.001; p < 1; p += 0.037)
      expect(normalQuantile(p)).toBeCloseTo(jstat.normal.inv(p, 0, 1), 12);
  });
});
