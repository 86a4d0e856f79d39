import { describe, expect, it } from 'vitest';
import { captureState, DAY, MINUTE, restoreState } from '#base';
import type { Bar } from './bar.ts';
import { BarChecker, refusedBars } from './bar-check.ts';

const bar = (minute: number, over: Partial<Bar> = {}): Bar => ({
  time: minute * MINUTE,
  open: 10,
  high: 12,
  low: 9,
  close: 11,
  volume: 5,
  ...over,
});

describe('BarChecker', () => {
  it('accepts bars in order and counts holes', () => {
    const checker = new BarChecker(MINUTE);
    expect(checker.check(bar(0))).toMatchObject({ verdict: 'accept', gapBars: 0 });
    expect(checker.check(bar(1))).toMatchObject({ verdict: 'accept', gapBars: 0 });
    expect(checker.check(bar(5))).toMatchObject({ verdict: 'accept', gapBars: 3 });
    expect(checker.counts).toMatchObject({ accepted: 3, gaps: 1, gapBars: 3 });
    expect(refusedBars(checker.counts)).toBe(0);
  });

  it('drops a repeated bar, refuses a differing one and an older one', () => {
    const checker = new BarChecker(MINUTE);
    checker.check(bar(0));
    checker.check(bar(1));
    expect(checker.check(bar(1))).toMatchObject({ verdict: 'duplicate', objection: 'duplicate' });
    expect(checker.check(bar(1, { close: 10.5 }))).toMatchObject({
      verdict: 'refuse',
      objection: 'conflict',
    });
    expect(checker.check(bar(0))).toMatchObject({ verdict: 'late', objection: 'late' });
    expect(checker.check(bar(2)).verdict).toBe('accept');
    expect(checker.counts).toMatchObject({ accepted: 3, duplicate: 1, conflict: 1, late: 1, gaps: 0 });
    expect(refusedBars(checker.counts)).toBe(3);
  });

  it.each([
    ['not-finite', { close: Number.NaN }],
    ['not-finite', { volume: Infinity }],
    ['not-positive', { low: 0 }],
    ['high-below-low', { high: 8.5, open: 10, close: 11 }],
    ['not-enclosing', { close: 12.5 }],
    ['not-enclosing', { open: 8.9 }],
    ['negative-volume', { volume: -1 }],
    ['beyond-grid', { high: 1_001 }],
    ['misaligned', { time: 1.5 * MINUTE }],
  ] as const)('refuses %s', (objection, over) => {
    const checker = new BarChecker(MINUTE, 0, 1_000);
    expect(checker.check(bar(1, over))).toMatchObject({ verdict: 'refuse', objection });
    expect(checker.counts[objection]).toBe(1);
    expect(checker.check(bar(2))).toMatchObject({ verdict: 'accept', gapBars: 0 });
  });

  it('widens high and low by float noise only', () => {
    const checker = new BarChecker(MINUTE);
    const noisy = checker.check(bar(0, { high: 11.999999999999, close: 12, low: 10.000000000001, open: 10 }));
    expect(noisy).toMatchObject({ verdict: 'accept', bar: { high: 12, low: 10, open: 10, close: 12 } });
    expect(checker.counts.repaired).toBe(1);
    expect(checker.check(bar(1, { high: 11.9999, close: 12 })).objection).toBe('not-enclosing');
  });

  it('judges days by distance, shorter bars by their phase', () => {
    const daily = new BarChecker(DAY);
    const hour = 60;
    expect(daily.check(bar(5 * hour)).verdict).toBe('accept');
    expect(daily.check(bar(28 * hour))).toMatchObject({ verdict: 'accept', gapBars: 0 });
    expect(daily.check(bar(33 * hour)).objection).toBe('misaligned');
    const half = new BarChecker(60 * MINUTE, 30 * MINUTE);
    expect(half.check(bar(30)).verdict).toBe('accept');
    expect(half.check(bar(60)).objection).toBe('misaligned');
  });

  it('continues from a snapshot', () => {
    const checker = new BarChecker(MINUTE);
    checker.check(bar(0));
    const copy = new BarChecker(MINUTE);
    restoreState(copy, JSON.parse(JSON.stringify(captureState(checker))));
    expect(copy.check(bar(0)).verdict).toBe('duplicate');
    expect(copy.counts.accepted).toBe(1);
  });
});
