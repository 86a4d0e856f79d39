import { existsSync, statSync } from 'node:fs';
import { Command } from 'commander';
import type { FileQuality, TapeSeries } from '#adapters';
import { formatInstant, formatInterval, InputError } from '#base';
import { instantArgument, wholeArgument } from '../arguments.ts';
import { fileQualityLines, spanText } from '../quality-text.ts';
import { EXIT, ExitError, Terminal, table } from '../terminal.ts';
import { importCommand, listStore, qualityCommand, removeCommand } from './data-store.ts';
import { syntheticCommand } from './data-synthetic.ts';

interface DownloadOptions {
  interval: string;
  from: number;
  to?: number;
  dir: string;
  store?: string;
  url?: string;
  retries: number;
  json: boolean;
}

export function dataCommand(): Command {
  const data = new Command('data')
    .description('Download, make up, import, check and list market data, in files and in a history store.')
    .addHelpText(
      'after',
      `
Examples:
  $ quorum data download BTCUSDT ETHUSDT --interval 5m --from 2024-01-01 --to 2024-02-01
  $ quorum data import data/BTCUSDT-5m.csv.gz funding.csv universe.parquet --store history
  $ quorum data list --store history
  $ quorum data quality --store history
  $ quorum data check data/BTCUSDT-5m.csv.gz`,
    );
  const commands = [
    download(),
    syntheticCommand(),
    importCommand(),
    listing(),
    qualityCommand(),
    removeCommand(),
    check(),
  ];
  for (const command of commands) data.addCommand(command);
  return data;
}

function download(): Command {
  return new Command('download')
    .description(
      "Fetch bars from Binance USD-M's public history; an interrupted download goes on where it stopped.",
    )
    .argument('<symbol...>', 'for example BTCUSDT')
    .requiredOption('--from <time>', 'first bar', instantArgument)
    .option('--to <time>', 'bars before this time; now when left out', instantArgument)
    .option('--interval <interval>', 'length of the bars', '5m')
    .option('--dir <dir>', 'where SYMBOL-interval.csv.gz goes', 'data')
    .option('--store <dir>', 'import what was fetched into this history store as well')
    .option('--url <url>', 'another address that speaks the same REST')
    .option('--retries <n>', 'how often a call that failed is tried again', wholeArgument(0, 20), 6)
    .option('--json', 'one JSON object on stdout', false)
    .addHelpText(
      'after',
      '\nExample:\n  $ quorum data download BTCUSDT --interval 1h --from 2024-01-01 --to 2024-02-01',
    )
    .action(runDownload);
}

async function runDownload(symbols: string[], options: DownloadOptions): Promise<void> {
  const terminal = new Terminal(options.json);
  const { BinanceUsdmRest, downloadBars, importFiles } = await import('#adapters');
  const rest = new BinanceUsdmRest({
    retriesMax: options.retries,
    ...(options.url === undefined ? {} : { baseUrl: options.url }),
  });
  const abort = new AbortController();
  const stop = () =>
    abort.abort(new ExitError(EXIT.interrupted, 'interrupted', 'the same command goes on where it stopped'));
  process.once('SIGINT', stop);
  const files: { symbol: string; path: string; rows: number; fetched: number }[] = [];
  try {
    for (const symbol of symbols) {
      const bar = terminal.progress(symbol);
      const done = await downloadBars({
        rest,
        symbol,
        interval: options.interval,
        from: options.from,
        to: options.to ?? null,
        dir: options.dir,
        signal: abort.signal,
        onProgress: ({ share }) => bar.update(Math.round(share * 1000), 1000),
      }).finally(bar.stop);
      files.push({ symbol, ...done });
      terminal.say(`${symbol}: ${done.rows} bars in ${done.path} (${done.fetched} fetched now)`);
    }
  } catch (error) {
    throw abort.signal.aborted ? abort.signal.reason : error;
  } finally {
    process.removeListener('SIGINT', stop);
  }
  if (options.store === undefined) return terminal.result({ interval: options.interval, files });
  const paths = files.map((file) => file.path);
  const { series } = await importFiles({
    store: options.store,
    files: paths,
    instrument: null,
    replace: false,
  });
  for (const { id, rows, added } of series)
    terminal.say(`${id}: ${rows} bars in ${options.store} (${added} new)`);
  terminal.result({ interval: options.interval, files, store: options.store, series });
}

function check(): Command {
  return new Command('check')
    .description('Say what a data file was understood as, and how good it is.')
    .argument('<[INSTRUMENT=]FILE...>', 'bars, funding, quotes, prints, marks or depth')
    .option('--json', 'one JSON object on stdout', false)
    .addHelpText(
      'after',
      '\nExit code 3 when a file is poor.\n\nExample:\n  $ quorum data check BTCUSDT=export.csv',
    )
    .action(runCheck);
}

/** What a recording other than bars holds. */
interface Recording {
  readonly kind: string;
  readonly instrument: string;
  readonly rows: number;
  readonly first: number | null;
  readonly last: number | null;
  readonly dropped: number;
}

async function runCheck(files: string[], options: { json: boolean }): Promise<void> {
  const terminal = new Terminal(options.json);
  const { checkBarsFile, openDataFile, parseFileArgument, readTapeFile } = await import('#adapters');
  const results: (FileQuality | { file: string; recordings: Recording[] })[] = [];
  for (const argument of files) {
    const { instrument, path } = parseFileArgument(argument);
    const { format, bytes } = await openDataFile(path);
    if ((format === 'jsonl' && !isJsonBars(bytes)) || (format === 'csv' && isOtherTape(bytes))) {
      const recordings = (await readTapeFile(argument)).map(recordingOf);
      results.push({ file: path, recordings });
      terminal.say(path);
      for (const one of recordings)
        terminal.say(`  ${one.instrument}: ${one.kind}, ${one.rows} rows, ${spanText(one)}`);
      continue;
    }
    const quality = await checkBarsFile(path, instrument);
    results.push(quality);
    for (const line of fileQualityLines(quality)) terminal.say(line);
  }
  terminal.result({ files: results });
  const poor = results.find(
    (one) => 'series' in one && one.series.some((series) => series.verdict === 'poor'),
  );
  if (poor !== undefined) {
    throw new ExitError(
      EXIT.badInput,
      `${poor.file} is poor`,
      'the reasons stand above; get a better copy or leave it out',
    );
  }
}

/** Whether JSON lines begin with a bar and not with a message of an order book. */
function isJsonBars(bytes: Uint8Array): boolean {
  return /^\s*\{[^\n]*"(?:open|o)"\s*:/i.test(Buffer.from(bytes.subarray(0, 4096)).toString('utf8'));
}

/** Whether a header has a time but no open price: funding, quotes, prints or marks. */
function isOtherTape(bytes: Uint8Array): boolean {
  const end = bytes.indexOf(10);
  const header = Buffer.from(bytes.subarray(0, end < 0 ? bytes.length : end))
    .toString('utf8')
    .toLowerCase();
  const names = header.trim().split(',');
  const told = ['rate', 'funding_rate', 'bid', 'bid_price', 'price', 'mark', 'mark_price'];
  return names.includes('time') && !names.includes('open') && names.some((name) => told.includes(name));
}

function recordingOf(series: TapeSeries): Recording {
  if (series.kind === 'bars') {
    const { time, length } = series.columns;
    return {
      kind: `${formatInterval(series.intervalMs)} bars`,
      instrument: series.instrument,
      rows: length,
      first: time[0] ?? null,
      last: time[length - 1] ?? null,
      dropped: 0,
    };
  }
  const { kind, instrument, length, at } = series;
  const dropped = 'dropped' in series ? series.dropped : 0;
  return { kind, instrument, rows: length, first: at[0] ?? null, last: at[length - 1] ?? null, dropped };
}

function listing(): Command {
  return new Command('list')
    .description('The series of a history store, or the bars files of a folder and their quality.')
    .argument('[dir]', 'a store or a folder; the store when one is there, else data')
    .option('--store <dir>', 'a history store')
    .option('--json', 'one JSON object on stdout', false)
    .addHelpText('after', '\nExamples:\n  $ quorum data list --store history\n  $ quorum data list data')
    .action(runList);
}

async function runList(named: string | undefined, options: { store?: string; json: boolean }): Promise<void> {
  const terminal = new Terminal(options.json);
  const { DEFAULT_STORE, HistoryStore, listBars } = await import('#adapters');
  if (options.store !== undefined) return listStore(terminal, HistoryStore.open(options.store));
  const dir = named ?? (HistoryStore.isStore(DEFAULT_STORE) ? DEFAULT_STORE : 'data');
  if (HistoryStore.isStore(dir)) return listStore(terminal, HistoryStore.open(dir));
  if (existsSync(dir) && !statSync(dir).isDirectory()) {
    throw new InputError(`${dir} is a file`, 'give a folder, or look at one file with quorum data check');
  }
  const files = await listBars(dir);
  terminal.result({ dir, files });
  if (files.length === 0) return terminal.say(`${dir} holds no bars file`);
  const rows = files.flatMap(({ file, quality, problem }) =>
    quality === null
      ? [[file, '', '', '', '', `cannot be read: ${problem}`]]
      : quality.series.map((one) => [
          file,
          one.instrument,
          one.interval,
          String(one.rows),
          `${day(one.first)} to ${day(one.last)}`,
          one.verdict,
        ]),
  );
  for (const line of table([['file', 'instrument', 'bars', 'rows', 'span', 'verdict'], ...rows], [3]))
    terminal.say(line);
}

const day = (at: number) => formatInstant(at).slice(0, 10);
