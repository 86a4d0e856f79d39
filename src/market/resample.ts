import { broken, DAY, floorTo, type Instant } from '#base';
import { type Bar, type BarColumns, barColumns } from './bar.ts';

/** A bar made of finer ones. `partial`: fewer than toMs / fromMs of them were there. */
export interface CoarseBar {
  readonly bar: Bar;
  /** Finer bars it was built from. */
  readonly parts: number;
  readonly partial: boolean;
}

const NONE: readonly CoarseBar[] = Object.freeze([]);
const WEEK = 7 * DAY;
/** 1970-01-05, a Monday: weeks begin on Mondays, the epoch was a Thursday. */
const FIRST_MONDAY = 4 * DAY;

/**
 * Which of the intervals that a feed brings makes bars of `wantedMs`: that length itself, else the finest that divides
 * it; null when none does.
 */
export function seriesFor(broughtMs: Iterable<number>, wantedMs: number): number | null {
  let finest: number | null = null;
  for (const ms of broughtMs) {
    if (ms === wantedMs) return ms;
    if (wantedMs % ms === 0 && (finest === null || ms < finest)) finest = ms;
  }
  return finest;
}

/** Start of the UTC window of `intervalMs` that holds `at`; days begin at 00:00 UTC, whole weeks on Mondays. */
export function windowStart(at: Instant, intervalMs: number): Instant {
  return intervalMs % WEEK === 0
    ? floorTo(at - FIRST_MONDAY, intervalMs) + FIRST_MONDAY
    : floorTo(at, intervalMs);
}

/**
 * Finer bars in, coarser bars out, in fixed memory. A coarse bar comes out when the last finer bar of its window has
 * come, or when a later finer bar or {@link advanceTo} shows that its window is over; it is then built from what is
 * there and counted as partial. A window without any bar gives nothing. Finer bars must have passed a BarChecker;
 * one that belongs to a window already given out, or is older than the last one, is dropped and counted as `late`.
 */
export class Resampler {
  static readonly configuration = ['fromMs', 'toMs'];
  readonly fromMs: number;
  readonly toMs: number;
  /** Coarse bars given out, how many of them were partial, and finer bars dropped. */
  emitted = 0;
  partial = 0;
  late = 0;
  private start: Instant = -Infinity;
  private parts = 0;
  private open = 0;
  private high = 0;
  private low = 0;
  private close = 0;
  private volume = 0;
  private lastTime: Instant = -Infinity;
  /** End of the newest window given out. */
  private doneUntil: Instant = -Infinity;

  constructor(fromMs: number, toMs: number) {
    if (!(fromMs > 0 && toMs > fromMs && toMs % fromMs === 0))
      broken(`${toMs} ms is no multiple of ${fromMs} ms`);
    this.fromMs = fromMs;
    this.toMs = toMs;
  }

  /** Takes one finer bar; gives the coarse bars it completes: none, one, or two after a hole. */
  add(bar: Bar): readonly CoarseBar[] {
    if (bar.time <= this.lastTime || bar.time < this.doneUntil) {
      this.late += 1;
      return NONE;
    }
    this.lastTime = bar.time;
    const start = windowStart(bar.time, this.toMs);
    let before: CoarseBar | null = null;
    if (this.parts > 0 && start !== this.start) before = this.finish();
    if (this.parts === 0) {
      this.start = start;
      this.open = bar.open;
      this.high = bar.high;
      this.low = bar.low;
      this.volume = bar.volume;
    } else {
      if (bar.high > this.high) this.high = bar.high;
      if (bar.low < this.low) this.low = bar.low;
      this.volume += bar.volume;
    }
    this.close = bar.close;
    this.parts += 1;
    const last = bar.time + this.fromMs >= start + this.toMs;
    if (!last) return before === null ? NONE : [before];
    const own = this.finish();
    return before === null ? [own] : [before, own];
  }

  /** Time has reached `at`: gives the open window out if it ended no later. */
  advanceTo(at: Instant): CoarseBar | null {
    if (this.parts === 0 || at < this.start + this.toMs) return null;
    return this.finish();
  }

  private finish(): CoarseBar {
    const { parts } = this;
    const partial = parts < this.toMs / this.fromMs;
    const { start: time, open, high, low, close, volume } = this;
    this.parts = 0;
    this.doneUntil = time + this.toMs;
    this.emitted += 1;
    if (partial) this.partial += 1;
    return { bar: { time, open, high, low, close, volume }, parts, partial };
  }
}

/**
 * The coarse bars a {@link Resampler} gives for these columns, followed by `advanceTo(until)` when `until` is given;
 * without it a last window that may still be running is left out. `partial` counts bars built from fewer parts.
 */
export function resampleColumns(
  columns: BarColumns,
  fromMs: number,
  toMs: number,
  until: Instant = -Infinity,
): { columns: BarColumns; partial: number } {
  if (!(fromMs > 0 && toMs > fromMs && toMs % fromMs === 0))
    broken(`${toMs} ms is no multiple of ${fromMs} ms`);
  const { time, open, high, low, close, volume, length } = columns;
  const out = barColumns(countWindows(columns, toMs));
  const whole = toMs / fromMs;
  let partial = 0;
  let i = 0;
  while (i < length) {
    const start = windowStart(time[i]!, toMs);
    const end = start + toMs;
    const first = i;
    let top = high[i]!;
    let bottom = low[i]!;
    let sum = volume[i]!;
    for (i += 1; i < length && time[i]! < end; i++) {
      if (high[i]! > top) top = high[i]!;
      if (low[i]! < bottom) bottom = low[i]!;
      sum += volume[i]!;
    }
    const over = i < length || time[i - 1]! + fromMs >= end || until >= end;
    if (!over) break;
    if (i - first < whole) partial += 1;
    const row = out.length++;
    out.time[row] = start;
    out.open[row] = open[first]!;
    out.high[row] = top;
    out.low[row] = bottom;
    out.close[row] = close[i - 1]!;
    out.volume[row] = sum;
  }
  return { columns: out, partial };
}

function countWindows(columns: BarColumns, toMs: number): number {
  let count = 0;
  let end = -Infinity;
  for (let i = 0; i < columns.length; i++) {
    const time = columns.time[i]!;
    if (time >= end) {
      count += 1;
      end = windowStart(time, toMs) + toMs;
    }
  }
  return count;
}
