import type { InstrumentId, MarketEvent } from '#market';

type FeedChanged = Extract<MarketEvent, { kind: 'feed-changed' }>;
type Only = NonNullable<FeedChanged['only']>;

/**
 * Feeds that were disconnected or stale and have not made good what they missed. It comes back from a snapshot, what the
 * program that brings the events remembers does not: that asks here whether it has to take a word back.
 */
export class FeedsDown {
  private readonly feeds = new Set<string>();
  /** Those that are down for one series of bars alone. */
  private readonly series = new Map<string, Only>();

  moved({ feed, status, only }: FeedChanged): void {
    if (status === 'disconnected' || status === 'stale') {
      if (only === undefined) this.feeds.add(feed);
      else this.series.set(feed, only);
    } else if (status === 'resynced') {
      // a connection that is only back has not brought what was missed meanwhile
      this.feeds.delete(feed);
      this.series.delete(feed);
    }
  }

  has(feed: string): boolean {
    return this.feeds.has(feed) || this.series.has(feed);
  }

  /** One that keeps from entering whoever takes the bars that `takes` says yes to; undefined while none does. */
  first(takes: (instrument: InstrumentId, intervalMs: number) => boolean): string | undefined {
    for (const [feed, { instrument, intervalMs }] of this.series)
      if (takes(instrument, intervalMs)) return feed;
    return this.feeds.values().next().value;
  }
}
