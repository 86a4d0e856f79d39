import { describe, expect, it } from 'vitest';
import type { AccountSummary } from '../account.ts';
import type { PlanFacts } from '../limit.ts';
import type { Plan } from '../plan.ts';
import { notionalLimit } from './notional-limit.ts';

const limit = notionalLimit({ name: 's1-notional', max: 6, of: (desk) => desk.startsWith('s1-') });
const held = (desk: string, notional: number) => ({ desk, notional });
const verdict = (
  exposures: readonly object[],
  added: number,
  desk = 's1-a',
  ordered: readonly object[] = [],
) =>
  limit.check(
    { desk } as Plan,
    { notional: added } as PlanFacts,
    { equity: 1_000, exposures, ordered } as unknown as AccountSummary,
  );

describe('a cap on the notional of several desks', () => {
  it('lets six equities pass, exactly', () => {
    expect(verdict([held('s1-b', 3_000)], 3_000)).toEqual({ kind: 'pass' });
    expect(verdict([held('s1-b', 3_000)], 3_001)).toMatchObject({ kind: 'reduce', share: 3_000 / 3_001 });
    expect(verdict([held('s1-b', 6_000)], 1)).toMatchObject({
      kind: 'refuse',
      objection: { by: 's1-notional', needed: 6 },
    });
  });

  it('counts what is ordered, and leaves other desks alone', () => {
    expect(verdict([held('sigma', 9_000)], 6_000)).toEqual({ kind: 'pass' });
    expect(verdict([], 3_000, 's1-a', [held('s1-b', 3_001)])).toMatchObject({ kind: 'reduce' });
  });

  it('counts the own desk whatever it is called', () => {
    expect(verdict([held('mine', 6_000)], 1, 'mine')).toMatchObject({ kind: 'refuse' });
  });

  it('tells people how much is used', () => {
    const account = {
      equity: 1_000,
      exposures: [held('s1-a', 500), held('x', 900)],
    } as unknown as AccountSummary;
    expect(limit.uses!(account)).toEqual([{ of: null, used: 0.5, max: 6, unit: 'of equity' }]);
  });
});
