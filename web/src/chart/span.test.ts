import { describe, expect, it } from 'vitest';
import { chooseSpan } from './span.ts';

const NONE = { start: 0, end: 0 };

describe('chooseSpan', () => {
  it('holds what is seen with a screen on each side', () => {
    const span = chooseSpan({ from: 50_000, to: 50_400 }, 100_000, NONE);
    expect(span.start).toBeLessThanOrEqual(50_000 - 400);
    expect(span.end).toBeGreaterThanOrEqual(50_400 + 400);
    expect(span.end - span.start).toBeLessThan(400 * 5);
  });

  it('keeps the stretch in use while a drag over a screen stays inside it', () => {
    const span = chooseSpan({ from: 50_000, to: 50_400 }, 100_000, NONE);
    expect(chooseSpan({ from: 50_050, to: 50_450 }, 100_000, span)).toBe(span);
    expect(chooseSpan({ from: 50_400, to: 50_800 }, 100_000, span)).not.toBe(span);
  });

  it('stays inside the bars there are', () => {
    expect(chooseSpan({ from: -300, to: 100 }, 100_000, NONE).start).toBe(0);
    expect(chooseSpan({ from: 99_900, to: 100_300 }, 100_000, NONE).end).toBe(100_000);
    expect(chooseSpan({ from: -5, to: 10 }, 0, NONE)).toEqual({ start: 0, end: 0 });
  });

  it('lets go of a stretch that is far too long after zooming in', () => {
    const wide = chooseSpan({ from: 40_000, to: 60_000 }, 100_000, NONE);
    const near = chooseSpan({ from: 50_000, to: 50_120 }, 100_000, wide);
    expect(near.end - near.start).toBeLessThan(1_000);
  });
});
