import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Chance, MINUTE } from '#base';
import type { Bar } from '#market';
import { KlineSequence } from './kline-sequence.ts';

const bar = (i: number, volume = 1): Bar => ({
  time: i * MINUTE,
  open: 10,
  high: 11,
  low: 9,
  close: 10,
  volume,
});

function sequence() {
  const out: number[] = [];
  const one = new KlineSequence(MINUTE, (b) => out.push(b.time / MINUTE));
  return { one, out };
}

describe('KlineSequence', () => {
  it('holds bars back until the history is there', () => {
    const { one, out } = sequence();
    one.holding = true;
    one.closed(bar(5));
    one.closed(bar(6));
    expect(out).toEqual([]);
    one.begin(bar(5), 0);
    expect(out).toEqual([6]);
    one.closed(bar(5));
    expect(one.checker.counts).toMatchObject({ late: 1 });
  });

  it('waits before a hole, and passes over what the venue never made', () => {
    const { one, out } = sequence();
    one.closed(bar(1));
    one.closed(bar(4));
    expect([out, one.missingFrom]).toEqual([[1], 2 * MINUTE]);
    one.fill([bar(2)], 3 * MINUTE);
    expect([out, one.missingFrom]).toEqual([[1, 2], 3 * MINUTE]);
    one.fill([bar(4)], 5 * MINUTE);
    expect([out, one.passedOver, one.missingFrom]).toEqual([[1, 2, 4], 1, null]);
    one.running = { time: 7 * MINUTE, open: 1 };
    expect(one.missingFrom).toBe(5 * MINUTE);
  });

  it('leaves a bad bar of the stream to the venue', () => {
    const { one, out } = sequence();
    one.closed(bar(1));
    one.closed({ ...bar(2), high: 1 });
    one.closed(bar(3));
    expect(out).toEqual([1]);
    one.fill([bar(2), bar(3)], 4 * MINUTE);
    expect(out).toEqual([1, 2, 3]);
    expect(one.checker.counts['high-below-low']).toBe(1);
  });

  it('gives every bar once and in order, whatever the stream does', () => {
    fc.assert(
      fc.property(fc.integer(), fc.integer({ min: 1, max: 60 }), (seed, count) => {
        const chance = new Chance(seed);
        const { one, out } = sequence();
        one.begin(bar(0), 0);
        for (let i = 1; i <= count; i++) {
          // repeated, skipped, out of order
          for (let n = chance.below(3); n > 0; n--) one.closed(bar(1 + chance.below(i)));
          if (chance.happens(0.3)) {
            const from = one.last! / MINUTE + 1;
            const rows = Array.from({ length: Math.max(0, i - from) }, (_, k) => bar(from + k));
            one.fill(rows, rows.length === 0 ? -Infinity : i * MINUTE);
          }
        }
        one.fill(
          Array.from({ length: count }, (_, k) => bar(k + 1)),
          (count + 1) * MINUTE,
        );
        expect(out).toEqual(Array.from({ length: count }, (_, k) => k + 1));
        expect(one.passedOver).toBe(0);
      }),
      { numRuns: 200 },
    );
  });
});
