import type { Kysely, Transaction } from 'kysely';
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
    for (const { table, columns, rows } of grouped(fresh, writers)) {
      for (let i = 0; i < rows.length; i += ROWS_PER_INSERT) {
        await upsert(tx, table, columns, rows.slice(i, i + ROWS_PER_INSERT));
      }
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

async function upsert(
  tx: Transaction<ProjectionDatabase>,
  table: TableName,
  columns: readonly string[],
  rows: readonly Row[],
): Promise<void> {
  // The column names come from the checked rows; kysely cannot follow a table name that is only known at run time.
  const loose = tx as unknown as Kysely<Record<string, Record<string, unknown>>>;
  const values = rows.map((row) => Object.fromEntries(columns.map((column) => [column, row[column]])));
  await loose
    .insertInto(table)
    .values(values)
    .onConflict((conflict) =>
      conflict
        .column('id')
        .doUpdateSet((eb) =>
          Object.fromEntries(columns.filter((c) => c !== 'id').map((c) => [c, eb.ref(`excluded.${c}`)])),
        ),
    )
    .execute();
}
