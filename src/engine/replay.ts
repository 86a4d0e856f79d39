import type { Engine } from './engine.ts';
import { commandText, readCommand, readEvent } from './entry-text.ts';
import type { Command, Event } from './events.ts';
import type { JournalEntry } from './journal-format.ts';

/** Gives the recorded events `from..to` of the tape's merged order. */
export type TapeReader = (from: number, to: number) => Iterable<Event>;

export interface Difference {
  /** Position of the journal entry where decisions part. */
  readonly position: number;
  readonly at: number;
  readonly recorded: string | null;
  readonly decided: string | null;
}

export interface ReplayReport {
  readonly events: number;
  readonly commands: number;
  /** Null when every command came again, the same and in the same order. */
  readonly difference: Difference | null;
  /**
   * Commands of the last event that were never written: a crash came between the event and its commands, so they
   * never left either. Empty for a run that ended.
   */
  readonly unreleased: readonly Command[];
}

/**
 * Decides again from a journal's events and compares every command with what was recorded. Stops at the first
 * difference. `engine` must be newly made from the journal's configuration, or restored from a snapshot with
 * `entries` beginning behind it. Afterwards the engine is where the journal ends: this is also how a restart recovers.
 */
export function replay(
  engine: Engine,
  entries: Iterable<JournalEntry>,
  tape: TapeReader,
  onProgress?: (position: number) => void,
): ReplayReport {
  let events = 0;
  let commands = 0;
  let waiting: readonly Command[] = [];
  let next = 0;
  let at = 0;
  const parted = (position: number, recorded: string | null): ReplayReport => ({
    events,
    commands,
    difference: {
      position,
      at,
      recorded: recorded === null ? null : JSON.stringify(readCommand(recorded)),
      decided: next < waiting.length ? JSON.stringify(waiting[next]) : null,
    },
    unreleased: [],
  });
  for (const entry of entries) {
    if ((entry.position & 0xfff) === 0) onProgress?.(entry.position);
    if (entry.kind === 'command') {
      if (next >= waiting.length || commandText(waiting[next]!) !== entry.text)
        return parted(entry.position, entry.text);
      next += 1;
      commands += 1;
      continue;
    }
    if (entry.kind !== 'event' && entry.kind !== 'tape-range') continue;
    if (next < waiting.length) return parted(entry.position, null);
    const batch = entry.kind === 'event' ? [readEvent(entry.text)] : rangeOf(entry.text, tape);
    for (const event of batch) {
      if (next < waiting.length) return parted(entry.position, null);
      at = event.at;
      events += 1;
      waiting = engine.step(event);
      next = 0;
    }
  }
  return { events, commands, difference: null, unreleased: waiting.slice(next) };
}

function rangeOf(text: string, tape: TapeReader): Iterable<Event> {
  const [from, to] = text.split(' ').map(Number);
  return tape(from!, to!);
}
