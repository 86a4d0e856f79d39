import { availableParallelism } from 'node:os';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { collect, wholeArgument } from './arguments.ts';
import { type RecordingOptions, withRecordingOptions } from './recording-options.ts';

/** Options of a command that varies the parameters of a desk. */
export interface StudyOptions extends RecordingOptions {
  param: string[];
  where?: string;
  set: string[];
  workers: number;
  objective: string;
  sampler: 'tpe' | 'tpe-multivariate' | 'random' | 'grid' | 'cma-es';
  levels: number;
  parallel: number;
  prune?: boolean | number;
  leastTrades: number;
  out?: string;
  json: boolean;
}

/** How ranges are written. */
export const RANGES = `
Ranges: fast=5:60 whole numbers, stop=0.5:3 any number between, slow=20:200:5 in steps, rate=log:1e-4:1e-1 evenly on a
logarithmic scale, mode=a,b one of some; "band=1:3 if mode=b" exists only where mode is b.`;

/** Adds the options of {@link StudyOptions} but --trials. */
export function withStudyOptions(command: Command, sampler: StudyOptions['sampler']): Command {
  return withRecordingOptions(command)
    .option('--param <name=range>', 'a parameter that varies, as fast=5:60; repeat for more', collect, [])
    .option('--where <condition>', 'take only points that meet it, such as "fast < slow"')
    .option('--set <key=value>', 'a parameter that does not vary; repeat for more', collect, [])
    .option(
      '--objective <name>',
      'what is best: sharpe, sortino, return, calmar, profitFactor, maxDrawdown',
      'sharpe',
    )
    .addOption(
      new Option('--sampler <name>', 'how trials are chosen')
        .choices(['tpe', 'tpe-multivariate', 'random', 'grid', 'cma-es'])
        .default(sampler),
    )
    .option('--levels <n>', 'grid: values of a range without a step', wholeArgument(1, 1_000_000), 10)
    .option(
      '--parallel <n>',
      'trials open at once; a trial knows the results of those this many before it',
      wholeArgument(1, 256),
      4,
    )
    .option(
      '--least-trades <n>',
      'a trial with fewer trades ranks behind all others',
      wholeArgument(0, 1_000_000),
      1,
    )
    .option('--workers <n>', 'threads; 1 runs without', wholeArgument(1, 256), availableParallelism());
}

/** `--prune` alone is ten windows. */
export const windowsArgument = (text: string): number => {
  const windows = Number(text);
  if (!Number.isInteger(windows) || windows < 7 || windows > 1000) {
    throw new InvalidArgumentError('Give a whole number of windows from 7 to 1000.');
  }
  return windows;
};
