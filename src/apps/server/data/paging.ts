import { type RawBuilder, type SelectQueryBuilder, type SqlBool, sql } from 'kysely';
import { Problem } from '../context.ts';

/** Where a page ended: the place of its last item in the order (at, id), newest first. */
export interface Place {
  readonly at: number;
  readonly id: string;
}

/** What every list is asked with. `from` belongs to it, `to` does not. */
export interface PageAsk {
  readonly limit: number;
  readonly cursor?: string | undefined;
  readonly from?: number | undefined;
  readonly to?: number | undefined;
}

export interface Page<T> {
  readonly items: T[];
  readonly next: string | null;
}

/** A place as text that clients pass back and need not understand. */
export const cursorOf = ({ at, id }: Place): string =>
  Buffer.from(JSON.stringify([at, id])).toString('base64url');

/** The place behind a cursor. Throws {@link Problem} 400 for anything that is none. */
export function placeOf(cursor: string): Place {
  const bad = new Problem(400, 'bad-input', 'this cursor is none', 'pass back `next` of the page before');
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
  } catch {
    throw bad;
  }
  if (!Array.isArray(value) || value.length !== 2) throw bad;
  const [at, id] = value as [unknown, unknown];
  if (!Number.isSafeInteger(at) || typeof id !== 'string') throw bad;
  return { at: at as number, id };
}

/**
 * The rows a page may hold, as a condition on columns `at` and `id`. A place is a point in the order, not a number of rows, so
 * rows that are added later move nothing: each is seen once by whoever reads on, and none that was there is missed.
 */
export function within({ cursor, from, to }: PageAsk): RawBuilder<SqlBool> {
  const at = sql.ref('at');
  const conditions = [sql<SqlBool>`${at} is not null`];
  if (cursor !== undefined) {
    const place = placeOf(cursor);
    conditions.push(sql<SqlBool>`(${at}, ${sql.ref('id')}) < (${place.at}, ${place.id})`);
  }
  if (from !== undefined) conditions.push(sql<SqlBool>`${at} >= ${from}`);
  if (to !== undefined) conditions.push(sql<SqlBool>`${at} < ${to}`);
  return sql<SqlBool>`(${sql.join(conditions, sql` and `)})`;
}

/** One page of what a query finds in a table with columns `at` and `id`, newest first. */
export async function readPage<DB, TB extends keyof DB, R extends { id: string; at: number | null }, T>(
  query: SelectQueryBuilder<DB, TB, R>,
  ask: PageAsk,
  itemOf: (row: R) => T,
): Promise<Page<T>> {
  const rows = await query
    .where(within(ask))
    .orderBy(sql.ref('at'), 'desc')
    .orderBy(sql.ref('id'), 'desc')
    .limit(ask.limit + 1)
    .execute();
  return pageFrom(rows, ask.limit, itemOf);
}

/** A page from rows that were read with one more than its limit. */
function pageFrom<R extends { id: string; at: number | null }, T>(
  rows: readonly R[],
  limit: number,
  item: (row: R) => T,
): Page<T> {
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  const more = rows.length > limit && last !== undefined;
  return { items: shown.map(item), next: more ? cursorOf({ at: last.at!, id: last.id }) : null };
}

/** A page of what is in memory already, in any order. */
export function pageOf<T extends Place>(all: readonly T[], ask: PageAsk): Page<T> {
  const before = ask.cursor === undefined ? null : placeOf(ask.cursor);
  const wanted = all
    .filter(
      (one) =>
        (before === null || newestFirst(before, one) < 0) &&
        (ask.from === undefined || one.at >= ask.from) &&
        (ask.to === undefined || one.at < ask.to),
    )
    .sort(newestFirst);
  return pageFrom(wanted, ask.limit, (one) => one);
}

/** Negative when `a` stands before `b` in a list. */
function newestFirst(a: Place, b: Place): number {
  if (a.at !== b.at) return b.at - a.at;
  return a.id === b.id ? 0 : a.id > b.id ? -1 : 1;
}
