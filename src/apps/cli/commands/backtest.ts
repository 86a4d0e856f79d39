import { Command, Option } from 'commander';
import type { TraceLevel } from '#engine';
import { collect } from '../arguments.ts';
import { type RecordingOptions, recordingOf, withRecordingOptions } from '../recording-options.ts';
import { type RegistryOptions, withRegistryOptions } from '../registry-options.ts';
import { EXIT, paint, Terminal, table } from '../terminal.ts';

interface Options extends RecordingOptions, RegistryOptions {
  trace: TraceLevel;
  set: string[];
  out?: string;
  json: boolean;
}

export function backtestCommand(): Command {
  const command = new Command('backtest')
    .description('Run a desk over recorded bars through the loop that trades.')
    .argument('<desk>', 'a built-in desk (sigma) or a desk file');
  return withRegistryOptions(withRecordingOptions(command))
    .addOption(
      new Option('--trace <level>', 'decision trace')
        .choices(['none', 'decisions', 'all'])
        .default('decisions'),
    )
    .option('--set <key=value>', 'a parameter of the desk; repeat for more', collect, [])
    .option('--out <dir>', "write the run's directory here")
    .option('--json', 'one JSON object on stdout', false)
    .action(run);
}

async function run(named: string, options: Options): Promise<void> {
  const terminal = new Terminal(options.json);
  const { loadDesk } = await import('../../setup/load-desk.ts');
  const { runBacktest } = await import('../../setup/run-backtest.ts');
  const recording = recordingOf(options);
  const desk = await loadDesk(named, options.set);
  const { openRegistry } = await import('../../setup/registry/open-registry.ts');
  const registry = openRegistry(options);
  let stopped = false;
  const stop = () => {
    stopped = true;
  };
  process.once('SIGINT', stop);
  const bar = terminal.progress('backtest');
  const outcome = await runBacktest({
    desk,
    ...recording,
    trace: options.trace,
    out: options.out ?? null,
    registry,
    onProgress: (position, total) => {
      bar.update(position, total);
      return !stopped;
    },
  }).finally(() => {
    process.removeListener('SIGINT', stop);
    bar.stop();
    registry?.close();
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
