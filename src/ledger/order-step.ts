import { assert, broken, type Instant, mulDiv } from '#base';
import type { BookingFault } from './booking.ts';
import { isEnded, LIFE_CYCLE, type OrderReportKind } from './life-cycle.ts';
import type { Fill, OrderStatus, VenueReport } from './order.ts';
import type { OrderState } from './order-state.ts';

export type OrderReport = Extract<VenueReport, { kind: Exclude<OrderReportKind, 'order-filled'> }>;

export interface OrderStep {
  readonly order: OrderState;
  readonly accepted: boolean;
  readonly fault: BookingFault | null;
}

const LOST = 'order-unknown';

/** Share of the reservation that the unfilled part still needs; none once ended. */
function stillReserved(order: OrderState, status: OrderStatus, lots: number, filled: number): number {
  if (isEnded(status) || filled >= lots) return 0;
  return filled === 0 ? order.reservation : mulDiv(order.reservation, lots - filled, lots, 'ceil');
}

/** The order in another status. Written out: a spread of so many fields costs more than all else that a report does. */
function moved(
  order: OrderState,
  status: OrderStatus,
  at: Instant,
  endReason: string | null,
  venueOrderId: string | null = order.venueOrderId,
): OrderState {
  const ended = isEnded(status);
  return {
    request: order.request,
    status,
    venueOrderId,
    lots: order.lots,
    limitTicks: order.limitTicks,
    triggerTicks: order.triggerTicks,
    filledLots: order.filledLots,
    averagePrice: order.averagePrice,
    fillIds: order.fillIds,
    fees: order.fees,
    openingLots: order.openingLots,
    reservation: order.reservation,
    reserved: stillReserved(order, status, order.lots, order.filledLots),
    submittedAt: order.submittedAt,
    updatedAt: at,
    cancelRequestedAt: ended ? null : order.cancelRequestedAt,
    amendRequestedAt: ended ? null : order.amendRequestedAt,
    endReason,
  };
}

/** What a report that is no fill makes of an order. Pure; the table {@link LIFE_CYCLE} decides. */
export function stepOrder(order: OrderState, report: OrderReport, reservationOf: Reservation): OrderStep {
  const step = LIFE_CYCLE[order.status][report.kind];
  switch (step) {
    case 'ignore':
      return { order, accepted: false, fault: null };
    case 'fault':
      return { order, accepted: false, fault: 'bad-transition' };
    case 'fill':
      assert(false, 'a fill is booked by fillOrder');
      break;
    case 'note':
      return { order: noted(order, report), accepted: true, fault: null };
    case 'amend':
      assert(report.kind === 'order-amended', 'only amendments amend');
      return amended(order, report, reservationOf);
    case 'revive': {
      if (order.endReason !== LOST) return { order, accepted: false, fault: 'bad-transition' };
      const status = report.kind === 'order-triggered' ? 'triggered' : 'working';
      const alive = moved(order, status, report.at, null);
      return { order: noted(alive, report), accepted: true, fault: 'revived' };
    }
    default: {
      const reason = report.kind === 'order-unknown' ? LOST : 'reason' in report ? report.reason : null;
      const endReason = isEnded(step) ? reason : null;
      if (report.kind === 'order-accepted') {
        const next = moved(order, step, report.at, endReason, report.venueOrderId);
        return { order: next, accepted: true, fault: null };
      }
      const next = moved(order, step, report.at, endReason);
      return { order: noted(next, report), accepted: true, fault: null };
    }
  }
}

/** Minor units that an order would set aside for its `openingLots` at its present prices. */
export type Reservation = (order: OrderState) => number;

function noted(order: OrderState, report: OrderReport): OrderState {
  switch (report.kind) {
    case 'order-accepted':
      return { ...order, venueOrderId: report.venueOrderId, updatedAt: report.at };
    case 'cancel-rejected':
      return { ...order, cancelRequestedAt: null, updatedAt: report.at };
    case 'amend-rejected':
      return { ...order, amendRequestedAt: null, updatedAt: report.at };
    default:
      return order;
  }
}

function amended(
  order: OrderState,
  report: Extract<OrderReport, { kind: 'order-amended' }>,
  reservationOf: Reservation,
): OrderStep {
  const { lots, limitTicks, triggerTicks } = report;
  if (!(Number.isSafeInteger(lots) && lots > 0)) broken(`amended to ${lots} lots`);
  let status = order.status;
  if (lots <= order.filledLots) status = 'filled';
  else if (order.status === 'filled') status = 'partially-filled';
  else if (order.status === 'pending') status = 'working'; // the venue has it, whatever became of the acknowledgement
  // what only reduces never opens, however its size follows its entry's
  const openingLots = order.request.reduceOnly ? 0 : Math.max(0, order.openingLots + lots - order.lots);
  const sized: OrderState = { ...order, lots, openingLots, limitTicks, triggerTicks };
  const endReason = status === 'filled' ? 'filled' : null;
  const next = moved({ ...sized, reservation: reservationOf(sized) }, status, report.at, endReason);
  return {
    order: { ...next, amendRequestedAt: null },
    accepted: true,
    fault: lots < order.filledLots ? 'overfill' : null,
  };
}

/** An order after a fill. Pure. Fills are facts: they count in every status. */
export function fillOrder(order: OrderState, fill: Fill, price: number, at: Instant): OrderStep {
  const filledLots = order.filledLots + fill.lots;
  let status = order.status;
  let fault: BookingFault | null = null;
  let endReason = order.endReason;
  if (status === 'rejected') {
    const lost = order.endReason === LOST;
    fault = lost ? 'revived' : 'bad-transition';
    if (lost) {
      status = 'partially-filled';
      endReason = null;
    }
  }
  if (filledLots >= order.lots) {
    status = 'filled';
    endReason = 'filled';
  } else if (!isEnded(status)) status = 'partially-filled';
  if (filledLots > order.lots) fault = 'overfill';
  const ended = isEnded(status);
  const next: OrderState = {
    request: order.request,
    status,
    venueOrderId: order.venueOrderId,
    lots: order.lots,
    limitTicks: order.limitTicks,
    triggerTicks: order.triggerTicks,
    filledLots,
    averagePrice:
      order.filledLots === 0
        ? price
        : (order.averagePrice * order.filledLots + price * fill.lots) / filledLots,
    fillIds: order.fillIds.length === 0 ? [fill.fillId] : [...order.fillIds, fill.fillId],
    fees: order.fees + fill.fee,
    openingLots: order.openingLots,
    reservation: order.reservation,
    reserved: stillReserved(order, status, order.lots, filledLots),
    submittedAt: order.submittedAt,
    updatedAt: at,
    cancelRequestedAt: ended ? null : order.cancelRequestedAt,
    amendRequestedAt: ended ? null : order.amendRequestedAt,
    endReason,
  };
  return { order: next, accepted: true, fault };
}
