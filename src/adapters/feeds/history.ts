import { appendFile, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { floorTo, InputError, type Instant, parseInterval } from '#base';
import { type Bar, type BarColumns, barAt, columnsOfBars } from '#market';
import { makeFolder } from '../storage/make-folder.ts';
import { readBars, readBarsFile } from './bars-file.ts';
import type { BinanceUsdmRest } from './binance-rest.ts';
import { openDataFile } from './open-file.ts';
import { checkBarsFile, type FileQuality, qualityOf } from './quality.ts';
import { BARS_HEADER, csvRows, writeBarsFile } from './write-bars.ts';

export interface DownloadRequest {
  readonly rest: BinanceUsdmRest;
  readonly symbol: string;
  readonly interval: string;
  readonly from: Instant;
  /** Exclusive; null is now. Bars that have not closed are left out. */
  readonly to: Instant | null;
  readonly dir: string;
  readonly onProgress?: (progress: DownloadProgress) => void;
  readonly signal?: AbortSignal;
}

export interface DownloadProgress {
  readonly symbol: string;
  readonly rows: number;
  /** Up to where bars are there. */
  readonly until: Instant;
  /** 0 to 1 of the span asked for. */
  readonly share: number;
}

export interface DownloadResult {
  readonly path: string;
  /** Bars in the file, and those that came from the venue now. */
  readonly rows: number;
  readonly fetched: number;
}

/**
 * Fetches bars into `<dir>/SYMBOL-interval.csv.gz`. What the file already has is kept; what lies before or after it is
 * fetched. Pages are appended to a `.part` file as they come, so that an interrupted download goes on where it stopped.
 * The request rate is that of the REST client.
 */
export async function downloadBars(request: DownloadRequest): Promise<DownloadResult> {
  const { rest, symbol, interval, dir, signal } = request;
  const intervalMs = parseInterval(interval);
  if (intervalMs === null)
    throw new InputError(`"${interval}" is not an interval`, 'write for example 1m, 5m, 1h or 1d');
  if (!/^[A-Z0-9_]{2,40}$/.test(symbol))
    throw new InputError(`"${symbol}" is not a symbol`, 'write for example BTCUSDT');
  makeFolder(dir);
  await rest.syncTime(signal);
  const path = join(dir, `${symbol}-${interval}.csv.gz`);
  const part = `${path}.part.csv`;
  const from = Math.ceil(request.from / intervalMs) * intervalMs;
  const to = Math.min(request.to ?? Number.MAX_SAFE_INTEGER, floorTo(rest.serverNow(), intervalMs));
  if (from >= to)
    throw new InputError('the span asked for holds no closed bar', 'give an earlier start or a later end');

  const known = new Map<Instant, Bar>();
  if (await exists(path))
    for (const bar of barsOf((await readBarsFile(path))[0]!.columns)) known.set(bar.time, bar);
  for (const bar of await readPart(part)) known.set(bar.time, bar);
  let fetched = 0;
  for (const [start, end] of spansMissing(known, from, to, intervalMs)) {
    for await (const page of rest.klinePages(symbol, interval, start, end, signal)) {
      await appendPart(part, page);
      for (const bar of page) known.set(bar.time, bar);
      fetched += page.length;
      const until = page.at(-1)!.time + intervalMs;
      request.onProgress?.({ symbol, rows: known.size, until, share: (until - from) / (to - from) });
    }
  }
  if (known.size === 0)
    throw new InputError(`the venue has no bars of ${symbol} in that span`, 'check symbol and dates');
  const columns = columnsOfBars([...known.values()].sort((a, b) => a.time - b.time));
  await writeBarsFile(path, [{ symbol, columns }]);
  await rm(part, { force: true });
  return { path, rows: columns.length, fetched };
}

/** Spans of [from, to) before the first and after the last known bar, and inside where a hole is. */
function spansMissing(
  known: ReadonlyMap<Instant, Bar>,
  from: Instant,
  to: Instant,
  step: number,
): [Instant, Instant][] {
  const times = [...known.keys()].filter((time) => time >= from && time < to).sort((a, b) => a - b);
  const spans: [Instant, Instant][] = [];
  let next = from;
  for (const time of times) {
    if (time > next) spans.push([next, time]);
    next = time + step;
  }
  if (next < to) spans.push([next, to]);
  return spans;
}

async function exists(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch {
    return false;
  }
}

async function appendPart(part: string, bars: readonly Bar[]): Promise<void> {
  if (!(await exists(part))) await writeFile(part, `${BARS_HEADER}\n`);
  const columns = columnsOfBars(bars);
  await appendFile(part, csvRows(columns, 0, columns.length, null));
}

/** Bars of an interrupted download; a line that was cut off is dropped from the file. */
async function readPart(part: string): Promise<Bar[]> {
  if (!(await exists(part))) return [];
  const text = await readFile(part, 'utf8');
  const whole = text.slice(0, text.lastIndexOf('\n') + 1);
  if (whole.length < text.length) await truncate(part, Buffer.byteLength(whole));
  const lines = whole.split('\n').slice(1, -1);
  return lines.map((line) => {
    const [time, open, high, low, close, volume] = line.split(',').map(Number) as [
      number,
      number,
      number,
      number,
      number,
      number,
    ];
    return { time, open, high, low, close, volume };
  });
}

function barsOf(columns: BarColumns): Bar[] {
  return Array.from({ length: columns.length }, (_, i) => barAt(columns, i));
}

/**
 * Reads a foreign bars file leniently (other column names, dates as text, seconds, unsorted, broken lines) and writes it
 * normalised as `.csv`, `.csv.gz` or `.parquet`. Returns what was found on the way.
 */
export async function importBars(
  from: string,
  to: string,
  instrument: string | null = null,
): Promise<FileQuality> {
  const read = await readBars(await openDataFile(from), { instrument, lenient: true });
  const series = read.series.map((one) => ({ symbol: symbolText(one.instrument), columns: one.columns }));
  await writeBarsFile(to, series);
  return qualityOf(from, read);
}

/** The name under which a universe file lists an instrument: the bare symbol where that reads back as the same id. */
function symbolText(id: string): string {
  return id.replace(/\.(LOCAL|BINANCE-USDM)$/, '');
}

/** One bars file of a folder. */
export interface ListedFile {
  readonly file: string;
  readonly bytes: number;
  /** Null when it could not be read; then `problem` says why. */
  readonly quality: FileQuality | null;
  readonly problem: string | null;
}

/** The bars files of a folder in order of name, each checked. */
export async function listBars(dir: string): Promise<ListedFile[]> {
  let names: string[];
  try {
    names = await readdir(dir);
  } catch {
    throw new InputError(
      `${dir} is not a folder that can be read`,
      'check the path, or download data into it first',
    );
  }
  const out: ListedFile[] = [];
  for (const name of names
    .filter((n) => /\.(csv|csv\.gz|parquet)$/i.test(n) && !n.endsWith('.part.csv'))
    .sort()) {
    const path = join(dir, name);
    const { size } = await stat(path);
    try {
      out.push({ file: basename(path), bytes: size, quality: await checkBarsFile(path), problem: null });
    } catch (cause) {
      if (!(cause instanceof InputError)) throw cause;
      out.push({ file: basename(path), bytes: size, quality: null, problem: cause.message });
    }
  }
  return out;
}
