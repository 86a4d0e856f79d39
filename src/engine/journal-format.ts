import { hash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { broken } from '#base';

/**
 * The journal's bytes. Pure: this file encodes and decodes, storage does the reading and writing.
 *
 *     journal = block*
 *     block   = 'QJNL' | version u32 | first entry u64 | entry count u32 | body length u32 | previous hash 32
 *             | CRC-32 of the 56 bytes so far u32 | body | SHA-256 over everything before it in this block 32
 *     body    = entry*
 *     entry   = CRC-32 of what follows u32 | kind u8 | payload length u32 | payload (UTF-8)
 *
 * Numbers are little-endian. The hash covers the header, which holds the previous block's hash, so every byte of
 * the file is under the chain. The header has a checksum of its own because its length field decides whether a last
 * block counts as incomplete (may be cut) or as damaged (may not).
 */
export const JOURNAL_VERSION = 1;

export const ENTRY_KINDS = ['header', 'event', 'command', 'tape-range', 'snapshot-mark', 'note'] as const;
export type EntryKind = (typeof ENTRY_KINDS)[number];

export interface JournalEntry {
  /** Number of entries before this one. */
  readonly position: number;
  readonly kind: EntryKind;
  readonly text: string;
}

/** The end of a chain of whole blocks. Two journals with one hash are the same byte for byte. */
export interface JournalHead {
  readonly entries: number;
  /** SHA-256 of the last block in lower-case hex; 64 zeros before the first. */
  readonly hash: string;
  readonly bytes: number;
  readonly blocks: number;
}

export const EMPTY_HEAD: JournalHead = { entries: 0, hash: '0'.repeat(64), bytes: 0, blocks: 0 };

export interface JournalFault {
  /** A torn tail is an incomplete last block that nobody was promised; anything else is damage. */
  readonly reason: 'torn-tail' | 'damaged';
  readonly what: string;
  /** Byte offset in the journal of the faulty block, header field or entry. */
  readonly offset: number;
  /** Number of whole blocks before the fault. */
  readonly block: number;
  /** Position of the first entry that cannot be trusted. */
  readonly entry: number;
}

export const MAX_BLOCK_ENTRIES = 4096;
/** A block is closed once its body has this many bytes. */
export const BLOCK_TARGET_BYTES = 64 * 1024;
export const MAX_ENTRY_BYTES = 16 * 1024 * 1024;
const MAX_BODY_BYTES = BLOCK_TARGET_BYTES * 16 + MAX_ENTRY_BYTES + 64;

const MAGIC = 0x4c4e4a51; // 'QJNL'
export const BLOCK_HEADER_BYTES = 60;
export const BLOCK_HASH_BYTES = 32;
const PREVIOUS_AT = 24;
const HEADER_CRC_AT = 56;
const ENTRY_HEADER_BYTES = 9;
/** So many zero bytes at the end of a file are a write that never arrived, not a hash. */
const ZERO_TAIL_BYTES = 8;

const CODES: Readonly<Record<EntryKind, number>> = {
  header: 1,
  event: 2,
  command: 3,
  'tape-range': 4,
  'snapshot-mark': 5,
  note: 6,
};

/** Collects entries into blocks inside one growing buffer; whoever writes takes the closed blocks from it. */
export class JournalEncoder {
  private buffer: Buffer;
  private readonly blockBytes: number;
  private readonly previous: Buffer;
  private entries: number;
  private bytes: number;
  private blocks: number;
  /** Start of the open block in the buffer: closed, untaken blocks lie before it. */
  private start = 0;
  private cursor = BLOCK_HEADER_BYTES;
  private count = 0;

  /** Continues the chain that ends in `head`. `blockBytes`: body size at which a block is closed. */
  constructor(head: JournalHead = EMPTY_HEAD, blockBytes = BLOCK_TARGET_BYTES) {
    if (!(blockBytes > 0 && blockBytes <= BLOCK_TARGET_BYTES * 16)) broken(`block size ${blockBytes}`);
    this.blockBytes = blockBytes;
    this.buffer = Buffer.allocUnsafe(4 * BLOCK_TARGET_BYTES);
    this.previous = Buffer.from(head.hash, 'hex');
    if (!(this.previous.length === BLOCK_HASH_BYTES)) broken(`bad journal hash ${head.hash}`);
    this.entries = head.entries;
    this.bytes = head.bytes;
    this.blocks = head.blocks;
  }

  /** Adds one entry and returns its position. */
  append(kind: EntryKind, text: string): number {
    const at = this.cursor;
    const payload = at + ENTRY_HEADER_BYTES;
    // A UTF-16 unit needs at most three bytes of UTF-8; the block's hash must fit behind it.
    const wanted = payload + text.length * 3 + BLOCK_HASH_BYTES + BLOCK_HEADER_BYTES;
    if (wanted > this.buffer.length) this.grow(wanted);
    const buffer = this.buffer;
    const length = buffer.write(text, payload);
    if (!(length <= MAX_ENTRY_BYTES)) broken(`a journal entry of ${length} bytes`);
    const end = payload + length;
    buffer[at + 4] = CODES[kind];
    putU32(buffer, at + 5, length);
    putU32(buffer, at, checksum(buffer, at + 4, end));
    this.cursor = end;
    this.count += 1;
    if (this.count === MAX_BLOCK_ENTRIES || end - this.start - BLOCK_HEADER_BYTES >= this.blockBytes)
      this.seal();
    return this.entries + this.count - 1;
  }

  /** Closes the open block. What is closed together should become durable together. */
  seal(): void {
    if (this.count === 0) return;
    const { buffer, start, cursor } = this;
    putU32(buffer, start, MAGIC);
    putU32(buffer, start + 4, JOURNAL_VERSION);
    putU32(buffer, start + 8, this.entries % 0x1_0000_0000);
    putU32(buffer, start + 12, Math.floor(this.entries / 0x1_0000_0000));
    putU32(buffer, start + 16, this.count);
    putU32(buffer, start + 20, cursor - start - BLOCK_HEADER_BYTES);
    this.previous.copy(buffer, start + PREVIOUS_AT);
    putU32(buffer, start + HEADER_CRC_AT, checksum(buffer, start, start + HEADER_CRC_AT));
    hash('sha256', buffer.subarray(start, cursor), 'buffer').copy(this.previous);
    this.previous.copy(buffer, cursor);
    const end = cursor + BLOCK_HASH_BYTES;
    this.entries += this.count;
    this.bytes += end - start;
    this.blocks += 1;
    this.count = 0;
    this.start = end;
    this.cursor = end + BLOCK_HEADER_BYTES;
    if (this.cursor > buffer.length) this.grow(this.cursor);
  }

  /** The closed blocks not yet taken; a view that is valid until the next call. */
  closed(): Buffer {
    return this.buffer.subarray(0, this.start);
  }

  closedBytes(): number {
    return this.start;
  }

  /** Forgets the closed blocks: they have been written. */
  taken(): void {
    this.buffer.copyWithin(0, this.start, this.cursor);
    this.cursor -= this.start;
    this.start = 0;
  }

  /** Position the next entry will get. */
  nextPosition(): number {
    return this.entries + this.count;
  }

  /** Head after the last closed block. */
  head(): JournalHead {
    return {
      entries: this.entries,
      hash: this.previous.toString('hex'),
      bytes: this.bytes,
      blocks: this.blocks,
    };
  }

  private grow(wanted: number): void {
    const larger = Buffer.allocUnsafe(Math.max(wanted, this.buffer.length * 2));
    this.buffer.copy(larger, 0, 0, Math.min(this.cursor, this.buffer.length));
    this.buffer = larger;
  }
}

/** A verified block inside a window of journal bytes; offsets are into the window. */
export interface JournalBlock {
  readonly bodyStart: number;
  readonly bodyEnd: number;
  /** Where the next block begins in the window. */
  readonly end: number;
  readonly firstEntry: number;
  readonly count: number;
  /** Head after this block. */
  readonly head: JournalHead;
}

/** What stands at a place in the journal: a block, a fault, the end, or not enough bytes in the window. */
export type BlockResult =
  | { readonly is: 'block'; readonly block: JournalBlock }
  | { readonly is: 'fault'; readonly fault: JournalFault }
  | { readonly is: 'end' }
  | { readonly is: 'more'; readonly wanted: number };

/**
 * Verifies the block at window[at], which must continue the chain ending in `head`.
 * `atEnd` says that the window reaches the end of the journal. Nothing of a block is given out before its hash holds.
 */
export function readBlock(window: Buffer, at: number, head: JournalHead, atEnd: boolean): BlockResult {
  const left = window.length - at;
  if (left === 0 && atEnd) return { is: 'end' };
  if (left < BLOCK_HEADER_BYTES) {
    if (!atEnd) return { is: 'more', wanted: BLOCK_HEADER_BYTES };
    if (fitsAsPrefix(window, at, head)) return torn(head, `${left} bytes of a block header`);
    return damaged(head, head.bytes, 'bytes that are no block header');
  }
  const wrong = headerFault(window, at, head);
  if (wrong !== null) {
    const written = nonZeroEnd(window, at);
    const unwritten =
      atEnd &&
      written <= Math.min(at + BLOCK_HEADER_BYTES, window.length - ZERO_TAIL_BYTES) &&
      fitsAsPrefix(window, at, head);
    return unwritten
      ? torn(head, 'a block header that was not fully written')
      : damaged(head, head.bytes, wrong);
  }
  const count = window.readUInt32LE(at + 16);
  const bodyLength = window.readUInt32LE(at + 20);
  const total = BLOCK_HEADER_BYTES + bodyLength + BLOCK_HASH_BYTES;
  if (left < total) {
    return atEnd ? torn(head, `${left} of ${total} bytes of a block`) : { is: 'more', wanted: total };
  }
  const bodyStart = at + BLOCK_HEADER_BYTES;
  const bodyEnd = bodyStart + bodyLength;
  const end = at + total;
  const actual = hash('sha256', window.subarray(at, bodyEnd), 'buffer');
  if (actual.compare(window, bodyEnd, end) !== 0) {
    if (atEnd && end === window.length && nonZeroEnd(window, at) <= end - ZERO_TAIL_BYTES) {
      return torn(head, 'a block that was not fully written');
    }
    return bodyFault(window, bodyStart, bodyEnd, count, head);
  }
  const shape = walk(window, bodyStart, bodyEnd, count, false);
  if (shape !== null) return damagedEntry(head, shape);
  const next: JournalHead = {
    entries: head.entries + count,
    hash: actual.toString('hex'),
    bytes: head.bytes + total,
    blocks: head.blocks + 1,
  };
  return { is: 'block', block: { bodyStart, bodyEnd, end, firstEntry: head.entries, count, head: next } };
}

/** The entries of a verified block, from position `from` on. */
export function* blockEntries(
  window: Buffer,
  block: JournalBlock,
  from = 0,
): Generator<JournalEntry, void, void> {
  let at = block.bodyStart;
  for (let i = 0; i < block.count; i++) {
    const payload = at + ENTRY_HEADER_BYTES;
    const end = payload + window.readUInt32LE(at + 5);
    const position = block.firstEntry + i;
    if (position >= from) {
      yield {
        position,
        kind: ENTRY_KINDS[window[at + 4]! - 1]!,
        text: window.toString('utf8', payload, end),
      };
    }
    at = end;
  }
}

/** Decodes a whole journal held in memory: its entries up to the first fault, the head there, and the fault. */
export function decodeJournal(bytes: Buffer): {
  entries: JournalEntry[];
  head: JournalHead;
  fault: JournalFault | null;
} {
  const entries: JournalEntry[] = [];
  let head = EMPTY_HEAD;
  for (;;) {
    const result = readBlock(bytes, head.bytes, head, true);
    if (result.is === 'fault') return { entries, head, fault: result.fault };
    if (result.is !== 'block') return { entries, head, fault: null };
    for (const entry of blockEntries(bytes, result.block)) entries.push(entry);
    head = result.block.head;
  }
}

/**
 * The head a block claims to continue, read from its header without verifying it. Null when these bytes are no
 * block header. `bytes` and `blocks` are unknown here and 0.
 */
export function claimedPredecessor(window: Buffer, at: number): JournalHead | null {
  if (window.length - at < BLOCK_HEADER_BYTES) return null;
  if (window.readUInt32LE(at) !== MAGIC) return null;
  if (window.readUInt32LE(at + HEADER_CRC_AT) !== checksum(window, at, at + HEADER_CRC_AT)) return null;
  const hashText = window.toString('hex', at + PREVIOUS_AT, at + PREVIOUS_AT + BLOCK_HASH_BYTES);
  return { entries: readEntryNumber(window, at), hash: hashText, bytes: 0, blocks: 0 };
}

/** First entry, entry count and total length of the block with this header; null when it is no block header. */
export function readBlockHeader(header: Buffer): { firstEntry: number; count: number; bytes: number } | null {
  const before = claimedPredecessor(header, 0);
  if (before === null) return null;
  const bytes = BLOCK_HEADER_BYTES + header.readUInt32LE(20) + BLOCK_HASH_BYTES;
  return { firstEntry: before.entries, count: header.readUInt32LE(16), bytes };
}

function headerFault(window: Buffer, at: number, head: JournalHead): string | null {
  if (window.readUInt32LE(at) !== MAGIC) return 'no block begins here';
  if (window.readUInt32LE(at + HEADER_CRC_AT) !== checksum(window, at, at + HEADER_CRC_AT)) {
    return 'the block header fails its checksum';
  }
  const version = window.readUInt32LE(at + 4);
  if (version !== JOURNAL_VERSION) return `journal version ${version}, this program reads ${JOURNAL_VERSION}`;
  const first = readEntryNumber(window, at);
  if (first !== head.entries) return `the block begins at entry ${first}, expected ${head.entries}`;
  const previous = window.toString('hex', at + PREVIOUS_AT, at + PREVIOUS_AT + BLOCK_HASH_BYTES);
  if (previous !== head.hash) return 'the block does not continue the one before it';
  const count = window.readUInt32LE(at + 16);
  const bodyLength = window.readUInt32LE(at + 20);
  if (count === 0 || count > MAX_BLOCK_ENTRIES || bodyLength > MAX_BODY_BYTES) return 'impossible block size';
  return null;
}

function readEntryNumber(window: Buffer, at: number): number {
  return window.readUInt32LE(at + 8) + window.readUInt32LE(at + 12) * 0x1_0000_0000;
}

/** True when what stands at the end of the journal could be the beginning of the next header, then zeros. */
function fitsAsPrefix(window: Buffer, at: number, head: JournalHead): boolean {
  const expected = Buffer.alloc(HEADER_CRC_AT);
  putU32(expected, 0, MAGIC);
  putU32(expected, 4, JOURNAL_VERSION);
  putU32(expected, 8, head.entries % 0x1_0000_0000);
  putU32(expected, 12, Math.floor(head.entries / 0x1_0000_0000));
  expected.write(head.hash, PREVIOUS_AT, 'hex');
  const end = Math.min(nonZeroEnd(window, at) - at, HEADER_CRC_AT);
  for (let i = 0; i < end; i++) {
    const known = i < 16 || i >= PREVIOUS_AT;
    if (known && window[at + i] !== expected[i]) return false;
  }
  return true;
}

/** Offset behind the last byte that is not zero, at least `from`. */
function nonZeroEnd(window: Buffer, from: number): number {
  let end = window.length;
  while (end > from && window[end - 1] === 0) end -= 1;
  return end;
}

interface ShapeFault {
  readonly entry: number;
  readonly offset: number;
  readonly what: string;
}

/** Walks a body; the first entry whose shape (and, with `checksums`, whose CRC) is wrong, offsets from the body. */
function walk(
  window: Buffer,
  from: number,
  to: number,
  count: number,
  checksums: boolean,
): ShapeFault | null {
  let at = from;
  for (let i = 0; i < count; i++) {
    const fault = (what: string): ShapeFault => ({ entry: i, offset: at - from, what });
    if (at + ENTRY_HEADER_BYTES > to) return fault('the entry header leaves its block');
    const code = window[at + 4]!;
    const end = at + ENTRY_HEADER_BYTES + window.readUInt32LE(at + 5);
    if (end > to) return fault('the entry leaves its block');
    if (checksums && checksum(window, at + 4, end) !== window.readUInt32LE(at)) {
      return fault('the entry fails its checksum');
    }
    if (code < 1 || code > ENTRY_KINDS.length) return fault(`unknown entry kind ${code}`);
    at = end;
  }
  return at === to
    ? null
    : { entry: count, offset: at - from, what: 'bytes behind the last entry of a block' };
}

function bodyFault(window: Buffer, from: number, to: number, count: number, head: JournalHead): BlockResult {
  const entry = walk(window, from, to, count, true);
  return entry === null ? damaged(head, head.bytes, 'the block fails its hash') : damagedEntry(head, entry);
}

function damagedEntry(head: JournalHead, at: ShapeFault): BlockResult {
  const offset = head.bytes + BLOCK_HEADER_BYTES + at.offset;
  const entry = head.entries + at.entry;
  return { is: 'fault', fault: { reason: 'damaged', what: at.what, offset, block: head.blocks, entry } };
}

function damaged(head: JournalHead, offset: number, what: string): BlockResult {
  return { is: 'fault', fault: { reason: 'damaged', what, offset, block: head.blocks, entry: head.entries } };
}

function torn(head: JournalHead, what: string): BlockResult {
  const fault: JournalFault = {
    reason: 'torn-tail',
    what,
    offset: head.bytes,
    block: head.blocks,
    entry: head.entries,
  };
  return { is: 'fault', fault };
}

function putU32(buffer: Buffer, at: number, value: number): void {
  buffer[at] = value;
  buffer[at + 1] = value >>> 8;
  buffer[at + 2] = value >>> 16;
  buffer[at + 3] = value >>> 24;
}

function checksum(bytes: Buffer, from: number, to: number): number {
  return crc32(bytes.subarray(from, to));
}
