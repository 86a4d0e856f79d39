import { Command, CommanderError } from 'commander';
import { packageVersion } from '../setup/code-hash.ts';
import { backtestCommand } from './commands/backtest.ts';
import { backupCommand } from './commands/backup.ts';
import { biasCommand } from './commands/bias.ts';
import { crossValidateCommand } from './commands/cross-validate.ts';
import { dataCommand } from './commands/data.ts';
import { doctorCommand } from './commands/doctor.ts';
import { featuresCommand } from './commands/features.ts';
import { monteCarloCommand } from './commands/monte-carlo.ts';
import { newCommand } from './commands/new.ts';
import { operatorCommand } from './commands/operator.ts';
import { optimiseCommand } from './commands/optimise.ts';
import { parityCommand } from './commands/parity.ts';
import { passportCommand } from './commands/passport.ts';
import { promoteCommand } from './commands/promote.ts';
import { replayCommand } from './commands/replay.ts';
import { reportCommand } from './commands/report.ts';
import { restoreCommand } from './commands/restore.ts';
import { runsCommand } from './commands/runs.ts';
import { startCommand } from './commands/start.ts';
import { statusCommand } from './commands/status.ts';
import { stopCommand } from './commands/stop.ts';
import { stressCommand } from './commands/stress.ts';
import { sweepCommand } from './commands/sweep.ts';
import { walkForwardCommand } from './commands/walk-forward.ts';
import { whyCommand } from './commands/why.ts';
import { workerCommand } from './commands/worker.ts';
import { worthCommand } from './commands/worth.ts';
import { EXIT, explain } from './terminal.ts';

/** Builds the whole command line. Each command lives in a file of its own and loads what it needs when it runs. */
export function program(): Command {
  const root = new Command('quorum')
    .description('An autonomous, multi-market trading platform: one loop for backtest, paper and live.')
    .version(packageVersion(), '-V, --version')
    .showHelpAfterError('(add --help for usage)')
    .showSuggestionAfterError(true)
    .exitOverride();
  for (const command of [
    startCommand(),
    statusCommand(),
    stopCommand(),
    operatorCommand(),
    backupCommand(),
    restoreCommand(),
    backtestCommand(),
    sweepCommand(),
    workerCommand(),
    optimiseCommand(),
    walkForwardCommand(),
    crossValidateCommand(),
    biasCommand(),
    monteCarloCommand(),
    stressCommand(),
    parityCommand(),
    runsCommand(),
    passportCommand(),
    promoteCommand(),
    replayCommand(),
    featuresCommand(),
    dataCommand(),
    newCommand(),
    doctorCommand(),
    whyCommand(),
    worthCommand(),
    reportCommand(),
  ])
    root.addCommand(command);
  return root;
}

/** Runs one command line and returns its exit code. */
export async function main(argv: readonly string[]): Promise<number> {
  quietPipe();
  try {
    const root = program();
    if (argv.length === 0) {
      root.outputHelp({ error: true });
      return EXIT.usage;
    }
    inherit(root);
    await root.parseAsync([...argv], { from: 'user' });
    return typeof process.exitCode === 'number' ? process.exitCode : EXIT.done;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage;
    return explain(error);
  }
}

/** Commander copies settings only to commands made through it; ours are made apart. */
function inherit(command: Command): void {
  for (const child of command.commands) {
    child.copyInheritedSettings(command);
    inherit(child);
  }
}

let listening = false;

/** A reader that leaves early, as `quorum features ... | head` does, is no error. */
function quietPipe(): void {
  if (listening) return;
  listening = true;
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(EXIT.done);
    throw error;
  });
}
