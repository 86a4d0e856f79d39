import type { Instant } from '#base';
import type { Bar } from './bar.ts';
import type { Currency, Instrument, InstrumentId } from './instrument.ts';

/** `eventTime` is the source's clock; `at` is the loop's and never goes back. */
interface Stamped {
  readonly at: Instant;
  readonly eventTime: Instant;
}

interface OfInstrument extends Stamped {
  readonly instrument: InstrumentId;
}

/** A closed bar. Its `eventTime` is the close: open time + interval. */
export interface BarClosed extends OfInstrument {
  readonly kind: 'bar-closed';
  readonly intervalMs: number;
  readonly bar: Bar;
  /** Nobody told the volume, and the bar's 0 says nothing: what looks at volumes decides nothing on it. */
  readonly volumeUnknown?: true;
}

/**
 * Closed bars that were missing when later ones came, ascending: they fill the hole in the history, and nothing of the past is
 * decided again. `eventTime` is the last one's close.
 */
export interface HistoryMended extends OfInstrument {
  readonly kind: 'history-mended';
  readonly intervalMs: number;
  readonly bars: readonly Bar[];
  /** Open times of those whose volume nobody told. */
  readonly volumesUnknown?: readonly Instant[];
}

/** The first price of a bar that has begun; what market orders fill at on bar tapes. Desks never see it. */
export interface BarOpened extends OfInstrument {
  readonly kind: 'bar-opened';
  readonly intervalMs: number;
  readonly open: number;
}

/** Best bid and ask with sizes in units (floats as recorded). */
export interface QuoteUpdated extends OfInstrument {
  readonly kind: 'quote-updated';
  readonly bid: number;
  readonly bidSize: number;
  readonly ask: number;
  readonly askSize: number;
}

/** One public trade. `taker` is the aggressor's side. */
export interface PrintSeen extends OfInstrument {
  readonly kind: 'print-seen';
  readonly price: number;
  readonly size: number;
  readonly taker: 'buy' | 'sell';
}

/** Changed levels of an order book; size 0 removes a level. `snapshot` replaces the whole book. */
export interface BookChanged extends OfInstrument {
  readonly kind: 'book-changed';
  readonly snapshot: boolean;
  readonly bids: readonly (readonly [price: number, size: number])[];
  readonly asks: readonly (readonly [price: number, size: number])[];
}

export interface MarkUpdated extends OfInstrument {
  readonly kind: 'mark-updated';
  readonly mark: number;
  readonly index: number | null;
}

/** Funding due at `eventTime`: a positive rate is paid by longs. `rate` as a float fraction, `mark` null when unknown. */
export interface FundingDue extends OfInstrument {
  readonly kind: 'funding-due';
  readonly rate: number;
  readonly mark: number | null;
}

export interface OpenInterestUpdated extends OfInstrument {
  readonly kind: 'open-interest-updated';
  readonly openInterest: number;
}

export interface LiquidationSeen extends OfInstrument {
  readonly kind: 'liquidation-seen';
  readonly price: number;
  readonly size: number;
  readonly side: 'buy' | 'sell';
}

export type InstrumentChange =
  | { readonly change: 'listed' | 'changed'; readonly definition: Instrument }
  | { readonly change: 'halted' | 'resumed' | 'delisted' }
  /** A binary contract resolved: pays `payout` of 0..1 of its full value. */
  | { readonly change: 'resolved'; readonly payout: number }
  | { readonly change: 'split'; readonly ratio: number }
  | { readonly change: 'dividend'; readonly amountPerUnit: number };

export interface InstrumentChanged extends OfInstrument {
  readonly kind: 'instrument-changed';
  readonly change: InstrumentChange;
}

/** Units of `to` for one unit of `from`. */
export interface FxRateUpdated extends Stamped {
  readonly kind: 'fx-rate-updated';
  readonly from: Currency;
  readonly to: Currency;
  readonly rate: number;
}

/** Anything else that was published: weather, macro, sports. As-of joins use `publishedAt`, never `eventTime`. */
export interface ObservationPublished extends Stamped {
  readonly kind: 'observation-published';
  readonly source: string;
  readonly subject: string;
  readonly value: number | string;
  readonly publishedAt: Instant;
}

/** A feed's own state: a gap is an event, not an exception. */
export interface FeedChanged extends Stamped {
  readonly kind: 'feed-changed';
  readonly feed: string;
  readonly status: 'connected' | 'disconnected' | 'stale' | 'resynced';
  readonly detail: string;
  /** Bars of one length of one instrument alone: only desks that take them are kept from entering. Absent: all. */
  readonly only?: { readonly instrument: InstrumentId; readonly intervalMs: number };
}

export type MarketEvent =
  | BarOpened
  | BarClosed
  | HistoryMended
  | QuoteUpdated
  | PrintSeen
  | BookChanged
  | MarkUpdated
  | FundingDue
  | OpenInterestUpdated
  | LiquidationSeen
  | InstrumentChanged
  | FxRateUpdated
  | ObservationPublished
  | FeedChanged;
