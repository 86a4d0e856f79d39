import { describe, expect, it } from 'vitest';
import { InputError } from '#base';
import { psi } from '#learning';
import { featureDrifts, type ParitySide, parityOf } from './parity.ts';

const side = (
  returns: readonly number[],
  signals: readonly (number | null)[] = returns.map(() => null),
  fills: readonly (readonly [string, number])[] = [],
): ParitySide => ({ returns, signals, fills: new Map(fills) });

describe('parity', () => {
  it('is drift in bp per bar, agreement where anybody spoke, and fill differences', () => {
    const live = side(
      [0.0002, 0, -0.0001, 0],
      [1, null, -1, 0],
      [
        ['a', 101],
        ['b', 50],
      ],
    );
    const backtest = side(
      [0, 0, 0, 0.0001],
      [1, null, 1, null],
      [
        ['a', 100],
        ['c', 7],
      ],
    );
    const found = parityOf(live, backtest);
    expect(found.driftBp).toBeCloseTo(1, 12);
    expect(found.agreement).toBe(0.5);
    expect(found.fillDifferenceBp).toBeCloseTo(100, 8);
    expect(found).toMatchObject({
      fillsMatched: 1,
      fillsOnlyLive: 1,
      fillsOnlyBacktest: 1,
      alerts: ['agreement'],
    });
  });

  it('alerts above 1 bp and below 98 %, and for a drift that is no number', () => {
    const flat = side([0, 0]);
    expect(parityOf(side([0.00011, 0.0001]), flat).alerts).toEqual(['drift']);
    expect(parityOf(side([0.00009, 0.0001]), flat).alerts).toEqual([]);
    expect(parityOf(side([Number.NaN, 0]), flat).alerts).toEqual(['drift']);
    const ones = (wrong: number) => Array.from({ length: 100 }, (_, i) => (i < wrong ? -1 : 1));
    const zeros = new Array<number>(100).fill(0);
    expect(parityOf(side(zeros, ones(2)), side(zeros, ones(0))).alerts).toEqual([]);
    expect(parityOf(side(zeros, ones(3)), side(zeros, ones(0))).alerts).toEqual(['agreement']);
  });

  it('looks at the newest 500 bars', () => {
    const old = Array.from({ length: 600 }, (_, i) => (i < 100 ? 1 : 0));
    expect(parityOf(side(old), side(old.map(() => 0)))).toMatchObject({
      bars: 500,
      driftBp: 0,
      agreement: null,
    });
    expect(parityOf(side(old), side(old.map(() => 0)), { bars: 501 }).driftBp).toBeGreaterThan(1);
    expect(() => parityOf(side([1]), side([1, 2]))).toThrow(InputError);
    expect(() => parityOf(side([]), side([]))).toThrow(InputError);
  });
});

describe('feature drift', () => {
  it('is 0.040547 for .5/.5 against .6/.4', () => {
    expect(psi([0.5, 0.5], [0.6, 0.4])).toBeCloseTo(0.040547, 6);
  });

  it('names the features that moved, the unknown first', () => {
    const before = Array.from({ length: 1000 }, (_, i) => i / 1000);
    const rows = featureDrifts(
      { still: before, moved: before, gone: before },
      { still: before, moved: Float64Array.from(before, (value) => value + 0.3), gone: [Number.NaN] },
    );
    expect(rows.map(({ feature, verdict }) => [feature, verdict])).toEqual([
      ['gone', 'unknown'],
      ['moved', 'drift'],
      ['still', 'stable'],
    ]);
  });
});
