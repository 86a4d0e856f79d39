import { existsSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { Command } from 'commander';
import type { HistoryStore, ImportOutcome, StoredQuality, UniverseSigns } from '#adapters';
import { formatInstant, InputError } from '#base';
import { fileQualityLines, seriesQualityLines } from '../quality-text.ts';
import { EXIT, ExitError, Terminal, table } from '../terminal.ts';

interface ImportOptions {
  store?: string;
  out?: string;
  instrument?: string;
  venue?: string;
  replace: boolean;
  force: boolean;
  json: boolean;
}

export function importCommand(): Command {
  return new Command('import')
    .description('Bring files into a history store, or with --out write one bars file normalised.')
    .argument(
      '<[INSTRUMENT=]FILE...>',
      'CSV, gzip CSV, JSON lines or Parquet: bars (other column names, dates as text, seconds, unsorted rows), funding, dividends, splits, facts',
    )
    .option('--store <dir>', 'the store, made when it is not there; history when left out')
    .option('--instrument <id>', 'the instrument, when the file name does not say it')
    .option('--venue <name>', 'where symbols without a venue trade, such as IDX or NASDAQ')
    .option('--replace', 'where rows differ from those in the store, the new ones win', false)
    .option('--out <file>', 'write one bars file as .csv, .csv.gz or .parquet instead')
    .option('--force', 'replace the file of --out when it exists', false)
    .option('--json', 'one JSON object on stdout', false)
    .addHelpText(
      'after',
      `
Equal rows of overlapping files are merged; rows that differ are refused. All files are imported, or none.
A column "symbol" makes a file a universe. Dated entries have "time" and "rate", "amount", "ratio" or "value", and
"published_at" where they became known at another time.

Examples:
  $ quorum data import BTCUSDT-5m-2023.csv.gz BTCUSDT-5m-2024.csv.gz BTCUSDT=funding.csv
  $ quorum data import universe.parquet splits.csv --venue NASDAQ --store history-us
  $ quorum data import aapl-export.csv --instrument AAPL.NASDAQ --out data/AAPL-1d.csv.gz`,
    )
    .action(runImport);
}

async function runImport(files: string[], options: ImportOptions): Promise<void> {
  if (options.out !== undefined) return runConversion(files, options.out, options);
  if (options.force) throw usage('--force is for --out', 'rows of a store are replaced with --replace');
  const terminal = new Terminal(options.json);
  const { DEFAULT_STORE, importFiles } = await import('#adapters');
  const bar = terminal.progress('import');
  const outcome = await importFiles({
    store: options.store ?? DEFAULT_STORE,
    files,
    instrument: options.instrument ?? null,
    venue: options.venue ?? null,
    replace: options.replace,
    onProgress: (done, total) => bar.update(done, total),
  }).finally(bar.stop);
  terminal.result({ ...outcome });
  sayImport(terminal, outcome);
}

const usage = (what: string, mend: string) => new ExitError(EXIT.usage, what, mend);

const SERIES_SHOWN = 40;

function sayImport(terminal: Terminal, { store, files, series }: ImportOutcome): void {
  for (const { file, brokenLines, brokenSamples, refused } of files) {
    if (brokenLines > 0) terminal.warn(`${file}: ${brokenLines} lines could not be read`);
    for (const sample of brokenSamples) terminal.note(`  ${sample}`);
    if (refused > 0) terminal.warn(`${file}: ${refused} rows were refused (quorum data quality tells why)`);
  }
  const rows = series
    .slice(0, SERIES_SHOWN)
    .map((one) => [
      one.id,
      String(one.rows),
      String(one.added),
      String(one.same),
      String(one.replaced),
      daySpan(one),
    ]);
  const header = ['series', 'rows', 'new', 'known', 'replaced', 'span'];
  for (const line of table([header, ...rows], [1, 2, 3, 4])) terminal.say(line);
  if (series.length > SERIES_SHOWN) terminal.say(`and ${series.length - SERIES_SHOWN} more series`);
  terminal.say(`imported into ${store}`);
}

const daySpan = ({ first, last }: { first: number; last: number }) =>
  `${formatInstant(first).slice(0, 10)} to ${formatInstant(last).slice(0, 10)}`;

async function runConversion(files: readonly string[], out: string, options: ImportOptions): Promise<void> {
  const [file, ...more] = files as [string, ...string[]];
  if (more.length > 0) throw usage('--out takes one file', 'import several into a store with --store');
  if (options.store !== undefined)
    throw usage('--out and --store exclude each other', 'leave one of them out');
  const terminal = new Terminal(options.json);
  const { importBars, parseFileArgument } = await import('#adapters');
  const { instrument, path } = parseFileArgument(file);
  if (resolve(out) === resolve(path)) {
    throw new InputError(
      `${out} is the file to import`,
      'choose another name with --out; the original is left alone',
    );
  }
  if (existsSync(out) && !options.force) {
    throw new InputError(
      `${out} exists already`,
      'choose another name with --out, or replace it with --force',
    );
  }
  const quality = await importBars(path, out, instrument ?? options.instrument ?? null);
  terminal.result({ out, ...quality });
  for (const line of fileQualityLines(quality)) terminal.say(line);
  terminal.say(`written to ${out}`);
}

/** What `quorum data list` says of a store. */
export function listStore(terminal: Terminal, store: HistoryStore): void {
  const series = store.series.map((one) => ({
    id: one.id,
    rows: one.rows,
    first: one.first,
    last: one.last,
    hash: one.hash,
    file: join('series', basename(one.file)),
    imports: one.imports.length,
  }));
  terminal.result({ store: store.dir, series });
  if (series.length === 0) return terminal.say(`${store.dir} is an empty store`);
  const rows = series.map((one) => [one.id, String(one.rows), daySpan(one), one.hash.slice(0, 12)]);
  for (const line of table([['series', 'rows', 'span', 'hash'], ...rows], [1])) terminal.say(line);
}

export function qualityCommand(): Command {
  return new Command('quality')
    .description('How good the bars of a history store are: a verdict per series, and why.')
    .argument('[series...]', 'such as BTCUSDT.BINANCE-USDM@5m; all when left out')
    .option('--store <dir>', 'the store; history when left out')
    .option('--json', 'one JSON object on stdout', false)
    .addHelpText(
      'after',
      `
Looks for gaps, duplicates, outliers, bars whose high and low do not enclose open and close, suspected splits, bars
without volume, times stamped in another zone, and universes in which only survivors are left.
Exit code 3 when a series is poor.

Example:
  $ quorum data quality --store history`,
    )
    .action(runQuality);
}

async function runQuality(ids: string[], options: { store?: string; json: boolean }): Promise<void> {
  const terminal = new Terminal(options.json);
  const { DEFAULT_STORE, HistoryStore, storeQuality } = await import('#adapters');
  const store = HistoryStore.open(options.store ?? DEFAULT_STORE);
  const bar = terminal.progress('quality');
  const found = await storeQuality(store, ids, bar.update).finally(bar.stop);
  terminal.result({ ...found });
  sayQuality(terminal, found.series, found.universes);
  const poor = found.series.filter((one) => one.verdict === 'poor');
  if (poor.length === 0) return;
  throw new ExitError(
    EXIT.badInput,
    poor.length === 1 ? `${poor[0]!.id} is poor` : `${poor.length} series are poor, first ${poor[0]!.id}`,
    'the reasons stand above; import a better copy with --replace, or leave the series out',
  );
}

/** Up to so many series are told in full; more make a table. */
const FULL_MOST = 3;

function sayQuality(
  terminal: Terminal,
  series: readonly StoredQuality[],
  universes: readonly UniverseSigns[],
): void {
  if (series.length === 0) terminal.say('no series of bars');
  if (series.length <= FULL_MOST) {
    for (const one of series) {
      for (const line of seriesQualityLines(one.id, one)) terminal.say(line);
      for (const note of one.notes) terminal.say(`    note        ${note}`);
    }
  } else {
    const rows = series.map((one) => [
      one.id,
      String(one.rows),
      daySpan(one),
      one.verdict,
      [...one.reasons, ...one.notes].join('; '),
    ]);
    const header = ['series', 'rows', 'span', 'verdict', 'because'];
    for (const line of table([header, ...rows], [1])) terminal.say(line);
  }
  for (const { warning, ended, venue, interval } of universes) {
    if (warning !== null) terminal.warn(warning);
    if (ended.length > 0)
      terminal.say(
        `${venue} ${interval}: ${ended.length} series ended before the others (${ended.slice(0, 6).join(', ')}${ended.length > 6 ? ', ...' : ''})`,
      );
  }
}

export function removeCommand(): Command {
  return new Command('remove')
    .description('Take series out of a history store.')
    .argument('<series...>', 'such as BTCUSDT.BINANCE-USDM@5m')
    .option('--store <dir>', 'the store; history when left out')
    .option('--json', 'one JSON object on stdout', false)
    .addHelpText('after', '\nExample:\n  $ quorum data remove BTCUSDT.BINANCE-USDM@5m --store history')
    .action(async (ids: string[], options: { store?: string; json: boolean }) => {
      const terminal = new Terminal(options.json);
      const { DEFAULT_STORE, removeSeries } = await import('#adapters');
      const store = options.store ?? DEFAULT_STORE;
      removeSeries(store, ids);
      terminal.result({ store, removed: ids });
      terminal.say(`removed from ${store}: ${ids.join(', ')}`);
    });
}
