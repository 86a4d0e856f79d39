import { Command } from 'commander';
import type { OptimiseOutcome } from '../../setup/optimise/run-optimise.ts';
import { wholeArgument } from '../arguments.ts';
import { percent, pointCells } from '../figures-text.ts';
import {
  type OpenQueue,
  openQueue,
  playersText,
  type QueueOptions,
  refuseThreads,
  withQueueOption,
} from '../queue-option.ts';
import { recordingOf } from '../recording-options.ts';
import { type RegistryOptions, withRegistryOptions } from '../registry-options.ts';
import { RANGES, type StudyOptions, windowsArgument, withStudyOptions } from '../study-options.ts';
import { EXIT, paint, Terminal, table } from '../terminal.ts';

interface Options extends StudyOptions, RegistryOptions, QueueOptions {
  trials: number;
}

/** Trials that people see. */
const SHOWN = 10;

const EXAMPLES = `${RANGES}

Trial n depends on the seed and on the results of the trials up to n - parallel, on nothing else: the same command comes to
the same trials with any number of workers and after any number of interruptions. More --trials later go on where it ended.

Examples:
  $ quorum optimise my-desk.ts --bars BTCUSDT-1h.csv --param fast=5:60 --param slow=20:200 --where "fast < slow" --trials 100 --out runs/study
  $ quorum optimise my-desk.ts --bars BTCUSDT-1h.csv --param fast=5:60 --sampler random --objective calmar --prune
`;

export function optimiseCommand(): Command {
  const command = new Command('optimise')
    .alias('optimize')
    .description('Look for the best parameters of a desk over recorded bars, trial by trial.')
    .argument('<desk>', 'a built-in desk (sigma) or a desk file');
  return withQueueOption(withRegistryOptions(withStudyOptions(command, 'tpe-multivariate')))
    .option('--trials <n>', 'how many points are tried', wholeArgument(1, 1_000_000), 100)
    .option(
      '--prune [windows]',
      'stop trials that are worse than the median of the others; cuts the tape in so many windows, 10 when left out',
      windowsArgument,
    )
    .option('--out <dir>', 'write the study here; the same command goes on with what is there')
    .option('--json', 'one JSON object on stdout', false)
    .addHelpText('after', EXAMPLES)
    .action(run);
}

async function run(desk: string, options: Options, command: Command): Promise<void> {
  refuseThreads(options, command);
  const terminal = new Terminal(options.json);
  const { runOptimise, summaryOf, trialAsData } = await import('../../setup/optimise/run-optimise.ts');
  const recording = recordingOf(options);
  const { openRegistry, UNREGISTERED } = await import('../../setup/registry/open-registry.ts');
  const { spansOnQueue } = await import('../../setup/work/spans-on-queue.ts');
  const registry = openRegistry(options);
  const queue = await openQueue(terminal, options);
  const interrupt = new AbortController();
  const stop = () => interrupt.abort();
  process.once('SIGINT', stop);
  const bar = terminal.progress('optimise');
  const outcome = await runOptimise(
    {
      desk,
      ...recording,
      params: options.param,
      where: options.where ?? null,
      set: options.set,
      trials: options.trials,
      search: {
        sampler: options.sampler,
        objective: options.objective,
        levels: options.levels,
        parallel: options.parallel,
        pruneWindows:
          options.prune === undefined ? null : options.prune === true ? 10 : Number(options.prune),
        leastTrades: options.leastTrades,
      },
    },
    {
      workers: options.workers,
      out: options.out ?? null,
      signal: interrupt.signal,
      registry,
      onBegin: (there, damaged) => sayBegin(terminal, options, there, damaged),
      onProgress: bar.update,
      ...(queue === null ? {} : { player: spansOnQueue(queue.link, queue.onNote) }),
    },
  ).finally(() => {
    process.removeListener('SIGINT', stop);
    queue?.close();
    registry?.close();
    bar.stop();
  });
  const { runs, finished, seconds, there } = outcome;
  const stamps = [
    ...new Set(runs.flatMap(({ played }) => played.stamps)),
    ...(registry === null ? [UNREGISTERED] : []),
  ];
  terminal.result({
    ...summaryOf(outcome),
    stamps,
    there,
    finished,
    ...(queue === null ? { workers: outcome.workers } : { queue: queue.shown }),
    seconds,
    rows: runs.map(trialAsData),
  });
  print(terminal, outcome, stamps, queue);
  if (finished && options.out !== undefined)
    terminal.say(`written to ${options.out}: trials.csv, study.json`);
  if (finished) return;
  terminal.note(
    options.out === undefined
      ? 'interrupted: nothing is kept without --out'
      : `interrupted: the trials that are done are kept in ${options.out}; the same command goes on`,
  );
  process.exitCode = EXIT.interrupted;
}

function sayBegin(terminal: Terminal, { out, trials }: Options, there: number, damaged: number): void {
  if (damaged > 0) terminal.warn(`${damaged} damaged lines in ${out} were left out; their trials run again`);
  if (there > 0) terminal.note(`${out} holds ${there} of ${trials} trials already`);
}

function print(
  terminal: Terminal,
  outcome: OptimiseOutcome,
  stamps: readonly string[],
  queue: OpenQueue | null,
): void {
  const { study, objective, runs, best, importance, neighbourhood, there, seconds } = outcome;
  terminal.say(paint('1', `study of ${study.identity.desk} over ${study.instruments.join(', ')}`));
  for (const note of study.notes) terminal.warn(note);
  for (const stamp of stamps) terminal.say(paint('33', `STAMP: ${stamp}`));
  const played = runs.length - there;
  const pruned = runs.filter(({ state }) => state === 'pruned').length;
  const parts = [
    `${runs.length} trials`,
    ...(pruned === 0 ? [] : [`${pruned} pruned`]),
    ...(played > 0 && seconds > 0 ? [`${(played / seconds).toPrecision(2)} a second`] : []),
    playersText(queue, outcome.workers),
  ];
  terminal.say(`  ${parts.join(', ')}`);
  if (best.length === 0) {
    terminal.warn('no trial has enough trades and a value: widen the ranges, or take other bars');
    return;
  }
  const names = study.space.axes.map(({ name }) => name);
  terminal.say();
  terminal.say(`best by ${objective.name} (${objective.summary})`);
  const rows = best
    .slice(0, SHOWN)
    .map(({ trial, point, value, played: { figures } }) => [
      String(trial),
      ...pointCells(point, names),
      value!.toPrecision(4),
      String(figures.trades),
      percent(figures.return),
      figures.sharpe?.toFixed(3) ?? '-',
      percent(figures.maxDrawdown),
    ]);
  const head = ['trial', ...names, objective.name, 'trades', 'return', 'Sharpe', 'max drawdown'];
  for (const line of table(
    [head, ...rows],
    head.map((_, i) => i),
  ))
    terminal.say(`  ${line}`);
  terminal.say();
  if (importance === null) terminal.say('importance: too few complete trials (10 are needed)');
  else {
    terminal.say(`importance: share of the differences in ${objective.name} that a parameter explains alone`);
    const sorted = Object.entries(importance).sort(([, a], [, b]) => b - a);
    for (const line of table(
      sorted.map(([name, share]) => [name, percent(share), '█'.repeat(Math.round(share * 30))]),
      [1],
    )) {
      terminal.say(`  ${line}`);
    }
  }
  if (neighbourhood === null) return;
  const { neighbours, mean, worst, verdict } = neighbourhood;
  const around = `around trial ${best[0]!.trial}`;
  if (mean === null || worst === null) {
    terminal.say(`${around}: no other trial within a tenth of the ranges`);
    return;
  }
  terminal.say(
    `${around}: ${neighbours} trials within a tenth of the ranges, mean ${mean.toPrecision(4)}, worst ${worst.toPrecision(4)}`,
  );
  if (verdict === 'peak') {
    terminal.warn(
      'the best trial is a peak: its neighbours keep less than half of its lead; take it for luck',
    );
  }
}
