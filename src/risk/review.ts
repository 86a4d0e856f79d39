import type { Instant } from '#base';
import type { Objection } from '#ensemble';
import type { InstrumentId } from '#market';
import type { AccountSummary } from './account.ts';
import {
  addsExposure,
  examine,
  type JudgeRequest,
  type JudgeRules,
  type Passed,
  STANDARD_RULES,
  type WasApproved,
  type WasRefused,
} from './approval.ts';
import type { PlanFacts } from './limit.ts';
import { approve, type Plan, type Refused, type SizeCut } from './plan.ts';
import { closingLots, scalePlan } from './scale-plan.ts';

/** The account as a reviewer sees it: sums, no book ids. Base-currency minor units. */
export interface ReviewAccount {
  readonly equity: number;
  readonly equityAtDayStart: number;
  readonly freeBalance: number;
  readonly positions: readonly {
    readonly instrument: InstrumentId;
    readonly direction: 1 | -1;
    readonly notional: number;
    readonly margin: number;
    readonly riskToStop: number;
    readonly unrealised: number;
  }[];
}

/** What goes out to a person or a model. Plain data. */
export interface ReviewQuestion {
  readonly planId: string;
  readonly desk: string;
  readonly at: Instant;
  /** No answer by then is a refusal. */
  readonly expiresAt: Instant;
  readonly confidence: number;
  readonly legs: readonly {
    readonly instrument: InstrumentId;
    readonly side: 'buy' | 'sell';
    readonly lots: number;
    readonly expectedTicks: number;
    readonly stopTicks: number | null;
    readonly targetTicks: number | null;
  }[];
  readonly notional: number;
  readonly margin: number;
  readonly worstLoss: number;
  readonly account: ReviewAccount;
}

/** A reviewer's word. `share` of the size is allowed, 0..1: a review may only reduce or refuse. */
export interface ReviewAnswer {
  readonly verdict: 'allow' | 'refuse';
  readonly share: number;
  readonly reason: string;
}

export interface InReview extends Omit<Passed, 'kind'> {
  readonly kind: 'review';
  readonly question: ReviewQuestion;
}

export type Judgement = WasApproved | WasRefused | InReview;

export interface RiskDeskConfig extends JudgeRules {
  /** Every entry goes to review and must be answered within this time; null has no review. */
  readonly reviewMs: number | null;
  readonly reviewsMax: number;
  /** Plan ids remembered as spent until they expire. */
  readonly spentMax: number;
}

interface Pending {
  readonly plan: Plan;
  readonly expiresAt: Instant;
  readonly cuts: readonly SizeCut[];
  readonly reductions: readonly Objection[];
}

/**
 * Reads an answer from outside. `{verdict: allow|refuse, share?, reason?}`; a veto contract's
 * `{decision: APPROVE|REDUCE|VETO, factor, reason}` is read as well. Anything else, a share outside 0..1 or a REDUCE
 * without a factor is null: a malformed answer is never a guess.
 */
export function readReviewAnswer(answer: unknown): ReviewAnswer | null {
  if (typeof answer !== 'object' || answer === null) return null;
  const { verdict, decision, share, factor, reason } = answer as Record<string, unknown>;
  const why = typeof reason === 'string' ? reason.slice(0, 400) : '';
  if ((verdict === undefined) === (decision === undefined)) return null;
  if (verdict === 'refuse' || decision === 'VETO') return { verdict: 'refuse', share: 0, reason: why };
  if (verdict !== 'allow' && decision !== 'APPROVE' && decision !== 'REDUCE') return null;
  const stated = verdict === undefined ? factor : share;
  if (decision === 'APPROVE') return { verdict: 'allow', share: 1, reason: why };
  if (stated === undefined && decision !== 'REDUCE') return { verdict: 'allow', share: 1, reason: why };
  if (typeof stated !== 'number' || !(stated >= 0 && stated <= 1)) return null;
  return stated === 0
    ? { verdict: 'refuse', share: 0, reason: why }
    : { verdict: 'allow', share: stated, reason: why };
}

/**
 * Where plans of one portfolio become approvals. It remembers two things, both plain data in its snapshot: plans
 * under review, and the ids of plans that add exposure it has approved. An id is approved once in its life; since an approval itself
 * lives in memory only, a restart voids it and can neither repeat it nor approve its plan again.
 */
export class RiskDesk {
  static readonly configuration = ['config'];
  private readonly config: RiskDeskConfig;
  private readonly pending = new Map<string, Pending>();
  /** Plan id -> when the plan expires and the id can be forgotten. */
  private readonly spent = new Map<string, Instant>();

  constructor(config: Pick<JudgeRules, 'limits' | 'safetyLayers'> & Partial<RiskDeskConfig>) {
    this.config = { ...STANDARD_RULES, reviewMs: null, reviewsMax: 64, spentMax: 4_096, ...config };
  }

  /** Approves, refuses, or hands out the question of a review. */
  judge(request: JudgeRequest): Judgement {
    const { plan, at } = request;
    const used = this.usedBefore(plan, at);
    if (used !== null) return refused(plan, at, used);
    const found = examine(request, this.config);
    if (found.kind === 'refused') return found;
    if (this.config.reviewMs === null || !addsExposure(plan)) return this.approve(found, at);
    if (this.pending.size >= this.config.reviewsMax) {
      const measured = this.pending.size;
      return refused(plan, at, {
        by: 'review',
        reason: 'too many plans are under review',
        measured,
        needed: this.config.reviewsMax,
        relation: '<',
      });
    }
    const expiresAt = Math.min(found.plan.expiresAt, at + this.config.reviewMs);
    const { cuts, reductions } = found;
    this.pending.set(plan.id, { plan: found.plan, expiresAt, cuts, reductions });
    const question = questionOf(found.plan, found.facts, request.account, at, expiresAt);
    return { ...found, kind: 'review', question };
  }

  /**
   * A reviewer answered. Refuses when the review has expired, is unknown or the answer is malformed; otherwise
   * reduces the plan, measures it at current prices and runs the limits again.
   */
  answer(
    planId: string,
    answer: unknown,
    now: Omit<JudgeRequest, 'plan' | 'facts'> & { readonly measure: (plan: Plan) => PlanFacts },
  ): WasApproved | WasRefused {
    const { at, account, breaker, measure } = now;
    const pending = this.pending.get(planId);
    if (pending === undefined)
      return refused(null, at, { by: 'review', reason: `no plan ${planId} is under review` });
    this.pending.delete(planId);
    const { plan, cuts, reductions } = pending;
    const refuse = (reason: string): WasRefused => refused(plan, at, { by: 'review', reason });
    if (at >= pending.expiresAt) return refuse('the answer came too late');
    const read = readReviewAnswer(answer);
    if (read === null) return refuse('the answer is malformed');
    if (read.verdict === 'refuse') return refuse(read.reason === '' ? 'the reviewer refused' : read.reason);
    const closing = plan.legs.map((leg) => closingLots(plan, leg, account));
    const reduced = scalePlan(plan, closing, read.share);
    const emptied = reduced.legs.some((leg, i) => leg.lots - closing[i]! <= 0);
    if (emptied) return refuse('the reviewer left less than one lot');
    const found = examine({ plan: reduced, facts: measure(reduced), account, breaker, at }, this.config);
    const said: readonly SizeCut[] = read.share < 1 ? [{ by: 'review', factor: read.share }] : [];
    const all = { cuts: [...cuts, ...said, ...found.cuts], reductions: [...reductions, ...found.reductions] };
    return found.kind === 'refused' ? { ...found, ...all } : this.approve({ ...found, ...all }, at);
  }

  /** Silence refuses: plans whose review has run out by `at`. */
  expire(at: Instant): readonly Refused[] {
    const out: Refused[] = [];
    for (const [id, { plan, expiresAt }] of this.pending) {
      if (at < expiresAt) continue;
      this.pending.delete(id);
      out.push({ plan, at, objections: [{ by: 'review', reason: 'nobody answered in time' }] });
    }
    return out;
  }

  /** When the next review runs out; null when there is none. */
  get nextExpiry(): Instant | null {
    let next: Instant | null = null;
    for (const { expiresAt } of this.pending.values())
      if (next === null || expiresAt < next) next = expiresAt;
    return next;
  }

  /** Plans under review. */
  get underReview(): readonly Plan[] {
    return [...this.pending.values()].map(({ plan }) => plan);
  }

  private approve(found: Passed, at: Instant): WasApproved {
    const { plan, cuts, layers, reductions } = found;
    if (addsExposure(plan)) this.spent.set(plan.id, plan.expiresAt);
    return {
      kind: 'approved',
      approved: approve(plan, at, this.config.approvalMs),
      cuts,
      layers,
      reductions,
    };
  }

  /**
   * Why a plan's id may not be approved, or null. Forgets ids whose plans have expired. Exits are not counted:
   * reduce-only orders can be repeated without harm, and nothing may keep us in a position.
   */
  private usedBefore(plan: Plan, at: Instant): Objection | null {
    if (!addsExposure(plan)) return null;
    // ids enter roughly in the order in which they expire, so this costs a step or two
    for (const [id, expiresAt] of this.spent) {
      if (at < expiresAt) break;
      this.spent.delete(id);
    }
    if (this.pending.has(plan.id)) return { by: 'approval', reason: 'the plan is under review already' };
    if (this.spent.has(plan.id)) return { by: 'approval', reason: 'the plan was approved before' };
    if (this.spent.size < this.config.spentMax) return null;
    for (const [id, expiresAt] of this.spent) if (at >= expiresAt) this.spent.delete(id);
    if (this.spent.size < this.config.spentMax) return null;
    return { by: 'approval', reason: 'too many approved plans have not expired', measured: this.spent.size };
  }
}

function refused(plan: Plan | null, at: Instant, objection: Objection): WasRefused {
  return {
    kind: 'refused',
    refused: { plan, at, objections: [objection] },
    cuts: [],
    layers: [],
    reductions: [],
  };
}

function questionOf(
  plan: Plan,
  facts: PlanFacts,
  account: AccountSummary,
  at: Instant,
  expiresAt: Instant,
): ReviewQuestion {
  return {
    planId: plan.id,
    desk: plan.desk,
    at,
    expiresAt,
    confidence: plan.confidence,
    legs: plan.legs.map(({ instrument, side, lots, expectedTicks, protection }) => ({
      instrument,
      side,
      lots,
      expectedTicks,
      stopTicks: protection?.stopTicks ?? null,
      targetTicks: protection?.targetTicks ?? null,
    })),
    notional: facts.notional,
    margin: facts.margin,
    worstLoss: plan.worstLoss,
    account: {
      equity: account.equity,
      equityAtDayStart: account.equityAtDayStart,
      freeBalance: account.freeBalance,
      positions: account.exposures.map(
        ({ instrument, direction, notional, margin, riskToStop, unrealised }) => ({
          instrument,
          direction,
          notional,
          margin,
          riskToStop,
          unrealised,
        }),
      ),
    },
  };
}
