import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Command } from 'commander';
import { type RunningOptions, withRunningOptions } from '../arguments.ts';
import { EXIT, ExitError, Terminal } from '../terminal.ts';

/** How long a portfolio may take to end cleanly. */
const WAIT_MS = 20_000;

export function stopCommand(): Command {
  const command = new Command('stop').description(
    'End what runs, cleanly. Positions stay as they are and are found again by the next start.',
  );
  return withRunningOptions(command, 'one portfolio; all of them unless given').action(run);
}

async function run(options: RunningOptions): Promise<void> {
  const terminal = new Terminal(options.json);
  const { askPortfolios } = await import('../../runner/portfolios-in.ts');
  const answers = await askPortfolios(options.dataDir, options.portfolio ?? null, { ask: 'shutdown' });
  const asked = answers.filter(({ answer }) => answer?.ok === true).map(({ name }) => name);
  if (asked.length === 0) terminal.say('nothing runs');
  const until = Date.now() + WAIT_MS;
  const holdsOut = (name: string) => existsSync(join(options.dataDir, name, 'journal.lock'));
  for (let left = asked; left.length > 0; left = left.filter(holdsOut)) {
    if (Date.now() > until) {
      throw new ExitError(
        EXIT.failed,
        `${left.join(', ')} did not end in time`,
        'look at quorum.log in the data directory',
      );
    }
    await sleep(50);
  }
  for (const name of asked) terminal.say(`${name} has ended`);
  terminal.result({ stopped: asked });
}
