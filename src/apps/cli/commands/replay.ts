import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { formatInstant, InputError } from '#base';
import type { Difference } from '#engine';
import { EXIT, ExitError, paint, Terminal } from '../terminal.ts';

export function replayCommand(): Command {
  return new Command('replay')
    .description("Check a run's journal, decide everything again and compare every command.")
    .argument('<dir>', "a run's directory, or the folder of a portfolio")
    .option('--json', 'one JSON object on stdout', false)
    .action(run);
}

async function run(dir: string, options: { json: boolean }): Promise<void> {
  const terminal = new Terminal(options.json);
  const { isPortfolio, replayRun } = await import('../../setup/replay-run.ts');
  if (!existsSync(join(dir, 'journal'))) {
    throw new InputError(
      `${dir} has no journal`,
      'give the directory that backtest --out wrote, or the folder of a portfolio',
    );
  }
  if (isPortfolio(dir)) return paper(terminal, dir);
  const bar = terminal.progress('replay');
  const report = await replayRun(dir, bar.update).finally(bar.stop);
  terminal.result({ ...report });
  if (report.difference !== null) throw differs(terminal, report.difference);
  conclude(terminal, { ...report, by: report.mode });
}

/** A portfolio's journal holds its events, so nothing else is needed; it may be running. */
async function paper(terminal: Terminal, dir: string): Promise<void> {
  const { replayPaper } = await import('../../runner/replay-paper.ts');
  const { RecoveryDiffers } = await import('../../runner/recover.ts');
  const bar = terminal.progress('replay');
  try {
    const report = await replayPaper(dir, bar.update).finally(bar.stop);
    terminal.result({ ...report, difference: null });
    if (report.mode !== 'PAPER') terminal.say(paint('33', `${report.mode}: no evidence of anything`));
    conclude(terminal, report);
    terminal.say(`equity ${report.equity} ${report.currency}`);
  } catch (error) {
    if (!(error instanceof RecoveryDiffers)) throw error;
    const { position, at, recorded, decided } = error;
    const difference = { position, at, recorded, decided };
    terminal.result({ difference });
    throw differs(terminal, difference);
  }
}

function differs(terminal: Terminal, { position, at, recorded, decided }: Difference): ExitError {
  terminal.say(`first difference at entry ${position}, ${formatInstant(at)}`);
  terminal.say(`  recorded: ${recorded ?? '(nothing)'}`);
  terminal.say(`  decided:  ${decided ?? '(nothing)'}`);
  return new ExitError(EXIT.failed, 'the replay decided differently');
}

interface Conclusion {
  readonly entries: number;
  readonly journalHash: string;
  readonly events: number;
  readonly commands: number;
  readonly by: 'decided' | 'facts';
}

function conclude(terminal: Terminal, report: Conclusion): void {
  const { entries, journalHash, events, commands, by } = report;
  terminal.say(`chain whole: ${entries} entries, head ${journalHash}`);
  terminal.say(
    by === 'decided'
      ? `same commands: ${commands} of ${commands}, from ${events} events`
      : `another version decided this run: ${events} facts folded, books balance`,
  );
}
