import { type AccountSummary, committed, type Exposure } from '../account.ts';
import type { LimitUse } from '../limit.ts';

const OF_EQUITY = 'of equity';

/** An amount as a share of equity; of equity that is gone anything is beyond every cap. */
export function ofEquity(amount: number, equity: number): number {
  if (equity > 0) return amount / equity;
  return amount > 0 ? Number.POSITIVE_INFINITY : 0;
}

/** What each part of the account uses of a cap on its share of equity, by name; one line without a name for nothing held. */
export function usesBy(
  account: AccountSummary,
  max: number,
  of: (exposure: Exposure, i: number) => string | null,
  amount: (exposure: Exposure) => number,
): readonly LimitUse[] {
  const sums = new Map<string, number>();
  committed(account).forEach((exposure, i) => {
    const name = of(exposure, i);
    if (name !== null) sums.set(name, (sums.get(name) ?? 0) + amount(exposure));
  });
  if (sums.size === 0) return [{ of: null, used: 0, max, unit: OF_EQUITY }];
  return [...sums]
    .map(([name, sum]) => ({ of: name, used: ofEquity(sum, account.equity), max, unit: OF_EQUITY }))
    .sort((a, b) => b.used - a.used || (a.of < b.of ? -1 : 1));
}

/** The largest of what single positions use of a cap that is meant for each of them. */
export function largestUse(
  account: AccountSummary,
  max: number,
  what: string | null,
  measure: (exposure: Exposure) => number,
  unit = OF_EQUITY,
): LimitUse {
  let used = 0;
  let of = what;
  for (const exposure of account.exposures) {
    const measured = measure(exposure);
    if (!(measured > used)) continue;
    used = measured;
    of = what === null ? exposure.instrument : `${what} of ${exposure.instrument}`;
  }
  return { of, used, max, unit };
}
