import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { wholeArgument } from '../arguments.ts';
import { EXIT, Terminal } from '../terminal.ts';

interface Options {
  queue: string;
  workers: number;
  cache: string;
  builtInOnly: boolean;
  json: boolean;
}

const NOTES = `
Takes parts of whatever sweep, optimise, walk-forward, cross-validate and train put into the same Redis with --queue, together
with all machines of the same version of the program: variants of a sweep, trials and tests of a study, trials of a training.
Data comes once and is kept in --cache. Ctrl-C hands back what is not done. The password may also stand in
QUORUM_QUEUE_PASSWORD. Desk files are code: whoever can write to that Redis can run code here; --built-in-only forbids it.

Example:
  $ quorum worker --queue redis://127.0.0.1:6379 --workers 4
`;

export function workerCommand(): Command {
  return new Command('worker')
    .description('Play parts of sweeps, studies and trainings that other machines put into a Redis.')
    .requiredOption('--queue <url>', 'the Redis, as redis://HOST:PORT')
    .option('--workers <n>', 'threads', wholeArgument(1, 256), availableParallelism())
    .option('--cache <dir>', 'where data and desks that came are kept', join('.quorum', 'worker'))
    .option('--built-in-only', 'refuse sweeps and studies of desk files', false)
    .option('--json', 'one JSON object on stdout at the end', false)
    .addHelpText('after', NOTES)
    .action(run);
}

async function run(options: Options): Promise<void> {
  const terminal = new Terminal(options.json);
  const { readRedisAddress } = await import('#adapters');
  const { runWorker } = await import('../../setup/work/run-worker.ts');
  const { WORK_KINDS } = await import('../work-kinds.ts');
  const address = readRedisAddress(options.queue, process.env.QUORUM_QUEUE_PASSWORD ?? null);
  const stop = new AbortController();
  const end = () => {
    // a second Ctrl-C does not wait for anything
    if (stop.signal.aborted) process.exit(EXIT.interrupted);
    stop.abort();
  };
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const name of signals) process.on(name, end);
  try {
    const done = await runWorker({
      kinds: WORK_KINDS,
      address,
      threads: options.workers,
      cache: options.cache,
      runsDeskFiles: !options.builtInOnly,
      signal: stop.signal,
      onNote: (note) => terminal.note(note),
    });
    const parts = done.reduce((sum, work) => sum + work.parts, 0);
    terminal.result({ queue: address.shown, parts, works: done });
    terminal.say(`stopped: ${parts} parts of ${done.length} works done; what was not done is handed back`);
    process.exitCode = EXIT.interrupted;
  } finally {
    for (const name of signals) process.removeListener(name, end);
  }
}
