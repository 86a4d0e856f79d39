import { dirname } from 'node:path';
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';
import { Kysely, type SqliteDatabase, SqliteDialect, type SqliteStatement } from 'kysely';
import { makeFolder } from '../make-folder.ts';
import { postgresDialect } from '../postgres-dialect.ts';
import { migrate } from './migrations.ts';
import type { DatabaseKind, ProjectionDatabase } from './tables.ts';

/** An open, migrated database of projections. */
export interface ProjectionStore {
  readonly kind: DatabaseKind;
  readonly db: Kysely<ProjectionDatabase>;
  close(): Promise<void>;
}

export interface ProjectionPlace {
  /** SQLite file, used when there is no database URL; `:memory:` for none. */
  readonly file: string;
  /** PostgreSQL connection string. Default: the environment's DATABASE_URL; null never asks the environment. */
  readonly databaseUrl?: string | null;
  /** Opens without migrating and refuses writes (SQLite only; a PostgreSQL reader is given a role instead). */
  readonly readOnly?: boolean;
}

const STATEMENTS_MAX = 200;
/** How long one attempt may block the thread while another process writes; longer waits are made without blocking. */
const BUSY_BLOCK_MS = 10;

/**
 * Opens the projections and brings their schema up to date. Throws {@link InputError} when a newer program made it,
 * and the driver's error when the server cannot be reached.
 */
export async function openProjections(place: ProjectionPlace): Promise<ProjectionStore> {
  const url = place.databaseUrl === undefined ? process.env.DATABASE_URL : place.databaseUrl;
  const kind: DatabaseKind = url ? 'postgres' : 'sqlite';
  const dialect = url ? postgresDialect(url) : sqlite(place.file, place.readOnly ?? false);
  const db = new Kysely<ProjectionDatabase>({ dialect });
  const store: ProjectionStore = { kind, db, close: () => db.destroy() };
  try {
    await migrate(db, kind, place.readOnly ?? false);
  } catch (error) {
    await db.destroy();
    throw error;
  }
  return store;
}

function sqlite(file: string, readOnly: boolean): SqliteDialect {
  return new SqliteDialect({ database: async () => openSqlite(file, readOnly) });
}

/** node:sqlite in the shape kysely's SQLite dialect expects. */
function openSqlite(file: string, readOnly: boolean): SqliteDatabase {
  if (!readOnly && file !== ':memory:') makeFolder(dirname(file));
  const database = new DatabaseSync(file, { readOnly, timeout: BUSY_BLOCK_MS });
  if (!readOnly) {
    // The journal is the truth: what a power cut takes from here is projected again.
    database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL');
  }
  const statements = new Map<string, StatementSync>();
  const prepared = (sql: string): StatementSync => {
    const known = statements.get(sql);
    if (known) return known;
    if (statements.size >= STATEMENTS_MAX) statements.clear();
    const statement = database.prepare(sql);
    statements.set(sql, statement);
    return statement;
  };
  return {
    close: () => database.close(),
    // A transaction that reads and then writes must hold the write lock from its beginning, or it fails as busy.
    prepare: (sql) => asKyselyStatement(prepared(sql === 'begin' && !readOnly ? 'begin immediate' : sql)),
  };
}

function asKyselyStatement(statement: StatementSync): SqliteStatement {
  return {
    reader: statement.columns().length > 0,
    all: (parameters) => statement.all(...(parameters as SQLInputValue[])),
    run: (parameters) => statement.run(...(parameters as SQLInputValue[])),
    iterate: (parameters) => statement.iterate(...(parameters as SQLInputValue[])),
  };
}
