import { resolve } from 'node:path';
import { Command } from 'commander';
import type { BarSeries } from '#adapters';
import { formatInterval, InputError } from '#base';
import type { FeatureDefinition } from '#features';
import type { FeatureTable } from '../feature-table.ts';
import { EXIT, ExitError, Terminal, table } from '../terminal.ts';

interface Options {
  bars?: string;
  store?: string;
  columns?: string;
  out?: string;
  list: boolean;
  json: boolean;
}

const EXAMPLES = `
Names are TA-Lib's in lower case, parameters follow after colons; those left out take their defaults.
One column an output: macd:12:26:9 gives macd_12_26_9, macd_12_26_9_signal and macd_12_26_9_hist.

Examples:
  $ quorum features --list
  $ quorum features --bars BTCUSDT-5m.csv.gz --columns "rsi:14,macd:12:26:9" --out features.csv
  $ quorum features --bars ETHUSDT=universe.csv.gz --columns "bbands:20:2,stoch:14:3:3" --out features.parquet`;

export function featuresCommand(): Command {
  return new Command('features')
    .description('Compute features over a bars file, or list them all.')
    .option('--bars <[INSTRUMENT=]FILE>', 'bars: CSV, gzip CSV, Parquet, or a series of the store')
    .option('--store <dir>', 'history store that holds the series named; history when left out')
    .option('--columns <list>', 'features, separated by commas: rsi:14,macd:12:26:9,...')
    .option('--out <file>', 'write .csv or .parquet here instead of CSV on stdout')
    .option('--list', 'every feature with parameters, outputs, units and source', false)
    .option('--json', 'one JSON object on stdout', false)
    .addHelpText('after', EXAMPLES)
    .action(run);
}

async function run(options: Options): Promise<void> {
  const terminal = new Terminal(options.json);
  if (options.list) return list(terminal);
  if (options.bars === undefined) throw usage('--bars is missing', 'add --bars FILE, or ask for --list');
  if (options.columns === undefined) throw usage('--columns is missing', 'add --columns "rsi:14,ema:20"');
  const requests = options.columns
    .split(',')
    .map((text) => text.trim())
    .filter((text) => text !== '');
  if (requests.length === 0)
    throw usage('--columns names no feature', 'write for example --columns "rsi:14"');
  const { computeFeatures, parseFeature } = await import('#features');
  const { csvPieces, firstRows, jsonRows, writeParquet } = await import('../feature-table.ts');
  const { writeWholeFile } = await import('../../whole-file.ts');
  // a misspelt feature is told before a large file is read
  for (const request of requests) parseFeature(request);
  const out = options.out === undefined ? null : checkedOut(options.out, options.bars);
  const series = await readOne(options.bars, options.store ?? null);
  const { columns } = series;
  const features: FeatureTable = {
    times: columns.time,
    rows: columns.length,
    columns: computeFeatures(columns, requests),
  };
  if (out === null && !options.json) return writeStdout(csvPieces(features));
  if (out?.format === 'csv') writeWholeFile(out.path, csvPieces(features));
  if (out?.format === 'parquet') await writeParquet(out.path, features);
  const described = {
    instrument: series.instrument,
    interval: formatInterval(series.intervalMs),
    rows: features.rows,
    columns: ['time', ...features.columns.keys()],
    firstRow: firstRows(features),
  };
  terminal.result(
    out === null ? { ...described, data: jsonRows(features) } : { ...described, out: out.path },
  );
  if (out !== null) {
    terminal.say(
      `${series.instrument} ${described.interval}: ${features.rows} rows, ${features.columns.size} columns`,
    );
    terminal.say(`written to ${out.path}`);
  }
}

const usage = (what: string, mend: string) => new ExitError(EXIT.usage, what, mend);

interface Out {
  readonly path: string;
  readonly format: 'csv' | 'parquet';
}

function checkedOut(path: string, bars: string): Out {
  const format = /\.csv$/i.test(path) ? 'csv' : /\.parquet$/i.test(path) ? 'parquet' : null;
  if (format === null) {
    throw new ExitError(EXIT.usage, `--out ${path} has no known format`, 'name it .csv or .parquet');
  }
  if (resolve(bars.slice(bars.indexOf('=') + 1)) === resolve(path)) {
    throw new InputError(
      `--out ${path} is the bars file itself`,
      'choose another name; the bars are left alone',
    );
  }
  return { path, format };
}

async function readOne(argument: string, store: string | null): Promise<BarSeries> {
  const { isSeriesArgument, parseFileArgument, readBarsFile, readSeries } = await import('#adapters');
  if (isSeriesArgument(argument)) {
    const [series] = await readSeries(argument, store);
    if (series?.kind === 'bars') return series;
    throw new InputError(`${argument} holds no bars`, 'name a series such as BTCUSDT.BINANCE-USDM@5m');
  }
  const { instrument, path } = parseFileArgument(argument);
  const series = await readBarsFile(path, { instrument });
  if (series.length > 1) {
    const names = series.map((one) => one.instrument);
    throw new InputError(
      `${path} holds ${series.length} instruments: ${names.slice(0, 8).join(', ')}${names.length > 8 ? ', ...' : ''}`,
      `name one of them: --bars ${names[0]}=${path}`,
    );
  }
  return series[0]!;
}

async function writeStdout(pieces: Iterable<string>): Promise<void> {
  for (const piece of pieces) {
    if (!process.stdout.write(piece)) await new Promise<void>((done) => process.stdout.once('drain', done));
  }
}

async function list(terminal: Terminal): Promise<void> {
  const { featureDefinitions, parseFeature } = await import('#features');
  const columnsOf = (one: FeatureDefinition) => parseFeature(one.name).columns;
  terminal.result({
    features: featureDefinitions.map((one) => ({
      name: one.name,
      summary: one.summary,
      parameters: one.parameters,
      outputs: one.outputs.map((output, i) => ({ column: columnsOf(one)[i], unit: output.unit })),
      source: one.source,
    })),
  });
  const rows = featureDefinitions.flatMap((one) =>
    one.outputs.map((output, i) => [
      i === 0 ? [one.name, ...one.parameters.map((p) => `${p.name}=${p.default}`)].join(':') : '',
      columnsOf(one)[i]!,
      output.unit,
      i === 0 ? `${one.summary} (${one.source})` : '',
    ]),
  );
  for (const line of table([['feature with defaults', 'column', 'unit', 'what and where from'], ...rows])) {
    terminal.say(line);
  }
}
