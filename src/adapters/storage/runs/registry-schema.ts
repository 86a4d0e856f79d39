import { DatabaseSync } from 'node:sqlite';
import { InputError } from '#base';

/** Kept in the file's header, so that nothing else is taken for a registry. */
const APPLICATION = 0x51524547;
export const REGISTRY_VERSION = 1;

/** Milliseconds that one process waits for another that writes. */
const BUSY_MS = 15_000;

const TABLES = `
CREATE TABLE entries (
  position INTEGER PRIMARY KEY,
  hash TEXT NOT NULL UNIQUE,
  kind TEXT NOT NULL,
  at INTEGER NOT NULL,
  subject TEXT NOT NULL,
  file TEXT,
  study TEXT,
  body TEXT NOT NULL,
  returns BLOB,
  chain TEXT NOT NULL
) STRICT;
CREATE TABLE days (hash TEXT PRIMARY KEY, days BLOB NOT NULL) STRICT;
CREATE TABLE places (hash TEXT NOT NULL, directory TEXT NOT NULL, at INTEGER NOT NULL, PRIMARY KEY (hash, directory)) STRICT;
CREATE TABLE head (one INTEGER PRIMARY KEY CHECK (one = 1), entries INTEGER NOT NULL, chain TEXT NOT NULL) STRICT;
INSERT INTO head VALUES (1, 0, '');
CREATE TRIGGER entries_stay BEFORE DELETE ON entries BEGIN SELECT RAISE(ABORT, 'a registry forgets nothing'); END;
CREATE TRIGGER entries_are_final BEFORE UPDATE ON entries BEGIN SELECT RAISE(ABORT, 'a registry changes nothing'); END;
CREATE TRIGGER days_stay BEFORE DELETE ON days BEGIN SELECT RAISE(ABORT, 'a registry forgets nothing'); END;
CREATE TRIGGER days_are_final BEFORE UPDATE ON days BEGIN SELECT RAISE(ABORT, 'a registry changes nothing'); END;
`;

const MEND =
  'put back a copy of it (quorum restore), or move it away: a new one then begins, and runs made before it cannot be promoted';

/** What stands in the way of reading a registry, in words; null for a fault that is not the file's. */
export function registryFault(path: string, error: unknown): InputError | null {
  if (!(error instanceof Error) || (error as { code?: string }).code !== 'ERR_SQLITE_ERROR') return null;
  const { errcode = 0 } = error as { errcode?: number };
  const what = error.message;
  switch (errcode & 0xff) {
    case 5:
    case 6:
      return new InputError(
        `the registry ${path} is in use: ${what}`,
        'try again when the other process is done',
      );
    case 8:
    case 14:
      return new InputError(
        `the registry ${path} cannot be opened: ${what}`,
        'check the path and its permissions',
      );
    case 13:
      return new InputError(`the registry ${path} cannot be written: ${what}`, 'free some space on its disk');
    default:
      return new InputError(`the registry ${path} is damaged: ${what}`, MEND);
  }
}

export const damagedRegistry = (path: string, what: string): InputError =>
  new InputError(`the registry ${path} is damaged: ${what}`, MEND);

/** Opens a registry and makes a new one where there is none. Throws {@link InputError} for a file that is no registry. */
export function openRegistryFile(path: string): DatabaseSync {
  let db: DatabaseSync | null = null;
  try {
    db = new DatabaseSync(path, { timeout: BUSY_MS });
    // a run takes longer than a sync; what a person was told of must not be forgotten by a power cut
    db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL');
    db.exec('BEGIN IMMEDIATE');
    prepare(db, path);
    db.exec('COMMIT');
    return db;
  } catch (error) {
    db?.close();
    throw registryFault(path, error) ?? error;
  }
}

function prepare(db: DatabaseSync, path: string): void {
  const pragma = (name: string) => (db.prepare(`PRAGMA ${name}`).get() as Record<string, number>)[name]!;
  const application = pragma('application_id');
  const version = pragma('user_version');
  if (application === APPLICATION) {
    if (version === REGISTRY_VERSION) return;
    throw new InputError(
      `the registry ${path} was made by another version of the program (${version}, this one knows ${REGISTRY_VERSION})`,
      'use that version, or name another file with --registry',
    );
  }
  const { tables } = db.prepare('SELECT count(*) AS tables FROM sqlite_master').get() as { tables: number };
  if (application !== 0 || tables > 0) {
    throw new InputError(
      `${path} is a database, but no registry of runs`,
      'name another file with --registry',
    );
  }
  db.exec(TABLES);
  db.exec(`PRAGMA application_id = ${APPLICATION}; PRAGMA user_version = ${REGISTRY_VERSION}`);
}
