import type { Instant } from '#base';
import type { BookId } from '#ledger';
import type { Instrument } from '#market';
import type { AccountSummary } from './account.ts';

/** A position as exits see it. Prices are floats. */
export interface HeldPosition {
  readonly book: BookId;
  readonly direction: 1 | -1;
  readonly entryPrice: number;
  readonly openedAt: Instant;
  readonly stopPrice: number | null;
  readonly targetPrice: number | null;
  /** Best price in our favour since entry, known before this event (a bar's own high never trails its own low). */
  readonly bestPrice: number;
  readonly entryRegime: string | null;
  /** Values of the exits' features at entry, by local name. */
  readonly atEntry: Readonly<Record<string, number>>;
}

export interface ExitContext {
  readonly at: Instant;
  readonly instrument: Instrument;
  readonly position: HeldPosition;
  readonly price: number;
  readonly regime: string | null;
  /** Open positions of the lane; asked before `account`, which is summed up only for who looks at it. */
  readonly openPositions: number;
  readonly account: AccountSummary;
}

export interface ExitSignal {
  readonly exit: string;
  readonly reason: string;
}

/**
 * What an exit remembers between checks: plain data that the engine keeps in its snapshots, one record per open
 * position or one per portfolio. {@link ExitMemories} holds them.
 */
export interface ExitMemory {
  readonly of: 'position' | 'portfolio';
  readonly make: () => Record<string, number>;
}

/** What would make an exit fire for a position as things stand, for people who watch it. */
export interface ExitAhead {
  readonly on: 'price' | 'time' | 'indicator' | 'state';
  /** Price, instant or value of the indicator at which it fires; null where no number decides. */
  readonly level: number | null;
  /** What is compared with the level, now and when the way to the level began. */
  readonly now: number | null;
  readonly from: number | null;
  /** False: something else must happen before it can fire. */
  readonly armed: boolean;
  readonly text: string;
}

/** One reason to leave. Exits are asked in the desk's order; the first that fires wins. */
export interface Exit {
  readonly name: string;
  readonly features: Readonly<Record<string, string>>;
  /** Stop loss and take profit rest at the venue; the engine does not ask them on tapes with intrabar fills. */
  readonly restsAtVenue: boolean;
  /** Absent when `check` needs no third argument. */
  readonly memory?: ExitMemory;
  /** `memory` is this exit's own record; an exit that declares one throws InvariantError when it is not given. */
  readonly check: (
    context: ExitContext,
    values: Readonly<Record<string, number>>,
    memory?: Record<string, number>,
  ) => ExitSignal | null;
  /** Changes nothing, the memory neither. Null: it cannot fire for this position. Absent: it does not say. */
  readonly ahead?: (
    context: ExitContext,
    values: Readonly<Record<string, number>>,
    memory?: Readonly<Record<string, number>>,
  ) => ExitAhead | null;
}
