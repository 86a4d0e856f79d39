import { type AccountSummary, committed } from '../account.ts';
import { type Limit, type LimitVerdict, legFacts } from '../limit.ts';
import { correlatedGroups, type Node } from './groups.ts';
import { usesBy } from './limit-uses.ts';
import { capVerdict, refuse, strictest } from './verdicts.ts';

/** Margin per key of what is held and of what a plan adds, as shares of equity. */
interface Shares {
  held: number;
  added: number;
}

function sharesBy<T extends { readonly margin: number }>(
  account: AccountSummary,
  legs: readonly T[],
  keyOfHeld: (i: number) => string | null,
  keyOfLeg: (i: number) => string | null,
): Map<string, Shares> {
  const shares = new Map<string, Shares>();
  legs.forEach((leg, i) => {
    const key = keyOfLeg(i);
    if (key === null) return;
    const entry = shares.get(key) ?? { held: 0, added: 0 };
    entry.added += leg.margin / account.equity;
    shares.set(key, entry);
  });
  committed(account).forEach((exposure, i) => {
    const entry = shares.get(keyOfHeld(i) ?? '');
    if (entry !== undefined) entry.held += exposure.margin / account.equity;
  });
  return shares;
}

function strictestOf(by: string, what: string, shares: Map<string, Shares>, max: number): LimitVerdict {
  return strictest(
    [...shares].map(([key, { held, added }]) =>
      capVerdict(
        { by, reason: `${what} ${key} would hold too much margin`, unit: 'of equity' },
        held,
        added,
        max,
      ),
    ),
  );
}

/** Initial margin of one underlying over equity, at most `max` (sigma.md 7: 0.40). */
export function singleAssetLimit(config: { readonly max: number } = { max: 0.4 }): Limit {
  const name = 'single-asset';
  return {
    name,
    check: (plan, facts, account) => {
      const legs = legFacts(plan, facts);
      const there = committed(account);
      const held = (i: number) => there[i]!.underlying;
      const shares = sharesBy(account, legs, held, (i) => legs[i]!.underlying);
      return strictestOf(name, 'asset', shares, config.max);
    },
    uses: (account) =>
      usesBy(
        account,
        config.max,
        (e) => e.underlying,
        (e) => e.margin,
      ),
  };
}

/** sigma.md 7. An underlying that no sector names falls into the sector `unlisted`, or is left alone when that is null. */
export interface SectorConfig {
  readonly max: number;
  readonly sectors: Readonly<Record<string, string>>;
  readonly unlisted: string | null;
}

export const SIGMA_SECTORS: SectorConfig = {
  max: 0.5,
  sectors: {
    BTC: 'store_of_value',
    ETH: 'smart_contract',
    SOL: 'smart_contract',
    BNB: 'smart_contract',
    ADA: 'smart_contract',
    XRP: 'payments',
    LTC: 'payments',
    DOGE: 'meme',
  },
  unlisted: 'unlisted',
};

/** Initial margin of one sector over equity, at most `max`. */
export function sectorLimit(config: SectorConfig = SIGMA_SECTORS): Limit {
  const name = 'sector';
  const sectorOf = (underlying: string) => config.sectors[underlying] ?? config.unlisted;
  return {
    name,
    check: (plan, facts, account) => {
      const legs = legFacts(plan, facts);
      const there = committed(account);
      const held = (i: number) => sectorOf(there[i]!.underlying);
      const shares = sharesBy(account, legs, held, (i) => sectorOf(legs[i]!.underlying));
      return strictestOf(name, 'sector', shares, config.max);
    },
    uses: (account) =>
      usesBy(
        account,
        config.max,
        (e) => sectorOf(e.underlying),
        (e) => e.margin,
      ),
  };
}

/** Initial margin of one correlated group over equity, at most `max`; see {@link correlatedGroups}. */
export function correlatedGroupLimit(
  config: { readonly rho: number; readonly max: number } = { rho: 0.7, max: 0.6 },
): Limit {
  const name = 'correlated-group';
  return {
    name,
    check: (plan, facts, account) => {
      const legs = legFacts(plan, facts);
      const nodes: Node[] = [...legs, ...committed(account)];
      const groups = correlatedGroups(nodes, (a, b) => account.correlation(a, b), config.rho);
      if (groups === null) return refuse({ by: name, reason: 'a correlation is not a number within -1..1' });
      const label = (group: number) => groupName(nodes, groups, group);
      const held = (i: number) => String(groups[legs.length + i]);
      const byNumber = sharesBy(account, legs, held, (i) => String(groups[i]));
      const shares = new Map([...byNumber].map(([group, share]) => [label(Number(group)), share]));
      return strictestOf(name, 'group', shares, config.max);
    },
    uses: (account) => {
      const nodes: readonly Node[] = committed(account);
      const groups = correlatedGroups(nodes, (a, b) => account.correlation(a, b), config.rho);
      return usesBy(
        account,
        config.max,
        (_, i) => (groups === null ? null : groupName(nodes, groups, groups[i]!)),
        (e) => e.margin,
      );
    },
  };
}

function groupName(nodes: readonly Node[], groups: readonly number[], group: number): string {
  return [...new Set(nodes.filter((_, i) => groups[i] === group).map((n) => n.underlying))].sort().join('+');
}
