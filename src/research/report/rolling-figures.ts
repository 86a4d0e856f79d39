import { deviation } from '#learning';
import { sharpeOf } from '../statistics/moments.ts';

/** Figures of the `window` returns up to each one; null before the window is full and where they are not defined. */
export interface RollingFigures {
  readonly sharpe: readonly (number | null)[];
  /** Deviation (ddof 1) a year. */
  readonly volatility: readonly (number | null)[];
}

export function rollingFigures(
  returns: ArrayLike<number>,
  window: number,
  periodsPerYear: number,
): RollingFigures {
  const sharpe: (number | null)[] = [];
  const volatility: (number | null)[] = [];
  const all = Float64Array.from(returns);
  for (let end = 1; end <= all.length; end++) {
    const part = end < window ? null : all.subarray(end - window, end);
    sharpe.push(part === null ? null : sharpeOf(part, periodsPerYear));
    volatility.push(part === null ? null : deviation(part) * Math.sqrt(periodsPerYear));
  }
  return { sharpe, volatility };
}

/**
 * Days of a rolling window that suits a run: 30, fewer for a run below three months, at least 7, up to a year for a run of many; null below 14
 * days. */
export function windowFor(days: number): number | null {
  if (days < 14) return null;
  // 30 days of a run over decades are noise from edge to edge
  return Math.max(7, Math.min(30, Math.floor(days / 3)), Math.min(365, Math.floor(days / 14)));
}
