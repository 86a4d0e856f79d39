import type { SentimentScorerName } from '#signals';

/** Scores texts about a company or an asset. The same texts give the same scores, whatever else is scored with them. */
export interface SentimentScorer {
  /** Stands in everything that rests on its scores. */
  readonly name: SentimentScorerName;
  /** What exactly scores, for records: the hash of the model, the version of the list. */
  readonly version: string;
  /** P(positive) - P(negative) of each text, -1..1, rounded to six decimals. */
  score(texts: readonly string[]): Promise<number[]>;
  close(): Promise<void>;
}

/** Rounds a score so that the last digits of a sum, which differ by the shape of a batch, do not show. Never gives -0. */
export const roundedScore = (score: number): number => Math.round(score * 1e6) / 1e6 + 0;
