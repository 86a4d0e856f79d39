import { renameSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { makeFolder } from '#adapters';
import { InputError } from '#base';
import type { BarColumns } from '#market';

/** Feature columns beside the open times of their bars; NaN where a feature is not defined. */
export interface FeatureTable {
  readonly times: BarColumns['time'];
  readonly rows: number;
  readonly columns: ReadonlyMap<string, Float64Array>;
}

const ROWS_PER_PIECE = 10_000;

/** The table as CSV in pieces: shortest text that reads back as the same double, empty while not defined. */
export function* csvPieces(table: FeatureTable): Generator<string, void, void> {
  const names = [...table.columns.keys()];
  const columns = [...table.columns.values()];
  yield `${['time', ...names].join(',')}\n`;
  for (let from = 0; from < table.rows; from += ROWS_PER_PIECE) {
    const to = Math.min(table.rows, from + ROWS_PER_PIECE);
    let text = '';
    for (let i = from; i < to; i++) {
      text += table.times[i];
      for (const column of columns) text += Number.isFinite(column[i]!) ? `,${column[i]}` : ',';
      text += '\n';
    }
    yield text;
  }
}

/** The rows as `[time, value or null, ...]`. */
export function jsonRows(table: FeatureTable): (number | null)[][] {
  const columns = [...table.columns.values()];
  return Array.from({ length: table.rows }, (_, i) => [
    table.times[i]!,
    ...columns.map((column) => (Number.isFinite(column[i]!) ? column[i]! : null)),
  ]);
}

/** First row in which each column has a value; null when it never has. */
export function firstRows(table: FeatureTable): Record<string, number | null> {
  const out: Record<string, number | null> = {};
  for (const [name, column] of table.columns) {
    const row = column.findIndex((value) => Number.isFinite(value));
    out[name] = row < 0 ? null : row;
  }
  return out;
}

/** Writes the table as Parquet (zstd): time BIGINT, a DOUBLE per column, NULL while not defined. */
export async function writeParquet(path: string, table: FeatureTable): Promise<void> {
  let duckdb: typeof import('@duckdb/node-api');
  try {
    duckdb = await import('@duckdb/node-api');
  } catch {
    throw new InputError('Parquet needs the package @duckdb/node-api', 'install it, or name the file .csv');
  }
  makeFolder(dirname(path));
  const part = `${path}.part`;
  const instance = await duckdb.DuckDBInstance.create(':memory:', { threads: '2' });
  const connection = await instance.connect();
  try {
    const columns = [...table.columns];
    const types = ['time BIGINT', ...columns.map(([name]) => `"${name}" DOUBLE`)];
    await connection.run(`create table features (${types.join(', ')})`);
    const appender = await connection.createAppender('features');
    for (let i = 0; i < table.rows; i++) {
      appender.appendBigInt(BigInt(table.times[i]!));
      for (const [, values] of columns) {
        if (Number.isFinite(values[i]!)) appender.appendDouble(values[i]!);
        else appender.appendNull();
      }
      appender.endRow();
    }
    appender.closeSync();
    await connection.run(
      `copy features to '${part.replaceAll("'", "''")}' (format parquet, compression zstd)`,
    );
    renameSync(part, path);
  } catch (cause) {
    const text = cause instanceof Error ? cause.message.split('\n')[0] : String(cause);
    throw new InputError(`${path} cannot be written: ${text}`, 'check the folder and its permissions');
  } finally {
    rmSync(part, { force: true });
    connection.closeSync();
    instance.closeSync();
  }
}
