import type { SweepRow } from './sweep-row.ts';

/** Equity of one run at the end of each UTC day that had a sample, oldest first, in minor units of its currency. */
export interface DailyEquity {
  /** Equity before the first of them: the cash at the start. */
  readonly start: number;
  readonly closes: Float64Array;
}

/** One variant as it was played: the row of the table, and what statistics across variants need. */
export interface PlayedVariant {
  readonly row: SweepRow;
  readonly daily: DailyEquity;
}
