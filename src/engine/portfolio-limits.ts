import { correlatedGroupLimit, heatLimit, type Limit, riskPerPlanLimit, singleAssetLimit } from '#risk';

/** Limits of a portfolio above those of its desks, shares of equity. Absent: none. They can only refuse or reduce. */
export interface PortfolioLimits {
  /** Risk to the stop of one plan. */
  readonly riskMax?: number | undefined;
  /** Margin in one underlying. */
  readonly assetMax?: number | undefined;
  /** Margin in one correlated group. */
  readonly groupMax?: number | undefined;
  /** Correlation from which instruments are one group; 0.7 unless stated. */
  readonly groupRho?: number | undefined;
  /** Correlation-adjusted risk of all positions. */
  readonly heatMax?: number | undefined;
}

export const PORTFOLIO_LIMIT_NAMES = ['riskMax', 'assetMax', 'groupMax', 'groupRho', 'heatMax'] as const;
export type PortfolioLimitName = (typeof PORTFOLIO_LIMIT_NAMES)[number];

/** A number takes the place of what the configuration states, null gives that back; absent leaves it as it is. */
export type LimitChanges = { readonly [K in PortfolioLimitName]?: number | null | undefined };

const GROUP_RHO = 0.7;

/** What holds while these changes are in force. */
export function limitsInForce(stated: PortfolioLimits, changes: PortfolioLimits): PortfolioLimits {
  const out: { [K in PortfolioLimitName]?: number } = {};
  for (const name of PORTFOLIO_LIMIT_NAMES) {
    const value = changes[name] ?? stated[name];
    if (value !== undefined) out[name] = value;
  }
  return out;
}

/** Changes on top of changes; plain data with its names in one order, as snapshots compare texts. */
export function mergedChanges(before: PortfolioLimits, changes: LimitChanges): PortfolioLimits {
  const out: { [K in PortfolioLimitName]?: number } = {};
  for (const name of PORTFOLIO_LIMIT_NAMES) {
    const change = changes[name];
    const value = change === undefined ? before[name] : (change ?? undefined);
    if (value !== undefined) out[name] = value;
  }
  return out;
}

/** The limits that these numbers mean, in the order in which they are asked. */
export function portfolioLimitsOf(values: PortfolioLimits): Limit[] {
  const { riskMax, assetMax, groupMax, groupRho = GROUP_RHO, heatMax } = values;
  const limits: Limit[] = [];
  if (riskMax !== undefined) limits.push(riskPerPlanLimit({ max: riskMax }));
  if (assetMax !== undefined) limits.push(singleAssetLimit({ max: assetMax }));
  if (groupMax !== undefined) limits.push(correlatedGroupLimit({ rho: groupRho, max: groupMax }));
  if (heatMax !== undefined) limits.push(heatLimit({ max: heatMax }));
  return limits;
}

/** Why these changes cannot be made, or null. */
export function limitsRefusal(stated: PortfolioLimits, before: PortfolioLimits, changes: LimitChanges) {
  let named = 0;
  for (const [name, value] of Object.entries(changes)) {
    if (!(PORTFOLIO_LIMIT_NAMES as readonly string[]).includes(name))
      return `there is no limit ${name}: ${PORTFOLIO_LIMIT_NAMES.join(', ')}`;
    if (value === undefined) continue;
    named += 1;
    if (value !== null && !(value > 0 && value <= 1))
      return `${name} must be above 0 and at most 1, got ${value}`;
  }
  if (named === 0) return 'no limit is named';
  const then = limitsInForce(stated, mergedChanges(before, changes));
  if (typeof changes.groupRho === 'number' && then.groupMax === undefined)
    return 'groupRho alone limits nothing: state groupMax as well';
  return null;
}
