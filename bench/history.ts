// One-minute bars out of the history store beside reading the same bars from CSV: Parquet into columns, the same leaving a
// cache behind (the first open), from that cache (every later open, mapped and read), and our own CSV reader. Each way ends
// with the sum of every value of every column, for a mapping costs nothing until it is touched. Each figure is that of a
// process of its own, in turns; CPU time, median of the rounds. npm run bench:history [-- BARS ROUNDS FOLDER]
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { HistoryStore, importFiles, readBarsFile, type StoreOptions, writeBarsFile } from '#adapters';
import type { BarColumns } from '#market';
import { cpuSeconds, median } from './support/measure.ts';
import { randomWalk } from './support/walk.ts';

const bars = Number(process.argv[2] ?? 10_000_000);
const rounds = Number(process.argv[3] ?? 3);
/** Where the files go; a folder on the disk you mean to use. */
const place = process.argv[4] ?? tmpdir();
/** Set in a child: what it does, and in which folder. */
const task = process.argv[5];
const dir = process.argv[6] ?? '';

const SERIES = 'WALK.LOCAL@1m';
const csvOf = (folder: string) => join(folder, 'WALK-1m.csv');
const storeOf = (folder: string) => join(folder, 'store');

/** Opens of one series by who is in the same process and still uses it. */
const AGAIN = 10;

/** What a child prints. `sum` is that of all values, so that nobody skips the work. */
interface Round {
  readonly seconds: number;
  readonly wall: number;
  readonly peakMiB: number;
  readonly sum: number;
}

async function child(read: () => Promise<number>): Promise<void> {
  let sum = 0;
  const from = process.hrtime.bigint();
  const seconds = await cpuSeconds(async () => {
    sum = await read();
  });
  const wall = Number(process.hrtime.bigint() - from) / 1e9;
  const peakMiB = process.resourceUsage().maxRSS / 1024;
  console.log(JSON.stringify({ seconds, wall, peakMiB, sum } satisfies Round));
}

/** Every value of every column: the one thing that all ways have to do with what they opened. */
function touch({ length, time, open, high, low, close, volume }: BarColumns): number {
  let sum = length;
  for (const column of [time, open, high, low, close, volume]) {
    for (let i = 0; i < column.length; i++) sum += column[i]!;
  }
  return sum;
}

async function fromCsv(): Promise<number> {
  const [series] = await readBarsFile(csvOf(dir));
  return touch(series!.columns);
}

async function fromStore(options: StoreOptions): Promise<number> {
  const { columns } = await HistoryStore.open(storeOf(dir), options).bars(SERIES);
  return touch(columns);
}

/** Seconds of one further open while the series is in use, times {@link AGAIN}. */
async function again(): Promise<void> {
  const held = await HistoryStore.open(storeOf(dir)).bars(SERIES);
  const expected = touch(held.columns);
  await child(async () => {
    let sum = 0;
    for (let i = 0; i < AGAIN; i++) sum = await fromStore({});
    return sum === expected ? sum : Number.NaN;
  });
}

/** In a process of its own, because a child's peak begins at what its parent held. */
async function prepare(): Promise<number> {
  await writeBarsFile(csvOf(dir), [{ symbol: 'WALK', columns: randomWalk(bars, 'history') }]);
  return 0;
}

async function importing(): Promise<number> {
  await importFiles({ store: storeOf(dir), files: [csvOf(dir)], instrument: null, replace: false });
  return 0;
}

function round(name: string, folder: string): Round {
  const own = [fileURLToPath(import.meta.url), `${bars}`, `${rounds}`, place, name, folder];
  const { status, stdout } = spawnSync(process.execPath, [...process.execArgv, ...own], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (status !== 0) throw new Error(`the run of ${name} ended with ${status}`);
  return JSON.parse(stdout.toString()) as Round;
}

function compare(): void {
  const folder = mkdtempSync(join(place, 'quorum-history-'));
  try {
    round('prepare', folder);
    const imported = round('import', folder);
    const store = HistoryStore.open(storeOf(folder));
    const stored = store.find(SERIES);
    const all = {
      csv: [] as Round[],
      parquet: [] as Round[],
      first: [] as Round[],
      cache: [] as Round[],
      copied: [] as Round[],
      again: [] as Round[],
    };
    for (let i = 0; i < rounds; i++) {
      all.csv.push(round('csv', folder));
      all.parquet.push(round('parquet', folder));
      rmSync(store.cachePath(stored), { force: true });
      all.first.push(round('store', folder));
      all.cache.push(round('store', folder));
      all.copied.push(round('copied', folder));
      all.again.push(onceOf(round('again', folder)));
    }
    const size = (path: string) => `${(statSync(path).size / 2 ** 20).toFixed(0)} MiB`;
    const csv = size(csvOf(folder));
    const sizes = `CSV ${csv}, Parquet ${size(store.parquetPath(stored))}, cache ${size(store.cachePath(stored))}`;
    console.log(`${bars} one-minute bars into columns, median of ${rounds} rounds (${sizes})`);
    line('CSV, our reader', all.csv);
    line('store, Parquet', all.parquet);
    line('store, first open', all.first);
    line('store, from the cache', all.cache);
    line('store, cache read', all.copied);
    line('store, again while in use', all.again);
    line('import of the CSV, once', [imported]);
    const cpu = (name: keyof typeof all) => median(all[name].map((one) => one.seconds));
    const ratio = (label: string, a: keyof typeof all, b: keyof typeof all) =>
      console.log(`  ${label.padEnd(27)} ${(cpu(a) / cpu(b)).toFixed(3)}`);
    ratio('Parquet / CSV', 'parquet', 'csv');
    ratio('first open / CSV', 'first', 'csv');
    ratio('from the cache / CSV', 'cache', 'csv');
    ratio('from the cache / first open', 'cache', 'first');
    ratio('cache read / first open', 'copied', 'first');
    const sums = new Set(Object.values(all).flatMap((list) => list.map((one) => one.sum)));
    if (sums.size !== 1) throw new Error('the ways gave different bars');
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const onceOf = (one: Round): Round => ({ ...one, seconds: one.seconds / AGAIN, wall: one.wall / AGAIN });

function line(name: string, all: readonly Round[]): void {
  const of = (take: (one: Round) => number) => median(all.map(take)).toFixed(4);
  const peak = Math.round(Math.max(...all.map((one) => one.peakMiB)));
  console.log(
    `  ${name.padEnd(27)} ${of((one) => one.seconds)} s CPU  ${of((one) => one.wall)} s wall  peak ${peak} MiB`,
  );
}

const tasks: Readonly<Record<string, () => Promise<number>>> = {
  prepare,
  import: importing,
  csv: fromCsv,
  parquet: () => fromStore({ cached: false }),
  store: () => fromStore({}),
  copied: () => fromStore({ mapped: false }),
};
if (task === undefined) compare();
else if (task === 'again') await again();
else await child(tasks[task]!);
