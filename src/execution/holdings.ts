import { type Instant, mulDiv, numberToSteps } from '#base';
import { applyFill, type BookId, liquidationTicksOf, type Side } from '#ledger';
import { type Instrument, valueAt } from '#market';
import { priceOf } from './prices.ts';
import type { Holding } from './venue-state.ts';

export function newHolding(book: BookId): Holding {
  return {
    book,
    position: null,
    lots: 0,
    liquidation: null,
    changedAt: Number.NEGATIVE_INFINITY,
    lotsBefore: 0,
    unasked: 0,
  };
}

/** True for contracts held on margin, which alone can be liquidated. */
export const isMargined = (instrument: Instrument): boolean =>
  instrument.kind === 'linear-perpetual' || instrument.kind === 'inverse-perpetual';

/** Books `lots` bought or sold at `ticks` by the ledger's own rule, so that venue and books agree on margin. */
export function applyToHolding(
  holding: Holding,
  instrument: Instrument,
  side: Side,
  lots: number,
  ticks: number,
  leverage: number,
  time: Instant,
): void {
  if (time > holding.changedAt) {
    holding.lotsBefore = holding.lots;
    holding.changedAt = time;
  }
  const facts = { book: holding.book, side, lots, ticks, leverage, filledAt: time, lossLimited: false };
  holding.position = applyFill(holding.position, facts, instrument).position;
  holding.lots = holding.position?.lots ?? 0;
  holding.liquidation = liquidationOf(instrument, holding);
}

/** Price at which the holding is liquidated; null when it cannot be. */
export function liquidationOf(instrument: Instrument, { position }: Holding): number | null {
  if (position === null || !isMargined(instrument)) return null;
  const ticks = liquidationTicksOf(instrument, position.lots, position.cost, position.margin);
  return ticks === null ? null : priceOf(instrument, ticks);
}

/**
 * The price at which the loss equals the margin, in ticks, rounded so that the loss does not exceed it.
 * At least one tick.
 */
export function bankruptcyTicks(instrument: Instrument, holding: Holding): number {
  const { lots, position } = holding;
  if (position === null) return 1;
  const long = lots > 0;
  const one = valueAt(instrument, Math.abs(lots), 1);
  const inverse = instrument.kind === 'inverse-perpetual';
  const value = long === inverse ? position.cost + position.margin : position.cost - position.margin;
  if (value <= 0) return 1;
  const price = inverse ? one / value : value / one;
  return Math.max(1, numberToSteps(price, instrument.tick, long ? 'ceil' : 'floor'));
}

const RATE_FINE = 1_000_000_000_000;

/**
 * What a book pays (positive) or receives for funding on `lots` (signed) at `mark`: lots * value * rate, a positive
 * rate being paid by longs; rounded against us. The rate is taken to 1e-12.
 */
export function fundingAmount(instrument: Instrument, lots: number, mark: number, rate: number): number {
  const value = Math.round(valueAt(instrument, Math.abs(lots), mark));
  const amount = mulDiv(value, Math.round(rate * RATE_FINE) * Math.sign(lots), RATE_FINE, 'ceil');
  return amount === 0 ? 0 : amount;
}

/** What was held before `time`. Changes at exactly that time do not count. */
export const heldBefore = (holding: Holding, time: Instant): number =>
  holding.changedAt >= time ? holding.lotsBefore : holding.lots;
