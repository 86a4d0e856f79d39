import { DAY, floorTo } from '#base';
import type { BarClosed, BarColumns } from '#market';
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

/** {@link recordBar} of bars that follow one another, each ended when its interval had; not for venues with price bands. */
export function recordBars(
  track: Track,
  { time, close, volume }: BarColumns,
  intervalMs: number,
  from: number,
  to: number,
): void {
  const last = to - 1;
  track.finestMs = intervalMs;
  track.finestAt = time[last]! + intervalMs;
  track.price = close[last]!;
  track.lastVolume = volume[last]!;
  const window = track.closes.length;
  if (window > 0) {
    for (let row = Math.max(from, to - window); row < to; row++) {
      const i = (track.bars + row - from) % window;
      track.closes[i] = close[row]!;
      track.volumes[i] = volume[row]!;
    }
  }
  track.bars += to - from;
  if (track.fundings.length > 0) track.fundings.length = 0;
}
