import { numberToSteps } from '#base';
import { liquidationPrice } from '#ledger';
import type { Instrument } from '#market';
import { within } from '../limits/verdicts.ts';
import type { NotSized, Sized, Sizer, SizingContext } from '../sizer.ts';
import { contractValue, fault, inQuote, notSized } from './contract-value.ts';
import { fixedFraction } from './simple-sizers.ts';
import type { StopRule } from './stop-rule.ts';

export interface BufferedFractionConfig {
  /** Share of equity at risk to the stop. */
  readonly risk: number;
  readonly stop: StopRule;
  /** Largest notional of one position, in equities. */
  readonly notionalMax: number;
  /** The most that is used; lowered in whole steps where liquidation would come too near. */
  readonly leverage: number;
  /** How far liquidation must lie from the entry, in stop distances. */
  readonly bufferStops: number;
}

/**
 * The largest whole leverage up to `most` at which an isolated position would be liquidated no nearer than `distance` from
 * its entry; null where there is none. Tiers of the instrument are respected, fees are not reckoned with.
 */
export function bufferedLeverage(
  instrument: Instrument,
  lots: number,
  entryPrice: number,
  distance: number,
  most: number,
): number | null {
  for (let leverage = Math.floor(Math.min(most, instrument.maxLeverage)); leverage >= 1; leverage--) {
    const at = liquidationPrice(instrument, lots, entryPrice, leverage);
    if (at === null || within(distance, Math.abs(entryPrice - at))) return leverage;
  }
  return null;
}

/**
 * A fixed fraction of equity at risk to a stop of so many ATR, at most so many equities of notional, at a leverage that
 * keeps liquidation away from the stop (sheet S1 RX68, section 5).
 */
export function bufferedFraction(config: BufferedFractionConfig): Sizer {
  const name = 'buffered-fraction';
  const { risk, stop, notionalMax, bufferStops } = config;
  const plain = fixedFraction(risk, { stop, leverage: config.leverage });
  return {
    name,
    features: plain.features,
    size: (context, values): Sized | NotSized => {
      const sized = plain.size(context, values);
      if (sized.kind === 'not-sized') return sized;
      const capped = capNotional(context, sized, notionalMax);
      const { instrument, direction, price } = context;
      const lots = Math.max(1, numberToSteps(capped.quantity, instrument.lot, 'floor'));
      const needed = bufferStops * capped.stopDistance!;
      const leverage = bufferedLeverage(instrument, direction * lots, price, needed, config.leverage);
      if (leverage !== null) return { ...capped, leverage };
      const at = liquidationPrice(instrument, direction * lots, price, 1);
      return notSized({
        ...fault(
          name,
          'liquidation would come too near even without leverage',
          Math.abs(price - (at ?? price)),
        ),
        needed,
        relation: '>=',
        unit: 'price',
      });
    },
  };
}

function capNotional(context: SizingContext, sized: Sized, most: number): Sized {
  const value = sized.quantity * contractValue(context.instrument, context.price);
  const cap = most * inQuote(context, context.account.equity);
  if (within(value, cap)) return sized;
  const factor = cap / value;
  return {
    ...sized,
    quantity: sized.quantity * factor,
    riskFraction: sized.riskFraction === null ? null : sized.riskFraction * factor,
    cuts: [...sized.cuts, { by: 'notional-cap', factor }],
  };
}
