import { InputError } from '#base';
import { columnarSources } from '../columnar.ts';
import { type Source, source } from '../source.ts';

/** Directions that were reckoned beforehand: by the open time of the bar whose close they belong to. */
export interface SeriesConfig {
  /** Open times of bars, ascending, epoch ms. */
  readonly times: Float64Array;
  /** 1 long, -1 short, 0 nothing: one for each time. */
  readonly directions: Int8Array;
  readonly name?: string;
  readonly horizonBars?: number;
}

/** Index of `time` in ascending `times` from `from` on, or -1. */
export function placeOf(times: Float64Array, time: number, from = 0): number {
  let low = from;
  let high = times.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (times[middle]! < time) low = middle + 1;
    else high = middle;
  }
  return low < times.length && times[low] === time ? low : -1;
}

/**
 * Says what a series says: Score +1 or -1 at the close of each bar that has a direction other than 0, silent at all others. For
 * signals that come from elsewhere, such as the out-of-sample predictions of a walk-forward.
 */
export function seriesSource(config: SeriesConfig): Source {
  const { times, directions, name = 'series', horizonBars = 1 } = config;
  if (times.length !== directions.length)
    throw new InputError(
      `${name}: ${times.length} times and ${directions.length} directions`,
      'give each time one direction',
    );
  for (let i = 0; i < times.length; i++) {
    if (!Number.isSafeInteger(times[i]) || (i > 0 && times[i]! <= times[i - 1]!))
      throw new InputError(`${name}: time ${i} is out of order`, 'give ascending open times of bars');
    if (Math.abs(directions[i]!) > 1)
      throw new InputError(`${name}: direction ${directions[i]} at ${i}`, 'use 1, -1 or 0');
  }
  const made = source({
    name,
    emits: 'score',
    features: {},
    signal: (view) => {
      const bars = view.frame.bars;
      const place = placeOf(times, bars.time[bars.length - 1]!);
      const value = place < 0 ? 0 : directions[place]!;
      if (value === 0) return null;
      return { kind: 'score', source: name, value, horizonMs: horizonBars * view.intervalMs };
    },
  });
  return columnarSources.describe(made, { kind: 'series', times, directions });
}
