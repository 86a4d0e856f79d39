import { assert, broken, type Instant } from '#base';
import type { Objection } from '#ensemble';
import type { BookId, OrderType, Side, TimeInForce } from '#ledger';
import type { InstrumentId } from '#market';

/** Protective orders that rest at the venue from the fill on; stop and target cancel each other. */
export interface Protection {
  readonly stopTicks: number | null;
  readonly targetTicks: number | null;
  /** Trailing stop resting at the venue: units of 1e-8 of the best price. */
  readonly trailRate: number | null;
}

/** One order's worth of a plan. */
export interface Leg {
  readonly book: BookId;
  readonly instrument: InstrumentId;
  readonly side: Side;
  readonly lots: number;
  readonly type: OrderType;
  readonly limitTicks: number | null;
  readonly triggerTicks: number | null;
  readonly timeInForce: TimeInForce;
  readonly postOnly: boolean;
  readonly reduceOnly: boolean;
  readonly leverage: number;
  /** The price the decision was made on. */
  readonly expectedTicks: number;
  /** A fill beyond this price must not happen: buy above, sell below. null leaves it to the market. */
  readonly worstTicks: number | null;
  readonly protection: Protection | null;
  readonly reason: string;
}

export type LegFailure = 'unwind' | 'keep' | 'complete-at-market';

/** What is wanted, all or none. */
export interface Plan {
  readonly id: string;
  readonly desk: string;
  readonly at: Instant;
  /**
   * `exit` and `unwind` may only reduce (every leg reduce-only). `entry` adds exposure. `reverse` closes what its
   * book holds and adds the rest on the other side: the closing part is free, the rest is judged like an entry.
   */
  readonly purpose: 'entry' | 'exit' | 'reverse' | 'unwind';
  readonly confidence: number;
  readonly legs: readonly Leg[];
  readonly legFailure: LegFailure;
  /** Largest amount that may stay unhedged while legs fill, minor units of the base currency; null = no bound. */
  readonly unhedgedMax: number | null;
  /** Combined worst loss, minor units of the base currency (risk to stop for a directional entry). */
  readonly worstLoss: number;
  readonly expiresAt: Instant;
}

declare const approval: unique symbol;

/** A plan that risk let through, single use, until `approvedUntil`. Only risk/ can make one. */
export type Approved<P extends Plan = Plan> = {
  readonly plan: P;
  readonly approvedAt: Instant;
  readonly approvedUntil: Instant;
  /** A shadow's approval: only a shadow lane, whose venue is simulated, may use it. */
  readonly shadow: boolean;
  readonly [approval]: true;
};

export interface Refused {
  readonly plan: Plan | null;
  readonly at: Instant;
  readonly objections: readonly Objection[];
}

/** What cut a size on its way, in order: kept for the trace. */
export interface SizeCut {
  readonly by: string;
  /** Resulting share of the size before this cut, 0..1 (or above 1 for a multiplier that enlarges). */
  readonly factor: number;
}

/** Approvals that were made here and not used yet. Identity is the proof: a copy or a look-alike is not in it. */
const unused = new WeakSet<object>();

/**
 * Approves a plan. Not exported from the room: only risk/ code may call it. What is approved is a frozen copy, so
 * nobody can change a size after the limits have seen it.
 */
export function approve<P extends Plan>(
  plan: P,
  at: Instant,
  validForMs: number,
  shadow = false,
): Approved<P> {
  assert(validForMs > 0, 'an approval needs a positive life');
  const approved = {
    plan: freezePlan(plan),
    approvedAt: at,
    approvedUntil: Math.min(plan.expiresAt, at + validForMs),
    shadow,
  };
  unused.add(approved);
  return Object.freeze(approved) as Approved<P>;
}

/**
 * An approval for a shadow lane: the idea is followed on a simulated venue and no order leaves. No limit is asked,
 * because nothing is at stake; {@link consume} will not take it for a real lane.
 */
export function approveShadow<P extends Plan>(plan: P, at: Instant, validForMs: number): Approved<P> {
  return approve(plan, at, validForMs, true);
}

/** True for an approval that risk made and nobody used yet: the run-time half of the brand. */
export function isApproved(value: object): boolean {
  return unused.has(value);
}

export type Consumed<P extends Plan = Plan> =
  | { readonly kind: 'plan'; readonly plan: P }
  | { readonly kind: 'refused'; readonly refused: Refused };

/**
 * Uses an approval up and hands out its plan. Throws InvariantError when risk did not make it, it was used before,
 * or it belongs to the other lane; refuses when it has expired. An approval lives in memory only: one that was not used before a restart
 * is void, and its plan id stays spent (see RiskDesk), so nothing can be sent twice.
 */
export function consume<P extends Plan>(
  approved: Approved<P>,
  at: Instant,
  lane: 'real' | 'shadow' = 'real',
): Consumed<P> {
  assert(
    typeof approved === 'object' && approved !== null && unused.has(approved),
    'an order needs an unused approval made by risk',
  );
  if (!(approved.shadow === (lane === 'shadow')))
    broken(`an approval of the other lane was used in the ${lane} lane`);
  unused.delete(approved);
  if (at <= approved.approvedUntil) return { kind: 'plan', plan: approved.plan };
  const objection: Objection = {
    by: 'approval',
    reason: 'the approval has expired',
    measured: at,
    needed: approved.approvedUntil,
    relation: '<=',
    unit: 'ms',
  };
  return { kind: 'refused', refused: { plan: approved.plan, at, objections: [objection] } };
}

function freezePlan<P extends Plan>(plan: P): P {
  const legs = plan.legs.map((leg) =>
    Object.freeze({ ...leg, protection: leg.protection && Object.freeze({ ...leg.protection }) }),
  );
  return Object.freeze({ ...plan, legs: Object.freeze(legs) });
}
