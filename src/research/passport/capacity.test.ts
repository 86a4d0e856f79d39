import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { capacityOf } from './capacity.ts';

const fill = { notional: 1_000, quantity: 10, dayVolume: 1_000, dayVolatility: 0.02 };

describe('capacity', () => {
  it('as worked by hand', () => {
    // each of two fills costs 0.5 * 0.02 * sqrt(0.01) = 0.001 of 1,000: C = 2; P = 20, so half is gone at (20/4)^2 = 25 times
    const found = capacityOf({ cash: 10_000, profit: 20, fills: [fill, fill] });
    expect(found.impactAtRunSize).toBeCloseTo(2 / 10_000, 12);
    expect(found.halfProfit).toBeCloseTo(250_000, 6);
    expect(found.noProfit).toBeCloseTo(1_000_000, 6);
    // a hundredth of the volume at 10,000: a tenth at 100,000
    expect(found.tenthOfVolume).toBeCloseTo(100_000, 6);
    expect(found).toMatchObject({ measured: 2, fills: 2 });
  });

  it('law: at the stated sizes impact takes half of the profit, and all of it', () => {
    const fills = fc.array(
      fc.record({
        notional: fc.double({ min: 1, max: 1e6, noNaN: true }),
        quantity: fc.double({ min: 0.01, max: 1e3, noNaN: true }),
        dayVolume: fc.double({ min: 1, max: 1e6, noNaN: true }),
        dayVolatility: fc.double({ min: 0.001, max: 0.2, noNaN: true }),
      }),
      { minLength: 1, maxLength: 8 },
    );
    fc.assert(
      fc.property(fills, fc.double({ min: 1, max: 1e5, noNaN: true }), (all, profit) => {
        const { halfProfit, noProfit } = capacityOf({ cash: 1_000, profit, fills: all });
        const left = (cash: number) => {
          const m = cash / 1_000;
          const impact = all.reduce(
            (sum, one) =>
              sum +
              0.5 * one.dayVolatility * Math.sqrt((m * one.quantity) / one.dayVolume) * m * one.notional,
            0,
          );
          return (m * profit - impact) / (m * profit);
        };
        expect(left(halfProfit!)).toBeCloseTo(0.5, 6);
        expect(left(noProfit!)).toBeCloseTo(0, 6);
      }),
      { numRuns: 50 },
    );
  });

  it('lets one fill in twenty be larger than a tenth of the volume', () => {
    const share = (quantity: number) => ({ ...fill, quantity });
    const small = Array.from({ length: 19 }, () => share(10));
    const of = (...large: number[]) =>
      capacityOf({ cash: 10_000, profit: 20, fills: [...small, ...large.map(share)] }).tenthOfVolume;
    expect(of(500)).toBeCloseTo(100_000, 6);
    expect(of(400, 500)).toBeCloseTo(2_500, 6);
  });

  it('is 0 without a profit, and unknown without volume', () => {
    expect(capacityOf({ cash: 10_000, profit: -5, fills: [fill] })).toMatchObject({
      halfProfit: 0,
      noProfit: 0,
    });
    const blind = { ...fill, dayVolume: 0 };
    expect(capacityOf({ cash: 10_000, profit: 5, fills: [blind] })).toMatchObject({
      measured: 0,
      fills: 1,
      halfProfit: null,
      tenthOfVolume: null,
    });
    // what has no volume is taken to cost as much as the rest
    const mixed = capacityOf({ cash: 10_000, profit: 20, fills: [fill, blind] });
    expect(mixed.halfProfit).toBeCloseTo(
      capacityOf({ cash: 10_000, profit: 20, fills: [fill, fill] }).halfProfit!,
      6,
    );
  });
});
