import { closeSync, fsyncSync, openSync, renameSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { InputError } from '#base';
import { asWriteError, quoted, quotedName, withDuckdb } from './duckdb.ts';
import { syncDirectory } from './durable-file.ts';
import { makeFolder } from './make-folder.ts';

/** A column of a table for other programs; null is NULL. */
export type ParquetColumn =
  | { readonly name: string; readonly type: 'whole'; readonly values: ArrayLike<number> }
  | { readonly name: string; readonly type: 'float'; readonly values: ArrayLike<number | null> }
  | { readonly name: string; readonly type: 'text'; readonly values: ArrayLike<string | null> };

const TYPES = { whole: 'BIGINT', float: 'DOUBLE', text: 'VARCHAR' } as const;

/**
 * Writes columns of equal length as one Parquet file (zstd), which appears whole or not at all. Numbers that are not finite are
 * NULL. Throws InputError where the place cannot be written, and ENOSPC where the disk is full.
 */
export async function writeParquetTable(path: string, columns: readonly ParquetColumn[]): Promise<void> {
  makeFolder(dirname(path));
  const part = `${path}.part`;
  try {
    await withDuckdb(async (connection) => {
      const declared = columns.map(({ name, type }) => `${quotedName(name)} ${TYPES[type]}`);
      await connection.run(`create temp table exported (${declared.join(', ')})`);
      const appender = await connection.createAppender('exported', 'main', 'temp');
      const rows = columns[0]?.values.length ?? 0;
      for (let row = 0; row < rows; row++) {
        for (const column of columns) {
          const value = column.values[row];
          if (value == null || (typeof value === 'number' && !Number.isFinite(value))) appender.appendNull();
          else if (typeof value === 'string') appender.appendVarchar(value);
          else if (column.type === 'whole') appender.appendBigInt(BigInt(value));
          else appender.appendDouble(value);
        }
        appender.endRow();
      }
      appender.closeSync();
      await connection.run(`copy exported to ${quoted(part)} (format parquet, compression zstd)`);
      await connection.run('drop table exported');
    }, 1);
    const fd = openSync(part, 'r+');
    fsyncSync(fd);
    closeSync(fd);
    renameSync(part, path);
    syncDirectory(dirname(path));
  } catch (cause) {
    rmSync(part, { force: true });
    const isSaid =
      cause instanceof InputError || typeof (cause as { syscall?: unknown }).syscall === 'string';
    throw isSaid ? cause : asWriteError(path, cause);
  }
}
