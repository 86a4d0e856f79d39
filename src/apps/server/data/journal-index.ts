import { type FileHandle, open } from 'node:fs/promises';
import {
  BLOCK_HASH_BYTES,
  BLOCK_HEADER_BYTES,
  blockEntries,
  claimedPredecessor,
  type JournalEntry,
  readBlock,
  readBlockHeader,
} from '#engine';

/** Every so many blocks one is remembered. */
const STRIDE = 32;
/** Headers of small blocks lie close together and are read in pieces of this size; behind a larger block one by one. */
const WINDOW_BYTES = 1 << 20;
const SMALL_BYTES = 8 * 1024;

/** How long a journal is. */
export interface JournalLength {
  readonly entries: number;
  readonly bytes: number;
  /** SHA-256 of its last whole block, 64 zeros before the first. */
  readonly hash: string;
}

/** A damaged place in a journal, found while looking something up. */
export class JournalUnreadable extends Error {
  override name = 'JournalUnreadable';
}

interface Known {
  /** Which file this is about: a fresh start begins another one under the same name. */
  readonly file: string;
  /** First entry and byte offset of every {@link STRIDE}th block. */
  readonly entries: number[];
  readonly offsets: number[];
  blocks: number;
  /** Behind the last whole block seen. */
  end: { entries: number; bytes: number };
}

/**
 * Finds entries of a journal by their position while it is being written, without reading all of it: headers say how long each
 * block is, and some of them are remembered. Blocks that are given out are checked against their own hash, not against the chain.
 */
export class JournalIndex {
  private readonly path: string;
  private known: Known | null = null;
  private turn: Promise<unknown> = Promise.resolve();

  constructor(path: string) {
    this.path = path;
  }

  /** Whole blocks only; what is being written counts when it is whole. Null where there is no journal. */
  length(): Promise<JournalLength | null> {
    return this.opened(async (fd, known) => {
      const { entries, bytes } = known.end;
      if (entries === 0) return { entries, bytes, hash: '0'.repeat(64) };
      const hash = Buffer.alloc(BLOCK_HASH_BYTES);
      await fd.read(hash, 0, hash.length, bytes - hash.length);
      return { entries, bytes, hash: hash.toString('hex') };
    });
  }

  /**
   * Entries before position `before` (null: from the end), newest first, block by block, until `see` says that it is enough.
   * False where there is no journal. Throws {@link JournalUnreadable} at a block that fails its hash.
   */
  async backwards(
    before: number | null,
    see: (entries: readonly JournalEntry[]) => boolean,
  ): Promise<boolean> {
    const done = await this.opened(async (fd, known) => {
      let limit = Math.min(before ?? Infinity, known.end.entries);
      while (limit > 0) {
        const entries = await this.stretchBefore(fd, known, limit);
        if (entries.length === 0) break;
        limit = entries[0]!.position;
        if (!see(entries.toReversed())) break;
      }
      return true;
    });
    return done ?? false;
  }

  /** The entries before a position back to the last remembered block before it, in order. */
  private async stretchBefore(fd: FileHandle, known: Known, limit: number): Promise<JournalEntry[]> {
    const at = lastBelow(known.entries, limit);
    const from = known.offsets[at]!;
    const to = known.offsets[at + 1] ?? known.end.bytes;
    const bytes = Buffer.allocUnsafe(to - from);
    let filled = 0;
    while (filled < bytes.length) {
      const { bytesRead } = await fd.read(bytes, filled, bytes.length - filled, from + filled);
      if (bytesRead === 0) throw new JournalUnreadable(`the journal ends at byte ${from + filled}`);
      filled += bytesRead;
    }
    const entries: JournalEntry[] = [];
    for (let place = 0; place < bytes.length; ) {
      const claimed = claimedPredecessor(bytes, place);
      const result = claimed === null ? null : readBlock(bytes, place, claimed, true);
      if (result?.is !== 'block')
        throw new JournalUnreadable(`the journal is damaged at byte ${from + place}`);
      const { block } = result;
      if (block.firstEntry >= limit) break;
      for (const entry of blockEntries(bytes, block)) if (entry.position < limit) entries.push(entry);
      place = block.end;
    }
    return entries;
  }

  /** One at a time: what is known grows while it is read. */
  private opened<T>(work: (fd: FileHandle, known: Known) => Promise<T>): Promise<T | null> {
    const turn = this.turn.then(async () => {
      let fd: FileHandle;
      try {
        fd = await open(this.path, 'r');
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
        throw error;
      }
      try {
        return await work(fd, await this.grown(fd));
      } finally {
        await fd.close();
      }
    });
    this.turn = turn.catch(() => undefined);
    return turn;
  }

  /** Reads the headers of blocks that came since the last look. */
  private async grown(fd: FileHandle): Promise<Known> {
    const { ino, birthtimeMs, size } = await fd.stat();
    const file = `${ino}:${birthtimeMs}`;
    if (this.known === null || this.known.file !== file || size < this.known.end.bytes)
      this.known = { file, entries: [], offsets: [], blocks: 0, end: { entries: 0, bytes: 0 } };
    const { known } = this;
    const window = Buffer.allocUnsafe(
      Math.min(WINDOW_BYTES, Math.max(BLOCK_HEADER_BYTES, size - known.end.bytes)),
    );
    let [start, filled, before] = [0, 0, 0];
    for (;;) {
      const at = known.end.bytes;
      if (at + BLOCK_HEADER_BYTES > size) return known;
      if (at < start || at + BLOCK_HEADER_BYTES > start + filled) {
        start = at;
        const wanted = before > SMALL_BYTES ? BLOCK_HEADER_BYTES : window.length;
        filled = (await fd.read(window, 0, wanted, at)).bytesRead;
        if (filled < BLOCK_HEADER_BYTES) return known;
      }
      const header = readBlockHeader(window.subarray(at - start, at - start + BLOCK_HEADER_BYTES));
      // half a block, or damage: what lies behind it is not to be had
      if (header === null || header.firstEntry !== known.end.entries || at + header.bytes > size)
        return known;
      if (known.blocks % STRIDE === 0) {
        known.entries.push(header.firstEntry);
        known.offsets.push(at);
      }
      known.blocks += 1;
      before = header.bytes;
      known.end = { entries: header.firstEntry + header.count, bytes: at + header.bytes };
    }
  }
}

/** Place of the last number below a limit; the numbers rise and the first is below. */
function lastBelow(numbers: readonly number[], limit: number): number {
  let [low, high] = [0, numbers.length - 1];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (numbers[middle]! < limit) low = middle;
    else high = middle - 1;
  }
  return low;
}
