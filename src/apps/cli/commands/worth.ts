import { join } from 'node:path';
import { Command } from 'commander';
import { wholeArgument } from '../arguments.ts';
import { type RegistryOptions, withRegistryOptions } from '../registry-options.ts';
import { EXIT, Terminal } from '../terminal.ts';

interface Options extends RegistryOptions {
  workers: number;
  out?: string;
  json: boolean;
}

export function worthCommand(): Command {
  const command = new Command('worth')
    .description('What is each part worth? Plays a backtest again without each of its parts in turn.')
    .argument('<dir>', 'the directory that backtest --out wrote');
  return withRegistryOptions(command)
    .option('--workers <n>', 'threads that play', wholeArgument(1, 64), 1)
    .option('--out <dir>', 'where worth.json, worth.csv and trades.csv go; DIR/worth when left out')
    .option('--json', 'one JSON object on stdout', false)
    .addHelpText(
      'after',
      `
Sources, gates, multipliers, limits, safety layers, exits, review, breaker and monitor are taken out one at a time, and
each source is heard alone, on the same data, costs and seed. An interval is of the mean difference of daily returns
(paired stationary block bootstrap). Ctrl-C keeps what is done; the same command goes on. The result is a study.`,
    )
    .action(run);
}

async function run(dir: string, options: Options): Promise<void> {
  const terminal = new Terminal(options.json);
  const { runWorth } = await import('../../worth/worth-run.ts');
  const { worthAsData, writeWorth } = await import('../../worth/worth-files.ts');
  const { worthText } = await import('../../worth/worth-text.ts');
  const { openRegistry } = await import('../../setup/registry/open-registry.ts');
  const { worthRegistration } = await import('../../setup/registry/register-worth.ts');
  const out = options.out ?? join(dir, 'worth');
  const registry = openRegistry(options);
  let isStopped = false;
  const stop = () => {
    isStopped = true;
  };
  process.once('SIGINT', stop);
  const bar = terminal.progress('worth');
  const { study, unfinished } = await runWorth({
    dir,
    out,
    workers: options.workers,
    onProgress: (done, total) => {
      bar.update(done, total);
      return !isStopped;
    },
    ...(registry === null ? {} : { onPlayed: worthRegistration(registry) }),
  }).finally(() => {
    process.removeListener('SIGINT', stop);
    bar.stop();
    registry?.close();
  });
  if ('done' in study) {
    unfinished.close();
    terminal.result({ done: study.done, of: study.of, finished: false });
    terminal.say(`stopped: ${study.done} of ${study.of} parts are done and kept; the same command goes on`);
    process.exitCode = EXIT.interrupted;
    return;
  }
  try {
    writeWorth(out, study);
    unfinished.remove();
  } finally {
    unfinished.close();
  }
  terminal.result(worthAsData(study));
  for (const line of worthText(study)) terminal.say(line);
  terminal.say(`written to ${out}: worth.json, worth.csv, trades.csv (every trade that a part moved)`);
}
