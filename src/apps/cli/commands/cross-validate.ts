import { availableParallelism } from 'node:os';
import { Command, InvalidArgumentError, Option } from 'commander';
import type { CrossOutcome } from '../../validate/cross-validate-run.ts';
import { collect, wholeArgument } from '../arguments.ts';
import { fixed, percent, pointCells } from '../figures-text.ts';
import { openQueue, type QueueOptions, refuseThreads, withQueueOption } from '../queue-option.ts';
import { type RecordingOptions, recordingOf, withRecordingOptions } from '../recording-options.ts';
import { type RegistryOptions, withRegistryOptions } from '../registry-options.ts';
import { RANGES } from '../study-options.ts';
import { EXIT, paint, Terminal, table } from '../terminal.ts';

interface Options extends RecordingOptions, RegistryOptions, QueueOptions {
  param: string[];
  where?: string;
  set: string[];
  groups: number;
  tested: number;
  embargo: number;
  objective: string;
  sampler: 'grid' | 'random';
  levels: number;
  trials: number;
  workers: number;
  out?: string;
  json: boolean;
}

const EXAMPLES = `${RANGES}

The days are cut into groups. For every choice of --tested groups the parameters that did best on the others are tested on
these; the tests join into whole paths: 6 groups, 2 tested make 15 splits and 5 paths. Each variant is played once per group,
flat at both ends, so no trade reaches from one into another.

Example:
  $ quorum cross-validate my-desk.ts --bars BTCUSDT-1h.csv --param fast=5:60:5 --param slow=20:200:20 --groups 6 --tested 2 --embargo 1d
`;

/** Whole days. */
const daysArgument = (text: string): number => {
  const match = /^(\d{1,4})d$/.exec(text);
  if (match === null) throw new InvalidArgumentError('Give whole days such as 1d or 0d.');
  return Number(match[1]);
};

export function crossValidateCommand(): Command {
  const command = new Command('cross-validate')
    .description('Combinatorial purged cross-validation of the choice of parameters: paths and their spread.')
    .argument('<desk>', 'a built-in desk (sigma) or a desk file');
  return withQueueOption(withRegistryOptions(withRecordingOptions(command)))
    .option('--param <name=range>', 'a parameter that varies, as fast=5:60:5; repeat for more', collect, [])
    .option('--where <condition>', 'take only points that meet it, such as "fast < slow"')
    .option('--set <key=value>', 'a parameter that does not vary; repeat for more', collect, [])
    .option('--groups <n>', 'groups of days', wholeArgument(2, 64), 6)
    .option('--tested <k>', 'groups tested at a time', wholeArgument(1, 63), 2)
    .option('--embargo <days>', 'left out of training after a test', daysArgument, 1)
    .option('--objective <name>', 'what is best: sharpe, sortino, return, calmar, maxDrawdown', 'sharpe')
    .addOption(
      new Option('--sampler <name>', 'which points there are').choices(['grid', 'random']).default('grid'),
    )
    .option('--levels <n>', 'grid: values of a range without a step', wholeArgument(1, 1_000_000), 10)
    .option('--trials <n>', 'points at most', wholeArgument(2, 1_000_000), 1000)
    .option('--workers <n>', 'threads; 1 runs without', wholeArgument(1, 256), availableParallelism())
    .option('--out <dir>', 'write the validation here; the same command goes on with what is there')
    .option('--json', 'one JSON object on stdout', false)
    .addHelpText('after', EXAMPLES)
    .action(run);
}

async function run(desk: string, options: Options, command: Command): Promise<void> {
  refuseThreads(options, command);
  const terminal = new Terminal(options.json);
  const { runCrossValidate, crossSummary } = await import('../../validate/cross-validate-run.ts');
  const { openRegistry, UNREGISTERED } = await import('../../setup/registry/open-registry.ts');
  const recording = recordingOf(options);
  const { spansOnQueue } = await import('../../setup/work/spans-on-queue.ts');
  const registry = openRegistry(options);
  const queue = await openQueue(terminal, options);
  const interrupt = new AbortController();
  const stop = () => interrupt.abort();
  process.once('SIGINT', stop);
  const bar = terminal.progress('cross-validate');
  let total = 0;
  const outcome = await runCrossValidate(
    {
      desk,
      ...recording,
      params: options.param,
      where: options.where ?? null,
      set: options.set,
      groups: options.groups,
      tested: options.tested,
      embargoDays: options.embargo,
      objective: options.objective,
      sampler: options.sampler,
      levels: options.levels,
      trials: options.trials,
    },
    {
      workers: options.workers,
      out: options.out ?? null,
      signal: interrupt.signal,
      registry,
      onBegin: (there, damaged, runs) => {
        total = runs;
        if (damaged > 0) terminal.warn(`${damaged} damaged lines in ${options.out} were left out`);
        if (there > 0) terminal.note(`${options.out} holds ${there} of ${runs} runs already`);
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
  const { finished, workers, seconds } = outcome;
  const stamps = registry === null ? [UNREGISTERED] : [];
  terminal.result({
    ...crossSummary(outcome),
    stamps,
    finished,
    ...(queue === null ? { workers } : { queue: queue.shown }),
    seconds,
  });
  for (const stamp of stamps) terminal.say(paint('33', `STAMP: ${stamp}`));
  if (finished) print(terminal, outcome);
  if (finished && options.out !== undefined) {
    terminal.say(`written to ${options.out}: cross-validation.json, splits.csv, paths.csv`);
  }
  if (finished) return;
  terminal.note(
    options.out === undefined
      ? 'interrupted: nothing is kept without --out'
      : `interrupted: ${outcome.done} of ${total} runs are kept in ${options.out}; the same command goes on`,
  );
  process.exitCode = EXIT.interrupted;
}

function print(terminal: Terminal, outcome: CrossOutcome): void {
  const { study, objective, splits, paths, days, variants } = outcome;
  const names = study.space.axes.map(({ name }) => name);
  terminal.say(paint('1', `cross-validation of ${study.identity.desk} over ${study.instruments.join(', ')}`));
  for (const note of study.notes) terminal.warn(note);
  terminal.say(`  ${days} days, ${variants} variants, ${splits.length} splits, ${paths.length} paths`);
  terminal.say();
  const head = ['tested', ...names, `${objective.name} in`, `${objective.name} out`];
  const rows = splits.map(({ groups, chosen, inSample, outOfSample }) => [
    groups.join(' '),
    ...(chosen === null ? names.map(() => '-') : pointCells(chosen, names)),
    fixed(inSample, 3),
    fixed(outOfSample, 3),
  ]);
  for (const line of table([head, ...rows], head.map((_, i) => i).slice(1))) terminal.say(`  ${line}`);
  terminal.say();
  const lines = paths.map(({ value, return: change, maxDrawdown }, p) => [
    `path ${p}`,
    fixed(value, 3),
    percent(change),
    percent(maxDrawdown),
  ]);
  for (const line of table([['', objective.name, 'return', 'max drawdown'], ...lines], [1, 2, 3]))
    terminal.say(`  ${line}`);
  const lost = paths.filter((path) => path.return < 0).length;
  terminal.say(`  ${lost} of ${paths.length} paths lose money`);
}
