import type { Instant } from '#base';
import type { BookId, ClientOrderId, OrderRequest, Position, VenueReport } from '#ledger';
import type { Instrument, InstrumentId } from '#market';

/** Before any time. */
export const NEVER = Number.NEGATIVE_INFINITY;

/** When something is reported (`at`, the loop's) and when it happened (`eventTime`). */
export interface Stamp {
  readonly at: Instant;
  readonly eventTime: Instant;
}

/** An order as the simulated venue knows it. Plain data. */
export interface VenueOrder {
  readonly request: OrderRequest;
  /** Time priority; renewed when an amendment loses it. */
  sequence: number;
  /** When the loop sent it. */
  readonly since: Instant;
  /** When it reached, or by its latency would have reached, the venue. */
  readonly arrivesAt: Instant;
  status: 'working' | 'filled' | 'canceled' | 'expired' | 'rejected';
  reason: string;
  /** What it may grow to: a child's size follows its parent up to this. */
  requested: number;
  /** Total size now, filled part included. */
  lots: number;
  filled: number;
  fees: number;
  limitTicks: number | null;
  triggerTicks: number | null;
  amended: boolean;
  triggered: boolean;
  /** A child is inactive until its parent fills. */
  active: boolean;
  /** Has been in the market unfilled, so that its next fill as a limit is a maker's. */
  rested: boolean;
  /** Best price since a trailing stop began; null before the first price. */
  best: number | null;
  /** Units ahead of a resting limit, null when the queue is not followed. */
  queueAhead: number | null;
  expiresAt: Instant | null;
  /** Open time of the bar whose opening price it has met. */
  metOpenOf: Instant;
  readonly fills: VenueReport[];
  /** Studies only: the market never reaches it; see `deafTo` of the venue's options. */
  deaf?: true;
}

/** A book's position at the venue. */
export interface Holding {
  readonly book: BookId;
  position: Position | null;
  /** Of the position; long is positive, 0 flat. */
  lots: number;
  /** Price at which it is liquidated; null when it cannot be. */
  liquidation: number | null;
  /** Time of the last change, and lots before it: funding is due on what was held before its time. */
  changedAt: Instant;
  lotsBefore: number;
  /** Unasked fills so far, for their ids. */
  unasked: number;
}

export type Level = [price: number, size: number];

export interface FundingSeen {
  readonly time: Instant;
  readonly rate: number;
  readonly mark: number;
}

/** All the venue knows of one instrument. Plain data. */
export interface Track {
  readonly id: InstrumentId;
  /** As it was told to have changed; null: as the options define it. */
  definition: Instrument | null;
  /** A change of the grid that waits until nothing is held or ordered in the old one. */
  awaited: Instrument | null;
  /** Prices above it are not believed. */
  priceMost: number;
  /** Working orders, in no promised order. */
  readonly orders: VenueOrder[];
  readonly holdings: Holding[];
  /** Number of holdings that are not flat. */
  held: number;
  halted: boolean;
  /** Halted because it was delisted or settled: a new listing lifts it. */
  gone: boolean;
  /** Last price of any kind, 0 before the first. */
  price: number;
  mark: number;
  markAt: Instant;
  /** Milliseconds between the last two marks. */
  markGap: number;
  depthAt: Instant;
  quoteAt: Instant;
  printAt: Instant;
  /** What can still be taken, best first. */
  bids: Level[];
  asks: Level[];
  /** Shortest bar interval in use and when it was last heard of. */
  finestMs: number;
  finestAt: Instant;
  /** Open time of the last bar whose opening was seen. */
  openedAt: Instant;
  lastVolume: number;
  /** Ring of the last closes and volumes, for impact slippage; empty when not needed. */
  readonly closes: Float64Array;
  readonly volumes: Float64Array;
  bars: number;
  day: number;
  dayClose: number;
  previousClose: number;
  /** Funding seen since the last bar closed: fills booked late at that bar's open settle it. */
  readonly fundings: FundingSeen[];
}

export function newTrack(id: InstrumentId, priceMost: number, windowBars: number): Track {
  return {
    id,
    definition: null,
    awaited: null,
    priceMost,
    orders: [],
    holdings: [],
    held: 0,
    halted: false,
    gone: false,
    price: 0,
    mark: 0,
    markAt: NEVER,
    markGap: Number.POSITIVE_INFINITY,
    depthAt: NEVER,
    quoteAt: NEVER,
    printAt: NEVER,
    bids: [],
    asks: [],
    finestMs: Number.POSITIVE_INFINITY,
    finestAt: NEVER,
    openedAt: NEVER,
    lastVolume: 0,
    closes: new Float64Array(windowBars),
    volumes: new Float64Array(windowBars),
    bars: 0,
    day: NEVER,
    dayClose: 0,
    previousClose: 0,
    fundings: [],
  };
}

export function newVenueOrder(
  request: OrderRequest,
  since: Instant,
  arrivesAt: Instant,
  sequence: number,
): VenueOrder {
  return {
    request,
    sequence,
    since,
    arrivesAt,
    status: 'working',
    reason: '',
    requested: request.lots,
    lots: request.lots,
    filled: 0,
    fees: 0,
    limitTicks: request.limitTicks,
    triggerTicks: request.triggerTicks,
    amended: false,
    triggered: false,
    active: request.parent === null,
    rested: false,
    best: null,
    queueAhead: null,
    expiresAt: request.timeInForce === 'GTD' ? request.expiresAt : null,
    metOpenOf: NEVER,
    fills: [],
  };
}

export const venueOrderId = (id: ClientOrderId): string => `sim-${id}`;

/** Of what a book pays or receives at one funding time. */
export const chargeId = (book: BookId, time: Instant): string => `funding/${book}/${time}`;
