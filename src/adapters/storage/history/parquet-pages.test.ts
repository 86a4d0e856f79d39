import { mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Chance, MINUTE } from '#base';
import { instrumentIdOf } from '#market';
import { checksumOf, columnBlock, contentHash } from './column-block.ts';
import type { StoredSeries } from './manifest.ts';
import { readParquetColumns, writeParquetColumns } from './parquet-columns.ts';
import { type PageAt, ROW_GROUP, readPages } from './parquet-pages.ts';
import type { SeriesName } from './series-name.ts';

const dir = mkdtempSync(join(tmpdir(), 'pages-'));
afterAll(() => rmSync(dir, { recursive: true }));

const name: SeriesName = { kind: 'bars', instrument: instrumentIdOf('X.LOCAL'), intervalMs: MINUTE };
/** More than one row group, with a hole, prices that repeat, figures that do not, and a column of one value. */
const ROWS = ROW_GROUP + 3_000;
const START = 1_688_169_600_000;
const block = columnBlock(ROWS, 6);
const path = join(dir, 'x.parquet');
let stored: StoredSeries;

beforeAll(async () => {
  const chance = new Chance('pages');
  const [time, open, high, low, close, volume] = block.columns as Float64Array[];
  for (let i = 0; i < ROWS; i++) {
    time![i] = START + (i + (i > 1000 ? 7 : 0)) * MINUTE;
    open![i] = 100 + (i % 50) / 100;
    high![i] = 101 + chance.uniform();
    low![i] = -0;
    close![i] = 1e-300 * i;
    volume![i] = 0;
  }
  const hash = contentHash(name, block);
  const pages = await writeParquetColumns(path, name, block, hash);
  stored = {
    id: 'X.LOCAL@1m',
    rows: ROWS,
    first: time![0]!,
    last: time![ROWS - 1]!,
    hash,
    checksum: checksumOf(block),
    file: 'x.parquet',
    pages,
    imports: [],
  };
});

const read = (pages: readonly PageAt[], from = path) => {
  const into = columnBlock(ROWS, 6);
  const done = readPages(from, pages, into.columns, (column) => column === 0);
  return done && checksumOf(into) === stored.checksum;
};

describe('pages', () => {
  it('are the columns, bit for bit', () => {
    expect(stored.pages).toHaveLength(12);
    expect(read(stored.pages)).toBe(true);
  });

  it('and DuckDB read the same from one file', async () => {
    const paged = await readParquetColumns(path, name, stored);
    const plain = await readParquetColumns(path, name, { ...stored, pages: [] });
    expect(checksumOf(paged)).toBe(stored.checksum);
    expect(checksumOf(plain)).toBe(stored.checksum);
    expect(Object.is(paged.columns[3]![5], -0)).toBe(true);
  });

  it('that stand elsewhere, end early or are not there are told, and DuckDB reads the file', async () => {
    const { size } = statSync(path);
    const wrong: (readonly PageAt[])[] = [
      [],
      stored.pages.slice(1),
      stored.pages.slice(6),
      stored.pages.map(([offset, bytes]) => [offset + 700, bytes - 700]),
      stored.pages.map(([offset, bytes]) => [offset, bytes - 1]),
      stored.pages.map(([, bytes]) => [size - 4, bytes]),
      stored.pages.toReversed(),
    ];
    for (const pages of wrong) {
      expect(read(pages)).toBe(false);
      expect(checksumOf(await readParquetColumns(path, name, { ...stored, pages }))).toBe(stored.checksum);
    }
  });

  it('of a damaged file are not believed', async () => {
    const bad = join(dir, 'bad.parquet');
    const bytes = readFileSync(path);
    bytes[Math.floor(bytes.length / 2)]! ^= 1;
    writeFileSync(bad, bytes);
    expect(read(stored.pages, bad)).toBe(false);
    await expect(readParquetColumns(bad, name, stored)).rejects.toThrow(/is damaged/);
    truncateSync(bad, 1000);
    expect(read(stored.pages, bad)).toBe(false);
    expect(read(stored.pages, join(dir, 'nowhere'))).toBe(false);
    await expect(readParquetColumns(bad, name, stored)).rejects.toThrow(/cannot be read as Parquet/);
  });
});
