import { InputError } from '#base';
import { fitHmm, type HmmFit, type HmmFitOptions } from './fit-hmm.ts';
import type { HmmRows } from './hmm-rows.ts';

export interface StateChoice {
  /** The fit with the lowest BIC; of equal ones the one with fewer states. */
  readonly best: HmmFit;
  /** One for each number of states, fewest first. */
  readonly fits: readonly HmmFit[];
}

/** Fits a model for each number of states and chooses by Schwarz's criterion (BIC, 1978). */
export function chooseStates(
  rows: HmmRows,
  states: readonly number[],
  options: Omit<HmmFitOptions, 'states' | 'start'>,
): StateChoice {
  if (states.length === 0) throw new InputError('no number of states', 'give some, such as 1, 2, 3, 4');
  const fits = [...states].sort((a, b) => a - b).map((k) => fitHmm(rows, { ...options, states: k }));
  const best = fits.reduce((least, fit) => (fit.bic < least.bic ? fit : least));
  return { best, fits };
}
