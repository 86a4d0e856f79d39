import { Command, Option } from 'commander';
import { formatInstant } from '#base';
import type { IngestSettings } from '../../ingest/ingest-settings.ts';
import { collect } from '../arguments.ts';
import { EXIT, paint, Terminal, table } from '../terminal.ts';
import { webhookFeedNamed } from '../webhook-feed-named.ts';

interface Options {
  readonly config?: string;
  readonly feed?: string;
  readonly dataDir: string;
  readonly at?: string;
  readonly series: string[];
  readonly clockFile?: string;
  readonly json: boolean;
}

export function ingestCheckCommand(): Command {
  return new Command('check')
    .description('Ask a running endpoint whether it would take our bars, without leaving one.')
    .option('--series <id>', 'a config to ask for, such as S1_RX68_BTC_15M; repeat for more', collect, [])
    .option('--at <url>', 'the address in front of it, such as https://bars.example.org')
    .option('--config <file>', 'the configuration (default: quorum.config.json or .ts)')
    .option('--feed <name>', 'a webhook feed of the configuration (default: the only one)')
    .option('--data-dir <dir>', 'where the embedded queue and store lie', '.quorum')
    .addOption(new Option('--clock-file <file>', 'time of a rehearsal').hideHelp())
    .option('--json', 'one JSON object on stdout', false)
    .addHelpText(
      'after',
      `
A wrong secret and, where signatures are required, an unsigned request must be refused. Then each config is sent a request that is
right in every way but that its bar has not closed yet: the answer "not closed" says that address, secret, signature, token and
config are as they should be. Nothing is stored. Where the queue is a Redis, the newest values that each chart sent are told too. Secrets come from the environment that the feed names.

Examples:
  $ quorum ingest check --series S1_RX68_BTC_15M
  $ quorum ingest check --at https://bars.example.org`,
    )
    .action((_: unknown, command: Command) => run(command.optsWithGlobals<Options>()));
}

async function run(options: Options): Promise<void> {
  const terminal = new Terminal(options.json);
  const { name, feed } = await webhookFeedNamed(options);
  const { ingestFolder, ingestSettings } = await import('../../ingest/ingest-settings.ts');
  const { checkEndpoint, SENDER_PATIENCE_MS } = await import('../../ingest/check-endpoint.ts');
  const { rehearsalClock } = await import('../../ingest/rehearsal.ts');
  const clock = rehearsalClock(feed, options.clockFile ?? null);
  const settings = ingestSettings(feed, ingestFolder(options.dataDir, name), process.env);
  const base = options.at ?? `http://${hostOf(feed.listen.host)}:${feed.listen.port}`;
  const checks = await checkEndpoint(settings, base, options.series, clock.now());
  const isRight = checks.every((one) => one.isRight);
  const charts = await newestValues(settings, options.series);
  terminal.result({ feed: name, at: base, isRight, checks, charts });
  terminal.say(paint('1', `feed ${name} at ${base}/webhook/.../${feed.desk}`));
  const rows = checks.map(({ what, isRight: is, status, ms, says }) => [
    is ? paint('32', 'ok') : paint('31', 'NO'),
    what,
    `${status ?? '-'}`,
    `${ms} ms`,
    says,
  ]);
  for (const line of table(rows)) terminal.say(`  ${line}`);
  for (const { config, barTime, count } of charts)
    terminal.say(`  newest of the chart: ${config} ${formatInstant(barTime)} with ${count} values`);
  const slow = checks.filter(({ ms }) => ms > SENDER_PATIENCE_MS / 3);
  if (slow.length > 0) terminal.warn('answers took long: TradingView gives up after 3 s');
  terminal.say();
  terminal.say(isRight ? paint('32', 'bars would be taken') : paint('31', 'bars would not be taken'));
  if (!isRight)
    process.exitCode = checks.some(({ status }) => status === null) ? EXIT.unreachable : EXIT.failed;
}

/** What the charts sent last, where the queue is a Redis: nothing needs to be open for that. None where it does not answer. */
async function newestValues(settings: IngestSettings, configs: readonly string[]) {
  if (settings.feed.streams.kind !== 'redis') return [];
  const { openStreams } = await import('../../ingest/ingest-settings.ts');
  const { chartValuesOf } = await import('../../ingest/chart-values.ts');
  const found: { config: string; barTime: number; count: number }[] = [];
  try {
    const streams = await openStreams(settings);
    try {
      const charts = chartValuesOf(streams, settings.feed.desk);
      for (const config of configs.length === 0 ? settings.series.map(({ id }) => id) : configs) {
        const newest = (await charts?.get(config)) ?? null;
        if (newest === null) continue;
        found.push({ config, barTime: newest.barTime, count: Object.keys(newest.values).length });
      }
    } finally {
      await streams.close();
    }
  } catch {
    // the checks say already what does not answer
  }
  return found;
}

/** Who listens everywhere is asked here. */
const hostOf = (host: string): string =>
  host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '[::1]' : host.includes(':') ? `[${host}]` : host;
