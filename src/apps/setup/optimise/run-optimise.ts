import type { RunRegistry } from '#adapters';
import { canonicalJson, InputError, sha256 } from '#base';
import {
  type Objective,
  objectiveOf,
  parameterImportance,
  type TrialOutcome,
  type TrialsAround,
  trialsAround,
} from '#research';
import { studyRegistration } from './register-trials.ts';
import { type SpanPlayerMaker, type SpansToPlay, spansHere } from './span-player.ts';
import { csvLine, type DirectoryKind, StudyDirectory } from './study-directory.ts';
import { planStudy, type StudyIdentity, type StudyRequest, type StudySetting } from './study-setting.ts';
import { type SearchOptions, searchTrials, type TrialRun } from './trials.ts';

export interface OptimiseRequest extends StudyRequest {
  readonly trials: number;
  readonly search: Omit<SearchOptions, 'seed' | 'objective'> & { readonly objective: string };
}

export interface OptimiseSettings {
  readonly workers: number;
  /** Directory for the study; null keeps it in memory. */
  readonly out: string | null;
  /** Ends the study early; what is done is kept. */
  readonly signal: AbortSignal;
  /** Before the first trial of this start: how many an earlier one left. */
  readonly onBegin: (there: number, damaged: number) => void;
  readonly onProgress: (done: number, total: number) => void;
  /** Where the runs are put on record; null nowhere. */
  readonly registry: RunRegistry | null;
  /** Who plays; the threads of this machine when left out. */
  readonly player?: SpanPlayerMaker;
}

export interface OptimiseOutcome {
  readonly study: StudySetting;
  readonly objective: Objective;
  /** In the order of the trials. */
  readonly runs: readonly TrialRun[];
  /** Best first: complete, with enough trades. */
  readonly best: readonly TrialRun[];
  /** Share of the results' variance that each parameter explains; null for fewer than ten complete trials. */
  readonly importance: Readonly<Record<string, number>> | null;
  readonly neighbourhood: TrialsAround | null;
  readonly finished: boolean;
  readonly there: number;
  readonly workers: number;
  readonly seconds: number;
}

/** What decides which trials a study makes, and what they come to. */
interface OptimiseIdentity extends StudyIdentity {
  readonly objective: string;
  readonly sampler: string;
  readonly levels: number;
  readonly parallel: number;
  readonly pruneWindows: number | null;
  readonly leastTrades: number;
}

/** What a person calls the parts of a study's identity. */
export const STUDY_PARTS: Readonly<Record<keyof StudyIdentity, string>> = {
  format: 'the version of the program',
  desk: 'the desk',
  deskSource: "the desk's file",
  set: '--set',
  parameters: '--param',
  where: '--where',
  tapeHash: 'the data',
  answersHash: '--answers',
  cash: '--cash',
  feeBps: '--fee-bps',
  slippageBps: '--slippage-bps',
  seed: '--seed',
  codeHash: 'the version of the program',
};

const KIND: DirectoryKind<OptimiseIdentity> = {
  name: 'study',
  description: 'study.json',
  others: ['trials.csv'],
  parts: {
    ...STUDY_PARTS,
    objective: '--objective',
    sampler: '--sampler',
    levels: '--levels',
    parallel: '--parallel',
    pruneWindows: '--prune',
    leastTrades: '--least-trades',
  },
};

/**
 * Looks for the best parameters of a desk. The trials and the files are the same for any number of workers and any number
 * of interruptions; a study with more trials begins with those of one with fewer.
 */
export async function runOptimise(
  request: OptimiseRequest,
  settings: OptimiseSettings,
): Promise<OptimiseOutcome> {
  const objective = objectiveOf(request.search.objective);
  const study = await planStudy(request);
  const { objective: name, ...how } = request.search;
  const search: SearchOptions = { ...how, objective, seed: request.seed };
  const identity: OptimiseIdentity = { ...study.identity, objective: name, ...how };
  const directory =
    settings.out === null
      ? null
      : new StudyDirectory<OptimiseIdentity, TrialRun>(settings.out, KIND, identity);
  const workers = Math.max(1, Math.min(settings.workers, search.parallel, request.trials));
  const make = settings.player ?? spansHere(workers);
  const player = make(spansOf(study, objective.name, 'study', identity, settings.signal));
  try {
    const known = new Map((directory?.there ?? []).map((run) => [run.trial, run]));
    settings.onBegin(Math.min(known.size, request.trials), directory?.damaged ?? 0);
    const { registry } = settings;
    const register = registry === null ? null : studyRegistration(registry, 'optimise', study);
    const started = process.hrtime.bigint();
    let done = 0;
    const found = await searchTrials(
      study.space,
      search,
      request.trials,
      player,
      () => ({ span: null }),
      known,
      (run, isNew) => {
        done += 1;
        settings.onProgress(done, request.trials);
        // what an earlier start left may have been made without a record
        register?.run(run.played, null);
        if (isNew) directory?.append(run);
      },
    );
    const seconds = Number(process.hrtime.bigint() - started) / 1e9;
    if (found.runs.length === 0 && found.finished) {
      const reason = study.refusal();
      throw new InputError(
        `no point of the grid can be run${reason === null ? '' : `; one was refused: ${reason}`}`,
        'widen the ranges of --param, or loosen --where',
      );
    }
    const { runs, finished } = found;
    const outcome = {
      study,
      objective,
      runs,
      finished,
      ...judged(study, objective, runs),
      there: known.size,
      workers,
      seconds,
    };
    // trials beyond those asked for today are kept for the day they are asked for
    const beyond = [...known.values()].filter((run) => run.trial >= runs.length);
    if (finished) directory?.finish(summaryOf(outcome), [...runs, ...beyond.sort(byTrial)], filesOf(outcome));
    return outcome;
  } finally {
    await player.close();
    directory?.close();
  }
}

/** What a study of some kind has to play. */
export function spansOf(
  { setting, identity: { desk }, instruments }: StudySetting,
  objective: string,
  kind: string,
  identity: object,
  signal: AbortSignal,
): SpansToPlay {
  const study = sha256(canonicalJson({ kind, identity }));
  return { setting, objective, study, title: `${kind} of ${desk} over ${instruments.join(', ')}`, signal };
}

const byTrial = (a: TrialRun, b: TrialRun): number => a.trial - b.trial;

/** What the trials say together. */
function judged(
  { space }: StudySetting,
  { direction }: Objective,
  runs: readonly TrialRun[],
): Pick<OptimiseOutcome, 'best' | 'importance' | 'neighbourhood'> {
  const complete = runs.filter((run) => run.state === 'complete' && run.violation === 0);
  const sign = direction === 'maximise' ? -1 : 1;
  const best = [...complete].sort((a, b) => sign * (a.value! - b.value!) || byTrial(a, b));
  const outcomes: TrialOutcome[] = best.map(({ point, value }) => ({ point, value: value! }));
  return {
    best,
    importance: outcomes.length < 10 ? null : parameterImportance(space, outcomes),
    neighbourhood: outcomes.length === 0 ? null : trialsAround(space, outcomes, outcomes[0]!, direction),
  };
}

/** What `--json` and `study.json` say beside the trials. */
export function summaryOf(outcome: OptimiseOutcome): Record<string, unknown> {
  const { study, objective, runs, best, importance, neighbourhood } = outcome;
  const count = (state: TrialRun['state']) => runs.filter((run) => run.state === state).length;
  return {
    desk: study.identity.desk,
    instruments: study.instruments,
    currency: study.currency,
    notes: study.notes,
    objective: objective.name,
    direction: objective.direction,
    trials: runs.length,
    complete: count('complete'),
    pruned: count('pruned'),
    failed: count('failed'),
    best: best.length === 0 ? null : trialAsData(best[0]!),
    importance,
    neighbourhood,
    stamps: [...new Set(runs.flatMap(({ played }) => played.stamps))],
  };
}

export const trialAsData = ({ trial, point, state, value, played }: TrialRun) => ({
  trial,
  parameters: point,
  state,
  value,
  figures: played.figures,
  variantHash: played.variantHash,
});

function filesOf({ study, runs }: OptimiseOutcome): Map<string, string[]> {
  const names = study.space.axes.map(({ name }) => name);
  const figures = ['trades', 'return', 'sharpe', 'maxDrawdown', 'equityEnd', 'fees', 'funding'] as const;
  const header = csvLine(['trial', 'state', 'value', ...names.map(columnOf), ...figures, 'variantHash']);
  const lines = runs.map(({ trial, state, value, point, played }) =>
    csvLine([
      trial,
      state,
      value,
      ...names.map((name) => point[name]),
      ...figures.map((name) => played.figures[name]),
      played.variantHash,
    ]),
  );
  return new Map([['trials.csv', [header, ...lines]]]);
}

const TAKEN = [
  'trial',
  'state',
  'value',
  'trades',
  'return',
  'sharpe',
  'maxDrawdown',
  'equityEnd',
  'fees',
  'funding',
];

/** A parameter that is called like another column is written `parameter.NAME`. */
const columnOf = (name: string): string =>
  TAKEN.includes(name) || name === 'variantHash' ? `parameter.${name}` : name;
