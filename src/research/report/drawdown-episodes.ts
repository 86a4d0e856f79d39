import type { Series } from './series.ts';

/** A fall from a peak until the peak is reached again. */
export interface DrawdownEpisode {
  readonly from: number;
  readonly trough: number;
  /** When the peak was reached again; null when it was not. */
  readonly to: number | null;
  /** Fraction of the peak. */
  readonly depth: number;
}

/** The `count` deepest falls, the deepest first. */
export function drawdownEpisodes({ times, values }: Series, count: number): DrawdownEpisode[] {
  const episodes: DrawdownEpisode[] = [];
  let peak = 0;
  let low = 0;
  const close = (to: number | null) => {
    if (low > peak && values[peak]! > 0) {
      const depth = 1 - values[low]! / values[peak]!;
      episodes.push({ from: times[peak]!, trough: times[low]!, to, depth });
    }
  };
  for (let i = 1; i < times.length; i++) {
    if (values[i]! >= values[peak]!) {
      close(times[i]!);
      peak = i;
      low = i;
    } else if (low === peak || values[i]! < values[low]!) low = i;
  }
  if (times.length > 0) close(null);
  return episodes.sort((a, b) => b.depth - a.depth || a.from - b.from).slice(0, count);
}
