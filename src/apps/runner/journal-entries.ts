import { type ProjectionEntry, readJournal } from '#adapters';
import type { EntryKind } from '#engine';

/** Entries whose contents no reader of the journal's story wants: most of a live journal, not worth parsing again. */
const UNREAD = ['{"kind":"mark-updated"', '{"kind":"bar-', '{"note":"bar-opened"', '{"note":"venue-first"'];

/** An entry's value as readers get it. Commands carry no time of their own: they have that of the event before them. */
export interface Timed {
  readonly at: number;
  readonly value: unknown;
}

/** Turns journal entries, in order, into what projections and logs read. */
export class EntryReader {
  private at: number;

  /** `at`: the time of the event before the first entry read. */
  constructor(at = 0) {
    this.at = at;
  }

  read(position: number, kind: EntryKind, text: string): ProjectionEntry {
    if (kind === 'event') this.at = instantIn(text) ?? this.at;
    const unread = UNREAD.some((start) => text.startsWith(start));
    const value: Timed | null = unread ? null : { at: this.at, value: JSON.parse(text) };
    return { position, kind, value };
  }
}

function instantIn(text: string): number | null {
  const match = /"at":(\d+)/.exec(text.slice(0, 200));
  return match === null ? null : Number(match[1]);
}

/** The entries of a journal from a position on, as readers get them. */
export function* entriesFrom(path: string, from: number): Generator<ProjectionEntry> {
  const reader = new EntryReader();
  for (const entry of readJournal(path)) {
    const read = reader.read(entry.position, entry.kind, entry.text);
    if (entry.position >= from) yield read;
  }
}
