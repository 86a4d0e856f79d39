import { describe, expect, it } from 'vitest';
import { BarStore, type BarsAnswer } from './bar-store.ts';

function page(times: readonly number[], line?: readonly (number | null)[]): BarsAnswer {
  const column = times.map((time) => time * 10);
  const bars = { time: [...times], open: column, high: column, low: column, close: column, volume: column };
  return {
    instrument: 'A.B',
    intervalMs: 1,
    bars,
    indicators: line === undefined ? {} : { ema_2: [...line] },
    overlays: ['ema_2'],
    more: false,
    regimes: [],
  };
}

const timesOf = (store: BarStore) => Array.from({ length: store.length }, (_, i) => store.timeAt(i));
const linesOf = (store: BarStore) => Array.from({ length: store.length }, (_, i) => store.lineAt('ema_2', i));

describe('BarStore', () => {
  it('takes older pages in before the first bar and says how many', () => {
    const store = new BarStore();
    expect(store.merge(page([10, 11, 12], [1, 2, 3]))).toBe(3);
    expect(store.merge(page([7, 8, 9, 10], [null, 5, 6, 7]))).toBe(3);
    expect(timesOf(store)).toEqual([7, 8, 9, 10, 11, 12]);
    expect(linesOf(store)).toEqual([Number.NaN, 5, 6, 7, 2, 3]);
    expect(store.at(3)).toEqual({ time: 10, open: 100, high: 100, low: 100, close: 100, volume: 100 });
  });

  it('fills a hole that the live feed left', () => {
    const store = new BarStore();
    store.merge(page([1, 2], [1, 2]));
    store.put({ time: 5, open: 1, high: 1, low: 1, close: 1, volume: 1 });
    expect(store.merge(page([2, 3, 4, 5], [2, 3, 4, 5]))).toBe(0);
    expect(timesOf(store)).toEqual([1, 2, 3, 4, 5]);
    expect(linesOf(store)).toEqual([1, 2, 3, 4, 5]);
    expect(store.at(4)?.close).toBe(50);
  });

  it('changes the newest bar, adds later ones and ignores earlier ones', () => {
    const store = new BarStore();
    store.merge(page([1, 2]));
    const bar = { open: 9, high: 9, low: 9, close: 9, volume: 9 };
    expect(store.put({ ...bar, time: 2 })).toBe('changed');
    expect(store.put({ ...bar, time: 3 })).toBe('added');
    expect(store.put({ ...bar, time: 1 })).toBe('ignored');
    expect(store.length).toBe(3);
    expect(store.at(1)?.close).toBe(9);
    expect(store.at(0)?.close).toBe(10);
  });

  it('finds the bar that an instant lies in', () => {
    const store = new BarStore();
    store.merge(page([10, 20, 30]));
    expect([9, 10, 19, 20, 30, 99].map((time) => store.indexAt(time))).toEqual([-1, 0, 0, 1, 2, 2]);
  });
});
