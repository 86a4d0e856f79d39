import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ProjectionStore } from '#adapters';
import { MINUTE } from '#base';
import { computeFeatures, featureDefinitions } from '#features';
import { type BarColumns, barColumns } from '#market';
import { Problem } from '../../../src/apps/server/context.ts';
import { resampled } from '../../../src/apps/server/data/bar-rows.ts';
import { chartOf, indicatorList, indicatorsOf } from '../../../src/apps/server/data/chart.ts';
import { emptyRows, write } from './rows.ts';

const N = 3_000;
const STEP = 5 * MINUTE;
const ID = 'A.X';

/** Bars that wander, so that no indicator is degenerate. */
function walk(n: number, start = 0): BarColumns {
  const bars = barColumns(n);
  let price = 100;
  for (let i = 0; i < n; i++) {
    const open = price;
    price *= 1 + 0.01 * Math.sin(i * 1.7) + 0.004 * Math.cos(i * 0.31);
    bars.time[i] = start + i * STEP;
    bars.open[i] = open;
    bars.close[i] = price;
    bars.high[i] = Math.max(open, price) * 1.001;
    bars.low[i] = Math.min(open, price) * 0.999;
    bars.volume[i] = 10 + (i % 7);
  }
  bars.length = n;
  return bars;
}

const bars = walk(N);
let store: ProjectionStore;

beforeAll(async () => {
  store = await emptyRows();
  const rows = Array.from({ length: N }, (_, i) => ({
    id: `${ID}/${STEP}/${bars.time[i]}`,
    at: bars.time[i],
    instrument: ID,
    interval_ms: STEP,
    open: bars.open[i],
    high: bars.high[i],
    low: bars.low[i],
    close: bars.close[i],
    volume: bars.volume[i],
  }));
  await write(store, 'bars', rows);
  const idea = (i: number, regime: string | null) => ({
    id: `d${i}`,
    at: i * STEP,
    instrument: ID,
    trace: JSON.stringify({ regime }),
  });
  await write(store, 'decisions', [
    idea(10, 'CALM'),
    idea(20, 'CALM'),
    idea(25, null),
    idea(30, 'WILD'),
    idea(40, 'CALM'),
  ]);
});
afterAll(() => store.close());

describe('bars of a chart', () => {
  it('are the newest, and say that more lie before', async () => {
    const chart = await chartOf(store, { instrument: ID, limit: 10 });
    expect(chart.intervalMs).toBe(STEP);
    expect(chart.bars.time).toEqual([...bars.time.subarray(N - 10)]);
    expect(chart.bars.close).toEqual([...bars.close.subarray(N - 10)]);
    expect(chart.more).toBe(true);
  });

  it('are all there are where there are no more', async () => {
    const chart = await chartOf(store, { instrument: ID, limit: 100_000 });
    expect(chart.bars.time).toHaveLength(N);
    expect(chart.more).toBe(false);
  });

  it('are those of a span, which its end does not belong to', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 0, max: N - 1 }),
        fc.integer({ min: 1, max: 50 }),
        async (first, count) => {
          const from = first * STEP;
          const to = from + count * STEP;
          const chart = await chartOf(store, { instrument: ID, from, to, limit: 1_000 });
          expect(chart.bars.time).toEqual([...bars.time.subarray(first, Math.min(N, first + count))]);
          expect(chart.more).toBe(first > 0);
        },
      ),
      { numRuns: 20 },
    );
  });

  it('are read in pieces without a seam', async () => {
    const many = await emptyRows();
    const rows = Array.from({ length: 25_003 }, (_, i) => ({
      id: `${i}`,
      at: i,
      instrument: ID,
      interval_ms: 1,
      open: i,
      high: i,
      low: i,
      close: i,
      volume: i,
    }));
    await write(many, 'bars', rows);
    for (const limit of [10_000, 20_001, 25_003, 90_000]) {
      const chart = await chartOf(many, { instrument: ID, limit });
      const n = Math.min(limit, 25_003);
      expect(chart.bars.close).toEqual(Array.from({ length: n }, (_, i) => 25_003 - n + i));
    }
    await many.close();
  });

  it('are none where the span has none', async () => {
    const chart = await chartOf(store, { instrument: ID, from: N * STEP, limit: 5, indicators: 'ema:20' });
    expect(chart.bars.time).toEqual([]);
    expect(chart.indicators).toEqual({ ema_20: [] });
  });

  it('are put together to coarser ones', async () => {
    const chart = await chartOf(store, { instrument: ID, intervalMs: 3 * STEP, limit: 5 });
    const all = resampled(bars, 3 * STEP);
    const from = all.length - 5;
    expect(chart.bars.time).toEqual([...all.time.subarray(from, all.length)]);
    expect(chart.bars.open).toEqual([...all.open.subarray(from, all.length)]);
    expect(chart.bars.volume).toEqual([...all.volume.subarray(from, all.length)]);
    expect(chart.more).toBe(true);
  });

  it.each([7 * MINUTE, 1])('an interval that nothing makes is told: %s ms', async (intervalMs) => {
    await expect(chartOf(store, { instrument: ID, intervalMs, limit: 5 })).rejects.toThrow(Problem);
  });

  it('an instrument without bars is told', async () => {
    await expect(chartOf(store, { instrument: 'B.X', limit: 5 })).rejects.toMatchObject({ status: 404 });
  });

  it('carry the regimes of their time, each where it begins', async () => {
    const chart = await chartOf(store, { instrument: ID, limit: N });
    expect(chart.regimes).toEqual([
      { from: 10 * STEP, regime: 'CALM' },
      { from: 30 * STEP, regime: 'WILD' },
      { from: 40 * STEP, regime: 'CALM' },
    ]);
  });
});

describe('putting bars together', () => {
  it('keeps first, highest, lowest, last and the sum', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 200 }),
        fc.integer({ min: 0, max: 20 }),
        fc.integer({ min: 1, max: 12 }),
        (n, offset, k) => {
          const some = walk(n, offset * STEP);
          const made = resampled(some, k * STEP);
          const groups = Map.groupBy(
            Array.from({ length: n }, (_, i) => i),
            (i) => Math.floor(some.time[i]! / (k * STEP)) * k * STEP,
          );
          expect([...made.time.subarray(0, made.length)]).toEqual([...groups.keys()]);
          for (const [row, rows] of [...groups.values()].entries()) {
            expect(made.open[row]).toBe(some.open[rows[0]!]);
            expect(made.close[row]).toBe(some.close[rows.at(-1)!]);
            expect(made.high[row]).toBe(Math.max(...rows.map((i) => some.high[i]!)));
            expect(made.low[row]).toBe(Math.min(...rows.map((i) => some.low[i]!)));
            expect(made.volume[row]).toBe(rows.reduce((sum, i) => sum + some.volume[i]!, 0));
          }
        },
      ),
      { numRuns: 30 },
    );
  });
});

describe('indicators of a chart', () => {
  const asked = 'ema:20,rsi:14,macd:12:26:9,bbands:20:2,atr:14';
  const whole = computeFeatures(bars, asked.split(','));

  it('are those of the program over all bars, whichever part of them is looked at', async () => {
    for (const first of [600, 1_500, N - 50]) {
      const from = first * STEP;
      const chart = await chartOf(store, {
        instrument: ID,
        from,
        limit: 50,
        to: from + 50 * STEP,
        indicators: asked,
      });
      expect(Object.keys(chart.indicators)).toEqual([...whole.keys()]);
      for (const [name, values] of Object.entries(chart.indicators)) {
        expect(values).toHaveLength(50);
        for (const [i, value] of values.entries()) expect(value).toBeCloseTo(whole.get(name)![first + i]!, 8);
      }
    }
  });

  it('are null while they are not warm', async () => {
    const chart = await chartOf(store, { instrument: ID, to: 30 * STEP, limit: 100, indicators: 'ema:20' });
    expect(chart.indicators.ema_20!.slice(0, 19)).toEqual(new Array(19).fill(null));
    expect(chart.indicators.ema_20![19]).toBeCloseTo(whole.get('ema_20')![19]!, 12);
  });

  it('say which of them lie over the candles', async () => {
    const chart = await chartOf(store, { instrument: ID, limit: 5, indicators: asked });
    expect(chart.overlays).toEqual([
      'ema_20',
      'bbands_20_2_upper',
      'bbands_20_2_middle',
      'bbands_20_2_lower',
    ]);
  });

  it('are every feature of the program', () => {
    const list = indicatorList();
    expect(list.map(({ name }) => name)).toEqual(featureDefinitions.map(({ name }) => name));
    for (const { example, outputs, units } of list) {
      expect(indicatorsOf(example)).toEqual([example]);
      expect(units).toHaveLength(outputs.length);
    }
    expect(list.find(({ name }) => name === 'ema')).toMatchObject({ overlay: true, outputs: ['ema_20'] });
    expect(list.find(({ name }) => name === 'macd')!.overlay).toBe(false);
  });

  it('that stand over the candles stay near the price', async () => {
    const overlays = indicatorList().filter(({ overlay, name }) => overlay && name !== 'mc');
    for (const { example } of overlays) {
      const chart = await chartOf(store, { instrument: ID, limit: 50, indicators: example });
      const close = chart.bars.close[40]!;
      for (const column of chart.overlays) {
        const value = chart.indicators[column]![40]!;
        expect(Math.abs(value / close - 1), `${column} ${value} beside ${close}`).toBeLessThan(0.5);
      }
    }
  });

  it.each(['nonsense', 'ema:0', 'ema:20:3', '../../etc'])('that are none are told: %s', (text) => {
    expect(() => indicatorsOf(text)).toThrow();
  });

  it('are not too many', () => {
    const many = Array.from({ length: 13 }, (_, i) => `ema:${i + 2}`).join(',');
    expect(() => indicatorsOf(many)).toThrow(Problem);
  });
});
