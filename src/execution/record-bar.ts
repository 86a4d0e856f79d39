import { DAY, floorTo } from '#base';
import type { BarClosed } from '#market';
import type { SimulatedVenueOptions } from './venue-options.ts';
import { NEVER, type Track } from './venue-state.ts';

/** Keeps of a closed bar what later fills need: last price, recent closes and volumes, the previous day's close. */
export function recordBar(track: Track, event: BarClosed, options: SimulatedVenueOptions): void {
  const { bar, intervalMs } = event;
  track.finestMs = intervalMs;
  track.finestAt = event.eventTime;
  track.price = bar.close;
  track.lastVolume = bar.volume;
  const window = track.closes.length;
  if (window > 0) {
    const i = track.bars % window;
    track.closes[i] = bar.close;
    track.volumes[i] = bar.volume;
  }
  track.bars += 1;
  if (track.fundings.length > 0) track.fundings.length = 0;
  if (!options.priceBand) return;
  const day = floorTo(bar.time, DAY);
  if (day > track.day) {
    if (track.day !== NEVER) track.previousClose = track.dayClose;
    track.day = day;
  }
  track.dayClose = bar.close;
}
