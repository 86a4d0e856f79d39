import { DAY } from '#base';

/** Values at rising times, epoch milliseconds. */
export interface Series {
  readonly times: ArrayLike<number>;
  readonly values: ArrayLike<number>;
}

/**
 * A series for drawing: of each of `buckets` equal spans of time the first, lowest, highest and last value, each once and in
 * their order, so that no spike vanishes however many values a pixel stands for. Short series stay as they are.
 */
export function thinSeries(
  { times, values }: Series,
  buckets: number,
): { times: number[]; values: number[] } {
  const n = times.length;
  const keep = new Set<number>();
  if (n <= 2 * buckets) for (let i = 0; i < n; i++) keep.add(i);
  const from = times[0]!;
  const width = (times[n - 1]! - from) / buckets || 1;
  for (let i = 0; n > 2 * buckets && i < n; ) {
    const bucket = Math.min(buckets - 1, Math.floor((times[i]! - from) / width));
    let [low, high, last] = [i, i, i];
    keep.add(i);
    for (; i < n && Math.min(buckets - 1, Math.floor((times[i]! - from) / width)) === bucket; i++) {
      if (values[i]! < values[low]!) low = i;
      if (values[i]! > values[high]!) high = i;
      last = i;
    }
    keep.add(low).add(high).add(last);
  }
  const order = [...keep].sort((a, b) => a - b);
  return { times: order.map((i) => times[i]!), values: order.map((i) => values[i]!) };
}

/** End of the UTC day that a moment belongs to: what happens at 00:00 belongs to the day that ends there. */
const dayEndOf = (at: number): number => Math.ceil(at / DAY) * DAY;

/** The last value of each UTC day that has one, at the end of the day. */
export function dailyCloses({ times, values }: Series): { times: number[]; values: number[] } {
  const out = { times: [] as number[], values: [] as number[] };
  for (let i = 0; i < times.length; i++) {
    const end = dayEndOf(times[i]!);
    if (out.times.at(-1) !== end) {
      out.times.push(end);
      out.values.push(values[i]!);
    } else out.values[out.values.length - 1] = values[i]!;
  }
  return out;
}

/** How far each value lies below the highest so far, as a fraction of it: 0 and below. A peak that is not above 0 has none. */
export function drawdownSeries({ times, values }: Series): Series {
  let peak = Number.NEGATIVE_INFINITY;
  const falls = Array.from(values, (value) => {
    if (value > peak) peak = value;
    return peak > 0 && value < peak ? value / peak - 1 : 0;
  });
  return { times, values: falls };
}

/** The value at or before a time; null before the first. */
export function valueAt({ times, values }: Series, at: number): number | null {
  let low = 0;
  let high = times.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (times[middle]! <= at) low = middle + 1;
    else high = middle;
  }
  return low === 0 ? null : values[low - 1]!;
}
