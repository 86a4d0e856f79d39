import { crc32 } from 'node:zlib';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  blockEntries,
  claimedPredecessor,
  decodeJournal,
  EMPTY_HEAD,
  ENTRY_KINDS,
  type EntryKind,
  JournalEncoder,
  type JournalHead,
  MAX_BLOCK_ENTRIES,
  readBlock,
  readBlockHeader,
} from './journal-format.ts';

/** Blocks of entries as bytes, and the heads between them. */
function journal(blocks: readonly (readonly [EntryKind, string][])[]): {
  bytes: Buffer;
  heads: JournalHead[];
} {
  const encoder = new JournalEncoder();
  const heads = [encoder.head()];
  for (const block of blocks) {
    for (const [kind, text] of block) encoder.append(kind, text);
    encoder.seal();
    heads.push(encoder.head());
  }
  return { bytes: Buffer.from(encoder.closed()), heads };
}

const SMALL = journal([
  [['header', '{"seed":7}']],
  [
    ['event', '{"kind":"bar-closed","at":1}'],
    ['command', '{"kind":"submit"}'],
  ],
  [
    ['tape-range', '{"from":0,"to":9}'],
    ['snapshot-mark', ''],
    ['note', 'Zürich €'],
  ],
]);

describe('journal format', () => {
  it('gives back every entry of every kind', () => {
    const { entries, head, fault } = decodeJournal(SMALL.bytes);
    expect(fault).toBeNull();
    expect(entries.map((e) => e.kind)).toEqual([...ENTRY_KINDS]);
    expect(entries.map((e) => e.position)).toEqual([0, 1, 2, 3, 4, 5]);
    expect(entries.at(-1)!.text).toBe('Zürich €');
    expect(head).toEqual(SMALL.heads.at(-1));
    expect(head.bytes).toBe(SMALL.bytes.length);
    expect(head.blocks).toBe(3);
  });

  it('decodes what was encoded, however it was cut into blocks', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.tuple(
            fc.constantFrom(...ENTRY_KINDS),
            fc.string({ unit: 'grapheme', maxLength: 300 }),
            fc.boolean(),
          ),
        ),
        fc.integer({ min: 1, max: 500 }),
        (items, blockBytes) => {
          const encoder = new JournalEncoder(EMPTY_HEAD, blockBytes);
          const parts: Buffer[] = [];
          items.forEach(([kind, text, take], i) => {
            expect(encoder.append(kind, text)).toBe(i);
            if (!take) return;
            parts.push(Buffer.from(encoder.closed()));
            encoder.taken();
          });
          expect(encoder.nextPosition()).toBe(items.length);
          encoder.seal();
          parts.push(Buffer.from(encoder.closed()));
          const decoded = decodeJournal(Buffer.concat(parts));
          expect(decoded.fault).toBeNull();
          expect(decoded.entries.map((e) => [e.kind, e.text])).toEqual(
            items.map(([kind, text]) => [kind, text]),
          );
          expect(decoded.head).toEqual(encoder.head());
        },
      ),
      { numRuns: 60 },
    );
  });

  it('closes a block at its entry limit and at its byte target', () => {
    const byCount = new JournalEncoder();
    for (let i = 0; i < MAX_BLOCK_ENTRIES + 1; i++) byCount.append('event', '1');
    expect(byCount.head().entries).toBe(MAX_BLOCK_ENTRIES);
    const byBytes = new JournalEncoder();
    byBytes.append('event', 'x'.repeat(65_000));
    expect(byBytes.head().blocks).toBe(0);
    byBytes.append('event', 'x'.repeat(600));
    expect(byBytes.head()).toMatchObject({ blocks: 1, entries: 2 });
  });

  it('continues a chain from a head', () => {
    const whole = journal([[['header', 'a']], [['event', 'b']]]);
    const first = journal([[['header', 'a']]]);
    const rest = new JournalEncoder(first.heads.at(-1));
    rest.append('event', 'b');
    rest.seal();
    expect(Buffer.concat([first.bytes, rest.closed()]).equals(whole.bytes)).toBe(true);
    expect(rest.head()).toEqual(whole.heads.at(-1));
  });

  it('finds every flip of every bit and gives out nothing behind it', () => {
    const { bytes, heads } = SMALL;
    for (let at = 0; at < bytes.length; at++) {
      const blockOf = heads.findIndex((head) => head.bytes > at) - 1;
      for (let bit = 0; bit < 8; bit++) {
        bytes[at]! ^= 1 << bit;
        const { head, fault } = decodeJournal(bytes);
        bytes[at]! ^= 1 << bit;
        expect(fault?.reason, `byte ${at} bit ${bit}`).toBe('damaged');
        expect(fault!.block).toBe(blockOf);
        expect(head).toEqual(heads[blockOf]);
        expect(fault!.offset).toBeGreaterThanOrEqual(heads[blockOf]!.bytes);
      }
    }
  });

  it('finds every byte set to zero or to 255', () => {
    const { bytes } = SMALL;
    for (let at = 0; at < bytes.length; at++) {
      const kept = bytes[at]!;
      for (const value of [0, 255]) {
        if (value === kept) continue;
        bytes[at] = value;
        expect(decodeJournal(bytes).fault?.reason, `byte ${at}`).toBe('damaged');
      }
      bytes[at] = kept;
    }
  });

  it('names the block whose payload was damaged', () => {
    const bytes = Buffer.from(SMALL.bytes);
    bytes[bytes.indexOf('submit')] = 0x58;
    expect(decodeJournal(bytes).fault).toMatchObject({
      block: 1,
      entry: 1,
      offset: SMALL.heads[1]!.bytes,
      what: 'the block fails its hash',
    });
  });

  it('keeps half a character at the end of one entry from the next one', () => {
    const { bytes } = journal([
      [
        ['note', 'a\ud83d'],
        ['note', '\ude00b'],
      ],
    ]);
    expect(decodeJournal(bytes).entries.map((e) => e.text)).toEqual(['a\ufffd', '\ufffdb']);
  });

  it('calls every cut inside a block a torn tail and keeps all whole blocks', () => {
    const { bytes, heads } = SMALL;
    for (let length = 0; length <= bytes.length; length++) {
      const { entries, head, fault } = decodeJournal(bytes.subarray(0, length));
      const whole = heads.findLast((h) => h.bytes <= length)!;
      expect(head).toEqual(whole);
      expect(entries.length).toBe(whole.entries);
      if (whole.bytes === length) expect(fault).toBeNull();
      else expect(fault).toMatchObject({ reason: 'torn-tail', offset: whole.bytes, entry: whole.entries });
    }
  });

  it('calls a last block whose end was never written a torn tail', () => {
    const { bytes, heads } = SMALL;
    const last = heads.at(-2)!;
    for (let written = last.bytes; written < bytes.length - 8; written++) {
      const partly = Buffer.from(bytes);
      partly.fill(0, written);
      expect(decodeJournal(partly).fault, `${written}`).toMatchObject({
        reason: 'torn-tail',
        offset: last.bytes,
      });
    }
    const zeros = Buffer.concat([bytes, Buffer.alloc(5000)]);
    expect(decodeJournal(zeros).fault).toMatchObject({ reason: 'torn-tail', offset: bytes.length });
  });

  it('calls foreign bytes, a lost byte, swapped and repeated blocks damage', () => {
    const { bytes, heads } = SMALL;
    const cut = (from: number, to: number) => bytes.subarray(heads[from]!.bytes, heads[to]!.bytes);
    const cases = {
      foreign: Buffer.concat([bytes, Buffer.from('hello')]),
      'foreign, long': Buffer.concat([bytes, Buffer.from('x'.repeat(500))]),
      'lost byte': Buffer.concat([bytes.subarray(0, 100), bytes.subarray(101)]),
      'missing first block': Buffer.from(cut(1, 3)),
      swapped: Buffer.concat([cut(0, 1), cut(2, 3), cut(1, 2)]),
      repeated: Buffer.concat([bytes, cut(2, 3)]),
    };
    for (const [name, damagedBytes] of Object.entries(cases)) {
      expect(decodeJournal(damagedBytes).fault?.reason, name).toBe('damaged');
    }
  });

  it('asks for more bytes while the window does not reach the end', () => {
    const { bytes, heads } = SMALL;
    for (let length = 0; length < heads[1]!.bytes; length++) {
      const result = readBlock(bytes.subarray(0, length), 0, EMPTY_HEAD, false);
      expect(result.is).toBe('more');
    }
    const result = readBlock(bytes.subarray(0, heads[1]!.bytes), 0, EMPTY_HEAD, false);
    expect(result.is === 'block' && [...blockEntries(bytes, result.block)]).toEqual([
      { position: 0, kind: 'header', text: '{"seed":7}' },
    ]);
  });

  it('reads headers without the chain', () => {
    const { bytes, heads } = SMALL;
    const at = heads[1]!.bytes;
    expect(claimedPredecessor(bytes, at)).toMatchObject({ entries: 1, hash: heads[1]!.hash });
    expect(readBlockHeader(bytes.subarray(at))).toEqual({
      firstEntry: 1,
      count: 2,
      bytes: heads[2]!.bytes - heads[1]!.bytes,
    });
    expect(claimedPredecessor(bytes, at + 1)).toBeNull();
    expect(readBlockHeader(bytes.subarray(0, 20))).toBeNull();
  });

  it('says so when a newer program wrote the journal', () => {
    const bytes = Buffer.from(SMALL.bytes);
    bytes[4] = 4;
    bytes.writeUInt32LE(crc32(bytes.subarray(0, 56)), 56);
    expect(decodeJournal(bytes).fault).toMatchObject({
      reason: 'damaged',
      what: 'journal version 4, this program reads 3',
    });
  });
});
