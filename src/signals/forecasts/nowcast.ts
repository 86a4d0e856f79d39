import { InputError, type Instant } from '#base';
import { normalCdf } from '#features';
import { type Source, source } from '../source.ts';

export interface NowcastConfig {
  /** Subject of the observation whose newest value is the expected outcome. */
  readonly subject: string;
  /** Standard deviation of outcome minus nowcast, in the observation's unit. */
  readonly sigma: number;
  /** Resolves yes at or above this; half a step below the printed strike where outcomes are rounded. */
  readonly above?: number;
  /** Resolves yes below this. With `above` it bounds a bracket. */
  readonly below?: number;
  /** An older value is not used. */
  readonly ageMsMax: number;
  readonly resolvesAt: Instant;
  readonly name?: string;
}

/** P(above <= X < below) for X normal around `mean`; a missing bound is infinite. */
export function bracketProbability(mean: number, sigma: number, above?: number, below?: number): number {
  // Taken in the tail that is small: two values near 1 would lose its digits.
  const low = above === undefined ? Number.NEGATIVE_INFINITY : (above - mean) / sigma;
  const high = below === undefined ? Number.POSITIVE_INFINITY : (below - mean) / sigma;
  return low > 0 ? normalCdf(-low) - normalCdf(-high) : normalCdf(high) - normalCdf(low);
}

/** Forecast "resolves yes" of a number that is published later, from a nowcast with a known error. */
export function nowcastForecast(config: NowcastConfig): Source {
  const { subject, sigma, above, below, ageMsMax, resolvesAt, name = 'nowcast' } = config;
  if (!(sigma > 0 && Number.isFinite(sigma))) {
    throw new InputError(`${name}: sigma ${sigma} is not a positive number`, 'give the error of the nowcast');
  }
  if (
    (above === undefined && below === undefined) ||
    (above !== undefined && below !== undefined && above >= below)
  ) {
    throw new InputError(`${name}: the claim holds always or never`, 'give above, below or both in order');
  }
  return source({
    name,
    emits: 'forecast',
    features: {},
    signal: (view) => {
      const seen = view.observation(subject);
      if (seen === null || typeof seen.value !== 'number' || !Number.isFinite(seen.value)) return null;
      const horizonMs = resolvesAt - view.at;
      if (view.at - seen.publishedAt > ageMsMax || horizonMs <= 0) return null;
      const probability = bracketProbability(seen.value, sigma, above, below);
      if (!(probability >= 0 && probability <= 1)) return null;
      return { kind: 'forecast', source: name, claim: 'resolves-yes', probability, horizonMs };
    },
  });
}
