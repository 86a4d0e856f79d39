import { describe, expect, it } from 'vitest';
import { currency, defineInstrument } from '#market';
import { BBCA } from '../../test/support/instruments.ts';
import {
  BTC,
  bookOf,
  CLAIM,
  fillOf,
  ledger,
  request,
  trade,
  USDT,
  zero,
} from '../../test/support/ledger-books.ts';
import type { ClientOrderId, Side } from './order.ts';

describe('reservations', () => {
  it('sets aside margin and taker fee, and gives it back with fills and ends', () => {
    const books = ledger();
    const order = request(BTC, 'buy', 1_000_000, { type: 'limit', limitTicks: 6_000_000, leverage: 5 });
    books.submit(order, 1);
    const whole = 12_000_00000000 + 30_00000000; // 60,000 / 5 and 0.05 %
    expect(books.order(order.clientId)).toMatchObject({ status: 'pending', reserved: whole });
    expect(books.summary(1)).toMatchObject({ reserved: whole, free: 1_000_000_000_000 - whole });
    books.report({ kind: 'order-filled', at: 2, eventTime: 2, fill: fillOf(order, 250_000, 6_000_000) });
    expect(books.summary(2)).toMatchObject({ reserved: (whole * 3) / 4, margin: 3_000_00000000 });
    books.report({
      kind: 'order-amended',
      at: 3,
      eventTime: 3,
      clientId: order.clientId,
      lots: 500_000,
      limitTicks: 6_000_000,
      triggerTicks: null,
    });
    expect(books.summary(3).reserved).toBe(whole / 4);
    books.report({ kind: 'order-canceled', at: 4, eventTime: 4, clientId: order.clientId, reason: 'asked' });
    expect(books.summary(4)).toMatchObject({ reserved: 0, margin: 3_000_00000000 });
  });

  it('rounds up what the unfilled part still needs', () => {
    const books = ledger();
    const order = request(BTC, 'buy', 3, { type: 'limit', limitTicks: 333, leverage: 7 });
    books.submit(order, 1);
    // 3e-6 x 3.33 = 999 minor units: 142.7 and 0.4995 rounded up
    expect(books.order(order.clientId)!.reserved).toBe(144);
    const wider = request(BTC, 'buy', 7, { type: 'limit', limitTicks: 100, leverage: 7 });
    books.submit(wider, 1);
    expect(books.order(wider.clientId)!.reserved).toBe(101);
    books.report({ kind: 'order-filled', at: 2, eventTime: 2, fill: fillOf(wider, 1, 100) });
    expect(books.order(wider.clientId)!.reserved).toBe(87); // 6/7 of 101 = 86.57
  });

  it('reckons with the mark for market orders and sells, with nothing for what only closes', () => {
    const books = ledger();
    books.mark(BTC.id, 61_000, 1);
    const market = request(BTC, 'buy', 1_000_000, { leverage: 10 });
    books.submit(market, 1);
    expect(books.order(market.clientId)!.reserved).toBe(6_100_00000000 + 30_50000000);
    const sell = request(BTC, 'sell', 1_000_000, { type: 'limit', limitTicks: 6_000_000, leverage: 10 });
    books.submit(sell, 1);
    expect(books.order(sell.clientId)!.reserved).toBe(6_100_00000000 + 30_50000000);
    books.report({ kind: 'order-filled', at: 2, eventTime: 2, fill: fillOf(market, 1_000_000, 6_100_000) });
    books.report({ kind: 'order-canceled', at: 3, eventTime: 3, clientId: sell.clientId, reason: 'asked' });
    const close = request(BTC, 'sell', 1_000_000, { leverage: 10 });
    books.submit(close, 4);
    expect(books.order(close.clientId)!.reserved).toBe(0);
    // the holding is spoken for: a second sell would open
    const second = request(BTC, 'sell', 1_000_000, { leverage: 10 });
    books.submit(second, 4);
    expect(books.order(second.clientId)!.reserved).toBe(6_100_00000000 + 30_50000000);
    // amended to more, only what is added would open
    books.report({
      kind: 'order-amended',
      at: 5,
      eventTime: 5,
      clientId: close.clientId,
      lots: 2_000_000,
      limitTicks: null,
      triggerTicks: null,
    });
    expect(books.order(close.clientId)).toMatchObject({ openingLots: 1_000_000, reserved: 6_130_50000000 });
    const stop = request(BTC, 'sell', 1_000_000, { type: 'stop', triggerTicks: 5_900_000, reduceOnly: true });
    books.submit(stop, 4);
    expect(books.order(stop.clientId)!.reserved).toBe(0);
  });

  it('sets aside cash for what is bought, the worst loss for a claim sold', () => {
    const books = ledger(
      [
        ['IDR', 0, 100_000_000],
        ['USD', 4, 10_000_000],
      ],
      'IDR',
    );
    const shares = request(BBCA, 'buy', 10, { type: 'limit', limitTicks: 380 });
    books.submit(shares, 1);
    expect(books.order(shares.clientId)!.reserved).toBe(9_500_000);
    const claim = request(CLAIM, 'sell', 100, { type: 'limit', limitTicks: 95 });
    books.submit(claim, 1);
    expect(books.order(claim.clientId)!.reserved).toBe(50_000);
    expect(books.currencySummary(currency('USD'))!.free).toBe(9_950_000);
  });
});

describe('nets and reconciliation', () => {
  it('sums books and judges reduce-only on both', () => {
    const books = ledger();
    trade(books, BTC, 'buy', 500, { ticks: 6_000_000, configuration: 'a' });
    trade(books, BTC, 'sell', 800, { ticks: 6_000_000, configuration: 'b' });
    expect(books.net(BTC.id)).toBe(-300);
    const reduces = (side: Side, lots: number) =>
      books.reduceOnlyReducesNet({ instrument: BTC.id, side, lots });
    expect(reduces('sell', 500)).toBe(false); // closes book a, enlarges the net
    expect(reduces('buy', 300)).toBe(true);
    expect(reduces('buy', 800)).toBe(false); // closes book b, but would turn the net
  });

  it('names every difference to an account report', () => {
    const books = ledger();
    trade(books, BTC, 'buy', 500, { ticks: 6_000_000 });
    const working = request(BTC, 'buy', 5, { type: 'limit', limitTicks: 1 });
    const pending = request(BTC, 'buy', 5, { type: 'limit', limitTicks: 1 });
    books.submit(working, 1);
    books.submit(pending, 1);
    books.report({
      kind: 'order-accepted',
      at: 1,
      eventTime: 1,
      clientId: working.clientId,
      venueOrderId: 'v',
    });
    const report = { kind: 'account-reported', at: 2, eventTime: 2, venue: 'BINANCE-USDM' } as const;
    const good = { ...report, nets: [{ instrument: BTC.id, lots: 500 }], openOrders: [working.clientId] };
    expect(books.report(good)).toMatchObject({ accepted: true, fault: null, differences: [] });
    const stranger = 'stranger' as ClientOrderId;
    expect(books.report({ ...report, nets: [], openOrders: [stranger] })).toMatchObject({
      fault: 'account-differs',
      differences: [
        { kind: 'net', instrument: BTC.id, books: 500, venue: 0 },
        { kind: 'order-missing', clientId: working.clientId },
        { kind: 'order-unexpected', clientId: stranger },
      ],
    });
    // another venue's report says nothing about this one
    expect(books.report({ ...report, venue: 'COIN', nets: [], openOrders: [] }).differences).toEqual([]);
  });
});

describe('currencies', () => {
  const mixed = () =>
    ledger(
      [
        ['USD', 2, 100_000],
        ['IDR', 0, 16_000_000],
      ],
      'USD',
    );

  it('converts by the newest rate, direct or inverse, towards less', () => {
    const books = mixed();
    expect(books.equity(0)).toBe(100_000);
    expect(books.ratesFresh(0)).toBe(false);
    books.fxRate(currency('USD'), currency('IDR'), 16_000, 10);
    expect(books.equity(10)).toBe(200_000);
    expect(books.ratesFresh(10 + 72 * 3_600_000)).toBe(true);
    expect(books.ratesFresh(11 + 72 * 3_600_000)).toBe(false);
    books.fxRate(currency('IDR'), currency('USD'), 1 / 17_000, 20);
    expect(books.equity(20)).toBe(100_000 + Math.floor(1_600_000_000 / 17_000));
    books.fxRate(currency('USD'), currency('IDR'), 1, 15); // older: nothing
    expect(books.equity(20)).toBe(194_117);
    // capital keeps the rate of its day, the rest is what the rate did
    expect(books.summary(20)).toMatchObject({ cashStart: 200_000, fxDifference: -5883, equity: 194_117 });
  });

  it('knows a rate that came before the currency', () => {
    const books = ledger([['USD', 2, 100_000]], 'USD');
    books.fxRate(currency('IDR'), currency('USD'), 1 / 16_000, 5);
    books.admit(BBCA);
    trade(books, BBCA, 'buy', 10, { ticks: 400 }); // 10,000,000 rupiah on credit
    books.mark(BBCA.id, 11_000, 6);
    expect(books.equity(6)).toBe(100_000 + 6250);
    expect(books.unrealised(bookOf(BBCA))).toBe(6250);
    expect(books.ratesFresh(6)).toBe(true);
  });

  it('changes money without profit', () => {
    const books = mixed();
    books.fxRate(currency('USD'), currency('IDR'), 16_000, 1);
    books.exchange(currency('USD'), 50_000, currency('IDR'), 7_900_000, 2);
    expect(books.currencySummary(currency('USD'))).toMatchObject({
      cashStart: 50_000,
      equity: 50_000,
      realised: 0,
    });
    expect(books.summary(2)).toMatchObject({ cashStart: 200_000, equity: 199_375, fxDifference: -625 });
    zero(books);
  });

  it('refuses two minor units for one currency', () => {
    const coarse = defineInstrument({ id: 'X.TEST', quote: 'USDT', minorScale: 2 });
    expect(() => ledger().admit(coarse)).toThrow(/USDT is kept with 8 decimals/);
  });

  it('counts deposits as capital, carry as funding, corrections as profit', () => {
    const books = ledger([['USDT', 8, 1000]]);
    books.cashEntry('deposit', USDT, 500, 1);
    books.cashEntry('withdrawal', USDT, -200, 1);
    books.cashEntry('borrow', USDT, -30, 1);
    books.cashEntry('interest', USDT, 5, 1);
    books.cashEntry('fee', USDT, -7, 1);
    books.cashEntry('correction', USDT, -2, 1);
    expect(books.summary(1)).toMatchObject({
      cashStart: 1300,
      funding: 25,
      fees: 7,
      realised: -2,
      equity: 1266,
      fxDifference: 0,
    });
    expect(() => books.cashEntry('deposit', USDT, -1, 1)).toThrow(/positive/);
    expect(() => books.cashEntry('deposit', currency('EUR'), 1, 1)).toThrow(/no account/);
  });
});
