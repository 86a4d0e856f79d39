import { type ProjectionEntry, readJournal } from '#adapters';
import { type EntryKind, type Event, instantOf, readCommand, readEvent } from '#engine';
import { type Instrument, type InstrumentId, instrumentFor } from '#market';
import type { PaperNote } from './notes.ts';

/** Entries whose contents no reader of the journal's story wants: most of a live journal, not worth parsing again. */
const UNREAD = [
  '{"kind":"mark-updated"',
  '{"kind":"bar-opened"',
  '{"note":"bar-opened"',
  '{"note":"venue-first"',
];
const BAR = '{"kind":"bar-closed"';

type Definitions = ReadonlyMap<InstrumentId, Instrument>;

/** An entry's value as readers get it. Commands carry no time of their own: they have that of the event before them. */
export interface Timed {
  readonly at: number;
  readonly value: unknown;
  /** Instruments whose grid in this entry is not the one built in: the venue stated another. */
  readonly redefined: Definitions;
}

/** An instrument as the lots, ticks and minor units of an entry are meant. */
export function instrumentIn({ redefined }: Pick<Timed, 'redefined'>, id: InstrumentId): Instrument {
  return redefined.get(id) ?? instrumentFor(id);
}

/** Turns journal entries, in order, into what projections and logs read. */
export class EntryReader {
  private at: number;
  private redefined: Definitions;
  /** Definitions the venue has stated and nothing was entered in yet: until then what is held is in the old ones. */
  private readonly stated = new Map<InstrumentId, Instrument>();

  private readonly bars: boolean;

  /**
   * `at`: the time of the event before the first entry read; `redefined`: definitions in force there; `bars`: whether
   * closed bars are read too, which only those who keep them want.
   */
  constructor(at = 0, redefined: Definitions = new Map(), bars = false) {
    this.at = at;
    this.redefined = redefined;
    this.bars = bars;
  }

  /** With `wanted` false only what later entries need is taken from it. */
  read(position: number, kind: EntryKind, text: string, wanted = true): ProjectionEntry {
    if (kind === 'event') this.at = instantOf(text) ?? this.at;
    const unread = wanted ? this.isUnread(text) : !this.matters(text);
    if (unread) return { position, kind, value: null };
    const value: unknown = contentsOf(kind, text);
    if (kind === 'event') this.hear(value as Event);
    else if (kind === 'note') this.follow(value as PaperNote);
    const timed: Timed = { at: this.at, value, redefined: this.redefined };
    return { position, kind, value: timed };
  }

  private isUnread(text: string): boolean {
    return (!this.bars && text.startsWith(BAR)) || UNREAD.some((start) => text.startsWith(start));
  }

  /** Whether an entry may change in which grid the next ones are. */
  private matters(text: string): boolean {
    return (
      text.startsWith('{"kind":"instrument-changed"') ||
      (this.stated.size > 0 && text.startsWith('{"note":"trace"'))
    );
  }

  private hear(event: Event): void {
    if (event.kind !== 'instrument-changed') return;
    if (event.change.change === 'changed' || event.change.change === 'listed')
      this.stated.set(event.instrument, event.change.definition);
  }

  /** The engine enters nothing until a new grid is in force, so the next entry is in it. */
  private follow(note: PaperNote): void {
    if (this.stated.size === 0 || note.note !== 'trace' || note.line.type !== 'decision') return;
    const { instrument, outcome } = note.line;
    const definition = this.stated.get(instrument);
    if (definition === undefined || (outcome !== 'entered' && outcome !== 'in-review')) return;
    this.stated.delete(instrument);
    this.redefined = new Map(this.redefined).set(instrument, definition);
  }
}

function contentsOf(kind: EntryKind, text: string): unknown {
  return kind === 'event' ? readEvent(text) : kind === 'command' ? readCommand(text) : JSON.parse(text);
}

/** The entries of a journal from a position on, as readers get them; closed bars too with `bars`. */
export function* entriesFrom(path: string, from: number, bars = false): Generator<ProjectionEntry> {
  const reader = new EntryReader(0, new Map(), bars);
  for (const entry of readJournal(path)) {
    const wanted = entry.position >= from;
    const read = reader.read(entry.position, entry.kind, entry.text, wanted);
    if (wanted) yield read;
  }
}
