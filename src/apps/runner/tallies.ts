import type { DecisionTrace } from '#engine';
import { isEnded, type OrderState, type VenueReport } from '#ledger';
import { adverseSlippage } from '#risk';

/** Names counted one by one; what comes beyond is `other`. */
const NAMES_MAX = 1_024;

function more(map: Map<string, number>, name: string): void {
  const key = map.has(name) || map.size < NAMES_MAX ? name : 'other';
  map.set(key, (map.get(key) ?? 0) + 1);
}

/**
 * What the engine does not count: over the whole life of a journal, kept in its snapshots beside the engine. All fields
 * are its state.
 */
export class Tallies {
  /** Orders that ended, by how. */
  readonly ordersEnded = new Map<string, number>();
  /** Decisions, by `desk|outcome`. */
  readonly decisions = new Map<string, number>();
  /** Objections to decisions that came to nothing, by `outcome|who`. */
  readonly objections = new Map<string, number>();
  /** Fills of market orders, and the sum of their slippage against us in basis points (a gain is negative). */
  slippageFills = 0;
  slippageBps = 0;

  decided({ desk, outcome, objections }: DecisionTrace): void {
    more(this.decisions, `${desk}|${outcome}`);
    if (outcome === 'entered' || outcome === 'in-review') return;
    for (const { by } of objections) more(this.objections, `${outcome}|${by}`);
  }

  /** A report about an own order was booked. */
  reported(order: OrderState, report: VenueReport): void {
    if (isEnded(order.status)) more(this.ordersEnded, order.status);
    if (report.kind !== 'order-filled') return;
    const { type, expectedTicks, side } = order.request;
    if (type !== 'market' || expectedTicks === null) return;
    const rate = adverseSlippage(side, expectedTicks, report.fill.ticks);
    if (!Number.isFinite(rate)) return;
    this.slippageFills += 1;
    this.slippageBps += rate * 10_000;
  }
}
