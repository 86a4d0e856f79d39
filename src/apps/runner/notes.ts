import type { ModelsInPlace, TraceLine } from '#engine';
import type { Objection } from '#ensemble';
import type { BookId, Fill, OrderState, Trade } from '#ledger';
import type { InstrumentId, MarketEvent } from '#market';

/**
 * What a paper journal holds beside events and commands, as entries of kind `note`.
 *
 * Two notes are inputs of the simulated venue, which a restart folds beside the engine: `bar-opened` is seen by the
 * venue alone; `venue-first` says that the venue saw a market event whose reports stand before the event itself.
 * The others are derived from the fold and written for readers (projections, `why`): a restart makes them again.
 */
export type VenueNote = { readonly note: 'bar-opened' | 'venue-first'; readonly event: MarketEvent };

/** Amounts of an account: decimals of the base currency as text; fees and funding are positive when paid. */
export interface AccountFigures {
  readonly equity: string;
  readonly cash: string;
  readonly realised: string;
  readonly unrealised: string;
  readonly fees: string;
  readonly funding: string;
}

/** Figures of the account at a full hour. */
export interface PerformanceNote extends AccountFigures {
  readonly note: 'performance';
  readonly at: number;
  readonly trades: number;
  readonly winRate: number | null;
  readonly payoff: number | null;
  readonly expectancy: string | null;
  readonly maxDrawdown: number;
}

/** Equity after a slice, as decimal text, and how far it lies below the highest so far, as a fraction. */
export interface EquityNote {
  readonly note: 'equity';
  readonly at: number;
  readonly equity: string;
  readonly drawdown: number;
}

/** The store that a webhook feed was read from, and the bar that has the number told with it. */
export interface FeedStore {
  readonly id: string;
  /** Config and open time; null: the number is that of the store's end, whichever bar has it. */
  readonly bar: string | null;
}

/** How far the store of a webhook feed was read: a restart goes on behind it. */
export interface FeedPositionNote {
  readonly note: 'feed-position';
  readonly seq: number;
  readonly store: FeedStore;
}

/**
 * From this bar on a desk's model speaks, or says nothing for a reason; written where that changes. A desk without a model has none.
 */
export interface ModelHeardNote {
  readonly note: 'model-heard';
  readonly at: number;
  readonly desk: string;
  readonly instrument: InstrumentId;
  readonly fault: string | null;
}

/** Where an order stands after a report. */
export interface OrderNote {
  readonly note: 'order';
  readonly at: number;
  readonly clientId: string;
  readonly instrument: InstrumentId;
  readonly status: OrderState['status'];
  readonly filledLots: number;
  readonly averagePrice: number;
  readonly venueOrderId: string | null;
  readonly endReason: string | null;
}

/** What a desk is from here on: what its references to models mean, and the hash of its configuration with them. */
export interface ModelsNote {
  readonly note: 'models';
  readonly at: number;
  readonly desk: string;
  readonly models: ModelsInPlace;
  readonly hash: string;
}

export type DerivedNote =
  | { readonly note: 'trace'; readonly line: TraceLine }
  | { readonly note: 'trade'; readonly trade: Trade; readonly desk: string; readonly regime: string | null }
  | {
      readonly note: 'fill';
      readonly at: number;
      readonly fill: Fill;
      readonly book: BookId;
      readonly reason: string;
    }
  | {
      readonly note: 'safety';
      readonly at: number;
      readonly desk: string;
      readonly layer: string;
      readonly objection: Objection;
    }
  | ModelsNote
  | OrderNote;

export type PaperNote =
  | VenueNote
  | DerivedNote
  | PerformanceNote
  | EquityNote
  | FeedPositionNote
  | ModelHeardNote;

export function isVenueNote(note: { readonly note: string }): note is VenueNote {
  return note.note === 'bar-opened' || note.note === 'venue-first';
}
