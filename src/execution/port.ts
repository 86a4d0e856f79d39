import type { Instant } from '#base';
import type { VenueReport } from '#ledger';
import type { BarColumns, InstrumentId, MarketEvent } from '#market';
import type { VenueCommand } from './venue.ts';

/**
 * A venue as a pure fold: commands and market events in, reports out. The simulated venue and its hostile wrapper
 * are such folds; real venues live in adapters and answer through events.
 */
export interface VenueFold {
  /** Takes a command at the loop's time. Reports that are due at once are returned. */
  execute(command: VenueCommand, at: Instant): readonly VenueReport[];
  /** Lets the market move. Returns a shared frozen empty array when nothing happened. */
  onMarket(event: MarketEvent): readonly VenueReport[];
  /**
   * Takes the opening price of a bar without an event when nothing can come of it; false: hand the event over.
   * A venue without it is handed every event.
   */
  opensQuietly?(instrument: InstrumentId, at: Instant, time: Instant, open: number): boolean;
  /**
   * How many bars from row `from` on, before `to`, it can take without an event because nothing can come of them: each
   * opens when the one before has ended, and the venue was told of every one before. A venue without it is handed
   * every event.
   */
  quietBars?(
    instrument: InstrumentId,
    columns: BarColumns,
    intervalMs: number,
    from: number,
    to: number,
  ): number;
  /** Takes the bars of rows [from, to), no more than {@link quietBars} has counted. */
  passBars?(
    instrument: InstrumentId,
    columns: BarColumns,
    intervalMs: number,
    from: number,
    to: number,
  ): void;
  /** Lets time pass: commands in flight arrive, orders expire. */
  advanceTo(at: Instant): readonly VenueReport[];
  /** Names of the venues it stands for, sorted: instruments of several may trade in one fold. */
  venues(): string[];
  /** What is held for us at one of them (the first unless named): nets per instrument and open orders. */
  accountReport(at: Instant, venue?: string): VenueReport;
}

/** The answer of a venue that has nothing to say. */
export const NO_REPORTS: readonly VenueReport[] = Object.freeze([]);
