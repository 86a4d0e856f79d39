import { describe, expect, it } from 'vitest';
import { cutBy } from './cut-by.ts';
import { fatesOf } from './fates.ts';

const stages = (...passed: (boolean | null)[]) =>
  (['sources', 'pooling', 'gates', 'size', 'limits', 'review', 'orders'] as const).map((stage, i) => ({
    stage,
    passed: passed[i] ?? null,
    text: '',
  }));

describe('the fate of an idea', () => {
  it('ends where it was cut, and nothing after it is reached', () => {
    expect(fatesOf(stages(true, true, false, null))).toEqual([
      'passed',
      'passed',
      'cut',
      'never',
      'never',
      'never',
      'never',
    ]);
  });

  it('skips a stage that was not asked on the way to the orders', () => {
    expect(fatesOf(stages(true, true, true, true, true, null, true)).slice(4)).toEqual([
      'passed',
      'skipped',
      'passed',
    ]);
  });

  it('is open where it waits', () => {
    expect(fatesOf(stages(true, true, null)).slice(1, 3)).toEqual(['passed', 'never']);
  });
});

describe('what cut it', () => {
  it('stands before the first colon', () => {
    expect(cutBy('heat: too hot; sector: full')).toBe('heat');
    expect(cutBy('no agreement')).toBeNull();
    expect(cutBy(null)).toBeNull();
  });
});
