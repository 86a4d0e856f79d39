import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { DAY, formatInterval, InputError, parseInterval } from '#base';
import { instantArgument, numberArgument, wholeArgument } from '../arguments.ts';
import { EXIT, ExitError, Terminal } from '../terminal.ts';

interface SyntheticOptions {
  days: number;
  from: number;
  interval: string;
  dir: string;
  seed: string;
  trend: number;
  force: boolean;
  json: boolean;
}

export function syntheticCommand(): Command {
  return new Command('synthetic')
    .description('Write bars of a made-up market: to try things without a network, never as evidence.')
    .argument('<symbol...>', 'of eight pairs: BTCUSDT, ETHUSDT, SOLUSDT, XRPUSDT, ...')
    .option('--days <n>', 'how many days', wholeArgument(1, 3_650), 60)
    .option('--from <time>', 'first bar, a whole day', instantArgument, Date.UTC(2024, 0, 1))
    .option('--interval <interval>', 'length of the bars: 5m or a multiple', '5m')
    .option('--dir <dir>', 'where SYMBOL-interval.csv.gz goes', 'made-up')
    .option('--seed <text>', 'another market', '1')
    .option(
      '--trend <times>',
      'how many times stronger than usual it trends; from about 5 on there is something to learn',
      numberArgument(20),
      1,
    )
    .option('--force', 'replace files that are there', false)
    .option('--json', 'one JSON object on stdout', false)
    .addHelpText(
      'after',
      `
One market factor with moods that change, volatility that clusters, and, without --trend, nothing that anybody could learn. The
same seed gives the same bars, whichever symbols are asked for.

Example:
  $ quorum data synthetic BTCUSDT ETHUSDT SOLUSDT XRPUSDT --days 60`,
    )
    .action(run);
}

async function run(symbols: string[], options: SyntheticOptions): Promise<void> {
  const { days, from, dir, seed, trend } = options;
  const terminal = new Terminal(options.json);
  const { makeFolder, SYNTHETIC_INTERVAL_MS, SYNTHETIC_SYMBOLS, syntheticSeries, writeBarsFile } =
    await import('#adapters');
  const { appendBar, barAt, barColumns, Resampler } = await import('#market');
  const strange = symbols.find((symbol) => !SYNTHETIC_SYMBOLS.includes(symbol));
  if (strange !== undefined)
    throw new InputError(`${strange} is not made up`, `choose among ${SYNTHETIC_SYMBOLS.join(', ')}`);
  const ms = parseInterval(options.interval);
  if (ms === null || ms % SYNTHETIC_INTERVAL_MS !== 0 || DAY % ms !== 0)
    throw new ExitError(
      EXIT.usage,
      `--interval ${options.interval} cannot be made`,
      'write 5m, 15m, 1h or 1d',
    );
  if (from % DAY !== 0)
    throw new ExitError(EXIT.usage, '--from is no whole day', 'write a date such as 2024-01-01');
  const paths = symbols.map((symbol) => join(dir, `${symbol}-${formatInterval(ms)}.csv.gz`));
  const there = options.force ? undefined : paths.find((path) => existsSync(path));
  if (there !== undefined)
    throw new InputError(`${there} is there already`, 'replace it with --force, or name another --dir');
  makeFolder(dir);
  const series = syntheticSeries(
    seed,
    (days * DAY) / SYNTHETIC_INTERVAL_MS,
    from,
    symbols,
    'SYNTHETIC',
    trend,
  );
  const files: { symbol: string; path: string; rows: number }[] = [];
  for (const [k, { columns }] of series.entries()) {
    const symbol = symbols[k]!;
    const path = paths[k]!;
    const out = barColumns(columns.length);
    const resampler = ms === SYNTHETIC_INTERVAL_MS ? null : new Resampler(SYNTHETIC_INTERVAL_MS, ms);
    for (let i = 0; resampler !== null && i < columns.length; i++)
      for (const { bar } of resampler.add(barAt(columns, i))) appendBar(out, bar);
    const bars = resampler === null ? columns : out;
    await writeBarsFile(path, [{ symbol, columns: bars }]);
    files.push({ symbol, path, rows: bars.length });
    terminal.say(`${symbol}: ${bars.length} made-up bars in ${path}`);
  }
  terminal.result({ interval: options.interval, seed, files });
}
