import type { OrderRequest } from '#ledger';
import type { Leg } from '#risk';

/** A plain market order in the book of a leg: good until it has filled, without children or siblings. */
export function marketOrder(
  leg: Leg,
  asked: Pick<OrderRequest, 'clientId' | 'side' | 'lots' | 'reduceOnly' | 'reduceOnlyAtVenue' | 'reason'>,
): OrderRequest {
  const { book, instrument, leverage, expectedTicks } = leg;
  return {
    ...asked,
    book,
    instrument,
    type: 'market',
    limitTicks: null,
    triggerTicks: null,
    trailRate: null,
    timeInForce: 'GTC',
    expiresAt: null,
    postOnly: false,
    ocoGroup: null,
    parent: null,
    leverage,
    expectedTicks,
  };
}
