import { describe, expect, it } from 'vitest';
import { numberToSteps } from '#base';
import { liquidationPrice } from '#ledger';
import { perpetual } from '../../../test/support/instruments.ts';
import type { SizingContext } from '../sizer.ts';
import { bufferedFraction, bufferedLeverage } from './buffered-fraction.ts';

const tier = (rate: number) => ({
  maxNotional: null,
  maintenanceRate: rate,
  maintenanceAmount: 0,
  maxLeverage: 125,
});
const BTC = perpetual('BTCUSDT.BINANCE-USDM', {
  lot: { units: 1, scale: 6 },
  tick: { units: 1, scale: 2 },
  minorScale: 8,
  marginTiers: [tier(500_000)],
  maxLeverage: 125,
});

const STOP = { atr: 'atr:14', atrMultiple: 1.5, costMultiple: 0, targetMultiple: 1.5 };
const config = { risk: 0.005, stop: STOP, notionalMax: 3, leverage: 5, bufferStops: 2 };
const context = (changes: Partial<SizingContext> = {}): SizingContext =>
  ({
    instrument: BTC,
    direction: 1,
    price: 60_000,
    costRate: 0.00038,
    breakerMultiplier: 1,
    account: { equity: 1_000_000_000_000 },
    ...changes,
  }) as SizingContext;
const size = (changes: Partial<typeof config> = {}, of: Partial<SizingContext> = {}, atr = 300) =>
  bufferedFraction({ ...config, ...changes }).size(context(of), { atr });

describe('the examples of the sheet', () => {
  it('size a position of Pe 60,000, ATR 300 and an equity of 10,000', () => {
    expect(size()).toMatchObject({
      kind: 'sized',
      stopDistance: 450,
      targetDistance: 675,
      leverage: 5,
      cuts: [],
    });
    const sized = size();
    if (sized.kind !== 'sized') throw new Error('not sized');
    expect(sized.quantity).toBeCloseTo(0.111111, 6);
    expect(sized.quantity * 60_000).toBeCloseTo(6_666.67, 2);
  });

  it.each([
    [5, 1, 48_241.21],
    [5, -1, 71_641.79],
    [20, 1, 57_286.43],
  ])('liquidate at leverage %d, direction %d', (leverage, direction, expected) => {
    const lots = direction * numberToSteps(0.111111, BTC.lot, 'floor');
    expect(liquidationPrice(BTC, lots, 60_000, leverage)).toBeCloseTo(expected, 1);
  });
});

describe('the buffer to liquidation', () => {
  const lots = 111_111;
  const distance = (leverage: number) => 60_000 - liquidationPrice(BTC, lots, 60_000, leverage)!;

  it('holds exactly at two stops, and lowers the leverage beyond', () => {
    expect(bufferedLeverage(BTC, lots, 60_000, distance(20), 20)).toBe(20);
    expect(bufferedLeverage(BTC, lots, 60_000, distance(20) + 0.01, 20)).toBe(19);
    expect(bufferedLeverage(BTC, lots, 60_000, distance(3), 20)).toBe(3);
  });

  it('refuses what even no leverage keeps apart', () => {
    // a short without leverage is liquidated one price above its entry, less the maintenance margin
    const most = liquidationPrice(BTC, -lots, 60_000, 1)! - 60_000;
    expect(bufferedLeverage(BTC, -lots, 60_000, most, 20)).toBe(1);
    expect(bufferedLeverage(BTC, -lots, 60_000, most + 0.1, 20)).toBeNull();
    const refused = size({}, { direction: -1 }, most / 3 + 1);
    expect(refused).toMatchObject({
      kind: 'not-sized',
      objection: { by: 'buffered-fraction', relation: '>=' },
    });
  });

  it('cannot be crossed by a long without leverage', () => {
    expect(bufferedLeverage(BTC, lots, 60_000, 1e9, 1)).toBe(1);
  });

  it('never uses more than the instrument allows', () => {
    expect(bufferedLeverage({ ...BTC, maxLeverage: 3 }, lots, 60_000, 1, 20)).toBe(3);
  });
});

describe('the cap of one config', () => {
  it('is three equities, exactly', () => {
    // 0.5 % to a stop of a 600th of the price is three equities
    const atr = 60_000 / 600 / 1.5;
    expect(size({}, {}, atr)).toMatchObject({ cuts: [] });
    const cut = size({}, {}, atr * 0.99);
    if (cut.kind !== 'sized') throw new Error('not sized');
    expect(cut.quantity).toBeCloseTo(0.5, 9);
    expect(cut.cuts).toEqual([{ by: 'notional-cap', factor: expect.closeTo(0.99, 9) as number }]);
    expect(cut.riskFraction).toBeCloseTo(0.005 * 0.99, 9);
  });
});
