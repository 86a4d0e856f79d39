import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { zstdDecompressSync } from 'node:zlib';
import type { DuckDBConnection } from '@duckdb/node-api';
import { quoted } from '../duckdb.ts';

/** Where one column of one row group stands in a Parquet file. */
export type PageAt = readonly [offset: number, bytes: number];

/**
 * How a store writes Parquet: plain values without a dictionary, one page for each column of a row group, packed by zstd.
 * Such a page is the column's doubles themselves behind a few bytes. On prices zstd alone packs about as well as a
 * dictionary does, and no values have to be put together again one by one.
 */
export const ROW_GROUP = 120 * 2048;
export const PARQUET_FORMAT = `format parquet, compression zstd, dictionary_size_limit 0, row_group_size ${ROW_GROUP}`;

/** The pages of a file that was just written, group by group; none when it has another layout than {@link readPages} reads. */
export async function pagesOf(
  connection: DuckDBConnection,
  path: string,
  columns: number,
): Promise<readonly PageAt[]> {
  const read = await connection.runAndReadAll(
    `select data_page_offset::double, total_compressed_size::double, encodings, compression, dictionary_page_offset
     from parquet_metadata(${quoted(path)}) order by row_group_id, column_id`,
  );
  const rows = read.getRows();
  const isPlain = rows.every(
    ([, , encodings, compression, dictionary]) =>
      encodings === 'PLAIN' && compression === 'ZSTD' && dictionary === null,
  );
  if (!isPlain || rows.length % columns !== 0) return [];
  return rows.map(([offset, bytes]): PageAt => [offset as number, bytes as number]);
}

/** First bytes of what zstd has packed (RFC 8878). */
const ZSTD_MAGIC = Buffer.of(0x28, 0xb5, 0x2f, 0xfd);
/** A page's header is shorter than this. */
const HEADER_MOST = 512;
/** What stands before the values of a page: its length and the levels that say that none is missing. */
const LEVELS_MOST = 1024;

/**
 * Fills columns from the pages of a Parquet file. `pages` are group by group, column by column; a column that is null is
 * passed over. Whole numbers of 64 bits become doubles where `isWhole` says so. Returns false when anything is not as
 * expected; what was filled so far is then worth nothing. The caller compares checksums.
 */
export function readPages(
  path: string,
  pages: readonly PageAt[],
  columns: readonly (Float64Array | null)[],
  isWhole: (column: number) => boolean,
): boolean {
  if (pages.length === 0 || pages.length % columns.length !== 0) return false;
  let fd: number;
  try {
    fd = openSync(path, 'r');
  } catch {
    return false;
  }
  try {
    const { size } = fstatSync(fd);
    if (pages.some(([offset, bytes]) => offset + bytes > size)) return false;
    const packed = Buffer.allocUnsafe(Math.max(...pages.map(([, bytes]) => bytes)));
    return pages.every((page, i) => {
      const c = i % columns.length;
      const column = columns[c]!;
      return (
        column === null || readPage(fd, page, packed, column, Math.floor(i / columns.length), isWhole(c))
      );
    });
  } catch {
    return false;
  } finally {
    closeSync(fd);
  }
}

function readPage(
  fd: number,
  [offset, bytes]: PageAt,
  packed: Buffer,
  column: Float64Array,
  group: number,
  isWhole: boolean,
): boolean {
  const from = group * ROW_GROUP;
  const rows = Math.min(ROW_GROUP, column.length - from);
  if (rows <= 0 || readSync(fd, packed, 0, bytes, offset) !== bytes) return false;
  const begin = packed.subarray(0, Math.min(bytes, HEADER_MOST)).indexOf(ZSTD_MAGIC);
  if (begin < 0) return false;
  const most = rows * 8 + LEVELS_MOST;
  const values = zstdDecompressSync(packed.subarray(begin, bytes), {
    chunkSize: most,
    maxOutputLength: most,
  });
  const first = values.length - rows * 8;
  if (first < 0) return false;
  if (isWhole) putWhole(values, first, column, from, rows);
  else new Uint8Array(column.buffer, column.byteOffset + from * 8, rows * 8).set(values.subarray(first));
  return true;
}

const TWO_32 = 2 ** 32;

function putWhole(values: Buffer, first: number, column: Float64Array, from: number, rows: number): void {
  const view = new DataView(values.buffer, values.byteOffset + first, rows * 8);
  for (let i = 0; i < rows; i++)
    column[from + i] = view.getInt32(i * 8 + 4, true) * TWO_32 + view.getUint32(i * 8, true);
}
