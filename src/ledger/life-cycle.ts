import type { OrderStatus, VenueReport } from './order.ts';

/** Reports about one order. A new kind of report does not compile until it has a column in the table. */
export type OrderReportKind = Exclude<
  VenueReport['kind'],
  'unasked-fill' | 'funding-charged' | 'account-reported'
>;

/**
 * What a report does to an order:
 * a status = the order moves there; `fill` = booked, the status follows the filled size; `amend` = the new size and
 * prices apply; `note` = details are kept, the status stays; `ignore` = a repetition or a message that was overtaken;
 * `fault` = contradicts what is known, nothing changes; `revive` = an order we had given up as lost is alive after all
 * (a fault, unless `order-unknown` had ended it).
 */
export type LifeCycleStep = OrderStatus | 'fill' | 'amend' | 'note' | 'ignore' | 'fault' | 'revive';

/** The whole order life cycle: status x report -> step. Fills are facts, so every status books them. */
export const LIFE_CYCLE: Readonly<Record<OrderStatus, Readonly<Record<OrderReportKind, LifeCycleStep>>>> = {
  pending: {
    'order-accepted': 'working',
    'order-rejected': 'rejected',
    'order-triggered': 'triggered',
    'order-filled': 'fill',
    'order-canceled': 'canceled',
    'order-expired': 'expired',
    'order-amended': 'amend',
    'cancel-rejected': 'note',
    'amend-rejected': 'note',
    'order-unknown': 'rejected',
  },
  working: {
    'order-accepted': 'ignore',
    'order-rejected': 'rejected', // post-only and margin checks of some venues come after the acknowledgement
    'order-triggered': 'triggered',
    'order-filled': 'fill',
    'order-canceled': 'canceled',
    'order-expired': 'expired',
    'order-amended': 'amend',
    'cancel-rejected': 'note',
    'amend-rejected': 'note',
    'order-unknown': 'fault', // it was there: only a reconciliation can tell what became of it
  },
  triggered: {
    'order-accepted': 'note',
    'order-rejected': 'rejected', // the order a trigger released may be refused
    'order-triggered': 'ignore',
    'order-filled': 'fill',
    'order-canceled': 'canceled',
    'order-expired': 'expired',
    'order-amended': 'amend',
    'cancel-rejected': 'note',
    'amend-rejected': 'note',
    'order-unknown': 'fault',
  },
  'partially-filled': {
    'order-accepted': 'note', // the fill overtook the acknowledgement
    'order-rejected': 'fault',
    'order-triggered': 'ignore',
    'order-filled': 'fill',
    'order-canceled': 'canceled',
    'order-expired': 'expired',
    'order-amended': 'amend',
    'cancel-rejected': 'note',
    'amend-rejected': 'note',
    'order-unknown': 'fault',
  },
  filled: {
    'order-accepted': 'note',
    'order-rejected': 'fault',
    'order-triggered': 'ignore',
    'order-filled': 'fill', // more than was asked for: real, and flagged
    'order-canceled': 'ignore',
    'order-expired': 'ignore',
    'order-amended': 'amend', // an amendment to a larger size that the last fill overtook
    'cancel-rejected': 'ignore',
    'amend-rejected': 'ignore',
    'order-unknown': 'ignore',
  },
  canceled: {
    'order-accepted': 'note',
    'order-rejected': 'ignore',
    'order-triggered': 'ignore',
    'order-filled': 'fill', // the fill crossed the cancellation
    'order-canceled': 'ignore',
    'order-expired': 'ignore',
    'order-amended': 'fault',
    'cancel-rejected': 'ignore',
    'amend-rejected': 'ignore',
    'order-unknown': 'ignore',
  },
  expired: {
    'order-accepted': 'note',
    'order-rejected': 'ignore',
    'order-triggered': 'ignore',
    'order-filled': 'fill',
    'order-canceled': 'ignore',
    'order-expired': 'ignore',
    'order-amended': 'fault',
    'cancel-rejected': 'ignore',
    'amend-rejected': 'ignore',
    'order-unknown': 'ignore',
  },
  rejected: {
    'order-accepted': 'revive',
    'order-rejected': 'ignore',
    'order-triggered': 'revive',
    'order-filled': 'fill',
    'order-canceled': 'ignore',
    'order-expired': 'ignore',
    'order-amended': 'fault',
    'cancel-rejected': 'ignore',
    'amend-rejected': 'ignore',
    'order-unknown': 'ignore',
  },
};

/** Ended orders ask for nothing any more; a late fill is booked all the same. */
export function isEnded(status: OrderStatus): boolean {
  return status === 'filled' || status === 'canceled' || status === 'expired' || status === 'rejected';
}
