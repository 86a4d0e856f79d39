import { readFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { formatInstant, InputError } from '#base';
import type { Version } from '../../server/data/versions.ts';
import type { ConsoleStore } from '../../server/identity/console-store.ts';
import { collect, wholeArgument } from '../arguments.ts';
import { EXIT, ExitError, Terminal } from '../terminal.ts';

interface Options {
  dataDir: string;
  config?: string;
  reason: string;
  limit: number;
  portfolio: string;
  set: string[];
  json: boolean;
}

const withPlace = (command: Command): Command =>
  command
    .option('--data-dir <dir>', 'where the history is kept', '.quorum')
    .option('--json', 'one JSON object on stdout', false);

export function configCommand(): Command {
  const which = (command: Command) =>
    withPlace(command).option('--config <file>', 'the configuration (default: quorum.config.json)');
  return new Command('config')
    .description(
      'Check and save the configuration and the parameters of desks, and see who changed what and why.',
    )
    .addCommand(which(new Command('check').description('Check the configuration.')).action(check))
    .addCommand(
      which(
        new Command('save').description('Check a file, make it the configuration, and keep the one before.'),
      )
        .argument('<file>', 'the new configuration as JSON')
        .requiredOption('--reason <text>', 'why')
        .action(save),
    )
    .addCommand(
      withPlace(new Command('history').description('Who changed what and why: the configuration, or a desk.'))
        .argument('[desk]', 'PORTFOLIO/DESK')
        .option('--limit <n>', 'changes shown', wholeArgument(1, 500), 20)
        .action(history),
    )
    .addCommand(
      withPlace(new Command('desk').description('Save parameters of a desk for its next fresh start.'))
        .argument('<desk>', 'its name in the portfolio')
        .requiredOption('--portfolio <name>', 'the portfolio')
        .requiredOption('--reason <text>', 'why')
        .option('--set <key=value>', 'a parameter that changes; repeat for more', collect, [])
        .action(saveDesk),
    );
}

const actorOf = (by: string) => ({ userId: null, by, via: 'shell' as const, address: '' });

const me = () => `${userInfo().username} (command line)`;

async function check(options: Options): Promise<void> {
  const terminal = new Terminal(options.json);
  const { readConfiguration } = await import('../../setup/configuration.ts');
  const configuration = await readConfiguration(options.config ?? null);
  terminal.result({ ok: true, configuration });
  terminal.say(configuration === null ? 'there is no configuration here' : 'the configuration is good');
}

async function withConsole<T>(
  { dataDir }: Options,
  work: (store: ConsoleStore) => T | Promise<T>,
): Promise<T> {
  const { CONSOLE_FILE, openConsoleStore } = await import('../../server/identity/console-store.ts');
  const { Problem } = await import('../../server/context.ts');
  const store = openConsoleStore(join(dataDir, CONSOLE_FILE));
  try {
    return await work(store);
  } catch (error) {
    throw error instanceof Problem ? new ExitError(EXIT.refused, error.message, error.mend) : error;
  } finally {
    store.close();
  }
}

async function save(file: string, options: Options): Promise<void> {
  const terminal = new Terminal(options.json);
  const { saveConfigurationFile } = await import('../../server/areas/workshop/configuration-file.ts');
  let configuration: unknown;
  try {
    configuration = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw new InputError(`${file} cannot be read: ${(error as Error).message}`, 'give a file of JSON');
  }
  if (typeof configuration !== 'object' || configuration === null || Array.isArray(configuration))
    throw new InputError(`${file} holds no object`, 'see schema/quorum.config.schema.json');
  const { reason } = options;
  const result = await withConsole(options, async (store) => {
    const { Audit } = await import('../../server/identity/audit.ts');
    const saved = saveConfigurationFile(store, options.config ?? null, '.', {
      configuration: configuration as Record<string, unknown>,
      reason,
      by: me(),
      dryRun: false,
    });
    const { file: subject, differences } = saved;
    if (saved.saved)
      new Audit(store).write(actorOf(me()), 'configuration', 'done', {
        subject,
        reason,
        detail: { differences },
      });
    return saved;
  });
  terminal.result({ ...result });
  if (!result.saved) terminal.say('nothing differs');
  for (const { path, before, after } of result.differences)
    terminal.say(`${path}: ${JSON.stringify(before)} -> ${JSON.stringify(after)}`);
}

async function history(desk: string | undefined, options: Options): Promise<void> {
  const terminal = new Terminal(options.json);
  const { versionsOf } = await import('../../server/data/versions.ts');
  const { CONFIGURATION } = await import('../../server/areas/workshop/configuration-file.ts');
  const subject = desk === undefined ? CONFIGURATION : `desk:${desk}`;
  const { items } = await withConsole(options, (store) => versionsOf(store, subject, options));
  terminal.result({ subject, versions: items });
  for (const version of items) sayVersion(terminal, version);
  if (items.length === 0) terminal.say('nothing was changed yet');
}

function sayVersion(terminal: Terminal, { at, by, reason, differences }: Version): void {
  terminal.say(`${formatInstant(at)} ${by}: ${reason}`);
  for (const { path, before, after } of differences)
    terminal.say(`  ${path || '(all)'}: ${JSON.stringify(before)} -> ${JSON.stringify(after)}`);
}

async function saveDesk(name: string, options: Options): Promise<void> {
  const terminal = new Terminal(options.json);
  const { dataDir, portfolio, reason } = options;
  const { readAssignments } = await import('../../setup/load-desk.ts');
  const { deskParametersOf, saveDeskParameters } = await import('../../server/data/desk-parameters.ts');
  const { portfoliosIn } = await import('../../runner/portfolios-in.ts');
  if (!portfoliosIn(dataDir).includes(portfolio))
    throw new InputError(`${dataDir} holds no portfolio "${portfolio}"`, 'see quorum status');
  const differences = await withConsole(options, async (store) => {
    const place = { dataDir, portfolios: { folder: (one: string) => join(dataDir, one) } };
    const desk = deskParametersOf(place, portfolio, name);
    const parameters = { ...(desk.waiting?.parameters ?? desk.given), ...readAssignments(options.set) };
    const { Audit } = await import('../../server/identity/audit.ts');
    const context: Parameters<typeof saveDeskParameters>[0] = {
      ...place,
      store,
      now: () => Date.now(),
      audit: async ({ by, what, reason: why, detail = '' }) => {
        new Audit(store).write(actorOf(by), what, 'done', {
          subject: portfolio,
          reason: why,
          detail: { detail },
        });
      },
    };
    return saveDeskParameters(context, desk, { parameters, by: me(), reason });
  });
  terminal.result({ ok: true, differences });
  for (const { path, before, after } of differences)
    terminal.say(`${path}: ${JSON.stringify(before)} -> ${JSON.stringify(after)}`);
  terminal.say(differences.length === 0 ? 'nothing differs' : 'used from the next quorum start --fresh on');
}
