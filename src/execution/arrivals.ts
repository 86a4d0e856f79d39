import { type Instant, numberToSteps } from '#base';
import type { ClientOrderId, OrderRequest, VenueReport } from '#ledger';
import { amendedReport, type OrderBoard } from './order-board.ts';
import { hasLimit, hasTrigger, orderFault, priceFault } from './order-faults.ts';
import { isQuoted } from './presence.ts';
import { priceOf } from './prices.ts';
import type { VenueCommand } from './venue.ts';
import { dayEnd } from './venue-options.ts';
import { type Stamp, type Track, type VenueOrder, venueOrderId } from './venue-state.ts';

type Amend = Extract<VenueCommand, { kind: 'amend-order' }>;
type Cancel = Extract<VenueCommand, { kind: 'cancel-order' }>;

const accepted = (clientId: ClientOrderId, { at, eventTime }: Stamp): VenueReport => ({
  kind: 'order-accepted',
  at,
  eventTime,
  clientId,
  venueOrderId: venueOrderId(clientId),
});

const rejected = (clientId: ClientOrderId, reason: string, { at, eventTime }: Stamp): VenueReport => ({
  kind: 'order-rejected',
  at,
  eventTime,
  clientId,
  reason,
});

/** Whether a limit would trade on arrival: against the quote, or beyond the last price where there is none. */
function wouldTake(
  board: OrderBoard,
  track: Track,
  order: OrderRequest,
  limitTicks: number,
  at: Instant,
): boolean {
  const limit = priceOf(board.instrument(track), limitTicks);
  const buy = order.side === 'buy';
  if (isQuoted(track, at)) {
    const other = buy ? track.asks[0] : track.bids[0];
    return other !== undefined && (buy ? limit >= other[0] : limit <= other[0]);
  }
  return track.price > 0 && (buy ? limit > track.price : limit < track.price);
}

function faultOf(board: OrderBoard, order: OrderRequest, stamp: Stamp): string | null {
  const track = board.track(order.instrument);
  board.takeWaiting(track);
  const instrument = board.instrument(track);
  const last = track.price > 0 ? numberToSteps(track.price, instrument.tick, 'half-away') : 0;
  const fault = orderFault(order, instrument, last, board.band(track, stamp.eventTime));
  if (fault) return fault;
  if (order.timeInForce === 'GTD' && order.expiresAt! <= stamp.eventTime) return 'expiry-passed';
  if (order.postOnly && wouldTake(board, track, order, order.limitTicks!, stamp.at)) return 'post-only';
  if (order.parent === null) return null;
  const parent = board.recall(order.parent);
  return parent && parent.status !== 'working' && parent.filled === 0 ? 'parent-ended' : null;
}

/**
 * An order reaches the venue. Returns it when it is new and works. A client id seen before is the same order: it is
 * acknowledged (or rejected) once more and nothing else happens.
 */
export function arriveSubmit(
  board: OrderBoard,
  request: OrderRequest,
  issuedAt: Instant,
  arrivesAt: Instant,
  stamp: Stamp,
  out: VenueReport[],
): VenueOrder | null {
  const { clientId } = request;
  const known = board.recall(clientId);
  if (known) {
    out.push(
      known.status === 'rejected' ? rejected(clientId, known.reason, stamp) : accepted(clientId, stamp),
    );
    return null;
  }
  const fault = faultOf(board, request, stamp);
  if (fault) {
    board.refuse(request, issuedAt, fault);
    out.push(rejected(clientId, fault, stamp));
    return null;
  }
  const order = board.add(request, issuedAt, arrivesAt);
  out.push(accepted(clientId, stamp));
  const track = board.track(request.instrument);
  if (request.timeInForce === 'DAY') {
    order.expiresAt = dayEnd(board.options, board.instrument(track), stamp.eventTime, track.finestMs);
  }
  if (order.expiresAt !== null) board.timed.set(clientId, order.expiresAt);
  const parent = request.parent === null ? null : board.recall(request.parent);
  const fill = parent?.fills.at(-1);
  if (parent && fill?.kind === 'order-filled') {
    board.follow(track, order, parent.filled, fill.fill.ticks, stamp, out);
  }
  return order;
}

function amendFault(
  board: OrderBoard,
  track: Track,
  order: VenueOrder,
  to: Amend,
  stamp: Stamp,
): string | null {
  const { request } = order;
  const instrument = board.instrument(track);
  const band = board.band(track, stamp.eventTime);
  if (!Number.isSafeInteger(to.lots) || to.lots <= 0) return 'size-not-positive';
  if (to.lots <= order.filled) return 'size-already-filled';
  if (to.limitTicks !== null) {
    if (!hasLimit(request.type)) return 'no-limit-to-amend';
    const fault = priceFault(to.limitTicks, instrument, band);
    if (fault) return fault;
    const moved = to.limitTicks !== order.limitTicks;
    if (moved && request.postOnly && wouldTake(board, track, request, to.limitTicks, stamp.at))
      return 'post-only';
  }
  if (to.triggerTicks === null) return null;
  if (!hasTrigger(request.type) || order.triggered) return 'no-trigger-to-amend';
  return Number.isSafeInteger(to.triggerTicks) && to.triggerTicks > 0 ? null : 'trigger-not-positive';
}

/**
 * Changes total size, limit or trigger; null leaves a price as it is. Only a smaller size keeps the place in the
 * queue. Returns the order when it changed.
 */
export function arriveAmend(
  board: OrderBoard,
  to: Amend,
  stamp: Stamp,
  out: VenueReport[],
): VenueOrder | null {
  const { clientId } = to;
  const { at, eventTime } = stamp;
  const order = board.find(clientId);
  if (order === null) {
    const reason = board.recall(clientId)?.status ?? 'unknown-order';
    out.push({ kind: 'amend-rejected', at, eventTime, clientId, reason });
    return null;
  }
  const track = board.track(order.request.instrument);
  const fault = amendFault(board, track, order, to, stamp);
  if (fault) {
    out.push({ kind: 'amend-rejected', at, eventTime, clientId, reason: fault });
    return null;
  }
  const moved = to.limitTicks !== null && to.limitTicks !== order.limitTicks;
  if (moved || to.lots > order.lots) {
    order.sequence = board.nextSequence();
    order.queueAhead = null;
  }
  if (moved) {
    order.limitTicks = to.limitTicks;
    order.rested = false;
  }
  if (to.triggerTicks !== null) order.triggerTicks = to.triggerTicks;
  order.requested = to.lots;
  const parent = order.request.parent === null || !order.active ? null : board.recall(order.request.parent);
  order.lots = parent ? Math.max(order.filled, Math.min(to.lots, parent.filled)) : to.lots;
  board.tellAmended(order, stamp, out);
  return order;
}

export function arriveCancel(
  board: OrderBoard,
  { clientId, reason }: Cancel,
  stamp: Stamp,
  out: VenueReport[],
): void {
  const { at, eventTime } = stamp;
  const order = board.find(clientId);
  if (order) {
    board.finish(board.track(order.request.instrument), order, 'canceled', reason, stamp, out);
    return;
  }
  const why = board.recall(clientId)?.status ?? 'unknown-order';
  out.push({ kind: 'cancel-rejected', at, eventTime, clientId, reason: why });
}

/**
 * Tells everything about one order again: its acceptance, changes, every fill under its own id, its end. A reader
 * that drops fills it has seen learns the truth. An order never heard of is answered by `order-unknown`.
 */
export function arriveQuery(
  board: OrderBoard,
  clientId: ClientOrderId,
  stamp: Stamp,
  out: VenueReport[],
): void {
  const { at, eventTime } = stamp;
  const order = board.recall(clientId);
  if (!order) {
    out.push({ kind: 'order-unknown', at, eventTime, clientId });
    return;
  }
  if (order.status === 'rejected') {
    out.push(rejected(clientId, order.reason, stamp));
    return;
  }
  out.push(accepted(clientId, stamp));
  const stands = order.status === 'working' || order.status === 'filled';
  if (order.amended && stands) out.push(amendedReport(order, stamp));
  if (order.triggered) out.push({ kind: 'order-triggered', at, eventTime, clientId });
  for (const fill of order.fills) out.push({ ...fill, at });
  if (order.status === 'canceled' || order.status === 'expired') {
    out.push({ kind: `order-${order.status}`, at, eventTime, clientId, reason: order.reason });
  }
}
