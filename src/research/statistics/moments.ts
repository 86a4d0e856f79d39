import { deviation, mean } from '#learning';

/** Below this share of the mean's size a deviation is rounding error, not movement. */
const ROUNDING = 1e-10;

export interface Moments {
  readonly n: number;
  readonly mean: number;
  /** Sample deviation (ddof 1), above 0. */
  readonly deviation: number;
  /** Third and fourth standardised moments of the population (divisor n); a normal sample has 0 and 3. */
  readonly skew: number;
  readonly kurtosis: number;
}

/** The four moments; null for fewer than two values and for values that do not move. */
export function momentsOf(values: ArrayLike<number>): Moments | null {
  const n = values.length;
  const m = mean(values);
  const sd = deviation(values);
  if (!moves(m, sd)) return null;
  let squares = 0;
  let cubes = 0;
  let fourths = 0;
  for (let i = 0; i < n; i++) {
    const d = values[i]! - m;
    const d2 = d * d;
    squares += d2;
    cubes += d2 * d;
    fourths += d2 * d2;
  }
  const variance = squares / n;
  return {
    n,
    mean: m,
    deviation: sd,
    skew: cubes / n / variance ** 1.5,
    kurtosis: fourths / n / (variance * variance),
  };
}

/** Whether a deviation is more than the rounding error of equal values. False for NaN. */
export const moves = (m: number, sd: number): boolean => sd > ROUNDING * Math.abs(m);

/**
 * Sharpe ratio: mean / sample deviation (ddof 1) * sqrt(periodsPerYear); 1 leaves it per period. Null for fewer than
 * two values and for values that do not move: never infinite.
 */
export function sharpeOf(values: ArrayLike<number>, periodsPerYear = 1): number | null {
  const m = mean(values);
  const sd = deviation(values);
  return moves(m, sd) ? (m / sd) * Math.sqrt(periodsPerYear) : null;
}

/**
 * Sortino ratio: mean / sqrt(mean(min(r, 0)^2)) over all observations, times sqrt(periodsPerYear). Null without a
 * falling period.
 */
export function sortinoOf(values: ArrayLike<number>, periodsPerYear = 1): number | null {
  let squares = 0;
  for (let i = 0; i < values.length; i++) squares += Math.min(values[i]!, 0) ** 2;
  const downside = Math.sqrt(squares / values.length);
  return downside > 0 ? (mean(values) / downside) * Math.sqrt(periodsPerYear) : null;
}

/**
 * Simple returns of n+1 equities: n values, in `out` where one of that length is given. Null where an equity that a return
 * stands on is not above 0.
 */
export function returnsOf(
  equity: ArrayLike<number>,
  out = new Float64Array(Math.max(0, equity.length - 1)),
): Float64Array | null {
  for (let i = 0; i < out.length; i++) {
    if (!(equity[i]! > 0)) return null;
    out[i] = equity[i + 1]! / equity[i]! - 1;
  }
  return out;
}

/** The p-quantile of values sorted upward, linear interpolation between order statistics; NaN for none. */
export function quantileOf(sorted: ArrayLike<number>, p: number): number {
  const at = p * (sorted.length - 1);
  const low = Math.floor(at);
  const left = sorted[low] ?? Number.NaN;
  const right = sorted[low + 1] ?? left;
  return at === low ? left : left + (at - low) * (right - left);
}
