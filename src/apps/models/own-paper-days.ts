import { join } from 'node:path';
import { readJournal } from '#adapters';
import { DAY } from '#base';
import type { Event } from '#engine';
import type { Measured } from '#research';
import type { PaperHeader } from '../runner/portfolio-setup.ts';

type Models = Readonly<Record<string, string | null>> | undefined;

/** Whose time on paper is asked for. */
export interface OwnPaper {
  /** Folder of a paper portfolio. */
  readonly dir: string;
  readonly desk: string;
  /** Id of the model. */
  readonly model: string;
  readonly instrument: string;
}

/**
 * For how many days a desk on paper traded this very model: bars of its instrument that came live while one of the desk's references
 * meant it, by the journal's header and its notes of a change. What the journal does not say is not known.
 */
export function ownPaperDays({ dir, desk, model, instrument }: OwnPaper): Measured {
  let isOwn = false;
  let isToldOf = false;
  const own = new Map<number, number>();
  const all = new Map<number, number>();
  const others = new Set<string>();
  const meant = (models: Models) => {
    const ids = Object.values(models ?? {});
    isToldOf ||= models !== undefined;
    isOwn = ids.includes(model);
    return ids.filter((id): id is string => id !== null && id !== model);
  };
  let now: readonly string[] = [];
  for (const { kind, text } of readJournal(join(dir, 'journal'))) {
    if (kind === 'header') {
      const { desks = [] } = JSON.parse(text) as Partial<PaperHeader>;
      now = meant(desks.find(({ name }) => name === desk)?.models);
    } else if (kind === 'note' && text.startsWith('{"note":"models"')) {
      const note = JSON.parse(text) as { readonly desk: string; readonly models: Models };
      if (note.desk === desk) now = meant(note.models);
    } else if (kind === 'event' && text.startsWith('{"kind":"bar-closed"')) {
      const event = JSON.parse(text) as Event;
      if (event.kind !== 'bar-closed' || event.instrument !== instrument) continue;
      const { intervalMs, at, eventTime } = event;
      // what was filled in later nobody traded
      if (at - eventTime > intervalMs) continue;
      all.set(intervalMs, (all.get(intervalMs) ?? 0) + 1);
      if (isOwn) own.set(intervalMs, (own.get(intervalMs) ?? 0) + 1);
      else for (const id of now) others.add(id);
    }
  }
  if (!isToldOf) return { value: null, note: 'the journal does not say which model the desk traded' };
  const value = daysOf(own);
  const theirs = [...others].map((id) => id.slice(0, 12));
  const rest = theirs.length === 0 ? '' : `; others: ${theirs.join(', ')}`;
  return { value, note: `${value.toFixed(1)} of ${daysOf(all).toFixed(1)} days${rest}` };
}

/** Days that bars cover, of whichever length covers most. */
const daysOf = (bars: ReadonlyMap<number, number>): number =>
  Math.max(0, ...[...bars].map(([intervalMs, count]) => (count * intervalMs) / DAY));
