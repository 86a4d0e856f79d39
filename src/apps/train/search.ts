import { canonicalJson, InputError } from '#base';
import { type Point, Study, scoreTrial, type Trial } from '#research';
import { coldPoint, TRAIN_SPACE } from './train-config.ts';
import type { TrialPlayed, TrialPlayer, WindowFigures } from './trial-player.ts';

/** One finished trial of a search: plain data. */
export interface TrainTrial {
  readonly trial: number;
  readonly point: Point;
  readonly state: 'complete' | 'pruned' | 'failed';
  readonly value: number | null;
  /** Trades that its calibrated windows lack, all together; 0 is allowed to win. */
  readonly violation: number;
  readonly windows: readonly WindowFigures[];
  readonly reports: readonly (readonly [window: number, value: number])[];
}

export interface SearchSettings {
  readonly seed: string;
  readonly trials: number;
  /** The first so many are searched over. */
  readonly windows: number;
  /** What an earlier start left. */
  readonly known: ReadonlyMap<number, TrainTrial>;
  readonly onTrial: (trial: TrainTrial, isNew: boolean) => void;
}

export interface Searched {
  readonly trials: readonly TrainTrial[];
  /** Complete, with trades enough, best first. */
  readonly best: readonly TrainTrial[];
  readonly finished: boolean;
}

/** Trials open at once. A trial knows the results of those so many before it: part of what the search depends on. */
const PARALLEL = 2;

/**
 * TPE over the sheet's space. The sheet's own lengths are tried first. Trial n depends on the seed and on the trials up to
 * n - {@link PARALLEL}, on nothing else, so an interrupted search goes on as if it had not been.
 */
export async function searchModels(player: TrialPlayer, settings: SearchSettings): Promise<Searched> {
  const study = new Study(TRAIN_SPACE, {
    seed: settings.seed,
    direction: 'maximise',
    sampler: { kind: 'tpe', multivariate: true },
    pruner: { kind: 'median' },
  });
  study.enqueue(USUAL);
  const open: { readonly trial: Trial; readonly run: Promise<TrainTrial | null> }[] = [];
  const trials: TrainTrial[] = [];
  for (;;) {
    while (open.length < PARALLEL && study.trials.length < settings.trials) {
      const trial = study.ask()!;
      const earlier = settings.known.get(trial.number);
      if (earlier !== undefined && canonicalJson(earlier.point) !== canonicalJson(trial.point)) {
        throw new InputError(
          `trial ${trial.number} of an earlier start is not the one this search asks for`,
          'delete the directory and start again',
        );
      }
      const medians = study.medianLosses(settings.windows);
      const run =
        earlier !== undefined
          ? Promise.resolve(earlier)
          : player
              .play({ point: coldPoint(trial.point), medians, until: settings.windows, detail: false })
              .then((played) => {
                if (played === null) return null;
                const done = trialOf(trial, played);
                settings.onTrial(done, true);
                return done;
              });
      // one that is not waited for yet may fail: it is heard when its turn comes
      run.catch(() => {});
      open.push({ trial, run });
    }
    const next = open.shift();
    if (next === undefined) return { trials, best: bestOf(trials), finished: true };
    const run = await next.run;
    if (run === null) return { trials, best: bestOf(trials), finished: false };
    tell(study, run);
    trials.push(run);
    if (settings.known.has(run.trial)) settings.onTrial(run, false);
  }
}

/** Where a search begins: the sheet's lengths, and trees as people grow them. */
const USUAL: Point = {
  rsi: 14,
  atr: 14,
  momentum: 20,
  maxDepth: 4,
  eta: 0.05,
  minChildWeight: 5,
  subsample: 0.8,
  rounds: 200,
};

function trialOf({ number: trial, point }: Trial, played: TrialPlayed): TrainTrial {
  const { windows, reports } = played;
  const common = { trial, point, windows, reports };
  if (played.failed) return { ...common, state: 'failed', value: null, violation: 0 };
  const { value, violation } = scoreTrial(windows.filter(({ calibrated }) => calibrated));
  if (played.pruned) return { ...common, state: 'pruned', value, violation };
  return { ...common, state: 'complete', value, violation };
}

function tell(study: Study, { trial, state, value, violation, reports }: TrainTrial): void {
  for (const [step, reported] of reports) study.report(trial, step, reported);
  if (state === 'failed' || value === null) study.fail(trial);
  else if (state === 'pruned') study.prune(trial);
  else study.tell(trial, value, { violation });
}

function bestOf(trials: readonly TrainTrial[]): TrainTrial[] {
  return trials
    .filter(({ state, violation, value }) => state === 'complete' && violation === 0 && value !== null)
    .sort((a, b) => b.value! - a.value! || a.trial - b.trial);
}
