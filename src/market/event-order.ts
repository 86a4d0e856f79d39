import { broken, type Instant } from '#base';

/**
 * The order of events that carry the same `at`. Bars of all lengths close before the next ones open, so that a slice is
 * decided before the price that its orders fill at is seen.
 */
export const MERGE_RANK = {
  fill: 0,
  funding: 1,
  settlement: 2,
  price: 3,
  barClosed: 4,
  barOpened: 5,
  timer: 6,
} as const;

const RANKS: Readonly<Record<string, number>> = {
  'funding-due': MERGE_RANK.funding,
  'instrument-changed': MERGE_RANK.settlement,
  'quote-updated': MERGE_RANK.price,
  'print-seen': MERGE_RANK.price,
  'book-changed': MERGE_RANK.price,
  'mark-updated': MERGE_RANK.price,
  'open-interest-updated': MERGE_RANK.price,
  'liquidation-seen': MERGE_RANK.price,
  'fx-rate-updated': MERGE_RANK.price,
  'observation-published': MERGE_RANK.price,
  'feed-changed': MERGE_RANK.price,
  'history-mended': MERGE_RANK.price,
  'bar-closed': MERGE_RANK.barClosed,
  'bar-opened': MERGE_RANK.barOpened,
};

/** Rank of a market event's kind at equal instants; null for a kind that market/ does not own. */
export function marketRank(kind: string): number | null {
  return RANKS[kind] ?? null;
}

/** What the order of events looks at. `rank` comes from {@link MERGE_RANK}. */
export interface Ordered {
  readonly at: Instant;
  readonly rank: number;
  /** Bars only; 0 elsewhere. */
  readonly intervalMs: number;
  /** Empty where an event has no instrument. */
  readonly instrument: string;
}

/** Negative when `a` comes first: by `at`, rank, interval (short to long), instrument id in code-unit order. */
export function compareOrdered(a: Ordered, b: Ordered): number {
  if (a.at !== b.at) return a.at - b.at;
  if (a.rank !== b.rank) return a.rank - b.rank;
  if (a.intervalMs !== b.intervalMs) return a.intervalMs - b.intervalMs;
  return a.instrument < b.instrument ? -1 : a.instrument > b.instrument ? 1 : 0;
}

/** {@link Ordered} of a market event. */
export function orderOf(event: {
  kind: string;
  at: Instant;
  intervalMs?: number;
  instrument?: string;
}): Ordered {
  const rank = marketRank(event.kind);
  if (!(rank !== null)) broken(`no rank for events of kind ${event.kind}`);
  return { at: event.at, rank, intervalMs: event.intervalMs ?? 0, instrument: event.instrument ?? '' };
}
