import type { InstrumentId } from '#market';
import type { Exposure } from './account.ts';
import { heat } from './limits/heat.ts';

/** One-sided 95 % quantile of the normal distribution. */
const Z_95 = 1.6448536269514722;

export interface ValueAtRisk {
  /** Loss that is not exceeded in 95 of 100 such spans, in the unit of the exposures' notional; null: not known. */
  readonly amount: number | null;
  /** Instruments held whose deviation is not known yet: with any of them the amount is null. */
  readonly unknown: readonly InstrumentId[];
}

/**
 * Parametric (variance-covariance) value at risk at 95 %: z * sqrt(n) * sqrt(v'Rv), with v the signed notional times the
 * standard deviation of one period's return, R the correlations and n the periods of the span; means taken as 0
 * (J.P. Morgan/Reuters, RiskMetrics Technical Document, 1996).
 */
export function valueAtRisk(
  exposures: readonly Exposure[],
  deviationOf: (instrument: InstrumentId) => number | null,
  correlation: (a: InstrumentId, b: InstrumentId) => number,
  periods: number,
): ValueAtRisk {
  const unknown = new Set<InstrumentId>();
  const risks = exposures.map(({ instrument, direction, notional }) => {
    const deviation = deviationOf(instrument);
    if (deviation === null) unknown.add(instrument);
    return { instrument, weight: direction * notional * (deviation ?? 0) };
  });
  if (unknown.size > 0) return { amount: null, unknown: [...unknown].sort() };
  const amount = Z_95 * Math.sqrt(periods) * heat(risks, correlation);
  return { amount: Number.isFinite(amount) ? amount : null, unknown: [] };
}
