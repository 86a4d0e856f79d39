import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DAY, HOUR, MINUTE } from '#base';
import { coldWindows, trainingBars } from './cold-windows.ts';

const START = Date.UTC(2024, 0, 1);
const BAR = 15 * MINUTE;
const SHEET = { trainMs: 30 * DAY, testMs: 48 * HOUR, stepMs: 48 * HOUR };

const timesOf = (days: number, from = START, skip: (time: number) => boolean = () => false) =>
  Float64Array.from({ length: Math.round((days * DAY) / BAR) }, (_, i) => from + i * BAR).filter(
    (time) => !skip(time),
  );
const windowsOf = (times: Float64Array, lengths = SHEET, inStep: number | null = null) =>
  coldWindows(times, times.length, BAR, lengths, inStep);

describe('windows of a walk-forward', () => {
  it.each([0, 1, 2, 3])(
    '90 days with 30 to learn from make 30 tests, whatever day they begin on (%i)',
    (day) => {
      const windows = windowsOf(timesOf(90, START + day * DAY));
      expect(windows).toHaveLength(30);
      expect(windows.map(({ number }) => number)).toEqual(Array.from({ length: 30 }, (_, i) => i));
      expect(windows[0]!.from).toBe(START + day * DAY + 30 * DAY);
      expect(windows.at(-1)!.to).toBe(START + day * DAY + 90 * DAY);
      for (const { train, test } of windows) {
        expect(test.to - test.from).toBe(192);
        expect(test.from - train.from).toBe(30 * 96);
        expect(train.to).toBe(test.from);
      }
    },
  );

  it('tests are whole days, next to each other, and what is over is left', () => {
    const windows = windowsOf(timesOf(36.9, START + 5 * HOUR));
    expect(windows.map(({ from, to }) => [(from - START) / DAY, (to - START) / DAY])).toEqual([
      [31, 33],
      [33, 35],
      [35, 37],
    ]);
    expect(windowsOf(timesOf(36.7, START + 5 * HOUR))).toHaveLength(2);
  });

  it('exactly one fits, one bar less and none does', () => {
    expect(windowsOf(timesOf(32))).toHaveLength(1);
    const times = timesOf(32);
    expect(windowsOf(times.subarray(0, times.length - 1))).toEqual([]);
    expect(windowsOf(new Float64Array(0))).toEqual([]);
  });

  it('fall together with those of an earlier training, from whichever of its tests', () => {
    const old = windowsOf(timesOf(60));
    for (const inStep of [old[0]!.from, old.at(-1)!.from]) {
      const fresh = windowsOf(timesOf(60, START + 7 * DAY), SHEET, inStep);
      const shared = new Set(old.map(({ from }) => from));
      const later = fresh.filter(({ from }) => from < START + 60 * DAY);
      expect(later.every(({ from }) => shared.has(from))).toBe(true);
      expect(later).toHaveLength(11);
      // not one is tested on what the training has not thirty days before
      expect(fresh[0]!.from).toBeGreaterThanOrEqual(START + 37 * DAY);
    }
  });

  it('are cut by the clock: a hole shortens no span, and a test without bars is left out', () => {
    const gone = (time: number) => time >= START + 33 * DAY && time < START + 36.5 * DAY;
    const windows = windowsOf(timesOf(40, START, gone));
    expect(windows.map(({ from }) => (from - START) / DAY)).toEqual([30, 32, 36, 38]);
    expect(windows.map(({ number }) => number)).toEqual([0, 1, 2, 3]);
    expect(windows.map(({ test }) => test.to - test.from)).toEqual([192, 96, 144, 192]);
  });
});

describe('bars that a window learns from', () => {
  const times = timesOf(32);
  const [window] = windowsOf(times);
  const everyone = new Uint8Array(times.length).fill(1);
  const spans = (length: number) => Int32Array.from(times, (_, i) => Math.min(times.length - 1, i + length));

  it('end a label and an embargo before the test begins', () => {
    const bars = trainingBars(window!, everyone, spans(12), 12);
    expect(bars[0]).toBe(window!.train.from);
    // 12 bars of label, 12 of embargo; touching counts
    expect(bars.at(-1)).toBe(window!.test.from - 25);
    expect(trainingBars(window!, everyone, spans(12), 0).at(-1)).toBe(window!.test.from - 13);
  });

  it('are usable ones whose own label is known in time, one by one', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(20), { minLength: 60, maxLength: 60 }), fc.nat(15), (lengths, embargo) => {
        const edge = window!.test.from;
        const ends = spans(1);
        const usable = everyone.slice();
        lengths.forEach((length, k) => {
          ends[edge - 60 + k] = edge - 60 + k + length;
          if (length === 7) usable[edge - 60 + k] = 0;
        });
        const expected = Array.from({ length: 60 }, (_, k) => edge - 60 + k).filter(
          (bar) => usable[bar] === 1 && ends[bar]! + embargo < edge,
        );
        const found = [...trainingBars(window!, usable, ends, embargo)].filter((bar) => bar >= edge - 60);
        expect(found).toEqual(expected);
      }),
      { numRuns: 50 },
    );
  });
});
