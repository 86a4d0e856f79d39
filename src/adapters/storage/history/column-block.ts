import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { type BarColumns, columnsOver } from '#market';
import type { SeriesName } from './series-name.ts';

/** The columns of one series, one after the other in memory that threads share without copies. */
export interface ColumnBlock {
  readonly rows: number;
  readonly buffer: SharedArrayBuffer;
  /** The columns' bytes within the memory. */
  readonly bytes: Uint8Array;
  readonly columns: readonly Float64Array[];
}

/** Room for `count` columns of `rows` doubles, all zero. */
export function columnBlock(rows: number, count: number): ColumnBlock {
  return blockOver(new SharedArrayBuffer(rows * count * 8), 0, rows, count);
}

/** The columns in memory that is filled already, from a byte of it on. */
export function blockOver(buffer: SharedArrayBuffer, from: number, rows: number, count: number): ColumnBlock {
  const columns = Array.from(
    { length: count },
    (_, i) => new Float64Array(buffer, from + i * rows * 8, rows),
  );
  return { rows, buffer, bytes: new Uint8Array(buffer, from, rows * count * 8), columns };
}

/** CRC-32 over the columns' bytes: whether they are still what was imported. */
export function checksumOf({ bytes }: ColumnBlock): number {
  return crc32(bytes);
}

/** SHA-256 that names the contents. That of bars is the hash their series has wherever it was read from. */
export function contentHash(name: SeriesName, block: ColumnBlock): string {
  const label = name.kind === 'bars' ? `bars ${name.intervalMs}` : name.kind;
  const hash = createHash('sha256').update(`${label} ${block.rows}\n`);
  return hash.update(block.bytes).digest('hex');
}

/** Bars as the loop reads them, over the block's memory. */
export function barsOver(block: ColumnBlock): BarColumns {
  const [time, open, high, low, close, volume] = block.columns as [
    Float64Array,
    Float64Array,
    Float64Array,
    Float64Array,
    Float64Array,
    Float64Array,
  ];
  return columnsOver({ length: block.rows, time, open, high, low, close, volume });
}
