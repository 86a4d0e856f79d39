import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { WindowMax, WindowMin } from './extremes.ts';
import { WindowSum } from './windows.ts';

const cases = fc.tuple(
  fc.integer({ min: 1, max: 12 }),
  fc.array(fc.integer({ min: -50, max: 50 }), { maxLength: 60 }),
);

describe('windows in blocks', () => {
  it('sum, largest and smallest are those of the last n values', () => {
    fc.assert(
      fc.property(cases, ([n, values]) => {
        const [sum, max, min] = [new WindowSum(n), new WindowMax(n), new WindowMin(n)];
        values.forEach((x, i) => {
          const window = values.slice(Math.max(0, i - n + 1), i + 1);
          const full = i + 1 >= n;
          // whole numbers: every sum is exact
          expect(sum.next(x)).toBe(full ? window.reduce((a, b) => a + b) : Number.NaN);
          expect(max.next(x)).toBe(Math.max(...window));
          expect(min.next(x)).toBe(Math.min(...window));
          expect([sum.full, max.full, min.full]).toEqual([full, full, full]);
        });
      }),
    );
  });

  it('a sum forgets an absurd value with the bar that drops it, and zeros sum to zero', () => {
    const sum = new WindowSum(3);
    for (const x of [1, 1e300, 0.1, 0, 0]) sum.next(x);
    expect(sum.next(0)).toBe(0);
    sum.next(0.1);
    sum.next(0.2);
    expect(sum.next(0.3)).toBeCloseTo(0.6, 15);
  });
});
