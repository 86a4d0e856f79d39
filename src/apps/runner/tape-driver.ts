import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { MINUTE } from '#base';
import type { MarketTape } from './market-tape.ts';
import type { Session } from './session.ts';

export interface TapeDriverOptions {
  readonly session: Session;
  readonly tape: MarketTape;
  /** Slices a second; 0 as fast as possible. */
  readonly speed: number;
  /** Bars per instrument played at once, so that a desk need not be waited for while it warms up. */
  readonly warmUpSlices: number;
  /** Instants with closing bars after which the tape ends for this run; null: where it ends itself. */
  readonly slicesMax: number | null;
  readonly signal: AbortSignal;
  /** After each instant that was played and is durable. */
  readonly onSlice: () => void;
}

/** A turn of the event loop plays at most this long, so that controls and the terminal stay alive. */
const TURN_MS = 10;

/**
 * Plays a tape into a session at a chosen pace: one instant at a time, durable before the next. Resolves with true when
 * the tape is over, false when it was stopped.
 */
export async function playTape(options: TapeDriverOptions): Promise<boolean> {
  const { session, tape, speed, signal } = options;
  const pause = speed > 0 ? 1_000 / speed : 0;
  let due = performance.now();
  let turn = due;
  while (!signal.aborted) {
    const at = tape.peek();
    if (at === null || (options.slicesMax !== null && session.engine.counts.slices >= options.slicesMax)) {
      // the last timers, so that an incomplete slice or a vote is not left open
      session.passTime(session.engine.at + MINUTE);
      session.commit();
      return true;
    }
    while (tape.peek() === at) session.market(tape.next());
    session.commit();
    options.onSlice();
    const now = performance.now();
    if (pause > 0 && session.engine.counts.slices > options.warmUpSlices) {
      due = Math.max(due + pause, now - 1_000);
      if (due > now) await sleep(due - now, undefined, { signal }).catch(() => undefined);
      turn = performance.now();
    } else if (now - turn > TURN_MS) {
      due = now;
      await nextTurn();
      turn = performance.now();
    }
  }
  return false;
}
