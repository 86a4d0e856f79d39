import type { Brand, Instant } from '#base';
import type { InstrumentId } from '#market';

/** `portfolio/desk/configuration/instrument`: whose position it is. */
export type BookId = Brand<string, 'BookId'>;
/** Ours, unique for ever within a portfolio; the venue must treat a second order with it as the same order. */
export type ClientOrderId = Brand<string, 'ClientOrderId'>;

export interface BookKey {
  readonly portfolio: string;
  readonly desk: string;
  readonly configuration: string;
  readonly instrument: InstrumentId;
}

export function bookId(key: BookKey): BookId {
  return `${key.portfolio}/${key.desk}/${key.configuration}/${key.instrument}` as BookId;
}

/** The desk a book id names, without splitting the rest. */
export function deskOfBook(id: BookId): string {
  const start = id.indexOf('/') + 1;
  return id.slice(start, id.indexOf('/', start));
}

/** Splits a book id. The instrument is everything after the third slash. */
export function bookKey(id: BookId): BookKey {
  const [portfolio, desk, configuration, ...instrument] = id.split('/');
  return {
    portfolio: portfolio!,
    desk: desk!,
    configuration: configuration!,
    instrument: instrument.join('/') as InstrumentId,
  };
}

export type Side = 'buy' | 'sell';
export const sideSign = (side: Side): 1 | -1 => (side === 'buy' ? 1 : -1);
export const opposite = (side: Side): Side => (side === 'buy' ? 'sell' : 'buy');

export type OrderType =
  | 'market'
  | 'limit'
  | 'stop'
  | 'stop-limit'
  | 'take-profit'
  | 'take-profit-limit'
  | 'trailing-stop';

/** DAY ends with the instrument's session; GTD at `expiresAt`. */
export type TimeInForce = 'GTC' | 'IOC' | 'FOK' | 'GTD' | 'DAY';

export interface OrderRequest {
  readonly clientId: ClientOrderId;
  readonly book: BookId;
  readonly instrument: InstrumentId;
  readonly side: Side;
  readonly lots: number;
  readonly type: OrderType;
  /** limit, stop-limit, take-profit-limit */
  readonly limitTicks: number | null;
  /** stop, stop-limit, take-profit, take-profit-limit; trailing-stop: its starting trigger, null = from the market */
  readonly triggerTicks: number | null;
  /** trailing-stop: distance as a rate in units of 1e-8 of the best price */
  readonly trailRate: number | null;
  readonly timeInForce: TimeInForce;
  readonly expiresAt: Instant | null;
  readonly postOnly: boolean;
  /** Judged on the book: never opens or flips it. */
  readonly reduceOnly: boolean;
  /** Sent reduce-only to the venue as well (only when it also reduces the net). */
  readonly reduceOnlyAtVenue: boolean;
  /** Orders of one group cancel each other on a fill (one-cancels-other). */
  readonly ocoGroup: string | null;
  /** A child rests inactive until its parent fills, then its size follows the parent's filled size. */
  readonly parent: ClientOrderId | null;
  readonly leverage: number;
  /** The price the decision was made on, for slippage; null when none. */
  readonly expectedTicks: number | null;
  /** Why it exists: `entry`, `stop-loss`, `take-profit`, `exit:time`, `leg-unwind`, ... goes to fills.csv. */
  readonly reason: string;
}

export type OrderStatus =
  | 'pending' // submitted, nothing heard yet
  | 'working'
  | 'triggered'
  | 'partially-filled'
  | 'filled'
  | 'canceled'
  | 'expired'
  | 'rejected';

export type Liquidity = 'maker' | 'taker' | 'liquidation' | 'settlement';

export interface Fill {
  /** Unique per venue; a repeated id is the same fill. */
  readonly fillId: string;
  readonly clientId: ClientOrderId;
  readonly instrument: InstrumentId;
  readonly side: Side;
  readonly lots: number;
  readonly ticks: number;
  /** Minor units of the instrument's settle currency; positive is paid, negative a rebate. */
  readonly fee: number;
  readonly liquidity: Liquidity;
}

interface Stamped {
  readonly at: Instant;
  readonly eventTime: Instant;
}

/** What a venue says about our orders and account. */
export type VenueReport =
  | (Stamped & {
      readonly kind: 'order-accepted';
      readonly clientId: ClientOrderId;
      readonly venueOrderId: string;
    })
  | (Stamped & { readonly kind: 'order-rejected'; readonly clientId: ClientOrderId; readonly reason: string })
  | (Stamped & { readonly kind: 'order-triggered'; readonly clientId: ClientOrderId })
  | (Stamped & { readonly kind: 'order-filled'; readonly fill: Fill })
  | (Stamped & { readonly kind: 'order-canceled'; readonly clientId: ClientOrderId; readonly reason: string })
  | (Stamped & { readonly kind: 'order-expired'; readonly clientId: ClientOrderId; readonly reason: string })
  | (Stamped & {
      readonly kind: 'order-amended';
      readonly clientId: ClientOrderId;
      readonly lots: number;
      readonly limitTicks: number | null;
      readonly triggerTicks: number | null;
    })
  | (Stamped & {
      readonly kind: 'cancel-rejected' | 'amend-rejected';
      readonly clientId: ClientOrderId;
      readonly reason: string;
    })
  /** The answer to a query after an unknown outcome: the venue knows no such order. */
  | (Stamped & { readonly kind: 'order-unknown'; readonly clientId: ClientOrderId })
  /** A cash movement at the venue for a position: funding paid (positive) or received (negative). */
  | (Stamped & {
      readonly kind: 'funding-charged';
      /** Unique per venue; a repeated id is the same charge. */
      readonly chargeId: string;
      readonly instrument: InstrumentId;
      readonly book: BookId;
      readonly amount: number;
    })
  /** A fill nobody asked for: liquidation, deleveraging, a person trading by hand. Booked to `book`. */
  | (Stamped & {
      readonly kind: 'unasked-fill';
      readonly book: BookId;
      readonly cause: 'liquidation' | 'deleveraging' | 'manual' | 'settlement';
      readonly fill: Fill;
    })
  | (Stamped & {
      readonly kind: 'account-reported';
      readonly venue: string;
      readonly nets: readonly { readonly instrument: InstrumentId; readonly lots: number }[];
      readonly openOrders: readonly ClientOrderId[];
    });
