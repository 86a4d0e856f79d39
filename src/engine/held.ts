import type { ClientOrderId, Position } from '#ledger';
import type { HeldPosition } from '#risk';

/** What the desk knew when it asked for an entry; becomes part of the held position when the order fills. */
export interface EntryMemory {
  readonly planId: string;
  readonly stopPrice: number | null;
  readonly targetPrice: number | null;
  readonly regime: string | null;
  readonly atEntry: Readonly<Record<string, number>>;
  readonly riskToStop: number;
}

/** A held position with what exits need, plain data. `exitAsked` is the client id of a working exit order. */
export interface Held extends HeldPosition {
  bestPrice: number;
  riskToStop: number;
  exitAsked: ClientOrderId | null;
  /** Share of its distance at entry at which the stop is now. */
  stopShare: number;
}

/** A book on its way to flat: what ends without having closed it is asked again. Plain data. */
export interface Leaving {
  readonly reason: string;
  /** Ordered by a person: the only kind that SHUTDOWN lets through. */
  readonly manual: boolean;
}

/** A position as it begins, with what was known when its entry was asked for. */
export function newlyHeld({ book, lots, entryPrice, openedAt }: Position, memory: EntryMemory | null): Held {
  return {
    book,
    direction: lots > 0 ? 1 : -1,
    entryPrice,
    openedAt,
    stopPrice: memory?.stopPrice ?? null,
    targetPrice: memory?.targetPrice ?? null,
    bestPrice: entryPrice,
    entryRegime: memory?.regime ?? null,
    atEntry: memory?.atEntry ?? {},
    riskToStop: memory?.riskToStop ?? 0,
    exitAsked: null,
    stopShare: 1,
  };
}

/** What is known of an entry that another version asked for. */
export function adoptedMemory(
  stopPrice: number | null,
  targetPrice: number | null,
  riskToStop: number,
): EntryMemory {
  return { planId: 'adopted', stopPrice, targetPrice, regime: null, atEntry: {}, riskToStop };
}
