import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MemoryBuckets } from './rate-buckets.ts';

describe('buckets of this process', () => {
  it('give a burst, then what comes in', () => {
    let now = 0;
    const buckets = new MemoryBuckets({ burst: 2, perSecond: 2 }, () => now);
    expect([buckets.take('a'), buckets.take('a'), buckets.take('a')]).toEqual([0, 0, 500]);
    expect(buckets.take('b')).toBe(0);
    now = 499;
    expect(buckets.take('a')).toBe(1);
    now = 500;
    expect(buckets.take('a')).toBe(0);
    now = 60_000;
    expect([buckets.take('a'), buckets.take('a'), buckets.take('a')]).toEqual([0, 0, 500]);
  });

  it('never give more than burst and rate allow', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(300), { maxLength: 200 }), (pauses) => {
        let now = 0;
        let given = 0;
        const buckets = new MemoryBuckets({ burst: 5, perSecond: 10 }, () => now);
        for (const pause of pauses) {
          now += pause;
          if (buckets.take('a') === 0) given++;
        }
        expect(given).toBeLessThanOrEqual(5 + now / 100 + 1e-6);
      }),
    );
  });

  it('hold so many senders and no more', () => {
    const buckets = new MemoryBuckets({ burst: 1, perSecond: 0.001 }, () => 0);
    buckets.take('first');
    for (let n = 0; n < 10_000; n++) buckets.take(String(n));
    expect(buckets.take('first')).toBe(0);
    expect(buckets.take('9999')).toBeGreaterThan(0);
  });
});
