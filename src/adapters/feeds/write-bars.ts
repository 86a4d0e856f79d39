import { open, rename, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { InputError } from '#base';
import type { BarColumns } from '#market';
import { makeFolder } from '../storage/make-folder.ts';
import { writeParquetBars } from './parquet.ts';

const pack = promisify(gzip);

export interface WritableBars {
  readonly symbol: string;
  readonly columns: BarColumns;
}

export const BARS_HEADER = 'time,open,high,low,close,volume';
const ROWS_PER_PIECE = 20_000;

/** Rows [from, to) as CSV lines; every number is the shortest text that reads back as the same double. */
export function csvRows(columns: BarColumns, from: number, to: number, symbol: string | null): string {
  const lines: string[] = [];
  const lead = symbol === null ? '' : `${symbol},`;
  const { time, open, high, low, close, volume } = columns;
  for (let i = from; i < to; i++) {
    lines.push(`${lead}${time[i]},${open[i]},${high[i]},${low[i]},${close[i]},${volume[i]}\n`);
  }
  return lines.join('');
}

/** Bars as CSV bytes; several series make a universe file, in the order given. */
export function csvBytes(series: readonly WritableBars[], withSymbol: boolean): Buffer {
  const pieces: string[] = [`${withSymbol ? 'symbol,' : ''}${BARS_HEADER}\n`];
  for (const { symbol, columns } of series) {
    for (let from = 0; from < columns.length; from += ROWS_PER_PIECE) {
      const to = Math.min(columns.length, from + ROWS_PER_PIECE);
      pieces.push(csvRows(columns, from, to, withSymbol ? symbol : null));
    }
  }
  return Buffer.concat(pieces.map((piece) => Buffer.from(piece)));
}

/**
 * Writes bars as `.csv`, `.csv.gz` or `.parquet`, by the name. Reading the file back gives the same bars. The same bars give
 * the same CSV bytes. The file appears whole or not at all.
 */
export async function writeBarsFile(path: string, series: readonly WritableBars[]): Promise<void> {
  const withSymbol = series.length > 1;
  makeFolder(dirname(path));
  const part = `${path}.part`;
  if (/\.parquet$/i.test(path)) {
    await writeParquetBars(part, series, withSymbol);
  } else if (/\.csv(\.gz)?$/i.test(path)) {
    const bytes = csvBytes(series, withSymbol);
    await writeFile(part, /\.gz$/i.test(path) ? await pack(bytes) : bytes);
  } else {
    throw new InputError(`cannot tell the format of ${path}`, 'name it .csv, .csv.gz or .parquet');
  }
  await intoPlace(part, path);
}

/** Makes a finished part durable and gives it its name. */
export async function intoPlace(part: string, path: string): Promise<void> {
  const file = await open(part, 'r+');
  try {
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(part, path);
  await rm(part, { force: true });
}
