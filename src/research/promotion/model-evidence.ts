import type { Instant } from '#base';
import type { CriterionVerdict, Measured } from './decide.ts';
import type { FigureName } from './profile.ts';

/** How far a model has come under its name. */
export type ModelStage = 'candidate' | 'paper' | 'live' | 'retired';

export const MODEL_STAGES: readonly ModelStage[] = ['candidate', 'paper', 'live', 'retired'];

/** What one test window of a walk-forward came to. */
export interface WindowScore {
  /** First bar of the test, and the first bar after it. */
  readonly from: Instant;
  readonly to: Instant;
  /** Sharpe ratio of the window; null where it has none: too few trades, or nothing moved. */
  readonly score: number | null;
  /** The search that made the model saw this window: its score is better than what it will do. */
  readonly chosenOn?: boolean;
}

/** A model that stood before, over the same windows and bars as the new one. */
export interface OlderModel {
  readonly model: string;
  readonly windows: readonly WindowScore[];
}

/** What speaks for a model: plain data without a wall clock, named by its own hash as the model is. */
export interface ModelEvidence {
  readonly schemaVersion: 1;
  /** Id of the model it speaks of, and of no other. */
  readonly model: string;
  /** SHA-256 of the bars it was measured on: those of the training. */
  readonly dataHash: string;
  /** Out of sample; what was not measured is left out. */
  readonly figures: Readonly<Partial<Record<FigureName, Measured>>>;
  /** Runs of the registry of runs that the figures were taken from. */
  readonly runs: readonly string[];
  /** The sweep or study that chose the hyper-parameters; null where nothing was chosen. */
  readonly study: string | null;
  /** The passport of the winner's run; null without one. */
  readonly passport: unknown;
  /** What the trainer itself came to; null where it did not judge. */
  readonly verdict: TrainersVerdict | null;
  /** Of the walk-forward, in time order. */
  readonly windows: readonly WindowScore[];
  /** Models it was held against. */
  readonly against: readonly OlderModel[];
  /** What makes it no evidence for a promotion: `no sentiment gate`. */
  readonly stamps: readonly string[];
}

/** A verdict with its reasons; the same words as the criteria of a promotion. */
export interface TrainersVerdict {
  readonly promoted: boolean;
  readonly profile: string;
  readonly criteria: readonly {
    readonly name: string;
    readonly figure: number | null;
    readonly needed: number | null;
    readonly verdict: CriterionVerdict;
  }[];
}

/** Where a record of evidence comes from, and why it may be believed here. */
export type EvidenceOrigin =
  /** A training on this machine made it. */
  | { readonly kind: 'here' }
  /** It was brought in, and the record of runs holds its runs, on the same data, with these very figures. */
  | { readonly kind: 'checked' }
  /** It was brought in, and signed by a key that is trusted here: the key's fingerprint. */
  | { readonly kind: 'signed'; readonly key: string }
  /** It was brought in, and nothing here bears it out. */
  | { readonly kind: 'elsewhere'; readonly why: string };

/** A record of evidence, and what it is to whoever judges here. */
export interface HeldEvidence {
  readonly evidence: ModelEvidence;
  readonly origin: EvidenceOrigin;
}

/** Whether anything is judged by it. Figures in a file are figures that anybody can write. */
export const isOurs = ({ origin }: HeldEvidence): boolean => origin.kind !== 'elsewhere';

/** Carried by a model for which nothing speaks but what somebody else says. */
export const NOT_OURS = 'evidence not ours';
