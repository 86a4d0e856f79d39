import { InputError } from '#base';
import type { View } from '#signals';
import { type Gate, gate } from './pooling.ts';

type Funding = NonNullable<ReturnType<View['funding']>>;

/**
 * Sum of the funding expected against a position over its holding time, as a fraction of its notional: the newest rate for
 * every funding time within `holdMs` from now. Negative is received.
 */
export function expectedFunding(
  { rate, time, intervalMs }: Pick<Funding, 'rate' | 'time' | 'intervalMs'>,
  direction: 1 | -1,
  at: number,
  holdMs: number,
): number {
  const due = (until: number) => Math.floor((until - time) / intervalMs);
  return direction * rate * (due(at + holdMs) - due(at));
}

export interface FundingCostConfig {
  /** Share of the target's distance that funding may eat up. */
  readonly shareMax: number;
  readonly holdMs: number;
  /** Feature expression of the average true range, and the target in multiples of it. */
  readonly atr: string;
  readonly targetAtr: number;
}

/**
 * Passes while the funding expected over the holding time is at most a share of the target's distance. Rates older than two
 * intervals say nothing: what they cost is not known, so nothing is entered. Where no rate has ever come there is no
 * funding to reckon with.
 */
export function fundingCost(config: FundingCostConfig): Gate<never> {
  const { shareMax, holdMs, atr: expression, targetAtr } = config;
  const by = 'funding-cost';
  if (!(shareMax > 0 && holdMs > 0 && targetAtr > 0))
    throw new InputError(`${by}: a setting is not positive`, 'use positive numbers');
  return gate({
    name: by,
    features: { atr: expression },
    check: (pooled, view: View, { atr }) => {
      const funding = view.funding();
      if (funding === null || pooled.action === 'propose') return null;
      if (!funding.fresh) {
        const measured = (view.at - funding.time) / funding.intervalMs;
        return { by, reason: 'funding is old', measured, needed: 2, relation: '<=', unit: 'intervals' };
      }
      const direction = pooled.action === 'enter-long' ? 1 : -1;
      const cost = expectedFunding(funding, direction, view.at, holdMs);
      const most = (shareMax * targetAtr * atr) / view.close;
      if (cost <= most * (1 + 1e-12)) return null;
      const reason = 'funding would eat too much of the target';
      return { by, reason, measured: cost, needed: most, relation: '<=', unit: 'of the price' };
    },
  });
}

/** Passes when no bar is missing among the newest `bars`: what a hole leaves behind is no feature. */
export function noGap(bars: number): Gate<never> {
  const by = 'gap';
  return gate({
    name: by,
    features: {},
    check: (_pooled, { frame, intervalMs }) => {
      const { time, length } = frame.bars;
      const first = Math.max(0, length - bars);
      const missing = Math.round((time[length - 1]! - time[first]!) / intervalMs) - (length - 1 - first);
      if (missing <= 0) return null;
      const reason = `bars are missing among the last ${bars}`;
      return { by, reason, measured: missing, needed: 0, relation: '<=', unit: 'bars' };
    },
  });
}
