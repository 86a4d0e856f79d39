import { closeSync, fsyncSync, openSync, rmSync, statSync } from 'node:fs';
import { DAY, InputError } from '#base';
import { asWriteError, duckdbReason, quoted, quotedName, withDuckdb } from '../duckdb.ts';
import { isSystemError } from '../durable-file.ts';
import { type ColumnBlock, checksumOf, columnBlock } from './column-block.ts';
import type { StoredSeries } from './manifest.ts';
import { PARQUET_FORMAT, type PageAt, pagesOf, readPages } from './parquet-pages.ts';
import { columnsOf, formatSeriesName, type SeriesName } from './series-name.ts';

/** Rows of one chunk: DuckDB's vector size. */
const CHUNK = 2048;

/** Times are whole numbers in Parquet, so that other programs read them as such. */
const isTime = (column: string) => column === 'time' || column === 'published_at';
/** Only the mark of funding may be unknown: NULL in Parquet, NaN in memory. */
const mayBeUnknown = (column: string) => column === 'mark';

/**
 * Writes a series as Parquet and makes it durable; returns where its pages stand. Other programs find the open columns, and
 * the series' name and hash as key-value metadata. Nothing stays behind when it fails: InputError, or ENOSPC where the disk is full.
 */
export async function writeParquetColumns(
  path: string,
  name: SeriesName,
  block: ColumnBlock,
  hash: string,
): Promise<readonly PageAt[]> {
  const columns = columnsOf(name.kind);
  try {
    const pages = await withDuckdb(async (connection, duckdb) => {
      const types = columns.map((column) => (isTime(column) ? duckdb.BIGINT : duckdb.DOUBLE));
      const declared = columns.map((column, i) => `${quotedName(column)} ${types[i]}`);
      await connection.run(`create temp table series (${declared.join(', ')})`);
      const appender = await connection.createAppender('series', 'main', 'temp');
      for (let from = 0; from < block.rows; from += CHUNK) {
        const rows = Math.min(CHUNK, block.rows - from);
        const chunk = duckdb.DuckDBDataChunk.create(types, rows);
        columns.forEach((column, i) => {
          const values = block.columns[i]!;
          const vector = chunk.getColumnVector(i);
          if (isTime(column)) {
            const { items } = vector as unknown as { items: BigInt64Array };
            for (let k = 0; k < rows; k++) items[k] = BigInt(values[from + k]!);
          } else {
            const { items } = vector as unknown as { items: Float64Array };
            items.set(values.subarray(from, from + rows));
          }
          vector.flush();
        });
        appender.appendDataChunk(chunk);
      }
      appender.closeSync();
      const list = columns.map((column) => {
        const quotedColumn = quotedName(column);
        return mayBeUnknown(column)
          ? `case when isnan(${quotedColumn}) then null else ${quotedColumn} end as ${quotedColumn}`
          : quotedColumn;
      });
      const metadata = `kv_metadata {quorum_series: ${quoted(formatSeriesName(name))}, quorum_hash: ${quoted(hash)}}`;
      await connection.run(
        `copy (select ${list.join(', ')} from series) to ${quoted(path)} (${PARQUET_FORMAT}, ${metadata})`,
      );
      return name.kind === 'bars' ? pagesOf(connection, path, columns.length) : [];
    });
    sync(path);
    return pages;
  } catch (cause) {
    rmSync(path, { force: true });
    if (cause instanceof InputError || typeof (cause as { syscall?: unknown }).syscall === 'string')
      throw cause;
    throw asWriteError(path, cause);
  }
}

function sync(path: string): void {
  const fd = openSync(path, 'r+');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** Name, size and time of change of a Parquet file: what its cache belongs to. Throws InputError when it is gone. */
export function parquetIdentity(path: string, stored: StoredSeries): string {
  try {
    const { size, mtimeNs } = statSync(path, { bigint: true });
    return `${stored.file} ${size} ${mtimeNs}`;
  } catch (error) {
    if (!isSystemError(error, 'ENOENT')) throw error;
    throw new InputError(
      `${path} is missing, which holds ${stored.id}`,
      'restore it from a copy of the store, or drop it with `quorum data remove` and import it again',
    );
  }
}

/**
 * Whether bars follow one another without a hole. They are at least an interval apart, so it is enough that all of them
 * together take no more room than that. Days are left out: with daylight saving they may be longer and shorter.
 */
function isGapless(name: SeriesName, { rows, first, last }: StoredSeries): boolean {
  return name.kind === 'bars' && name.intervalMs < DAY && last - first === (rows - 1) * name.intervalMs;
}

/**
 * Reads a stored series from Parquet into shared memory: bars page by page, what is not laid out for that through DuckDB.
 * Times that follow from the first one are reckoned and not read. Throws InputError when the file cannot be read or does
 * not hold what was imported.
 */
export async function readParquetColumns(
  path: string,
  name: SeriesName,
  stored: StoredSeries,
): Promise<ColumnBlock> {
  const columns = columnsOf(name.kind);
  const block = columnBlock(stored.rows, columns.length);
  const from = isGapless(name, stored) ? 1 : 0;
  if (from === 1 && name.kind === 'bars') fillTimes(block.columns[0]!, stored.first, name.intervalMs);
  const isRead = readPages(
    path,
    stored.pages,
    block.columns.map((column, i) => (i < from ? null : column)),
    (i) => isTime(columns[i]!),
  );
  if (isRead && checksumOf(block) === stored.checksum) return block;
  // whatever is wrong, DuckDB says it better
  try {
    await fillFrom(path, columns.slice(from), block.columns.slice(from), stored);
  } catch (cause) {
    if (cause instanceof InputError) throw cause;
    throw damage(path, stored, `cannot be read as Parquet: ${duckdbReason(cause)}`);
  }
  columns.forEach((column, i) => {
    if (mayBeUnknown(column)) canonicalNaN(block.columns[i]!);
  });
  if (checksumOf(block) !== stored.checksum)
    throw damage(path, stored, 'holds other figures than were imported');
  return block;
}

function fillTimes(time: Float64Array, first: number, intervalMs: number): void {
  for (let i = 0; i < time.length; i++) time[i] = first + i * intervalMs;
}

/**
 * Reads the named columns of a Parquet file into arrays of the right length, chunk by chunk. One thread: more of them take
 * more processor time for the same result.
 */
async function fillFrom(
  path: string,
  columns: readonly string[],
  into: readonly Float64Array[],
  stored: StoredSeries,
): Promise<void> {
  const list = columns.map((column) => {
    if (mayBeUnknown(column)) return `coalesce(${quotedName(column)}, 'NaN'::DOUBLE)`;
    return isTime(column) ? `${quotedName(column)}::DOUBLE` : quotedName(column);
  });
  await withDuckdb(async (connection) => {
    const result = await connection.stream(`select ${list.join(', ')} from read_parquet(${quoted(path)})`);
    let at = 0;
    for (;;) {
      const chunk = await result.fetchChunk();
      const rows = chunk?.rowCount ?? 0;
      if (chunk === null || rows === 0) break;
      if (at + rows > stored.rows) throw damage(path, stored, `holds more than ${stored.rows} rows`);
      into.forEach((column, i) => {
        const { items } = chunk.getColumnVector(i) as unknown as { items: unknown };
        if (!(items instanceof Float64Array)) throw damage(path, stored, 'has a column of another type');
        column.set(items, at);
      });
      at += rows;
    }
    if (at !== stored.rows) throw damage(path, stored, `holds ${at} rows instead of ${stored.rows}`);
  }, 1);
}

/** NaN has many bit patterns; the checksum knows one. */
export function canonicalNaN(column: Float64Array): void {
  for (let i = 0; i < column.length; i++) if (Number.isNaN(column[i])) column[i] = Number.NaN;
}

function damage(path: string, stored: StoredSeries, what: string): InputError {
  return new InputError(
    `${path} is damaged: it ${what} (${stored.id})`,
    'restore it from a copy of the store, or drop it with `quorum data remove` and import it again',
  );
}
