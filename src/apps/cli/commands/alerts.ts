import { existsSync, readFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { Command, Option } from 'commander';
import { formatInstant, InputError } from '#base';
import { wholeArgument } from '../arguments.ts';
import { plain } from '../plain-text.ts';
import { EXIT, ExitError, paint, Terminal, table } from '../terminal.ts';

interface Common {
  readonly dataDir: string;
  readonly config?: string;
  readonly json: boolean;
}

export function alertsCommand(): Command {
  const command = new Command('alerts').description(
    'Alerts of a data directory: list them, acknowledge or resolve one, test the channels, see or set the rules.',
  );
  command.addCommand(
    common(new Command('list'))
      .description('The newest alerts, or what was sent where')
      .addOption(
        new Option('--state <state>', 'how it stands').choices([
          'open',
          'acknowledged',
          'resolved',
          'suppressed',
        ]),
      )
      .addOption(new Option('--severity <severity>').choices(['info', 'warning', 'critical']))
      .option('--deliveries', 'what was sent where, with attempts and errors', false)
      .option('--limit <count>', 'how many', wholeArgument(1, 1_000), 30)
      .action(list),
  );
  command.addCommand(
    common(new Command('ack'))
      .description('Say that you look after an alert: nobody else is woken')
      .argument('<id>')
      .action((id: string, options: Common) => act(id, 'acknowledge', options)),
  );
  command.addCommand(
    common(new Command('resolve'))
      .description('Say that an alert is over')
      .argument('<id>')
      .action((id: string, options: Common) => act(id, 'resolve', options)),
  );
  command.addCommand(
    common(new Command('test'))
      .description('Send a test to every channel at once and say what each of them answered')
      .option('--channel <name>', 'one channel only')
      .action(test),
  );
  command.addCommand(
    common(new Command('rules'))
      .description('Show the rules in force, or put others in their place')
      .option('--set <file>', 'JSON file with rules as under "alerts" in the configuration, without channels')
      .option('--reset', 'give back those of the configuration', false)
      .action(rules),
  );
  return command;
}

function common(command: Command): Command {
  return command
    .option('--data-dir <dir>', 'where journals and logs are kept', '.quorum')
    .option('--config <file>', 'the configuration (default: quorum.config.json or .ts, when there is one)')
    .option('--json', 'one JSON object on stdout', false);
}

async function openDesk({ dataDir, config }: Common) {
  const { readConfiguration } = await import('../../setup/configuration.ts');
  const { NO_ALERTS } = await import('../../alerts/alert-configuration.ts');
  const { openAlerts } = await import('../../alerts/start-alerts.ts');
  const configuration = (await readConfiguration(config ?? null))?.alerts ?? NO_ALERTS;
  return openAlerts({ dataDir, configuration, environment: process.env });
}

async function list(
  options: Common & {
    state?: 'open' | 'acknowledged' | 'resolved' | 'suppressed';
    severity?: 'info' | 'warning' | 'critical';
    deliveries: boolean;
    limit: number;
  },
): Promise<void> {
  const terminal = new Terminal(options.json);
  const { ALERTS_FILE } = await import('../../alerts/start-alerts.ts');
  if (!existsSync(join(options.dataDir, ALERTS_FILE))) {
    terminal.say(`no alert has been taken in ${options.dataDir}`);
    terminal.result({ alerts: [] });
    return;
  }
  const { desk } = await openDesk(options);
  try {
    if (options.deliveries) {
      const deliveries = desk.deliveries({ limit: options.limit });
      terminal.result({ deliveries, waiting: desk.waiting() });
      const rows = deliveries.map((d) => [
        formatInstant(d.createdAt),
        d.channel,
        d.verb,
        d.state,
        `${d.attempts} attempts`,
        plain(d.lastError ?? d.alertId),
      ]);
      for (const line of table(rows)) terminal.say(line);
      return;
    }
    const { standingOf } = await import('../../alerts/alert-tables.ts');
    const { state, severity, limit } = options;
    const alerts = desk.alerts({
      limit,
      ...(state === undefined ? {} : { standing: state }),
      ...(severity === undefined ? {} : { severity }),
    });
    terminal.result({
      alerts: alerts.map((row) => ({ ...row, standing: standingOf(row) })),
      counts: desk.counts(),
    });
    const rows = alerts.map((row) => [
      row.id,
      formatInstant(row.at),
      row.severity,
      row.reason === null ? row.state : `${row.state} (${row.reason})`,
      standingOf(row),
      plain(`${row.portfolio ?? ''} ${row.title}`.trim()),
    ]);
    for (const line of table(rows)) terminal.say(line);
    if (alerts.length === 0) terminal.say('none');
  } finally {
    await desk.stop();
  }
}

async function act(id: string, what: 'acknowledge' | 'resolve', options: Common): Promise<void> {
  const terminal = new Terminal(options.json);
  const { desk } = await openDesk(options);
  try {
    const by = `${userInfo().username} (command line)`;
    const row = what === 'acknowledge' ? desk.acknowledge(id, by) : desk.resolve(id, by);
    if (row === null) throw new InputError(`there is no alert ${id}`, 'quorum alerts list shows the ids');
    terminal.say(`${id} is ${what}d; who was told of it is told of this by the server`);
    terminal.result({ ...row });
  } finally {
    await desk.stop();
  }
}

async function test(options: Common & { channel?: string }): Promise<void> {
  const terminal = new Terminal(options.json);
  const { readConfiguration } = await import('../../setup/configuration.ts');
  const { channelsOf } = await import('../../alerts/channels-of.ts');
  const { probe } = await import('../../alerts/probe.ts');
  const configuration = (await readConfiguration(options.config ?? null))?.alerts;
  const { channels } = channelsOf(configuration ?? { channels: {} }, process.env);
  const asked = channels.filter(({ name }) => options.channel === undefined || name === options.channel);
  if (asked.length === 0) {
    throw new InputError(
      options.channel === undefined ? 'no channel is configured' : `there is no channel "${options.channel}"`,
      channels.length === 0
        ? 'describe some under "alerts" in quorum.config.json'
        : `channels are ${channels.map((c) => c.name).join(', ')}`,
    );
  }
  const results = await probe(asked, `${userInfo().username} (command line)`);
  for (const { channel, kind, outcome } of results) {
    const good = outcome.is === 'delivered';
    const words = good
      ? paint('32', 'delivered')
      : paint('31', outcome.is === 'retry' ? 'not now' : 'refused');
    terminal.say(
      `${channel} (${kind}): ${words}${outcome.is === 'delivered' ? '' : `: ${plain(outcome.reason)}`}`,
    );
  }
  terminal.result({ results });
  if (results.some(({ outcome }) => outcome.is !== 'delivered')) throw new ExitError(EXIT.unreachable, '');
}

async function rules(options: Common & { set?: string; reset: boolean }): Promise<void> {
  const terminal = new Terminal(options.json);
  if (options.set !== undefined && options.reset)
    throw new ExitError(EXIT.usage, 'choose one of --set and --reset');
  const { desk } = await openDesk(options);
  try {
    if (options.set !== undefined) desk.setRules(await readRules(options.set));
    else if (options.reset) desk.setRules(null);
    const { rules: inForce, from } = desk.rules();
    terminal.result({ from, ...inForce });
    terminal.say(
      `rules of the ${from === 'console' ? 'console or command line' : 'configuration'}; the first that matches decides`,
    );
    terminal.say(JSON.stringify(inForce, null, 2));
  } finally {
    await desk.stop();
  }
}

async function readRules(file: string) {
  const { alertRulesSchema } = await import('../../alerts/alert-rules.ts');
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw new InputError(`${file}: ${(error as Error).message}`, 'give a JSON file');
  }
  const read = alertRulesSchema.safeParse(value);
  if (read.success) return read.data;
  const issue = read.error.issues[0]!;
  throw new InputError(
    `${file}: ${issue.path.join('.')}: ${issue.message}`,
    'schema/quorum.config.schema.json describes the rules',
  );
}
