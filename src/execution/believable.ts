import type { BarClosed, BookChanged, FundingDue, MarkUpdated, PrintSeen, QuoteUpdated } from '#market';

/** A funding rate beyond the whole of the position is a broken feed. */
const RATE_MOST = 1;

/**
 * Whether what an event says of an instrument's price can be reckoned with: no price above `most`, every price and
 * size of a quote, print, mark or funding above zero (a quote may state no size), and a rate that a position can pay.
 * Of a bar only its high is judged: that its figures are above zero and agree is the matter of `barFault`. Levels of a
 * book are judged one by one where they are applied.
 */
export function isBelievable(
  event: BarClosed | BookChanged | QuoteUpdated | PrintSeen | MarkUpdated | FundingDue,
  most: number,
): boolean {
  switch (event.kind) {
    case 'bar-closed':
      return event.bar.high <= most;
    case 'book-changed':
      return true;
    case 'quote-updated':
      return (
        isPrice(event.bid, most) &&
        isPrice(event.ask, most) &&
        event.ask >= event.bid &&
        isSize(event.bidSize) &&
        isSize(event.askSize)
      );
    case 'print-seen':
      return isPrice(event.price, most) && isSize(event.size) && event.size > 0;
    case 'mark-updated':
      return isPrice(event.mark, most);
    case 'funding-due':
      return Math.abs(event.rate) <= RATE_MOST && (event.mark === null || isPrice(event.mark, most));
  }
}

export const isPrice = (price: number, most: number): boolean => price > 0 && price <= most;
/** A size in a book: 0 says that nothing stands there. */
export const isSize = (size: number): boolean => size >= 0 && size < Number.POSITIVE_INFINITY;
