import { unreachable } from '#base';
import type { VenueReport } from '#ledger';
import type { BookChanged, MarkUpdated, PrintSeen, QuoteUpdated } from '#market';
import { applyDepth } from './depth.ts';
import { liquidateAt } from './match-bars.ts';
import { matchMark, matchPrint, matchQuotes } from './match-quotes.ts';
import type { OrderBoard } from './order-board.ts';
import { hasDepth, isMarked, isQuoted, matchesOnMarks } from './presence.ts';
import { lotsIn } from './prices.ts';
import { look } from './strike.ts';
import { NEVER, type Stamp, type Track } from './venue-state.ts';

export type TickEvent = QuoteUpdated | BookChanged | PrintSeen | MarkUpdated;

/** Prices that come one by one, believable ones. */
export function meetTick(board: OrderBoard, track: Track, event: TickEvent, out: VenueReport[]): void {
  const stamp = { at: event.at, eventTime: event.eventTime };
  switch (event.kind) {
    case 'quote-updated':
      if (hasDepth(track, event.at)) return;
      track.quoteAt = event.at;
      track.bids = [[event.bid, event.bidSize]];
      track.asks = [[event.ask, event.askSize]];
      meetQuoted(board, track, stamp, out);
      return;
    case 'book-changed':
      track.depthAt = event.at;
      applyDepth(track, event, track.priceMost);
      meetQuoted(board, track, stamp, out);
      return;
    case 'print-seen':
      meetPrint(board, track, event, stamp, out);
      return;
    case 'mark-updated':
      meetMark(board, track, event.mark, stamp, out);
      return;
    default:
      unreachable(event);
  }
}

/** Nobody asks for anything here: the price alone matters. */
const isUnwatched = (track: Track): boolean =>
  track.halted || (track.orders.length === 0 && track.held === 0);

function meetQuoted(board: OrderBoard, track: Track, stamp: Stamp, out: VenueReport[]): void {
  const bid = track.bids[0];
  const ask = track.asks[0];
  if (bid && ask) track.price = (bid[0] + ask[0]) / 2;
  if (isUnwatched(track)) return;
  if (track.orders.length > 0) matchQuotes(look(board, track, stamp, out));
  liquidateUnmarked(board, track, stamp, out);
}

function meetPrint(
  board: OrderBoard,
  track: Track,
  event: PrintSeen,
  stamp: Stamp,
  out: VenueReport[],
): void {
  const { price, size, taker } = event;
  const quoted = isQuoted(track, stamp.at);
  track.printAt = stamp.at;
  if (!quoted) track.price = price;
  if (isUnwatched(track)) return;
  const of = look(board, track, stamp, out, lotsIn(board.instrument(track), size));
  if (track.orders.length > 0) matchPrint(of, price, size, taker, quoted);
  if (!quoted) liquidateUnmarked(board, track, stamp, out);
}

function meetMark(board: OrderBoard, track: Track, mark: number, stamp: Stamp, out: VenueReport[]): void {
  track.mark = mark;
  track.markGap = track.markAt === NEVER ? Number.POSITIVE_INFINITY : stamp.at - track.markAt;
  track.markAt = stamp.at;
  const matches = matchesOnMarks(track, stamp.at);
  if (matches) track.price = mark;
  if (isUnwatched(track)) return;
  const of = look(board, track, stamp, out);
  if (board.options.liquidation && track.held > 0) liquidateAt(of, mark);
  if (matches && track.orders.length > 0) matchMark(of, mark);
}

function liquidateUnmarked(board: OrderBoard, track: Track, stamp: Stamp, out: VenueReport[]): void {
  if (!board.options.liquidation || track.held === 0 || isMarked(track, stamp.at)) return;
  liquidateAt(look(board, track, stamp, out), track.price);
}
