import { power10, stepsToNumber } from '#base';
import type { Objection } from '#ensemble';
import type { Instrument } from '#market';
import type { NotSized, Sized, SizingContext } from '../sizer.ts';

/** Quote-currency value of one contract at `price` (a binary contract: its price). */
export function contractValue(instrument: Instrument, price: number): number {
  const size = stepsToNumber(1, instrument.contractSize);
  return instrument.kind === 'inverse-perpetual' ? size : price * size;
}

/**
 * Quote-currency loss of one contract when the price moves `distance` against it. For inverse contracts the coin
 * loss is valued at the price reached, which makes it size*distance/price on both sides.
 */
export function contractRisk(instrument: Instrument, price: number, distance: number): number {
  const size = stepsToNumber(1, instrument.contractSize);
  return instrument.kind === 'inverse-perpetual' ? (size * distance) / price : size * distance;
}

/** `minorUnits` of the portfolio's base currency in the instrument's quote currency. */
export function inQuote(context: SizingContext, minorUnits: number): number {
  if (context.quotePerMinor !== undefined) return minorUnits * context.quotePerMinor;
  const settle = minorUnits / power10(context.instrument.minorScale);
  return context.instrument.kind === 'inverse-perpetual' ? settle * context.price : settle;
}

/**
 * The first number of a sizing context that cannot be used, as an objection; null when all can. A sizer that does not
 * reckon with equity leaves solvency to the judge.
 */
export function contextFault(by: string, context: SizingContext, usesEquity = true): Objection | null {
  const { breakerMultiplier, costRate, price } = context;
  if (!(price > 0 && price < Infinity)) return fault(by, 'price is not a positive finite number', price);
  if (usesEquity) {
    const { equity } = context.account;
    if (!(equity > 0 && equity < Infinity))
      return fault(by, 'equity is not a positive finite amount', equity);
  }
  if (!(costRate >= 0 && costRate < 1)) return fault(by, 'cost rate is not within 0..1', costRate);
  if (!(breakerMultiplier >= 0 && breakerMultiplier <= 1)) {
    return fault(by, 'breaker multiplier is not within 0..1', breakerMultiplier);
  }
  const rate = context.quotePerMinor;
  if (rate !== undefined && !(rate > 0 && rate < Infinity)) {
    return fault(by, 'conversion rate is not a positive finite number', rate);
  }
  return null;
}

/** An objection about a number that is not usable. */
export function fault(by: string, reason: string, measured: number): Objection {
  return { by, reason, measured };
}

/** Size 0 with a reason and no shadow. */
export const notSized = (objection: Objection, shadow: Sized | null = null): NotSized => ({
  kind: 'not-sized',
  objection,
  shadow,
});

/** `sized`, unless one of its numbers is not positive and finite. */
export function checked(by: string, sized: Sized): Sized | NotSized {
  const numbers = [sized.quantity, sized.leverage, sized.stopDistance ?? 1, sized.targetDistance ?? 1];
  const bad = numbers.find((x) => !(x > 0 && x < Infinity));
  return bad === undefined
    ? sized
    : notSized(fault(by, 'size or distance is not a positive finite number', bad));
}
