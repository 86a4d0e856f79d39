import type { VenueReport } from '#ledger';
import type { FundingDue } from '#market';
import { fundingAmount, heldBefore } from './holdings.ts';
import type { OrderBoard } from './order-board.ts';
import { FRESH_MS } from './venue-options.ts';
import { chargeId, type Track } from './venue-state.ts';

/** Fundings kept for bars that close late: more than any bar sees. */
const KEPT = 64;

/**
 * Charges every book that held the instrument before the funding time, at the mark told with it, else the last mark
 * when it is recent, else the last price.
 */
export function chargeFunding(board: OrderBoard, track: Track, event: FundingDue, out: VenueReport[]): void {
  const { at, eventTime, rate } = event;
  const recent = track.markAt > eventTime - 2 * FRESH_MS;
  const mark = event.mark ?? (recent ? track.mark : track.price);
  if (!board.options.funding || !Number.isFinite(rate) || !Number.isFinite(mark) || mark <= 0) return;
  if (board.options.participation !== null) {
    track.fundings.push({ time: eventTime, rate, mark });
    if (track.fundings.length > KEPT) track.fundings.shift();
  }
  for (const holding of track.holdings) {
    const lots = heldBefore(holding, eventTime);
    const amount = lots === 0 ? 0 : fundingAmount(board.instrument(track), lots, mark, rate);
    if (amount === 0) continue;
    out.push({
      kind: 'funding-charged',
      chargeId: chargeId(holding.book, eventTime),
      at,
      eventTime,
      instrument: track.id,
      book: holding.book,
      amount,
    });
  }
}
