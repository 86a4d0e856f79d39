import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { InputError } from '#base';
import {
  BLOCK_HEADER_BYTES,
  type BlockResult,
  blockEntries,
  claimedPredecessor,
  EMPTY_HEAD,
  type JournalBlock,
  type JournalEntry,
  type JournalFault,
  type JournalHead,
  readBlock,
  readBlockHeader,
} from '#engine';
import { isSystemError } from './durable-file.ts';
import { JournalDamage } from './faults.ts';

const WINDOW_BYTES = 4 * 1024 * 1024;

/** Opens a file for reading; a missing one is a mendable error. */
export function openToRead(path: string): number {
  try {
    return openSync(path, 'r');
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'EISDIR', 'EACCES')) {
      throw new InputError(
        `cannot read ${path}: ${(error as Error).message}`,
        'check the path and its permissions',
      );
    }
    throw error;
  }
}

/** Reads verified blocks of an open journal through one window, so a journal of any length needs little memory. */
export class BlockReader {
  /** Head after the last block given out. */
  head: JournalHead;
  /** Length of the file when reading began; what is appended later is not seen. */
  readonly size: number;
  window = Buffer.alloc(0);
  private readonly fd: number;
  private store = Buffer.allocUnsafe(WINDOW_BYTES);
  private at = 0;

  constructor(fd: number, after: JournalHead = EMPTY_HEAD) {
    this.fd = fd;
    this.head = after;
    this.size = fstatSync(fd).size;
  }

  /** The next block, whose offsets are into `window`; a fault; or the end. */
  next(): Exclude<BlockResult, { is: 'more' }> {
    if (this.head.bytes > this.size) {
      const what = `the file ends at byte ${this.size}, before the place to read from`;
      const { blocks: block, entries: entry } = this.head;
      return { is: 'fault', fault: { reason: 'damaged', what, offset: this.size, block, entry } };
    }
    for (;;) {
      const atEnd = this.head.bytes + this.window.length - this.at >= this.size;
      const result = readBlock(this.window, this.at, this.head, atEnd);
      if (result.is === 'more') {
        this.fill(result.wanted);
        continue;
      }
      if (result.is === 'block') {
        this.at = result.block.end;
        this.head = result.block.head;
      }
      return result;
    }
  }

  private fill(wanted: number): void {
    const kept = this.window.length - this.at;
    const room = Math.max(wanted, WINDOW_BYTES);
    if (room > this.store.length) {
      const larger = Buffer.allocUnsafe(room);
      this.window.copy(larger, 0, this.at);
      this.store = larger;
    } else {
      this.store.copyWithin(0, this.at, this.window.length);
    }
    let filled = kept;
    const limit = Math.min(room, this.size - this.head.bytes);
    while (filled < limit) {
      const got = readSync(this.fd, this.store, filled, limit - filled, this.head.bytes + filled);
      if (got === 0)
        throw new InputError('the journal shrank while it was read', 'stop what else writes to it');
      filled += got;
    }
    this.window = this.store.subarray(0, filled);
    this.at = 0;
  }
}

export interface ReadOptions {
  /** Continue behind this head instead of at the beginning. */
  readonly after?: JournalHead;
  /** First position to give out; blocks before it are verified all the same. */
  readonly from?: number;
  /** `ignore` (default) ends before an incomplete last block, as a reader beside a running writer must. */
  readonly tornTail?: 'ignore' | 'refuse';
  /** Called once a block with the bytes verified so far and the size of the file. */
  readonly onProgress?: (bytes: number, ofBytes: number) => void;
}

/**
 * The entries of a journal in order, each given out only after its block's hash and the chain before it hold.
 * Returns the head reached. Throws {@link JournalDamage} at the first fault.
 */
export function* readJournal(
  path: string,
  options: ReadOptions = {},
): Generator<JournalEntry, JournalHead, void> {
  const fd = openToRead(path);
  try {
    const reader = new BlockReader(fd, options.after);
    const from = options.from ?? 0;
    for (;;) {
      const result = reader.next();
      if (result.is === 'end') return reader.head;
      if (result.is === 'fault') {
        if (result.fault.reason === 'torn-tail' && options.tornTail !== 'refuse') return reader.head;
        throw new JournalDamage(path, result.fault);
      }
      const { block } = result;
      if (block.head.entries > from) yield* blockEntries(reader.window, block, from);
      options.onProgress?.(reader.head.bytes, reader.size);
    }
  } finally {
    closeSync(fd);
  }
}

/** What is known of a journal from elsewhere: `summary.json`, a head file, a backup's manifest. */
export interface ExpectedHead {
  readonly hash: string;
  readonly entries?: number;
  readonly bytes?: number;
}

export interface Verification {
  readonly ok: boolean;
  /** Head after the last good block. */
  readonly head: JournalHead;
  readonly fault: JournalFault | null;
  /**
   * How the journal stands to the expected head. `longer`: it passes through that head and goes on. `shorter`: it
   * ends before it (its tail was cut off, which a hash chain alone cannot see) or, given only a hash, never reaches it.
   */
  readonly against: 'nothing' | 'equal' | 'longer' | 'shorter' | 'different';
  /** One sentence for a person. */
  readonly what: string;
}

/**
 * Checks every byte of a journal and, if given, that it ends exactly at the expected head. Never throws on damage.
 */
export function verifyJournal(
  path: string,
  expected?: ExpectedHead,
  onProgress?: (bytes: number, ofBytes: number) => void,
): Verification {
  const fd = openToRead(path);
  try {
    const reader = new BlockReader(fd);
    let passed = expected !== undefined && agrees(reader.head, expected);
    let fault: JournalFault | null = null;
    for (;;) {
      const result = reader.next();
      if (result.is === 'fault') fault = result.fault;
      if (result.is !== 'block') break;
      if (expected !== undefined) passed ||= agrees(reader.head, expected);
      onProgress?.(reader.head.bytes, reader.size);
    }
    return judge(reader.head, fault, expected, passed);
  } finally {
    closeSync(fd);
  }
}

function agrees(head: JournalHead, expected: ExpectedHead): boolean {
  return (
    head.hash === expected.hash &&
    (expected.entries ?? head.entries) === head.entries &&
    (expected.bytes ?? head.bytes) === head.bytes
  );
}

function judge(
  head: JournalHead,
  fault: JournalFault | null,
  expected: ExpectedHead | undefined,
  passed: boolean,
): Verification {
  const against = relation(head, expected, passed);
  const ok = fault === null && (against === 'nothing' || against === 'equal');
  const what =
    fault !== null
      ? `${fault.reason} at byte ${fault.offset} (block ${fault.block}, entry ${fault.entry}): ${fault.what}`
      : against === 'shorter'
        ? `ends at entry ${head.entries} (${head.hash.slice(0, 12)}) without reaching the expected head ${expected!.hash.slice(0, 12)}`
        : against === 'longer'
          ? `goes on behind the expected head, to entry ${head.entries}`
          : against === 'different'
            ? 'is another journal than the expected head belongs to'
            : `${head.entries} entries in ${head.blocks} blocks, ${head.bytes} bytes, all intact`;
  return { ok, head, fault, against, what };
}

function relation(
  head: JournalHead,
  expected: ExpectedHead | undefined,
  passed: boolean,
): Verification['against'] {
  if (expected === undefined) return 'nothing';
  if (agrees(head, expected)) return 'equal';
  if (passed) return 'longer';
  return (expected.entries ?? Infinity) > head.entries ? 'shorter' : 'different';
}

/**
 * The head after exactly `entries` entries, found by hopping over block headers without verifying bodies; null when
 * no block ends there. Tells whether a snapshot taken at that position belongs to this journal.
 */
export function headAt(path: string, entries: number): JournalHead | null {
  if (entries === 0) return EMPTY_HEAD;
  const fd = openToRead(path);
  try {
    const size = fstatSync(fd).size;
    const header = Buffer.alloc(BLOCK_HEADER_BYTES);
    let bytes = 0;
    for (let blocks = 1; ; blocks++) {
      if (readSync(fd, header, 0, header.length, bytes) < header.length) return null;
      const block = readBlockHeader(header);
      if (block === null || bytes + block.bytes > size) return null;
      bytes += block.bytes;
      const reached = block.firstEntry + block.count;
      if (reached > entries) return null;
      if (reached === entries) {
        const hash = Buffer.alloc(32);
        readSync(fd, hash, 0, 32, bytes - 32);
        return { entries, hash: hash.toString('hex'), bytes, blocks };
      }
    }
  } finally {
    closeSync(fd);
  }
}

/** A whole block found without the chain before it. */
export interface LooseBlock {
  /** The head it claims to continue; only entries and hash are known. */
  readonly before: JournalHead;
  readonly block: JournalBlock;
  readonly bytes: Buffer;
}

/** The whole blocks at the beginning of a piece of a journal, each checked by its own hash. */
export function looseBlocks(bytes: Buffer): LooseBlock[] {
  const found: LooseBlock[] = [];
  for (let at = 0; at < bytes.length; ) {
    const before = claimedPredecessor(bytes, at);
    const result = before === null ? null : readBlock(bytes, at, before, true);
    if (before === null || result?.is !== 'block') break;
    found.push({ before, block: { ...result.block }, bytes });
    at = result.block.end;
  }
  return found;
}
