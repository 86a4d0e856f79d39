import { trueRange } from './lines.ts';

/**
 * Loops over columns for kernels whose work on a row is so little that the compiler's own checks are most of it. They
 * are functions of their own, step with `| 0` (no index can then overflow) and do the first row by itself (what a column
 * is and where it lies is then looked up before the loop, not in every turn of it); where no division takes longer than
 * that, they take several rows a turn. Rows from..to-1 of `y` are filled.
 */

/** Rows of one call: few enough that a long run enters the loop often (see `inBlocks`), many enough to spread the calls. */
export const SPAN = 16_384;

/** y = x - x[n rows before]. */
export function changes(x: Float64Array, y: Float64Array, n: number, from: number, to: number): void {
  const end = to | 0;
  let i = from | 0;
  if (i >= end) return;
  y[i] = x[i] - x[(i - n) | 0];
  i = (i + 1) | 0;
  for (const eights = (end - 7) | 0; i < eights; i = (i + 8) | 0) {
    const j = (i - n) | 0;
    y[i] = x[i] - x[j];
    const b = (i + 1) | 0;
    y[b] = x[b] - x[(j + 1) | 0];
    const c = (i + 2) | 0;
    y[c] = x[c] - x[(j + 2) | 0];
    const d = (i + 3) | 0;
    y[d] = x[d] - x[(j + 3) | 0];
    const e = (i + 4) | 0;
    y[e] = x[e] - x[(j + 4) | 0];
    const f = (i + 5) | 0;
    y[f] = x[f] - x[(j + 5) | 0];
    const g = (i + 6) | 0;
    y[g] = x[g] - x[(j + 6) | 0];
    const h = (i + 7) | 0;
    y[h] = x[h] - x[(j + 7) | 0];
  }
  for (; i < end; i = (i + 1) | 0) y[i] = x[i] - x[(i - n) | 0];
}

/** y = (x / x[n rows before] - 1) * 100. */
export function rates(x: Float64Array, y: Float64Array, n: number, from: number, to: number): void {
  const end = to | 0;
  let i = from | 0;
  if (i >= end) return;
  y[i] = (x[i] / x[(i - n) | 0] - 1) * 100;
  for (i = (i + 1) | 0; i < end; i = (i + 1) | 0) y[i] = (x[i] / x[(i - n) | 0] - 1) * 100;
}

/**
 * True ranges; there is a close before the first row. Four closes that lie in the next bars, the usual case where trade
 * never rests, are found without a jump.
 */
export function trueRanges(
  high: Float64Array,
  low: Float64Array,
  close: Float64Array,
  y: Float64Array,
  from: number,
  to: number,
): void {
  const end = to | 0;
  let i = from | 0;
  if (i >= end) return;
  y[i] = trueRange(high[i], low[i], close[(i - 1) | 0]);
  let before = close[i];
  i = (i + 1) | 0;
  for (const fours = (end - 3) | 0; i < fours; i = (i + 4) | 0) {
    const b = (i + 1) | 0;
    const c = (i + 2) | 0;
    const d = (i + 3) | 0;
    const a1 = high[i];
    const a2 = low[i];
    const a3 = close[i];
    const b1 = high[b];
    const b2 = low[b];
    const b3 = close[b];
    const c1 = high[c];
    const c2 = low[c];
    const c3 = close[c];
    const d1 = high[d];
    const d2 = low[d];
    if (
      before <= a1 &&
      before >= a2 &&
      a3 <= b1 &&
      a3 >= b2 &&
      b3 <= c1 &&
      b3 >= c2 &&
      c3 <= d1 &&
      c3 >= d2
    ) {
      y[i] = a1 - a2;
      y[b] = b1 - b2;
      y[c] = c1 - c2;
      y[d] = d1 - d2;
    } else {
      y[i] = trueRange(a1, a2, before);
      y[b] = trueRange(b1, b2, a3);
      y[c] = trueRange(c1, c2, b3);
      y[d] = trueRange(d1, d2, c3);
    }
    before = close[d];
  }
  for (; i < end; i = (i + 1) | 0) {
    y[i] = trueRange(high[i], low[i], before);
    before = close[i];
  }
}
