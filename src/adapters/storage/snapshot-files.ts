import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { assert, sha256 } from '#base';
import type { JournalHead } from '#engine';
import { isSystemError, namesIn, replaceFile } from './durable-file.ts';
import { makeFolder } from './make-folder.ts';

/** A state, and the journal head it was taken at: folding the entries from `position` on continues it. */
export interface StoredSnapshot {
  /** Number of journal entries folded into the state. */
  readonly position: number;
  /** Journal hash at that position. */
  readonly hash: string;
  /** Hashes of the code and configuration that made it, or whatever the caller compares. */
  readonly made: string;
  readonly text: string;
}

export interface SnapshotSearch {
  readonly snapshot: StoredSnapshot | null;
  /** Files passed over on the way, newest first, each with the reason. */
  readonly skipped: readonly { readonly file: string; readonly why: string }[];
}

const NAME = /^snapshot-(\d{15})\.json$/;

/** Snapshots as files in one directory, the last `keep` of them. A file is whole or absent. */
export class SnapshotFiles {
  private readonly directory: string;
  private readonly keep: number;

  constructor(directory: string, keep = 3) {
    assert(keep >= 1, `keep ${keep} snapshots`);
    this.directory = directory;
    this.keep = keep;
    makeFolder(directory);
  }

  /** Stores a state taken at `head`, which must be durable already, then drops the oldest. Returns the path. */
  write(head: Pick<JournalHead, 'entries' | 'hash'>, made: string, text: string): string {
    const path = join(this.directory, nameOf(head.entries));
    const body = Buffer.from(text);
    const header = { version: 1, position: head.entries, hash: head.hash, made, bytes: body.length };
    const line = `${JSON.stringify(header)}\n`;
    const checksum = sha256(Buffer.concat([Buffer.from(line), body]));
    replaceFile(path, Buffer.from(`${checksum}\n${line}`), body);
    for (const name of this.names().slice(this.keep)) rmSync(join(this.directory, name), { force: true });
    return path;
  }

  /**
   * The newest whole snapshot that belongs to the journal: `hashAt` gives the journal's hash at a position, or null
   * when it does not reach there (see `headAt`). `accepts` may pass over snapshots of another version.
   */
  newest(
    hashAt: (position: number) => string | null,
    accepts: (made: string) => boolean = () => true,
  ): SnapshotSearch {
    const skipped: { file: string; why: string }[] = [];
    for (const file of this.names()) {
      const read = readSnapshot(join(this.directory, file), file);
      const why = typeof read === 'string' ? read : unfit(read, hashAt, accepts);
      if (why === null) return { snapshot: read as StoredSnapshot, skipped };
      skipped.push({ file, why });
    }
    return { snapshot: null, skipped };
  }

  /** File names, newest first. Half-written files have other names and are never seen. */
  private names(): string[] {
    return namesIn(this.directory)
      .filter((name) => NAME.test(name))
      .reverse();
  }
}

function nameOf(position: number): string {
  return `snapshot-${String(position).padStart(15, '0')}.json`;
}

function unfit(
  snapshot: StoredSnapshot,
  hashAt: (position: number) => string | null,
  accepts: (made: string) => boolean,
): string | null {
  const hash = hashAt(snapshot.position);
  if (hash === null) return `the journal has no block that ends at entry ${snapshot.position}`;
  if (hash !== snapshot.hash) return 'it belongs to another journal';
  return accepts(snapshot.made) ? null : 'it was made by another version';
}

/** A snapshot, or why the file is none. */
function readSnapshot(path: string, name: string): StoredSnapshot | string {
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'EACCES', 'EIO')) return (error as Error).message;
    throw error;
  }
  const checksum = bytes.toString('latin1', 0, 64);
  if (bytes[64] !== 0x0a || sha256(bytes.subarray(65)) !== checksum) return 'its checksum is wrong';
  const bodyAt = bytes.indexOf(0x0a, 65) + 1;
  const header = JSON.parse(bytes.toString('utf8', 65, bodyAt)) as {
    version: number;
    position: number;
    hash: string;
    made: string;
    bytes: number;
  };
  if (header.version !== 1) return `snapshot version ${header.version}, this program reads 1`;
  if (nameOf(header.position) !== name) return 'it was renamed';
  const { position, hash, made } = header;
  return { position, hash, made, text: bytes.toString('utf8', bodyAt) };
}
