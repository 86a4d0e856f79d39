import type { RunRegistry } from '#adapters';
import { DAY, formatInterval, InputError, type Instant } from '#base';
import {
  combinatorialPurged,
  dailyReturns,
  evenSpans,
  type Objective,
  objectiveOf,
  type Point,
  Study,
} from '#research';
import type { PlayedSpan } from '../setup/optimise/play-span.ts';
import { studyRegistration } from '../setup/optimise/register-trials.ts';
import { STUDY_PARTS, spansOf } from '../setup/optimise/run-optimise.ts';
import { type SpanPlayerMaker, spansHere } from '../setup/optimise/span-player.ts';
import { csvLine, type DirectoryKind, StudyDirectory } from '../setup/optimise/study-directory.ts';
import {
  planStudy,
  type StudyIdentity,
  type StudyRequest,
  type StudySetting,
} from '../setup/optimise/study-setting.ts';
import { samplerOf } from '../setup/optimise/trials.ts';
import { tapeDays } from '../setup/registry/tape-days.ts';
import { type CrossPath, type CrossSplit, judgedSplits } from './cross-judged.ts';

export interface CrossRequest extends StudyRequest {
  readonly groups: number;
  readonly tested: number;
  /** Left out of training after a test, whole days. */
  readonly embargoDays: number;
  readonly objective: string;
  /** Points are fixed beforehand: all of a grid, or drawn. */
  readonly sampler: 'grid' | 'random';
  readonly levels: number;
  readonly trials: number;
}

export interface CrossSettings {
  readonly workers: number;
  readonly out: string | null;
  readonly signal: AbortSignal;
  readonly onBegin: (there: number, damaged: number, total: number) => void;
  readonly onProgress: (done: number, total: number) => void;
  /** Where the runs are put on record; null nowhere. */
  readonly registry: RunRegistry | null;
  /** Who plays; the threads of this machine when left out. */
  readonly player?: SpanPlayerMaker;
}

/** Runs asked for at once of machines whose number nobody knows. */
const FAR_LANES = 256;

/** One variant on one group of days. Plain data. */
export interface CrossRun {
  readonly variant: number;
  readonly group: number;
  readonly played: PlayedSpan;
}

export interface CrossOutcome {
  readonly study: StudySetting;
  readonly objective: Objective;
  readonly days: number;
  readonly from: Instant;
  readonly variants: number;
  readonly groups: number;
  readonly tested: number;
  readonly splits: readonly CrossSplit[];
  readonly paths: readonly CrossPath[];
  readonly finished: boolean;
  readonly there: number;
  readonly done: number;
  readonly workers: number;
  readonly seconds: number;
}

interface CrossIdentity extends StudyIdentity {
  readonly groups: number;
  readonly tested: number;
  readonly embargoDays: number;
  readonly objective: string;
  readonly sampler: string;
  readonly levels: number;
  readonly trials: number;
}

const KIND: DirectoryKind<CrossIdentity> = {
  name: 'cross-validation',
  description: 'cross-validation.json',
  others: ['splits.csv', 'paths.csv'],
  parts: {
    ...STUDY_PARTS,
    groups: '--groups',
    tested: '--tested',
    embargoDays: '--embargo',
    objective: '--objective',
    sampler: '--sampler',
    levels: '--levels',
    trials: '--trials',
  },
};

/** Fewer days in a group say nothing of a daily figure. */
const GROUP_DAYS_LEAST = 5;

/**
 * Combinatorial purged cross-validation of the choice of parameters: the days are cut into groups; for every choice of
 * `tested` of them the parameters that did best on the others are tested on these. A rule is not fitted to bars, so each
 * variant is played once per group, flat at both ends, and training is the choice among the variants: no trade reaches from
 * one group into another, and the embargo leaves out days whose features still know the test before them.
 */
export async function runCrossValidate(
  request: CrossRequest,
  settings: CrossSettings,
): Promise<CrossOutcome> {
  const objective = objectiveOf(request.objective);
  if (objective.name === 'profitFactor') {
    throw new InputError(
      'a profit factor cannot be taken of days, and cross-validation judges days',
      'choose sharpe, sortino, return, calmar or maxDrawdown',
    );
  }
  const study = await planStudy(request);
  const { tape } = study.setting.data;
  const first = Math.ceil(tape.from! / DAY) * DAY;
  const days = Math.floor((tape.to! - first) / DAY);
  if (days < request.groups * GROUP_DAYS_LEAST) {
    throw new InputError(
      `${days} whole days cannot make ${request.groups} groups of at least ${GROUP_DAYS_LEAST}`,
      'give more bars, or fewer --groups',
    );
  }
  if (study.intervalMs > DAY) {
    throw new InputError(
      `bars of ${formatInterval(study.intervalMs)} have no daily returns`,
      'cross-validate a desk that trades bars of a day or less',
    );
  }
  const plan = combinatorialPurged(evenSpans(days, 0), {
    groups: request.groups,
    tested: request.tested,
    embargo: request.embargoDays,
  });
  const points = pointsOf(study, request);
  const identity: CrossIdentity = {
    ...study.identity,
    groups: request.groups,
    tested: request.tested,
    embargoDays: request.embargoDays,
    objective: request.objective,
    sampler: request.sampler,
    levels: request.levels,
    trials: request.trials,
  };
  const directory =
    settings.out === null ? null : new StudyDirectory<CrossIdentity, CrossRun>(settings.out, KIND, identity);
  const workers = Math.max(1, Math.min(settings.workers, points.length));
  const make = settings.player ?? spansHere(workers);
  const player = make(spansOf(study, objective.name, 'cross-validation', identity, settings.signal));
  try {
    const runs = new Map((directory?.there ?? []).map((run) => [`${run.variant} ${run.group}`, run]));
    const there = runs.size;
    const { bounds } = plan;
    const spans = Array.from({ length: request.groups }, (_, group) => ({
      from: first + bounds[group]! * DAY,
      to: first + bounds[group + 1]! * DAY,
    }));
    const jobs = Array.from({ length: request.groups }, (_, group) =>
      points.map((point, variant) => ({ point, variant, group })),
    ).flat();
    settings.onBegin(there, directory?.damaged ?? 0, jobs.length);
    const { registry } = settings;
    const register = registry === null ? null : studyRegistration(registry, 'cross-validate', study);
    // what an earlier start left may have been made without a record
    for (const { group, played } of runs.values()) register?.run(played, spans[group]!);
    const started = process.hrtime.bigint();
    const left = jobs.filter(({ variant, group }) => !runs.has(`${variant} ${group}`));
    let next = 0;
    let stopped = false;
    const lane = async () => {
      while (next < left.length && !stopped) {
        const { point, variant, group } = left[next++]!;
        const span = spans[group]!;
        const played = await player.play({ point, span, cashMinor: null, pruning: null, detail: false });
        if (played === null) {
          stopped = true;
          return;
        }
        const run = { variant, group, played };
        runs.set(`${variant} ${group}`, run);
        register?.run(played, span);
        directory?.append(run);
        settings.onProgress(runs.size, jobs.length);
      }
    };
    const lanes = settings.player === undefined ? 2 * workers : FAR_LANES;
    await Promise.all(Array.from({ length: lanes }, lane));
    const finished = runs.size === jobs.length;
    // each group's days on record, counted from the first day
    const recorded = finished
      ? spans.map((span) => tapeDays(tape, span).map((day) => day - first / DAY))
      : [];
    const returns = points.map((_, v) => returnsOf(v, days, recorded, runs));
    const outcome: CrossOutcome = {
      study,
      objective,
      days,
      from: first,
      variants: points.length,
      groups: request.groups,
      tested: request.tested,
      ...(finished ? judgedSplits(plan, points, returns, objective) : { splits: [], paths: [] }),
      finished,
      there,
      done: runs.size,
      workers,
      seconds: Number(process.hrtime.bigint() - started) / 1e9,
    };
    const inOrder = jobs.flatMap(({ variant, group }) => runs.get(`${variant} ${group}`) ?? []);
    if (finished) directory?.finish(crossSummary(outcome), inOrder, filesOf(outcome));
    return outcome;
  } finally {
    await player.close();
    directory?.close();
  }
}

/** The variants, in the order in which a study asks for them. */
function pointsOf(
  { space, refusal }: StudySetting,
  { trials, seed, sampler, levels }: CrossRequest,
): Point[] {
  const study = new Study(space, { seed, sampler: samplerOf({ sampler, levels }, space) });
  const points: Point[] = [];
  while (points.length < trials) {
    const trial = study.ask();
    if (trial === null) break;
    points.push(trial.point);
  }
  if (points.length >= 2) return points;
  throw new InputError(
    `there is nothing to choose from: ${points.length} variants${refusal() === null ? '' : `; one was refused: ${refusal()}`}`,
    'widen the ranges of --param, or loosen --where',
  );
}

/** A variant's daily returns over all groups, each on its day; days without a bar stand still. */
function returnsOf(
  variant: number,
  days: number,
  recorded: readonly Int32Array[],
  runs: ReadonlyMap<string, CrossRun>,
): Float64Array {
  const out = new Float64Array(days);
  recorded.forEach((own, group) => {
    const { cash, daily } = runs.get(`${variant} ${group}`)!.played;
    const returns = dailyReturns(cash, daily);
    own.forEach((day, i) => {
      out[day] = returns[i] ?? 0;
    });
  });
  return out;
}

/** What `--json` and `cross-validation.json` say. */
export function crossSummary(outcome: CrossOutcome): Record<string, unknown> {
  const { study, objective, days, variants, groups, tested, splits, paths } = outcome;
  return {
    desk: study.identity.desk,
    instruments: study.instruments,
    currency: study.currency,
    notes: study.notes,
    objective: objective.name,
    days,
    variants,
    groups,
    tested,
    splits,
    paths,
  };
}

function filesOf({ study, objective, splits, paths }: CrossOutcome): Map<string, string[]> {
  const names = study.space.axes.map(({ name }) => name);
  return new Map([
    [
      'splits.csv',
      [
        csvLine([
          'groups',
          'trainDays',
          ...names.map((name) => `parameter.${name}`),
          'inSample',
          'outOfSample',
        ]),
        ...splits.map(({ groups, trainDays, chosen, inSample, outOfSample }) =>
          csvLine([
            groups.join(' '),
            trainDays,
            ...names.map((name) => chosen?.[name]),
            inSample,
            outOfSample,
          ]),
        ),
      ],
    ],
    [
      'paths.csv',
      [
        csvLine(['path', objective.name, 'return', 'maxDrawdown']),
        ...paths.map((path, p) => csvLine([p, path.value, path.return, path.maxDrawdown])),
      ],
    ],
  ]);
}
