import type { DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { InputError } from '#base';

export type Duckdb = typeof import('@duckdb/node-api');

/** Loads DuckDB, or says what it is needed for. The native library is 60 MB: only who meets a Parquet file pays for it. */
async function loadDuckdb(): Promise<Duckdb> {
  try {
    return await import('@duckdb/node-api');
  } catch (cause) {
    throw new InputError(
      `Parquet needs the package @duckdb/node-api (${cause instanceof Error ? cause.message : cause})`,
      'install it, or use CSV',
    );
  }
}

/** Databases in memory by their number of threads. One takes 15 ms to make, more than a small file takes to read. */
const instances = new Map<number, Promise<DuckDBInstance>>();

/**
 * Runs `work` on a connection to a database in memory and closes the connection whatever happens. Tables must be temporary,
 * so that no other connection meets them and they go with this one.
 */
export async function withDuckdb<T>(
  work: (connection: DuckDBConnection, duckdb: Duckdb) => Promise<T>,
  threads = 2,
): Promise<T> {
  const duckdb = await loadDuckdb();
  const instance =
    instances.get(threads) ?? duckdb.DuckDBInstance.create(':memory:', { threads: String(threads) });
  instances.set(threads, instance);
  const connection = await (await instance).connect();
  try {
    // times with a zone must not become those of this machine's zone
    await connection.run("set TimeZone = 'UTC'");
    return await work(connection, duckdb);
  } finally {
    connection.closeSync();
  }
}

/** A text as SQL literal. */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** A column's name in SQL. */
export function quotedName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** The first line of what DuckDB says went wrong. */
export function duckdbReason(cause: unknown): string {
  return cause instanceof Error ? cause.message.split('\n')[0]! : String(cause);
}

/** What DuckDB says when a disk, a quota or a limit on file sizes is used up. */
const NO_ROOM = /no space left|file too large|disk quota|disk is full|could not write all bytes/i;

/** A failed write of `path` as the error the operating system would have given; DuckDB only tells a text. */
export function asWriteError(path: string, cause: unknown): Error {
  const reason = duckdbReason(cause);
  if (!NO_ROOM.test(reason)) {
    return new InputError(`${path} cannot be written: ${reason}`, 'check the folder and its permissions');
  }
  return Object.assign(new Error(`${path}: ${reason}`), { code: 'ENOSPC', syscall: 'write', path });
}
