import { DAY, type Instant, stepsToText } from '#base';
import type { OrderRequest } from '#ledger';
import { type Instrument, RATE_ONE } from '#market';
import type { EdgexContract } from './contracts.ts';
import { nonceOf, type OrderSigner } from './order-signature.ts';
import type { RequestValue } from './request-signature.ts';
import type { Domain } from './typed-data.ts';

/** The signature outlives the order by this much, and lives so long at most: the venue's own client does the same. */
const SIGNATURE_LIFE_MS = 30 * DAY;
const ORDER_BEFORE_SIGNATURE_MS = 8 * DAY;

const TYPES: Readonly<Record<OrderRequest['type'], string | null>> = {
  market: 'MARKET',
  limit: 'LIMIT',
  stop: 'STOP_MARKET',
  'stop-limit': 'STOP_LIMIT',
  'take-profit': 'TAKE_PROFIT_MARKET',
  'take-profit-limit': 'TAKE_PROFIT_LIMIT',
  'trailing-stop': null,
};

/** Whether the venue has orders of this type at all. */
export const takesType = (type: OrderRequest['type']): boolean => TYPES[type] !== null;

export interface OrderPlace {
  readonly accountId: string;
  readonly contract: EdgexContract;
  readonly domain: Domain;
  readonly signer: OrderSigner;
  readonly now: Instant;
  /** Needed by market buys, whose signed worst price is ten times it; ticks of the instrument, null when unknown. */
  readonly oracleTicks: number | null;
}

/** The body of createOrder, signed; or why the venue cannot take this order. */
export function orderBody(
  order: OrderRequest,
  place: OrderPlace,
): { readonly [key: string]: RequestValue } | { readonly refused: string } {
  const type = TYPES[order.type];
  if (type === null) return { refused: `edgeX has no ${order.type} orders` };
  const { contract, now } = place;
  const { instrument } = contract;
  const worst = worstTicks(order, place.oracleTicks);
  if (worst === null) return { refused: 'no oracle price is known to sign a market order with' };
  const amounts = amountsOf(order.lots, worst, contract);
  if (amounts === null) return { refused: 'the value of the order is no whole number of the venue’s units' };
  const signatureEnds =
    order.expiresAt === null ? now + SIGNATURE_LIFE_MS : order.expiresAt + ORDER_BEFORE_SIGNATURE_MS;
  const orderEnds = signatureEnds - ORDER_BEFORE_SIGNATURE_MS;
  const nonce = nonceOf(order.clientId);
  const l2Signature = place.signer.sign(
    {
      nonce,
      accountId: BigInt(place.accountId),
      expirationTimestamp: BigInt(Math.floor(orderEnds / 1000)),
      amountSynthetic: amounts.synthetic,
      amountCollateral: amounts.collateral,
      amountFee: amounts.fee * contract.quoteResolution,
      assetIdSynthetic: BigInt(contract.contractId),
      assetIdCollateral: BigInt(contract.quoteCoinId),
      isBuyingSynthetic: order.side === 'buy',
    },
    place.domain,
  );
  const size = stepsToText(order.lots, instrument.lot);
  const triggered = order.triggerTicks !== null;
  return {
    accountId: place.accountId,
    contractId: contract.contractId,
    side: order.side === 'buy' ? 'BUY' : 'SELL',
    type,
    timeInForce: timeInForce(order),
    price: order.limitTicks === null ? '0' : stepsToText(order.limitTicks, instrument.tick),
    size,
    clientOrderId: order.clientId,
    reduceOnly: order.reduceOnlyAtVenue,
    triggerPrice: triggered ? stepsToText(order.triggerTicks, instrument.tick) : '',
    triggerPriceType: triggered ? 'LAST_PRICE' : '',
    isPositionTpsl: false,
    isSetOpenTp: false,
    isSetOpenSl: false,
    expireTime: String(orderEnds),
    l2Nonce: nonce.toString(),
    l2Value: valueText(order.lots, worst, instrument),
    l2Size: size,
    l2LimitFee: amounts.fee.toString(),
    l2ExpireTime: String(signatureEnds),
    l2Signature,
  };
}

/** The worst price that is signed: the limit, or for orders without one a tick for sells and ten oracle prices for buys. */
function worstTicks(order: OrderRequest, oracleTicks: number | null): number | null {
  if (order.limitTicks !== null) return order.limitTicks;
  if (order.side === 'sell') return 1;
  return oracleTicks === null ? null : oracleTicks * 10;
}

function timeInForce(order: OrderRequest): string {
  // what has no price of its own must be immediate
  if (order.limitTicks === null) return 'IMMEDIATE_OR_CANCEL';
  if (order.postOnly) return 'POST_ONLY';
  if (order.timeInForce === 'IOC') return 'IMMEDIATE_OR_CANCEL';
  return order.timeInForce === 'FOK' ? 'FILL_OR_KILL' : 'GOOD_TIL_CANCEL';
}

interface Amounts {
  readonly synthetic: bigint;
  readonly collateral: bigint;
  /** Whole quote units: the fee is signed rounded up to them. */
  readonly fee: bigint;
}

/** Exact; null when size or value is no whole number of the venue's resolution. */
function amountsOf(lots: number, ticks: number, contract: EdgexContract): Amounts | null {
  const { instrument, resolution, quoteResolution } = contract;
  const { tick, lot, fees } = instrument;
  const size = BigInt(lots) * BigInt(lot.units);
  const sizeScale = 10n ** BigInt(lot.scale);
  const value = size * BigInt(ticks) * BigInt(tick.units);
  const valueScale = sizeScale * 10n ** BigInt(tick.scale);
  if ((size * resolution) % sizeScale !== 0n || (value * quoteResolution) % valueScale !== 0n) return null;
  const { makerRate, takerRate } = fees.at(-1)!;
  const rate = BigInt(Math.max(makerRate, takerRate, 0));
  return {
    synthetic: (size * resolution) / sizeScale,
    collateral: (value * quoteResolution) / valueScale,
    fee: ceilDiv(value * rate, valueScale * BigInt(RATE_ONE)),
  };
}

const ceilDiv = (a: bigint, b: bigint): bigint => (a + b - 1n) / b;

/** Price times size, exact. */
function valueText(lots: number, ticks: number, { tick, lot }: Instrument): string {
  const scale = tick.scale + lot.scale;
  const digits = (BigInt(lots) * BigInt(lot.units) * BigInt(ticks) * BigInt(tick.units)).toString();
  const padded = digits.padStart(scale + 1, '0');
  const whole = padded.slice(0, padded.length - scale);
  const fraction = padded.slice(padded.length - scale).replace(/0+$/, '');
  return fraction === '' ? whole : `${whole}.${fraction}`;
}
