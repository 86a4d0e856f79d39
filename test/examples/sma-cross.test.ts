import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { barSeries } from '#adapters';
import { Chance, MINUTE } from '#base';
import { type BarColumns, barColumns, instrumentIdOf } from '#market';
import smaCross from '../../examples/01-sma-cross.ts';
import { type FillRow, loaded, play } from './support/study-of.ts';

type Mode = 'long-flat' | 'long-short';

const FAST = 10;
const SLOW = 30;
const UNITS = 10;
const FEE = 0.0005;
const CASH = 1_000_000;

/** A seeded random walk of one-minute bars around 100; `snap` puts prices on a grid, or leaves the floats as they are. */
function walk(bars: number, seed: string, snap: (price: number) => number): BarColumns {
  const random = new Chance(seed);
  const columns = barColumns(bars);
  let price = 100;
  for (let i = 0; i < bars; i++) {
    const open = snap(price * (1 + 0.0002 * random.normal()));
    price = Math.max(1, open * Math.exp(0.001 * random.normal()) * (100 / open) ** 0.0005);
    const close = snap(price);
    columns.time[i] = 1_700_000_040_000 + i * MINUTE;
    columns.open[i] = open;
    columns.high[i] = Math.max(open, close) + snap(0.05);
    columns.low[i] = Math.min(open, close) - snap(0.05);
    columns.close[i] = close;
    columns.volume[i] = 1 + Math.floor(random.uniform() * 1000);
  }
  columns.length = bars;
  return columns;
}

/** Mean of the last `n` closes, added up afresh for every bar. */
function meanOf(close: Float64Array, last: number, n: number): number {
  let sum = 0;
  for (let j = last - n + 1; j <= last; j++) sum += close[j]!;
  return sum / n;
}

/** The same strategy as a plain loop with nothing of the program in it. */
function reference(bars: BarColumns, mode: Mode): { fills: FillRow[]; equity: number } {
  const fills: FillRow[] = [];
  let cash = CASH;
  let held = 0;
  let side = 0;
  let wanted: number | null = null;
  for (let i = 0; i < bars.length; i++) {
    if (wanted !== null && wanted !== held) {
      const price = bars.open[i]!;
      const change = wanted - held;
      const fee = Math.abs(change) * price * FEE;
      cash -= change * price + fee;
      held = wanted;
      fills.push({
        time: bars.time[i]!,
        side: change > 0 ? 'buy' : 'sell',
        quantity: Math.abs(change),
        price,
        fee,
      });
    }
    wanted = null;
    if (i < SLOW - 1) continue;
    const difference = meanOf(bars.close, i, FAST) - meanOf(bars.close, i, SLOW);
    // equal means of prices in cents differ by rounding only
    const now = Math.abs(difference) < 1e-9 ? 0 : Math.sign(difference);
    if (now === 0 || now === side) continue;
    if (side !== 0) wanted = now > 0 ? UNITS : mode === 'long-short' ? -UNITS : 0;
    side = now;
  }
  return { fills, equity: cash + held * bars.close[bars.length - 1]! };
}

/** Largest relative distance of the two lists' numbers, fees less `feeUnit`; times, sides and sizes must be equal. */
function distance(got: readonly FillRow[], wanted: readonly FillRow[], feeUnit: number): number {
  expect(got.length).toBe(wanted.length);
  let worst = 0;
  for (let i = 0; i < wanted.length; i++) {
    const a = got[i]!;
    const b = wanted[i]!;
    if (a.time !== b.time || a.side !== b.side || a.quantity !== b.quantity) expect(a).toEqual(b);
    const fee = Math.max(0, Math.abs(a.fee - b.fee) - feeUnit) / b.fee;
    worst = Math.max(worst, Math.abs(a.price / b.price - 1), fee);
  }
  return worst;
}

function compare(columns: BarColumns, mode: Mode, feeUnit: number): FillRow[] {
  const series = barSeries(instrumentIdOf('WALK'), MINUTE, columns);
  const got = play(loaded(smaCross as never, { mode }), [series]);
  const wanted = reference(columns, mode);
  expect(distance(got.fills, wanted.fills, feeUnit)).toBeLessThan(1e-9);
  expect(Math.abs(got.equity / wanted.equity - 1)).toBeLessThan(1e-9);
  expect([...got.result.engine.real.ledger.trialBalance()].every(([, sum]) => Number(sum) === 0)).toBe(true);
  return got.fills;
}

describe('examples/01-sma-cross.ts', () => {
  it('is the page a newcomer copies: under 40 lines', () => {
    const lines = readFileSync(new URL('../../examples/01-sma-cross.ts', import.meta.url), 'utf8').split(
      '\n',
    );
    expect(lines.length - 1).toBeLessThan(40);
  });

  const whole = (x: number) => x;
  const cents = (x: number) => Math.round(x * 100) / 100;
  // cents make every fee whole minor units (1e-8); on full floats a fee is rounded up to the next one
  const cases = [
    { bars: 100_000, prices: 'floats', snap: whole, feeUnit: 1.0001e-8 },
    { bars: 100_000, prices: 'cents', snap: cents, feeUnit: 0 },
    { bars: 1_000_000, prices: 'floats', snap: whole, feeUnit: 1.0001e-8 },
  ];
  for (const { bars, prices, snap, feeUnit } of cases) {
    for (const mode of ['long-flat', 'long-short'] as const) {
      it(`gives the fills and the equity of a plain loop: ${bars} bars in ${prices}, ${mode}`, () => {
        const fills = compare(walk(bars, `sma-${bars}`, snap), mode, feeUnit);
        expect(fills.length).toBeGreaterThan(bars / 100);
        const sizes = new Set(fills.map((fill) => fill.quantity));
        expect([...sizes].sort()).toEqual(mode === 'long-short' ? [UNITS, 2 * UNITS] : [UNITS]);
      });
    }
  }
});
