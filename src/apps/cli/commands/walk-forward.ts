import { Command } from 'commander';
import { formatInstant } from '#base';
import type { WalkOutcome } from '../../validate/walk-forward-run.ts';
import { durationArgument, wholeArgument } from '../arguments.ts';
import { fixed, percent, pointCells } from '../figures-text.ts';
import { openQueue, type QueueOptions, refuseThreads, withQueueOption } from '../queue-option.ts';
import { recordingOf } from '../recording-options.ts';
import { type RegistryOptions, withRegistryOptions } from '../registry-options.ts';
import { RANGES, type StudyOptions, withStudyOptions } from '../study-options.ts';
import { EXIT, ExitError, paint, Terminal, table } from '../terminal.ts';

interface Options extends StudyOptions, RegistryOptions, QueueOptions {
  trials: number;
  train?: number;
  test?: number;
  folds?: number;
  step?: number;
  anchored: boolean;
  embargo: number;
}

const EXAMPLES = `${RANGES}

Every stretch begins flat on the desk's warm-up bars, which lie before it. What is open at its end is closed at the last price
with a taker's fee and slippage, so no training trade reaches into a test; a test begins with the equity that the one before it
left. Efficiency is the annual return of the joined tests over that of the training stretches.

Examples:
  $ quorum walk-forward my-desk.ts --bars BTCUSDT-1h.csv --param fast=5:60:5 --param slow=20:200:20 --train 90d --test 30d --out runs/walk
  $ quorum walk-forward my-desk.ts --bars BTCUSDT-1h.csv --param fast=5:60 --sampler tpe --trials 50 --train 90d --test 30d --anchored --embargo 1d
`;

export function walkForwardCommand(): Command {
  const command = new Command('walk-forward')
    .description(
      'Choose parameters on one stretch of the bars, test them on the next, and so on; join the tests.',
    )
    .argument('<desk>', 'a built-in desk (sigma) or a desk file');
  return withQueueOption(withRegistryOptions(withStudyOptions(command, 'grid')))
    .option('--train <span>', 'how long a training stretch is, such as 90d', durationArgument)
    .option('--test <span>', 'how long a test is, such as 30d', durationArgument)
    .option(
      '--folds <n>',
      'instead of --train and --test: about so many tests, each after a training four times as long',
      wholeArgument(2, 1_000),
    )
    .option('--step <span>', 'from one window to the next; a test long when left out', durationArgument)
    .option('--anchored', 'training always begins with the tape', false)
    .option('--embargo <span>', 'left out between training and test', durationArgument, 0)
    .option('--trials <n>', 'points tried in each window at most', wholeArgument(1, 1_000_000), 1000)
    .option('--out <dir>', 'write the walk here; the same command goes on with what is there')
    .option('--json', 'one JSON object on stdout', false)
    .addHelpText('after', EXAMPLES)
    .action(run);
}

async function run(desk: string, options: Options, command: Command): Promise<void> {
  refuseThreads(options, command);
  const terminal = new Terminal(options.json);
  const { runWalkForward } = await import('../../validate/walk-forward-run.ts');
  const { walkSummary } = await import('../../validate/walk-forward-files.ts');
  const recording = recordingOf(options);
  const cut = cutOf(options);
  const { openRegistry, UNREGISTERED } = await import('../../setup/registry/open-registry.ts');
  const { spansOnQueue } = await import('../../setup/work/spans-on-queue.ts');
  const registry = openRegistry(options);
  const queue = await openQueue(terminal, options);
  const interrupt = new AbortController();
  const stop = () => interrupt.abort();
  process.once('SIGINT', stop);
  const bar = terminal.progress('walk-forward');
  const outcome = await runWalkForward(
    {
      desk,
      ...recording,
      params: options.param,
      where: options.where ?? null,
      set: options.set,
      trials: options.trials,
      cut,
      search: {
        sampler: options.sampler,
        objective: options.objective,
        levels: options.levels,
        parallel: options.parallel,
        leastTrades: options.leastTrades,
      },
    },
    {
      workers: options.workers,
      out: options.out ?? null,
      signal: interrupt.signal,
      registry,
      onBegin: (there, damaged) => {
        if (damaged > 0) terminal.warn(`${damaged} damaged lines in ${options.out} were left out`);
        if (there > 0) terminal.note(`${options.out} holds ${there} runs already; going on with the others`);
      },
      onProgress: bar.update,
      ...(queue === null ? {} : { player: spansOnQueue(queue.link, queue.onNote) }),
    },
  ).finally(() => {
    process.removeListener('SIGINT', stop);
    queue?.close();
    registry?.close();
    bar.stop();
  });
  const { finished, workers, seconds, planned } = outcome;
  const own = outcome.windows.flatMap(({ tested }) => tested?.stamps ?? []);
  const stamps = [...new Set(own), ...(registry === null ? [UNREGISTERED] : [])];
  terminal.result({
    ...walkSummary(outcome),
    stamps,
    planned,
    finished,
    ...(queue === null ? { workers } : { queue: queue.shown }),
    seconds,
  });
  print(terminal, outcome, stamps);
  if (finished && options.out !== undefined) {
    terminal.say(`written to ${options.out}: walk-forward.json, windows.csv, equity.csv`);
  }
  if (finished) return;
  terminal.note(
    options.out === undefined
      ? 'interrupted: nothing is kept without --out'
      : `interrupted: ${outcome.windows.length} of ${planned} windows are done, what was played is kept in ${options.out}; the same command goes on`,
  );
  process.exitCode = EXIT.interrupted;
}

function cutOf({ train, test, folds, step, anchored, embargo }: Options) {
  if (folds !== undefined) {
    if (train === undefined && test === undefined && step === undefined && !anchored && embargo === 0)
      return { folds };
    throw new ExitError(
      EXIT.usage,
      '--folds does not go with --train, --test, --step, --anchored or --embargo',
      'give the one or the others',
    );
  }
  if (train === undefined || test === undefined) {
    const missing = train === undefined ? '--train' : '--test';
    throw new ExitError(
      EXIT.usage,
      `${missing} is missing`,
      'give --train and --test, such as 90d and 30d, or --folds',
    );
  }
  return { trainMs: train, testMs: test, stepMs: step ?? test, anchored, embargoMs: embargo };
}

const day = (at: number): string => formatInstant(at).slice(0, 10);

function print(terminal: Terminal, outcome: WalkOutcome, stamps: readonly string[]): void {
  const { study, windows, stability, objective } = outcome;
  const names = study.space.axes.map(({ name }) => name);
  terminal.say(paint('1', `walk-forward of ${study.identity.desk} over ${study.instruments.join(', ')}`));
  for (const note of study.notes) terminal.warn(note);
  for (const stamp of stamps) terminal.say(paint('33', `STAMP: ${stamp}`));
  if (windows.length === 0) return;
  const head = [
    'train from',
    'test',
    'to',
    ...names,
    `${objective.name} in`,
    'return in',
    'return out',
    'Sharpe out',
    'trades',
  ];
  const rows = windows.map(({ train, test, chosen, tested }) => [
    day(train.from),
    day(test.from),
    day(test.to),
    ...(chosen === null ? names.map(() => '-') : pointCells(chosen.point, names)),
    fixed(chosen?.value ?? null, 3),
    percent(chosen?.played.figures.return ?? null),
    percent(tested?.figures.return ?? null),
    fixed(tested?.figures.sharpe ?? null, 2),
    String(tested?.figures.trades ?? 0),
  ]);
  for (const line of table([head, ...rows], head.map((_, i) => i).slice(3))) terminal.say(`  ${line}`);
  const flat = windows.filter(({ tested }) => tested === null).length;
  if (flat > 0) terminal.warn(`${flat} windows stayed flat: no trial of theirs had enough trades`);
  terminal.say();
  const figures: [string, string][] = [
    ['joined tests: return', percent(outcome.totalReturn)],
    ['max drawdown', percent(outcome.maxDrawdown)],
    ['Sharpe', fixed(outcome.sharpe, 3)],
    ['annual return in sample', percent(outcome.inSampleAnnual)],
    ['annual return out of sample', percent(outcome.outOfSampleAnnual)],
    [
      'efficiency',
      outcome.efficiency === null ? '- (nothing was earned in sample)' : outcome.efficiency.toFixed(2),
    ],
  ];
  for (const line of table(figures)) terminal.say(`  ${line}`);
  const movements = stability.map(({ name, same, movement }) => [
    name,
    same === null ? '-' : `same as before in ${percent(same)} of the windows`,
    movement === null ? '' : `moves by ${percent(movement)} of its range (chance: 33 %)`,
  ]);
  terminal.say();
  terminal.say('steadiness of what was chosen');
  for (const line of table(movements)) terminal.say(`  ${line}`);
}
