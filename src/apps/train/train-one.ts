import type { ModelRegistry, RunRegistry } from '#adapters';
import { canonicalJson, DAY, sha256 } from '#base';
import type { BarColumns } from '#market';
import {
  COLD_CLASSES,
  CONTEST_WINDOWS,
  type ColdPoint,
  type ColdStudy,
  type ColdWindow,
  type ColdWindowResult,
  coldSamples,
  coldWindows,
  type FoldProvenance,
  refuseLeaks,
  type WalkLengths,
} from '#research';
import { type ModelArtefact, modelIdOf, S1_FEATURE_NAMES } from '#signals';
import { ourEvidence, type Trust, trustedKeys } from '../models/held-evidence.ts';
import { reckonerHash } from '../setup/code-hash.ts';
import { csvLine, type DirectoryKind, StudyDirectory } from '../setup/optimise/study-directory.ts';
import { UNREGISTERED } from '../setup/registry/open-registry.ts';
import { artefactOf, type Origin } from './artefact-of.ts';
import { type JudgedTraining, metricsOf, modelEvidence } from './evidence-of.ts';
import { checkOnLoop } from './loop-check.ts';
import { olderOver, testOf } from './older-model.ts';
import { registerTrials, trainingStamps } from './register-trials.ts';
import { type Searched, searchModels, type TrainTrial } from './search.ts';
import { coldPoint, TRAIN_SPACE } from './train-config.ts';
import { coldCosts, type TrainCosts } from './train-costs.ts';
import { type TrialPlayerMaker, trialsHere } from './trial-player.ts';
import { countedWindows, finalModel, type JudgedWinner, judgeWinner } from './winner.ts';

export interface TrainSettings {
  readonly costs: TrainCosts;
  readonly trials: number;
  readonly workers: number;
  /** Who plays the trials of the search; threads of this machine when left out. */
  readonly player?: TrialPlayerMaker;
  /** Directory for the search of this configuration; null keeps it in memory. */
  readonly out: string | null;
  readonly signal: AbortSignal;
  /** Trials done of all. */
  readonly onTrial: (done: number, there: number) => void;
  readonly onStep: (step: string) => void;
  readonly runs: RunRegistry | null;
  readonly models: ModelRegistry;
  readonly act: { readonly at: number; readonly by: string };
}

/** What came of one configuration. */
export interface TrainedConfig {
  /** Id of the model; null where none came of it, and why. */
  readonly model: string | null;
  readonly reason: string | null;
  readonly isNew: boolean;
  readonly training: JudgedTraining | null;
  readonly evidence: ReturnType<typeof modelEvidence> | null;
  readonly windows: number;
  readonly searched: Searched;
}

/**
 * The newest windows, which no search sees: a new model is compared with an old one on windows that did not choose it. None where they
 * would be more than half of all; such a model cannot follow another.
 */
export const heldBack = (windows: number): number => (windows >= 2 * CONTEST_WINDOWS ? CONTEST_WINDOWS : 0);

/** What decides which trials a search makes, and what they come to. */
interface SearchIdentity {
  readonly format: string;
  readonly config: string;
  readonly dataHash: string;
  readonly windows: string;
  readonly costs: string;
  readonly seed: string;
  readonly space: string;
}

/** Rows that a model can be asked about by hand, with what became of them. */
const ROWS_FILE = 'rows.csv';
const ROWS_MOST = 500;

const KIND: DirectoryKind<SearchIdentity> = {
  name: 'training',
  description: 'training.json',
  others: [ROWS_FILE],
  parts: {
    format: 'the version of the program',
    config: 'the configuration',
    dataHash: 'the data',
    windows: '--train-days, --test-hours or the windows of the model on paper',
    costs: '--cash, --fee-bps or --slippage-bps',
    seed: '--seed',
    space: 'the version of the program',
  },
};

/**
 * Trains one configuration: walk-forward windows, a search over them, the winner judged as it would have traded, once more on the
 * loop, the final model, and what speaks for it. Null when it was stopped; what was done is kept and the next start goes on.
 */
export async function trainOne(origin: Origin, settings: TrainSettings): Promise<TrainedConfig | null> {
  const { train, market, seed } = origin;
  const { data } = market;
  const { costs, signal } = settings;
  const holders = stageHolders(settings.models, train.config.id);
  const trust: Trust = { runs: settings.runs, keys: trustedKeys(settings.models.folder) };
  const told = (id: string) => ourEvidence(settings.models, id, trust);
  const inStep = holders.map((id) => testOf(told(id))).find((from) => from !== null) ?? null;
  const windows = coldWindows(data.bars.time, data.bars.length, data.intervalMs, train.lengths, inStep);
  if (windows.length === 0) return untrained(tooShort(data.bars, data.intervalMs, train.lengths));
  const study: ColdStudy = {
    data,
    rules: train.rules,
    costs: coldCosts(costs, data),
    embargoBars: train.rules.verticalBars,
    seed,
  };
  const identity: SearchIdentity = {
    format: reckonerHash(),
    config: train.config.id,
    dataHash: market.dataHash,
    windows: canonicalJson({ ...train.lengths, from: windows[0]!.from, heldBack: heldBack(windows.length) }),
    costs: canonicalJson(costs),
    seed,
    space: TRAIN_SPACE.fingerprint(),
  };
  const searchHash = sha256(canonicalJson(identity));
  const directory =
    settings.out === null
      ? null
      : new StudyDirectory<SearchIdentity, TrainTrial>(settings.out, KIND, identity);
  const searchedWindows = windows.length - heldBack(windows.length);
  const make = settings.player ?? trialsHere(settings.workers);
  const title = `training of ${train.config.id}`;
  const player = make({ setting: { study, windows }, study: searchHash, title, signal });
  try {
    const known = new Map((directory?.there ?? []).map((trial) => [trial.trial, trial]));
    let done = 0;
    const record = (trials: readonly TrainTrial[]) =>
      settings.runs === null ? [] : registerTrials(settings.runs, origin, costs, windows, searchHash, trials);
    const searched = await searchModels(player, {
      seed: `${seed}/${train.config.id}`,
      trials: settings.trials,
      windows: searchedWindows,
      known,
      onTrial: (trial, isNew) => {
        done += 1;
        // on record before anything else keeps it: an interruption leaves no result that was not counted
        record([trial]);
        if (isNew) directory?.append(trial);
        settings.onTrial(done, known.size);
      },
    });
    if (!searched.finished) return null;
    const nothing = (reason: string) => untrained(reason, windows.length, searched);
    const winner = winnerOf(searched);
    if (winner === null) return nothing(whyNothing(searched));
    const point = coldPoint(winner.point);
    settings.onStep('judging the winner');
    const played = await player.play({ point, medians: null, until: null, detail: true });
    if (played === null) return null;
    const judged = played.detail === null ? null : judgeWinner(study, windows, played.detail, point);
    if (judged === null)
      return nothing(
        'no window of the winner had anything to learn from, or the columnar engine could not tell',
      );
    if (countedWindows(judged.windows).length === 0 || judged.calibration.calibrations === null)
      return nothing(
        `no window could be calibrated: ${judged.calibration.refused ?? 'those before it taught too little'}`,
      );
    auditLeaks(study, windows, played.detail!, judged, point);
    settings.onStep('checking on the loop');
    const engines = await checkOnLoop(origin, point, costs, judged.windows, async () => {
      // so that Ctrl-C is heard between windows
      await new Promise((next) => setImmediate(next));
      return !signal.aborted;
    });
    if (engines === null) return null;
    settings.onStep('training the final model');
    const fitted = finalModel(study, train.lengths.trainMs, point);
    if (fitted === null) return nothing('the newest bars hold fewer than two kinds of labels');
    const runs = record([winner]);
    const counted = countedWindows(judged.windows).map(({ window }) => window);
    const stamps = [
      ...trainingStamps(origin, costs, counted),
      ...(settings.runs === null ? [UNREGISTERED] : []),
    ];
    const training: JudgedTraining = {
      study,
      costs,
      point,
      winner,
      searched,
      searchedWindows,
      judged,
      engines,
      interval: train.config.interval,
      stamps,
      runs,
      searchHash,
      against: holders.map((id) => olderOver(study, windows, settings.models.artefact(id), told(id))),
    };
    const end = data.bars.time[data.bars.length - 1]! + data.intervalMs;
    const rest = { metrics: metricsOf(training), stamps };
    const artefact = following(holders[0] ?? null, settings.models, (parent) =>
      artefactOf(origin, fitted, point, judged.calibration.calibrations, end, { ...rest, parent }),
    );
    const evidence = modelEvidence(training, artefact);
    // so that the same evidence is known again when it comes in a file
    settings.runs?.judged(evidence, settings.act.at);
    const { isNew } = settings.models.register(artefact, [evidence], 'train', settings.act);
    directory?.finish(
      { config: train.config.id, model: modelIdOf(artefact), evidence },
      searched.trials,
      new Map([[ROWS_FILE, newestRows(study, point)]]),
    );
    return {
      model: modelIdOf(artefact),
      reason: null,
      isNew,
      training,
      evidence,
      windows: windows.length,
      searched,
    };
  } finally {
    await player.close();
    directory?.close();
  }
}

/** The best that is allowed to win; where none is, the one that lacks the fewest trades: it is shown, and refused. */
function winnerOf({ trials, best }: Searched): TrainTrial | null {
  if (best.length > 0) return best[0]!;
  const complete = trials.filter(({ state, value }) => state === 'complete' && value !== null);
  complete.sort((a, b) => a.violation - b.violation || b.value! - a.value! || a.trial - b.trial);
  return complete[0] ?? null;
}

function whyNothing({ trials }: Searched): string {
  const isDumb = trials.some(({ windows }) => windows.length > 0 && windows.every((one) => !one.calibrated));
  return isDumb
    ? 'no window could be calibrated: the labels of those before it count as less than a hundred (more bars, or longer tests)'
    : 'no trial came to a value';
}

/**
 * No fitted part may have seen its test, nor a label that was known less than an embargo before it. Throws {@link InputError}: a
 * training with a leak says nothing.
 */
export function auditLeaks(
  study: ColdStudy,
  windows: readonly ColdWindow[],
  results: readonly ColdWindowResult[],
  judged: JudgedWinner,
  point: ReturnType<typeof coldPoint>,
): void {
  const { spanEnds } = coldSamples(study.data, study.rules, point);
  const bars = study.data.bars.length;
  const folds = windows.flatMap((window, k): FoldProvenance[] => {
    const fitted = results[k]!.fitted;
    if (fitted === null) return [];
    const { learnedFrom } = fitted;
    const test = Int32Array.from(
      { length: window.test.to - window.test.from },
      (_, i) => window.test.from + i,
    );
    const parts: FoldProvenance['parts'][number][] = [
      { name: 'scaler', learns: 'features', rows: learnedFrom },
      { name: 'model', learns: 'labels', rows: learnedFrom },
    ];
    const taught = judged.windows[k]!.calibration?.taughtBy ?? [];
    for (const { number } of taught)
      parts.push({
        name: `model of window ${number}`,
        learns: 'labels',
        rows: results[number]!.fitted!.learnedFrom,
      });
    if (taught.length > 0)
      parts.push({
        name: 'calibration',
        learns: 'predictions',
        predicted: taught.map(({ number, rows }) => ({ by: `model of window ${number}`, rows })),
      });
    return [{ name: `window ${window.number}`, test, parts }];
  });
  const t0 = Float64Array.from({ length: bars }, (_, i) => i);
  refuseLeaks(folds, {
    spans: { t0, t1: t0.map((i) => Math.max(i, spanEnds[i]!)) },
    gap: study.embargoBars,
  });
}

/** Models of a name that hold a stage, the one on paper first, each once. */
function stageHolders(models: ModelRegistry, name: string): string[] {
  const found = (['paper', 'live'] as const).map((stage) => models.holder(name, stage));
  return [...new Set(found.filter((id) => id !== null))];
}

/** A model that follows the one on paper. Made again from the same data and seed it is that one, and does not follow itself. */
function following(
  holder: string | null,
  models: ModelRegistry,
  make: (parent: string | null) => ModelArtefact,
): ModelArtefact {
  if (holder !== null) {
    const again = make(models.artefact(holder).parent);
    if (modelIdOf(again) === holder) return again;
  }
  return make(holder);
}

/** The newest whole rows as `models predict` reads them; the label is empty where nothing is known yet. */
function* newestRows({ data, rules }: ColdStudy, point: ColdPoint): Generator<string> {
  const { rows, whole, usable, labels } = coldSamples(data, rules, point);
  const width = S1_FEATURE_NAMES.length;
  yield csvLine(['time', ...S1_FEATURE_NAMES, 'label']);
  for (let bar = Math.max(0, data.bars.length - ROWS_MOST); bar < data.bars.length; bar++) {
    if (whole[bar] !== 1) continue;
    const label = usable[bar] === 1 ? COLD_CLASSES[labels[bar]!]! : '';
    yield csvLine([data.bars.time[bar]!, ...rows.subarray(bar * width, (bar + 1) * width), label]);
  }
}

const NOTHING_SEARCHED: Searched = { trials: [], best: [], finished: true };

const untrained = (reason: string, windows = 0, searched = NOTHING_SEARCHED): TrainedConfig => ({
  model: null,
  reason,
  isNew: false,
  training: null,
  evidence: null,
  windows,
  searched,
});

function tooShort({ time, length }: BarColumns, intervalMs: number, lengths: WalkLengths): string {
  const days = (ms: number) => String(Number((ms / DAY).toFixed(1)));
  const span = length === 0 ? 0 : time[length - 1]! + intervalMs - time[0]!;
  const { trainMs, testMs } = lengths;
  return `${days(span)} days of bars hold no window of ${days(trainMs)} days to learn from and ${days(testMs)} to be tested on (--train-days makes it shorter)`;
}
