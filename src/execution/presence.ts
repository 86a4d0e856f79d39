import type { Instant } from '#base';
import { FRESH_MS } from './venue-options.ts';
import type { Track } from './venue-state.ts';

/** Depth or quotes are present: matching happens on them. */
export const isQuoted = (track: Track, at: Instant): boolean =>
  track.depthAt > at - FRESH_MS || track.quoteAt > at - FRESH_MS;

export const hasDepth = (track: Track, at: Instant): boolean => track.depthAt > at - FRESH_MS;

export const isPrinted = (track: Track, at: Instant): boolean => track.printAt > at - FRESH_MS;

/** Marks speak for the time since `from`, so that prices do not liquidate. */
export const isMarked = (track: Track, from: Instant): boolean => track.markAt > from - FRESH_MS;

/** Marks are matched on only where nothing finer is present: no quotes, no prints, and no bars that come as often. */
export const matchesOnMarks = (track: Track, at: Instant): boolean => {
  if (isQuoted(track, at) || isPrinted(track, at)) return false;
  const barsLive = track.finestAt > at - 2 * track.finestMs;
  return !barsLive || track.markGap < track.finestMs;
};

/** The newest time at which something finer than bars was seen. */
export function finerThanBars(track: Track): Instant {
  const tick = Math.max(track.depthAt, track.quoteAt, track.printAt);
  return track.markGap < track.finestMs ? Math.max(tick, track.markAt) : tick;
}

/**
 * Whether bars of this interval are the finest data for the span that begins at `from`. A shorter interval takes
 * over at once; a longer one only when the shorter has stopped.
 */
export function matchesOnBars(track: Track, intervalMs: number, from: Instant): boolean {
  if (finerThanBars(track) > from) return false;
  if (intervalMs > track.finestMs && track.finestAt > from) return false;
  return true;
}
