import { describe, expect, it } from 'vitest';
import { currency, defineInstrument, type Instrument, type InstrumentSpec } from '#market';
import { Ledger } from './ledger.ts';
import { liquidationPrice, maintenanceTier } from './liquidation.ts';
import { type BookId, bookId, type ClientOrderId, type Fill, type OrderRequest, type Side } from './order.ts';
import { binaryWorstLoss, settleBinary } from './settle-binary.ts';

const USDT = currency('USDT');
const TIER = { maxNotional: null, maintenanceRate: 500_000, maintenanceAmount: 0, maxLeverage: 125 };

const define = (spec: InstrumentSpec): Instrument => defineInstrument(spec);
const BTC = define({
  id: 'BTCUSDT.BINANCE-USDM',
  kind: 'linear-perpetual',
  base: 'BTC',
  quote: 'USDT',
  tick: { units: 1, scale: 2 },
  lot: { units: 1, scale: 6 },
  marginTiers: [TIER],
  fees: [{ from: 0, makerRate: 20_000, takerRate: 50_000 }],
  maxLeverage: 125,
});
const COIN = define({
  id: 'BTCUSD.COIN',
  kind: 'inverse-perpetual',
  base: 'BTC',
  quote: 'USD',
  tick: { units: 1, scale: 1 },
  lot: { units: 1, scale: 0 },
  marginTiers: [TIER],
});
const BBCA = define({
  id: 'BBCA.IDX',
  kind: 'equity',
  quote: 'IDR',
  tick: { units: 25, scale: 0 },
  lot: { units: 100, scale: 0 },
  minorScale: 0,
});
const CLAIM = define({
  id: 'RAIN.KALSHI',
  kind: 'binary',
  quote: 'USD',
  tick: { units: 1, scale: 2 },
  lot: { units: 1, scale: 0 },
  minorScale: 4,
  payoutTicks: 100,
});
const ALL = new Map([BTC, COIN, BBCA, CLAIM].map((i) => [i.id, i]));

function ledger(cash: [string, number, number][] = [['USDT', 8, 1_000_000_000_000]], base = 'USDT'): Ledger {
  return new Ledger({
    portfolio: 'p',
    base: currency(base),
    baseMinorScale: cash.find(([code]) => code === base)?.[1] ?? 8,
    instrumentOf: (id) => ALL.get(id)!,
    openingCash: cash.map(([code, minorScale, amount]) => ({ currency: currency(code), minorScale, amount })),
    at: 0,
  });
}

const bookOf = (instrument: Instrument, configuration = 'c'): BookId =>
  bookId({ portfolio: 'p', desk: 'd', configuration, instrument: instrument.id });

let count = 0;
interface Wish {
  ticks: number;
  fee?: number;
  leverage?: number;
  configuration?: string;
  at?: number;
}

function request(
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
    reason: side === 'buy' ? 'entry' : 'exit:time',
    ...changes,
  };
}

function fillOf(order: OrderRequest, lots: number, ticks: number, fee = 0): Fill {
  count += 1;
  const { clientId, instrument, side } = order;
  return { fillId: `f${count}`, clientId, instrument, side, lots, ticks, fee, liquidity: 'taker' };
}

function trade(books: Ledger, instrument: Instrument, side: Side, lots: number, wish: Wish) {
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

function unasked(
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

const zero = (books: Ledger) => expect([...books.trialBalance().values()].every((v) => v === 0)).toBe(true);

describe('positions and trades', () => {
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
    const odd = define({
      id: 'ODD.TEST',
      kind: 'linear-perpetual',
      quote: 'USDT',
      tick: { units: 3, scale: 4 },
      lot: { units: 1, scale: 3 },
      minorScale: 2,
    });
    ALL.set(odd.id, odd);
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
    const unit = define({
      id: 'UNIT.TEST',
      kind: 'linear-perpetual',
      quote: 'USDT',
      tick: { units: 1, scale: 0 },
      lot: { units: 1, scale: 1 },
      minorScale: 0,
    });
    ALL.set(unit.id, unit);
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

describe('isolated margin and liquidation', () => {
  // Pe 60,000, mmr 0.5 %
  it.each([
    [1, 5, 48_241.21],
    [-1, 5, 71_641.79],
    [1, 20, 57_286.43],
  ])('direction %d at %dx is liquidated at %d', (direction, leverage, price) => {
    expect(liquidationPrice(BTC, direction * 111_111, 60_000, leverage)).toBeCloseTo(price, 2);
    const books = ledger();
    trade(books, BTC, direction > 0 ? 'buy' : 'sell', 111_111, { ticks: 6_000_000, leverage });
    const ticks = books.liquidationTicks(bookOf(BTC))!;
    expect(Math.abs(ticks - price * 100)).toBeLessThanOrEqual(1);
    const exact = liquidationPrice(BTC, direction * 111_111, 60_000, leverage)! * 100;
    // rounded towards an earlier liquidation
    expect((ticks - exact) * direction).toBeGreaterThanOrEqual(0);
  });

  it('cannot liquidate an unlevered long', () => {
    expect(liquidationPrice(BTC, 1000, 60_000, 1)).toBeNull();
    expect(liquidationPrice(BBCA, 10, 9500, 2)).toBeNull();
    const books = ledger();
    trade(books, BTC, 'buy', 1000, { ticks: 6_000_000, leverage: 1 });
    expect(books.liquidationTicks(bookOf(BTC))).toBeNull();
    expect(books.liquidationTicks(bookOf(COIN))).toBeNull();
    // an unlevered inverse short owns its coins
    expect(liquidationPrice(COIN, -1000, 60_000, 1)).toBeNull();
    expect(liquidationPrice(COIN, 1000, 60_000, 1)).toBeCloseTo((1.005 * 60_000) / 2, 6);
  });

  it('loses the margin, not the gap, in an isolated liquidation', () => {
    // long 10,000 at 3x; (1 - 1/3) / 0.995 = 0.670017; a day of -39 %
    expect(liquidationPrice(BTC, 1_000_000, 10_000, 3)! / 10_000).toBeCloseTo(0.670017, 6);
    const books = ledger();
    trade(books, BTC, 'buy', 1_000_000, { ticks: 1_000_000, leverage: 3 });
    const booking = unasked(books, BTC, 'sell', 1_000_000, 610_000, 'liquidation');
    expect(booking.realised).toBe(-3333_33333334);
    expect(booking.closed).toMatchObject({
      exitReason: 'liquidation',
      realised: -3333_33333334,
      exitPrice: 6100,
    });
    expect(books.equity(9)).toBe(1_000_000_000_000 - 3333_33333334);
    zero(books);
    // a fill by hand at the same price has no such floor
    trade(books, BTC, 'buy', 1_000_000, { ticks: 1_000_000, leverage: 3 });
    expect(unasked(books, BTC, 'sell', 1_000_000, 610_000, 'manual').realised).toBe(-3900_00000000);
  });

  const M = 100_000_000;
  const tiered = define({
    id: 'TIER.TEST',
    kind: 'linear-perpetual',
    quote: 'USDT',
    tick: { units: 1, scale: 2 },
    lot: { units: 1, scale: 3 },
    marginTiers: [
      { maxNotional: 50_000 * M, maintenanceRate: 400_000, maintenanceAmount: 0, maxLeverage: 125 },
      { maxNotional: 250_000 * M, maintenanceRate: 500_000, maintenanceAmount: 50 * M, maxLeverage: 100 },
      { maxNotional: null, maintenanceRate: 1_000_000, maintenanceAmount: 1300 * M, maxLeverage: 50 },
    ],
  });

  it('uses the tier that holds the notional at the liquidation price', () => {
    expect(maintenanceTier(tiered, 50_000 * M).maintenanceRate).toBe(400_000);
    expect(maintenanceTier(tiered, 50_000 * M + 1).maintenanceRate).toBe(500_000);
    // 1 BTC long at 60,000, 5x: notional at liquidation is below 50,000, so the first tier counts though 60,000 is in the second
    expect(liquidationPrice(tiered, 1000, 60_000, 5)).toBeCloseTo(48_000 / 0.996, 6);
    // 1 BTC short at 45,000, 5x ends in the second tier: (45,000 * 1.2 + 50) / 1.005
    expect(liquidationPrice(tiered, -1000, 45_000, 5)).toBeCloseTo(54_050 / 1.005, 6);
    // 10 BTC long at 60,000, 10x: (60,000 * 0.9 - 1300 / 10) / 0.99
    expect(liquidationPrice(tiered, 10_000, 60_000, 10)).toBeCloseTo((54_000 - 130) / 0.99, 6);
  });

  it('meets the margin equation exactly at every size', () => {
    for (const direction of [1, -1]) {
      for (let lots = 100; lots < 20_000; lots += 137) {
        const price = liquidationPrice(tiered, direction * lots, 60_000, 7)!;
        const q = lots / 1000;
        const tier = maintenanceTier(tiered, q * price * M);
        const left = (60_000 * q) / 7 + direction * (price - 60_000) * q;
        const due = (tier.maintenanceRate / 1e8) * price * q - tier.maintenanceAmount / M;
        expect(Math.abs(left - due)).toBeLessThan(1e-6 * q * 60_000);
      }
    }
  });

  it('stops a short at the border where an unjoined tier begins', () => {
    const jump = define({
      ...{ id: 'JUMP.TEST', kind: 'linear-perpetual' as const, quote: 'USDT' },
      tick: { units: 1, scale: 2 },
      lot: { units: 1, scale: 3 },
      marginTiers: [
        { maxNotional: 70_000 * M, maintenanceRate: 500_000, maintenanceAmount: 0, maxLeverage: 100 },
        { maxNotional: null, maintenanceRate: 5_000_000, maintenanceAmount: 0, maxLeverage: 10 },
      ],
    });
    // first tier alone: 71,641.79 (beyond 70,000); second alone: 68,571.43 (before it)
    expect(liquidationPrice(jump, -1000, 60_000, 5)).toBeCloseTo(70_000, 6);
  });

  it('mixes leverages by margin', () => {
    const books = ledger();
    trade(books, BTC, 'buy', 1_000_000, { ticks: 6_000_000, leverage: 10 });
    trade(books, BTC, 'buy', 1_000_000, { ticks: 6_000_000, leverage: 5 });
    const held = books.position(bookOf(BTC))!;
    expect(held.margin).toBe(18_000_00000000);
    expect(held.leverage).toBeCloseTo(120 / 18, 12);
  });
});

describe('binary claims', () => {
  it('settles at the payout or at nothing', () => {
    const books = ledger([['USD', 4, 10_000_000]], 'USD');
    trade(books, CLAIM, 'buy', 100, { ticks: 30, fee: 14_700 }); // 100 at 0.30, fee 1.47
    expect(books.summary(1)).toMatchObject({ cash: 10_000_000 - 300_000 - 14_700, unrealised: 0 });
    const plan = settleBinary(CLAIM, 100, 300_000, 1);
    expect(plan).toEqual({ side: 'sell', lots: 100, ticks: 100, proceeds: 1_000_000, realised: 700_000 });
    const won = unasked(books, CLAIM, plan.side, plan.lots, plan.ticks, 'settlement');
    expect(won.closed).toMatchObject({
      realised: 700_000,
      net: 685_300,
      exitPrice: 1,
      exitReason: 'settlement',
    });
    trade(books, CLAIM, 'buy', 100, { ticks: 30 });
    const lost = unasked(books, CLAIM, 'sell', 100, 0, 'settlement');
    expect(lost.closed).toMatchObject({ realised: -300_000, exitPrice: 0 });
    expect(books.equity(9)).toBe(10_000_000 + 685_300 - 300_000);
    zero(books);
  });

  it('locks the full payout of a claim sold short', () => {
    const books = ledger([['USD', 4, 10_000_000]], 'USD');
    trade(books, CLAIM, 'sell', 100, { ticks: 95 });
    expect(books.summary(1)).toMatchObject({ margin: 1_000_000, cash: 10_950_000, free: 9_950_000 });
    expect(binaryWorstLoss(CLAIM, -100, 950_000)).toBe(50_000);
    expect(binaryWorstLoss(CLAIM, 100, 950_000)).toBe(950_000);
    const plan = settleBinary(CLAIM, -100, 950_000, 0);
    expect(plan).toEqual({ side: 'buy', lots: 100, ticks: 0, proceeds: 0, realised: 950_000 });
    expect(unasked(books, CLAIM, plan.side, plan.lots, plan.ticks, 'settlement').realised).toBe(950_000);
    zero(books);
  });

  it('rounds a partial payout against us and refuses what is no claim', () => {
    expect(settleBinary(CLAIM, 10, 1000, 0.505).ticks).toBe(50);
    expect(settleBinary(CLAIM, -10, 1000, 0.505).ticks).toBe(51);
    expect(() => settleBinary(BTC, 10, 1000, 1)).toThrow(/no binary claim/);
    expect(() => settleBinary(CLAIM, 10, 1000, 1.2)).toThrow(/payout/);
  });

  it('buys a share at 0.65 for 65 naira and is paid 100', () => {
    const share = define({
      id: 'UP.BAYSE',
      kind: 'binary',
      quote: 'NGN',
      tick: { units: 1, scale: 0 },
      lot: { units: 1, scale: 0 },
      minorScale: 2,
      payoutTicks: 100,
    });
    ALL.set(share.id, share);
    const books = ledger([['NGN', 2, 2_000_000]], 'NGN');
    trade(books, share, 'buy', 1, { ticks: 65 });
    expect(books.summary(1).cash).toBe(2_000_000 - 6500);
    expect(unasked(books, share, 'sell', 1, 100, 'settlement').realised).toBe(3500);
  });
});

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
    const coarse = define({ id: 'X.TEST', quote: 'USDT', minorScale: 2 });
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
    const books = new Ledger({
      portfolio: 'p',
      base: USDT,
      baseMinorScale: 8,
      instrumentOf: () => present,
      openingCash: [],
      at: 0,
    });
    trade(books, BTC, 'buy', 1_000_000, { ticks: 6_000_000 });
    books.mark(BTC.id, 60_010, 2);
    present = { ...BTC, ...define({ ...BTC, id: BTC.id, tick: { units: 1, scale: 1 } }) };
    books.redefine(BTC.id);
    expect(books.lastMark(BTC.id)).toEqual({ ticks: 600_100, at: 2 });
    expect(books.equity(2)).toBe(10_00000000);
    present = define({ ...BTC, id: BTC.id, lot: { units: 1, scale: 3 } });
    expect(() => books.redefine(BTC.id)).toThrow(/changed its lot/);
  });

  it('forgets ended orders, fill ids and instruments, but not what is in use', () => {
    const books = new Ledger({
      portfolio: 'p',
      base: USDT,
      baseMinorScale: 8,
      instrumentOf: (id) => ALL.get(id)!,
      openingCash: [],
      at: 0,
      remember: 10,
    });
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
