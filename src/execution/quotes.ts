import type { ClientOrderId, OrderRequest, OrderState } from '#ledger';
import type { VenueCommand } from './venue.ts';

/** A resting quote as far as a refresh must know it. */
export interface RestingQuote {
  readonly clientId: ClientOrderId;
  readonly book: string;
  readonly instrument: string;
  readonly side: 'buy' | 'sell';
  /** Total size, filled part included. */
  readonly lots: number;
  readonly filled: number;
  readonly limitTicks: number;
}

const sideOf = (quote: { book: string; instrument: string; side: string }): string =>
  `${quote.book}\u0000${quote.instrument}\u0000${quote.side}`;

/** Best price first, then by id. */
function ranked<T extends { side: 'buy' | 'sell'; limitTicks: number | null; clientId: string }>(
  quotes: T[],
): T[] {
  return quotes.sort((a, b) => {
    const better = a.side === 'buy' ? b.limitTicks! - a.limitTicks! : a.limitTicks! - b.limitTicks!;
    return better !== 0 ? better : a.clientId < b.clientId ? -1 : 1;
  });
}

function bySide<T extends { book: string; instrument: string; side: string }>(
  quotes: readonly T[],
): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const quote of quotes) {
    const key = sideOf(quote);
    const group = groups.get(key);
    if (group) group.push(quote);
    else groups.set(key, [quote]);
  }
  return groups;
}

/** A ledger's order as a resting quote; null when it is no resting limit. */
export function restingQuote(state: OrderState): RestingQuote | null {
  const { request } = state;
  if (request.type !== 'limit' || state.limitTicks === null) return null;
  const { clientId, book, instrument, side } = request;
  return {
    clientId,
    book,
    instrument,
    side,
    lots: state.lots,
    filled: state.filledLots,
    limitTicks: state.limitTicks,
  };
}

/**
 * Turns resting quotes into wanted ones with the fewest commands: the best existing becomes the best wanted of its
 * book and side by amendment, what is left over is cancelled, what is missing is submitted. `lots` of a wanted quote
 * is the open size. Cancellations come first, then amendments, then submissions, so exposure never swells between.
 */
export function refreshQuotes(
  existing: readonly RestingQuote[],
  wanted: readonly OrderRequest[],
): VenueCommand[] {
  const cancels: VenueCommand[] = [];
  const amends: VenueCommand[] = [];
  const submits: VenueCommand[] = [];
  const old = bySide(existing);
  const fresh = bySide(wanted);
  for (const key of [...new Set([...old.keys(), ...fresh.keys()])].sort()) {
    const have = ranked(old.get(key) ?? []);
    const want = ranked(fresh.get(key) ?? []);
    for (let i = 0; i < Math.max(have.length, want.length); i++) {
      const from = have[i];
      const to = want[i];
      if (from === undefined) submits.push({ kind: 'submit-order', order: to! });
      else if (to === undefined) {
        cancels.push({ kind: 'cancel-order', clientId: from.clientId, reason: 'quote-withdrawn' });
      } else if (from.limitTicks !== to.limitTicks || from.lots - from.filled !== to.lots) {
        const lots = from.filled + to.lots;
        amends.push({
          kind: 'amend-order',
          clientId: from.clientId,
          lots,
          limitTicks: to.limitTicks,
          triggerTicks: null,
        });
      }
    }
  }
  return [...cancels, ...amends, ...submits];
}
