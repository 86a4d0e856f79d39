import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { captureState, DAY, HOUR, MINUTE, restoreState } from '#base';
import { type Bar, type BarColumns, barAt, columnsOfBars } from './bar.ts';
import { type CoarseBar, Resampler, resampleColumns, windowStart } from './resample.ts';

const rows = (columns: BarColumns) => Array.from({ length: columns.length }, (_, i) => barAt(columns, i));

/** Minute bars with holes, starting anywhere. */
const tapes = fc
  .record({
    start: fc.integer({ min: 0, max: 5 * 1440 }),
    steps: fc.array(
      fc.record({
        skip: fc.oneof(
          { weight: 8, arbitrary: fc.constant(1) },
          { weight: 2, arbitrary: fc.integer({ min: 2, max: 900 }) },
        ),
        prices: fc.tuple(
          fc.double({ min: 1, max: 9, noNaN: true }),
          fc.double({ min: 1, max: 9, noNaN: true }),
          fc.double({ min: 0, max: 1, noNaN: true }),
          fc.double({ min: 0, max: 0.9, noNaN: true }),
        ),
        volume: fc.integer({ min: 0, max: 1_000_000 }),
      }),
      { maxLength: 80 },
    ),
  })
  .map(({ start, steps }) => {
    let minute = start;
    return steps.map(({ skip, prices: [open, close, up, down], volume }): Bar => {
      minute += skip;
      const high = Math.max(open, close) + up;
      const low = Math.min(open, close) - down;
      return { time: minute * MINUTE, open, high, low, close, volume };
    });
  });
const targets = fc.constantFrom(3, 5, 15, 30, 60, 240, 1440).map((minutes) => minutes * MINUTE);

function stream(bars: readonly Bar[], toMs: number, until?: number): CoarseBar[] {
  const resampler = new Resampler(MINUTE, toMs);
  const out = bars.flatMap((bar) => resampler.add(bar));
  const last = until === undefined ? null : resampler.advanceTo(until);
  return last === null ? out : [...out, last];
}

describe('resampling', () => {
  it('gives a bar when its last part has come', () => {
    const resampler = new Resampler(MINUTE, 3 * MINUTE);
    const part = (i: number): Bar => ({
      time: i * MINUTE,
      open: i + 1,
      high: i + 2,
      low: i + 0.5,
      close: i + 1.5,
      volume: i,
    });
    expect(resampler.add(part(3))).toEqual([]);
    expect(resampler.add(part(4))).toEqual([]);
    expect(resampler.add(part(5))).toEqual([
      {
        bar: { time: 3 * MINUTE, open: 4, high: 7, low: 3.5, close: 6.5, volume: 12 },
        parts: 3,
        partial: false,
      },
    ]);
    // a hole: minute 6 is alone in its window, minute 11 ends its own
    expect(resampler.add(part(6))).toEqual([]);
    expect(resampler.add(part(11)).map((c) => [c.bar.time / MINUTE, c.parts])).toEqual([
      [6, 1],
      [9, 1],
    ]);
    expect(resampler.partial).toBe(2);
    expect(resampler.add(part(10))).toEqual([]);
    expect(resampler.late).toBe(1);
  });

  it('advanceTo closes a window that is over and refuses what comes for it afterwards', () => {
    const resampler = new Resampler(MINUTE, 5 * MINUTE);
    const part = (i: number): Bar => ({ time: i * MINUTE, open: 1, high: 1, low: 1, close: 1, volume: 1 });
    resampler.add(part(0));
    expect(resampler.advanceTo(5 * MINUTE - 1)).toBeNull();
    expect(resampler.advanceTo(5 * MINUTE)).toMatchObject({ parts: 1, partial: true });
    expect(resampler.advanceTo(6 * MINUTE)).toBeNull();
    expect(resampler.add(part(2))).toEqual([]);
    expect(resampler.late).toBe(1);
  });

  it('streaming equals batch, with and without a known end', () => {
    fc.assert(
      fc.property(tapes, targets, fc.integer({ min: 0, max: 2 * DAY }), (bars, toMs, beyond) => {
        const columns = columnsOfBars(bars);
        const streamed = stream(bars, toMs);
        const batch = resampleColumns(columns, MINUTE, toMs);
        expect(rows(batch.columns)).toEqual(streamed.map((c) => c.bar));
        expect(batch.partial).toBe(streamed.filter((c) => c.partial).length);
        const until = (bars.at(-1)?.time ?? 0) + beyond;
        const ended = resampleColumns(columns, MINUTE, toMs, until);
        expect(rows(ended.columns)).toEqual(stream(bars, toMs, until).map((c) => c.bar));
      }),
      { numRuns: 150 },
    );
  });

  it('keeps volume, encloses its parts, and never crosses a window or day edge', () => {
    fc.assert(
      fc.property(tapes, targets, (bars, toMs) => {
        const coarse = stream(bars, toMs, Number.MAX_SAFE_INTEGER);
        expect(coarse.reduce((s, c) => s + c.bar.volume, 0)).toBe(bars.reduce((s, b) => s + b.volume, 0));
        expect(coarse.reduce((s, c) => s + c.parts, 0)).toBe(bars.length);
        for (const { bar } of coarse) {
          expect(bar.time % toMs).toBe(0);
          const parts = bars.filter((b) => b.time >= bar.time && b.time < bar.time + toMs);
          expect(bar.open).toBe(parts[0]!.open);
          expect(bar.close).toBe(parts.at(-1)!.close);
          expect(bar.high).toBe(Math.max(...parts.map((p) => p.high)));
          expect(bar.low).toBe(Math.min(...parts.map((p) => p.low)));
          expect(Math.floor(bar.time / DAY)).toBe(Math.floor((bar.time + Math.min(toMs, DAY) - 1) / DAY));
        }
      }),
      { numRuns: 100 },
    );
  });

  it('a snapshot in the middle changes nothing', () => {
    fc.assert(
      fc.property(tapes, fc.nat(), (bars, cut) => {
        const at = bars.length === 0 ? 0 : cut % bars.length;
        const first = new Resampler(MINUTE, 15 * MINUTE);
        const before = bars.slice(0, at).flatMap((bar) => first.add(bar));
        const second = new Resampler(MINUTE, 15 * MINUTE);
        restoreState(second, JSON.parse(JSON.stringify(captureState(first))));
        const after = bars.slice(at).flatMap((bar) => second.add(bar));
        expect([...before, ...after]).toEqual(stream(bars, 15 * MINUTE));
      }),
      { numRuns: 50 },
    );
  });

  it('refuses lengths that are no multiple, and starts weeks on Mondays', () => {
    expect(() => new Resampler(2 * MINUTE, 3 * MINUTE)).toThrow();
    expect(() => new Resampler(MINUTE, MINUTE)).toThrow();
    // 2023-08-17 is a Thursday
    expect(new Date(windowStart(Date.UTC(2023, 7, 17, 5), 7 * DAY)).toISOString()).toBe(
      '2023-08-14T00:00:00.000Z',
    );
    expect(windowStart(Date.UTC(2023, 7, 17, 5), 4 * HOUR)).toBe(Date.UTC(2023, 7, 17, 4));
  });
});
