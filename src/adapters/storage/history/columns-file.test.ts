import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type ColumnBlock, checksumOf, columnBlock } from './column-block.ts';
import { type ColumnsKey, readColumnsFile, writeColumnsFile } from './columns-file.ts';
import { type MapFile, mapFile } from './map-file.ts';

const ROWS = 30_000;

function blockOf(rows: number, seed: number): ColumnBlock {
  const block = columnBlock(rows, 6);
  block.columns.forEach((column, c) => {
    for (let i = 0; i < rows; i++) column[i] = Math.sin(seed + i * (c + 1)) * 1e3;
  });
  block.columns[5]![1] = Number.NaN;
  block.columns[5]![2] = -0;
  return block;
}

const keyFor = (block: ColumnBlock): ColumnsKey => ({
  series: 'X.LOCAL@1h',
  columns: ['time', 'open', 'high', 'low', 'close', 'volume'],
  rows: block.rows,
  hash: 'ab'.repeat(32),
  parquet: 'x.parquet 1 2',
  checksum: checksumOf(block),
});

/** Whether this machine has what a mapping takes; where it has not, files are read and nothing else is different. */
const isMappable = ((): boolean => {
  if (!['linux', 'darwin'].includes(process.platform) || !['x64', 'arm64'].includes(process.arch))
    return false;
  try {
    createRequire(import.meta.url).resolve('koffi');
    return true;
  } catch {
    return false;
  }
})();

let dir: string;
let path: string;
const block = blockOf(ROWS, 1);
const key = keyFor(block);
/** A file in the place of another, as everybody here replaces files. */
function replace(bytes: Uint8Array): void {
  writeFileSync(`${path}.new`, bytes);
  renameSync(`${path}.new`, path);
}
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'columns-'));
  path = join(dir, 'x.columns');
  expect(writeColumnsFile(path, key, block)).toBe(true);
});
afterEach(() => rmSync(dir, { recursive: true }));

const bytesIn = (read: { readonly block: ColumnBlock } | null) => Buffer.from(read!.block.bytes.slice());

describe('a cache file', () => {
  it('gives the same columns mapped and read', () => {
    const mapped = readColumnsFile(path, key);
    const read = readColumnsFile(path, key, null);
    expect([mapped?.from, read?.from]).toEqual([isMappable ? 'mapped' : 'cache', 'cache']);
    for (const one of [mapped, read]) {
      expect(bytesIn(one).equals(Buffer.from(block.bytes.slice()))).toBe(true);
      expect(one!.block.columns).toEqual(block.columns);
      expect(one!.block.buffer).toBeInstanceOf(SharedArrayBuffer);
    }
  });

  it('is read where it cannot be mapped', () => {
    const read = readColumnsFile(path, key, () => null);
    expect(read?.from).toBe('cache');
    expect(read!.block.columns).toEqual(block.columns);
  });

  it('is read when it is small', () => {
    const small = blockOf(1000, 2);
    writeColumnsFile(path, keyFor(small), small);
    const read = readColumnsFile(path, keyFor(small));
    expect(read?.from).toBe('cache');
    expect(read!.block.columns).toEqual(small.columns);
  });

  it('is refused when any byte of it is not what was written', () => {
    const good = readFileSync(path);
    for (const place of [0, 30, 200, 260, 4095, 4096, 4103, 700_000, good.length - 1]) {
      const bad = Buffer.from(good);
      bad[place]! ^= 0x80;
      replace(bad);
      expect([readColumnsFile(path, key), readColumnsFile(path, key, null)], `byte ${place}`).toEqual([
        null,
        null,
      ]);
    }
    replace(good);
    expect(readColumnsFile(path, key)).not.toBeNull();
  });

  it('is not even mapped when it is truncated, too long or of something else', () => {
    const good = readFileSync(path);
    let asked = 0;
    const counting: MapFile = (fd, bytes) => {
      asked++;
      return mapFile(fd, bytes);
    };
    for (const bad of [
      good.subarray(0, -8),
      good.subarray(0, 4096),
      Buffer.concat([good, good]),
      Buffer.of(),
    ]) {
      replace(bad);
      expect(readColumnsFile(path, key, counting)).toBeNull();
    }
    replace(good);
    for (const other of [
      { series: 'Y.LOCAL@1h' },
      { hash: 'cd'.repeat(32) },
      { checksum: key.checksum ^ 1 },
    ]) {
      expect(readColumnsFile(path, { ...key, ...other }, counting)).toBeNull();
    }
    replace(Buffer.alloc(good.length, 0x20));
    expect(readColumnsFile(path, key, counting)).toBeNull();
    expect(asked).toBe(0);
    replace(good);
    expect(readColumnsFile(path, key, counting)).not.toBeNull();
    expect(asked).toBe(1);
  });

  it('keeps its old columns for who has them when it is replaced or removed', () => {
    const before = readColumnsFile(path, key)!;
    const other = blockOf(ROWS, 3);
    expect(writeColumnsFile(path, keyFor(other), other)).toBe(true);
    const after = readColumnsFile(path, keyFor(other))!;
    rmSync(path);
    expect(before.block.columns).toEqual(block.columns);
    expect(after.block.columns).toEqual(other.columns);
  });

  it('is not changed by what is written into its columns, which all threads see', async () => {
    const good = readFileSync(path);
    const { columns } = readColumnsFile(path, key)!.block;
    const worker = new Worker(
      `const { parentPort } = require('node:worker_threads');
       parentPort.once('message', (columns) => { columns[5][3] = -1; parentPort.postMessage(columns[4][7]); });`,
      { eval: true },
    );
    const answer = await new Promise((resolve) => {
      worker.once('message', resolve);
      worker.postMessage(columns);
    });
    await worker.terminate();
    expect(answer).toBe(block.columns[4]![7]);
    expect(columns[5]![3]).toBe(-1);
    expect(readFileSync(path).equals(good)).toBe(true);
    expect(readColumnsFile(path, key)!.block.columns).toEqual(block.columns);
  });

  it.skipIf(process.platform === 'win32')('may be written by nobody once it stands there', () => {
    expect(statSync(path).mode & 0o777).toBe(0o444);
    expect(writeColumnsFile(path, key, block)).toBe(true);
  });
});

describe('in a process of its own', () => {
  /** What a script prints that begins with `read`, which opens the file. */
  function run(options: readonly string[], text: string): string {
    const script = join(dir, 'script.ts');
    writeFileSync(
      script,
      `import { readFileSync } from 'node:fs';
       import { readColumnsFile } from ${JSON.stringify(join(import.meta.dirname, 'columns-file.ts'))};
       const read = () => readColumnsFile(${JSON.stringify(path)}, ${JSON.stringify(key)})!;
       ${text}`,
    );
    const done = spawnSync(process.execPath, [...options, script], { encoding: 'utf8' });
    expect(done.status, done.stderr).toBe(0);
    return done.stdout.trim();
  }

  it('is read where native code is forbidden', () => {
    const text = 'const { from, block } = read(); console.log(from, block.columns[4][7]);';
    expect(run(['--permission', '--allow-fs-read=*'], text)).toBe(`cache ${block.columns[4]![7]}`);
  });

  it('is read from the first time on that a mapping failed', () => {
    const text = `const { mapFile } = await import(${JSON.stringify(join(import.meta.dirname, 'map-file.ts'))});
       console.log(read().from, mapFile(-1, 8192), read().from, read().block.columns[4][7]);`;
    expect(run([], text)).toBe(`${isMappable ? 'mapped' : 'cache'} null cache ${block.columns[4]![7]}`);
  });

  it.runIf(isMappable && process.platform === 'linux')(
    'is taken down when nobody holds it, and not before',
    () => {
      const printed = run(
        ['--expose-gc'],
        `const count = () => readFileSync('/proc/self/maps', 'utf8').split('x.columns').length - 1;
       const turn = async () => { for (let i = 0; i < 4; i++) { gc(); await new Promise((go) => setTimeout(go, 20)); } };
       let column = read().block.columns[4];
       await turn();
       console.log(count(), column[7]);
       column = null;
       for (let i = 0; i < 1200; i++) read();
       await turn();
       console.log(count());`,
      );
      expect(printed.split('\n')).toEqual([`1 ${block.columns[4]![7]}`, '0']);
    },
  );
});
