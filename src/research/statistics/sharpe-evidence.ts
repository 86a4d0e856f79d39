import { assert } from '#base';
import { normalCdf, normalQuantile } from '#features';
import { deviation } from '#learning';
import { type Moments, momentsOf } from './moments.ts';

const EULER_MASCHERONI = 0.5772156649015329;

/** A Sharpe ratio per period with what its uncertainty depends on; kurtosis is full (a normal sample has 3). */
export interface SharpeFigures {
  readonly sharpe: number;
  readonly n: number;
  readonly skew: number;
  readonly kurtosis: number;
}

/** Figures of a return series; null for fewer than two returns and for returns that do not move. */
export function sharpeFigures(returns: ArrayLike<number>): SharpeFigures | null {
  const moments = momentsOf(returns);
  return moments === null ? null : figuresOf(moments);
}

const figuresOf = ({ n, mean, deviation: sd, skew, kurtosis }: Moments): SharpeFigures => ({
  sharpe: mean / sd,
  n,
  skew,
  kurtosis,
});

/** (n-1) times the variance of a Sharpe estimate: 1 - skew*SR + (kurtosis-1)/4*SR^2 (Mertens 2002). Never negative. */
const spreadOf = ({ sharpe, skew, kurtosis }: SharpeFigures): number =>
  1 - skew * sharpe + ((kurtosis - 1) / 4) * sharpe * sharpe;

/**
 * Probabilistic Sharpe ratio: the probability that the true Sharpe ratio is above `benchmark`, both per period
 * (Bailey and Lopez de Prado 2012, The Sharpe Ratio Efficient Frontier). Null for fewer than two periods and for a
 * two-point distribution at its own limit, where the estimate has no spread.
 */
export function probabilisticSharpe(figures: SharpeFigures, benchmark = 0): number | null {
  const spread = spreadOf(figures);
  if (figures.n < 2 || !(spread > 0)) return null;
  return normalCdf(((figures.sharpe - benchmark) * Math.sqrt(figures.n - 1)) / Math.sqrt(spread));
}

/**
 * Minimum track record length: how many periods with these figures it takes for PSR(benchmark) to reach
 * `confidence` (the same paper). `n` of the figures is not used. Null when the Sharpe ratio is not above the
 * benchmark: no length would do.
 */
export function minimumTrackRecord(
  figures: Omit<SharpeFigures, 'n'>,
  benchmark = 0,
  confidence = 0.95,
): number | null {
  assert(confidence > 0.5 && confidence < 1, 'a confidence lies between 0.5 and 1');
  const excess = figures.sharpe - benchmark;
  if (!(excess > 0)) return null;
  return 1 + spreadOf({ ...figures, n: 0 }) * (normalQuantile(confidence) / excess) ** 2;
}

/**
 * SR*: the Sharpe ratio per period that the best of `trials` independent trials without skill is expected to reach,
 * where the trials' Sharpe ratios have this variance (Bailey and Lopez de Prado 2014, The Deflated Sharpe Ratio).
 * `trials` may be an effective, fractional number; 0 up to one trial, and never below 0 (the approximation is
 * negative for fractions close to 1).
 */
export function expectedBestSharpe(variance: number, trials: number): number {
  assert(variance >= 0 && trials >= 1, 'trials have a variance of at least 0 and a number of at least 1');
  if (trials === 1) return 0;
  const best =
    (1 - EULER_MASCHERONI) * normalQuantile(1 - 1 / trials) +
    EULER_MASCHERONI * normalQuantile(1 - 1 / (trials * Math.E));
  return Math.max(0, Math.sqrt(variance) * best);
}

/**
 * Deflated Sharpe ratio: PSR against {@link expectedBestSharpe}, so the probability that the best of many trials has
 * skill. `variance` is that of the trials' Sharpe ratios per period, `trials` their effective number.
 */
export function deflatedSharpe(figures: SharpeFigures, variance: number, trials: number): number | null {
  return probabilisticSharpe(figures, expectedBestSharpe(variance, trials));
}

/** Variance (ddof 1) of trials' Sharpe ratios; 0 for fewer than two. */
export function sharpeVariance(sharpes: ArrayLike<number>): number {
  return sharpes.length < 2 ? 0 : deviation(sharpes) ** 2;
}
