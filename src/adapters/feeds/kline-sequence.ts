import type { Instant } from '#base';
import { type Bar, BarChecker } from '#market';

/** Bars ahead of a hole that are kept while it is filled. */
const AHEAD_MOST = 4096;

/**
 * Puts the closed bars of one symbol in order, each once, from a stream that repeats, skips and comes late and from
 * answers that fill the holes. A bar is handed on only when the one before it was, or is known not to exist.
 */
export class KlineSequence {
  readonly intervalMs: number;
  readonly checker: BarChecker;
  /** Open time of the newest bar handed on, or passed over; null before the first. */
  last: Instant | null = null;
  /** The newest bar that is still running, as the stream shows it. */
  running: { time: Instant; open: number } | null = null;
  /** While set, bars are only collected: the history before them is not there yet. */
  holding = false;
  /** Bars that do not exist at the venue, and bars pushed out because too many were ahead. */
  passedOver = 0;
  overflow = 0;
  private readonly emit: (bar: Bar) => void;
  private readonly ahead = new Map<Instant, Bar>();
  private completeUntil: Instant = -Infinity;

  constructor(intervalMs: number, emit: (bar: Bar) => void) {
    this.intervalMs = intervalMs;
    this.checker = new BarChecker(intervalMs);
    this.emit = emit;
  }

  /** Open time of the first bar that is missing although a later one has come or runs; null without a hole. */
  get missingFrom(): Instant | null {
    if (this.last === null) return null;
    const next = this.last + this.intervalMs;
    const later = this.ahead.size > 0 || (this.running !== null && this.running.time > next);
    return later && !this.ahead.has(next) ? next : null;
  }

  /** Whether closed bars wait for one before them. */
  get heldUp(): boolean {
    return this.ahead.size > 0;
  }

  /** Closed bars held back, in order of time. */
  held(): Bar[] {
    return [...this.ahead.values()].sort((a, b) => a.time - b.time);
  }

  /** A bar the stream calls closed. */
  closed(bar: Bar): void {
    if (this.last !== null && bar.time <= this.last) {
      this.checker.check(bar);
      return;
    }
    this.keep(bar);
    if (this.holding) return;
    // without history, the first bar seen is the first there is
    if (this.last === null) this.last = bar.time - this.intervalMs;
    this.drain();
  }

  /** The venue's own rows of closed bars, with the instant up to which no other bars exist. */
  fill(rows: readonly Bar[], completeUntil: Instant): void {
    for (const row of rows) if (this.last === null || row.time > this.last) this.ahead.set(row.time, row);
    if (completeUntil > this.completeUntil) this.completeUntil = completeUntil;
    if (!this.holding) this.drain();
  }

  /** History up to and including `newest` is in other hands; without one, nothing is expected before `fallback` has passed. */
  begin(newest: Bar | null, fallback: Instant): void {
    const last = newest?.time ?? fallback;
    if (newest !== null) this.checker.check(newest);
    this.checker.lastTime = last;
    this.last = last;
    this.holding = false;
    for (const time of [...this.ahead.keys()]) if (time <= last) this.ahead.delete(time);
    this.drain();
  }

  private keep(bar: Bar): void {
    if (!this.ahead.has(bar.time) && this.ahead.size >= AHEAD_MOST) {
      this.overflow += 1;
      return;
    }
    // the first copy stands; REST overwrites it through fill()
    if (!this.ahead.has(bar.time)) this.ahead.set(bar.time, bar);
  }

  private drain(): void {
    while (this.last !== null) {
      const next: Instant = this.last + this.intervalMs;
      const bar = this.ahead.get(next);
      if (bar === undefined) {
        if (next >= this.completeUntil) return;
        this.passedOver += 1;
      } else {
        this.ahead.delete(next);
        const { verdict, bar: usable } = this.checker.check(bar);
        if (verdict !== 'accept') {
          // the stream's copy is bad: leave the hole to the venue's own rows; theirs is bad too: there is no bar
          if (next >= this.completeUntil) return;
          this.passedOver += 1;
        } else {
          this.last = next;
          this.emit(usable);
          continue;
        }
      }
      this.last = next;
    }
  }
}
