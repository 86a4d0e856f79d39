import { describe, expect, it } from 'vitest';
import { placeOf, seriesSource } from './series.ts';

describe('a series of directions', () => {
  it('is found by the open time of a bar alone', () => {
    const times = Float64Array.of(10, 20, 40);
    expect([9, 10, 11, 20, 40, 41].map((time) => placeOf(times, time))).toEqual([-1, 0, -1, 1, 2, -1]);
    expect(placeOf(times, 10, 1)).toBe(-1);
    expect(placeOf(new Float64Array(0), 1)).toBe(-1);
  });

  it.each([
    ['of unequal length', [1, 2], [1]],
    ['out of order', [2, 2], [1, 1]],
    ['with a time that is none', [Number.NaN], [1]],
    ['with a direction that is none', [1], [2]],
  ])('%s is refused', (_, times, directions) => {
    expect(() =>
      seriesSource({ times: Float64Array.from(times), directions: Int8Array.from(directions) }),
    ).toThrow(/series/);
  });
});
