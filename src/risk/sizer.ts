import type { Instant } from '#base';
import type { Decision, Objection } from '#ensemble';
import type { Instrument } from '#market';
import type { AccountSummary } from './account.ts';
import type { SizeCut } from './plan.ts';

/** Feature expression per local name, as sources declare them. */
export type SizerNeeds = Readonly<Record<string, string>>;

/** Expectancy from closed trades (learning/ makes it, the engine hands it across). Money as base-currency floats. */
export interface TrackRecord {
  /** Closed trades in the window used. */
  readonly n: number;
  readonly winRate: number;
  readonly meanWin: number;
  readonly meanLoss: number;
  /** Mean net result per trade. */
  readonly expectancy: number;
  /** Multiplier from the strategy monitor: 1, 0.5 or 0. */
  readonly monitorMultiplier: number;
  /** True once the shadow window shows an edge again and resuming is allowed: entries at exploration risk. */
  readonly edgeReturned: boolean;
}

export interface SizingContext {
  readonly at: Instant;
  readonly instrument: Instrument;
  readonly decision: Decision;
  readonly direction: 1 | -1;
  /** Price the decision was made on. */
  readonly price: number;
  readonly account: AccountSummary;
  readonly record: TrackRecord;
  readonly regime: string | null;
  /** Size multiplier demanded by the breaker: 1 or 0.5. */
  readonly breakerMultiplier: number;
  /** One side's cost as a fraction of price: taker fee + expected slippage. */
  readonly costRate: number;
  /**
   * Units of the instrument's quote currency that one base-currency minor unit buys. Absent: the base currency
   * is the settle currency, so 10^-minorScale (times the price for inverse contracts).
   */
  readonly quotePerMinor?: number | undefined;
}

export interface Sized {
  readonly kind: 'sized';
  /** Contracts of the instrument (units when contractSize is 1), float; the engine rounds down to lots. */
  readonly quantity: number;
  /** Price distances, positive, null without a resting stop or target. */
  readonly stopDistance: number | null;
  readonly targetDistance: number | null;
  readonly leverage: number;
  /** Fraction of equity at risk to the stop, null for sizers that do not think in risk. */
  readonly riskFraction: number | null;
  readonly cuts: readonly SizeCut[];
}

/** Size 0. `shadow` asks the engine to follow the idea as a shadow trade of the given size instead. */
export interface NotSized {
  readonly kind: 'not-sized';
  readonly objection: Objection;
  readonly shadow: Sized | null;
}

export interface Sizer {
  readonly name: string;
  readonly features: SizerNeeds;
  /** Factors and rules of its own that a study may take out: name -> the same sizer without it. */
  readonly removable?: Readonly<Record<string, () => Sizer>>;
  readonly size: (context: SizingContext, values: Readonly<Record<string, number>>) => Sized | NotSized;
}
