import { Command } from 'commander';
import { formatInstant } from '#base';
import { wholeArgument } from '../arguments.ts';
import { EXIT, paint, Terminal, table } from '../terminal.ts';
import { webhookFeedNamed } from '../webhook-feed-named.ts';

interface Options {
  readonly config?: string;
  readonly feed?: string;
  readonly dataDir: string;
  readonly revive?: string;
  readonly most: number;
  readonly json: boolean;
}

export function ingestDeadCommand(): Command {
  return new Command('dead')
    .description('Show the bars of the queue that no worker could use, and put them back.')
    .option('--revive <id>', 'put one back at the end of its stream, or "all"')
    .option('--most <n>', 'show at most so many, the newest', wholeArgument(1, 10_000), 100)
    .option('--config <file>', 'the configuration (default: quorum.config.json or .ts)')
    .option('--feed <name>', 'a webhook feed of the configuration (default: the only one)')
    .option('--data-dir <dir>', 'where the embedded queue and store lie', '.quorum')
    .option('--json', 'one JSON object on stdout', false)
    .addHelpText(
      'after',
      `
A bar becomes a dead letter when it cannot be read, when the store refuses what it says, or when five workers ended with it in
their hands. An outage of the store makes none: bars wait for it. Mend the cause, then put them back; a bar that the store has by
now does nothing again, and one that is older than what was decided on is kept and marked late.

Examples:
  $ quorum ingest dead
  $ quorum ingest dead --revive 3
  $ quorum ingest dead --revive all`,
    )
    .action((_: unknown, command: Command) => run(command.optsWithGlobals<Options>()));
}

async function run(options: Options): Promise<void> {
  const terminal = new Terminal(options.json);
  const { name, feed } = await webhookFeedNamed(options);
  const { ingestFolder, ingestSettings, openStreams } = await import('../../ingest/ingest-settings.ts');
  const { deadLetters } = await import('../../ingest/dead-letters.ts');
  const settings = ingestSettings(feed, ingestFolder(options.dataDir, name), process.env);
  const streams = await openStreams(settings);
  const letters = await deadLetters(streams, options.most, options.revive ?? null).finally(() =>
    streams.close(),
  );
  const revived = letters.filter(({ state }) => state === 'revived').length;
  terminal.result({ feed: name, revived, letters });
  const many = letters.length === 1 ? '1 dead letter' : `${letters.length || 'no'} dead letters`;
  terminal.say(paint('1', `feed ${name}: ${many}`));
  const rows = letters.map(({ id, stream, config, barTime, deliveries, reason, state }) => [
    id,
    state === 'dead' ? '' : state,
    config ?? stream,
    barTime === null ? '-' : formatInstant(barTime),
    `${deliveries} times`,
    reason,
  ]);
  for (const line of table(rows)) terminal.say(`  ${line}`);
  if (options.revive !== undefined && revived < letters.length) process.exitCode = EXIT.failed;
}
