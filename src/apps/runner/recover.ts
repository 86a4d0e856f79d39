import { InputError, type Instant } from '#base';
import {
  type Command,
  commandText,
  type Engine,
  type Event,
  eventText,
  type JournalEntry,
  readEvent,
} from '#engine';
import type { VenueCommand, VenueFold } from '#execution';
import type { VenueReport } from '#ledger';
import { type MarketEvent, marketRank } from '#market';
import { type DerivedNote, isVenueNote, type PaperNote } from './notes.ts';
import type { Unfinished } from './paper-loop.ts';

export interface Recovered {
  readonly events: number;
  readonly commands: number;
  /** Market events and openings of bars folded: how far a recorded tape was played. */
  readonly steps: number;
  readonly unfinished: Unfinished;
}

/** Where decisions part from what was recorded. */
export class RecoveryDiffers extends InputError {
  override name = 'RecoveryDiffers';
  readonly position: number;
  readonly at: Instant;
  readonly recorded: string | null;
  readonly decided: string | null;
  constructor(position: number, at: Instant, recorded: string | null, decided: string | null) {
    super(
      `entry ${position} of the journal is not what this program decides: recorded ${shorten(recorded)}, decided ${shorten(decided)}`,
      'use the version of the program that wrote it, restore a backup, or start with --fresh',
    );
    this.position = position;
    this.at = at;
    this.recorded = recorded;
    this.decided = decided;
  }
}

const shorten = (text: string | null): string => (text === null ? 'nothing' : text.slice(0, 160));

/** The runner's own, not the fold's: figures of the account, how far its feed was read, whose model was heard. */
const OWN_NOTES = new Set<string>(['performance', 'equity', 'feed-position', 'model-heard']);

const isMarket = (event: Event): event is MarketEvent => marketRank(event.kind) !== null;
const REPORTS = new Set<string>([
  'order-accepted',
  'order-rejected',
  'order-triggered',
  'order-filled',
  'order-canceled',
  'order-expired',
  'order-amended',
  'cancel-rejected',
  'amend-rejected',
  'order-unknown',
  'funding-charged',
  'unasked-fill',
  'account-reported',
]);
const isReport = (event: Event): event is VenueReport => REPORTS.has(event.kind);

function isVenueCommand(command: Command): command is VenueCommand {
  return command.kind !== 'ask-question' && command.kind !== 'raise-alert';
}

export interface RecoverOptions {
  readonly engine: Engine;
  readonly venue: VenueFold;
  /** Entries behind the state in which engine and venue are. */
  readonly entries: Iterable<JournalEntry>;
  /** Takes the notes that the engine's last step made. */
  readonly notesMade: () => readonly DerivedNote[];
  /** Called with each event before the engine takes it. */
  readonly onEvent?: (event: Event) => void;
  /** Called for each entry folded. */
  readonly onEntry?: (entry: JournalEntry) => void;
}

/**
 * Folds a paper journal: engine and simulated venue side by side, in the order of the entries. Every command and every
 * report of the venue must come again as it was written; throws {@link RecoveryDiffers} at the first that does not.
 * Afterwards both stand where the journal ends, and `unfinished` is what a crash kept from being written.
 */
export function recover(options: RecoverOptions): Recovered {
  const fold = new JournalFold(options);
  for (const entry of options.entries) {
    fold.take(entry);
    options.onEntry?.(entry);
  }
  return fold.result();
}

class JournalFold {
  private readonly options: RecoverOptions;
  private events = 0;
  private commands = 0;
  private steps = 0;
  private waiting: readonly Command[] = [];
  private next = 0;
  private notes: DerivedNote[] = [];
  private owed: VenueReport[] = [];
  /** The market event the venue has seen ahead of the engine. */
  private ahead: { event: MarketEvent; text: string } | null = null;
  private at: Instant = 0;

  constructor(options: RecoverOptions) {
    this.options = options;
  }

  take(entry: JournalEntry): void {
    switch (entry.kind) {
      case 'command':
        return this.command(entry);
      case 'note':
        return this.note(entry);
      case 'event':
        return this.event(entry);
      case 'header':
      case 'snapshot-mark':
        return;
      case 'tape-range':
        throw new RecoveryDiffers(entry.position, this.at, entry.text, null);
    }
  }

  result(): Recovered {
    const { events, commands, steps } = this;
    const unfinished = {
      notes: this.notes,
      commands: this.waiting.slice(this.next),
      reports: this.owed,
      market: this.ahead?.event ?? null,
    };
    return { events, commands, steps: steps + (this.ahead === null ? 0 : 1), unfinished };
  }

  private command(entry: JournalEntry): void {
    const command = this.waiting[this.next];
    const decided = command === undefined ? null : commandText(command);
    if (command === undefined || decided !== entry.text) {
      throw new RecoveryDiffers(entry.position, this.at, entry.text, decided);
    }
    this.next += 1;
    this.commands += 1;
    if (isVenueCommand(command)) this.owed.push(...this.options.venue.execute(command, this.at));
  }

  private note(entry: JournalEntry): void {
    const note = JSON.parse(entry.text) as PaperNote;
    if (!isVenueNote(note)) {
      if (!OWN_NOTES.has(note.note)) this.notes.shift();
      return;
    }
    this.expectNothing(entry);
    const { event } = note;
    this.advance(entry, event.at);
    this.owed.push(...this.options.venue.onMarket(event));
    if (note.note === 'bar-opened') {
      this.at = event.at;
      this.steps += 1;
    } else this.ahead = { event, text: eventText(event) };
  }

  private event(entry: JournalEntry): void {
    const event = readEvent(entry.text);
    const undone = this.waiting[this.next];
    if (undone !== undefined) {
      throw new RecoveryDiffers(entry.position, this.at, null, commandText(undone));
    }
    if (isReport(event)) this.report(entry, event);
    else if (isMarket(event)) this.market(entry, event);
    else this.advance(entry, event.at);
    this.at = event.at;
    this.events += 1;
    this.options.onEvent?.(event);
    this.waiting = this.options.engine.step(event);
    this.next = 0;
    this.notes = [...this.options.notesMade()];
  }

  private report(entry: JournalEntry, report: VenueReport): void {
    if (this.owed.length === 0) this.owed.push(...this.options.venue.advanceTo(report.at));
    const owed = this.owed.shift();
    const decided = owed === undefined ? null : eventText(owed);
    if (decided !== entry.text) throw new RecoveryDiffers(entry.position, report.at, entry.text, decided);
  }

  private market(entry: JournalEntry, event: MarketEvent): void {
    this.steps += 1;
    if (this.ahead !== null) {
      const { text } = this.ahead;
      this.ahead = null;
      if (text !== entry.text) throw new RecoveryDiffers(entry.position, event.at, entry.text, text);
      this.expectNothing(entry);
      return;
    }
    this.advance(entry, event.at);
    this.owed.push(...this.options.venue.onMarket(event));
    this.expectNothing(entry);
  }

  private advance(entry: JournalEntry, at: Instant): void {
    this.expectNothing(entry);
    this.owed.push(...this.options.venue.advanceTo(at));
    this.expectNothing(entry);
  }

  /** The venue has said nothing that the journal does not hold. */
  private expectNothing(entry: JournalEntry): void {
    const owed = this.owed[0];
    if (owed !== undefined) throw new RecoveryDiffers(entry.position, this.at, null, eventText(owed));
  }
}
