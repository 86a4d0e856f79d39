import { Command, Option } from 'commander';
import type { TraceLevel } from '#engine';
import { collect, instantArgument, numberArgument } from '../arguments.ts';
import { EXIT, ExitError, paint, Terminal, table } from '../terminal.ts';

interface Options {
  bars: string[];
  funding: string[];
  tape: string[];
  store?: string;
  from?: number;
  to?: number;
  cash?: number;
  feeBps?: number;
  slippageBps?: number;
  seed: string;
  trace: TraceLevel;
  set: string[];
  answers?: string;
  out?: string;
  json: boolean;
}

export function backtestCommand(): Command {
  return new Command('backtest')
    .description('Run a desk over recorded bars through the loop that trades.')
    .argument('<desk>', 'a built-in desk (sigma) or a desk file')
    .option(
      '--bars <[INSTRUMENT=]FILE...>',
      'bars: CSV, gzip CSV, Parquet, or a series of the store (BTCUSDT.BINANCE-USDM@5m)',
    )
    .option('--funding <[INSTRUMENT=]FILE...>', 'funding rates: time,rate or symbol,time,funding_rate')
    .option(
      '--tape <[INSTRUMENT=]FILE...>',
      'other recordings, recognised by header: quotes, prints, marks, depth',
    )
    .option('--store <dir>', 'history store that holds the series named; history when left out')
    .option('--from <time>', 'first bar', instantArgument)
    .option('--to <time>', 'bars before this time', instantArgument)
    .option('--cash <amount>', 'opening cash', numberArgument())
    .option('--fee-bps <bps>', 'fee of every fill instead of the fee schedule', numberArgument())
    .option('--slippage-bps <bps>', 'slippage of every taker fill', numberArgument())
    .option('--seed <text>', 'seed of everything random', '1')
    .addOption(
      new Option('--trace <level>', 'decision trace')
        .choices(['none', 'decisions', 'all'])
        .default('decisions'),
    )
    .option('--set <key=value>', 'a parameter of the desk; repeat for more', collect, [])
    .option(
      '--answers <file>',
      'recorded answers to remote sources: JSON lines of topic, prompt, answer, delayMs',
    )
    .option('--out <dir>', "write the run's directory here")
    .option('--json', 'one JSON object on stdout', false)
    .action(run);
}

async function run(named: string, options: Options): Promise<void> {
  const terminal = new Terminal(options.json);
  const { loadDesk } = await import('../../setup/load-desk.ts');
  const { runBacktest } = await import('../../setup/run-backtest.ts');
  if (options.from !== undefined && options.to !== undefined && options.to <= options.from) {
    throw new ExitError(
      EXIT.usage,
      '--to is not after --from',
      'bars from --from on and before --to are taken',
    );
  }
  const desk = await loadDesk(named, options.set);
  let stopped = false;
  const stop = () => {
    stopped = true;
  };
  process.once('SIGINT', stop);
  const bar = terminal.progress('backtest');
  const outcome = await runBacktest({
    desk,
    bars: options.bars ?? [],
    funding: options.funding ?? [],
    tapes: options.tape ?? [],
    store: options.store ?? null,
    from: options.from ?? null,
    to: options.to ?? null,
    cash: options.cash ?? null,
    feeBps: options.feeBps ?? null,
    slippageBps: options.slippageBps ?? null,
    seed: options.seed,
    trace: options.trace,
    answers: options.answers ?? null,
    out: options.out ?? null,
    onProgress: (position, total) => {
      bar.update(position, total);
      return !stopped;
    },
  }).finally(() => {
    process.removeListener('SIGINT', stop);
    bar.stop();
  });
  const { summary, seconds, bars } = outcome;
  const barsPerSecond = seconds > 0 ? Math.round(bars / seconds) : null;
  terminal.result({ ...summary, barsPerSecond });
  print(terminal, summary, barsPerSecond, options.out ?? null);
  if (!outcome.result.finished) process.exitCode = EXIT.interrupted;
}

function print(
  terminal: Terminal,
  summary: Record<string, unknown>,
  barsPerSecond: number | null,
  out: string | null,
): void {
  const text = (key: string) => String(summary[key] ?? '-');
  const percent = (value: unknown) => (typeof value === 'number' ? `${(value * 100).toFixed(2)} %` : '-');
  terminal.say(paint('1', `${text('desk')} over ${(summary.instruments as string[]).join(', ')}`));
  for (const stamp of summary.stamps as string[]) terminal.say(paint('33', `STAMP: ${stamp}`));
  const rows: [string, string][] = [
    ['bars', text('bars')],
    ['slices', text('slices')],
    ['entries considered', text('entriesConsidered')],
    ['orders', text('orders')],
    ['fills', text('fills')],
    ['trades', text('trades')],
    ['cash at start', text('cashStart')],
    ['equity at end', text('equityEnd')],
    ['realised', text('realised')],
    ['unrealised', text('unrealised')],
    ['fees', text('fees')],
    ['funding', text('funding')],
    ['max drawdown', percent(summary.maxDrawdown)],
    ['Sharpe', typeof summary.sharpe === 'number' ? summary.sharpe.toFixed(3) : '-'],
    ['bars per second', barsPerSecond === null ? '-' : String(barsPerSecond)],
  ];
  for (const line of table(rows, [1])) terminal.say(`  ${line}`);
  for (const note of summary.notes as string[]) terminal.warn(note);
  if (out !== null) terminal.say(`written to ${out}`);
}
