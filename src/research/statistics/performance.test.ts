import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InputError } from '#base';
import { drawdownOf } from './drawdown.ts';
import { performanceOf } from './performance.ts';

describe('drawdown', () => {
  it('of 100, 110, 99, 104.5, 121, 108.9', () => {
    const { max, longest, ulcer } = drawdownOf([100, 110, 99, 104.5, 121, 108.9]);
    expect(max).toBeCloseTo(0.1, 12);
    expect(longest).toBe(2);
    // falls 0, 0, 10 %, 5 %, 0, 10 %
    expect(ulcer).toBeCloseTo(Math.sqrt((0.01 + 0.0025 + 0.01) / 6), 12);
  });

  it('is above 1 below zero, and none where no peak is above 0', () => {
    expect(drawdownOf([100, -50]).max).toBeCloseTo(1.5, 12);
    expect(drawdownOf([-100, -200])).toEqual({ max: 0, longest: 1, ulcer: 0 });
    expect(drawdownOf([])).toEqual({ max: 0, longest: 0, ulcer: 0 });
  });

  it('is the largest fall from any earlier equity', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 1000 }), { minLength: 1, maxLength: 40 }), (equity) => {
        let worst = 0;
        for (let i = 0; i < equity.length; i++)
          for (let j = i; j < equity.length; j++) worst = Math.max(worst, 1 - equity[j]! / equity[i]!);
        expect(drawdownOf(equity).max).toBeCloseTo(worst, 12);
      }),
    );
  });
});

describe('performance', () => {
  it('of a small run is that worked by hand', () => {
    const found = performanceOf({
      equity: [1000, 1100, 990, 1188],
      periodsPerYear: 3,
      trades: [{ net: 100, risk: 50 }, { net: -110, risk: 55 }, { net: 198 }],
      held: [500, 0, 990],
      traded: 4278,
    });
    expect(found.totalReturn).toBeCloseTo(0.188, 12);
    expect(found.cagr).toBeCloseTo(0.188, 12);
    expect(found.maxDrawdown).toBeCloseTo(0.1, 12);
    expect(found.calmar).toBeCloseTo(1.88, 10);
    // returns 0.1, -0.1, 0.2: mean 1/15, squares 0.04667
    expect(found.volatility).toBeCloseTo(Math.sqrt((0.06 - 3 / 225) / 2) * Math.sqrt(3), 12);
    expect(found.sharpe).toBeCloseTo((1 / 15 / Math.sqrt((0.06 - 3 / 225) / 2)) * Math.sqrt(3), 10);
    expect(found.sortino).toBeCloseTo((1 / 15 / Math.sqrt(0.01 / 3)) * Math.sqrt(3), 10);
    expect(found.profitFactor).toBeCloseTo(298 / 110, 12);
    expect(found.winRate).toBeCloseTo(2 / 3, 12);
    expect(found.expectancy).toBeCloseTo(188 / 3, 10);
    expect(found.expectancyR).toBeCloseTo(0, 12);
    expect(found.exposure).toBeCloseTo(2 / 3, 12);
    expect(found.leverage).toBeCloseTo(0.5, 12);
    expect(found.turnover).toBeCloseTo(4, 12);
  });

  it('has nulls and never infinities where nothing can be divided by', () => {
    const flat = performanceOf({ equity: [100, 100, 100], periodsPerYear: 365, trades: [{ net: 5 }] });
    expect(flat).toMatchObject({
      sharpe: null,
      sortino: null,
      calmar: null,
      profitFactor: null,
      exposure: null,
    });
    expect(flat).toMatchObject({ volatility: 0, maxDrawdown: 0, totalReturn: 0, winRate: 1, turnover: null });
    const none = performanceOf({ equity: [100], periodsPerYear: 365 });
    expect(none).toMatchObject({ periods: 0, totalReturn: null, cagr: null, sharpe: null, expectancy: null });
    expect(performanceOf({ equity: [1, 1000], periodsPerYear: 525_600 }).cagr).toBeNull();
    expect(performanceOf({ equity: [100, 0, 0], periodsPerYear: 365 })).toMatchObject({
      cagr: -1,
      sharpe: null,
    });
  });

  it('every figure is finite or null', () => {
    const money = fc.integer({ min: -1_000_000, max: 1_000_000 });
    fc.assert(
      fc.property(fc.array(money, { maxLength: 20 }), fc.array(money, { maxLength: 5 }), (equity, nets) => {
        const found = performanceOf({
          equity,
          periodsPerYear: 252,
          trades: nets.map((net) => ({ net, risk: net })),
        });
        for (const value of Object.values(found)) expect(value === null || Number.isFinite(value)).toBe(true);
      }),
    );
  });

  it('refuses holdings of another length', () => {
    expect(() => performanceOf({ equity: [1, 2], periodsPerYear: 1, held: [1, 2] })).toThrow(InputError);
  });
});
