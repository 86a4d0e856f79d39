import { join } from 'node:path';
import { Command } from 'commander';
import { numberArgument } from '../arguments.ts';
import { Terminal } from '../terminal.ts';

interface Options {
  readonly dataDir: string;
  readonly staleSeconds: number;
  readonly startSeconds: number;
  readonly graceSeconds: number;
  readonly restart: boolean;
  readonly untilEnded: boolean;
  readonly config?: string;
  readonly json: boolean;
}

/** Held by the one watchdog of a data directory. */
const LOCK = 'watchdog.lock';
const DAY_S = 86_400;

export function watchdogCommand(): Command {
  return new Command('watchdog')
    .description(
      'Watch what runs in a data directory from a process of its own: say so when a loop does not step any more, and when it is back.',
    )
    .option('--data-dir <dir>', 'where journals and logs are kept', '.quorum')
    .option(
      '--stale-seconds <seconds>',
      'a loop that has not stepped for so long is dead',
      numberArgument(DAY_S),
      15,
    )
    .option('--restart', 'end what hangs and start it again as it was started', false)
    .option('--start-seconds <seconds>', 'how long a start may take', numberArgument(DAY_S), 120)
    .option(
      '--grace-seconds <seconds>',
      'how long it may take to end before it is killed',
      numberArgument(DAY_S),
      10,
    )
    .option('--until-ended', 'end when all that was watched has ended cleanly', false)
    .option('--config <file>', 'the configuration (default: quorum.config.json or .ts, when there is one)')
    .option('--json', 'one JSON object on stdout when it ends; lines for people go to stderr', false)
    .action(run);
}

async function run(options: Options): Promise<void> {
  const terminal = new Terminal(options.json);
  const say = (line: string) => (options.json ? terminal.note(line) : terminal.say(line));
  const { makeFolder, WriterLock } = await import('#adapters');
  const { readConfiguration } = await import('../../setup/configuration.ts');
  const { NO_ALERTS } = await import('../../alerts/alert-configuration.ts');
  const { Watchdog } = await import('../../watchdog/watchdog.ts');
  const configuration = await readConfiguration(options.config ?? null);
  const { dataDir, restart, untilEnded } = options;
  makeFolder(dataDir);
  const lock = WriterLock.acquire(join(dataDir, LOCK));
  const abort = new AbortController();
  const stop = () => abort.abort();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, stop);
  // whoever listened may be what died
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);
  try {
    say(`watching ${dataDir}: dead after ${options.staleSeconds} s${restart ? ', then started again' : ''}`);
    const states = await new Watchdog({
      dataDir,
      staleMs: Math.max(1, options.staleSeconds) * 1_000,
      startMs: options.startSeconds * 1_000,
      graceMs: options.graceSeconds * 1_000,
      restart,
      untilEnded,
      alerts: configuration?.alerts ?? NO_ALERTS,
      environment: process.env,
      say: (line) => say(`${new Date().toISOString()} ${line}`),
      signal: abort.signal,
    }).run();
    terminal.result({ portfolios: states });
  } finally {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.off(signal, stop);
    lock.release();
  }
}
