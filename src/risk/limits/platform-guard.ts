import type { PlatformSummary } from '../account.ts';
import type { Limit, LimitUse } from '../limit.ts';
import { ofEquity } from './limit-uses.ts';
import { dayLoss } from './safety-layers.ts';
import { capVerdict, PASS, refuse, strictest } from './verdicts.ts';

export interface PlatformGuardConfig {
  /** Loss of all portfolios together since 00:00 UTC at which entries stop. */
  readonly dayLossMax: number;
  /** Margin of all portfolios over their equity; null does not look at it. */
  readonly marginMax: number | null;
}

export const PLATFORM_GUARD: PlatformGuardConfig = { dayLossMax: 0.05, marginMax: null };

/** One portfolio's part of the platform, already in the platform's currency. */
export interface PortfolioPart {
  readonly equity: number;
  readonly equityAtDayStart: number;
  readonly margin: number;
}

/** Sums portfolios. `perBaseMinor` converts the asking portfolio's minor units into the platform's. */
export function sumPortfolios(parts: readonly PortfolioPart[], perBaseMinor: number): PlatformSummary {
  const sum = { equity: 0, equityAtDayStart: 0, margin: 0, perBaseMinor };
  for (const part of parts) {
    sum.equity += part.equity;
    sum.equityAtDayStart += part.equityAtDayStart;
    sum.margin += part.margin;
  }
  return sum;
}

/**
 * The one guard above all portfolios: it can only refuse or reduce. Without a platform summary in the account, or
 * with one that is not finite, it refuses: a guard that cannot see does not wave through.
 */
export function platformGuard(changes: Partial<PlatformGuardConfig> = {}): Limit {
  const config = { ...PLATFORM_GUARD, ...changes };
  const by = 'platform-guard';
  return {
    name: by,
    check: (_plan, facts, account) => {
      const all = account.platform;
      if (all === undefined) return refuse({ by, reason: 'no sum of all portfolios is known' });
      const { equity, equityAtDayStart, margin, perBaseMinor } = all;
      if (
        !(
          equity > 0 &&
          equityAtDayStart > 0 &&
          Number.isFinite(equity + equityAtDayStart + margin + perBaseMinor)
        )
      ) {
        return refuse({ by, reason: 'the sum of all portfolios is not a usable number' });
      }
      const measured = dayLoss(equityAtDayStart, equity);
      if (!(measured < config.dayLossMax)) {
        const reason = 'all portfolios together have lost too much today';
        return refuse({
          by,
          reason,
          measured,
          needed: config.dayLossMax,
          relation: '<',
          unit: 'of equity at 00:00 UTC',
        });
      }
      if (config.marginMax === null) return PASS;
      const words = { by, reason: 'all portfolios together would hold too much margin', unit: 'of equity' };
      return strictest([
        capVerdict(words, margin / equity, (facts.margin * perBaseMinor) / equity, config.marginMax),
      ]);
    },
    uses: ({ platform }) => {
      if (platform === undefined) return [];
      const { equity, equityAtDayStart, margin } = platform;
      const lost = Math.max(0, dayLoss(equityAtDayStart, equity));
      const uses: LimitUse[] = [
        { of: 'loss today', used: lost, max: config.dayLossMax, unit: 'of equity at 00:00 UTC' },
      ];
      if (config.marginMax !== null)
        uses.push({ of: 'margin', used: ofEquity(margin, equity), max: config.marginMax, unit: 'of equity' });
      return uses;
    },
  };
}
