import type { Instant } from '#base';
import type { InstrumentId } from '#market';
import { isEnded } from './life-cycle.ts';
import type { BookId, ClientOrderId } from './order.ts';
import type { OrderState } from './order-state.ts';

/**
 * Live orders, and the ended ones of a bounded window: at least `remember` of them, at most twice as many.
 * Reports about a forgotten order are reports about an unknown one.
 */
export class Orders {
  static readonly configuration = ['remember'];
  private readonly remember: number;
  private live = new Map<ClientOrderId, OrderState>();
  private ended = new Map<ClientOrderId, OrderState>();
  private endedBefore = new Map<ClientOrderId, OrderState>();

  constructor(remember: number) {
    this.remember = remember;
  }

  find(id: ClientOrderId): OrderState | undefined {
    return this.live.get(id) ?? this.ended.get(id) ?? this.endedBefore.get(id);
  }

  put(state: OrderState): void {
    const id = state.request.clientId;
    if (!isEnded(state.status)) {
      if (this.ended.size > 0) this.ended.delete(id);
      if (this.endedBefore.size > 0) this.endedBefore.delete(id);
      this.live.set(id, state);
      return;
    }
    this.live.delete(id);
    if (this.endedBefore.has(id)) {
      this.endedBefore.set(id, state);
      return;
    }
    this.ended.set(id, state);
    if (this.ended.size < this.remember) return;
    this.endedBefore = this.ended;
    this.ended = new Map();
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

  /** Remembered orders of an instrument that are alive or changed at or after `since`, oldest first. */
  recent(instrument: InstrumentId, since: Instant): OrderState[] {
    return [...this.endedBefore.values(), ...this.ended.values(), ...this.live.values()].filter(
      (state) =>
        state.request.instrument === instrument && (!isEnded(state.status) || state.updatedAt >= since),
    );
  }

  get remembered(): number {
    return this.live.size + this.ended.size + this.endedBefore.size;
  }
}
