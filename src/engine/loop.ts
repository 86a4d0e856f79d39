import { createHash } from 'node:crypto';
import { assert, type Instant } from '#base';
import type { Engine } from './engine.ts';
import { commandText, eventText, readEvent } from './entry-text.ts';
import { type Command, type Event, onlyReduces, type RunResumed } from './events.ts';
import type { EntryKind } from './journal-format.ts';

/** Where entries go. Storage implements it; a run that keeps nothing uses {@link NO_JOURNAL}. */
export interface JournalSink {
  append(kind: EntryKind, text: string): void;
  /** Makes what was appended durable. Called before any command that can add exposure is released. */
  commit(): void;
  /** Appends a command that only reduces exposure: it may leave before the journal's own write. */
  urgent(text: string): void;
}

export const NO_JOURNAL: JournalSink = { append: () => {}, commit: () => {}, urgent: () => {} };

/** Who carries commands out: the simulated venue, a live venue, the adapters that answer questions. */
export interface Outside {
  carryOut(command: Command, at: Instant): void;
}

const DIGEST_CHUNK = 1 << 16;
const NO_COMMANDS: readonly Command[] = Object.freeze([]);

/** Reports about our own orders hold whole numbers and words only: they read back as they are. */
function isWhole(event: Event): boolean {
  return (
    event.kind === 'order-accepted' ||
    (event.kind === 'order-filled' && Number.isSafeInteger(event.fill.ticks))
  );
}

/**
 * The one loop. Writes every event and the commands it led to, in order, and releases commands only after they
 * were written. Recorded market events are written by reference to their place on the tape.
 */
export class Loop {
  readonly engine: Engine;
  /** Commands released so far, and the hash over their texts in order. */
  commands = 0;
  private readonly journal: JournalSink;
  private readonly outside: Outside;
  private readonly commandsDigest = createHash('sha256');
  private undigested = '';
  private tapeFrom = -1;
  private tapeTo = -1;

  constructor(engine: Engine, journal: JournalSink, outside: Outside) {
    this.engine = engine;
    this.journal = journal;
    this.outside = outside;
  }

  /**
   * A live event: written in full. The engine sees what was written and not what was handed in: a number that JSON
   * cannot hold (NaN, infinity) is null on both sides, so a replay meets the same event.
   */
  dispatch(event: Event): void {
    this.flushTape();
    const text = eventText(event);
    this.journal.append('event', text);
    this.release(this.engine.step(isWhole(event) ? event : readEvent(text)), event.at);
  }

  /**
   * Continues a journal after a restart. `unreleased` are the commands of its last event that a crash kept from being
   * written (see {@link ReplayReport}): they are written now, so that the journal tells what was decided, but they do
   * not leave. Nothing was ever sent before it was written, so the venue answers the questions that follow
   * `run-resumed` by not knowing those orders, and the desk decides anew.
   */
  resume(unreleased: readonly Command[], event: RunResumed): void {
    this.flushTape();
    for (const command of unreleased) this.note(command, false);
    this.dispatch(event);
    this.journal.commit();
  }

  /**
   * A recorded market event: `row` is its step in the tape's merged order. Every step but the openings of bars
   * (which only the venue sees) comes through here, so a range names its first and last step.
   */
  dispatchRecorded(event: Event, row: number): void {
    if (this.tapeFrom < 0) this.tapeFrom = row;
    this.tapeTo = row;
    const commands = this.engine.step(event);
    if (commands.length > 0) {
      this.flushTape();
      this.release(commands, event.at);
    }
  }

  /** Recorded bars were passed over, see quiet-bars.ts: steps `from` to `to` of the tape. */
  passed(from: number, to: number): void {
    if (this.tapeFrom < 0) this.tapeFrom = from;
    this.tapeTo = to;
  }

  /** Writes what is still pending; call at the end of a run. */
  finish(): void {
    this.flushTape();
    this.journal.commit();
  }

  /** SHA-256 over every command's text and a line end, in order. Ends the digest. */
  commandsHash(): string {
    this.digest();
    return this.commandsDigest.copy().digest('hex');
  }

  /** Hashing in pieces: one call per command costs more than the hash. */
  private digest(): void {
    this.commandsDigest.update(this.undigested);
    this.undigested = '';
  }

  private flushTape(): void {
    if (this.tapeFrom < 0) return;
    this.journal.append('tape-range', `${this.tapeFrom} ${this.tapeTo}`);
    this.tapeFrom = -1;
    this.tapeTo = -1;
  }

  private note(command: Command, urgent: boolean): void {
    const text = commandText(command);
    this.commands += 1;
    this.undigested += text;
    this.undigested += '\n';
    if (this.undigested.length > DIGEST_CHUNK) this.digest();
    if (urgent) this.journal.urgent(text);
    else this.journal.append('command', text);
  }

  private release(commands: readonly Command[] = NO_COMMANDS, at: Instant): void {
    if (commands.length === 0) return;
    // behind a command that adds exposure everything waits for the commit: the stop of an entry is in no hurry
    let exposing = false;
    for (const command of commands) {
      exposing ||= !onlyReduces(command);
      this.note(command, !exposing);
    }
    let committed = false;
    for (const command of commands) {
      if (!committed && !onlyReduces(command)) {
        this.journal.commit();
        committed = true;
      }
      this.outside.carryOut(command, at);
    }
    assert(this.engine.outgoing === 0, 'commands appeared outside a step');
  }
}
