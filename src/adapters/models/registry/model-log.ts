import { DatabaseSync } from 'node:sqlite';
import { canonicalJson, InputError, sha256 } from '#base';
import { type ModelEvent, readModelEvent } from './model-event.ts';

/** Kept in the file's header, so that nothing else is taken for it. */
const APPLICATION = 0x514d4f44;
const VERSION = 1;
/** Milliseconds that one process waits for another that writes. */
const BUSY_MS = 15_000;

const TABLES = `
CREATE TABLE entries (
  position INTEGER PRIMARY KEY,
  at INTEGER NOT NULL,
  body TEXT NOT NULL,
  chain TEXT NOT NULL
) STRICT;
CREATE TABLE head (one INTEGER PRIMARY KEY CHECK (one = 1), entries INTEGER NOT NULL, chain TEXT NOT NULL) STRICT;
INSERT INTO head VALUES (1, 0, '');
CREATE TRIGGER entries_stay BEFORE DELETE ON entries BEGIN SELECT RAISE(ABORT, 'a registry forgets nothing'); END;
CREATE TRIGGER entries_are_final BEFORE UPDATE ON entries BEGIN SELECT RAISE(ABORT, 'a registry changes nothing'); END;
`;

/** One thing that happened to a model, and when. */
export interface LoggedEvent {
  /** From 1. */
  readonly position: number;
  /** Epoch milliseconds. */
  readonly at: number;
  readonly event: ModelEvent;
}

export interface LogHead {
  readonly entries: number;
  /** Chain hash of the last entry; empty for none. */
  readonly chain: string;
}

interface Row {
  readonly position: number;
  readonly at: number;
  readonly body: string;
  readonly chain: string;
}

/** SHA-256 over an entry and all before it. */
const linkOf = (before: string, position: number, at: number, body: string): string =>
  sha256(JSON.stringify([before, position, at, body]));

/**
 * What happened to models, in one SQLite file that several processes may write at once: a full sync for each change, nothing taken
 * out or changed (triggers refuse it), every entry chained to those before by SHA-256, with count and last link kept beside them.
 * Throws {@link InputError} wherever it was damaged or cannot be used.
 */
export class ModelLog {
  readonly path: string;
  private readonly db: DatabaseSync;

  private constructor(path: string, db: DatabaseSync) {
    this.path = path;
    this.db = db;
  }

  /** Opens a log, a new one where there is none. */
  static open(path: string): ModelLog {
    let db: DatabaseSync | null = null;
    try {
      db = new DatabaseSync(path, { timeout: BUSY_MS });
      // a person who was told that a model is staged must not find another after a power cut
      db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL');
      db.exec('BEGIN IMMEDIATE');
      prepare(db, path);
      db.exec('COMMIT');
      return new ModelLog(path, db);
    } catch (error) {
      db?.close();
      throw faultOf(path, error);
    }
  }

  /**
   * Opens a log that is there for reading alone: nothing is written, and it waits for others no longer than `busyMs`. Throws
   * {@link InputError} for one that another process is just making.
   */
  static openToRead(path: string, busyMs: number): ModelLog {
    let db: DatabaseSync | null = null;
    try {
      db = new DatabaseSync(path, { readOnly: true, timeout: busyMs });
      const { application, version } = marksOf(db);
      if (application === APPLICATION && version === VERSION) return new ModelLog(path, db);
      throw new InputError(
        `${path} is no registry of models that this version knows`,
        'use the version of the program that made it, or name another folder with --models',
      );
    } catch (error) {
      db?.close();
      throw faultOf(path, error);
    }
  }

  head(): LogHead {
    return this.guarded(() => this.headNow());
  }

  /** Everything from a position on, as it is at one moment, each entry compared with the chain that ends in `head`. */
  read(head: LogHead = { entries: 0, chain: '' }): {
    readonly events: LoggedEvent[];
    readonly head: LogHead;
  } {
    return this.guarded(() => {
      // within a change the transaction is there already
      if (this.db.isTransaction) return this.walk(head);
      this.db.exec('BEGIN');
      try {
        return this.walk(head);
      } finally {
        this.db.exec('COMMIT');
      }
    });
  }

  /**
   * Runs `change` while no other process can write, and keeps what it appended when it returns. What it throws undoes all of it.
   */
  change<T>(change: (append: (event: ModelEvent, at: number) => void) => T): T {
    return this.guarded(() => {
      this.db.exec('BEGIN IMMEDIATE');
      try {
        let { entries, chain } = this.headNow();
        const before = entries;
        this.checkEnd(entries, chain);
        const insert = this.db.prepare('INSERT INTO entries VALUES (?, ?, ?, ?)');
        const result = change((event, at) => {
          const body = canonicalJson(event);
          entries += 1;
          chain = linkOf(chain, entries, at, body);
          insert.run(entries, at, body, chain);
        });
        if (entries !== before) this.db.prepare('UPDATE head SET entries = ?, chain = ?').run(entries, chain);
        this.db.exec('COMMIT');
        return result;
      } catch (error) {
        // a full disk may have rolled back by itself
        if (this.db.isTransaction) this.db.exec('ROLLBACK');
        throw error;
      }
    });
  }

  close(): void {
    this.db.close();
  }

  private headNow(): LogHead {
    const row = this.db.prepare('SELECT entries, chain FROM head').get();
    if (row === undefined) throw damaged(this.path, 'its head is missing');
    return { entries: Number(row.entries), chain: String(row.chain) };
  }

  private walk(from: LogHead): { events: LoggedEvent[]; head: LogHead } {
    const head = this.headNow();
    const events: LoggedEvent[] = [];
    let { entries: position, chain } = from;
    const rows = this.db.prepare('SELECT * FROM entries WHERE position > ? ORDER BY position');
    for (const one of rows.iterate(position)) {
      const row = one as unknown as Row;
      position += 1;
      if (row.position !== position) throw damaged(this.path, `entry ${position} is missing`);
      if (row.chain !== linkOf(chain, position, row.at, row.body))
        throw damaged(this.path, `entry ${position} was changed, or one before it`);
      chain = row.chain;
      const event = readModelEvent(row.body);
      if (event === null)
        throw new InputError(
          `entry ${position} of ${this.path} is of a kind that this version does not know`,
          'use the version of the program that wrote it, or a newer one',
        );
      events.push({ position, at: row.at, event });
    }
    if (position !== head.entries || chain !== head.chain)
      throw damaged(this.path, `it ends after ${position} entries, and has had ${head.entries}`);
    return { events, head };
  }

  /** Nothing is added behind an end that is not the one that was written. */
  private checkEnd(entries: number, chain: string): void {
    const last = this.db
      .prepare('SELECT position, chain FROM entries ORDER BY position DESC LIMIT 1')
      .get() as { position: number; chain: string } | undefined;
    if ((last?.position ?? 0) !== entries || (last?.chain ?? '') !== chain)
      throw damaged(this.path, `it ends after ${last?.position ?? 0} entries, and has had ${entries}`);
  }

  private guarded<T>(action: () => T): T {
    try {
      return action();
    } catch (error) {
      throw faultOf(this.path, error);
    }
  }
}

/** What tells a registry from any other database. */
function marksOf(db: DatabaseSync): { readonly application: number; readonly version: number } {
  const pragma = (name: string) => Number(Object.values(db.prepare(`PRAGMA ${name}`).get()!)[0]);
  return { application: pragma('application_id'), version: pragma('user_version') };
}

function prepare(db: DatabaseSync, path: string): void {
  const { application, version } = marksOf(db);
  if (application === APPLICATION && version === VERSION) return;
  if (application === APPLICATION)
    throw new InputError(
      `${path} was made by another version of the program (${version}, this one knows ${VERSION})`,
      'use that version, or name another folder with --models',
    );
  const { tables } = db.prepare('SELECT count(*) AS tables FROM sqlite_master').get() as { tables: number };
  if (application !== 0 || tables > 0)
    throw new InputError(
      `${path} is a database, but no registry of models`,
      'name another folder with --models',
    );
  db.exec(TABLES);
  db.exec(`PRAGMA application_id = ${APPLICATION}; PRAGMA user_version = ${VERSION}`);
}

const damaged = (path: string, what: string): InputError =>
  new InputError(
    `the registry of models ${path} is damaged: ${what}`,
    'put back a copy of its folder (quorum restore), or move it away and import the exported models again',
  );

/** What stands in the way, in words; the error itself where it is not the file's. */
function faultOf(path: string, error: unknown): unknown {
  if (!(error instanceof Error) || (error as { code?: string }).code !== 'ERR_SQLITE_ERROR') return error;
  const { errcode = 0 } = error as { errcode?: number };
  const name = `the registry of models ${path}`;
  switch (errcode & 0xff) {
    case 5:
    case 6:
      return new InputError(
        `${name} is in use: ${error.message}`,
        'try again when the other process is done',
      );
    case 8:
    case 14:
      return new InputError(
        `${name} cannot be opened: ${error.message}`,
        'check the path and its permissions',
      );
    case 13:
      return new InputError(`${name} cannot be written: ${error.message}`, 'free some space on its disk');
    default:
      return damaged(path, error.message);
  }
}
