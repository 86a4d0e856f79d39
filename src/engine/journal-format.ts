import { hash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { broken } from '#base';

/**
 * The journal's bytes. Pure: this file encodes and decodes, storage does the reading and writing.
 *
 *     journal = block*
 *     block   = 'QJNL' | version u32 | first entry u64 | entry count u32 | body length u32 | previous hash 32
 *             | CRC-32 of the 56 bytes so far u32 | body | SHA-256 over everything before it in this block 32
 *     body    = head* | text*                                            as many of either as there are entries
 *     head    = kind u8 | length of the text in bytes u32
 *     text    = UTF-8
 *
 * Numbers are little-endian. The hash covers the header, which holds the previous block's hash, so every byte of
 * the file is under the chain. The header has a checksum of its own because its length field decides whether a last
 * block counts as incomplete (may be cut) or as damaged (may not). The texts stand side by side so that a block of a
 * thousand entries is encoded by one call and not by a thousand.
 */
export const JOURNAL_VERSION = 3;

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
/** A block is closed once its texts have this many UTF-16 units; of what is written, that is bytes. */
export const BLOCK_TARGET_BYTES = 64 * 1024;
export const MAX_ENTRY_CHARACTERS = 8 * 1024 * 1024;

const MAGIC = 0x4c4e4a51; // 'QJNL'
export const BLOCK_HEADER_BYTES = 60;
export const BLOCK_HASH_BYTES = 32;
const PREVIOUS_AT = 24;
const HEADER_CRC_AT = 56;
const ENTRY_HEAD_BYTES = 5;
const MAX_BODY_BYTES =
  3 * (BLOCK_TARGET_BYTES * 16 + MAX_ENTRY_CHARACTERS) + MAX_BLOCK_ENTRIES * ENTRY_HEAD_BYTES;
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
  /** End of the closed, untaken blocks in the buffer. */
  private end = 0;
  /** The open block: its entries and how many UTF-16 units they have. */
  private texts: string[] = [];
  private readonly codes = new Uint8Array(MAX_BLOCK_ENTRIES);
  private units = 0;

  /** Continues the chain that ends in `head`. `blockBytes`: size of the texts at which a block is closed. */
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
    if (text.length > MAX_ENTRY_CHARACTERS) broken(`a journal entry of ${text.length} characters`);
    const { texts } = this;
    this.codes[texts.length] = CODES[kind];
    texts.push(text);
    this.units += text.length;
    const position = this.entries + texts.length - 1;
    if (texts.length === MAX_BLOCK_ENTRIES || this.units >= this.blockBytes) this.seal();
    return position;
  }

  /** Closes the open block. What is closed together should become durable together. */
  seal(): void {
    const { texts, end: start } = this;
    const count = texts.length;
    if (count === 0) return;
    const heads = start + BLOCK_HEADER_BYTES;
    const body = heads + count * ENTRY_HEAD_BYTES;
    // a UTF-16 unit needs at most three bytes of UTF-8
    this.makeRoom(body + this.units * 3 + BLOCK_HASH_BYTES);
    const { buffer } = this;
    const cursor = this.writeTexts(heads, body);
    putU32(buffer, start, MAGIC);
    putU32(buffer, start + 4, JOURNAL_VERSION);
    putU32(buffer, start + 8, this.entries % 0x1_0000_0000);
    putU32(buffer, start + 12, Math.floor(this.entries / 0x1_0000_0000));
    putU32(buffer, start + 16, count);
    putU32(buffer, start + 20, cursor - heads);
    this.previous.copy(buffer, start + PREVIOUS_AT);
    putU32(buffer, start + HEADER_CRC_AT, checksum(buffer, start, start + HEADER_CRC_AT));
    hash('sha256', buffer.subarray(start, cursor), 'buffer').copy(this.previous);
    this.previous.copy(buffer, cursor);
    this.end = cursor + BLOCK_HASH_BYTES;
    this.entries += count;
    this.bytes += this.end - start;
    this.blocks += 1;
    this.texts = [];
    this.units = 0;
  }

  /** Writes the heads of the open block's entries at `heads` and their texts from `body` on; gives the end. */
  private writeTexts(heads: number, body: number): number {
    const { buffer, texts } = this;
    const length = buffer.write(texts.length === 1 ? texts[0]! : texts.join(''), body);
    if (length === this.units) {
      for (let i = 0; i < texts.length; i++) this.putHead(heads, i, texts[i]!.length);
      return body + length;
    }
    // beyond ASCII the lengths differ, and half a character at the end of one text must not meet the next one's
    let cursor = body;
    for (let i = 0; i < texts.length; i++) {
      const bytes = buffer.write(texts[i]!, cursor);
      this.putHead(heads, i, bytes);
      cursor += bytes;
    }
    return cursor;
  }

  private putHead(heads: number, i: number, length: number): void {
    const at = heads + i * ENTRY_HEAD_BYTES;
    this.buffer[at] = this.codes[i]!;
    putU32(this.buffer, at + 1, length);
  }

  /** The closed blocks not yet taken; a view that is valid until the next call. */
  closed(): Buffer {
    return this.buffer.subarray(0, this.end);
  }

  closedBytes(): number {
    return this.end;
  }

  /** Forgets the closed blocks: they have been written. */
  taken(): void {
    this.end = 0;
  }

  /** Position the next entry will get. */
  nextPosition(): number {
    return this.entries + this.texts.length;
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

  private makeRoom(wanted: number): void {
    if (wanted <= this.buffer.length) return;
    const larger = Buffer.allocUnsafe(Math.max(wanted, this.buffer.length * 2));
    this.buffer.copy(larger, 0, 0, this.end);
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
    return damaged(head, head.bytes, 'the block fails its hash');
  }
  const wrongBody = bodyFault(window, bodyStart, bodyEnd, count);
  if (wrongBody !== null) return damaged(head, head.bytes, wrongBody);
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
  let head = block.bodyStart;
  let at = head + block.count * ENTRY_HEAD_BYTES;
  for (let i = 0; i < block.count; i++) {
    const end = at + window.readUInt32LE(head + 1);
    const position = block.firstEntry + i;
    if (position >= from) {
      yield { position, kind: ENTRY_KINDS[window[head]! - 1]!, text: window.toString('utf8', at, end) };
    }
    head += ENTRY_HEAD_BYTES;
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

/** What is wrong with the shape of a body whose hash holds: the program that wrote it was. */
function bodyFault(window: Buffer, from: number, to: number, count: number): string | null {
  let at = from + count * ENTRY_HEAD_BYTES;
  if (at > to) return 'the entry heads leave their block';
  for (let head = from, i = 0; i < count; i++, head += ENTRY_HEAD_BYTES) {
    const code = window[head]!;
    if (code < 1 || code > ENTRY_KINDS.length) return `unknown entry kind ${code}`;
    at += window.readUInt32LE(head + 1);
  }
  return at === to ? null : 'the entries do not fill their block';
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
