import type { MarketEvent } from '#market';

/** A funding rate beyond the whole of the position is a broken feed. */
const RATE_MOST = 1;

/**
 * Whether what an event says of an instrument's price can be reckoned with: every price it carries is a number above
 * zero and no higher than `most`. Levels of a book are judged one by one where they are applied.
 */
export function isBelievable(event: MarketEvent, most: number): boolean {
  switch (event.kind) {
    case 'bar-closed':
      return event.bar.high <= most;
    case 'bar-opened':
      return isPrice(event.open, most);
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
    default:
      return true;
  }
}

export const isPrice = (price: number, most: number): boolean => price > 0 && price <= most;
const isSize = (size: number): boolean => size >= 0 && size < Number.POSITIVE_INFINITY;
