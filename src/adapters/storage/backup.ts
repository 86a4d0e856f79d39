import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream, lstatSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createGzip } from 'node:zlib';
import { InputError } from '#base';
import { namesIn, syncDirectory } from './durable-file.ts';
import { verifyJournal } from './journal-reader.ts';
import { makeFolder } from './make-folder.ts';
import { lockHolder } from './writer-lock.ts';

/**
 * A backup is gzip over: a line `{"format":"quorum-backup","version":1}`, then for each file a line
 * `{"path","bytes"}`, its bytes, and a line `{"sha256"}`; last a line `{"files","bytes","end":true}`. Paths are
 * relative, with `/`, sorted. Times and owners are not kept, so equal directories give equal archives.
 */
const FORMAT = 'quorum-backup';
const LINE_MAX = 64 * 1024;

export interface BackupReport {
  readonly files: number;
  /** Sum of the file lengths. */
  readonly bytes: number;
  /** Journals among the files, with the head each ends in. */
  readonly journals: readonly { readonly path: string; readonly entries: number; readonly hash: string }[];
}

export interface BackupOptions {
  /** Whether a file, by its relative path, is a journal. Default: its name is `journal`. */
  readonly isJournal?: (path: string) => boolean;
}

/**
 * Writes everything below `dataDir` into one file, also while a writer runs: a journal is taken up to its last whole
 * block, a SQLite database as a consistent copy. Locks, side copies and temporaries are left out.
 * Throws {@link InputError} when a journal is damaged: a backup of damage would hide it.
 */
export async function backup(
  dataDir: string,
  file: string,
  options: BackupOptions = {},
): Promise<BackupReport> {
  const isJournal = options.isJournal ?? ((path: string) => basename(path) === 'journal');
  const target = resolve(file);
  const paths = listFiles(dataDir).filter((path) => resolve(dataDir, path) !== target && !isTemporary(path));
  const report = { files: 0, bytes: 0, journals: [] as { path: string; entries: number; hash: string }[] };
  const temporary = `${target}.${process.pid}.tmp`;
  makeFolder(dirname(target));
  try {
    const parts = archive(dataDir, paths, isJournal, report);
    await pipeline(
      Readable.from(parts),
      createGzip({ level: 6 }),
      createWriteStream(temporary, { flags: 'wx', flush: true }),
    );
    renameSync(temporary, target);
    syncDirectory(dirname(target));
  } finally {
    rmSync(temporary, { force: true });
  }
  return report;
}

async function* archive(
  dataDir: string,
  paths: readonly string[],
  isJournal: (path: string) => boolean,
  report: { files: number; bytes: number; journals: { path: string; entries: number; hash: string }[] },
): AsyncGenerator<Buffer> {
  yield line({ format: FORMAT, version: 1 });
  for (const path of paths) {
    const source = join(dataDir, path);
    if (isDatabase(path)) {
      const copy = copyDatabase(source);
      try {
        yield* archiveFile(copy, path, lstatSync(copy).size, report);
      } finally {
        rmSync(copy, { force: true });
      }
      continue;
    }
    let bytes = lstatSync(source).size;
    if (isJournal(path)) {
      const { head, fault } = verifyJournal(source);
      if (fault?.reason === 'damaged') {
        throw new InputError(
          `${source} is damaged at byte ${fault.offset}: ${fault.what}`,
          'restore it from an older backup',
        );
      }
      bytes = head.bytes;
      report.journals.push({ path, entries: head.entries, hash: head.hash });
    }
    yield* archiveFile(source, path, bytes, report);
  }
  yield line({ files: report.files, bytes: report.bytes, end: true });
}

async function* archiveFile(
  source: string,
  path: string,
  bytes: number,
  report: { files: number; bytes: number },
): AsyncGenerator<Buffer> {
  yield line({ path, bytes });
  const digest = createHash('sha256');
  let read = 0;
  if (bytes > 0) {
    for await (const chunk of createReadStream(source, {
      start: 0,
      end: bytes - 1,
    }) as AsyncIterable<Buffer>) {
      digest.update(chunk);
      read += chunk.length;
      yield chunk;
    }
  }
  if (read !== bytes)
    throw new InputError(
      `${source} became shorter while it was copied`,
      'stop what writes to it and try again',
    );
  yield line({ sha256: digest.digest('hex') });
  report.files += 1;
  report.bytes += bytes;
}

export interface RestoreOptions extends BackupOptions {
  /** Replaces a directory that is not empty. Default false. */
  readonly force?: boolean;
}

/**
 * Puts a backup's files into `dataDir`. Everything is unpacked aside, checked (length and hash of every file, chain of
 * every journal) and only then given its name, so a failed restore changes nothing.
 */
export async function restore(
  file: string,
  dataDir: string,
  options: RestoreOptions = {},
): Promise<BackupReport> {
  const isJournal = options.isJournal ?? ((path: string) => basename(path) === 'journal');
  const target = resolve(dataDir);
  refuseOverwrite(target, options.force ?? false);
  const aside = `${target}.restoring-${process.pid}`;
  const replaced = `${target}.replaced-${process.pid}`;
  makeFolder(aside);
  try {
    const report = await unpack(file, aside, isJournal);
    const occupied = namesIn(target).length > 0;
    if (occupied) renameSync(target, replaced);
    else rmSync(target, { recursive: true, force: true });
    renameSync(aside, target);
    syncDirectory(dirname(target));
    rmSync(replaced, { recursive: true, force: true });
    return report;
  } finally {
    rmSync(aside, { recursive: true, force: true });
  }
}

function refuseOverwrite(target: string, force: boolean): void {
  if (namesIn(target).length === 0) return;
  if (!force)
    throw new InputError(
      `${target} is not empty`,
      'restore into an empty directory, or replace it with --force',
    );
  for (const path of listFiles(target)) {
    const pid = path.endsWith('.lock') ? lockHolder(join(target, path)) : null;
    if (pid !== null) throw new InputError(`process ${pid} is writing in ${target}`, 'stop it first');
  }
}

async function unpack(
  file: string,
  into: string,
  isJournal: (path: string) => boolean,
): Promise<BackupReport> {
  const reader = new ArchiveReader(file);
  const report = { files: 0, bytes: 0, journals: [] as { path: string; entries: number; hash: string }[] };
  const first = await reader.line();
  if (first.format !== FORMAT) throw broken(file, 'it is no backup of this program');
  if (first.version !== 1)
    throw broken(file, `backup version ${String(first.version)}, this program reads 1`);
  for (;;) {
    const entry = await reader.line();
    if (entry.end === true) {
      if (entry.files !== report.files || entry.bytes !== report.bytes)
        throw broken(file, 'its file count is wrong');
      return report;
    }
    const { path, bytes } = entry;
    if (typeof path !== 'string' || !isInside(path) || typeof bytes !== 'number' || !(bytes >= 0)) {
      throw broken(file, `bad file entry ${JSON.stringify(entry)}`);
    }
    const target = join(into, ...path.split('/'));
    makeFolder(dirname(target));
    const actual = await writeOut(target, reader.body(bytes));
    const { sha256 } = await reader.line();
    if (sha256 !== actual) throw broken(file, `${path} fails its hash`);
    if (isJournal(path)) {
      const { ok, what, head } = verifyJournal(target);
      if (!ok) throw broken(file, `the journal ${path}: ${what}`);
      report.journals.push({ path, entries: head.entries, hash: head.hash });
    }
    report.files += 1;
    report.bytes += bytes;
  }
}

async function writeOut(path: string, body: AsyncIterable<Buffer>): Promise<string> {
  const digest = createHash('sha256');
  const out = await open(path, 'wx', 0o644);
  try {
    for await (const chunk of body) {
      digest.update(chunk);
      await out.writeFile(chunk);
    }
    await out.sync();
  } finally {
    await out.close();
  }
  return digest.digest('hex');
}

/** Reads lines and bodies of known length from a compressed archive. */
class ArchiveReader {
  private readonly file: string;
  private readonly chunks: AsyncIterator<Buffer>;
  private rest: Buffer = Buffer.alloc(0);

  constructor(file: string) {
    this.file = file;
    const source = createReadStream(file);
    const unzipped = createGunzip();
    source.on('error', (error) => unzipped.destroy(error));
    this.chunks = (source.pipe(unzipped) as AsyncIterable<Buffer>)[Symbol.asyncIterator]();
  }

  async line(): Promise<Record<string, unknown>> {
    let at = this.rest.indexOf(0x0a);
    while (at < 0) {
      if (this.rest.length > LINE_MAX) throw broken(this.file, 'a line is too long');
      this.rest = Buffer.concat([this.rest, await this.more()]);
      at = this.rest.indexOf(0x0a);
    }
    const text = this.rest.toString('utf8', 0, at);
    this.rest = this.rest.subarray(at + 1);
    try {
      return JSON.parse(text) as Record<string, unknown>;
    } catch {
      throw broken(this.file, 'a line is not JSON');
    }
  }

  async *body(bytes: number): AsyncGenerator<Buffer> {
    for (let left = bytes; left > 0; ) {
      if (this.rest.length === 0) this.rest = await this.more();
      const part = this.rest.subarray(0, left);
      this.rest = this.rest.subarray(part.length);
      left -= part.length;
      yield part;
    }
  }

  private async more(): Promise<Buffer> {
    let result: IteratorResult<Buffer>;
    try {
      result = await this.chunks.next();
    } catch (error) {
      throw broken(this.file, (error as Error).message);
    }
    if (result.done) throw broken(this.file, 'it is cut off');
    return result.value;
  }
}

function broken(file: string, what: string): InputError {
  return new InputError(`${file} cannot be restored: ${what}`, 'use another backup');
}

function line(value: unknown): Buffer {
  return Buffer.from(`${JSON.stringify(value)}\n`);
}

/** Relative paths of all plain files below a directory, with `/`, sorted; links are not followed. */
function listFiles(directory: string): string[] {
  if (namesIn(directory).length === 0) return [];
  const found: string[] = [];
  const visit = (prefix: string): void => {
    for (const entry of readdirSync(join(directory, prefix), { withFileTypes: true })) {
      if (entry.isDirectory()) visit(`${prefix}${entry.name}/`);
      else if (entry.isFile()) found.push(prefix + entry.name);
    }
  };
  visit('');
  return found.sort();
}

function isTemporary(path: string): boolean {
  return (
    /\.(tmp|lock|lock\.takeover|sqlite-wal|sqlite-shm|sqlite-journal)$/.test(path) ||
    /(^|\/)journal\.head$/.test(path)
  );
}

function isDatabase(path: string): boolean {
  return path.endsWith('.sqlite');
}

/** A consistent copy of a database that may be in use, beside it. */
function copyDatabase(source: string): string {
  const copy = `${source}.${process.pid}.tmp`;
  rmSync(copy, { force: true });
  const database = new DatabaseSync(source);
  try {
    database.exec(`VACUUM INTO '${copy.replaceAll("'", "''")}'`);
  } finally {
    database.close();
  }
  return copy;
}

function isInside(path: string): boolean {
  const parts = path.split('/');
  return parts.every((part) => part !== '' && part !== '.' && part !== '..' && !/[\\:\0]/.test(part));
}
