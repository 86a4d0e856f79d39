import { canonicalJson, InputError } from '#base';
import {
  type Objective,
  type Point,
  pointText,
  type SamplerSpec,
  type Space,
  Study,
  type Trial,
} from '#research';
import type { PlayedSpan, SpanJob } from './play-span.ts';
import type { SpanPlayer } from './span-player.ts';

export const SAMPLERS = ['tpe', 'tpe-multivariate', 'random', 'grid', 'cma-es'] as const;
export type SamplerName = (typeof SAMPLERS)[number];

/** How a study looks for its best trial. */
export interface SearchOptions {
  readonly seed: string;
  readonly sampler: SamplerName;
  readonly objective: Objective;
  /** Values a grid takes of a parameter without a step. */
  readonly levels: number;
  /** Trials open at once; part of what the trials depend on. */
  readonly parallel: number;
  /** Windows after which the median pruner looks; null: every trial plays to its end. */
  readonly pruneWindows: number | null;
  /** A trial with fewer trades ranks behind all others. */
  readonly leastTrades: number;
}

/** One finished trial: plain data. */
export interface TrialRun {
  readonly trial: number;
  readonly point: Point;
  readonly state: 'complete' | 'pruned' | 'failed';
  readonly value: number | null;
  /** Missing trades as a share of the least; 0 is enough. */
  readonly violation: number;
  readonly played: PlayedSpan;
}

export interface Search {
  /** In order of their numbers, as far as they were told. */
  readonly runs: readonly TrialRun[];
  readonly study: Study;
  /** All trials that were wanted, or all there are, are done. */
  readonly finished: boolean;
}

/**
 * Asks for trials, plays them and tells their results. Up to `parallel` trials are open at once; results are told in the
 * order of the numbers, so trial n knows exactly the results of the trials up to n - parallel, however many threads play
 * and however often the study was interrupted. `known` are trials of an earlier start; they are not played again. Throws
 * InputError when one of them is not the trial that this study asks for.
 */
export async function searchTrials(
  space: Space,
  options: SearchOptions,
  trials: number,
  player: Pick<SpanPlayer, 'play'>,
  jobOf: (point: Point) => Pick<SpanJob, 'span'>,
  known: ReadonlyMap<number, TrialRun>,
  onRun: (run: TrialRun, isNew: boolean) => void,
): Promise<Search> {
  const { objective, parallel, pruneWindows } = options;
  const study = new Study(space, {
    seed: options.seed,
    direction: objective.direction,
    sampler: samplerOf(options, space),
    ...(pruneWindows === null ? {} : { pruner: { kind: 'median' } }),
  });
  const open: { readonly trial: Trial; readonly run: Promise<TrialRun | null> }[] = [];
  const runs: TrialRun[] = [];
  let exhausted = false;
  for (;;) {
    while (!exhausted && open.length < parallel && study.trials.length < trials) {
      const trial = study.ask();
      if (trial === null) {
        exhausted = true;
        break;
      }
      const earlier = known.get(trial.number);
      if (earlier !== undefined) refuseOther(trial, earlier);
      const pruning = pruneWindows === null ? null : { medians: study.medianLosses(pruneWindows) };
      const run =
        earlier !== undefined
          ? Promise.resolve(earlier)
          : player
              .play({ point: trial.point, cashMinor: null, detail: false, pruning, ...jobOf(trial.point) })
              .then((played) => {
                if (played === null) return null;
                const done = runOf(trial, played, options);
                onRun(done, true);
                return done;
              });
      // a trial that is not waited for yet may fail: it is heard when its turn comes
      run.catch(() => {});
      open.push({ trial, run });
    }
    const next = open.shift();
    if (next === undefined) return { runs, study, finished: true };
    const run = await next.run;
    if (run === null) return { runs, study, finished: false };
    tell(study, run);
    runs.push(run);
    if (known.has(run.trial)) onRun(run, false);
  }
}

export function samplerOf(
  { sampler, levels }: Pick<SearchOptions, 'sampler' | 'levels'>,
  space: Space,
): SamplerSpec {
  switch (sampler) {
    case 'tpe':
      return { kind: 'tpe', multivariate: false };
    case 'tpe-multivariate':
      return { kind: 'tpe', multivariate: true };
    case 'random':
      return { kind: 'random' };
    case 'cma-es':
      return { kind: 'cma-es' };
    case 'grid':
      return { kind: 'grid', levels: Object.fromEntries(space.axes.map(({ name }) => [name, levels])) };
  }
}

function runOf(trial: Trial, played: PlayedSpan, { objective, leastTrades }: SearchOptions): TrialRun {
  const { point } = trial;
  const common = { trial: trial.number, point, played };
  if (played.pruned) {
    const last = played.reports.at(-1);
    return last === undefined
      ? { ...common, state: 'failed', value: null, violation: 0 }
      : { ...common, state: 'pruned', value: last[1], violation: 0 };
  }
  const { cash, daily, nets, figures } = played;
  const value = objective.of({ cash, daily, nets, maxDrawdown: figures.maxDrawdown });
  const violation = Math.max(0, leastTrades - figures.trades) / Math.max(1, leastTrades);
  if (violation > 0) return { ...common, state: 'complete', value: value ?? 0, violation };
  return value === null || !Number.isFinite(value)
    ? { ...common, state: 'failed', value: null, violation: 0 }
    : { ...common, state: 'complete', value, violation: 0 };
}

function tell(study: Study, { trial, state, value, violation, played }: TrialRun): void {
  for (const [step, reported] of played.reports) study.report(trial, step, reported);
  if (state === 'failed') study.fail(trial);
  else if (state === 'pruned') study.prune(trial);
  else study.tell(trial, value!, { violation });
}

function refuseOther(trial: Trial, { point }: TrialRun): void {
  if (canonicalJson(trial.point) === canonicalJson(point)) return;
  throw new InputError(
    `the trials kept are not this study's: trial ${trial.number} is ${pointText(point)}, not ${pointText(trial.point)}`,
    'choose another directory with --out, or delete that one',
  );
}
