import type { Instant } from '#base';
import type { Currency, InstrumentId } from '#market';
import type { BookId } from './order.ts';

/** What a book holds now. Long is positive lots. */
export interface Position {
  readonly book: BookId;
  readonly instrument: InstrumentId;
  readonly lots: number;
  /** Minor units of settle paid (long) or received (short) for what is held, always positive; exact. */
  readonly cost: number;
  /** Average entry price as a float; harmonic for inverse contracts. 0 when flat. */
  readonly entryPrice: number;
  /** When its first fill came about at the venue; not before its order left, nor after it was heard of. */
  readonly openedAt: Instant;
  readonly leverage: number;
  /** Isolated initial margin set aside, minor units of settle. */
  readonly margin: number;
}

/** From entry to flat. Money in minor units of `currency`. */
export interface Trade {
  readonly id: string;
  readonly book: BookId;
  readonly instrument: InstrumentId;
  readonly currency: Currency;
  readonly direction: 1 | -1;
  /** As that of its {@link Position}. */
  readonly openedAt: Instant;
  /** When its last fill was heard of. */
  readonly closedAt: Instant;
  /** Largest size held, in lots. */
  readonly lots: number;
  readonly entryPrice: number;
  readonly exitPrice: number;
  /** Gross of fees. */
  readonly realised: number;
  readonly fees: number;
  /** Positive when paid. */
  readonly funding: number;
  /** realised - fees - funding */
  readonly net: number;
  /** Reason of the closing order. */
  readonly exitReason: string;
}
