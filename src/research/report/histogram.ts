export interface Histogram {
  /** Width of a bin, a round number. */
  readonly step: number;
  /** Left edges are multiples of the step, so that 0 is an edge. A value on an edge belongs to the bin that begins there. */
  readonly bins: readonly { readonly from: number; readonly count: number }[];
}

/** Steps below it would lose their digits. */
const SMALLEST = 1e-290;

/** Counts in at most about `most` bins of round width; null for no values. */
export function histogramOf(values: ArrayLike<number>, most = 30): Histogram | null {
  if (values.length === 0) return null;
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < values.length; i++) {
    low = Math.min(low, values[i]!);
    high = Math.max(high, values[i]!);
  }
  const size = Math.max(Math.abs(low), Math.abs(high));
  // values that differ by rounding alone share a bin
  const step = roundStep(Math.max((high - low || size || 1) / most, 1e-12 * size, SMALLEST));
  const first = Math.floor(low / step);
  const counts = new Array<number>(Math.floor(high / step) - first + 1).fill(0);
  for (let i = 0; i < values.length; i++) counts[Math.floor(values[i]! / step) - first]! += 1;
  return { step, bins: counts.map((count, i) => ({ from: (first + i) * step, count })) };
}

/** The smallest of 1, 2, 2.5 and 5 times a power of ten that is not below `least`. */
function roundStep(least: number): number {
  const power = 10 ** Math.floor(Math.log10(least));
  const factor = [1, 2, 2.5, 5, 10].find((one) => one * power >= least * (1 - 1e-12));
  return (factor ?? 10) * power;
}
