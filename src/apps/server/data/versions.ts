import { Problem } from '../context.ts';
import type { ConsoleStore } from '../identity/console-store.ts';
import { type Difference, differencesOf } from './differences.ts';

/** Who changed something that is kept as JSON, why, and what. */
export interface Version {
  readonly id: string;
  readonly at: number;
  readonly by: string;
  readonly reason: string;
  readonly differences: readonly Difference[];
}

/** Keeps a change. `before` and `after` are texts of JSON, `before` null for the first. */
export function keepVersion(
  store: ConsoleStore,
  change: {
    readonly subject: string;
    readonly by: string;
    readonly reason: string;
    readonly before: string | null;
    readonly after: string;
  },
): void {
  const { subject, by, reason, before, after } = change;
  store.run(
    'INSERT INTO configuration_history (at, by, reason, subject, before, after) VALUES (?, ?, ?, ?, ?, ?)',
    store.now(),
    by,
    reason,
    subject,
    before,
    after,
  );
}

/** Changes of one thing, newest first. Throws {@link Problem} 400 for a cursor that is none. */
export function versionsOf(
  store: ConsoleStore,
  subject: string,
  { limit, cursor }: { readonly limit: number; readonly cursor?: string | undefined },
): { readonly items: Version[]; readonly next: string | null } {
  const rows = store.all(
    'SELECT * FROM configuration_history WHERE subject = ?1 AND (?2 IS NULL OR id < ?2) ORDER BY id DESC LIMIT ?3',
    subject,
    numberOf(cursor),
    limit + 1,
  );
  const items = rows.slice(0, limit).map((row) => ({
    id: String(row.id),
    at: Number(row.at),
    by: String(row.by),
    reason: String(row.reason),
    differences: differencesOf(readBack(row.before), readBack(row.after)),
  }));
  return { items, next: rows.length > limit ? items.at(-1)!.id : null };
}

const DETAIL_MOST = 4_000;

/** What is noted of an act as text of bounded length: the whole stands in the history. */
export function shortDetail(value: unknown): string {
  const text = JSON.stringify(value);
  return text.length > DETAIL_MOST ? `${text.slice(0, DETAIL_MOST)}…` : text;
}

/** The number that a cursor is; null for none. Throws {@link Problem} 400. */
export function numberOf(cursor: string | undefined): number | null {
  if (cursor === undefined) return null;
  if (/^\d{1,15}$/.test(cursor)) return Number(cursor);
  throw new Problem(400, 'bad-input', 'this cursor is none', 'pass back `next` of the page before');
}

/** An older text may be anything; what is not JSON is shown as it was. */
function readBack(text: unknown): unknown {
  if (typeof text !== 'string') return null;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}
