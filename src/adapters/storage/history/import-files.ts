import { basename, resolve } from 'node:path';
import type { Instant } from '#base';
import { noBarCounts, parseInstrumentId, refusedBars } from '#market';
import { isBarsHeader, readBars } from '../../feeds/bars-file.ts';
import { openDataFile, parseFileArgument } from '../../feeds/open-file.ts';
import type { BarSeries } from '../../feeds/series.ts';
import { type ColumnBlock, checksumOf, columnBlock, contentHash } from './column-block.ts';
import { columnNamesOf, datedKindOf, readDatedFile, unknownHeader } from './dated-file.ts';
import { HistoryStore } from './history-store.ts';
import { type ImportRecord, joinImports, type StoredSeries } from './manifest.ts';
import { checkSpacing, mergeSeries } from './merge-series.ts';
import { formatSeriesName, type SeriesName } from './series-name.ts';
import { StoreWriter } from './store-writer.ts';

export interface ImportRequest {
  /** The store's folder; made when it does not exist. */
  readonly store: string;
  /** `[INSTRUMENT=]FILE`: CSV, gzip CSV, JSON lines or Parquet; bars, funding, dividends, splits or facts. */
  readonly files: readonly string[];
  /** The instrument of every file that does not say it. */
  readonly instrument: string | null;
  /** Where instruments trade whose symbol stands without a venue; without it they get the venue `LOCAL`. */
  readonly venue?: string | null;
  /** Rows of these files win over differing ones in the store; otherwise they are refused. */
  readonly replace: boolean;
  readonly onProgress?: (done: number, total: number, what: string) => void;
}

/** What a file was understood as. */
export interface ImportedFile {
  readonly file: string;
  readonly series: readonly string[];
  readonly rows: number;
  /** Lines and rows that were left out. */
  readonly brokenLines: number;
  readonly brokenSamples: readonly string[];
  readonly refused: number;
}

/** What became of a series. */
export interface ImportedSeries {
  readonly id: string;
  readonly rows: number;
  readonly first: Instant;
  readonly last: Instant;
  /** Rows that were new, that were there already, and that took the place of others. */
  readonly added: number;
  readonly same: number;
  readonly replaced: number;
}

export interface ImportOutcome {
  readonly store: string;
  readonly files: readonly ImportedFile[];
  readonly series: readonly ImportedSeries[];
}

/** Rows that one file has of one series. */
interface Incoming {
  readonly name: SeriesName;
  readonly block: ColumnBlock;
  readonly path: string;
  readonly record: ImportRecord;
}

/**
 * Imports files into a store, all of them or none. Rows that two files, or a file and the store, have alike are merged;
 * where they differ the import is refused and says where. A file that is damaged, a full disk or an interruption leaves
 * the store as it was. Throws InputError, or the system's error when it cannot write.
 */
export async function importFiles(request: ImportRequest): Promise<ImportOutcome> {
  const total = request.files.length;
  const incoming: Incoming[] = [];
  const files: ImportedFile[] = [];
  for (const [i, argument] of request.files.entries()) {
    request.onProgress?.(i, 2 * total, argument);
    const read = await readIncoming(argument, request.instrument);
    const placed = read.incoming.map((one) => ({ ...one, name: placedAt(one.name, request.venue ?? null) }));
    incoming.push(...placed);
    files.push({ ...read.file, series: placed.map((one) => formatSeriesName(one.name)) });
  }
  const groups = Map.groupBy(incoming, (one) => formatSeriesName(one.name));
  const ids = [...groups.keys()].sort();
  const writer = StoreWriter.open(request.store);
  try {
    const series: ImportedSeries[] = [];
    for (const [i, id] of ids.entries()) {
      request.onProgress?.(total + (i / ids.length) * total, 2 * total, id);
      series.push(await importSeries(writer, id, groups.get(id)!, request.replace));
    }
    writer.commit();
    request.onProgress?.(2 * total, 2 * total, '');
    return { store: request.store, files, series };
  } finally {
    writer.close();
  }
}

/** Takes series out of a store. Throws InputError when it has none of that name. */
export function removeSeries(dir: string, ids: readonly string[]): void {
  const known = HistoryStore.open(dir);
  for (const id of ids) known.find(id);
  const writer = StoreWriter.open(dir);
  try {
    for (const id of ids) writer.drop(id);
    writer.commit();
  } finally {
    writer.close();
  }
}

async function importSeries(
  writer: StoreWriter,
  id: string,
  parts: readonly Incoming[],
  replace: boolean,
): Promise<ImportedSeries> {
  const { name } = parts[0]!;
  const [first, ...rest] = [...parts].sort((a, b) => a.block.columns[0]![0]! - b.block.columns[0]![0]!);
  let block = first!.block;
  let from = first!.path;
  // two files that differ are never merged: neither is the older one
  for (const part of rest) {
    block = mergeSeries(name, { block, from }, { block: part.block, from: part.path }, false).block;
    from = `${from}, ${part.path}`;
  }
  const stored = writer.get(id);
  let counts = { added: block.rows, same: 0, replaced: 0 };
  if (stored !== null) {
    const old = (await writer.store.load(id)).block;
    const merged = mergeSeries(name, { block: old, from: 'the store' }, { block, from }, replace);
    block = merged.block;
    counts = merged;
  }
  checkSpacing(name, block, from);
  const imports = joinImports(
    stored?.imports ?? [],
    parts.map((part) => part.record),
  );
  const time = block.columns[0]!;
  const next: Omit<StoredSeries, 'file' | 'pages'> = {
    id,
    rows: block.rows,
    first: time[0]!,
    last: time[block.rows - 1]!,
    hash: contentHash(name, block),
    checksum: checksumOf(block),
    imports,
  };
  await writer.put(name, next, block);
  const { rows, last } = next;
  return {
    id,
    rows,
    first: next.first,
    last,
    added: counts.added,
    same: counts.same,
    replaced: counts.replaced,
  };
}

async function readIncoming(
  argument: string,
  fallback: string | null,
): Promise<{ incoming: Incoming[]; file: Omit<ImportedFile, 'series'> }> {
  const { instrument, path } = parseFileArgument(argument);
  const file = await openDataFile(path);
  const only = instrument ?? fallback;
  const names = await columnNamesOf(file);
  if (isBarsHeader(names, true)) {
    const read = await readBars(file, { instrument: only, lenient: true });
    const incoming = read.series.map((one) => incomingBars(one, path, read.brokenLines));
    return {
      incoming,
      file: {
        ...fileOf(path, incoming),
        brokenLines: read.brokenLines,
        brokenSamples: read.brokenSamples,
        refused: read.series.reduce((sum, one) => sum + refusedBars(one.faults), 0),
      },
    };
  }
  if (datedKindOf(names) === null) throw unknownHeader(path, names);
  const incoming = (await readDatedFile(file, only)).map(({ name, block, duplicates }): Incoming => {
    const faults: Record<string, number> = duplicates > 0 ? { duplicate: duplicates } : {};
    const hash = contentHash(name, block);
    const record = { file: basename(path), hash, rows: block.rows, faults, brokenLines: 0 };
    return { name, block, path, record };
  });
  return { incoming, file: fileOf(path, incoming) };
}

/** The series at the venue asked for, unless its file or the program knows where it trades. */
function placedAt(name: SeriesName, venue: string | null): SeriesName {
  if (venue === null || !name.instrument.endsWith('.LOCAL')) return name;
  const { id } = parseInstrumentId(`${name.instrument.slice(0, -'.LOCAL'.length)}.${venue}`);
  return { ...name, instrument: id };
}

function fileOf(path: string, incoming: readonly Incoming[]): Omit<ImportedFile, 'series'> {
  return {
    file: path,
    rows: incoming.reduce((sum, one) => sum + one.block.rows, 0),
    brokenLines: 0,
    brokenSamples: [],
    refused: 0,
  };
}

function incomingBars(series: BarSeries, path: string, brokenLines: number): Incoming {
  const { columns, instrument, intervalMs, faults, hash } = series;
  const { length } = columns;
  const block = columnBlock(length, 6);
  const parts = [columns.time, columns.open, columns.high, columns.low, columns.close, columns.volume];
  for (const [i, part] of parts.entries()) block.columns[i]!.set(part.subarray(0, length));
  const counted = Object.entries(faults).filter(([reason, n]) => n > 0 && reason in FAULTS);
  const record = {
    file: basename(resolve(path)),
    hash,
    rows: length,
    faults: Object.fromEntries(counted),
    brokenLines,
  };
  return { name: { kind: 'bars', instrument, intervalMs }, block, path, record };
}

/** What is a fault of a row; holes are seen again in what is stored. */
const { accepted: _accepted, gaps: _gaps, gapBars: _gapBars, ...FAULTS } = noBarCounts();
