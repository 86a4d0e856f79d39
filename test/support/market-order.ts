/** What is left to say of an order that is a plain market order. */
export const MARKET_ORDER = {
  type: 'market',
  limitTicks: null,
  triggerTicks: null,
  trailRate: null,
  timeInForce: 'GTC',
  expiresAt: null,
  postOnly: false,
  reduceOnly: false,
  reduceOnlyAtVenue: false,
  ocoGroup: null,
  parent: null,
  leverage: 1,
  expectedTicks: null,
  reason: 'entry',
} as const;
