import { InputError } from '#base';
import { instantOf, type JournalEntry } from '#engine';
import { Problem } from '../../context.ts';
import { type JournalIndex, JournalUnreadable } from '../../data/journal-index.ts';
import { numberOf } from '../../data/versions.ts';

/** Entries looked at in one call; a search that found nothing in them goes on with its cursor. */
export const SCAN_MOST = 20_000;
/** Characters of an entry that are shown. */
const TEXT_MOST = 4_000;

export interface JournalLine {
  readonly position: number;
  readonly kind: string;
  readonly at: number | null;
  /** What kind of event, command or note. */
  readonly name: string;
  readonly text: string;
}

export interface JournalAsk {
  readonly limit: number;
  readonly cursor?: string | undefined;
  readonly before?: number | undefined;
  readonly kind?: string | undefined;
  readonly search?: string | undefined;
}

/**
 * A page of a journal, newest first. `next` is where to go on, also where a search found less than was asked for; null at the
 * beginning. Null for no journal. Throws {@link Problem} 409 for a damaged place.
 */
export async function journalPage(
  index: JournalIndex,
  ask: JournalAsk,
): Promise<{ readonly items: JournalLine[]; readonly next: string | null } | null> {
  const { limit, kind } = ask;
  const search = ask.search?.toLowerCase() || null;
  const before = numberOf(ask.cursor) ?? ask.before ?? null;
  if (before !== null && before < 0)
    throw new InputError('before: positions begin at 0', 'give a position or leave it out');
  const items: JournalLine[] = [];
  let scanned = 0;
  let reached = before ?? 0;
  const see = (entries: readonly JournalEntry[]): boolean => {
    const times = timesOf(entries);
    for (const [i, entry] of entries.entries()) {
      if (items.length >= limit || scanned >= SCAN_MOST) return false;
      scanned += 1;
      reached = entry.position;
      if (kind !== undefined && entry.kind !== kind) continue;
      if (search !== null && !entry.text.toLowerCase().includes(search)) continue;
      items.push(lineOf(entry, times[i]!));
    }
    return true;
  };
  try {
    if (!(await index.backwards(before, see))) return null;
  } catch (error) {
    if (!(error instanceof JournalUnreadable)) throw error;
    throw new Problem(409, 'refused', error.message, 'verify the journal; quorum restore puts a copy back');
  }
  return { items, next: scanned > 0 && reached > 0 ? String(reached) : null };
}

/** Commands carry no time of their own: they have that of the event before them. `entries` are newest first. */
function timesOf(entries: readonly JournalEntry[]): (number | null)[] {
  const times: (number | null)[] = new Array(entries.length).fill(null);
  let at: number | null = null;
  for (let i = entries.length - 1; i >= 0; i--) {
    const { kind, text } = entries[i]!;
    if (kind === 'event') at = instantOf(text) ?? at;
    times[i] = at;
  }
  return times;
}

function lineOf({ position, kind, text }: JournalEntry, at: number | null): JournalLine {
  const short = text.length > TEXT_MOST ? `${text.slice(0, TEXT_MOST)}…` : text;
  return { position, kind, at, name: nameOf(kind, text), text: short };
}

/** `kind` of events and commands and `note` of notes stand first in their text, or near it. */
function nameOf(kind: string, text: string): string {
  const key = kind === 'note' ? 'note' : 'kind';
  const found = new RegExp(`"${key}":"([^"]{1,60})"`).exec(text.slice(0, 2_000));
  return found?.[1] ?? kind;
}
