import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DAY, HOUR } from '#base';
import {
  FUNDING_WINDOW_MS,
  fundingState,
  fundingTilt,
  fundingTilts,
  newFundingHistory,
  takeFunding,
} from './funding.ts';

const EIGHT = 8 * HOUR;
const START = Date.UTC(2024, 0, 1);
const historyOf = (rates: readonly number[], from = START) => {
  const history = newFundingHistory();
  for (const [i, rate] of rates.entries()) takeFunding(history, from + i * EIGHT, rate);
  return history;
};

describe('funding of an instrument', () => {
  it('is the newest rate beside the mean and population deviation of thirty days', () => {
    const at = START + 2 * EIGHT;
    const state = fundingState(historyOf([0.0001, 0.0002, 0.0006]), EIGHT, at)!;
    expect(state).toMatchObject({ rate: 0.0006, time: at, count: 3, fresh: true });
    expect(state.mean).toBeCloseTo(0.0003, 15);
    expect(state.deviation).toBeCloseTo(Math.sqrt((4e-8 + 1e-8 + 9e-8) / 3), 15);
    expect(fundingTilt(state)).toBeCloseTo((0.0006 - 0.0003) / Math.sqrt(14e-8 / 3), 12);
  });

  it('is fresh at exactly two intervals, and old a moment later: the tilt is 0 then', () => {
    const history = historyOf([0.0001, 0.0002, 0.0006]);
    const last = START + 2 * EIGHT;
    expect(fundingTilt(fundingState(history, EIGHT, last + 2 * EIGHT))).toBeGreaterThan(1);
    expect(fundingState(history, EIGHT, last + 2 * EIGHT + 1)!.fresh).toBe(false);
    expect(fundingTilt(fundingState(history, EIGHT, last + 2 * EIGHT + 1))).toBe(0);
  });

  it('tilts by nothing where rates are equal or unknown, and by five at most', () => {
    expect(fundingTilt(fundingState(historyOf(Array(90).fill(0.0001)), EIGHT, START + 89 * EIGHT))).toBe(0);
    expect(fundingTilt(null)).toBe(0);
    expect(fundingState(newFundingHistory(), EIGHT, START)).toBeNull();
    const one = (last: number) => historyOf([...Array.from({ length: 80 }, (_, i) => (i % 2) * 1e-6), last]);
    expect(fundingTilt(fundingState(one(0.01), EIGHT, START + 80 * EIGHT))).toBe(5);
    expect(fundingTilt(fundingState(one(-0.01), EIGHT, START + 80 * EIGHT))).toBe(-5);
  });

  it('forgets what fell due thirty days ago', () => {
    const history = historyOf([0.01]);
    takeFunding(history, START + FUNDING_WINDOW_MS, 0.0001);
    expect(fundingState(history, EIGHT, START + FUNDING_WINDOW_MS)!.count).toBe(1);
    const later = historyOf([0.01]);
    takeFunding(later, START + FUNDING_WINDOW_MS - 1, 0.0001);
    expect(fundingState(later, EIGHT, START + FUNDING_WINDOW_MS - 1)!.count).toBe(2);
  });

  it('does not take in what is no number, repeated or older', () => {
    const history = historyOf([0.0001]);
    takeFunding(history, START + HOUR, Number.NaN);
    takeFunding(history, START, 0.5);
    takeFunding(history, START - DAY, 0.5);
    expect(history).toEqual({ times: [START], rates: [0.0001] });
  });

  it('sees no rate that falls due later', () => {
    const history = historyOf([0.0001, 0.0005]);
    expect(fundingState(history, EIGHT, START + EIGHT - 1)!.rate).toBe(0.0001);
    expect(fundingState(history, EIGHT, START - 1)).toBeNull();
  });

  it('in one go is what streaming would have seen, whatever falls due after', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: -0.001, max: 0.001, noNaN: true }), { minLength: 1, maxLength: 120 }),
        fc.nat(119),
        (rates, cut) => {
          const times = rates.map((_, i) => START + i * EIGHT);
          const at = Array.from({ length: 150 }, (_, i) => START + i * 7 * HOUR);
          const whole = fundingTilts(at, times, rates, EIGHT);
          const n = Math.min(cut, rates.length);
          const known = at.filter((t) => n === rates.length || t < times[n]!);
          const part = fundingTilts(known, times.slice(0, n), rates.slice(0, n), EIGHT);
          expect([...part]).toEqual([...whole.subarray(0, known.length)]);
        },
      ),
      { numRuns: 60 },
    );
  });
});
