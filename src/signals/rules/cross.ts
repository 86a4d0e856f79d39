import { InputError } from '#base';
import { columnarSources } from '../columnar.ts';
import { type Source, source } from '../source.ts';

/** State of a cross: the sign of the last difference that was not zero; 0 before the first. */
export interface CrossState {
  side: 1 | 0 | -1;
}

/** Differences below this share of the lines are rounding of running sums: prices on a grid often make lines equal. */
export const CROSS_TOLERANCE = 1e-12;

/**
 * 1 when the fast line has crossed above the slow one, -1 below, else 0. A cross is a change of sign against the
 * last difference that was not zero (to 1e-12 of the lines): touching the other line and turning back is none, and
 * neither is the first defined difference. Undefined values leave the state as it is.
 */
export function crossed(state: CrossState, fast: number, slow: number): 1 | 0 | -1 {
  const before = state.side;
  const now = sideOf(fast, slow);
  if (now === 0 || now === before) return 0;
  state.side = now;
  return before === 0 ? 0 : now;
}

/** On which side of the slow line the fast one is; 0 when they are the same or undefined. */
function sideOf(fast: number, slow: number): 1 | 0 | -1 {
  const difference = fast - slow;
  if (!(Math.abs(difference) > CROSS_TOLERANCE * Math.max(Math.abs(fast), Math.abs(slow)))) return 0;
  return difference > 0 ? 1 : -1;
}

export interface CrossConfig {
  /** Feature expressions, for example `sma:10` and `sma:30`. */
  readonly fast: string;
  readonly slow: string;
  readonly name?: string;
  /** Bars over which the score claims to hold. */
  readonly horizonBars?: number;
}

/** Score +1 on the bar where `fast` crosses above `slow`, -1 where it crosses below, silent otherwise. */
export function crossSource(config: CrossConfig): Source {
  const { fast, slow, name = 'cross', horizonBars = 20 } = config;
  if (!(horizonBars > 0))
    throw new InputError(`${name}: horizonBars ${horizonBars} is not positive`, 'use 20');
  const made = source({
    name,
    emits: 'score',
    features: { fast, slow },
    state: (): CrossState => ({ side: 0 }),
    signal: (view, values, state) => {
      const value = crossed(state, values.fast, values.slow);
      if (value === 0) return null;
      return { kind: 'score', source: name, value, horizonMs: horizonBars * view.intervalMs };
    },
    speaksAt: ({ fast, slow }, from, to, { side }) => {
      for (let row = from; row < to; row++) {
        const now = sideOf(fast[row]!, slow[row]!);
        if (now !== 0 && now !== side) return row;
      }
      return to;
    },
  });
  return columnarSources.describe(made, { kind: 'cross', fast, slow });
}
