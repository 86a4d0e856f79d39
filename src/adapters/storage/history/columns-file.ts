import { closeSync, fstatSync, openSync, readSync, renameSync, rmSync, writeSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { crc32 } from 'node:zlib';
import { isSystemError } from '../durable-file.ts';
import { makeFolder } from '../make-folder.ts';
import { type ColumnBlock, columnBlock } from './column-block.ts';

/** What a cache file must have been made from to be used. */
export interface ColumnsKey {
  /** Name of the series, and what its columns are. */
  readonly series: string;
  readonly columns: readonly string[];
  readonly rows: number;
  /** SHA-256 of the contents as the store's list states it. */
  readonly hash: string;
  /** The Parquet file: name, size and time of change. */
  readonly parquet: string;
  /** CRC-32 over the columns. */
  readonly checksum: number;
}

/** A header fills one page, so that the columns begin on one. */
const HEADER_BYTES = 4096;
const MAGIC = 'quorum columns 1';
/** Pieces that stay in the processor's cache between reading and checking them. */
const READ_BYTES = 1 << 19;
const WRITE_BYTES = 1 << 26;

/** Doubles are written as the machine holds them; a cache from one of the other kind is made again. */
const BYTE_ORDER = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1 ? 'little' : 'big';

function headerText(key: ColumnsKey): string {
  const { series, columns, rows, hash, parquet, checksum } = key;
  const text = JSON.stringify([MAGIC, BYTE_ORDER, series, columns, rows, hash, parquet, checksum]);
  return `${text} ${crc32(text).toString(16).padStart(8, '0')}`;
}

/**
 * Reads a cache file straight into shared memory. Null when there is none, when it was made from something else, and
 * when a byte of it is not what was written: it is then made again from the Parquet file.
 */
export function readColumnsFile(path: string, key: ColumnsKey): ColumnBlock | null {
  let fd: number;
  try {
    fd = openSync(path, 'r');
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'ENOTDIR', 'EACCES', 'EISDIR')) return null;
    throw error;
  }
  try {
    const dataBytes = key.rows * key.columns.length * 8;
    if (fstatSync(fd).size !== HEADER_BYTES + dataBytes) return null;
    const header = Buffer.alloc(HEADER_BYTES);
    if (readSync(fd, header, 0, HEADER_BYTES, 0) !== HEADER_BYTES) return null;
    if (header.toString('utf8').trimEnd() !== headerText(key)) return null;
    const block = columnBlock(key.rows, key.columns.length);
    return readChecked(fd, new Uint8Array(block.buffer)) === key.checksum ? block : null;
  } catch (error) {
    if (isSystemError(error, 'EIO', 'EISDIR')) return null;
    throw error;
  } finally {
    closeSync(fd);
  }
}

/** Fills `bytes` from behind the header and returns their CRC-32; null when the file ends early. */
function readChecked(fd: number, bytes: Uint8Array): number | null {
  let checksum = 0;
  for (let done = 0; done < bytes.length; ) {
    const most = Math.min(READ_BYTES, bytes.length - done);
    const read = readSync(fd, bytes, done, most, HEADER_BYTES + done);
    if (read === 0) return null;
    checksum = crc32(bytes.subarray(done, done + read), checksum);
    done += read;
  }
  return checksum;
}

let temporaries = 0;

/**
 * Writes a cache file, which appears whole or not at all. It is not synced: after a power cut its checksum tells.
 * Returns false where it cannot be written (no room, no permission): a cache is not needed to read a series.
 */
export function writeColumnsFile(path: string, key: ColumnsKey, block: ColumnBlock): boolean {
  const header = Buffer.alloc(HEADER_BYTES, 0x20);
  const text = headerText(key);
  if (Buffer.byteLength(text) > HEADER_BYTES) return false;
  header.write(text, 0, 'utf8');
  const temporary = join(dirname(path), `.${basename(path)}.${process.pid}-${temporaries++}.tmp`);
  try {
    makeFolder(dirname(path));
  } catch {
    return false;
  }
  try {
    const fd = openSync(temporary, 'wx');
    try {
      writeAll(fd, header);
      writeAll(fd, new Uint8Array(block.buffer));
    } finally {
      closeSync(fd);
    }
    renameSync(temporary, path);
    return true;
  } catch {
    rmSync(temporary, { force: true });
    return false;
  }
}

function writeAll(fd: number, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length; )
    done += writeSync(fd, bytes, done, Math.min(WRITE_BYTES, bytes.length - done));
}
