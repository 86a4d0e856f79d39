import type { RunRegistry } from '#adapters';
import { type Objective, objectiveOf, type ParameterStability, type Point } from '#research';
import type { PlayedSpan } from '../setup/optimise/play-span.ts';
import { type StudyRegistration, studyRegistration } from '../setup/optimise/register-trials.ts';
import { STUDY_PARTS, spansOf } from '../setup/optimise/run-optimise.ts';
import { type SpanPlayer, type SpanPlayerMaker, spansHere } from '../setup/optimise/span-player.ts';
import type { Span } from '../setup/optimise/span-tape.ts';
import { type DirectoryKind, StudyDirectory } from '../setup/optimise/study-directory.ts';
import {
  planStudy,
  type StudyIdentity,
  type StudyRequest,
  type StudySetting,
} from '../setup/optimise/study-setting.ts';
import { type SearchOptions, searchTrials, type TrialRun } from '../setup/optimise/trials.ts';
import { checkLengths, foldCut, type WalkCut, walkSpans } from './walk-cut.ts';
import { joined, joinedDays } from './walk-figures.ts';
import { walkFiles, walkSummary } from './walk-forward-files.ts';

export interface WalkRequest extends StudyRequest {
  /** Or how many tests there are to be; training is then four times as long as one. */
  readonly cut: WalkCut | { readonly folds: number };
  /** Trials of each window; a grid may have fewer points. */
  readonly trials: number;
  readonly search: Omit<SearchOptions, 'seed' | 'objective' | 'pruneWindows'> & {
    readonly objective: string;
  };
}

export interface WalkSettings {
  readonly workers: number;
  readonly out: string | null;
  readonly signal: AbortSignal;
  readonly onBegin: (there: number, damaged: number, windows: number) => void;
  /** Runs done of those there will be at most. */
  readonly onProgress: (done: number, total: number) => void;
  /** Where the runs are put on record; null nowhere. */
  readonly registry: RunRegistry | null;
  /** Who plays; the threads of this machine when left out. */
  readonly player?: SpanPlayerMaker;
}

/** One run of a walk: a trial on a training stretch, or what was chosen on the test behind it. Plain data. */
export type WalkRun =
  | ({ readonly window: number; readonly stretch: 'train' } & TrialRun)
  | {
      readonly window: number;
      readonly stretch: 'test';
      readonly cash: number | null;
      readonly played: PlayedSpan;
    };

/** One window: what was chosen on the training stretch, and what became of it. */
export interface WalkWindow {
  readonly window: number;
  readonly train: Span;
  readonly test: Span;
  readonly trials: number;
  /** Null: no trial had enough trades; the window stays flat. */
  readonly chosen: TrialRun | null;
  readonly tested: PlayedSpan | null;
  /** Equity when the window is over, minor units. */
  readonly equityEnd: number;
}

export interface WalkOutcome {
  readonly study: StudySetting;
  readonly objective: Objective;
  readonly cut: WalkCut;
  readonly windows: readonly WalkWindow[];
  /** Windows that there are. */
  readonly planned: number;
  readonly finished: boolean;
  readonly there: number;
  readonly workers: number;
  readonly seconds: number;
  /** Compound growth per year over all training stretches of what was chosen, and over the joined tests. */
  readonly inSampleAnnual: number | null;
  readonly outOfSampleAnnual: number | null;
  readonly efficiency: number | null;
  /** Of the joined tests: daily returns. */
  readonly sharpe: number | null;
  readonly maxDrawdown: number;
  readonly totalReturn: number | null;
  readonly stability: readonly ParameterStability[];
}

interface WalkIdentity extends StudyIdentity, WalkCut {
  readonly trials: number;
  readonly objective: string;
  readonly sampler: string;
  readonly levels: number;
  readonly parallel: number;
  readonly leastTrades: number;
}

const KIND: DirectoryKind<WalkIdentity> = {
  name: 'walk-forward',
  description: 'walk-forward.json',
  others: ['windows.csv', 'equity.csv'],
  parts: {
    ...STUDY_PARTS,
    trainMs: '--train',
    testMs: '--test',
    stepMs: '--step',
    anchored: '--anchored',
    embargoMs: '--embargo',
    trials: '--trials',
    objective: '--objective',
    sampler: '--sampler',
    levels: '--levels',
    parallel: '--parallel',
    leastTrades: '--least-trades',
  },
};

/**
 * Trains on one stretch, tests on the next, and joins the tests. Each run begins flat on the desk's warm-up bars, and what
 * is open at its end is closed at the last price at a taker's cost; a test begins with the equity that the one before it
 * left. The files are the same for any number of workers and interruptions.
 */
export async function runWalkForward(request: WalkRequest, settings: WalkSettings): Promise<WalkOutcome> {
  const objective = objectiveOf(request.search.objective);
  const study = await planStudy(request);
  const { tape } = study.setting.data;
  const cut =
    'folds' in request.cut ? foldCut(tape.from!, tape.to!, request.cut.folds, study.intervalMs) : request.cut;
  const spans = walkSpans(tape.from!, tape.to!, cut);
  checkLengths(study, cut);
  const { objective: name, ...how } = request.search;
  const identity: WalkIdentity = {
    ...study.identity,
    ...cut,
    ...how,
    objective: name,
    trials: request.trials,
  };
  const directory =
    settings.out === null ? null : new StudyDirectory<WalkIdentity, WalkRun>(settings.out, KIND, identity);
  const workers = Math.max(1, Math.min(settings.workers, how.parallel));
  const make = settings.player ?? spansHere(workers);
  const player = make(spansOf(study, name, 'walk-forward', identity, settings.signal));
  try {
    const known = directory?.there ?? [];
    settings.onBegin(known.length, directory?.damaged ?? 0, spans.length);
    const { registry } = settings;
    const register = registry === null ? null : studyRegistration(registry, 'walk-forward', study);
    const started = process.hrtime.bigint();
    let done = 0;
    const total = spans.length * (trialsOf(study, request) + 1);
    const heard = (run: WalkRun, isNew: boolean) => {
      done += 1;
      settings.onProgress(Math.min(done, total), total);
      const { train, test } = spans[run.window]!;
      // a test is part of the joined run; what an earlier start left may have been made without a record
      if (run.stretch === 'train') register?.run(run.played, { ...train, to: Math.min(train.to, test.from) });
      if (isNew) directory?.append(run);
    };
    const runs: WalkRun[] = [];
    const windows: WalkWindow[] = [];
    let equity: number | null = null;
    for (const [window, { train, test }] of spans.entries()) {
      const search: SearchOptions = {
        ...how,
        objective,
        pruneWindows: null,
        seed: `${request.seed}/window ${window}`,
      };
      const trained = await trainWindow(study, search, request.trials, player, window, train, known, heard);
      runs.push(...trained.runs);
      if (!trained.finished) break;
      const { chosen } = trained;
      // all is lost: nothing can be traded with any more
      const isFlat = chosen === null || (equity !== null && equity <= 0);
      const tested = isFlat
        ? undefined
        : await testWindow(player, window, chosen, test, equity, known, heard);
      if (tested === null) break;
      if (tested !== undefined) runs.push(tested);
      const played = tested?.played ?? null;
      const end: number = played?.daily.at(-1) ?? equity ?? cashOf(trained.runs[0]);
      windows.push({
        window,
        train,
        test,
        trials: trained.runs.length,
        chosen,
        tested: played,
        equityEnd: end,
      });
      equity = end;
    }
    const finished = windows.length === spans.length;
    const outcome: WalkOutcome = {
      study,
      objective,
      cut,
      windows,
      planned: spans.length,
      finished,
      there: known.length,
      workers,
      seconds: Number(process.hrtime.bigint() - started) / 1e9,
      ...joined(study, windows),
    };
    if (finished && register !== null) registerJoined(register, outcome);
    if (finished) directory?.finish(walkSummary(outcome), runs, walkFiles(outcome));
    return outcome;
  } finally {
    await player.close();
    directory?.close();
  }
}

/** The joined tests as one run, under the parameters chosen last: those one would trade with now. */
function registerJoined({ joined: register }: StudyRegistration, outcome: WalkOutcome): void {
  const { windows, totalReturn, sharpe, maxDrawdown, efficiency } = outcome;
  const point = windows.findLast(({ chosen }) => chosen !== null)?.chosen?.point;
  if (point === undefined || windows.every(({ tested }) => tested === null)) return;
  const played = windows.flatMap(({ tested }) => (tested === null ? [] : [tested]));
  register({
    point,
    span: { from: windows[0]!.test.from, to: windows.at(-1)!.test.to },
    ...joinedDays(outcome.study, windows),
    figures: {
      trades: played.reduce((sum, { figures }) => sum + figures.trades, 0),
      return: totalReturn,
      sharpe,
      maxDrawdown,
      windows: windows.length,
      efficiency,
    },
    stamps: [...new Set(played.flatMap(({ stamps }) => stamps))],
  });
}

const cashOf = (run: WalkRun | undefined): number => run?.played.cash ?? 0;

/** Trials that a window has at most. */
function trialsOf({ space }: StudySetting, { trials, search }: WalkRequest): number {
  if (search.sampler !== 'grid') return trials;
  const cells = space.axes.reduce(
    (product, axis) => product * (Number.isFinite(axis.levels) ? axis.levels : search.levels),
    1,
  );
  return Math.min(trials, cells);
}

async function trainWindow(
  study: StudySetting,
  search: SearchOptions,
  trials: number,
  player: SpanPlayer,
  window: number,
  train: Span,
  known: readonly WalkRun[],
  heard: (run: WalkRun, isNew: boolean) => void,
) {
  const trained = (run: TrialRun): WalkRun => ({ window, stretch: 'train', ...run });
  const there = known.flatMap((run) => (run.window === window && run.stretch === 'train' ? [run] : []));
  const { runs, finished } = await searchTrials(
    study.space,
    search,
    trials,
    player,
    () => ({ span: train }),
    new Map(there.map((run) => [run.trial, run])),
    (run, isNew) => heard(trained(run), isNew),
  );
  const sign = search.objective.direction === 'maximise' ? -1 : 1;
  const [chosen = null] = runs
    .filter((run) => run.state === 'complete' && run.violation === 0)
    .sort((a, b) => sign * (a.value! - b.value!) || a.trial - b.trial);
  return { runs: runs.map(trained), finished, chosen };
}

async function testWindow(
  player: SpanPlayer,
  window: number,
  { point }: { readonly point: Point },
  test: Span,
  cash: number | null,
  known: readonly WalkRun[],
  heard: (run: WalkRun, isNew: boolean) => void,
): Promise<Extract<WalkRun, { stretch: 'test' }> | null> {
  const there = known.find((run) => run.window === window && run.stretch === 'test');
  if (there?.stretch === 'test') {
    heard(there, false);
    return there;
  }
  const played = await player.play({ point, span: test, cashMinor: cash, pruning: null, detail: true });
  if (played === null) return null;
  const run = { window, stretch: 'test', cash, played } as const;
  heard(run, true);
  return run;
}
