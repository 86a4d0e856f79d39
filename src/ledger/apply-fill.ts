import { type Instant, mulDiv, stepsToNumber } from '#base';
import { type Instrument, notional } from '#market';
import type { BookId, Side } from './order.ts';
import type { Position } from './trade.ts';

/** Contracts that move cash only by profit and loss; everything else is paid in full. */
export function isPerpetual(instrument: Pick<Instrument, 'kind'>): boolean {
  return instrument.kind === 'linear-perpetual' || instrument.kind === 'inverse-perpetual';
}

/**
 * What a fill is worth in settle, minor units, rounded against us: buying pays the notional rounded up, selling
 * receives it rounded down. A bought inverse contract is a sold amount of coin, so there the sides change places.
 */
export function fillFlow(instrument: Instrument, side: Side, lots: number, ticks: number): number {
  const inverse = instrument.kind === 'inverse-perpetual';
  const pays = (side === 'buy') !== inverse;
  if (!inverse && instrument.valueDenominator === 1) {
    // nothing to round: a product below 2^53 is exact
    const exact = ticks * (lots * instrument.valueNumerator);
    if (exact <= Number.MAX_SAFE_INTEGER) return pays ? 0 - exact : exact;
  }
  return pays ? 0 - notional(instrument, ticks, lots, 'ceil') : notional(instrument, ticks, lots, 'floor');
}

/** +1 where the cost of a holding was paid (long; short inverse), -1 where it was received. */
export function basisSign(instrument: Instrument, lots: number): 1 | -1 {
  return lots > 0 !== (instrument.kind === 'inverse-perpetual') ? 1 : -1;
}

/** `cost` divided by leverage, rounded up. */
export function divideUp(cost: number, leverage: number): number {
  return Number.isInteger(leverage) ? mulDiv(cost, 1, leverage, 'ceil') : Math.ceil(cost / leverage);
}

/**
 * What an opened part sets aside. Perpetuals: cost / leverage. Bought outright: nothing, the cash is gone. Sold short:
 * the proceeds plus cost / leverage; a binary claim sold short: its full payout.
 */
export function initialMargin(instrument: Instrument, lots: number, cost: number, leverage: number): number {
  if (isPerpetual(instrument)) return divideUp(cost, leverage);
  if (lots > 0) return 0;
  if (instrument.kind === 'binary' && instrument.payoutTicks !== null) {
    return notional(instrument, instrument.payoutTicks, -lots, 'ceil');
  }
  return cost + divideUp(cost, leverage);
}

/** The parts of a fill that matter to a position. */
export interface FillFacts {
  readonly book: BookId;
  readonly side: Side;
  readonly lots: number;
  readonly ticks: number;
  readonly leverage: number;
  /** When it came about at the venue. */
  readonly filledAt: Instant;
  /** An isolated liquidation: the loss stops at the margin of the part it closes, the rest is the venue's. */
  readonly lossLimited: boolean;
}

/** What a fill does. Flows and bases are signed minor units of settle. */
export interface FillEffect {
  readonly position: Position | null;
  readonly closedLots: number;
  readonly openedLots: number;
  /** Cash worth of the whole fill, negative when paid. */
  readonly flow: number;
  /** Gross of fees: closing flow minus released basis. */
  readonly realised: number;
  readonly releasedBasis: number;
  readonly openedBasis: number;
}

/** A pure leaf: the position after a fill. A fill larger than an opposite position closes it and opens the rest. */
export function applyFill(position: Position | null, fill: FillFacts, instrument: Instrument): FillEffect {
  const direction = fill.side === 'buy' ? 1 : -1;
  const held = position === null ? 0 : position.lots;
  const closedLots = held * direction < 0 ? Math.min(Math.abs(held), fill.lots) : 0;
  const openedLots = fill.lots - closedLots;
  let rest = position;
  let flow = 0;
  let realised = 0;
  let releasedBasis = 0;
  let openedBasis = 0;
  if (closedLots > 0) {
    flow = fillFlow(instrument, fill.side, closedLots, fill.ticks);
    const from = position!;
    rest = reduced(from, closedLots, basisSign(instrument, held));
    releasedBasis = basisSign(instrument, held) * (from.cost - (rest === null ? 0 : rest.cost));
    realised = flow - releasedBasis;
    if (fill.lossLimited && isPerpetual(instrument)) {
      const margin = from.margin - (rest === null ? 0 : rest.margin);
      if (realised < 0 - margin) {
        realised = 0 - margin;
        flow = realised + releasedBasis;
      }
    }
  }
  if (openedLots > 0) {
    const opening = fillFlow(instrument, fill.side, openedLots, fill.ticks);
    openedBasis = 0 - opening;
    flow += opening;
    rest = added(rest, fill, direction * openedLots, Math.abs(opening), instrument);
  }
  return { position: rest, closedLots, openedLots, flow, realised, releasedBasis, openedBasis };
}

/**
 * Average entry stays. The released share of the cost is rounded so that no profit is booked early: what is left of a
 * cost that was paid is rounded down, of one that was received up; the next reduction makes up for it.
 */
function reduced(position: Position, lots: number, sign: 1 | -1): Position | null {
  const held = Math.abs(position.lots);
  if (lots === held) return null;
  const left = held - lots;
  return {
    book: position.book,
    instrument: position.instrument,
    lots: position.lots > 0 ? left : -left,
    cost: mulDiv(position.cost, left, held, sign > 0 ? 'floor' : 'ceil'),
    entryPrice: position.entryPrice,
    openedAt: position.openedAt,
    leverage: position.leverage,
    margin: mulDiv(position.margin, left, held, 'ceil'),
  };
}

function added(
  position: Position | null,
  fill: FillFacts,
  lots: number,
  cost: number,
  instrument: Instrument,
): Position {
  const price = stepsToNumber(fill.ticks, instrument.tick);
  const margin = initialMargin(instrument, lots, cost, fill.leverage);
  if (position === null) {
    return {
      book: fill.book,
      instrument: instrument.id,
      lots,
      cost,
      entryPrice: price,
      openedAt: fill.filledAt,
      leverage: fill.leverage,
      margin,
    };
  }
  const total = position.cost + cost;
  const totalMargin = position.margin + margin;
  const mixed = position.leverage !== fill.leverage && isPerpetual(instrument) && totalMargin > 0;
  return {
    book: position.book,
    instrument: position.instrument,
    lots: position.lots + lots,
    cost: total,
    entryPrice: averageEntry(instrument, position, lots, price),
    openedAt: position.openedAt,
    leverage: mixed ? total / totalMargin : position.leverage,
    margin: totalMargin,
  };
}

/** Mean price by lots; harmonic for inverse contracts, whose worth goes with 1 / price. */
function averageEntry(instrument: Instrument, position: Position, lots: number, price: number): number {
  if (price === position.entryPrice) return price;
  const sum = position.lots + lots;
  return instrument.kind === 'inverse-perpetual'
    ? sum / (position.lots / position.entryPrice + lots / price)
    : (position.lots * position.entryPrice + lots * price) / sum;
}
