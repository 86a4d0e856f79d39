import { assert, broken, type Instant, phaseIn } from '#base';
import { expectsBar } from './calendar.ts';
import type { InstrumentId } from './instrument.ts';

/** One series a desk listens to. With a calendar, nothing is expected for a close outside its sessions. */
export interface Subscription {
  readonly instrument: InstrumentId;
  readonly intervalMs: number;
  readonly calendar?: string;
}

/** All of a desk's bars of one close. `present` and `missing` are indices into the subscriptions, ascending. */
export interface Slice {
  readonly close: Instant;
  /** When it was closed, by the loop's clock. */
  readonly at: Instant;
  readonly present: readonly number[];
  readonly missing: readonly number[];
}

export interface SliceOptions {
  /** How long the first bar of a close waits for the others. Default 2000. */
  graceMs?: number;
  /** On a recorded tape nothing comes late: a slice closes when time moves past its close, not after a wait. */
  recorded?: boolean;
}

const NO_SLICES: readonly Slice[] = Object.freeze([]);
const NO_INDICES: readonly number[] = Object.freeze([]);

/**
 * Collects a desk's bars of one close. The slice is closed when every subscribed series that ends a bar at that close has
 * come; or else when the grace time after its first bar is over (live), time has moved on (recorded), or a bar of a later
 * close arrives; then the missing are named. A bar for a close already decided is dropped and counted as late.
 *
 * A series ends a bar at `close` when close lies on the grid of its own last bar; before its first bar the grid is that of
 * UTC, or of the series that came first if it has the same interval.
 */
export class SliceCollector {
  static readonly configuration = ['subscriptions', 'graceMs', 'recorded', 'lookup'];
  readonly subscriptions: readonly Subscription[];
  readonly graceMs: number;
  readonly recorded: boolean;
  private readonly lookup: ReadonlyMap<string, ReadonlyMap<number, number>>;
  /** Slices closed, those with something missing, and bars that came too late. */
  closed = 0;
  incomplete = 0;
  late = 0;
  /** Bars missing per subscription. */
  readonly missed: Float64Array;
  private readonly arrived: Uint8Array;
  private readonly expected: Uint8Array;
  private readonly phase: Float64Array;
  private waiting = 0;
  private pending: Instant | null = null;
  private openedAt: Instant = 0;
  private decidedUntil: Instant = -Infinity;

  constructor(subscriptions: readonly Subscription[], options: SliceOptions = {}) {
    assert(subscriptions.length > 0, 'a slice needs at least one subscription');
    this.subscriptions = subscriptions;
    this.graceMs = options.graceMs ?? 2_000;
    this.recorded = options.recorded ?? false;
    const lookup = new Map<string, Map<number, number>>();
    subscriptions.forEach((subscription, i) => {
      const byInterval = lookup.get(subscription.instrument) ?? new Map<number, number>();
      if (byInterval.has(subscription.intervalMs)) broken(`${subscription.instrument} is subscribed twice`);
      lookup.set(subscription.instrument, byInterval.set(subscription.intervalMs, i));
    });
    this.lookup = lookup;
    this.missed = new Float64Array(subscriptions.length);
    this.arrived = new Uint8Array(subscriptions.length);
    this.expected = new Uint8Array(subscriptions.length);
    this.phase = new Float64Array(subscriptions.length).fill(Number.NaN);
  }

  /** Index of a series among the subscriptions, or -1 when the desk does not listen to it. */
  indexOf(instrument: InstrumentId, intervalMs: number): number {
    return this.lookup.get(instrument)?.get(intervalMs) ?? -1;
  }

  /** The close whose slice is being collected, or null. */
  get collecting(): Instant | null {
    return this.pending;
  }

  /** When {@link advanceTo} would close the open slice (live), or null: set a timer for it. */
  get dueAt(): Instant | null {
    return this.pending === null || this.recorded ? null : this.openedAt + this.graceMs;
  }

  /** A bar of subscription `index` that ended at `close` has come at `at`; gives the slices this closes, oldest first. */
  take(index: number, close: Instant, at: Instant): readonly Slice[] {
    if (this.subscriptions.length === 1) {
      if (close <= this.decidedUntil) {
        this.late += 1;
        return NO_SLICES;
      }
      this.decidedUntil = close;
      this.closed += 1;
      return [{ close, at, present: ONLY, missing: NO_INDICES }];
    }
    const { intervalMs } = this.subscriptions[index]!;
    this.phase[index] = phaseIn(close, intervalMs);
    if (close <= this.decidedUntil) {
      this.late += 1;
      return NO_SLICES;
    }
    let before: Slice | null = null;
    if (this.pending !== null && close !== this.pending) {
      if (close < this.pending) {
        this.late += 1;
        return NO_SLICES;
      }
      before = this.finish(at);
    }
    if (this.pending === null) this.begin(close, at, intervalMs);
    if (this.arrived[index] === 0) {
      this.arrived[index] = 1;
      if (this.expected[index] === 1) this.waiting -= 1;
    }
    if (this.waiting > 0) return before === null ? NO_SLICES : [before];
    const own = this.finish(at);
    return before === null ? [own] : [before, own];
  }

  /** Whether {@link pass} may take the place of `take` from this close on: one series, and no close told before. */
  mayPass(close: Instant): boolean {
    return this.subscriptions.length === 1 && close > this.decidedUntil;
  }

  /** So many bars of the only series have ended, each a slice of its own, the last one at `close`. */
  pass(bars: number, close: Instant): void {
    this.decidedUntil = close;
    this.closed += bars;
  }

  /** The loop's time is `at`: closes the open slice when it may not wait any longer. */
  advanceTo(at: Instant): Slice | null {
    if (this.pending === null) return null;
    const over = this.recorded ? at > this.pending : at >= this.openedAt + this.graceMs;
    return over ? this.finish(at) : null;
  }

  /** Closes the open slice now: on a tape, when the bars of that instant are through and the next ones open. */
  flush(at: Instant): Slice | null {
    return this.pending === null ? null : this.finish(at);
  }

  private begin(close: Instant, at: Instant, firstInterval: number): void {
    this.pending = close;
    this.openedAt = at;
    this.waiting = 0;
    for (let i = 0; i < this.subscriptions.length; i++) {
      const { intervalMs, calendar } = this.subscriptions[i]!;
      const phase = this.phase[i]!;
      const onGrid = Number.isNaN(phase)
        ? intervalMs === firstInterval || phaseIn(close, intervalMs) === 0
        : phaseIn(close, intervalMs) === phase;
      const ends = onGrid && (calendar === undefined || expectsBar(calendar, close - intervalMs, intervalMs));
      this.arrived[i] = 0;
      this.expected[i] = ends ? 1 : 0;
      if (ends) this.waiting += 1;
    }
  }

  private finish(at: Instant): Slice {
    const close = this.pending!;
    const present: number[] = [];
    let missing: number[] | null = null;
    for (let i = 0; i < this.arrived.length; i++) {
      if (this.arrived[i] === 1) present.push(i);
      else if (this.expected[i] === 1) {
        missing ??= [];
        missing.push(i);
        this.missed[i]! += 1;
      }
    }
    this.pending = null;
    this.waiting = 0;
    this.decidedUntil = close;
    this.closed += 1;
    if (missing !== null) this.incomplete += 1;
    return { close, at, present, missing: missing ?? NO_INDICES };
  }
}

const ONLY: readonly number[] = Object.freeze([0]);
