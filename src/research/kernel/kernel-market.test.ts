import { expect, it } from 'vitest';
import { barColumns, defineInstrument } from '#market';
import { type MarketTerms, marketOf } from './kernel-market.ts';

const bars = barColumns(4);
for (const [i, price] of [10, 11, 12].entries()) {
  bars.time[i] = i * 60_000;
  for (const column of [bars.open, bars.high, bars.low, bars.close]) column[i] = price;
}
bars.length = 2;
const terms = (slippageRate: number): MarketTerms => ({
  // another object each time, as every variant of a sweep makes its own
  instrument: defineInstrument({ id: 'A.TEST', tick: { units: 1, scale: 2 } }),
  intervalMs: 60_000,
  slippageRate,
  participation: null,
});

it('is made once for bars and terms, and again when either changes', () => {
  const market = marketOf(bars, terms(0));
  expect([...market.buyTicks]).toEqual([1_000, 1_100]);
  expect(marketOf(bars, terms(0))).toBe(market);
  expect(marketOf(bars, terms(0.01)).buyTicks[0]).toBe(1_010);
  expect(marketOf({ ...bars, length: 2 }, terms(0))).not.toBe(market);
  bars.length = 3;
  expect([...marketOf(bars, terms(0)).buyTicks]).toEqual([1_000, 1_100, 1_200]);
});
