import { type Instant, mulDiv } from '#base';
import { feesAt, type Instrument, notional, RATE_ONE } from '#market';
import { divideUp, isPerpetual } from './apply-fill.ts';
import type { OrderRequest } from './order.ts';

type Priced = Pick<
  OrderRequest,
  'side' | 'type' | 'limitTicks' | 'triggerTicks' | 'expectedTicks' | 'leverage'
>;

/**
 * The price a reservation reckons with: limit, else trigger, else the decision's price, else the mark. Where a better
 * fill than the order's price would cost more margin (a sell above it; an inverse contract below it) the mark decides
 * when it is worse. Null when nothing is known.
 */
function reservationTicks(instrument: Instrument, order: Priced, markTicks: number | null): number | null {
  const own = order.limitTicks ?? order.triggerTicks ?? order.expectedTicks;
  if (own === null || markTicks === null) return own ?? markTicks;
  if (instrument.kind === 'binary') return own;
  if (instrument.kind === 'inverse-perpetual') return Math.min(own, markTicks);
  return order.side === 'sell' || order.limitTicks === null ? Math.max(own, markTicks) : own;
}

/**
 * Minor units of settle set aside for `openingLots` of an order (the part that does not close a holding): initial
 * margin for perpetuals and short sales, the whole price for what is bought outright, the payout less the price for
 * a binary claim sold short; plus the taker fee. Closing parts set nothing aside: their fee comes out of what they free.
 */
export function reservationFor(
  instrument: Instrument,
  order: Priced,
  openingLots: number,
  markTicks: number | null,
  at: Instant,
): number {
  const ticks = openingLots > 0 ? reservationTicks(instrument, order, markTicks) : null;
  if (ticks === null || ticks <= 0) return 0;
  const worth = notional(instrument, ticks, openingLots, 'ceil');
  const rate = feesAt(instrument, at).takerRate;
  const fee = rate > 0 ? mulDiv(worth, rate, RATE_ONE, 'ceil') : 0;
  if (isPerpetual(instrument)) return divideUp(worth, order.leverage) + fee;
  if (order.side === 'buy') return worth + fee;
  if (instrument.kind === 'binary' && instrument.payoutTicks !== null) {
    const payout = notional(instrument, instrument.payoutTicks, openingLots, 'ceil');
    return Math.max(0, payout - notional(instrument, ticks, openingLots, 'floor')) + fee;
  }
  return divideUp(worth, order.leverage) + fee;
}
