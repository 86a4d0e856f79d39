import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InputError } from '#base';
import { executionNoise, perturbTrades } from './execution-noise.ts';
import { resampleReturns, resampleTrades, simulatePaths } from './monte-carlo.ts';

const options = { cashStart: 1_000, seed: 'paths', paths: 300 };
const trades = [50, -40, 30, -20, 80, -60, 10, 25, -35, 40];

describe('shuffled trades', () => {
  it('leave the sum unchanged', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -99, max: 99 }), { minLength: 1, maxLength: 30 }), (results) => {
        const end = 1_000 + results.reduce((a, b) => a + b, 0);
        const { finalEquity } = resampleTrades(results, 'shuffle', { ...options, paths: 20 });
        expect(finalEquity).toEqual({ p5: end, p50: end, p95: end });
      }),
      { numRuns: 40 },
    );
  });

  it('vary the drawdown', () => {
    const { maxDrawdown, longestDrawdown, meanBlock } = resampleTrades(trades, 'shuffle', options);
    expect(maxDrawdown.p5).toBeLessThan(maxDrawdown.p95);
    expect(maxDrawdown.p95).toBeLessThanOrEqual(155 / 1_000);
    expect(longestDrawdown.p50).toBeGreaterThan(0);
    expect(meanBlock).toBeNull();
  });
});

describe('bootstrap', () => {
  it('has its mean within three standard errors', () => {
    const paths = 4_000;
    const { finalMean } = resampleTrades(trades, 'bootstrap', { ...options, paths });
    const mean = 8;
    const variance = trades.reduce((sum, x) => sum + (x - mean) ** 2, 0);
    expect(Math.abs(finalMean - 1_080)).toBeLessThan(3 * Math.sqrt(variance / paths));
  });

  // quantiles lie between paths, where logarithms bend: equal to 0.01 %
  it('of returns with blocks of 1 draws what the bootstrap of trades draws', () => {
    const returns = [0.01, -0.02, 0.03, 0.005, -0.01];
    const returnsPath = resampleReturns(returns, { ...options, meanBlock: 1 });
    const logs = resampleTrades(returns.map(Math.log1p), 'bootstrap', { ...options, cashStart: 100 });
    const same = (equity: number) => 1_000 * Math.exp(equity - 100);
    expect(returnsPath.finalEquity.p50).toBeCloseTo(same(logs.finalEquity.p50), 1);
    expect(returnsPath.fan.at(-1)!.p95).toBeCloseTo(same(logs.fan.at(-1)!.p95), 1);
  });

  it('is the same for the same seed and another for another', () => {
    expect(resampleReturns([0.1, -0.1, 0.05], options)).toEqual(resampleReturns([0.1, -0.1, 0.05], options));
    const other = resampleTrades(trades, 'bootstrap', { ...options, seed: 'other' });
    expect(other.finalMean).not.toBe(resampleTrades(trades, 'bootstrap', options).finalMean);
  });

  it('keeps dependence: longer blocks of a trending series spread the ends wider', () => {
    const returns = Array.from({ length: 120 }, (_, i) => (Math.floor(i / 20) % 2 === 0 ? 0.01 : -0.01));
    const width = (meanBlock: number) => {
      const { finalEquity } = resampleReturns(returns, { ...options, meanBlock });
      return finalEquity.p95 - finalEquity.p5;
    };
    expect(width(15)).toBeGreaterThan(1.8 * width(1));
    expect(resampleReturns(returns, options).meanBlock).toBeGreaterThan(5);
  });
});

describe('paths', () => {
  it('have the figures of the path that was drawn', () => {
    const found = simulatePaths(4, (_, out) => out.set([100, -550, 300, 200]), 'add', {
      ...options,
      paths: 3,
      ruinAt: 0.45,
      fanPoints: 3,
    });
    expect(found).toMatchObject({ paths: 3, steps: 4, ruin: 1, finalMean: 1_050 });
    expect(found.maxDrawdown.p50).toBeCloseTo(0.5, 12);
    expect(found.longestDrawdown.p50).toBe(3);
    expect(found.fan.map(({ step, p50 }) => [step, p50])).toEqual([
      [0, 1_000],
      [2, 550],
      [4, 1_050],
    ]);
    const safe = simulatePaths(1, (_, out) => out.set([-449]), 'add', { ...options, ruinAt: 0.45 });
    expect(safe.ruin).toBe(0);
  });

  it('has as many ruins as the coin says', () => {
    const { ruin } = resampleTrades([-600, 600], 'bootstrap', { ...options, paths: 3_000 });
    // two draws: ruined unless the first wins (after a win, one loss leaves 1000)
    expect(ruin).toBeCloseTo(0.5, 1);
  });

  it('refuses what cannot be drawn from', () => {
    expect(() => resampleTrades([], 'shuffle', options)).toThrow(InputError);
    expect(() => resampleTrades([Number.NaN], 'shuffle', options)).toThrow(InputError);
    expect(() => resampleReturns([0.1], { ...options, cashStart: 0 })).toThrow(InputError);
    expect(() => resampleReturns([0.1], { ...options, paths: 0 })).toThrow(InputError);
    expect(() => resampleReturns([0.1], { ...options, meanBlock: 0 })).toThrow(InputError);
  });
});

describe('a path that lost everything', () => {
  it('stays lost', () => {
    const draw = (_: unknown, out: Float64Array) => out.set([-1.5, -3]);
    const { finalEquity } = simulatePaths(2, draw, 'compound', { ...options, cashStart: 1, paths: 1 });
    expect(finalEquity.p50).toBe(-0.5);
  });
});

describe('execution noise', () => {
  const executed = trades.map((net) => ({ net, slippageCost: 4, latencyCost: 2 }));

  it('without noise is the run itself', () => {
    const still = executionNoise({ slippageFrom: 1, slippageTo: 1, latencyDeviation: 0, skipped: 0 });
    const { finalEquity, maxDrawdown } = perturbTrades(executed, options, still);
    expect(finalEquity).toEqual({ p5: 1_080, p50: 1_080, p95: 1_080 });
    expect(maxDrawdown.p5).toBe(maxDrawdown.p95);
  });

  it('costs what its distributions say on average', () => {
    const { finalMean } = perturbTrades(executed, { ...options, paths: 4_000 });
    // 95 % of (8 - 4 * 0.25 - 2 * (e^0.125 - 1)) over ten trades
    const expected = 1_000 + 10 * 0.95 * (8 - 1 - 2 * (Math.exp(0.125) - 1));
    expect(Math.abs(finalMean - expected)).toBeLessThan(2);
  });

  it('skips everything where everything is skipped', () => {
    expect(perturbTrades(executed, options, executionNoise({ skipped: 1 })).finalMean).toBe(1_000);
    expect(() => executionNoise({ slippageFrom: 2, slippageTo: 1 })).toThrow(InputError);
    expect(() => executionNoise({ skipped: 1.5 })).toThrow(InputError);
    expect(() => executionNoise({ latencyDeviation: -1 })).toThrow(InputError);
    expect(() => perturbTrades([], options)).toThrow(InputError);
  });
});
