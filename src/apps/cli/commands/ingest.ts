import { Command, Option } from 'commander';
import type { IngestFigures } from '../../ingest/ingest-figures.ts';
import type { Role } from '../../ingest/run-ingest.ts';
import type { IngestWord } from '../../runner/ingest-companion.ts';
import { EXIT, Terminal } from '../terminal.ts';
import { webhookFeedNamed } from '../webhook-feed-named.ts';
import { ingestCheckCommand } from './ingest-check.ts';
import { ingestDeadCommand } from './ingest-dead.ts';

interface Options {
  readonly config?: string;
  readonly feed?: string;
  readonly dataDir: string;
  readonly role: Role;
  readonly clockFile?: string;
  readonly rules?: string;
  readonly json: boolean;
}

const NOTES = `
A feed of kind "webhook" in quorum.config.json says where bars are posted to, who may post them, and where they are kept. The
endpoint answers as soon as a bar is durable in the queue; workers check it, fill holes before it and put it into the store.
Start as many workers as you like, on any machine that reaches the same queue and store; one that dies is made good by the others.
Bars that no worker could use are shown and put back by "quorum ingest dead".
"quorum start" runs both by itself unless the feed says "ingest": "separate". Secrets come from the environment alone.

Examples:
  $ quorum ingest --feed tradingview
  $ quorum ingest --feed tradingview --role worker
`;

export function ingestCommand(): Command {
  return new Command('ingest')
    .description('Take bars by webhook into the store of a feed: the endpoint, a worker, or both.')
    .option('--config <file>', 'the configuration (default: quorum.config.json or .ts)')
    .option('--feed <name>', 'a webhook feed of the configuration (default: the only one)')
    .option('--data-dir <dir>', 'where the embedded queue and store lie', '.quorum')
    .addOption(
      new Option('--role <role>', 'what to run').choices(['endpoint', 'worker', 'both']).default('both'),
    )
    .addOption(new Option('--clock-file <file>', 'time of a rehearsal').hideHelp())
    .addOption(new Option('--rules <json>', 'waits of a rehearsal').hideHelp())
    .option('--json', 'one JSON object on stdout when it ends; lines for people go to stderr', false)
    .addHelpText('after', NOTES)
    .addCommand(ingestCheckCommand())
    .addCommand(ingestDeadCommand())
    .action(run);
}

async function run(options: Options): Promise<void> {
  const terminal = new Terminal(options.json);
  const isCompanion = process.send !== undefined;
  const word = (message: IngestWord) => process.send?.(message);
  const say = (line: string) =>
    isCompanion ? word({ word: 'says', line }) : options.json ? terminal.note(line) : terminal.say(line);
  const { name, feed } = await webhookFeedNamed(options);
  const { ingestFolder, ingestSettings } = await import('../../ingest/ingest-settings.ts');
  const { runIngest } = await import('../../ingest/run-ingest.ts');
  const { rehearsalClock } = await import('../../ingest/rehearsal.ts');
  const settings = ingestSettings(feed, ingestFolder(options.dataDir, name), process.env);
  const clock = rehearsalClock(feed, options.clockFile ?? null);
  const { openTraces } = await import('../../traces/open-traces.ts');
  const traces = openTraces({ process: 'ingest', env: process.env, say });
  const stop = new AbortController();
  const ending = heedEnding(isCompanion, stop);
  const counts = await runIngest({
    settings,
    feedName: name,
    role: options.role,
    clock,
    say,
    signal: stop.signal,
    traces,
    onOpen: ({ shown, port }) => {
      if (isCompanion) word({ word: 'open', shown, port });
      else if (shown !== null) terminal.say(`bars are taken at ${shown}`);
    },
    ...(isCompanion
      ? { onFigures: (figures: IngestFigures) => process.connected && word({ word: 'figures', figures }) }
      : {}),
    ...(options.rules === undefined ? {} : { rules: JSON.parse(options.rules) as Record<string, number> }),
  }).finally(async () => {
    await traces?.close();
    ending.release();
  });
  terminal.result({ feed: name, role: options.role, ...counts });
  if (ending.interrupted) process.exitCode = EXIT.interrupted;
  // a line that is open keeps the process
  if (isCompanion && process.connected) process.disconnect();
}

/** Ends when it is asked to; a companion also when the program that started it is gone. */
function heedEnding(isCompanion: boolean, stop: AbortController) {
  const ending = { interrupted: false, release: () => {} };
  const interrupt = () => {
    // Ctrl-C in a terminal reaches both: who started it says when it ends
    if (isCompanion) return;
    if (stop.signal.aborted) process.exit(EXIT.interrupted);
    ending.interrupted = true;
    stop.abort();
  };
  const end = () => stop.abort();
  process.on('SIGINT', interrupt);
  for (const name of ['SIGTERM', 'SIGHUP'] as const) process.on(name, end);
  if (isCompanion) {
    process.once('disconnect', end);
    if (!process.connected) stop.abort();
  }
  ending.release = () => {
    process.off('SIGINT', interrupt);
    for (const name of ['SIGTERM', 'SIGHUP', 'disconnect'] as const) process.off(name, end);
  };
  return ending;
}
