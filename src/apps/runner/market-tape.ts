import { SYNTHETIC_INTERVAL_MS, SYNTHETIC_SYMBOLS, SyntheticMarket, type Tape, TapeCursor } from '#adapters';
import { type Instant, parseInstant } from '#base';
import { type Bar, type InstrumentId, instrumentIdOf, type MarketEvent } from '#market';

/** Recorded or made-up market events in one order, each numbered: what a restart goes on with is a number. */
export interface MarketTape {
  /** Instant of the next step; null at the end. */
  peek(): Instant | null;
  /** Takes one step. */
  next(): MarketEvent;
  /** Steps taken. */
  readonly position: number;
  /** Steps there are; null without end. */
  readonly length: number | null;
  /** Goes to where `position` steps have been taken. */
  seek(position: number): void;
}

/** A tape from files. Both the opening and the closing of a bar are steps. */
export class RecordedTape implements MarketTape {
  readonly length: number;
  private readonly cursor: TapeCursor;
  private waiting: MarketEvent | null = null;
  private taken = 0;

  constructor(tape: Tape) {
    this.length = tape.length;
    this.cursor = new TapeCursor(tape);
    this.look();
  }

  get position(): number {
    return this.taken;
  }

  peek(): Instant | null {
    return this.waiting?.at ?? null;
  }

  next(): MarketEvent {
    const event = this.waiting!;
    this.taken += 1;
    this.look();
    return event;
  }

  seek(position: number): void {
    this.cursor.seek(position);
    this.taken = position;
    this.look();
  }

  private look(): void {
    this.waiting = this.cursor.next() ? this.cursor.event() : null;
  }
}

/** The made-up market begins here, so that the same seed always gives the same tape. */
export const SYNTHETIC_START = parseInstant('2024-01-01')!;

/**
 * Seeded bars of eight pairs without end. At each instant the bars that end there close, then the next ones open: steps
 * 16n+1 to 16n+8 open slice n, the eight after them close it.
 */
export class SyntheticTape implements MarketTape {
  readonly length = null;
  readonly instruments: readonly InstrumentId[];
  private readonly seed: string;
  private market: SyntheticMarket;
  private bars: readonly Bar[];
  private taken = 0;

  constructor(seed: string) {
    this.seed = seed;
    this.instruments = SYNTHETIC_SYMBOLS.map((symbol) => instrumentIdOf(`${symbol}.SYNTHETIC`));
    this.market = new SyntheticMarket(seed, SYNTHETIC_START);
    this.bars = this.market.next();
  }

  get position(): number {
    return this.taken;
  }

  peek(): Instant {
    const within = this.taken % (2 * this.bars.length);
    const { time } = this.bars[0]!;
    return within < this.bars.length ? time : time + SYNTHETIC_INTERVAL_MS;
  }

  next(): MarketEvent {
    const count = this.bars.length;
    const within = this.taken % (2 * count);
    const bar = this.bars[within % count]!;
    const instrument = this.instruments[within % count]!;
    const intervalMs = SYNTHETIC_INTERVAL_MS;
    const at = this.peek();
    this.taken += 1;
    if (this.taken % (2 * count) === 0) this.bars = this.market.next();
    if (within < count) {
      return { kind: 'bar-opened', at, eventTime: at, instrument, intervalMs, open: bar.open };
    }
    return { kind: 'bar-closed', at, eventTime: at, instrument, intervalMs, bar };
  }

  seek(position: number): void {
    const perSlice = 2 * this.instruments.length;
    if (position < this.taken) {
      this.market = new SyntheticMarket(this.seed, SYNTHETIC_START);
      this.bars = this.market.next();
      this.taken = 0;
    }
    while (Math.floor(this.taken / perSlice) < Math.floor(position / perSlice)) {
      this.bars = this.market.next();
      this.taken = (Math.floor(this.taken / perSlice) + 1) * perSlice;
    }
    this.taken = position;
  }
}
