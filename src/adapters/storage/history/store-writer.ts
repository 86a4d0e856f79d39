import { existsSync, rmdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { InputError } from '#base';
import { isSystemError, namesIn, syncDirectory } from '../durable-file.ts';
import { makeFolder } from '../make-folder.ts';
import { WriterLock } from '../writer-lock.ts';
import type { ColumnBlock } from './column-block.ts';
import { writeColumnsFile } from './columns-file.ts';
import { fileName, HistoryStore, keyOf } from './history-store.ts';
import { MANIFEST, type StoredSeries, writeManifest } from './manifest.ts';
import { writeParquetColumns } from './parquet-columns.ts';
import type { SeriesName } from './series-name.ts';

/**
 * One change of a store. Parquet files are written beside those in use, under names nobody knows yet; `commit` replaces
 * the store's list, and then the old files go. `close` without `commit` leaves everything as it was. One writer at a time.
 */
export class StoreWriter {
  readonly dir: string;
  /** The store as it is. */
  readonly store: HistoryStore;
  private readonly lock: WriterLock;
  private readonly isNew: boolean;
  private readonly next: Map<string, StoredSeries>;
  private readonly written: string[] = [];
  private readonly made: readonly string[];
  private isCommitted = false;

  private constructor(
    dir: string,
    lock: WriterLock,
    store: HistoryStore,
    isNew: boolean,
    made: readonly string[],
  ) {
    this.dir = dir;
    this.lock = lock;
    this.store = store;
    this.isNew = isNew;
    this.made = made;
    this.next = new Map(store.series.map((one) => [one.id, one]));
  }

  /** Locks a store for writing, and begins an empty one when there is none. Throws InputError when it is no place for one. */
  static open(dir: string): StoreWriter {
    if (!HistoryStore.isStore(dir) && namesIn(dir).some((name) => !BEGUN.test(name))) {
      throw new InputError(
        `${dir} holds other files and is no history store`,
        'name an empty or new folder with --store',
      );
    }
    const made = [dir, join(dir, SERIES)].filter((path) => !existsSync(path));
    makeFolder(join(dir, SERIES));
    let lock: WriterLock | null = null;
    let begun = false;
    try {
      lock = WriterLock.acquire(join(dir, 'lock'));
      // another process may have begun or filled the store until we had the lock
      const isNew = !HistoryStore.isStore(dir);
      if (isNew) {
        refuseWithoutList(dir);
        begun = true;
        // from here on an interruption leaves an empty store, which the next import fills
        writeManifest(dir, { series: [] });
      }
      const writer = new StoreWriter(dir, lock, HistoryStore.open(dir), isNew, made);
      writer.removeUnlisted();
      return writer;
    } catch (error) {
      if (begun) clearNew(dir);
      lock?.release();
      removeMade(made);
      throw error;
    }
  }

  get(id: string): StoredSeries | null {
    return this.next.get(id) ?? null;
  }

  /** Writes a series aside, with its cache, unless the store has just these rows. */
  async put(
    name: SeriesName,
    series: Omit<StoredSeries, 'file' | 'pages'>,
    block: ColumnBlock,
  ): Promise<void> {
    const old = this.next.get(series.id);
    if (old?.hash === series.hash) {
      this.next.set(series.id, { ...series, file: old.file, pages: old.pages });
      return;
    }
    const file = `${fileName(series.id)}-${series.hash.slice(0, 12)}.parquet`;
    const path = join(this.dir, 'series', file);
    this.written.push(path);
    const pages = await writeParquetColumns(path, name, block, series.hash);
    const stored = { ...series, file, pages };
    this.next.set(series.id, stored);
    // a cache without room or without a commit does no harm: whoever reads looks what it belongs to
    writeColumnsFile(this.store.cachePath(stored), keyOf(name, stored, path), block);
  }

  drop(id: string): void {
    this.next.delete(id);
  }

  /** Makes the change: from here on the store holds it, whatever happens. */
  commit(): void {
    syncDirectory(join(this.dir, 'series'));
    writeManifest(this.dir, { series: [...this.next.values()] });
    this.isCommitted = true;
    this.removeUnlisted();
  }

  /** Gives the store back; what was not committed is taken away. */
  close(): void {
    if (!this.isCommitted) for (const path of this.written) rmSync(path, { force: true });
    const isVoid = this.isNew && !this.isCommitted;
    if (isVoid) clearNew(this.dir);
    this.lock.release();
    if (isVoid) removeMade(this.made);
  }

  /** What an interrupted import left, Parquet files that no list names any more, and caches of series that are gone. */
  private removeUnlisted(): void {
    for (const name of namesIn(this.dir)) {
      if (name.startsWith(`.${MANIFEST}.`) && name.endsWith('.tmp'))
        rmSync(join(this.dir, name), { force: true });
    }
    const all = [...this.next.values()];
    const files = new Set(all.map((one) => one.file));
    for (const name of namesIn(join(this.dir, SERIES))) {
      if (OWN_FILE.test(name) && !files.has(name)) rmSync(join(this.dir, SERIES, name), { force: true });
    }
    const caches = new Set(all.map((one) => `${fileName(one.id)}.columns`));
    const cache = join(this.dir, CACHE);
    for (const name of namesIn(cache)) {
      if (/\.(columns|tmp)$/.test(name) && !caches.has(name)) rmSync(join(cache, name), { force: true });
    }
  }
}

const SERIES = 'series';
const CACHE = 'cache';
/** What stands in a folder in which another process has just begun a store. */
const BEGUN = /^(lock.*|series|\.store\.json.*)$/;
/** What a writer calls its files; nothing else in the folder is touched. */
const OWN_FILE = /@[^@]+-[0-9a-f]{12}\.parquet$/;

/** A store that is just being begun has no series: one that has some has lost its list, and they are all there is. */
function refuseWithoutList(dir: string): void {
  if (!namesIn(join(dir, SERIES)).some((name) => OWN_FILE.test(name))) return;
  throw new InputError(
    `${dir} holds series and no ${MANIFEST} that names them`,
    `put ${MANIFEST} back, or name another folder with --store and import the Parquet files below ${SERIES}/ anew`,
  );
}

/** Takes away what a store was begun with and never filled; to be done under its lock. */
function clearNew(dir: string): void {
  rmSync(join(dir, MANIFEST), { force: true });
  rmSync(join(dir, CACHE), { recursive: true, force: true });
}

/** Takes away the folders made for it; another process may have put something there meanwhile. */
function removeMade(made: readonly string[]): void {
  for (const path of [...made].reverse()) removeEmpty(path);
}

function removeEmpty(path: string): void {
  try {
    rmdirSync(path);
  } catch (error) {
    if (!isSystemError(error, 'ENOTEMPTY', 'ENOENT', 'EEXIST')) throw error;
  }
}
