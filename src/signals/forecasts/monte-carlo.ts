import { InputError } from '#base';
import { type Source, source } from '../source.ts';

export interface MonteCarloConfig {
  /** Bars the drift and volatility are taken from, bars simulated, and paths. */
  readonly window?: number;
  readonly horizonBars?: number;
  readonly paths?: number;
  readonly name?: string;
}

/**
 * Forecast "up at the horizon" from simulated geometric Brownian paths with the drift and volatility of the last
 * bars. It is a baseline: the drift of so few bars is mostly noise, so pool it only after calibration.
 */
export function monteCarloForecast(config: MonteCarloConfig = {}): Source {
  const { window = 100, horizonBars = 12, paths = 1000, name = 'monte-carlo' } = config;
  if (![window, horizonBars, paths].every((n) => Number.isSafeInteger(n) && n > 0)) {
    throw new InputError(
      `${name}: window, horizonBars and paths must be positive whole numbers`,
      'use 100, 12, 1000',
    );
  }
  return source({
    name,
    emits: 'forecast',
    features: { pUp: `mc:${window}:${horizonBars}:${paths}/p_up` },
    signal: (view, { pUp }) => {
      if (!(pUp >= 0 && pUp <= 1)) return null;
      const horizonMs = horizonBars * view.intervalMs;
      return { kind: 'forecast', source: name, claim: 'up-at-horizon', probability: pUp, horizonMs };
    },
  });
}
