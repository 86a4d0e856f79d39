import { describe, expect, it } from 'vitest';
import { defineInstrument } from '#market';
import { BBCA } from '../../test/support/instruments.ts';
import {
  BTC,
  bookOf,
  CLAIM,
  COIN,
  ledger,
  listed,
  trade,
  unasked,
  zero,
} from '../../test/support/ledger-books.ts';
import { liquidationPrice, maintenanceTier } from './liquidation.ts';
import { binaryWorstLoss, settleBinary } from './settle-binary.ts';

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
  const tiered = defineInstrument({
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
    const jump = defineInstrument({
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
    const share = listed({
      id: 'UP.BAYSE',
      kind: 'binary',
      quote: 'NGN',
      tick: { units: 1, scale: 0 },
      lot: { units: 1, scale: 0 },
      minorScale: 2,
      payoutTicks: 100,
    });
    const books = ledger([['NGN', 2, 2_000_000]], 'NGN');
    trade(books, share, 'buy', 1, { ticks: 65 });
    expect(books.summary(1).cash).toBe(2_000_000 - 6500);
    expect(unasked(books, share, 'sell', 1, 100, 'settlement').realised).toBe(3500);
  });
});
