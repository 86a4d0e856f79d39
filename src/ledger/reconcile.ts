import type { InstrumentId } from '#market';
import type { ClientOrderId, VenueReport } from './order.ts';
import type { OrderState } from './order-state.ts';
import type { Position } from './trade.ts';

/** One point in which a venue's account differs from the books. */
export type Difference =
  | {
      readonly kind: 'net';
      readonly instrument: InstrumentId;
      readonly books: number;
      readonly venue: number;
    }
  /** We hold it for working, the venue does not list it. */
  | { readonly kind: 'order-missing'; readonly clientId: ClientOrderId }
  /** The venue lists it, we know no such live order. */
  | { readonly kind: 'order-unexpected'; readonly clientId: ClientOrderId };

type AccountReport = Extract<VenueReport, { kind: 'account-reported' }>;

/** What stands after the last dot of an instrument id. */
export function venueOf(instrument: InstrumentId): string {
  return instrument.slice(instrument.lastIndexOf('.') + 1);
}

/**
 * Compares a venue's account with the books. An instrument the report does not name counts as flat there. Orders
 * still `pending` are no difference either way: their acknowledgement may be under way.
 */
export function reconcile(
  report: AccountReport,
  positions: readonly Position[],
  live: readonly OrderState[],
): Difference[] {
  const out: Difference[] = [];
  const books = new Map<InstrumentId, number>();
  for (const { instrument, lots } of positions) {
    if (venueOf(instrument) === report.venue) books.set(instrument, (books.get(instrument) ?? 0) + lots);
  }
  const venue = new Map<InstrumentId, number>();
  for (const { instrument, lots } of report.nets) venue.set(instrument, (venue.get(instrument) ?? 0) + lots);
  for (const instrument of [...new Set([...books.keys(), ...venue.keys()])].sort()) {
    const ours = books.get(instrument) ?? 0;
    const theirs = venue.get(instrument) ?? 0;
    if (ours !== theirs) out.push({ kind: 'net', instrument, books: ours, venue: theirs });
  }
  const listed = new Set(report.openOrders);
  const known = new Set<ClientOrderId>();
  for (const order of live) {
    const { clientId, instrument } = order.request;
    if (venueOf(instrument) !== report.venue) continue;
    known.add(clientId);
    if (order.status !== 'pending' && !listed.has(clientId)) out.push({ kind: 'order-missing', clientId });
  }
  for (const clientId of report.openOrders) {
    if (!known.has(clientId)) out.push({ kind: 'order-unexpected', clientId });
  }
  return out;
}
