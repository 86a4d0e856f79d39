import type { Instant } from '#base';
import type { Objection } from '#ensemble';
import { sideSign } from '#ledger';
import type { AccountSummary } from './account.ts';
import { accountFault, exitFault, factsFault, planFault } from './faults.ts';
import { FittedSizes, someLegHedges } from './fitted-sizes.ts';
import type { Limit, LimitVerdict, PlanFacts } from './limit.ts';
import { type Approved, approve, type Plan, type Refused, type SizeCut } from './plan.ts';
import {
  accountAfterClosing,
  belowMinimum,
  closingLots,
  openingFacts,
  scaleFacts,
  scalePlan,
} from './scale-plan.ts';

/** What the judge asks of a breaker; {@link CircuitBreaker} is one. */
export interface EntryPermit {
  entryObjection(confidence: number): Objection | null;
  exitsAllowed(manual?: boolean): boolean;
}

export interface JudgeRules {
  /** Asked in order on what the ones before have left; each may reduce or refuse. */
  readonly limits: readonly Limit[];
  /**
   * The last word: asked on the fitted plan, all of them for the log, the first that objects blocks. Where a layer
   * says how much would fit, that share is applied with the limits beforehand. A layer that only blocked sizes would
   * pass a plan because another limit was tightened, and would forbid what a portfolio limit is there to fit.
   */
  readonly safetyLayers: readonly Limit[];
  /** A plan fitted to less than this share of what was wanted is refused (sigma.md 7: 0.25). */
  readonly shareMin: number;
  /** Entries need a positive equity; false only for studies on unlimited credit. */
  readonly solvent: boolean;
  readonly approvalMs: number;
}

export interface JudgeRequest {
  readonly plan: Plan;
  /** Of the whole plan, at current prices. */
  readonly facts: PlanFacts;
  readonly account: AccountSummary;
  readonly breaker: EntryPermit | null;
  readonly at: Instant;
  /** An exit ordered by a person: the only kind that SHUTDOWN lets through. */
  readonly manual?: boolean;
}

/** One safety layer's word, for the safety log. */
export interface LayerVerdict {
  readonly layer: string;
  readonly objection: Objection | null;
}

interface Findings {
  /** What reduced the plan, in order. */
  readonly reductions: readonly Objection[];
  readonly cuts: readonly SizeCut[];
  readonly layers: readonly LayerVerdict[];
}

export interface Passed extends Findings {
  readonly kind: 'passed';
  readonly plan: Plan;
  /** Of the fitted plan. */
  readonly facts: PlanFacts;
}
export interface WasRefused extends Findings {
  readonly kind: 'refused';
  readonly refused: Refused;
}
export interface WasApproved extends Findings {
  readonly kind: 'approved';
  readonly approved: Approved;
}

export const STANDARD_RULES: Omit<JudgeRules, 'limits' | 'safetyLayers'> = {
  shareMin: 0.25,
  solvent: true,
  approvalMs: 60_000,
};

/**
 * Runs a plan through breaker, limits and safety layers at `at` and returns the plan that fits, or why none does.
 * Only plans that add exposure are measured; an exit or unwind must be reduce-only and is let through whatever the
 * limits say. Pure: approving is {@link judge}'s.
 */
export function examine(request: JudgeRequest, rules: JudgeRules): Passed | WasRefused {
  const { plan, at } = request;
  const adds = addsExposure(plan);
  const fault = (adds ? planFault(plan) : exitFault(plan)) ?? expired(plan, at);
  if (fault !== null) return refusal(plan, at, [fault]);
  return adds ? examineEntry(request, rules) : examineExit(request);
}

/** An `entry` or `reverse`: what limits, breaker and review are for. */
export const addsExposure = (plan: Plan): boolean => plan.purpose === 'entry' || plan.purpose === 'reverse';

/** {@link examine}, then the approval: single use, until the plan or `approvalMs` ends. */
export function judge(request: JudgeRequest, rules: JudgeRules): WasApproved | WasRefused {
  const found = examine(request, rules);
  if (found.kind === 'refused') return found;
  const { cuts, layers, reductions, plan } = found;
  return {
    kind: 'approved',
    approved: approve(plan, request.at, rules.approvalMs),
    cuts,
    layers,
    reductions,
  };
}

function expired(plan: Plan, at: Instant): Objection | null {
  if (at < plan.expiresAt) return null;
  return {
    by: 'plan',
    reason: 'the plan has expired',
    measured: at,
    needed: plan.expiresAt,
    relation: '<',
    unit: 'ms',
  };
}

const NOTHING: Findings = { reductions: [], cuts: [], layers: [] };

function refusal(
  plan: Plan,
  at: Instant,
  objections: readonly Objection[],
  findings: Findings = NOTHING,
): WasRefused {
  const { cuts, layers, reductions } = findings;
  return { kind: 'refused', refused: { plan, at, objections }, cuts, layers, reductions };
}

function examineExit({ plan, facts, account, breaker, at, manual }: JudgeRequest): Passed | WasRefused {
  if (breaker !== null && !breaker.exitsAllowed(manual)) {
    return refusal(plan, at, [{ by: 'breaker', reason: 'in SHUTDOWN a person closes positions' }]);
  }
  for (const leg of plan.legs) {
    if (!leg.reduceOnly)
      return refusal(plan, at, [
        { by: 'reduce-only', reason: `a leg of an ${plan.purpose} could add exposure` },
      ]);
    const held = account.exposures.find((e) => e.book === leg.book);
    if (held !== undefined && held.direction === sideSign(leg.side)) {
      return refusal(plan, at, [
        { by: 'reduce-only', reason: `a leg of an ${plan.purpose} adds to ${leg.book}` },
      ]);
    }
  }
  return { kind: 'passed', plan, facts, ...NOTHING };
}

function examineEntry(request: JudgeRequest, rules: JudgeRules): Passed | WasRefused {
  const { plan: wanted, facts, breaker, at } = request;
  const early =
    accountFault(request.account, rules.solvent) ?? breaker?.entryObjection(wanted.confidence) ?? null;
  if (early !== null) return refusal(wanted, at, [early]);
  const closing = wanted.legs.map((leg) => closingLots(wanted, leg, request.account));
  const account = accountAfterClosing(wanted, request.account);
  const legs = openingFacts(wanted, facts, closing);
  const bad = factsFault(facts, legs, wanted) ?? belowMinimum(wanted, closing, facts);
  if (bad !== null) return refusal(wanted, at, [bad]);
  if (rules.limits.length + rules.safetyLayers.length === 0)
    return { kind: 'passed', plan: wanted, facts, ...NOTHING };

  const atShare = (kept: number) =>
    scaleFacts(
      facts,
      legs,
      legs.map(() => kept),
    );
  const openedFacts = atShare(1);

  // Limits are measured on the exact share, lots are rounded down once at the end: so no order of limits and no
  // tightening of one can round another one's result up.
  const reductions: Objection[] = [];
  const cuts: SizeCut[] = [];
  let share = 1;
  let fittedPlan = wanted;
  let fittedFacts = openedFacts;
  for (const limit of [...rules.limits, ...rules.safetyLayers]) {
    const verdict = limit.check(fittedPlan, fittedFacts, account);
    const isLayer = !rules.limits.includes(limit);
    // a layer that refuses is heard below, on the fitted plan and with all the others
    if (verdict.kind === 'pass' || (isLayer && verdict.kind === 'refuse')) continue;
    const objection = verdictObjection(limit, verdict);
    if (verdict.kind === 'refuse' || objection !== verdict.objection) {
      const layers = layerVerdicts(rules, wanted, openedFacts, account);
      return refusal(wanted, at, [objection, ...reductions], { reductions, cuts, layers });
    }
    share *= verdict.share;
    fittedPlan = scalePlan(wanted, closing, share);
    fittedFacts = atShare(share);
    reductions.push(verdict.objection);
    cuts.push({ by: limit.name, factor: verdict.share });
  }

  const ask = (size: number): Attempt => {
    const plan = scalePlan(wanted, closing, size);
    const shares = plan.legs.map((leg, i) => (leg.lots - closing[i]!) / (wanted.legs[i]!.lots - closing[i]!));
    const final = scaleFacts(facts, legs, shares);
    const objecting = share < 1 ? stillObjecting(rules, plan, final, account) : null;
    return { size, plan, facts: final, least: Math.min(...shares), objecting };
  };
  const hedged = share < 1 && wanted.legs.length > 1 && someLegHedges(legs, account);
  const sizes = hedged ? new FittedSizes(wanted.legs.map((leg, i) => leg.lots - closing[i]!)) : null;
  const first = ask(sizes?.within(share) ?? share);
  const smaller = sizes !== null && first.objecting !== null ? smallerFit(first, sizes, ask, rules) : null;
  if (first.objecting !== null && smaller !== null) {
    reductions.push(first.objecting);
    cuts.push({ by: first.objecting.by, factor: smaller.size / first.size });
  }
  const { plan, facts: final, least, objecting } = smaller ?? first;
  const layers = layerVerdicts(rules, plan, final, account);
  const objection =
    belowMinimum(plan, closing, facts) ??
    tooLittleLeft(least, rules) ??
    objecting ??
    layers.find((layer) => layer.objection !== null)?.objection ??
    null;
  const findings = { reductions, cuts, layers };
  if (objection !== null) return refusal(wanted, at, [objection, ...reductions], findings);
  return { kind: 'passed', plan, facts: final, ...findings };
}

/** A plan cut to a size in whole lots, and who objects to it. */
interface Attempt {
  readonly size: number;
  readonly plan: Plan;
  readonly facts: PlanFacts;
  /** What the leg that lost most to rounding has kept. */
  readonly least: number;
  readonly objecting: Objection | null;
}

/**
 * The largest smaller size that no limit objects to; null when there is none or too little would be left. A leg that
 * hedges loses part of a lot to rounding, and the plan objects again; without this search a plan cut by a tighter
 * limit could pass where this one is refused. Of a single leg there is nothing to look for: the hedges of one
 * instrument that fit lie side by side, and the limit has asked for the largest.
 */
function smallerFit(
  first: Attempt,
  sizes: FittedSizes,
  ask: (size: number) => Attempt,
  rules: JudgeRules,
): Attempt | null {
  for (let size = sizes.below(first.size); size > 0; size = sizes.below(size)) {
    const attempt = ask(size);
    if (tooLittleLeft(attempt.least, rules) !== null) return null;
    if (attempt.objecting === null) return attempt;
  }
  return null;
}

/** The objection of a verdict; another one when the share is not usable, so that no NaN scales a plan. */
function verdictObjection(limit: Limit, verdict: Exclude<LimitVerdict, { kind: 'pass' }>): Objection {
  if (verdict.kind === 'refuse' || (verdict.share >= 0 && verdict.share <= 1)) return verdict.objection;
  return {
    by: limit.name,
    reason: 'the limit asked for a share that is not within 0..1',
    measured: verdict.share,
  };
}

function layerVerdicts(
  rules: JudgeRules,
  plan: Plan,
  facts: PlanFacts,
  account: AccountSummary,
): readonly LayerVerdict[] {
  return rules.safetyLayers.map((layer) => {
    const verdict = layer.check(plan, facts, account);
    return { layer: layer.name, objection: verdict.kind === 'pass' ? null : verdict.objection };
  });
}

function tooLittleLeft(share: number, rules: JudgeRules): Objection | null {
  if (share >= rules.shareMin * (1 - 1e-12)) return null;
  const reason = 'the limits leave too little of what was wanted';
  return {
    by: 'fitted-size',
    reason,
    measured: share,
    needed: rules.shareMin,
    relation: '>=',
    unit: 'of wanted size',
  };
}

/** A limit that objects to the reduced plan: less of a hedge can be more risk. */
function stillObjecting(
  rules: JudgeRules,
  plan: Plan,
  facts: PlanFacts,
  account: AccountSummary,
): Objection | null {
  for (const limit of rules.limits) {
    const verdict = limit.check(plan, facts, account);
    if (verdict.kind !== 'pass')
      return { ...verdict.objection, reason: `${verdict.objection.reason}, also when reduced` };
  }
  return null;
}
