import { closeSync, fstatSync, openSync, readSync, renameSync, rmSync, writeSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { crc32 } from 'node:zlib';
import { isSystemError } from '../durable-file.ts';
import { makeFolder } from '../make-folder.ts';
import { blockOver, type ColumnBlock, columnBlock } from './column-block.ts';
import { type MapFile, mapFile } from './map-file.ts';
import { xxh64In, xxh64Of } from './xxh64.ts';

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

/** The columns of a cache file, and whether they are the file's own pages or a copy of them. */
export interface CachedColumns {
  readonly block: ColumnBlock;
  readonly from: 'mapped' | 'cache';
}

/** The columns begin behind the header, where a double may stand. */
const HEADER_BYTES = 4096;
const MAGIC = 'quorum columns 2';
/** Smaller files are read: that takes less than a millisecond, and each mapping takes a range of addresses. */
const MAPPED_LEAST = 1 << 20;
/**
 * Nobody writes into a cache file once it stands there: one that shrank under a mapping would end the process. Windows,
 * where none is mapped, would not let a file be replaced that may not be written.
 */
const MODE = process.platform === 'win32' ? 0o666 : 0o444;
/** Pieces that stay in the processor's cache between reading and checking them. */
const READ_BYTES = 1 << 19;
const WRITE_BYTES = 1 << 26;

/** Doubles are written as the machine holds them; a cache from one of the other kind is made again. */
const BYTE_ORDER = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1 ? 'little' : 'big';

/** `digest` is the XXH64 of the columns as they were written, in sixteen hexadecimal digits. */
function headerText(key: ColumnsKey, digest: string): string {
  const { series, columns, rows, hash, parquet, checksum } = key;
  const text = JSON.stringify([MAGIC, BYTE_ORDER, series, columns, rows, hash, parquet, checksum, digest]);
  return `${text} ${crc32(text).toString(16).padStart(8, '0')}`;
}

const hex = (digest: bigint): string => digest.toString(16).padStart(16, '0');

/** The digest that a header states; null when it is not the header of this key. */
function digestIn(header: string, key: ColumnsKey): string | null {
  const [, digest] = /"([0-9a-f]{16})"\] [0-9a-f]{8}$/.exec(header) ?? [];
  return digest !== undefined && header === headerText(key, digest) ? digest : null;
}

/**
 * The columns of a cache file in shared memory: mapped where the machine can and the file is worth it, else read. Null when
 * there is none, when it was made from something else, and when a byte of it is not what was written: it is then made again
 * from the Parquet file. Every byte is checked either way.
 */
export function readColumnsFile(
  path: string,
  key: ColumnsKey,
  map: MapFile | null = mapFile,
): CachedColumns | null {
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
    const digest = digestIn(header.toString('utf8').trimEnd(), key);
    if (digest === null) return null;
    const bytes = HEADER_BYTES + dataBytes;
    const memory = bytes >= MAPPED_LEAST ? (map?.(fd, bytes) ?? null) : null;
    if (memory !== null) {
      const block = blockOver(memory.buffer, HEADER_BYTES, key.rows, key.columns.length);
      return hex(xxh64In(memory, block.bytes)) === digest ? { block, from: 'mapped' } : null;
    }
    const block = columnBlock(key.rows, key.columns.length);
    return readChecked(fd, block.bytes) === key.checksum ? { block, from: 'cache' } : null;
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
  const text = headerText(key, hex(xxh64Of(block.bytes)));
  if (Buffer.byteLength(text) > HEADER_BYTES) return false;
  header.write(text, 0, 'utf8');
  const temporary = join(dirname(path), `.${basename(path)}.${process.pid}-${temporaries++}.tmp`);
  try {
    makeFolder(dirname(path));
  } catch {
    return false;
  }
  try {
    const fd = openSync(temporary, 'wx', MODE);
    try {
      writeAll(fd, header);
      writeAll(fd, block.bytes);
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
