import fc from 'fast-check';
import jstat from 'jstat';
import { describe, expect, it } from 'vitest';
import { InputError } from '#base';
import { rateInterval } from './rates.ts';

describe('interval of a rate', () => {
  it('has its closed ends: nothing in 10 is at most 30.85 %', () => {
    expect(rateInterval(0, 10)).toEqual({ rate: 0, low: 0, high: expect.closeTo(1 - 0.025 ** 0.1, 12) });
    expect(rateInterval(10, 10)).toEqual({ rate: 1, low: expect.closeTo(0.025 ** 0.1, 12), high: 1 });
  });

  it('is the beta quantiles of jstat', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 2, max: 400 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (n, share) => {
          const hits = 1 + Math.floor(share * (n - 2));
          const { low, high } = rateInterval(hits, n, 0.9);
          expect(low).toBeCloseTo(jstat.beta.inv(0.05, hits, n - hits + 1), 7);
          expect(high).toBeCloseTo(jstat.beta.inv(0.95, hits + 1, n - hits), 7);
        },
      ),
      { numRuns: 50 },
    );
  });

  it('does not underflow over many tries', () => {
    const { low, high } = rateInterval(5_000, 10_000);
    expect(low).toBeCloseTo(0.49015, 5);
    expect(high).toBeCloseTo(0.50985, 5);
    expect(() => rateInterval(3, 2)).toThrow(InputError);
  });

  it.each([0, 1, -0.1, 95, Number.NaN])('refuses a confidence of %s', (confidence) => {
    expect(() => rateInterval(3, 10, confidence)).toThrow(/confidence/);
  });
});
