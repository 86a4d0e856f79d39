import { join } from 'node:path';
import { Command } from 'commander';
import { formatInstant } from '#base';
import { markOf } from '../../runner/run-mode.ts';
import { type RunningOptions, withRunningOptions } from '../arguments.ts';
import { Terminal } from '../terminal.ts';

export function statusCommand(): Command {
  const command = new Command('status').description(
    'Show what runs, or how what ran last stood when it ended.',
  );
  return withRunningOptions(command, 'one portfolio; all of them unless given').action(run);
}

async function run(options: RunningOptions): Promise<void> {
  const terminal = new Terminal(options.json);
  const { askPortfolios } = await import('../../runner/portfolios-in.ts');
  const { panelLines } = await import('../../runner/panel.ts');
  const { lastFigures } = await import('../../runner/last-figures.ts');
  type Status = import('../../runner/status.ts').Status;
  const answers = await askPortfolios(options.dataDir, options.portfolio ?? null, { ask: 'status' });
  const portfolios: Record<string, unknown>[] = [];
  for (const { name, answer } of answers) {
    if (answer?.ok === true) {
      const status = answer.status as Status;
      const { running: entriesAllowed, ...rest } = status;
      portfolios.push({ ...rest, running: true, entriesAllowed });
      for (const line of panelLines(status, process.stdout.columns ?? 1_000)) terminal.say(line);
      continue;
    }
    const last = lastFigures(join(options.dataDir, name, 'journal'));
    portfolios.push({ portfolio: name, ...last, running: false });
    terminal.say(`${last.mode === null ? '' : markOf(last.mode)}${name} does not run.`);
    if (last.at !== null) {
      const { equity, trades } = last.performance ?? { equity: null, trades: 0 };
      const figures = equity === null ? '' : `, equity ${equity} after ${trades} trades`;
      terminal.say(`  its journal ends at ${formatInstant(last.at)}, ${last.entries} entries${figures}`);
    }
  }
  if (answers.length === 0)
    terminal.say(`nothing runs and nothing has run in ${options.dataDir}: quorum start`);
  terminal.result({ running: portfolios.some((p) => p.running === true), portfolios });
}
