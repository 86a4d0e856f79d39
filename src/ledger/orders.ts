import { type Instant, RecentMap } from '#base';
import type { InstrumentId } from '#market';
import { isEnded } from './life-cycle.ts';
import type { BookId, ClientOrderId, Side } from './order.ts';
import type { OrderState } from './order-state.ts';

/**
 * Live orders, and the last `remember` that ended. Reports about a forgotten order are reports about an unknown one.
 */
export class Orders {
  private readonly live = new Map<ClientOrderId, OrderState>();
  private readonly ended: RecentMap<ClientOrderId, OrderState>;

  constructor(remember: number) {
    this.ended = new RecentMap(remember);
  }

  find(id: ClientOrderId): OrderState | undefined {
    return this.live.get(id) ?? this.ended.get(id);
  }

  put(state: OrderState): void {
    const id = state.request.clientId;
    if (isEnded(state.status)) {
      this.live.delete(id);
      this.ended.set(id, state);
    } else {
      if (!this.live.has(id)) this.ended.delete(id);
      this.live.set(id, state);
    }
  }

  /** Orders that may still fill, oldest first. */
  working(book?: BookId): OrderState[] {
    const out: OrderState[] = [];
    for (const state of this.live.values()) {
      if (book === undefined || state.request.book === book) out.push(state);
    }
    return out;
  }

  /** Whether an order of a book may still fill, optionally only one that does or does not just reduce, for a reason. */
  works(book: BookId, reduceOnly?: boolean, reason?: string): boolean {
    for (const { request } of this.live.values()) {
      if (request.book !== book) continue;
      if (reduceOnly !== undefined && request.reduceOnly !== reduceOnly) continue;
      if (reason === undefined || request.reason === reason) return true;
    }
    return false;
  }

  /** Whether a remembered order of an instrument was filled by this fill. Looks at all of them. */
  filledBy(instrument: InstrumentId, fillId: string): boolean {
    const filled = ({ request, fillIds }: OrderState) =>
      request.instrument === instrument && fillIds.includes(fillId);
    for (const state of this.live.values()) if (filled(state)) return true;
    for (const state of this.ended.values()) if (filled(state)) return true;
    return false;
  }

  /** Unfilled lots of the live orders of an instrument. */
  openLots(instrument: InstrumentId): number {
    let sum = 0;
    for (const { request, lots, filledLots } of this.live.values())
      if (request.instrument === instrument) sum += Math.max(0, lots - filledLots);
    return sum;
  }

  /** Unfilled lots of the live orders of a book and side. */
  openLotsOf(book: BookId, side: Side): number {
    let sum = 0;
    for (const { request, lots, filledLots } of this.live.values())
      if (request.book === book && request.side === side) sum += lots - filledLots;
    return sum;
  }

  /** Remembered orders of an instrument that are alive or changed at or after `since`, oldest first. */
  recent(instrument: InstrumentId, since: Instant): OrderState[] {
    return [...this.ended.values(), ...this.live.values()].filter(
      (state) =>
        state.request.instrument === instrument && (!isEnded(state.status) || state.updatedAt >= since),
    );
  }

  get remembered(): number {
    return this.live.size + this.ended.size;
  }
}
