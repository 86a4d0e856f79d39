import { type ColumnDataType, type Kysely, sql } from 'kysely';
import { InputError } from '#base';
import {
  type ColumnType,
  type DatabaseKind,
  type ProjectionDatabase,
  TABLES,
  type TableName,
} from './tables.ts';
import { inTransaction } from './transaction.ts';

interface Migration {
  readonly version: number;
  readonly name: string;
  readonly up: (db: Kysely<ProjectionDatabase>, kind: DatabaseKind) => Promise<void>;
}

/** In order, never edited once released: a changed schema is a further migration. */
const MIGRATIONS: readonly Migration[] = [
  { version: 1, name: 'first tables', up: createTables },
  { version: 2, name: 'bars, equity and operators', up: addCurves },
];

export const SCHEMA_VERSION = MIGRATIONS.at(-1)!.version;

/** Any number all programs that migrate this schema share, so that two of them wait for each other. */
const MIGRATION_LOCK = 7_136_502_281;

/**
 * Applies what is missing, all in one transaction. Throws {@link InputError} when the schema is newer than this
 * program, or when `readOnly` and it is older.
 */
export async function migrate(
  db: Kysely<ProjectionDatabase>,
  kind: DatabaseKind,
  readOnly: boolean,
): Promise<void> {
  if (readOnly) {
    const version = (await hasSchema(db)) ? await newestVersion(db) : 0;
    if (version < SCHEMA_VERSION) {
      throw new InputError(
        `the projections have schema ${version}, this program reads ${SCHEMA_VERSION}`,
        'start the program that writes them once, which brings them up to date',
      );
    }
    refuseNewer(version);
    return;
  }
  await inTransaction(db, async (tx) => {
    if (kind === 'postgres') await sql`select pg_advisory_xact_lock(${MIGRATION_LOCK})`.execute(tx);
    await tx.schema
      .createTable('quorum_schema')
      .ifNotExists()
      .addColumn('version', 'integer', (column) => column.primaryKey())
      .addColumn('name', 'text', (column) => column.notNull())
      .addColumn('applied_at', 'bigint', (column) => column.notNull())
      .execute();
    const current = await newestVersion(tx);
    refuseNewer(current);
    for (const { version, name, up } of MIGRATIONS) {
      if (version <= current) continue;
      await up(tx, kind);
      await tx.insertInto('quorum_schema').values({ version, name, applied_at: Date.now() }).execute();
    }
  });
}

function refuseNewer(version: number): void {
  if (version <= SCHEMA_VERSION) return;
  throw new InputError(
    `the projections have schema ${version}, this program knows up to ${SCHEMA_VERSION}`,
    'use the newer program, or give this one a database of its own and rebuild it from the journal',
  );
}

async function newestVersion(db: Kysely<ProjectionDatabase>): Promise<number> {
  const row = await db
    .selectFrom('quorum_schema')
    .select((eb) => eb.fn.max('version').as('version'))
    .executeTakeFirst();
  return row?.version ?? 0;
}

async function hasSchema(db: Kysely<ProjectionDatabase>): Promise<boolean> {
  const tables = await db.introspection.getTables();
  return tables.some((table) => table.name === 'quorum_schema');
}

function columnType(type: ColumnType, kind: DatabaseKind): ColumnDataType {
  switch (type) {
    case 'instant':
    case 'count':
      return 'bigint';
    case 'float':
      return kind === 'postgres' ? 'double precision' : 'real';
    default:
      return 'text';
  }
}

/** The tables of version 1, with the columns they have had since. */
const FIRST_TABLES = [
  'trades',
  'signals',
  'strategies',
  'performance_snapshots',
  'breaker_events',
  'notifications',
  'orders',
  'fills',
  'decisions',
] as const satisfies readonly TableName[];

async function createTable(
  db: Kysely<ProjectionDatabase>,
  kind: DatabaseKind,
  table: TableName,
): Promise<void> {
  let create = db.schema
    .createTable(table)
    .addColumn('id', 'text', (column) => column.primaryKey().notNull())
    .addColumn('position', 'bigint', (column) => column.notNull());
  for (const [name, type] of Object.entries(TABLES[table]))
    create = create.addColumn(name, columnType(type, kind));
  await create.execute();
}

// Pages of a list go from newest to oldest; the id breaks ties.
const NEWEST_FIRST = ['at desc', 'id desc'] as const;

async function createTables(db: Kysely<ProjectionDatabase>, kind: DatabaseKind): Promise<void> {
  for (const table of FIRST_TABLES) {
    await createTable(db, kind, table);
    await db.schema
      .createIndex(`${table}_by_time`)
      .on(table)
      .columns([...NEWEST_FIRST])
      .execute();
  }
  await db.schema.createIndex('fills_by_order').on('fills').column('order_id').execute();
  await db.schema.createIndex('orders_by_state').on('orders').column('state').execute();
  await db.schema
    .createTable('projection_position')
    .addColumn('name', 'text', (column) => column.primaryKey().notNull())
    .addColumn('journal', 'text', (column) => column.notNull())
    .addColumn('next_position', 'bigint', (column) => column.notNull())
    .execute();
}

async function addCurves(db: Kysely<ProjectionDatabase>, kind: DatabaseKind): Promise<void> {
  // what was projected before holds none of these rows: the journal is projected again from its beginning
  for (const table of FIRST_TABLES) await db.deleteFrom(table).execute();
  await db.deleteFrom('projection_position').execute();
  for (const table of ['bars', 'equity', 'operator_acts'] as const) await createTable(db, kind, table);
  for (const table of ['equity', 'operator_acts'] as const)
    await db.schema
      .createIndex(`${table}_by_time`)
      .on(table)
      .columns([...NEWEST_FIRST])
      .execute();
  // bars are only ever read for one instrument, and there are many of them: one index
  await db.schema
    .createIndex('bars_by_instrument')
    .on('bars')
    .columns(['instrument', 'interval_ms', 'at'])
    .execute();
  for (const column of ['instrument', 'outcome'] as const) {
    await db.schema
      .createIndex(`decisions_by_${column}`)
      .on('decisions')
      .columns([column, ...NEWEST_FIRST])
      .execute();
  }
  for (const table of ['trades', 'orders', 'fills'] as const) {
    await db.schema
      .createIndex(`${table}_by_instrument`)
      .on(table)
      .columns(['instrument', ...NEWEST_FIRST])
      .execute();
  }
}
