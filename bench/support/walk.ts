import { Chance, MINUTE } from '#base';
import { type BarColumns, barColumns } from '#market';

/** A seeded random walk of one-minute bars with two decimals, around a price of 100. */
export function randomWalk(bars: number, seed: string, start = Date.UTC(2020, 0, 1)): BarColumns {
  const columns = barColumns(bars);
  const chance = new Chance(seed);
  const cents = (x: number) => Math.round(x * 100) / 100;
  let price = 100;
  for (let i = 0; i < bars; i++) {
    const open = price;
    const drift = (100 - open) * 1e-5;
    const close = Math.max(1, cents(open + drift + 0.08 * chance.normal()));
    columns.time[i] = start + i * MINUTE;
    columns.open[i] = open;
    columns.high[i] = cents(Math.max(open, close) + 0.05 * chance.uniform());
    columns.low[i] = cents(Math.min(open, close) - 0.05 * chance.uniform());
    columns.close[i] = close;
    columns.volume[i] = 1000 + Math.round(500 * chance.uniform());
    price = close;
  }
  columns.length = bars;
  return columns;
}
