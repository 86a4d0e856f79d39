import { join } from 'node:path';
import { Command, Option } from 'commander';
import { formatInstant } from '#base';
import { markOf } from '../../runner/run-mode.ts';
import { type RunningOptions, withRunningOptions } from '../arguments.ts';
import { SHOWN, type Shown } from '../running-tables.ts';
import { Terminal } from '../terminal.ts';

interface Options extends RunningOptions {
  readonly show?: Shown;
}

export function statusCommand(): Command {
  const command = new Command('status').description(
    'Show what runs, or how what ran last stood when it ended.',
  );
  command.addOption(
    new Option(
      '--show <what>',
      'one part of what runs in full: desks and why they hold, limits, sources, ways out, counters',
    ).choices(SHOWN),
  );
  return withRunningOptions(command, 'one portfolio; all of them unless given').action(run);
}

/** One part of every portfolio that runs. */
async function show(what: Shown, options: Options): Promise<void> {
  const terminal = new Terminal(options.json);
  const { askPortfolios } = await import('../../runner/portfolios-in.ts');
  const { shownLines } = await import('../running-tables.ts');
  const answers = await askPortfolios(options.dataDir, options.portfolio ?? null, { ask: what });
  const portfolios: Record<string, unknown>[] = [];
  for (const { name, answer } of answers) {
    if (answer?.ok !== true) continue;
    portfolios.push({ portfolio: name, [what]: answer[what] });
    terminal.say(name);
    for (const line of shownLines(what, answer[what] as never)) terminal.say(line);
  }
  if (portfolios.length === 0) terminal.say('nothing runs');
  terminal.result({ running: portfolios.length > 0, portfolios });
}

async function run(options: Options): Promise<void> {
  if (options.show !== undefined) return show(options.show, options);
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
