import { type BarStreams, RedisFeatureCache, RedisStreams } from '#adapters';
import type { Instant } from '#base';
import type { QueuedBar } from './queued-bar.ts';

/** What a chart's script sent with its newest bar. */
export interface ChartValues {
  readonly barTime: Instant;
  readonly values: Readonly<Record<string, unknown>>;
}

/** Bars of its own length after which values that were not renewed are forgotten. */
const KEPT_BARS = 3;

/**
 * The newest features that each chart sent, in the Redis of the queue: whoever reads Redis has them without a database.
 * Null over a file, where there is nobody to share them with.
 */
export function chartValuesOf(streams: BarStreams, desk: string) {
  if (!(streams instanceof RedisStreams)) return null;
  const cache = new RedisFeatureCache(streams.client, `s1:features:${desk}:`);
  const newest = new Map<string, Instant>();
  return {
    /** Of a bar that is in the store. Older ones than the newest change nothing. */
    async put({ series, bar, pine }: QueuedBar): Promise<void> {
      const { id, intervalMs } = series;
      if (pine === null || bar.time < (newest.get(id) ?? 0)) return;
      newest.set(id, bar.time);
      await cache.set(id, `{"barTime":${bar.time},"values":${pine}}`, KEPT_BARS * intervalMs);
    },
    async get(config: string): Promise<ChartValues | null> {
      const text = await cache.get(config);
      return text === null ? null : (JSON.parse(text) as ChartValues);
    },
  };
}
