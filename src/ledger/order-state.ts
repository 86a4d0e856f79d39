import type { Instant } from '#base';
import type { OrderRequest, OrderStatus } from './order.ts';

/** What is known about one of our orders. A new object per change. */
export interface OrderState {
  readonly request: OrderRequest;
  readonly status: OrderStatus;
  readonly venueOrderId: string | null;
  /** Total size now in force, filled part included (amendments change it). */
  readonly lots: number;
  readonly limitTicks: number | null;
  readonly triggerTicks: number | null;
  readonly filledLots: number;
  /** Mean fill price weighted by lots, 0 while nothing is filled. */
  readonly averagePrice: number;
  /** Ids of the fills booked, so that a repeated one is known. Oldest first. */
  readonly fillIds: readonly string[];
  /** Minor units of settle, positive when paid. */
  readonly fees: number;
  /** The part of `lots` that reckoned with opening or enlarging a position when it was submitted. */
  readonly openingLots: number;
  /** What the whole order would set aside, and what is set aside for the unfilled part. Minor units of settle. */
  readonly reservation: number;
  readonly reserved: number;
  readonly submittedAt: Instant;
  readonly updatedAt: Instant;
  readonly cancelRequestedAt: Instant | null;
  readonly amendRequestedAt: Instant | null;
  /** Why it ended, in the venue's words; `order-unknown` when the venue never knew it. */
  readonly endReason: string | null;
}

const NO_FILLS: readonly string[] = Object.freeze([]);

export function pendingOrder(
  request: OrderRequest,
  openingLots: number,
  reservation: number,
  at: Instant,
): OrderState {
  return {
    request,
    status: 'pending',
    venueOrderId: null,
    lots: request.lots,
    limitTicks: request.limitTicks,
    triggerTicks: request.triggerTicks,
    filledLots: 0,
    averagePrice: 0,
    fillIds: NO_FILLS,
    fees: 0,
    openingLots,
    reservation,
    reserved: reservation,
    submittedAt: at,
    updatedAt: at,
    cancelRequestedAt: null,
    amendRequestedAt: null,
    endReason: null,
  };
}
