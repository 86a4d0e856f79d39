import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Command, Option } from 'commander';
import { InputError } from '#base';
import { wholeArgument } from '../arguments.ts';
import { Terminal } from '../terminal.ts';

const NAMES = [
  'program',
  'server',
  'ai_trading_log',
  'safety_violations',
  'execution_failures',
  'pnl_tracking',
] as const;

interface Options {
  name: (typeof NAMES)[number];
  dataDir: string;
  portfolio?: string;
  search?: string;
  limit: number;
  json: boolean;
}

export function logsCommand(): Command {
  return new Command('logs')
    .description('The newest lines of a log, the newest last, secrets taken out.')
    .addOption(new Option('--name <log>', 'which log').choices([...NAMES]).default('program'))
    .option('--data-dir <dir>', 'where journals and logs are kept', '.quorum')
    .option('--portfolio <name>', 'of a portfolio: which one, when there are several')
    .option('--search <text>', 'only lines with this text in them')
    .option('--limit <n>', 'lines shown', wholeArgument(1, 500), 40)
    .option('--json', 'one JSON object on stdout', false)
    .action(run);
}

async function run(options: Options): Promise<void> {
  const terminal = new Terminal(options.json);
  const { logPage } = await import('../../server/areas/house/log-tail.ts');
  const page = await logPage(await pathOf(options), options);
  terminal.result({ ...page });
  for (const { text } of page.items.toReversed()) terminal.say(text);
}

async function pathOf({ name, dataDir, portfolio }: Options): Promise<string> {
  if (name === 'program') return join(dataDir, 'quorum.log');
  if (name === 'server') return join(dataDir, 'server.log');
  const { portfoliosIn } = await import('../../runner/portfolios-in.ts');
  const names = portfolio === undefined ? portfoliosIn(dataDir) : [portfolio];
  if (names.length !== 1)
    throw new InputError(
      names.length === 0 ? `${dataDir} holds no portfolio` : `${names.join(', ')} lie in ${dataDir}`,
      names.length === 0 ? 'start one: quorum start' : 'name one with --portfolio',
    );
  if (!existsSync(join(dataDir, names[0]!)))
    throw new InputError(`${dataDir} holds no portfolio "${names[0]}"`, 'see quorum status');
  return join(dataDir, names[0]!, 'logs', `${name}.jsonl`);
}
