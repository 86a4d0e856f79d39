import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { InputError } from '#base';

const unzip = promisify(gunzip);

export type FileFormat = 'csv' | 'jsonl' | 'parquet';

/** A data file in memory, unpacked; a Parquet file is left to its reader and has no bytes. */
export interface OpenedFile {
  readonly path: string;
  readonly format: FileFormat;
  readonly bytes: Uint8Array;
}

/** Reads and unpacks a data file. The format follows the content first, then the name. Throws InputError with the cause. */
export async function openDataFile(path: string): Promise<OpenedFile> {
  let raw: Uint8Array;
  try {
    raw = await readFile(path);
  } catch (cause) {
    throw unreadable(path, cause);
  }
  if (raw.length === 0) throw new InputError(`${path} is empty`, 'give a file with a header line and rows');
  if (raw[0] === 0x50 && raw[1] === 0x41 && raw[2] === 0x52 && raw[3] === 0x31) {
    return { path, format: 'parquet', bytes: new Uint8Array(0) };
  }
  if (/\.(parquet|pq)$/i.test(path)) {
    throw new InputError(`${path} is not a Parquet file`, 'give the whole file, or name a CSV file .csv');
  }
  const bytes = await unpacked(path, raw);
  let first = 0;
  while (first < bytes.length && bytes[first]! <= 32) first += 1;
  return { path, format: bytes[first] === 0x7b ? 'jsonl' : 'csv', bytes };
}

async function unpacked(path: string, raw: Uint8Array): Promise<Uint8Array> {
  const packed = raw[0] === 0x1f && raw[1] === 0x8b;
  if (!packed) {
    if (/\.gz$/i.test(path)) {
      throw new InputError(
        `${path} is named .gz but is not gzip`,
        'pack it with gzip, or take .gz off the name',
      );
    }
    if (raw.subarray(0, 4096).includes(0)) {
      throw new InputError(`${path} is not a text file`, 'give CSV, gzip CSV, JSON lines or Parquet');
    }
    return raw;
  }
  try {
    return await unzip(raw);
  } catch (cause) {
    const text = cause instanceof Error ? cause.message : String(cause);
    const what = /unexpected end/i.test(text)
      ? 'is a gzip file that ends early'
      : `cannot be unpacked (${text})`;
    throw new InputError(`${path} ${what}`, 'copy or download it again');
  }
}

function unreadable(path: string, cause: unknown): InputError {
  const code = (cause as { code?: string }).code;
  if (code === 'ENOENT') return new InputError(`${path} does not exist`, 'check the path');
  if (code === 'EISDIR') return new InputError(`${path} is a folder`, 'name a file in it');
  if (code === 'EACCES') return new InputError(`${path} may not be read`, 'check its permissions');
  return new InputError(
    `${path} cannot be read: ${cause instanceof Error ? cause.message : cause}`,
    'check the path',
  );
}

/** `[INSTRUMENT=]FILE`. What stands before `=` is an instrument unless it looks like a path. */
export function parseFileArgument(argument: string): { instrument: string | null; path: string } {
  const equals = argument.indexOf('=');
  if (equals < 0) return { instrument: null, path: argument };
  const instrument = argument.slice(0, equals);
  if (/[/\\]/.test(instrument)) return { instrument: null, path: argument };
  const path = argument.slice(equals + 1);
  if (instrument === '' || path === '') {
    throw new InputError(`"${argument}" is not INSTRUMENT=FILE`, 'write for example BTCUSDT=bars.csv.gz');
  }
  return { instrument, path };
}

/** The symbol in a file's name: what stands before the first `-` or `.` (`BTCUSDT-5m-2023.csv.gz` gives `BTCUSDT`). */
export function symbolOfFile(path: string): string {
  const symbol = basename(path).split(/[-.]/, 1)[0]!;
  if (symbol === '') throw new InputError(`${path} has no symbol in its name`, 'write INSTRUMENT=FILE');
  return symbol;
}
