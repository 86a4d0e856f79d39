import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  fsyncSync,
  openSync,
  readFileSync,
  rmSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { canonicalJson, InputError } from '#base';
import {
  BLOCK_TARGET_BYTES,
  blockEntries,
  EMPTY_HEAD,
  type EntryKind,
  JournalEncoder,
  type JournalFault,
  type JournalHead,
} from '#engine';
import { cutFile, isSystemError, syncDirectory, writeFully } from './durable-file.ts';
import { JournalDamage, StorageFailed } from './faults.ts';
import { HeadFile, readHeadFile } from './head-file.ts';
import { BlockReader, looseBlocks, openToRead } from './journal-reader.ts';
import { WriterLock } from './writer-lock.ts';

const MIB = 1024 * 1024;

export interface JournalFileOptions {
  /**
   * The copy of the head in `<path>.head`. `while-running` (default) removes it at a clean close, for directories
   * whose summary keeps the head; `keep` leaves it, for a data directory; `none` writes no copy.
   */
  readonly headFile?: 'while-running' | 'keep' | 'none';
  /** Holds `<path>.lock` while open. Default true. */
  readonly lock?: boolean;
  /** Body size at which a block is closed. Default 64 KiB. */
  readonly blockBytes?: number;
  /** Closed blocks are written when they reach this size, without waiting for a commit. Default 1 MiB. */
  readonly flushBytes?: number;
  /** Written bytes are synced when they reach this size; Infinity leaves it to durable commits. Default 1 MiB. */
  readonly syncBytes?: number;
  /** Opens a damaged journal by cutting it at the first fault, even if acknowledged entries are lost. Default false. */
  readonly acceptLoss?: boolean;
}

/** What `open` found and mended. All zero and null after a clean close. */
export interface JournalRecovery {
  /** Why bytes were cut off; null when none were. */
  readonly cut: JournalFault | null;
  readonly cutBytes: number;
  /** Entries taken over from the side file in their own place. */
  readonly merged: number;
  /** Entries of the side file whose predecessors never reached the disk: appended behind a note that says so. */
  readonly mergedOutOfPlace: number;
}

/**
 * The append-only journal of one writer. Everything is synchronous: when `commit({durable: true})` returns, the
 * entries survive a crash. After a failed write or sync the object refuses everything: what reached the disk is then
 * unknown until the next `open`.
 */
export class JournalFile {
  readonly path: string;
  readonly recovery: JournalRecovery;
  private readonly fd: number;
  private readonly lock: WriterLock | null;
  private readonly headFile: HeadFile | null;
  private readonly options: Required<JournalFileOptions>;
  private readonly encoder: JournalEncoder;
  private written: number;
  private unsynced = 0;
  private sideFd: number | null = null;
  private sideBytes = 0;
  /** How many of the encoder's closed bytes already stand in the side file. */
  private sideMark = 0;
  private state: 'open' | 'closed' | 'failed' = 'open';

  private constructor(
    path: string,
    fd: number,
    lock: WriterLock | null,
    options: Required<JournalFileOptions>,
  ) {
    this.path = path;
    this.fd = fd;
    this.lock = lock;
    this.options = options;
    const found = recover(path, fd, options.acceptLoss);
    this.written = found.head.bytes;
    this.encoder = new JournalEncoder(found.head, options.blockBytes);
    this.headFile = options.headFile === 'none' ? null : new HeadFile(`${path}.head`, found.head);
    this.recovery = this.mergeSide(found);
    this.headFile?.write(this.head);
    syncDirectory(dirname(path));
  }

  /** Begins a new journal. Throws {@link InputError} if one is there or another process writes. */
  static create(path: string, options: JournalFileOptions = {}): JournalFile {
    return openFile(
      path,
      options,
      constants.O_CREAT | constants.O_EXCL,
      (...parts) => new JournalFile(...parts),
    );
  }

  /**
   * Continues a journal: verifies the whole chain, cuts a torn tail, merges a side file left by a crash, and tells in
   * `recovery` what it did. Throws {@link JournalDamage} when anything acknowledged is damaged or missing.
   */
  static open(path: string, options: JournalFileOptions = {}): JournalFile {
    return openFile(path, options, 0, (...parts) => new JournalFile(...parts));
  }

  /** Opens the journal if it exists, else begins it. */
  static openOrCreate(path: string, options: JournalFileOptions = {}): JournalFile {
    return existsSync(path) ? JournalFile.open(path, options) : JournalFile.create(path, options);
  }

  /** Head after the last closed block. After a commit it covers everything appended. */
  get head(): JournalHead {
    return this.encoder.head();
  }

  /** Position the next entry will get. */
  get nextPosition(): number {
    return this.encoder.nextPosition();
  }

  /** Adds an entry and returns its position. Not durable before a durable commit. */
  append(kind: EntryKind, text: string): number {
    if (this.state !== 'open') this.refuse();
    const position = this.encoder.append(kind, text);
    if (this.encoder.closedBytes() >= this.options.flushBytes) this.flush(false);
    return position;
  }

  /**
   * Hands all entries so far to the operating system as one block (or more); with `durable` also to the disk, which
   * empties the side file. Tapes need no commit per entry: blocks are written and synced as they fill.
   */
  commit(options: { durable: boolean }): JournalHead {
    if (this.state !== 'open') this.refuse();
    this.encoder.seal();
    this.flush(options.durable);
    return this.head;
  }

  /**
   * Records a command that only reduces exposure before it leaves ahead of the journal's own write. The entry takes
   * its place in the journal; a copy, with every entry before it that is not yet written, goes to `<path>.side`,
   * from where `open` merges it after a crash. Returns its position.
   */
  urgent(text: string, options: { durable?: boolean; kind?: EntryKind } = {}): number {
    if (this.state !== 'open') this.refuse();
    const position = this.encoder.append(options.kind ?? 'command', text);
    this.encoder.seal();
    const bytes = this.encoder.closed().subarray(this.sideMark);
    this.guard(() => {
      const created = this.sideFd === null;
      this.sideFd ??= openSync(
        `${this.path}.side`,
        constants.O_RDWR | constants.O_CREAT | constants.O_TRUNC,
        0o644,
      );
      writeFully(this.sideFd, bytes, this.sideBytes);
      if (options.durable) {
        fsyncSync(this.sideFd);
        if (created) syncDirectory(dirname(this.path));
      }
    });
    this.sideBytes += bytes.length;
    this.sideMark += bytes.length;
    if (this.encoder.closedBytes() >= this.options.flushBytes) this.flush(false);
    return position;
  }

  /** Commits durably, removes side files and the lock. Only the journal remains (and its head copy, if kept). */
  close(): JournalHead {
    if (this.state === 'closed') return this.head;
    if (this.state === 'failed') this.refuse();
    this.commit({ durable: true });
    this.guard(() => {
      this.headFile?.close();
      if (this.sideFd !== null) closeSync(this.sideFd);
      rmSync(`${this.path}.side`, { force: true });
      if (this.options.headFile !== 'keep') rmSync(`${this.path}.head`, { force: true });
      closeSync(this.fd);
      this.lock?.release();
      syncDirectory(dirname(this.path));
    });
    this.state = 'closed';
    return this.head;
  }

  /** Gives up without writing what is pending, as a crash would; the next `open` mends. Also for a failed journal. */
  abandon(): void {
    if (this.state === 'closed') return;
    this.state = 'closed';
    this.headFile?.drop();
    if (this.sideFd !== null) closeSync(this.sideFd);
    closeSync(this.fd);
    this.lock?.release();
  }

  private flush(durable: boolean): void {
    const bytes = this.encoder.closed();
    if (bytes.length > 0) {
      this.guard(() => writeFully(this.fd, bytes, this.written));
      this.written += bytes.length;
      this.unsynced += bytes.length;
      this.encoder.taken();
      this.sideMark = 0;
    }
    const due = durable ? this.unsynced > 0 : this.unsynced >= this.options.syncBytes;
    if (due) this.guard(() => this.sync());
  }

  private sync(): void {
    fsyncSync(this.fd);
    this.unsynced = 0;
    this.headFile?.write(this.head);
    if (this.sideFd !== null && this.sideBytes > 0) {
      cutFile(this.sideFd, 0);
      this.sideBytes = 0;
    }
  }

  /** After one failed write or sync nothing more is promised: a later sync that succeeds proves nothing about it. */
  private guard(action: () => void): void {
    try {
      action();
    } catch (error) {
      this.state = 'failed';
      throw new StorageFailed(`the journal ${this.path} cannot be written: ${(error as Error).message}`, {
        cause: error,
      });
    }
  }

  private refuse(): never {
    throw new StorageFailed(`the journal ${this.path} is ${this.state}`);
  }

  /** Appends what a crash left in the side file, in its own place if the chain fits, else behind a note. */
  private mergeSide(found: Recovered): JournalRecovery {
    let merged = 0;
    const orphans: { kind: EntryKind; text: string; position: number }[] = [];
    for (const { before, block, bytes } of found.side) {
      if (before.hash === this.head.hash && before.entries === this.head.entries && orphans.length === 0) {
        for (const entry of blockEntries(bytes, block)) {
          this.encoder.append(entry.kind, entry.text);
          merged += 1;
        }
        this.encoder.seal();
      } else orphans.push(...blockEntries(bytes, block));
    }
    if (orphans.length > 0) {
      const positions = orphans.map((entry) => entry.position);
      this.encoder.append('note', canonicalJson({ note: 'side-entries-out-of-place', positions }));
      for (const { kind, text } of orphans) this.encoder.append(kind, text);
      this.encoder.seal();
    }
    this.flush(true);
    rmSync(`${this.path}.side`, { force: true });
    return { cut: found.cut, cutBytes: found.cutBytes, merged, mergedOutOfPlace: orphans.length };
  }
}

function openFile<T>(
  path: string,
  options: JournalFileOptions,
  flags: number,
  make: (path: string, fd: number, lock: WriterLock | null, options: Required<JournalFileOptions>) => T,
): T {
  const full: Required<JournalFileOptions> = {
    headFile: options.headFile ?? 'while-running',
    lock: options.lock ?? true,
    blockBytes: options.blockBytes ?? BLOCK_TARGET_BYTES,
    flushBytes: options.flushBytes ?? MIB,
    syncBytes: options.syncBytes ?? MIB,
    acceptLoss: options.acceptLoss ?? false,
  };
  const lock = full.lock ? WriterLock.acquire(`${path}.lock`) : null;
  let fd: number | null = null;
  try {
    if (flags !== 0) refuseRemains(path);
    fd = openJournal(path, flags);
    return make(path, fd, lock, full);
  } catch (error) {
    if (fd !== null) closeSync(fd);
    lock?.release();
    throw error;
  }
}

function openJournal(path: string, flags: number): number {
  try {
    return openSync(path, constants.O_RDWR | flags, 0o644);
  } catch (error) {
    const message = `cannot open the journal ${path}: ${(error as Error).message}`;
    if (isSystemError(error, 'EEXIST'))
      throw new InputError(message, 'choose another directory or remove the old run');
    if (isSystemError(error, 'ENOENT', 'EACCES', 'EISDIR', 'EROFS')) {
      throw new InputError(message, 'check the path and its permissions');
    }
    throw error;
  }
}

/** A new journal must not begin beside the remains of a lost one: its commands may have reached a venue. */
function refuseRemains(path: string): void {
  if (existsSync(path)) return;
  for (const remains of [`${path}.side`, `${path}.head`]) {
    if (!existsSync(remains)) continue;
    throw new InputError(
      `${remains} is left from a journal that is gone`,
      'restore that journal from a backup, or delete the file if it is not needed',
    );
  }
}

interface Recovered {
  readonly head: JournalHead;
  readonly cut: JournalFault | null;
  readonly cutBytes: number;
  /** Blocks of the side file that the journal does not hold yet. */
  readonly side: ReturnType<typeof looseBlocks>;
}

/** Verifies the open journal against its own chain and the head copy, cuts what nobody was promised, reads the side file. */
function recover(path: string, fd: number, acceptLoss: boolean): Recovered {
  const promised = readHeadFile(`${path}.head`) ?? EMPTY_HEAD;
  let side = readSide(`${path}.side`);
  const reader = new BlockReader(fd);
  let keptPromise = promised.entries === 0;
  let fault: JournalFault | null = null;
  for (;;) {
    const result = reader.next();
    if (result.is === 'fault') fault = result.fault;
    if (result.is !== 'block') break;
    const { hash } = reader.head;
    if (hash === promised.hash) keptPromise = true;
    if (side.length > 0) side = side.filter((loose) => loose.block.head.hash !== hash);
  }
  const { head } = reader;
  if (!keptPromise && !acceptLoss) {
    const what = `${promised.entries} entries were acknowledged (${path}.head) and are not all there`;
    const missing: JournalFault = {
      reason: 'damaged',
      what,
      offset: head.bytes,
      block: head.blocks,
      entry: head.entries,
    };
    throw new JournalDamage(path, fault?.reason === 'damaged' ? fault : missing);
  }
  // Behind a promised head even a damaged block was never acknowledged. Without a head copy damage stays damage.
  const mayCut = fault === null || fault.reason === 'torn-tail' || promised.entries > 0 || acceptLoss;
  if (fault !== null && !mayCut) throw new JournalDamage(path, fault);
  const cutBytes = fstatSync(fd).size - head.bytes;
  if (cutBytes > 0) cutFile(fd, head.bytes);
  return { head, cut: fault, cutBytes, side };
}

function readSide(path: string): ReturnType<typeof looseBlocks> {
  if (!existsSync(path)) return [];
  const fd = openToRead(path);
  try {
    return looseBlocks(readFileSync(fd));
  } finally {
    closeSync(fd);
  }
}
