import { CompiledQuery, type Transaction } from 'kysely';
import { assert, InputError } from '#base';
import type { EntryKind } from '#engine';
import type { ProjectionStore } from './database.ts';
import {
  type ProjectionDatabase,
  type ProjectionRow,
  TABLE_NAMES,
  TABLES,
  type TableName,
} from './tables.ts';
import { inTransaction } from './transaction.ts';

/** A journal entry as projections see it: `value` is its parsed payload. */
export interface ProjectionEntry {
  readonly position: number;
  readonly kind: EntryKind;
  readonly value: unknown;
}

/** Pure: which rows an entry writes. */
export type RowWriter = (entry: ProjectionEntry) => readonly ProjectionRow[];

const POSITION = 'journal';
const ROWS_PER_INSERT = 200;

/** The entries do not begin where the projections end. */
export class ProjectionGap extends Error {
  override name = 'ProjectionGap';
}

/** The first position not applied yet; 0 for an empty database. Throws {@link InputError} for another journal's rows. */
export async function projectedPosition(store: ProjectionStore, journal: string): Promise<number> {
  const row = await store.db
    .selectFrom('projection_position')
    .selectAll()
    .where('name', '=', POSITION)
    .executeTakeFirst();
  return row === undefined ? 0 : checkedPosition(row, journal);
}

/**
 * Applies entries, which must be in order without holes, in one transaction with the new position: whatever happens,
 * each position is applied exactly once. Positions applied before are passed over. Returns the position reached.
 */
export async function applyEntries(
  store: ProjectionStore,
  journal: string,
  writers: readonly RowWriter[],
  entries: readonly ProjectionEntry[],
): Promise<number> {
  return inTransaction(store.db, async (tx) => {
    const from = await lockPosition(tx, store.kind, journal);
    const fresh = entries.filter((entry) => entry.position >= from);
    if (fresh.length === 0) return from;
    fresh.forEach((entry, i) => {
      if (entry.position === from + i) return;
      throw new ProjectionGap(`expected journal position ${from + i}, got ${entry.position}`);
    });
    for (const group of grouped(fresh, writers)) {
      const { rows } = group;
      for (let i = 0; i < rows.length; i += ROWS_PER_INSERT)
        await upsert(tx, store.kind, group, rows.slice(i, i + ROWS_PER_INSERT));
    }
    const next = from + fresh.length;
    await tx
      .updateTable('projection_position')
      .set({ next_position: next })
      .where('name', '=', POSITION)
      .execute();
    return next;
  });
}

/** Empties all projections; the next entry to apply is position 0 of any journal. */
export async function clearProjections(store: ProjectionStore): Promise<void> {
  await inTransaction(store.db, async (tx) => {
    for (const table of TABLE_NAMES) await tx.deleteFrom(table).execute();
    await tx.deleteFrom('projection_position').execute();
  });
}

/** The position, held until the transaction ends: the row is made first, as an absent row cannot be locked. */
async function lockPosition(
  tx: Transaction<ProjectionDatabase>,
  kind: ProjectionStore['kind'],
  journal: string,
): Promise<number> {
  await tx
    .insertInto('projection_position')
    .values({ name: POSITION, journal, next_position: 0 })
    .onConflict((conflict) => conflict.column('name').doNothing())
    .execute();
  const query = tx.selectFrom('projection_position').selectAll().where('name', '=', POSITION);
  return checkedPosition(
    await (kind === 'postgres' ? query.forUpdate() : query).executeTakeFirstOrThrow(),
    journal,
  );
}

function checkedPosition(row: ProjectionDatabase['projection_position'], journal: string): number {
  if (row.journal === journal) return row.next_position;
  throw new InputError('the projections were made from another journal', 'rebuild them from this one');
}

type Row = Record<string, unknown> & { id: string; position: number };

interface Group {
  readonly table: TableName;
  readonly columns: readonly string[];
  readonly rows: Row[];
}

/** Rows by table and set of columns; several writes to one row become one, as a later one adds to an earlier. */
function grouped(entries: readonly ProjectionEntry[], writers: readonly RowWriter[]): Group[] {
  const merged = new Map<string, { table: TableName; row: Row }>();
  for (const entry of entries) {
    for (const writer of writers) {
      for (const { table, row } of writer(entry)) {
        checkRow(table, row);
        const key = `${table} ${row.id}`;
        const before = merged.get(key)?.row;
        merged.set(key, { table, row: { ...before, ...row, position: entry.position } });
      }
    }
  }
  const groups = new Map<string, Group>();
  for (const { table, row } of merged.values()) {
    const columns = Object.keys(row)
      .filter((column) => row[column] !== undefined)
      .sort();
    const key = `${table} ${columns.join(' ')}`;
    const group = groups.get(key) ?? { table, columns, rows: [] };
    group.rows.push(row);
    groups.set(key, group);
  }
  return [...groups.values()];
}

function checkRow(table: TableName, row: { readonly id: string }): void {
  assert(Object.hasOwn(TABLES, table), `no projection table ${table}`);
  assert(typeof row.id === 'string' && row.id !== '', `a row of ${table} without id`);
  const types: Readonly<Record<string, string>> = TABLES[table];
  for (const [column, value] of Object.entries(row)) {
    if (column === 'id' || value === null || value === undefined) continue;
    const type = Object.hasOwn(types, column) ? types[column] : undefined;
    assert(type !== undefined, `no column ${column} in ${table}`);
    const fits =
      type === 'float'
        ? Number.isFinite(value)
        : type === 'instant' || type === 'count'
          ? Number.isSafeInteger(value)
          : typeof value === 'string';
    assert(fits, `${table}.${column} is a ${type}, got ${String(value)}`);
  }
}

/** Statements by table, columns and number of rows: most batches are alike, and wording one costs more than running it. */
const STATEMENTS = new Map<string, string>();
const STATEMENTS_MAX = 500;

function upsertText(
  kind: ProjectionStore['kind'],
  table: TableName,
  columns: readonly string[],
  rows: number,
): string {
  const key = `${kind} ${table} ${columns.join(' ')} ${rows}`;
  const known = STATEMENTS.get(key);
  if (known !== undefined) return known;
  // table and columns are those of TABLES, see checkRow
  const names = columns.map((column) => `"${column}"`);
  let place = 0;
  const mark = () => (kind === 'postgres' ? `$${++place}` : '?');
  const values = Array.from({ length: rows }, () => `(${names.map(mark).join(', ')})`).join(', ');
  const set = names.filter((name) => name !== '"id"').map((name) => `${name} = excluded.${name}`);
  const text = `insert into "${table}" (${names.join(', ')}) values ${values} on conflict ("id") do update set ${set.join(', ')}`;
  if (STATEMENTS.size >= STATEMENTS_MAX) STATEMENTS.clear();
  STATEMENTS.set(key, text);
  return text;
}

async function upsert(
  tx: Transaction<ProjectionDatabase>,
  kind: ProjectionStore['kind'],
  { table, columns }: Group,
  rows: readonly Row[],
): Promise<void> {
  const values: unknown[] = [];
  for (const row of rows) for (const column of columns) values.push(row[column]);
  await tx.executeQuery(CompiledQuery.raw(upsertText(kind, table, columns, rows.length), values));
}
