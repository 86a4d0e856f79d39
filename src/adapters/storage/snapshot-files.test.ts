import { mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SnapshotFiles } from './snapshot-files.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'snapshots-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

const hashOf = (position: number) => `hash-${position}`;
const put = (files: SnapshotFiles, position: number) =>
  files.write({ entries: position, hash: hashOf(position) }, 'v1', `{"state":"at ${position} €"}`);

describe('SnapshotFiles', () => {
  it('loads the newest and keeps the last few', () => {
    const files = new SnapshotFiles(directory, 2);
    expect(files.newest(hashOf)).toEqual({ snapshot: null, skipped: [] });
    for (const position of [5, 9, 100_000]) put(files, position);
    expect(readdirSync(directory)).toHaveLength(2);
    expect(files.newest(hashOf)).toEqual({
      snapshot: { position: 100_000, hash: 'hash-100000', made: 'v1', text: '{"state":"at 100000 €"}' },
      skipped: [],
    });
  });

  it('passes over every damaged file to the one before', () => {
    const files = new SnapshotFiles(directory);
    put(files, 5);
    const path = put(files, 9);
    const bytes = readFileSync(path);
    for (let at = 0; at < bytes.length; at++) {
      bytes[at]! ^= 4;
      writeFileSync(path, bytes);
      bytes[at]! ^= 4;
      const { snapshot, skipped } = files.newest(hashOf);
      expect(snapshot?.position, `byte ${at}`).toBe(5);
      expect(skipped).toHaveLength(1);
    }
    for (let length = 0; length < bytes.length; length++) {
      writeFileSync(path, bytes.subarray(0, length));
      expect(files.newest(hashOf).snapshot?.position).toBe(5);
    }
  });

  it('passes over snapshots of another journal, of a longer journal, of another version and renamed ones', () => {
    const files = new SnapshotFiles(directory, 9);
    for (const position of [1, 2, 3, 4]) put(files, position);
    renameSync(put(files, 8), join(directory, 'snapshot-000000000000005.json'));
    files.write({ entries: 6, hash: hashOf(6) }, 'v2', 'x');
    const { snapshot, skipped } = files.newest(
      (position) => (position === 4 ? null : position === 3 ? 'another' : hashOf(position)),
      (made) => made === 'v1',
    );
    expect(snapshot!.position).toBe(2);
    expect(skipped.map((s) => s.why)).toEqual([
      'it was made by another version',
      'it was renamed',
      'the journal has no block that ends at entry 4',
      'it belongs to another journal',
    ]);
  });

  it('does not see what a crash left half written', () => {
    const files = new SnapshotFiles(directory);
    put(files, 5);
    writeFileSync(join(directory, '.snapshot-000000000000009.json.1-0.tmp'), 'half');
    expect(files.newest(hashOf).snapshot!.position).toBe(5);
  });
});
