import type { Objection } from '#ensemble';
import { sideSign } from '#ledger';
import { notional } from '#market';
import type { AccountSummary } from './account.ts';
import { type LegFacts, legFacts, type PlanFacts } from './limit.ts';
import type { Leg, Plan } from './plan.ts';

/** Lots of a leg that close what its book holds on the other side; only a `reverse` plan may count on it. */
export function closingLots(plan: Plan, leg: Leg, account: AccountSummary): number {
  if (plan.purpose !== 'reverse') return 0;
  const held = account.exposures.find((e) => e.book === leg.book);
  if (held === undefined || held.direction === sideSign(leg.side)) return 0;
  return Math.min(leg.lots, Math.abs(held.lots));
}

/** The account as a reversal leaves it behind: what its legs close is not held any more. */
export function accountAfterClosing(plan: Plan, account: AccountSummary): AccountSummary {
  if (plan.purpose !== 'reverse') return account;
  const closed = new Set(
    plan.legs.filter((leg) => closingLots(plan, leg, account) > 0).map((leg) => leg.book),
  );
  if (closed.size === 0) return account;
  return {
    ...account,
    exposures: account.exposures.filter((e) => !closed.has(e.book)),
    correlation: (a, b) => account.correlation(a, b),
  };
}

/** Whole lots of `lots * share`, rounded down; a product that is whole but for float noise counts as whole. */
export function shareOfLots(lots: number, share: number): number {
  return Math.min(lots, Math.floor(lots * share * (1 + 1e-12) + 1e-9));
}

/** The plan with the opening part of every leg scaled down to whole lots. `closing` is per leg. */
export function scalePlan(plan: Plan, closing: readonly number[], share: number): Plan {
  if (share >= 1) return plan;
  const legs = plan.legs.map((leg, i) => ({
    ...leg,
    lots: closing[i]! + shareOfLots(leg.lots - closing[i]!, share),
  }));
  return {
    ...plan,
    legs,
    unhedgedMax: plan.unhedgedMax === null ? null : Math.floor(plan.unhedgedMax * share),
    worstLoss: Math.ceil(plan.worstLoss * share),
  };
}

/** Money facts scaled leg by leg: `shares` holds one factor per leg. */
export function scaleFacts(
  facts: PlanFacts,
  legs: readonly LegFacts[],
  shares: readonly number[],
): PlanFacts {
  const scaled = legs.map((leg, i) => ({
    ...leg,
    notional: leg.notional * shares[i]!,
    margin: leg.margin * shares[i]!,
    fee: leg.fee * shares[i]!,
    riskToStop: leg.riskToStop * shares[i]!,
  }));
  const total = (of: (leg: LegFacts) => number) => scaled.reduce((sum, leg) => sum + of(leg), 0);
  return {
    ...facts,
    legs: scaled,
    notional: total((leg) => leg.notional),
    margin: total((leg) => leg.margin),
    fee: total((leg) => leg.fee),
    riskToStop: total((leg) => leg.riskToStop),
  };
}

/**
 * Facts of the opening part of a plan. The closing part of a reversal needs no margin and adds no notional; fees
 * are paid on all of it, and the risk to the stop was stated for the opened part already.
 */
export function openingFacts(plan: Plan, facts: PlanFacts, closing: readonly number[]): readonly LegFacts[] {
  return legFacts(plan, facts).map((leg, i) => {
    const lots = plan.legs[i]?.lots ?? 0;
    const share = lots > 0 ? (lots - (closing[i] ?? 0)) / lots : 0;
    return share === 1 ? leg : { ...leg, notional: leg.notional * share, margin: leg.margin * share };
  });
}

/** The first leg whose opening part is smaller than its venue takes, as an objection. */
export function belowMinimum(plan: Plan, closing: readonly number[], facts: PlanFacts): Objection | null {
  const by = 'venue-minimum';
  for (const [i, leg] of plan.legs.entries()) {
    const instrument = facts.instrumentOf(leg.instrument);
    const needed = Math.max(1, instrument.minLots);
    const measured = leg.lots - closing[i]!;
    if (measured < needed) {
      const reason = `what is left is below the smallest order of ${instrument.id}`;
      return { by, reason, measured, needed, relation: '>=', unit: 'lots' };
    }
    if (instrument.minNotional === 0) continue;
    const value = notional(instrument, leg.limitTicks ?? leg.expectedTicks, leg.lots, 'floor');
    if (value < instrument.minNotional) {
      const reason = `what is left is worth less than the smallest order of ${instrument.id}`;
      return {
        by,
        reason,
        measured: value,
        needed: instrument.minNotional,
        relation: '>=',
        unit: 'minor units',
      };
    }
  }
  return null;
}
