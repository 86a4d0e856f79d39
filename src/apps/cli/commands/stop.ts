import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Command } from 'commander';
import { EXIT, ExitError, Terminal } from '../terminal.ts';

/** How long a portfolio may take to end cleanly. */
const WAIT_MS = 20_000;

export function stopCommand(): Command {
  return new Command('stop')
    .description('End what runs, cleanly. Positions stay as they are and are found again by the next start.')
    .option('--portfolio <name>', 'one portfolio; all of them unless given')
    .option('--data-dir <dir>', 'where journals and logs are kept', '.quorum')
    .option('--json', 'one JSON object on stdout', false)
    .action(run);
}

async function run(options: { portfolio?: string; dataDir: string; json: boolean }): Promise<void> {
  const terminal = new Terminal(options.json);
  const { askPortfolios } = await import('../../runner/portfolios-in.ts');
  const answers = await askPortfolios(options.dataDir, options.portfolio ?? null, { ask: 'shutdown' });
  const asked = answers.filter(({ answer }) => answer?.ok === true).map(({ name }) => name);
  if (asked.length === 0) terminal.say('nothing runs');
  const until = Date.now() + WAIT_MS;
  const lock = (name: string) => join(options.dataDir, name, 'journal.lock');
  while (asked.some((name) => existsSync(lock(name)))) {
    if (Date.now() > until) {
      throw new ExitError(
        EXIT.failed,
        `${asked.join(', ')} did not end in time`,
        'look at quorum.log in the data directory',
      );
    }
    await sleep(50);
  }
  for (const name of asked) terminal.say(`${name} has ended`);
  terminal.result({ stopped: asked });
}
