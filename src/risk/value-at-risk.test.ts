import { describe, expect, it } from 'vitest';
import { type InstrumentId, instrumentIdOf } from '#market';
import type { Exposure } from './account.ts';
import { valueAtRisk } from './value-at-risk.ts';

const A = instrumentIdOf('AAA.LAW');
const B = instrumentIdOf('BBB.LAW');
const Z = 1.6448536269514722;

const holding = (instrument: InstrumentId, direction: 1 | -1, notional: number): Exposure =>
  ({ instrument, direction, notional }) as Exposure;

describe('parametric value at risk', () => {
  const deviation = (id: InstrumentId) => (id === A ? 0.01 : 0.02);

  it('is z times the deviation of one position over the span', () => {
    const { amount } = valueAtRisk([holding(A, 1, 1_000)], deviation, () => 1, 24);
    expect(amount).toBeCloseTo(Z * Math.sqrt(24) * 10, 9);
  });

  it('adds by correlation: together, apart, against each other', () => {
    const both = [holding(A, 1, 1_000), holding(B, 1, 500)];
    expect(valueAtRisk(both, deviation, () => 1, 1).amount).toBeCloseTo(Z * 20, 9);
    expect(valueAtRisk(both, deviation, () => 0, 1).amount).toBeCloseTo(Z * Math.sqrt(200), 9);
    const hedged = [holding(A, 1, 1_000), holding(B, -1, 500)];
    expect(valueAtRisk(hedged, deviation, () => 1, 1).amount).toBeCloseTo(0, 9);
  });

  it('is not known while a deviation is not, and nothing for nothing held', () => {
    const found = valueAtRisk(
      [holding(A, 1, 1), holding(B, 1, 1)],
      (id) => (id === A ? 0.1 : null),
      () => 0,
      1,
    );
    expect(found).toEqual({ amount: null, unknown: [B] });
    expect(valueAtRisk([], deviation, () => 0, 1)).toEqual({ amount: 0, unknown: [] });
    expect(
      valueAtRisk([holding(A, 1, 1), holding(B, 1, 1)], deviation, () => Number.NaN, 1).amount,
    ).toBeNull();
  });
});
