import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { equityRows } from '../../../src/apps/server/data/equity-rows.ts';
import { thinned, withDrawdown } from '../../../src/apps/server/data/thin.ts';
import { emptyRows, write } from './rows.ts';

const values = fc.array(fc.integer({ min: 1, max: 1_000 }), { minLength: 1, maxLength: 400 });

describe('drawdown', () => {
  it('is the distance below the highest so far', () => {
    fc.assert(
      fc.property(values, (equity) => {
        const { drawdown } = withDrawdown(
          equity.map((_, i) => i),
          equity,
        );
        for (const [i, value] of equity.entries()) {
          const peak = Math.max(...equity.slice(0, i + 1));
          expect(drawdown[i]).toBe((peak - value) / peak);
        }
      }),
    );
  });

  it('goes on from a peak before the line', () => {
    expect(withDrawdown([1, 2], [50, 200], 100).drawdown).toEqual([0.5, 0]);
  });
});

describe('a thinned line', () => {
  it('keeps its ends, its extremes and its order, and no more points than asked for', () => {
    fc.assert(
      fc.property(values, fc.integer({ min: 2, max: 60 }), (equity, points) => {
        const line = withDrawdown(
          equity.map((_, i) => i),
          equity,
        );
        const thin = thinned(line, points);
        expect(thin.time.length).toBeLessThanOrEqual(points);
        expect([...thin.time].sort((a, b) => a - b)).toEqual(thin.time);
        expect(new Set(thin.time).size).toBe(thin.time.length);
        for (const [i, at] of thin.time.entries()) {
          expect(thin.equity[i]).toBe(equity[at]);
          expect(thin.drawdown[i]).toBe(line.drawdown[at]);
        }
        expect(Math.min(...thin.equity)).toBe(Math.min(...equity));
        expect(Math.max(...thin.equity)).toBe(Math.max(...equity));
        if (points < 3) return;
        expect(Math.max(...thin.drawdown)).toBe(Math.max(...line.drawdown));
        if (points < 5) return;
        expect(thin.time[0]).toBe(0);
        expect(thin.time.at(-1)).toBe(equity.length - 1);
      }),
    );
  });

  it('keeps the extremes of every stretch', () => {
    const equity = Array.from({ length: 9_000 }, (_, i) => (i % 90 === 45 ? 500 : i % 90 === 60 ? 5 : 100));
    const line = withDrawdown(
      equity.map((_, i) => i),
      equity,
    );
    const { equity: kept } = thinned(line, 302);
    expect(kept.filter((value) => value === 500)).toHaveLength(100);
    expect(kept.filter((value) => value === 5)).toHaveLength(100);
  });

  it('is left alone where it is short enough', () => {
    const line = withDrawdown([1, 2, 3], [3, 2, 1]);
    expect(thinned(line, 3)).toBe(line);
  });
});

describe('equity as it is kept', () => {
  it('is that of the slices, in a span', async () => {
    const store = await emptyRows();
    const rows = [1, 2, 3, 4].map((at) => ({ id: `e${at}`, at, equity: `${at}.5`, drawdown: at / 10 }));
    await write(store, 'equity', rows);
    expect(await equityRows(store, { from: 2, to: 4 })).toEqual({
      time: [2, 3],
      equity: [2.5, 3.5],
      drawdown: [0.2, 0.3],
    });
    await store.close();
  });

  it('is that of the hours where slices were not kept, below the peak before the span', async () => {
    const store = await emptyRows();
    const rows = ['9.5', '100', '50'].map((equity, at) => ({ id: `h${at}`, at, equity }));
    await write(store, 'performance_snapshots', rows);
    expect(await equityRows(store, { from: 2 })).toEqual({ time: [2], equity: [50], drawdown: [0.5] });
    await store.close();
  });
});
