import {
  copyFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { InputError } from '#base';
import type { JournalEntry } from '#engine';
import { JournalDamage, StorageFailed } from './faults.ts';
import { readHeadFile } from './head-file.ts';
import { JournalFile } from './journal-file.ts';
import { headAt, readJournal, verifyJournal } from './journal-reader.ts';

let directory: string;
let path: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'journal-'));
  path = join(directory, 'journal');
});
afterEach(() => rmSync(directory, { recursive: true }));

const texts = (from: string, options?: Parameters<typeof readJournal>[1]) =>
  [...readJournal(from, options)].map((entry: JournalEntry) => entry.text);

/** A journal of `blocks` durable commits of two entries each, closed cleanly. */
function write(blocks: number, options?: Parameters<typeof JournalFile.create>[1]): JournalFile {
  const journal = JournalFile.create(path, options);
  for (let i = 0; i < blocks; i++) {
    journal.append('event', `e${i}`);
    journal.append('command', `c${i}`);
    journal.commit({ durable: true });
  }
  journal.close();
  return journal;
}

describe('JournalFile', () => {
  it('gives back what was written, over several openings, and leaves one file', () => {
    const first = write(2);
    const again = JournalFile.open(path);
    expect(again.recovery).toEqual({ cut: null, cutBytes: 0, merged: 0, mergedOutOfPlace: 0 });
    expect(again.head).toEqual(first.head);
    expect(again.append('note', 'n')).toBe(4);
    const head = again.close();
    expect(texts(path)).toEqual(['e0', 'c0', 'e1', 'c1', 'n']);
    expect(readdirSync(directory)).toEqual(['journal']);
    expect(verifyJournal(path, head)).toMatchObject({ ok: true, against: 'equal', head });
    expect(head.bytes).toBe(readFileSync(path).length);
  });

  it('is the same byte for byte for the same calls', () => {
    write(3);
    const bytes = readFileSync(path);
    rmSync(path);
    write(3);
    expect(readFileSync(path).equals(bytes)).toBe(true);
  });

  it('writes full blocks by itself and reads far more than its window', () => {
    const journal = JournalFile.create(path, { flushBytes: 256 * 1024 });
    const long = 'x'.repeat(1000);
    for (let i = 0; i < 9000; i++) journal.append('event', `${i} ${long}`);
    expect(readFileSync(path).length).toBeGreaterThan(8_000_000);
    const head = journal.close();
    let seen = 0;
    const progress: number[] = [];
    for (const entry of readJournal(path, { onProgress: (bytes) => progress.push(bytes) })) {
      expect(entry.text.startsWith(`${seen++} `)).toBe(true);
    }
    expect(seen).toBe(9000);
    expect(progress.at(-1)).toBe(head.bytes);
    expect(texts(path, { from: 8998 }).map((text) => text.slice(0, 4))).toEqual(['8998', '8999']);
  });

  it('holds an entry larger than the read window', () => {
    const journal = JournalFile.create(path);
    const large = 'y'.repeat(6_000_000);
    journal.append('event', 'a');
    journal.append('event', large);
    journal.append('event', 'b');
    journal.close();
    expect(texts(path)).toEqual(['a', large, 'b']);
  });

  it('can be read behind a known head while it is written', () => {
    const journal = JournalFile.create(path);
    journal.append('event', 'a');
    const after = journal.commit({ durable: false });
    journal.append('event', 'b');
    expect(texts(path, { after })).toEqual([]);
    journal.commit({ durable: false });
    expect(texts(path, { after })).toEqual(['b']);
    journal.close();
  });

  it('refuses to begin over an existing journal or the remains of one, and to open a missing one', () => {
    write(1);
    expect(() => JournalFile.create(path)).toThrow(InputError);
    expect(() => JournalFile.open(join(directory, 'other'))).toThrow(InputError);
    expect(() => JournalFile.create(join(directory, 'no', 'journal'))).toThrow(InputError);
    writeFileSync(join(directory, 'lost.side'), 'x');
    expect(() => JournalFile.create(join(directory, 'lost'))).toThrow(/left from a journal that is gone/);
    expect(readdirSync(directory).sort()).toEqual(['journal', 'lost.side']);
  });

  it('lets one writer in', () => {
    const journal = JournalFile.create(path);
    expect(() => JournalFile.open(path)).toThrow(/held by running process/);
    journal.close();
    JournalFile.open(path).close();
  });

  it('refuses everything after close', () => {
    const journal = write(1);
    expect(() => journal.append('event', 'x')).toThrow(StorageFailed);
    expect(() => journal.commit({ durable: true })).toThrow(StorageFailed);
    expect(() => journal.urgent('x')).toThrow(StorageFailed);
  });

  it('finds every changed byte, by reading, verifying and opening', () => {
    write(3);
    const bytes = readFileSync(path);
    for (let at = 0; at < bytes.length; at++) {
      bytes[at]! ^= 0x10;
      writeFileSync(path, bytes);
      bytes[at]! ^= 0x10;
      expect(verifyJournal(path).ok, `byte ${at}`).toBe(false);
      expect(() => texts(path), `byte ${at}`).toThrow(JournalDamage);
      if (at % 7 === 0) expect(() => JournalFile.open(path), `byte ${at}`).toThrow(JournalDamage);
    }
    expect(readdirSync(directory)).toEqual(['journal']);
  });

  it('cuts a torn tail at every length to the last whole block and goes on from there', () => {
    write(3);
    const whole = readFileSync(path);
    const ends = [0, 2, 4, 6].map((entries) => headAt(path, entries)!.bytes);
    for (let length = 0; length <= whole.length; length += 1) {
      writeFileSync(path, whole.subarray(0, length));
      const journal = JournalFile.open(path, { headFile: 'none', lock: false });
      const kept = ends.findLast((end) => end <= length)!;
      expect(journal.head.bytes).toBe(kept);
      expect(journal.recovery.cutBytes).toBe(length - kept);
      expect(journal.recovery.cut === null).toBe(length === kept);
      if (length % 13 === 0) {
        journal.append('note', 'on');
        journal.close();
        expect(texts(path, { tornTail: 'refuse' })).toHaveLength(ends.indexOf(kept) * 2 + 1);
      } else journal.abandon();
    }
  });

  it('sees through the head copy that acknowledged entries were cut off or damaged', () => {
    const kept = write(3, { headFile: 'keep' });
    expect(readdirSync(directory)).toEqual(['journal', 'journal.head']);
    expect(readHeadFile(`${path}.head`)).toEqual(kept.head);
    const whole = readFileSync(path);
    for (let length = 0; length < whole.length; length += 9) {
      writeFileSync(path, whole.subarray(0, length));
      expect(() => JournalFile.open(path), `${length}`).toThrow(/acknowledged/);
    }
    const accepted = JournalFile.open(path, { acceptLoss: true, headFile: 'keep' });
    expect(accepted.head.entries).toBe(4);
    accepted.abandon();
    expect(readHeadFile(`${path}.head`)!.entries).toBe(4);
    JournalFile.open(path).close();
  });

  it('cuts even a damaged block if it stands behind the acknowledged head', () => {
    const journal = JournalFile.create(path);
    journal.append('event', 'kept');
    const { bytes } = journal.commit({ durable: true });
    journal.append('event', 'never acknowledged');
    journal.commit({ durable: false });
    journal.abandon();
    const damaged = readFileSync(path);
    damaged[bytes + 70]! ^= 1;
    writeFileSync(path, damaged);
    const again = JournalFile.open(path);
    expect(again.recovery.cut!.reason).toBe('damaged');
    again.close();
    expect(texts(path)).toEqual(['kept']);
  });

  it('refuses a journal that was replaced by another', () => {
    write(2, { headFile: 'keep' });
    const other = join(directory, 'other');
    const journal = JournalFile.create(other);
    for (let i = 0; i < 9; i++) journal.append('event', 'another');
    journal.close();
    copyFileSync(other, path);
    expect(() => JournalFile.open(path)).toThrow(JournalDamage);
  });
});

describe('the side file', () => {
  const side = () => readFileSync(`${path}.side`).length;

  it('takes urgent commands, in their place, until the next durable commit', () => {
    const journal = JournalFile.create(path);
    journal.append('event', 'stop pressed');
    expect(journal.urgent('cancel 1', { durable: true })).toBe(1);
    expect(journal.urgent('cancel 2')).toBe(2);
    expect(side()).toBeGreaterThan(0);
    journal.commit({ durable: false });
    expect(side()).toBeGreaterThan(0);
    journal.commit({ durable: true });
    expect(side()).toBe(0);
    journal.urgent('flatten');
    journal.close();
    expect(texts(path)).toEqual(['stop pressed', 'cancel 1', 'cancel 2', 'flatten']);
    expect(readdirSync(directory)).toEqual(['journal']);
  });

  it('brings urgent commands and what led to them back after a crash, once', () => {
    const journal = JournalFile.create(path);
    journal.append('event', 'first');
    journal.commit({ durable: true });
    journal.append('event', 'stop pressed');
    journal.urgent('cancel');
    journal.append('event', 'lost');
    journal.abandon();
    const again = JournalFile.open(path);
    expect(again.recovery).toMatchObject({ merged: 2, mergedOutOfPlace: 0 });
    expect(existsSync(`${path}.side`)).toBe(false);
    again.close();
    expect(texts(path)).toEqual(['first', 'stop pressed', 'cancel']);
    expect(JournalFile.open(path).close().entries).toBe(3);
  });

  it('does not repeat what reached the journal before the crash', () => {
    const journal = JournalFile.create(path);
    journal.urgent('cancel 1');
    journal.commit({ durable: false });
    journal.urgent('cancel 2');
    journal.abandon();
    const again = JournalFile.open(path);
    expect(again.recovery).toMatchObject({ merged: 1, mergedOutOfPlace: 0 });
    again.close();
    expect(texts(path)).toEqual(['cancel 1', 'cancel 2']);
  });

  it('keeps commands whose predecessors were lost, behind a note', () => {
    const journal = JournalFile.create(path);
    journal.append('event', 'a');
    const kept = journal.commit({ durable: false });
    journal.append('event', 'b');
    journal.commit({ durable: false });
    journal.urgent('cancel');
    journal.abandon();
    // A power cut before the sync: the disk has only the first block, and the head copy of then.
    truncateSync(path, kept.bytes);
    const again = JournalFile.open(path);
    expect(again.recovery).toMatchObject({ merged: 0, mergedOutOfPlace: 1 });
    again.close();
    expect(texts(path)).toEqual(['a', '{"note":"side-entries-out-of-place","positions":[2]}', 'cancel']);
  });

  it('leaves out a torn end of the side file', () => {
    const journal = JournalFile.create(path);
    journal.urgent('cancel 1');
    const whole = side();
    journal.urgent('cancel 2');
    journal.abandon();
    truncateSync(`${path}.side`, whole + 20);
    JournalFile.open(path).close();
    expect(texts(path)).toEqual(['cancel 1']);
  });
});

describe('verifyJournal', () => {
  it('tells a cut-off tail, a longer journal and another journal from the expected one', () => {
    const head = write(3).head;
    const at4 = headAt(path, 4)!;
    expect(verifyJournal(path, at4)).toMatchObject({ ok: false, against: 'longer' });
    expect(verifyJournal(path, { hash: at4.hash })).toMatchObject({ ok: false, against: 'longer' });
    expect(verifyJournal(path, { hash: 'f'.repeat(64), entries: 6 })).toMatchObject({
      ok: false,
      against: 'different',
    });
    expect(verifyJournal(path, { hash: head.hash, entries: 5 }).ok).toBe(false);
    truncateSync(path, at4.bytes);
    expect(verifyJournal(path)).toMatchObject({ ok: true, against: 'nothing' });
    expect(verifyJournal(path, head)).toMatchObject({ ok: false, against: 'shorter', fault: null });
    expect(verifyJournal(path, { hash: head.hash })).toMatchObject({ ok: false, against: 'shorter' });
    expect(verifyJournal(path, head).what).toMatch(/without reaching/);
  });

  it('finds heads only where a block ends', () => {
    const { head } = write(3);
    expect(headAt(path, 6)).toEqual(head);
    expect(headAt(path, 3)).toBeNull();
    expect(headAt(path, 7)).toBeNull();
    expect(headAt(path, 0)!.bytes).toBe(0);
  });
});
