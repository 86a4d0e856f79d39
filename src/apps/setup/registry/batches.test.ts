import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Batches } from './batches.ts';

describe('batches', () => {
  it('hand everything on once, in order, and hold nothing back at the end', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1_300 }), (n) => {
        const given: (readonly number[])[] = [];
        const batches = new Batches<number>((batch) => given.push(batch));
        for (let i = 0; i < n; i++) batches.add(i);
        batches.flush();
        expect(given.flat()).toEqual(Array.from({ length: n }, (_, i) => i));
        expect(given.every((batch) => batch.length > 0 && batch.length <= 500)).toBe(true);
      }),
      { numRuns: 20 },
    );
  });

  it('do not offer again what was refused', () => {
    let refuses = true;
    const given: number[] = [];
    const batches = new Batches<number>((batch) => {
      if (refuses) throw new Error('the disk is full');
      given.push(...batch);
    });
    expect(() => batches.add(1)).toThrow('full');
    refuses = false;
    batches.add(2);
    batches.flush();
    expect(given).toEqual([2]);
  });
});
