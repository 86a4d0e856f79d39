import { describe, expect, it } from 'vitest';
import { currency, defineInstrument } from '#market';
import { BBCA } from '../../test/support/instruments.ts';
import {
  BTC,
  bookOf,
  COIN,
  fillOf,
  ledger,
  listed,
  request,
  trade,
  unasked,
  zero,
} from '../../test/support/ledger-books.ts';
import type { BookId } from './order.ts';

describe('positions and trades', () => {
  it('holds from when the venue filled it, within what can be', () => {
    const opened = (at: number, eventTime: number) => {
      const books = ledger();
      const order = request(BTC, 'buy', 100_000, { book: bookOf(BTC), leverage: 1 });
      books.submit(order, 10);
      const fill = fillOf(order, 100_000, 6_000_000);
      return books.report({ kind: 'order-filled', at, eventTime, fill }).position!.openedAt;
    };
    expect(opened(30, 20)).toBe(20);
    // a venue whose clock is wrong
    expect(opened(30, 5)).toBe(10);
    expect(opened(30, 40)).toBe(30);
    // no time at all; the journal gives null back for each of them
    for (const none of [Number.NaN, Infinity, -Infinity, null as never]) expect(opened(30, none)).toBe(30);
  });

  it('averages adds, keeps the average on reductions, closes into a trade', () => {
    const books = ledger();
    trade(books, BTC, 'buy', 100_000, { ticks: 6_000_000, fee: 1000, leverage: 5, at: 1 });
    trade(books, BTC, 'buy', 300_000, { ticks: 6_200_000, fee: 3000, leverage: 5, at: 2 });
    const held = books.position(bookOf(BTC))!;
    expect(held).toMatchObject({ lots: 400_000, cost: 24_600_00000000, leverage: 5, openedAt: 1 });
    expect(held.entryPrice).toBeCloseTo(61_500, 9);
    expect(held.margin).toBe(held.cost / 5);
    const part = trade(books, BTC, 'sell', 100_000, { ticks: 6_300_000, fee: 1000, at: 3 });
    expect(part.realised).toBe(150_00000000);
    expect(part.closed).toBeNull();
    expect(part.position).toMatchObject({
      lots: 300_000,
      entryPrice: held.entryPrice,
      cost: 18_450_00000000,
    });
    const charge = {
      kind: 'funding-charged',
      chargeId: 'c1',
      at: 4,
      eventTime: 4,
      instrument: BTC.id,
      book: bookOf(BTC),
      amount: 1_00000000,
    } as const;
    expect(books.report(charge)).toMatchObject({ accepted: true, fault: null });
    // told twice, paid once
    expect(books.report(charge)).toMatchObject({ accepted: false, fault: 'duplicate-charge' });
    const end = trade(books, BTC, 'sell', 300_000, { ticks: 6_100_000, fee: 3000, at: 5 });
    expect(end.position).toBeNull();
    expect(end.closed).toMatchObject({
      id: 'p-T1',
      direction: 1,
      openedAt: 1,
      closedAt: 5,
      lots: 400_000,
      realised: 0,
      fees: 8000,
      funding: 1_00000000,
      net: -100_008_000,
      exitReason: 'exit:time',
      currency: 'USDT',
    });
    expect(end.closed!.entryPrice).toBeCloseTo(61_500, 9);
    expect(end.closed!.exitPrice).toBeCloseTo(61_500, 9);
    expect(books.positions()).toEqual([]);
    expect(books.equity(5)).toBe(1_000_000_000_000 - 8000 - 1_00000000);
    zero(books);
  });

  it('splits a flip into a closed trade and a new position at the fill price', () => {
    const books = ledger();
    trade(books, BTC, 'buy', 2_000_000, { ticks: 6_000_000, leverage: 10 });
    const flip = trade(books, BTC, 'sell', 3_000_000, { ticks: 6_100_000, fee: 100, leverage: 10, at: 7 });
    expect(flip.realised).toBe(2_000_00000000);
    // 1/3 of 100 is 33 for the opening part, the remainder goes to the closing one
    expect(flip.closed).toMatchObject({ fees: 67, realised: 2_000_00000000, exitPrice: 61_000 });
    expect(flip.position).toMatchObject({ lots: -1_000_000, entryPrice: 61_000, openedAt: 7 });
    const end = trade(books, BTC, 'buy', 1_000_000, { ticks: 6_100_000 });
    expect(end.closed).toMatchObject({ id: 'p-T2', fees: 33, direction: -1, realised: 0 });
    zero(books);
  });

  it('rounds notionals against us and never loses a minor unit', () => {
    const odd = listed({
      id: 'ODD.TEST',
      kind: 'linear-perpetual',
      quote: 'USDT',
      tick: { units: 3, scale: 4 },
      lot: { units: 1, scale: 3 },
      minorScale: 2,
    });
    const books = ledger([['USDT', 2, 1_000_000]]);
    trade(books, odd, 'buy', 7, { ticks: 11_111 }); // 0.02333... USDT -> 3 cents
    expect(books.position(bookOf(odd))!.cost).toBe(3);
    books.mark(odd.id, 3.3333, 2);
    expect(books.equity(2)).toBe(1_000_000 - 1);
    const out = trade(books, odd, 'sell', 7, { ticks: 11_111 });
    expect(out.realised).toBe(-1);
    zero(books);
  });

  it('releases cost so that no profit is booked early', () => {
    const unit = listed({
      id: 'UNIT.TEST',
      kind: 'linear-perpetual',
      quote: 'USDT',
      tick: { units: 1, scale: 0 },
      lot: { units: 1, scale: 1 },
      minorScale: 0,
    });
    const books = ledger([['USDT', 0, 1000]]);
    trade(books, unit, 'buy', 3, { ticks: 33 }); // 9.9 -> 10
    expect(trade(books, unit, 'sell', 1, { ticks: 40 }).realised).toBe(0); // 4 less a third of 10, rounded up
    expect(books.position(bookOf(unit))!.cost).toBe(6);
    trade(books, unit, 'sell', 2, { ticks: 33 });
    trade(books, unit, 'sell', 3, { ticks: 35 }); // 10.5 -> 10
    expect(trade(books, unit, 'buy', 1, { ticks: 30 }).realised).toBe(0); // a third of 10, rounded down, less 3
    expect(books.position(bookOf(unit))!.cost).toBe(7);
    zero(books);
  });

  it('takes the harmonic average and coin notionals for inverse contracts', () => {
    const books = ledger([['BTC', 8, 1_00000000]], 'BTC');
    trade(books, COIN, 'buy', 12_000, { ticks: 400_000, leverage: 10 });
    trade(books, COIN, 'buy', 12_000, { ticks: 600_000, leverage: 10 });
    const held = books.position(bookOf(COIN))!;
    expect(held.entryPrice).toBeCloseTo(48_000, 9);
    expect(held.cost).toBe(50_000_000); // 24,000 USD at 48,000
    expect(held.margin).toBe(5_000_000);
    books.mark(COIN.id, 60_000, 3);
    // 24,000 / 48,000 - 24,000 / 60,000 = 0.1 BTC
    expect(books.unrealised(bookOf(COIN))).toBe(10_000_000);
    const end = trade(books, COIN, 'sell', 24_000, { ticks: 600_000 });
    expect(end.realised).toBe(10_000_000);
    expect(end.closed!.entryPrice).toBeCloseTo(48_000, 9);
    expect(end.closed!.exitPrice).toBeCloseTo(60_000, 9);
    zero(books);
    const short = trade(books, COIN, 'sell', 24_000, { ticks: 600_000 });
    expect(short.position!.lots).toBe(-24_000);
    books.mark(COIN.id, 48_000, 4);
    expect(books.unrealised(bookOf(COIN))).toBe(10_000_000);
  });

  it('pays equities in full and keeps them at cost', () => {
    const books = ledger([['IDR', 0, 100_000_000]], 'IDR');
    trade(books, BBCA, 'buy', 10, { ticks: 380, fee: 14_250 }); // 1,000 shares at 9,500
    expect(books.summary(1)).toMatchObject({
      cash: 90_485_750,
      equity: 99_985_750,
      margin: 0,
      free: 90_485_750,
    });
    books.mark(BBCA.id, 10_000, 2);
    expect(books.summary(2)).toMatchObject({ equity: 100_485_750, unrealised: 500_000, free: 90_485_750 });
    books.cashEntry('dividend', currency('IDR'), 250_000, 3, bookOf(BBCA));
    expect(books.summary(3)).toMatchObject({ funding: -250_000, equity: 100_735_750, cash: 90_735_750 });
    const end = trade(books, BBCA, 'sell', 10, { ticks: 400, fee: 25_000 });
    expect(end.closed).toMatchObject({ realised: 500_000, fees: 39_250, funding: -250_000, net: 710_750 });
    zero(books);
  });

  it('locks the proceeds of a short sale', () => {
    const books = ledger([['IDR', 0, 100_000_000]], 'IDR');
    trade(books, BBCA, 'sell', 10, { ticks: 400, leverage: 2 });
    expect(books.summary(1)).toMatchObject({
      cash: 110_000_000,
      equity: 100_000_000,
      margin: 15_000_000,
      free: 95_000_000,
    });
    books.mark(BBCA.id, 11_000, 2);
    expect(books.summary(2)).toMatchObject({ equity: 99_000_000, free: 94_000_000 });
  });

  it('books unknown trades by hand through the unasked path, with a flag when a forced one is too large', () => {
    const books = ledger();
    expect(unasked(books, BTC, 'buy', 1_000_000, 6_000_000, 'manual')).toMatchObject({
      fault: null,
      order: null,
    });
    expect(books.position(bookOf(BTC))!.leverage).toBe(1);
    expect(unasked(books, BTC, 'sell', 1_500_000, 6_000_000, 'deleveraging')).toMatchObject({
      fault: 'overfill',
      accepted: true,
      closed: { exitReason: 'deleveraging' },
      position: { lots: -500_000 },
    });
    zero(books);
  });
});

describe('splits, definitions and memory', () => {
  it('splits shares without touching equity', () => {
    const books = ledger([['IDR', 0, 100_000_000]], 'IDR');
    trade(books, BBCA, 'buy', 10, { ticks: 400 });
    books.mark(BBCA.id, 11_000, 2);
    expect(books.split(BBCA.id, 5, 3)).toEqual([]);
    expect(books.position(bookOf(BBCA))).toMatchObject({ lots: 50, cost: 10_000_000, entryPrice: 2000 });
    expect(books.equity(3)).toBe(101_000_000);
    const end = trade(books, BBCA, 'sell', 50, { ticks: 88 });
    expect(end.closed).toMatchObject({ lots: 50, entryPrice: 2000, exitPrice: 2200, realised: 1_000_000 });
    zero(books);
  });

  it('pays out what makes no whole lot in a reverse split', () => {
    const books = ledger([['IDR', 0, 100_000_000]], 'IDR');
    trade(books, BBCA, 'buy', 25, { ticks: 40 }); // 2,500 shares at 1,000
    books.mark(BBCA.id, 1200, 2);
    expect(books.split(BBCA.id, 0.1, 3)).toEqual([]);
    expect(books.position(bookOf(BBCA))).toMatchObject({ lots: 2, cost: 2_000_000 });
    expect(books.position(bookOf(BBCA))!.entryPrice).toBeCloseTo(10_000, 9);
    // half a lot: 500 old shares at 1,200
    expect(books.summary(3)).toMatchObject({ realised: 100_000, unrealised: 400_000, equity: 100_500_000 });
    zero(books);
    const [gone] = books.split(BBCA.id, 0.1, 4);
    expect(gone).toMatchObject({ exitReason: 'split', realised: 500_000 });
    expect(books.equity(4)).toBe(100_500_000);
    zero(books);
  });

  it('takes over a new tick, but no new lot of what is held', () => {
    let present = BTC;
    const books = ledger([], 'USDT', { instrumentOf: () => present });
    trade(books, BTC, 'buy', 1_000_000, { ticks: 6_000_000 });
    books.mark(BTC.id, 60_010, 2);
    present = { ...BTC, ...defineInstrument({ ...BTC, id: BTC.id, tick: { units: 1, scale: 1 } }) };
    books.redefine(BTC.id);
    expect(books.lastMark(BTC.id)).toEqual({ ticks: 600_100, at: 2 });
    expect(books.equity(2)).toBe(10_00000000);
    present = defineInstrument({ ...BTC, id: BTC.id, lot: { units: 1, scale: 3 } });
    expect(() => books.redefine(BTC.id)).toThrow(/changed its lot/);
  });

  it('forgets ended orders, fill ids and instruments, but not what is in use', () => {
    const books = ledger([], 'USDT', { remember: 10 });
    const first = request(BTC, 'buy', 5, { type: 'limit', limitTicks: 1 });
    books.submit(first, 1);
    const ended = request(BTC, 'buy', 5);
    books.submit(ended, 1);
    books.report({ kind: 'order-canceled', at: 1, eventTime: 1, clientId: ended.clientId, reason: '' });
    for (let i = 0; i < 8; i++) trade(books, BTC, i % 2 ? 'sell' : 'buy', 5, { ticks: 100 });
    expect(books.order(ended.clientId)?.status).toBe('canceled');
    for (let i = 0; i < 10; i++) trade(books, BTC, i % 2 ? 'sell' : 'buy', 5, { ticks: 100 });
    expect(books.order(ended.clientId)).toBeUndefined();
    expect(books.order(first.clientId)?.status).toBe('pending');
    const late = { kind: 'order-filled', at: 9, eventTime: 9, fill: fillOf(ended, 5, 100) } as const;
    expect(books.report(late)).toMatchObject({ accepted: false, fault: 'unknown-order' });
    books.forget(BTC.id); // still ordered
    expect(books.lastMark(BTC.id)).not.toBeNull();
    books.report({ kind: 'order-canceled', at: 9, eventTime: 9, clientId: first.clientId, reason: '' });
    books.forget(BTC.id);
    expect(books.lastMark(BTC.id)).toBeNull();
  });

  it('takes the first fill for a mark only until a mark comes', () => {
    const books = ledger();
    expect(books.lastMark(BTC.id)).toBeNull();
    trade(books, BTC, 'buy', 1000, { ticks: 6_000_000, at: 3 });
    expect(books.lastMark(BTC.id)).toEqual({ ticks: 6_000_000, at: 3 });
    books.mark(BTC.id, 60_100.004, 4);
    trade(books, BTC, 'buy', 1000, { ticks: 6_000_000, at: 5 });
    expect(books.lastMark(BTC.id)).toEqual({ ticks: 6_010_000, at: 4 });
  });

  it('refuses marks and fills that are no numbers', () => {
    const books = ledger();
    expect(() => books.mark(BTC.id, Number.NaN, 1)).toThrow();
    expect(() => books.mark(BTC.id, -1, 1)).toThrow();
    expect(() => trade(books, BTC, 'buy', 5, { ticks: 0 })).toThrow();
    expect(() => books.submit(request(BTC, 'buy', 0), 1)).toThrow();
    expect(() => books.submit(request(BTC, 'buy', 1, { leverage: 0.5 }), 1)).toThrow();
    expect(() => books.submit(request(BTC, 'buy', 1, { book: 'q/d/c/BTCUSDT.X' as BookId }), 1)).toThrow();
  });
});
