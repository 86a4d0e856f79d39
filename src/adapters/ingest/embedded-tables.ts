import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { makeFolder } from '../storage/make-folder.ts';
import { type BarEntry, StreamsAway } from './bar-streams.ts';

/**
 * `entry` holds what is kept, in the order it came; `stream` how many of each; `seen` is the gate; `place` is how far each
 * group was given each stream; `pending` what a consumer holds; `dead` the dead letters.
 */
const SCHEMA = `
CREATE TABLE IF NOT EXISTS entry (
  seq INTEGER PRIMARY KEY AUTOINCREMENT, stream TEXT NOT NULL, config TEXT NOT NULL, bar_time INTEGER NOT NULL,
  received_at INTEGER NOT NULL, body TEXT NOT NULL, hash TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS entry_by_stream ON entry (stream, seq);
CREATE TABLE IF NOT EXISTS stream (name TEXT PRIMARY KEY, length INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TRIGGER IF NOT EXISTS entry_added AFTER INSERT ON entry BEGIN
  INSERT INTO stream (name, length) VALUES (new.stream, 1) ON CONFLICT (name) DO UPDATE SET length = length + 1;
END;
CREATE TRIGGER IF NOT EXISTS entry_removed AFTER DELETE ON entry BEGIN
  UPDATE stream SET length = length - 1 WHERE name = old.stream;
END;
CREATE TABLE IF NOT EXISTS seen (
  config TEXT NOT NULL, bar_time INTEGER NOT NULL, hashes TEXT NOT NULL, until INTEGER NOT NULL,
  PRIMARY KEY (config, bar_time)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS seen_until ON seen (until);
CREATE TABLE IF NOT EXISTS place (
  grp TEXT NOT NULL, stream TEXT NOT NULL, seq INTEGER NOT NULL, PRIMARY KEY (grp, stream)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS pending (
  grp TEXT NOT NULL, seq INTEGER NOT NULL, stream TEXT NOT NULL, consumer TEXT NOT NULL,
  given_at INTEGER NOT NULL, deliveries INTEGER NOT NULL, PRIMARY KEY (grp, seq)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS pending_by_stream ON pending (grp, stream, seq);
CREATE TABLE IF NOT EXISTS dead (
  id INTEGER PRIMARY KEY AUTOINCREMENT, stream TEXT NOT NULL, seq INTEGER NOT NULL, deliveries INTEGER NOT NULL,
  reason TEXT NOT NULL, at INTEGER NOT NULL, config TEXT NOT NULL, bar_time INTEGER NOT NULL,
  received_at INTEGER NOT NULL, body TEXT NOT NULL, hash TEXT NOT NULL
) STRICT;
`;

/** A row of `entry` or `dead` as an entry. */
export const entryOf = (row: Record<string, unknown>): BarEntry => ({
  config: String(row.config),
  barTime: Number(row.bar_time),
  receivedAt: Number(row.received_at),
  body: String(row.body),
  hash: String(row.hash),
});

/** How long one attempt may block the thread while another process writes; longer waits are made without blocking. */
const BUSY_BLOCK_MS = 5;
const BUSY_PAUSE_MS = 3;
const BUSY_MOST_MS = 5_000;
const SQLITE_BUSY = 5;

/**
 * Opens a connection. `full`: a commit is on the disk when it returns. Otherwise a power cut may take the last commits
 * (a killed process takes none): right for readers, whose acknowledgements may be repeated.
 */
export async function openQueueFile(file: string, synchronous: 'full' | 'normal'): Promise<DatabaseSync> {
  makeFolder(dirname(file));
  const database = new DatabaseSync(file, { timeout: BUSY_BLOCK_MS });
  try {
    await whenFree(() => {
      database.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = ${synchronous}`);
      transaction(database, () => database.exec(SCHEMA));
    }, BUSY_MOST_MS);
  } catch (error) {
    database.close();
    throw error;
  }
  return database;
}

/** All or nothing. The write lock is held from the beginning, or a transaction that reads first would fail as busy. */
export function transaction<T>(database: DatabaseSync, work: () => T): T {
  database.exec('BEGIN IMMEDIATE');
  try {
    const result = work();
    database.exec('COMMIT');
    return result;
  } catch (error) {
    if (database.isTransaction) database.exec('ROLLBACK');
    throw error;
  }
}

/** Repeats work while another process writes, without blocking the thread for long. Throws StreamsAway when it does not end. */
export async function whenFree<T>(work: () => T, mostMs: number = BUSY_MOST_MS): Promise<T> {
  for (const until = performance.now() + mostMs; ; ) {
    try {
      return work();
    } catch (error) {
      if (!isBusy(error)) throw new StreamsAway(reasonOf(error), { cause: error });
      if (performance.now() > until)
        throw new StreamsAway('another process holds the queue', { cause: error });
    }
    await sleep(BUSY_PAUSE_MS);
  }
}

const reasonOf = (error: unknown): string =>
  error instanceof Error ? error.message : 'the queue cannot be used';

const isBusy = (error: unknown): boolean =>
  typeof error === 'object' &&
  error !== null &&
  'errcode' in error &&
  (Number(error.errcode) & 0xff) === SQLITE_BUSY;
