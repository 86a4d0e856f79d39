import { InputError } from '#base';
import { columnarSources } from '../columnar.ts';
import { type Source, source } from '../source.ts';

export interface BreakoutConfig {
  /** Bars of the channel, the breaking bar not among them. */
  readonly bars: number;
  readonly name?: string;
  readonly horizonBars?: number;
}

interface BreakoutState {
  /** Channel up to and with bar number `count`. */
  upper: number;
  lower: number;
  count: number;
}

/**
 * Donchian breakout: Score +1 when the close exceeds the highest high of the `bars` bars before this one, -1 when it
 * falls below their lowest low. A close exactly on the channel does not break it. Silent on the first bar it sees and
 * after bars it was not shown.
 */
export function breakoutSource(config: BreakoutConfig): Source {
  const { bars, name = 'breakout', horizonBars = bars } = config;
  if (!(Number.isSafeInteger(bars) && bars > 0)) {
    throw new InputError(`${name}: ${bars} is not a number of bars`, 'use a whole number such as 20');
  }
  if (!(horizonBars > 0))
    throw new InputError(`${name}: horizonBars ${horizonBars} is not positive`, 'use 20');
  const made = source({
    name,
    emits: 'score',
    features: { upper: `donchian:${bars}/upper`, lower: `donchian:${bars}/lower` },
    state: (): BreakoutState => ({ upper: Number.NaN, lower: Number.NaN, count: 0 }),
    signal: (view, values, state) => {
      const fresh = state.count === view.count - 1;
      const value = fresh ? (view.close > state.upper ? 1 : view.close < state.lower ? -1 : 0) : 0;
      state.upper = values.upper;
      state.lower = values.lower;
      state.count = view.count;
      if (value === 0) return null;
      return { kind: 'score', source: name, value, horizonMs: horizonBars * view.intervalMs };
    },
  });
  return columnarSources.describe(made, { kind: 'breakout', bars });
}
