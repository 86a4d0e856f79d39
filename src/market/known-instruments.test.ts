import { describe, expect, it } from 'vitest';
import { stepsToText } from '#base';
import { compareOrdered, orderOf } from './event-order.ts';
import { notional } from './instrument.ts';
import { instrumentFor, instrumentIdOf, KNOWN_INSTRUMENTS, marginTiers } from './known-instruments.ts';

describe('known instruments', () => {
  it('has the eight majors with joined margin tiers', () => {
    expect(KNOWN_INSTRUMENTS.size).toBe(8);
    const btc = instrumentFor('BTCUSDT.BINANCE-USDM');
    expect(stepsToText(1, btc.tick)).toBe('0.1');
    expect(notional(btc, 300_000, 1_000, 'floor')).toBe(30_000 * 1e8);
    expect(btc.fees[0]).toMatchObject({ makerRate: 20_000, takerRate: 50_000 });
    for (const { marginTiers: tiers, maxLeverage } of KNOWN_INSTRUMENTS.values()) {
      expect(tiers[0]!.maxLeverage).toBe(maxLeverage);
      for (let i = 1; i < tiers.length; i++) {
        const edge = tiers[i - 1]!.maxNotional!;
        const margin = (k: number) => (edge * tiers[k]!.maintenanceRate) / 1e8 - tiers[k]!.maintenanceAmount;
        expect(margin(i)).toBeCloseTo(margin(i - 1), 0);
      }
      expect(tiers.at(-1)!.maxNotional).toBeNull();
    }
    // BTCUSDT as published: 50 USDT in the second tier, 950 in the third
    expect(btc.marginTiers.slice(0, 3).map((t) => t.maintenanceAmount / 1e8)).toEqual([0, 50, 950]);
    expect(marginTiers([[null, 1, 10]], 2)[0]!.maintenanceAmount).toBe(0);
  });

  it('gives an unknown instrument a fine grid and no minimum', () => {
    const odd = instrumentFor('FOO.LOCAL');
    expect([odd.tick, odd.lot, odd.minNotional, odd.kind]).toEqual([
      { units: 1, scale: 8 },
      { units: 1, scale: 8 },
      0,
      'spot',
    ]);
    expect(instrumentFor('PEPEUSDT.BINANCE-USDM')).toMatchObject({
      kind: 'linear-perpetual',
      base: 'PEPE',
      settle: 'USDT',
    });
    expect(instrumentFor('BBCA.IDX')).toMatchObject({
      settle: 'IDR',
      minorScale: 0,
      calendar: 'IDX',
      priceRule: 'idx',
    });
    expect(() => instrumentFor('nonsense')).toThrow(/nonsense/);
  });

  it('reads names from files', () => {
    expect(instrumentIdOf('BTCUSDT')).toBe('BTCUSDT.BINANCE-USDM');
    expect(instrumentIdOf('1INCHUSDT')).toBe('1INCHUSDT.LOCAL');
    expect(instrumentIdOf('BBCA.JK')).toBe('BBCA.IDX');
    expect(instrumentIdOf('AAPL.NASDAQ')).toBe('AAPL.NASDAQ');
    expect(() => instrumentIdOf('a b')).toThrow();
  });

  it('orders events of one instant: funding, prices, closes from short to long, opens', () => {
    const event = (kind: string, intervalMs = 0, instrument = 'A.X') =>
      orderOf({ kind, at: 7, intervalMs, instrument });
    const sorted = [
      event('funding-due'),
      event('quote-updated'),
      event('bar-closed', 60_000, 'A.X'),
      event('bar-closed', 60_000, 'B.X'),
      event('bar-closed', 300_000, 'A.X'),
      event('bar-opened', 60_000, 'A.X'),
    ];
    expect([...sorted].reverse().sort(compareOrdered)).toEqual(sorted);
    expect(compareOrdered(orderOf({ kind: 'bar-opened', at: 6 }), sorted[0]!)).toBeLessThan(0);
    expect(() => event('timer-rang')).toThrow(/timer-rang/);
  });
});
