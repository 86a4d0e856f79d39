import type { BookChanged } from '#market';
import { isPrice, isSize } from './believable.ts';
import type { Level, Track } from './venue-state.ts';

/** Puts changed levels into one side of a book, best first. Levels that are no numbers are ignored. */
function applySide(
  levels: Level[],
  changes: readonly (readonly [number, number])[],
  bids: boolean,
  priceMost: number,
): void {
  for (const [price, size] of changes) {
    if (!isPrice(price, priceMost) || !isSize(size)) continue;
    let i = 0;
    while (i < levels.length && (bids ? levels[i]![0] > price : levels[i]![0] < price)) i += 1;
    const found = levels[i]?.[0] === price;
    if (size === 0) {
      if (found) levels.splice(i, 1);
    } else if (found) levels[i]![1] = size;
    else levels.splice(i, 0, [price, size]);
  }
}

/** Applies a book change to what the venue can match on. Levels a newer price crosses are stale and go. */
export function applyDepth(track: Track, event: BookChanged, priceMost: number): void {
  if (event.snapshot) {
    track.bids = [];
    track.asks = [];
  }
  applySide(track.bids, event.bids, true, priceMost);
  applySide(track.asks, event.asks, false, priceMost);
  const bidsMoved = event.bids.length > 0;
  while (track.bids.length > 0 && track.asks.length > 0 && track.bids[0]![0] >= track.asks[0]![0]) {
    (bidsMoved ? track.asks : track.bids).shift();
  }
}
