import type { Objection } from '#ensemble';
import { type AccountSummary, committed } from './account.ts';
import type { LegFacts, PlanFacts } from './limit.ts';
import type { Plan } from './plan.ts';

const finite = (x: number): boolean => Number.isFinite(x);
const whole = (x: number | null): boolean => x === null || Number.isSafeInteger(x);
const count = (x: number): boolean => Number.isSafeInteger(x) && x > 0;

/** Why a plan's own numbers may not be used, or null. */
export function planFault(plan: Plan): Objection | null {
  const by = 'plan';
  if (plan.legs.length === 0) return { by, reason: 'the plan has no legs' };
  if (!(plan.confidence >= 0 && plan.confidence <= 1)) {
    return { by, reason: 'confidence is not within 0..1', measured: plan.confidence };
  }
  if (!finite(plan.expiresAt) || !finite(plan.at)) return { by, reason: 'a time is not finite' };
  if (!(plan.worstLoss >= 0 && finite(plan.worstLoss))) {
    return { by, reason: 'worst loss is not a finite amount', measured: plan.worstLoss };
  }
  if (plan.unhedgedMax !== null && !(plan.unhedgedMax >= 0)) {
    return { by, reason: 'unhedged amount is not an amount', measured: plan.unhedgedMax };
  }
  for (const leg of plan.legs) {
    if (!count(leg.lots)) return { by, reason: 'a leg is not a whole number of lots', measured: leg.lots };
    if (!count(leg.expectedTicks)) {
      return { by, reason: 'an expected price is not a whole number of ticks', measured: leg.expectedTicks };
    }
    if (!(leg.leverage > 0 && finite(leg.leverage))) {
      return { by, reason: 'leverage is not a positive number', measured: leg.leverage };
    }
    const guards = leg.protection;
    const grid = [leg.limitTicks, leg.triggerTicks, leg.worstTicks];
    if (guards !== null) grid.push(guards.stopTicks, guards.targetTicks, guards.trailRate);
    if (!grid.every(whole)) return { by, reason: 'a price of a leg is not on the grid' };
  }
  return null;
}

/** Why an exit may not leave, or null. Only what an order needs: nothing else may keep us in a position. */
export function exitFault(plan: Plan): Objection | null {
  if (plan.legs.length === 0) return { by: 'plan', reason: 'the plan has no legs' };
  const bad = plan.legs.find((leg) => !count(leg.lots));
  return bad === undefined
    ? null
    : { by: 'plan', reason: 'a leg is not a whole number of lots', measured: bad.lots };
}

/**
 * Why an account may not be judged on, or null: equity must be known and positive, every amount finite. Without
 * `solvent` (a study on unlimited credit) equity need only be finite.
 */
export function accountFault(account: AccountSummary, solvent = true): Objection | null {
  const by = 'account';
  if (!account.ratesFresh)
    return { by: 'stale-rates', reason: 'an exchange rate that equity needs is stale' };
  if (!finite(account.equity) || (solvent && account.equity <= 0)) {
    return { by, reason: 'equity is not a positive finite amount', measured: account.equity };
  }
  if (!finite(account.equityAtDayStart) || (solvent && account.equityAtDayStart <= 0)) {
    return {
      by,
      reason: 'equity at the start of the day is not a positive finite amount',
      measured: account.equityAtDayStart,
    };
  }
  if (!finite(account.freeBalance)) {
    return { by, reason: 'free balance is not finite', measured: account.freeBalance };
  }
  for (const e of committed(account)) {
    const amounts = [e.notional, e.margin, e.riskToStop];
    const usable = amounts.every((x) => x >= 0 && finite(x)) && finite(e.unrealised) && finite(e.lots);
    if (!usable || (e.direction !== 1 && e.direction !== -1)) {
      return { by, reason: `the exposure in ${e.instrument} is not a usable amount` };
    }
  }
  return null;
}

/** Why a plan's money facts may not be used, or null. */
export function factsFault(facts: PlanFacts, legs: readonly LegFacts[], plan: Plan): Objection | null {
  const by = 'plan-facts';
  const totals = [facts.notional, facts.margin, facts.fee, facts.riskToStop, facts.leverage];
  if (!totals.every((x) => x >= 0 && finite(x))) return { by, reason: 'an amount of the plan is not usable' };
  if (legs.length !== plan.legs.length)
    return { by, reason: 'the facts do not belong to the legs of the plan' };
  const usable = legs.every((leg) =>
    [leg.notional, leg.margin, leg.fee, leg.riskToStop].every((x) => x >= 0 && finite(x)),
  );
  return usable ? null : { by, reason: 'an amount of a leg is not usable' };
}
