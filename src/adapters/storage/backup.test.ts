import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { gunzipSync, gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { InputError } from '#base';
import { backup, restore } from './backup.ts';
import { JournalFile } from './journal-file.ts';
import { readJournal, verifyJournal } from './journal-reader.ts';

let directory: string;
let data: string;
let file: string;
let target: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'backup-'));
  data = join(directory, 'data');
  file = join(directory, 'kept', 'b.quorum');
  target = join(directory, 'restored');
  mkdirSync(join(data, 'runs', 'one'), { recursive: true });
  writeFileSync(join(data, 'empty'), '');
  writeFileSync(join(data, 'runs', 'one', 'summary.json'), '{"a":"ü"}');
  writeFileSync(join(data, 'large.bin'), Buffer.alloc(300_000, 'quorum'));
  const journal = JournalFile.create(join(data, 'journal'));
  for (let i = 0; i < 50; i++) {
    journal.append('event', `e${i}`);
    journal.commit({ durable: false });
  }
  journal.close();
});
afterEach(() => rmSync(directory, { recursive: true }));

const contents = (of: string): Record<string, string> =>
  Object.fromEntries(
    readdirSync(of, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .sort()
      .map((path) => [path.slice(of.length), readFileSync(path, 'base64')]),
  );

describe('backup and restore', () => {
  it('give the same files back, and the same archive again', async () => {
    const report = await backup(data, file);
    const { head } = verifyJournal(join(data, 'journal'));
    expect(report).toMatchObject({ files: 4, journals: [{ path: 'journal', entries: 50, hash: head.hash }] });
    expect(await restore(file, target)).toEqual(report);
    expect(contents(target)).toEqual(contents(data));
    await backup(target, join(directory, 'again'));
    expect(readFileSync(join(directory, 'again')).equals(readFileSync(file))).toBe(true);
    expect(readdirSync(directory).sort()).toEqual(['again', 'data', 'kept', 'restored']);
  });

  it('take a running journal up to its last whole block, without locks and side copies', async () => {
    const journal = JournalFile.open(join(data, 'journal'), { headFile: 'keep' });
    journal.append('event', 'committed');
    journal.commit({ durable: true });
    journal.append('event', 'pending');
    await backup(data, file);
    journal.close();
    await restore(file, target);
    expect(readdirSync(target).sort()).toEqual(['empty', 'journal', 'large.bin', 'runs']);
    expect([...readJournal(join(target, 'journal'))].at(-1)!.text).toBe('committed');
    JournalFile.open(join(target, 'journal')).close();
  });

  it('copy a database in use consistently', async () => {
    const database = new DatabaseSync(join(data, 'projections.sqlite'));
    database.exec('pragma journal_mode = wal; create table t (x); insert into t values (1), (2)');
    database.exec('begin; insert into t values (3)');
    await backup(data, file);
    database.exec('commit');
    database.close();
    await restore(file, target);
    const copy = new DatabaseSync(join(target, 'projections.sqlite'));
    expect(copy.prepare('select count(*) as n from t').get()).toEqual({ n: 2 });
    copy.close();
    expect(readdirSync(data).filter((name) => name.includes('tmp'))).toEqual([]);
  });

  it('leave out links and the archive itself', async () => {
    symlinkSync('/etc', join(data, 'link'));
    const inside = join(data, 'self');
    await backup(data, inside);
    const report = await backup(data, inside);
    expect(report.files).toBe(4);
  });

  it('refuse to overwrite unless forced, and never under a running writer', async () => {
    await backup(data, file);
    mkdirSync(target);
    writeFileSync(join(target, 'mine'), 'x');
    await expect(restore(file, target)).rejects.toThrow(/not empty/);
    expect(readdirSync(target)).toEqual(['mine']);
    await restore(file, target, { force: true });
    expect(contents(target)).toEqual(contents(data));
    const journal = JournalFile.open(join(target, 'journal'));
    await expect(restore(file, target, { force: true })).rejects.toThrow(/is writing/);
    journal.close();
    expect(readdirSync(directory).sort()).toEqual(['data', 'kept', 'restored']);
  });

  it('refuse to back up a damaged journal', async () => {
    const bytes = readFileSync(join(data, 'journal'));
    bytes[200]! ^= 1;
    writeFileSync(join(data, 'journal'), bytes);
    await expect(backup(data, file)).rejects.toThrow(InputError);
    expect(existsSync(file)).toBe(false);
    expect(readdirSync(join(directory, 'kept'))).toEqual([]);
  });

  it('refuse cut, damaged and foreign archives and change nothing', async () => {
    await backup(data, file);
    const bytes = readFileSync(file);
    const plain = gunzipSync(bytes);
    const changed = Buffer.from(plain);
    changed[plain.indexOf('e33')]! ^= 1;
    const bad: Record<string, Buffer> = {
      changed: gzipSync(changed),
      'no end': gzipSync(plain.subarray(0, plain.lastIndexOf('{'))),
      foreign: gzipSync('{"format":"other"}\n'),
      'not gzip': Buffer.from('hello'),
      newer: gzipSync('{"format":"quorum-backup","version":2}\n'),
      empty: Buffer.alloc(0),
      climbing: gzipSync(
        '{"format":"quorum-backup","version":1}\n{"path":"../evil","bytes":1}\nx{"sha256":""}\n',
      ),
    };
    for (let at = 0; at < bytes.length; at += 97) bad[`cut at ${at}`] = bytes.subarray(0, at);
    for (const [name, archive] of Object.entries(bad)) {
      writeFileSync(file, archive);
      await expect(restore(file, target), name).rejects.toThrow(InputError);
      expect(readdirSync(directory).sort(), name).toEqual(['data', 'kept']);
    }
    await expect(restore(join(directory, 'none'), target)).rejects.toThrow(InputError);
  });
});
