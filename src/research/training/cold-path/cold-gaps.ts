/** Holes in a series up to each bar: how many bars are missing between the first one and it. Times ascend. */
export function missingBefore(times: ArrayLike<number>, length: number, intervalMs: number): Int32Array {
  const out = new Int32Array(length);
  for (let i = 1; i < length; i++)
    out[i] = Math.max(out[i - 1]!, Math.round((times[i]! - times[0]!) / intervalMs) - i);
  return out;
}

/** Whether none of the newest `bars` bars at bar `i` is missing, as the desk's own gate asks (`noGap`). */
export const isWholeBehind = (missing: Int32Array, i: number, bars: number): boolean =>
  missing[i] === missing[Math.max(0, i - bars + 1)];
