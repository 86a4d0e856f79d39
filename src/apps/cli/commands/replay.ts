import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { formatInstant, InputError } from '#base';
import { EXIT, ExitError, type Progress, Terminal } from '../terminal.ts';

export function replayCommand(): Command {
  return new Command('replay')
    .description("Check a run's journal, decide everything again and compare every command.")
    .argument('<dir>', "a run's directory")
    .option('--json', 'one JSON object on stdout', false)
    .action(run);
}

async function run(dir: string, options: { json: boolean }): Promise<void> {
  const terminal = new Terminal(options.json);
  const { replayRun } = await import('../../setup/replay-run.ts');
  if (!existsSync(join(dir, 'journal'))) {
    throw new InputError(`${dir} has no journal`, 'give the directory that backtest --out wrote');
  }
  let bar: Progress | null = null;
  const report = await replayRun(dir, (done, total) => {
    bar ??= terminal.progress('replay', total);
    bar.update(done);
  });
  (bar as Progress | null)?.stop();
  terminal.result({ ...report });
  if (report.difference !== null) {
    const { position, at, recorded, decided } = report.difference;
    terminal.say(`first difference at entry ${position}, ${formatInstant(at)}`);
    terminal.say(`  recorded: ${recorded ?? '(nothing)'}`);
    terminal.say(`  decided:  ${decided ?? '(nothing)'}`);
    throw new ExitError(EXIT.failed, 'the replay decided differently');
  }
  terminal.say(`chain whole: ${report.entries} entries, head ${report.journalHash}`);
  terminal.say(
    report.mode === 'decided'
      ? `same commands: ${report.commands} of ${report.commands}, from ${report.events} events`
      : `another version decided this run: ${report.events} facts folded, books balance`,
  );
}
