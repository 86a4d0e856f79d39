import type { OrderRequest, OrderType } from '#ledger';
import { type Instrument, notional } from '#market';
import type { PriceBand } from './venue-options.ts';

const LIMITED: ReadonlySet<OrderType> = new Set(['limit', 'stop-limit', 'take-profit-limit']);
const TRIGGERED: ReadonlySet<OrderType> = new Set(['stop', 'stop-limit', 'take-profit', 'take-profit-limit']);

/** True for the types that carry a limit price. */
export const hasLimit = (type: OrderType): boolean => LIMITED.has(type);
/** True for the types that wait for a trigger. */
export const hasTrigger = (type: OrderType): boolean => TRIGGERED.has(type) || type === 'trailing-stop';

const positive = (value: number | null): boolean => Number.isSafeInteger(value) && value! > 0;

/** Why a price in ticks may not stand in an order, or null. */
export function priceFault(
  ticks: number | null,
  instrument: Instrument,
  band: PriceBand | null,
): string | null {
  if (!positive(ticks)) return 'price-not-positive';
  if (instrument.payoutTicks !== null && ticks! > instrument.payoutTicks) return 'price-above-payout';
  if (band && (ticks! < band.lowTicks || ticks! > band.highTicks)) return 'price-outside-band';
  return null;
}

/**
 * Why a venue rejects an order as it stands, or null. `lastTicks` (0 unknown) values a market order for the
 * minimum notional; reduce-only orders are exempt from minima.
 */
export function orderFault(
  order: OrderRequest,
  instrument: Instrument,
  lastTicks: number,
  band: PriceBand | null,
): string | null {
  if (order.instrument !== instrument.id) return 'unknown-instrument';
  if (!positive(order.lots)) return 'size-not-positive';
  if (!order.reduceOnly && order.lots < instrument.minLots) return 'size-below-minimum';
  if (!(order.leverage >= 1 && Number.isFinite(order.leverage))) return 'leverage-below-one';
  if (order.leverage > instrument.maxLeverage) return 'leverage-above-maximum';
  if (hasLimit(order.type)) {
    const fault = priceFault(order.limitTicks, instrument, band);
    if (fault) return fault;
  }
  if (TRIGGERED.has(order.type) && !positive(order.triggerTicks)) return 'trigger-not-positive';
  if (order.type === 'trailing-stop') {
    if (!positive(order.trailRate) || order.trailRate! >= 1e8) return 'trail-out-of-range';
    if (order.triggerTicks !== null && !positive(order.triggerTicks)) return 'trigger-not-positive';
  }
  if (order.postOnly && order.type !== 'limit') return 'post-only-needs-limit';
  if (order.postOnly && (order.timeInForce === 'IOC' || order.timeInForce === 'FOK'))
    return 'post-only-cannot-take';
  if (order.timeInForce === 'GTD' && !Number.isSafeInteger(order.expiresAt)) return 'expiry-missing';
  const ticks = order.limitTicks ?? order.triggerTicks ?? (lastTicks > 0 ? lastTicks : order.expectedTicks);
  if (!order.reduceOnly && instrument.minNotional > 0 && ticks !== null && ticks > 0) {
    if (notional(instrument, ticks, order.lots, 'floor') < instrument.minNotional)
      return 'value-below-minimum';
  }
  return null;
}
