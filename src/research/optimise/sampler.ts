import type { Chance } from '#base';
import type { History } from './history.ts';

/** Which sampler proposes trials, with its options; plain data that is stored with the study. */
export type SamplerSpec = { readonly kind: 'random' } | GridSpec | TpeSpec | CmaEsSpec;

/** Every combination once, in order, the last parameter fastest. */
export interface GridSpec {
  readonly kind: 'grid';
  /** Values taken of a parameter without a step, evenly from end to end (of the logarithm where `log` is set). */
  readonly levels?: Readonly<Record<string, number>>;
}

export interface TpeSpec {
  readonly kind: 'tpe';
  /** Joint densities over the parameters that exist together; false: one for each parameter. Default true. */
  readonly multivariate?: boolean;
  /** Random trials before the densities are used. Default 10. */
  readonly startup?: number;
  /** Candidates drawn for one proposal. Default 24. */
  readonly candidates?: number;
}

export interface CmaEsSpec {
  readonly kind: 'cma-es';
  /** First deviation as a share of every range. Default 0.3, as Hansen's tutorial advises. */
  readonly sigma?: number;
  /** Trials of a generation; by default 4 + floor(3 ln d). */
  readonly population?: number;
}

/** Proposes points. Every draw comes from the trial's own chance, so a proposal depends on nothing but the history. */
export interface Sampler {
  /**
   * Fills `into` with the coordinates of the next trial, NaN for parameters that do not exist there. Returns what the
   * trial's record must remember for this sampler (plain numbers), or null when nothing; 'exhausted' when there are
   * no further points.
   */
  propose(history: History, chance: Chance, into: Float64Array): readonly number[] | null | 'exhausted';
  /** A trial of this sampler was finished or failed; called in the order of telling, also when a study is resumed. */
  told?(history: History, row: number, memo: readonly number[] | null): void;
}
