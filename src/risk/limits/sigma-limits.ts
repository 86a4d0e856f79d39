import type { Limit, LimitVerdict } from '../limit.ts';
import {
  correlatedGroupLimit,
  type SectorConfig,
  SIGMA_SECTORS,
  sectorLimit,
  singleAssetLimit,
} from './concentration.ts';
import { heatLimit } from './heat.ts';
import { largestUse, ofEquity } from './limit-uses.ts';
import { capVerdict } from './verdicts.ts';

/** Risk to the stop of one plan over equity, at most `max`; reduces to fit (a stop rounds outward to its tick). */
export function riskPerPlanLimit(config: { readonly max: number } = { max: 0.02 }): Limit {
  const name = 'risk-per-plan';
  return {
    name,
    check: (_plan, facts, account): LimitVerdict =>
      capVerdict(
        { by: name, reason: 'the plan puts too much at risk', unit: 'of equity' },
        0,
        facts.riskToStop / account.equity,
        config.max,
      ),
    uses: (account) => [largestUse(account, config.max, null, (e) => ofEquity(e.riskToStop, account.equity))],
  };
}

/** sigma.md 1 and 7. Shares are of equity. */
export interface PortfolioLimitsConfig {
  readonly riskMax: number;
  readonly assetMax: number;
  readonly groupRho: number;
  readonly groupMax: number;
  readonly sector: SectorConfig | null;
  readonly heatMax: number;
}

export const SIGMA_LIMITS: PortfolioLimitsConfig = {
  riskMax: 0.02,
  assetMax: 0.4,
  groupRho: 0.7,
  groupMax: 0.6,
  sector: SIGMA_SECTORS,
  heatMax: 0.06,
};

/** The portfolio limits of sigma.md 7 in their order, each reducing to fit. */
export function portfolioLimits(changes: Partial<PortfolioLimitsConfig> = {}): readonly Limit[] {
  const config = { ...SIGMA_LIMITS, ...changes };
  return [
    riskPerPlanLimit({ max: config.riskMax }),
    singleAssetLimit({ max: config.assetMax }),
    correlatedGroupLimit({ rho: config.groupRho, max: config.groupMax }),
    ...(config.sector === null ? [] : [sectorLimit(config.sector)]),
    heatLimit({ max: config.heatMax }),
  ];
}
