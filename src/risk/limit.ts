import type { Objection } from '#ensemble';
import { sideSign } from '#ledger';
import { type Instrument, type InstrumentId, notional } from '#market';
import type { AccountSummary } from './account.ts';
import type { Plan } from './plan.ts';

/** A limit's word on a plan: pass, make it smaller (keep `share` of the wanted size), or refuse. */
export type LimitVerdict =
  | { readonly kind: 'pass' }
  | { readonly kind: 'reduce'; readonly share: number; readonly objection: Objection }
  | { readonly kind: 'refuse'; readonly objection: Objection };

/** Money facts of a plan, computed once per plan by risk: base-currency minor units at current prices. */
export interface PlanFacts {
  readonly notional: number;
  readonly margin: number;
  /** Both sides' fees at the taker rate are 2 * fee. */
  readonly fee: number;
  readonly riskToStop: number;
  readonly leverage: number;
  readonly instrumentOf: (id: InstrumentId) => Instrument;
  /** Per leg, in the plan's order. Absent: {@link legFacts} shares the totals out by the legs' notional. */
  readonly legs?: readonly LegFacts[];
}

/** Money facts of one leg, base-currency minor units. */
export interface LegFacts {
  readonly instrument: InstrumentId;
  readonly underlying: string;
  readonly direction: 1 | -1;
  readonly notional: number;
  readonly margin: number;
  readonly fee: number;
  readonly riskToStop: number;
}

/** How much of a limit an account uses as it stands, whatever is planned. */
export interface LimitUse {
  /** What is measured: an underlying, a group, a position; null: the account. */
  readonly of: string | null;
  readonly used: number;
  readonly max: number;
  readonly unit: string;
}

/** Objects to one plan. Tightening its numbers never enlarges what passes. */
export interface Limit {
  readonly name: string;
  readonly check: (plan: Plan, facts: PlanFacts, account: AccountSummary) => LimitVerdict;
  /** For people who watch it. Absent: it measures plans only, or nothing that has a number. */
  readonly uses?: (account: AccountSummary) => readonly LimitUse[];
}

/** Facts per leg. Totals without legs are shared out in proportion to notional at the expected price. */
export function legFacts(plan: Plan, facts: PlanFacts): readonly LegFacts[] {
  if (facts.legs !== undefined) return facts.legs;
  const weights = plan.legs.map((leg) =>
    plan.legs.length === 1
      ? 1
      : notional(facts.instrumentOf(leg.instrument), leg.expectedTicks, leg.lots, 'ceil'),
  );
  const total = weights.reduce((sum, w) => sum + w, 0);
  return plan.legs.map((leg, i) => {
    const share = total > 0 ? weights[i]! / total : 1 / weights.length;
    return {
      instrument: leg.instrument,
      underlying: facts.instrumentOf(leg.instrument).underlying,
      direction: sideSign(leg.side),
      notional: facts.notional * share,
      margin: facts.margin * share,
      fee: facts.fee * share,
      riskToStop: facts.riskToStop * share,
    };
  });
}
