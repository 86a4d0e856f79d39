import { chmodSync, closeSync, existsSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';
import { makeFolder } from '#adapters';
import { assert, InputError } from '#base';
import { IDENTITY_MIGRATIONS } from './identity-schema.ts';
import type { MigrationArea } from './migration.ts';

export type SqlRow = Readonly<Record<string, unknown>>;

/** Kept in the file's header, so that nothing else is taken for it. */
const APPLICATION = 0x51434f4e;

/** Milliseconds that one process waits for another that writes (the server and `quorum users`). */
const BUSY_MS = 5_000;

const STATEMENTS_MAX = 300;

const NOTES = `
CREATE TABLE schema_versions (
  area TEXT NOT NULL,
  version INTEGER NOT NULL,
  name TEXT NOT NULL,
  applied_at INTEGER NOT NULL,
  PRIMARY KEY (area, version)
) STRICT;
PRAGMA application_id = ${APPLICATION};
`;

/**
 * What the console itself has to remember: users, sessions, tokens, audit, settings, and whatever other parts of the server
 * add with {@link ConsoleStore.migrate}. One SQLite file that only its user may read.
 */
export class ConsoleStore {
  readonly file: string;
  readonly db: DatabaseSync;
  private readonly clock: () => number;
  private readonly statements = new Map<string, StatementSync>();
  private depth = 0;

  constructor(file: string, db: DatabaseSync, clock: () => number) {
    this.file = file;
    this.db = db;
    this.clock = clock;
  }

  /** Epoch milliseconds. */
  now(): number {
    return this.clock();
  }

  /** Brings the tables of one area up to date. Throws {@link InputError} when a newer program made them. */
  migrate({ area, migrations }: MigrationArea): void {
    for (const [i, { version }] of migrations.entries())
      assert(version === i + 1, `migration ${version} of ${area} is out of order`);
    this.transaction(() => {
      const row = this.get('SELECT max(version) AS version FROM schema_versions WHERE area = ?', area);
      const current = Number(row?.version ?? 0);
      if (current > migrations.length)
        throw new InputError(
          `${this.file} has version ${current} of ${area}, this program knows up to ${migrations.length}`,
          'use the newer program, or put back an older copy of the file',
        );
      for (const { version, name, sql } of migrations.slice(current)) {
        this.db.exec(sql);
        this.run('INSERT INTO schema_versions VALUES (?, ?, ?, ?)', area, version, name, this.now());
      }
    });
  }

  /** All of it or nothing; calls may be nested. Must not be handed a function that waits. */
  transaction<T>(work: () => T): T {
    if (this.depth > 0) return work();
    this.db.exec('BEGIN IMMEDIATE');
    this.depth += 1;
    try {
      const result = work();
      assert(!(result instanceof Promise), 'a transaction may not wait');
      this.db.exec('COMMIT');
      return result;
    } catch (error) {
      if (this.db.isTransaction) this.db.exec('ROLLBACK');
      throw error;
    } finally {
      this.depth -= 1;
    }
  }

  get(sql: string, ...values: SQLInputValue[]): SqlRow | undefined {
    return this.prepared(sql).get(...values) as SqlRow | undefined;
  }

  all(sql: string, ...values: SQLInputValue[]): SqlRow[] {
    return this.prepared(sql).all(...values) as SqlRow[];
  }

  /** Returns how many rows were changed. */
  run(sql: string, ...values: SQLInputValue[]): number {
    return Number(this.prepared(sql).run(...values).changes);
  }

  close(): void {
    this.statements.clear();
    if (this.db.isOpen) this.db.close();
  }

  private prepared(sql: string): StatementSync {
    const known = this.statements.get(sql);
    if (known) return known;
    if (this.statements.size >= STATEMENTS_MAX) this.statements.clear();
    const statement = this.db.prepare(sql);
    this.statements.set(sql, statement);
    return statement;
  }
}

/** Where the console's file is below a data directory. */
export const CONSOLE_FILE = 'console.sqlite';

/**
 * Opens the console's file, a new one (mode 0600) where there is none, with the tables of identity in it; `:memory:` for tests.
 * Throws {@link InputError} for a file that is something else, is damaged, or was made by a newer program.
 */
export function openConsoleStore(file: string, clock: () => number = Date.now): ConsoleStore {
  if (file !== ':memory:') {
    makeFolder(dirname(file));
    // made empty first, so that it is never readable by others, not even for a moment
    if (!existsSync(file)) closeSync(openSync(file, 'a', 0o600));
    chmodSync(file, 0o600);
  }
  const db = new DatabaseSync(file, { timeout: BUSY_MS });
  try {
    // who may do what must survive a power cut
    db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON');
    const store = new ConsoleStore(file, db, clock);
    store.transaction(() => claim(store));
    store.migrate({ area: 'identity', migrations: IDENTITY_MIGRATIONS });
    return store;
  } catch (error) {
    db.close();
    throw fault(file, error) ?? error;
  }
}

function claim(store: ConsoleStore): void {
  const application = Number(store.get('PRAGMA application_id')?.application_id);
  if (application === APPLICATION) return;
  const tables = Number(store.get('SELECT count(*) AS tables FROM sqlite_master')?.tables);
  if (application !== 0 || tables > 0)
    throw new InputError(
      `${store.file} is a database, but not the console's`,
      'move it away, or name another data directory',
    );
  store.db.exec(NOTES);
}

/** What stands in the way of reading the file, in words; null for a fault that is not the file's. */
function fault(file: string, error: unknown): InputError | null {
  if (!(error instanceof Error) || (error as { code?: string }).code !== 'ERR_SQLITE_ERROR') return null;
  const { errcode = 0 } = error as { errcode?: number };
  switch (errcode & 0xff) {
    case 5:
    case 6:
      return new InputError(
        `${file} is in use: ${error.message}`,
        'try again when the other process is done',
      );
    case 8:
    case 14:
      return new InputError(`${file} cannot be opened: ${error.message}`, 'check its permissions');
    case 13:
      return new InputError(`${file} cannot be written: ${error.message}`, 'free some space on its disk');
    default:
      return new InputError(
        `${file} is damaged: ${error.message}`,
        'put back a copy of it, or move it away: the next start makes a new one with a new administrator',
      );
  }
}
