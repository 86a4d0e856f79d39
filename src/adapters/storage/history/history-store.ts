import { existsSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { formatInstant, InputError } from '#base';
import { noBarCounts } from '#market';
import { type BarSeries, type RowSeries, rowSeries } from '../../feeds/series.ts';
import { barsOver, blockOver, type ColumnBlock } from './column-block.ts';
import { type ColumnsKey, readColumnsFile, writeColumnsFile } from './columns-file.ts';
import { MANIFEST, type Manifest, readManifest, type StoredSeries } from './manifest.ts';
import { mapFile } from './map-file.ts';
import { parquetIdentity, readParquetColumns } from './parquet-columns.ts';
import { columnsOf, type DatedKind, parseSeriesName, type SeriesName } from './series-name.ts';

/**
 * Where a series was read from: memory in which this thread still holds it, its cache file, mapped or copied, or Parquet,
 * with or without a cache left behind for the next time.
 */
export type ReadFrom = 'memory' | 'mapped' | 'cache' | 'parquet' | 'parquet, no cache written';

/** One series in memory that threads share. */
export interface LoadedSeries {
  readonly stored: StoredSeries;
  readonly name: SeriesName;
  readonly block: ColumnBlock;
  readonly from: ReadFrom;
}

/** Dated entries: what each is about (`time`), when it became known, and its values. In order of time, then of knowledge. */
export interface DatedSeries {
  readonly kind: DatedKind;
  readonly id: string;
  readonly length: number;
  readonly time: Float64Array;
  readonly publishedAt: Float64Array;
  /** `rate, mark` of funding; `amount` of dividends; `ratio` of splits; `value` of facts. */
  readonly values: readonly Float64Array[];
}

/** Series that somebody in this thread still uses, by what they were read from: who asks again gets the same memory. */
const inMemory = new Map<string, { readonly buffer: WeakRef<SharedArrayBuffer>; readonly from: number }>();
const forgotten = new FinalizationRegistry<string>((key) => {
  if (inMemory.get(key)?.buffer.deref() === undefined) inMemory.delete(key);
});

function remember(key: string, { buffer, bytes }: ColumnBlock): void {
  inMemory.set(key, { buffer: new WeakRef(buffer), from: bytes.byteOffset });
  forgotten.register(buffer, key);
}

function remembered(key: string, rows: number, count: number): ColumnBlock | null {
  const held = inMemory.get(key);
  const buffer = held?.buffer.deref();
  return held === undefined || buffer === undefined ? null : blockOver(buffer, held.from, rows, count);
}

export interface StoreOptions {
  /** Cache files are read and written; otherwise only Parquet is read. */
  readonly cached?: boolean;
  /** Cache files are mapped into memory where the machine can; otherwise they are read into it. */
  readonly mapped?: boolean;
  /** A series in use in this thread is handed out again; otherwise each reading has memory of its own. */
  readonly shared?: boolean;
}

const SERIES_DIR = 'series';
const CACHE_DIR = 'cache';

/**
 * Market history in a folder. Parquet files below `series/` are the truth; `cache/` holds the same columns as raw
 * doubles, which are mapped or read straight into shared memory, and may be deleted at any time. `store.json` lists what is
 * there: an import replaces that list in one step, so it happens whole or not at all.
 */
export class HistoryStore {
  readonly dir: string;
  private readonly options: Required<StoreOptions>;
  private manifest: Manifest;

  private constructor(dir: string, options: StoreOptions, manifest: Manifest) {
    this.dir = dir;
    this.options = { cached: true, mapped: true, shared: true, ...options };
    this.manifest = manifest;
  }

  /** Opens a store. Throws InputError when the folder is none or its list is damaged. */
  static open(dir: string, options: StoreOptions = {}): HistoryStore {
    const manifest = readManifest(dir);
    if (manifest !== null) return new HistoryStore(dir, options, manifest);
    const what = !existsSync(dir)
      ? 'does not exist'
      : statSync(dir).isDirectory()
        ? `is no history store: it has no ${MANIFEST}`
        : 'is a file, not a history store';
    throw new InputError(`${dir} ${what}`, 'make one with `quorum data import FILE --store DIR`');
  }

  static isStore(dir: string): boolean {
    return existsSync(join(dir, MANIFEST));
  }

  /** Every series in order of its id. */
  get series(): readonly StoredSeries[] {
    return this.manifest.series;
  }

  /** The series of an id, such as `BTCUSDT.BINANCE-USDM@5m`; null when the store has none. */
  get(id: string): StoredSeries | null {
    return this.manifest.series.find((one) => one.id === id) ?? null;
  }

  /** {@link get}, or an InputError that tells what there is instead. */
  find(id: string): StoredSeries {
    const found = this.get(id);
    if (found !== null) return found;
    const instrument = id.slice(0, Math.max(0, id.lastIndexOf('@')));
    const near = this.series.filter((one) => one.id.startsWith(`${instrument || id}@`));
    const some = (near.length > 0 ? near : this.series).slice(0, 8).map((one) => one.id);
    throw new InputError(
      `${this.dir} has no series ${id}`,
      some.length === 0 ? 'it is empty; import a file first' : `it has ${some.join(', ')}`,
    );
  }

  parquetPath(stored: StoredSeries): string {
    return join(this.dir, SERIES_DIR, stored.file);
  }

  cachePath(stored: StoredSeries): string {
    return join(this.dir, CACHE_DIR, `${fileName(stored.id)}.columns`);
  }

  /**
   * Reads a series: from its cache when that belongs to the Parquet file as it is and no byte of it has changed, else
   * from Parquet, and then the cache is made again. What is in use in this thread is handed out again: columns are to be
   * read, never written. Throws InputError when the store has no such series or it is damaged.
   */
  async load(id: string): Promise<LoadedSeries> {
    const stored = this.find(id);
    if (existsSync(this.parquetPath(stored))) return this.loadStored(stored);
    // an import may have replaced it since this store was opened
    this.manifest = readManifest(this.dir) ?? this.manifest;
    return this.loadStored(this.find(id));
  }

  private async loadStored(stored: StoredSeries): Promise<LoadedSeries> {
    const name = parseSeriesName(stored.id)!;
    const parquet = this.parquetPath(stored);
    const key = keyOf(name, stored, parquet);
    const { cached, mapped, shared } = this.options;
    const known = `${resolve(parquet)} ${key.parquet} ${key.hash}`;
    const held = shared ? remembered(known, stored.rows, key.columns.length) : null;
    if (held !== null) return { stored, name, block: held, from: 'memory' };
    const path = this.cachePath(stored);
    const found = cached ? readColumnsFile(path, key, mapped ? mapFile : null) : null;
    const block = found?.block ?? (await readParquetColumns(parquet, name, stored));
    if (shared) remember(known, block);
    if (found !== null) return { stored, name, ...found };
    const isWritten = cached && writeColumnsFile(path, key, block);
    return { stored, name, block, from: isWritten ? 'parquet' : 'parquet, no cache written' };
  }

  /** Bars as any other reader gives them, with the same hash; the columns lie in memory that threads share. */
  async bars(id: string): Promise<BarSeries> {
    const { stored, name, block } = await this.load(id);
    if (name.kind !== 'bars') throw notBars(id);
    return {
      kind: 'bars',
      instrument: name.instrument,
      intervalMs: name.intervalMs,
      columns: barsOver(block),
      hash: stored.hash,
      faults: noBarCounts(),
      files: [id],
    };
  }

  /** Funding, dividends, splits or facts. */
  async dated(id: string): Promise<DatedSeries> {
    const { name, block } = await this.load(id);
    if (name.kind === 'bars') throw new InputError(`${id} are bars`, 'name a series such as ID@funding');
    const [time, publishedAt, ...values] = block.columns as [Float64Array, Float64Array, ...Float64Array[]];
    return { kind: name.kind, id, length: block.rows, time, publishedAt, values };
  }

  /** Bars or funding as a tape reads them. */
  async tape(id: string): Promise<BarSeries | RowSeries> {
    const name = parseSeriesName(id);
    if (name?.kind !== 'funding') return this.bars(id);
    const { time, publishedAt, values } = await this.dated(id);
    // a tape charges each settlement once, when it is due: what was said later about it must not come then
    const late = time.findIndex((at, i) => publishedAt[i]! > at || at === time[i - 1]);
    if (late >= 0) {
      throw new InputError(
        `${id} was published or restated after ${formatInstant(time[late]!)}: a run cannot charge it at its time`,
        'import a funding file without published_at and with one rate for each time',
      );
    }
    return rowSeries({
      kind: 'funding',
      instrument: name.instrument,
      length: time.length,
      at: time,
      time,
      columns: values,
      files: [id],
    });
  }
}

/** What the cache of a series must have been made from. Throws InputError when the Parquet file is gone. */
export function keyOf(name: SeriesName, stored: StoredSeries, parquet: string): ColumnsKey {
  return {
    series: stored.id,
    columns: columnsOf(name.kind),
    rows: stored.rows,
    hash: stored.hash,
    parquet: parquetIdentity(parquet, stored),
    checksum: stored.checksum,
  };
}

function notBars(id: string): InputError {
  return new InputError(`${id} are no bars`, 'name a series such as BTCUSDT.BINANCE-USDM@5m');
}

/** A series' id as the name of a file on every system. */
export function fileName(id: string): string {
  return id.replace(/[^A-Za-z0-9._@-]/g, (c) => `%${c.charCodeAt(0).toString(16).padStart(2, '0')}`);
}
