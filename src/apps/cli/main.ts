import { Command, CommanderError } from 'commander';
import { packageVersion } from '../setup/code-hash.ts';
import { EXIT, explain } from './terminal.ts';

/** Every command, in the order of the help. Each lives in a file of its own and is loaded when it is asked for. */
const COMMANDS: Readonly<Record<string, () => Promise<Command>>> = {
  start: async () => (await import('./commands/start.ts')).startCommand(),
  serve: async () => (await import('./commands/serve.ts')).serveCommand(),
  status: async () => (await import('./commands/status.ts')).statusCommand(),
  ingest: async () => (await import('./commands/ingest.ts')).ingestCommand(),
  stop: async () => (await import('./commands/stop.ts')).stopCommand(),
  operator: async () => (await import('./commands/operator.ts')).operatorCommand(),
  alerts: async () => (await import('./commands/alerts.ts')).alertsCommand(),
  watchdog: async () => (await import('./commands/watchdog.ts')).watchdogCommand(),
  journal: async () => (await import('./commands/journal.ts')).journalCommand(),
  logs: async () => (await import('./commands/logs.ts')).logsCommand(),
  jobs: async () => (await import('./commands/jobs.ts')).jobsCommand(),
  config: async () => (await import('./commands/config.ts')).configCommand(),
  users: async () => (await import('./commands/users.ts')).usersCommand(),
  backup: async () => (await import('./commands/backup.ts')).backupCommand(),
  restore: async () => (await import('./commands/restore.ts')).restoreCommand(),
  backtest: async () => (await import('./commands/backtest.ts')).backtestCommand(),
  sweep: async () => (await import('./commands/sweep.ts')).sweepCommand(),
  worker: async () => (await import('./commands/worker.ts')).workerCommand(),
  optimise: async () => (await import('./commands/optimise.ts')).optimiseCommand(),
  'walk-forward': async () => (await import('./commands/walk-forward.ts')).walkForwardCommand(),
  'cross-validate': async () => (await import('./commands/cross-validate.ts')).crossValidateCommand(),
  bias: async () => (await import('./commands/bias.ts')).biasCommand(),
  'monte-carlo': async () => (await import('./commands/monte-carlo.ts')).monteCarloCommand(),
  stress: async () => (await import('./commands/stress.ts')).stressCommand(),
  parity: async () => (await import('./commands/parity.ts')).parityCommand(),
  runs: async () => (await import('./commands/runs.ts')).runsCommand(),
  passport: async () => (await import('./commands/passport.ts')).passportCommand(),
  promote: async () => (await import('./commands/promote.ts')).promoteCommand(),
  train: async () => (await import('./commands/train.ts')).trainCommand(),
  models: async () => (await import('./commands/models.ts')).modelsCommand(),
  replay: async () => (await import('./commands/replay.ts')).replayCommand(),
  features: async () => (await import('./commands/features.ts')).featuresCommand(),
  data: async () => (await import('./commands/data.ts')).dataCommand(),
  new: async () => (await import('./commands/new.ts')).newCommand(),
  doctor: async () => (await import('./commands/doctor.ts')).doctorCommand(),
  news: async () => (await import('./commands/news.ts')).newsCommand(),
  why: async () => (await import('./commands/why.ts')).whyCommand(),
  ask: async () => (await import('./commands/ask.ts')).askCommand(),
  worth: async () => (await import('./commands/worth.ts')).worthCommand(),
  report: async () => (await import('./commands/report.ts')).reportCommand(),
};

/** Builds the command line; `only`: with that one command, since loading all of them takes longer than some of them do. */
export async function program(only?: string): Promise<Command> {
  const root = new Command('quorum')
    .description('An autonomous, multi-market trading platform: one loop for backtest, paper and live.')
    .version(packageVersion(), '-V, --version')
    .showHelpAfterError('(add --help for usage)')
    .showSuggestionAfterError(true)
    .exitOverride();
  const one = only !== undefined && Object.hasOwn(COMMANDS, only) ? COMMANDS[only] : undefined;
  const wanted = one === undefined ? Object.values(COMMANDS) : [one];
  for (const command of await Promise.all(wanted.map((load) => load()))) root.addCommand(command);
  return root;
}

/** Runs one command line and returns its exit code. */
export async function main(argv: readonly string[]): Promise<number> {
  quietPipe();
  try {
    const root = await program(argv[0]);
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
