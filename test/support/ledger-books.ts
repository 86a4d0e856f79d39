import { expect } from 'vitest';
import {
  type BookId,
  bookId,
  type ClientOrderId,
  type Fill,
  Ledger,
  type LedgerOptions,
  type OrderRequest,
  type Side,
} from '#ledger';
import { currency, defineInstrument, type Instrument, type InstrumentSpec } from '#market';
import { BBCA, perpetual, rainClaim } from './instruments.ts';
import { MARKET_ORDER } from './market-order.ts';

/** A ledger driven by hand: what its own tests share. */
export const USDT = currency('USDT');
const TIER = { maxNotional: null, maintenanceRate: 500_000, maintenanceAmount: 0, maxLeverage: 125 };

export const BTC = perpetual('BTCUSDT.BINANCE-USDM', {
  base: 'BTC',
  tick: { units: 1, scale: 2 },
  lot: { units: 1, scale: 6 },
  marginTiers: [TIER],
  fees: [{ from: 0, makerRate: 20_000, takerRate: 50_000 }],
  maxLeverage: 125,
});
export const COIN = defineInstrument({
  id: 'BTCUSD.COIN',
  kind: 'inverse-perpetual',
  base: 'BTC',
  quote: 'USD',
  tick: { units: 1, scale: 1 },
  lot: { units: 1, scale: 0 },
  marginTiers: [TIER],
});
export const CLAIM = rainClaim();
const KNOWN = new Map([BTC, COIN, BBCA, CLAIM].map((i) => [i.id, i]));

/** Defines an instrument that every ledger of the tests knows. */
export function listed(spec: InstrumentSpec): Instrument {
  const instrument = defineInstrument(spec);
  KNOWN.set(instrument.id, instrument);
  return instrument;
}

export function ledger(
  cash: [string, number, number][] = [['USDT', 8, 1_000_000_000_000]],
  base = 'USDT',
  changes: Partial<LedgerOptions> = {},
): Ledger {
  return new Ledger({
    portfolio: 'p',
    base: currency(base),
    baseMinorScale: cash.find(([code]) => code === base)?.[1] ?? 8,
    instrumentOf: (id) => KNOWN.get(id)!,
    openingCash: cash.map(([code, minorScale, amount]) => ({ currency: currency(code), minorScale, amount })),
    at: 0,
    ...changes,
  });
}

export const bookOf = (instrument: Instrument, configuration = 'c'): BookId =>
  bookId({ portfolio: 'p', desk: 'd', configuration, instrument: instrument.id });

let count = 0;
interface Wish {
  ticks: number;
  fee?: number;
  leverage?: number;
  configuration?: string;
  at?: number;
}

export function request(
  instrument: Instrument,
  side: Side,
  lots: number,
  changes: Partial<OrderRequest> = {},
): OrderRequest {
  count += 1;
  return {
    clientId: `o${count}` as ClientOrderId,
    book: bookOf(instrument),
    instrument: instrument.id,
    side,
    lots,
    ...MARKET_ORDER,
    reason: side === 'buy' ? 'entry' : 'exit:time',
    ...changes,
  };
}

export function fillOf(order: OrderRequest, lots: number, ticks: number, fee = 0): Fill {
  count += 1;
  const { clientId, instrument, side } = order;
  return { fillId: `f${count}`, clientId, instrument, side, lots, ticks, fee, liquidity: 'taker' };
}

export function trade(books: Ledger, instrument: Instrument, side: Side, lots: number, wish: Wish) {
  const order = request(instrument, side, lots, {
    book: bookOf(instrument, wish.configuration),
    leverage: wish.leverage ?? 1,
  });
  const at = wish.at ?? 1;
  books.submit(order, at);
  return books.report({
    kind: 'order-filled',
    at,
    eventTime: at,
    fill: fillOf(order, lots, wish.ticks, wish.fee),
  });
}

export function unasked(
  books: Ledger,
  instrument: Instrument,
  side: Side,
  lots: number,
  ticks: number,
  cause: 'liquidation' | 'deleveraging' | 'manual' | 'settlement',
  configuration = 'c',
) {
  const fill = fillOf(request(instrument, side, lots), lots, ticks);
  const book = bookOf(instrument, configuration);
  return books.report({ kind: 'unasked-fill', at: 9, eventTime: 9, book, cause, fill });
}

export const zero = (books: Ledger) =>
  expect([...books.trialBalance().values()].every((v) => v === 0)).toBe(true);
