import {
  type ColdPoint,
  type ColdStudy,
  decidePromotion,
  deflatedSharpe,
  evidenceOf,
  expectedBestSharpe,
  type FigureName,
  type Measured,
  type ModelEvidence,
  type OlderModel,
  PROFILES,
  performanceOf,
  playWindow,
  sharpeFigures,
  sheetFigures,
  TRADES_PER_WINDOW,
  trialsAround,
  type WindowScore,
} from '#research';
import { type ModelArtefact, modelIdOf } from '#signals';
import { TWO_ENGINES_MAX, type TwoEngines } from './loop-check.ts';
import { termsOf } from './older-model.ts';
import type { Searched, TrainTrial } from './search.ts';
import { TRAIN_SPACE } from './train-config.ts';
import { coldCosts, type TrainCosts } from './train-costs.ts';
import { dailyEquity } from './trial-player.ts';
import { countedWindows, type JudgedWindow, type JudgedWinner } from './winner.ts';

const PROFILE = PROFILES.s1!;
const PERIODS_PER_YEAR = 365;
const COST_FACTORS = [0.5, 1, 2, 3] as const;
const BLOCKS_MOST = 16;

/** What of a training speaks for its model, or against it. */
export interface JudgedTraining {
  readonly study: ColdStudy;
  readonly costs: TrainCosts;
  readonly point: ColdPoint;
  readonly winner: TrainTrial;
  readonly searched: Searched;
  /** Windows that the search saw, the oldest ones; those behind them chose nothing. */
  readonly searchedWindows: number;
  readonly judged: JudgedWinner;
  readonly engines: TwoEngines;
  readonly interval: string;
  readonly stamps: readonly string[];
  /** Hashes of the runs on record; empty with registration switched off. */
  readonly runs: readonly string[];
  /** Hash of the search. */
  readonly searchHash: string;
  readonly against: readonly OlderModel[];
}

/** Windows one behind the other as one account: each begins with what the one before left. */
function joined(windows: readonly Pick<JudgedWindow, 'outcome'>[]): Float64Array {
  const parts: number[] = [1];
  for (const { outcome } of windows) {
    const before = parts.at(-1)!;
    const { equity } = outcome;
    for (let i = 1; i < equity.length; i++) parts.push((before * equity[i]!) / equity[0]!);
  }
  return Float64Array.from(parts);
}

/** Growth of each day of each window. */
const dailyGrowth = ({ data }: ColdStudy, windows: readonly JudgedWindow[]): number[] =>
  windows.flatMap(({ outcome, window }) => {
    const days = dailyEquity(outcome.equity, window, data);
    return days.slice(1).map((close, i) => close / days[i]!);
  });

/** Out-of-sample figures of the judged windows, as metrics of the model. What was not calibrated was not traded, and is left out. */
export function metricsOf({ study, judged, engines }: JudgedTraining): Record<string, number | null> {
  const { calibration, auc } = judged;
  const windows = countedWindows(judged.windows);
  const nets = windows.flatMap(({ outcome }) => [...outcome.nets]);
  const figures = sheetFigures({ nets, equity: joined(windows) });
  const growth = dailyGrowth(study, windows);
  const daily = [1];
  for (const factor of growth) daily.push(daily.at(-1)! * factor);
  const { sharpe, totalReturn } = performanceOf({ equity: daily, periodsPerYear: PERIODS_PER_YEAR });
  return {
    profitFactor: figures.profitFactor.value,
    winRate: figures.winRate.value,
    maxDrawdown: figures.maxDrawdown.value,
    trades: nets.length,
    sharpe,
    totalReturn,
    aucUp: auc.up,
    aucDown: auc.down,
    brier: calibration.after?.brier ?? calibration.before.brier,
    logLoss: calibration.after?.logLoss ?? calibration.before.logLoss,
    calibrationError: calibration.after?.calibrationError ?? calibration.before.calibrationError,
    enginesDifference: engines.difference,
  };
}

/**
 * Daily returns of trials over the same windows: what the number of independent tries and their spread are reckoned from. Windows that
 * no trial traded are left out; stopped trials saw less: they only count.
 */
function trialReturns(trials: readonly TrainTrial[], windows: number): number[][] {
  const whole = trials.filter(({ state, windows: own }) => state === 'complete' && own.length === windows);
  return whole.map((trial) =>
    trial.windows
      .filter((_, k) => whole.some((one) => one.windows[k]!.calibrated))
      .flatMap(({ equity }) => equity.slice(1).map((close, i) => close / equity[i]! - 1)),
  );
}

/**
 * How much of the result is luck. The series under test are the daily returns of the judged windows: what would have been traded. The
 * search's trials say how many independent tries there were, and how far they lay apart.
 */
export function selectionOf({
  searched,
  searchedWindows,
  judged,
  study,
}: Pick<JudgedTraining, 'searched' | 'searchedWindows' | 'judged' | 'study'>) {
  const windows = countedWindows(judged.windows);
  const table = trialReturns(searched.trials, searchedWindows);
  const periods = table[0]?.length ?? 0;
  const blocks = Math.min(BLOCKS_MOST, 2 * Math.floor(periods / 2));
  if (blocks < 4) return null;
  const cut = periods - (periods % blocks);
  const found = evidenceOf(
    table.map((returns) => returns.slice(periods - cut)),
    { blocks },
  );
  const own = sharpeFigures(dailyGrowth(study, windows).map((growth) => growth - 1));
  // what was stopped on the way was tried as well: each counts as one of its own
  const effective = found.effective + searched.trials.length - table.length;
  const luck = expectedBestSharpe(found.variance, effective);
  const dsr = own === null ? null : deflatedSharpe(own, found.variance, effective);
  return { compared: found.trials, effective, luck, dsr, pbo: found.overfitting?.pbo ?? null };
}

/** The passport of a trained model: how it was chosen, what surrounds it, what it costs, and when it earned. Plain data. */
function passportOf(training: JudgedTraining, selection: ReturnType<typeof selectionOf>) {
  const { searched, winner, judged, engines, study, costs, point } = training;
  const count = (state: TrainTrial['state']) =>
    searched.trials.filter((trial) => trial.state === state).length;
  const outcomes = searched.best.map((trial) => ({ point: trial.point, value: trial.value! }));
  const counted = countedWindows(judged.windows);
  const centre = outcomes[searched.best.indexOf(winner)];
  return {
    schemaVersion: 1,
    terms: termsOf(study),
    trials: {
      all: searched.trials.length,
      complete: count('complete'),
      pruned: count('pruned'),
      failed: count('failed'),
    },
    selection,
    winner: { trial: winner.trial, value: winner.value, parameters: winner.point },
    neighbourhood: centre === undefined ? null : trialsAround(TRAIN_SPACE, outcomes, centre, 'maximise'),
    windows: judged.windows.map(({ window, outcome, calibration }) => ({
      number: window.number,
      trades: outcome.nets.length,
      sharpe: outcome.sharpe,
      return: outcome.equity.at(-1)! / outcome.equity[0]! - 1,
      calibrated: calibration !== null,
      chosenOn: window.number < training.searchedWindows,
    })),
    costs: COST_FACTORS.map((factor) => {
      const paid = coldCosts(costs, study.data, factor);
      const played = counted.map(({ window, directions }) =>
        playWindow(study.data, study.rules, paid, point, window.test, directions),
      );
      const whole = played.every((one) => one !== null)
        ? joined(played.map((outcome) => ({ outcome: outcome! })))
        : null;
      return { factor, return: whole === null ? null : whole.at(-1)! - 1 };
    }),
    months: monthsOf(training),
    twoEngines: engines,
    calibration: { method: 'platt', before: judged.calibration.before, after: judged.calibration.after },
    clippedShare: Math.max(...winner.windows.map(({ clippedShare }) => clippedShare)),
  };
}

function monthsOf({ judged }: JudgedTraining): Record<string, number> {
  const months: Record<string, number> = {};
  for (const { window, outcome } of countedWindows(judged.windows)) {
    const month = new Date(window.from).toISOString().slice(0, 7);
    const growth = outcome.equity.at(-1)! / outcome.equity[0]!;
    months[month] = ((months[month] ?? 0) + 1) * growth - 1;
  }
  return months;
}

/** Scores of the windows that count, with a mark on those that the search saw. */
export const windowScores = ({
  judged,
  searchedWindows,
}: Pick<JudgedTraining, 'judged' | 'searchedWindows'>): WindowScore[] =>
  countedWindows(judged.windows).map(({ window: { number, from, to }, outcome }) => ({
    from,
    to,
    score: outcome.sharpe,
    chosenOn: number < searchedWindows,
  }));

/** Everything that speaks for a model, with the trainer's own verdict. */
export function modelEvidence(training: JudgedTraining, artefact: ModelArtefact): ModelEvidence {
  const { judged, engines, interval, stamps, runs, searchHash, against } = training;
  const windows = countedWindows(judged.windows);
  const nets = windows.flatMap(({ outcome }) => [...outcome.nets]);
  const equity = joined(windows);
  const selection = selectionOf(training);
  const metrics = metricsOf(training);
  const figures: Partial<Record<FigureName, Measured>> = {
    ...sheetFigures({ nets, equity }),
    sharpe: measured(metrics.sharpe ?? null, 'nothing moved'),
    dsr: measured(selection?.dsr ?? null, 'too few comparable trials'),
    pbo:
      training.searched.trials.length === 1
        ? { value: null, note: 'nothing was chosen', passes: true }
        : measured(selection?.pbo ?? null, 'too few comparable trials'),
  };
  const decision = decidePromotion({
    to: 'paper',
    profile: PROFILE,
    stage: 'research',
    interval,
    figures,
    stamps,
    isRegistered: runs.length > 0,
    exception: null,
  });
  const twoEngines = {
    name: 'two engines',
    figure: engines.difference,
    needed: TWO_ENGINES_MAX,
    verdict: engines.agree ? ('met' as const) : ('not met' as const),
  };
  // the search's own constraint, of what would have been traded: a winner that breaks it is shown, and goes no further
  const fewest = Math.min(...windows.map(({ outcome }) => outcome.nets.length));
  const enough = {
    name: 'trades in each window',
    figure: fewest,
    needed: TRADES_PER_WINDOW,
    verdict: fewest >= TRADES_PER_WINDOW ? ('met' as const) : ('not met' as const),
  };
  const criteria = [
    ...decision.criteria.map(({ name, figure, needed, verdict }) => ({ name, figure, needed, verdict })),
    enough,
    twoEngines,
  ];
  return {
    schemaVersion: 1,
    model: modelIdOf(artefact),
    dataHash: artefact.training.dataHash,
    figures,
    runs,
    study: searchHash,
    passport: passportOf(training, selection),
    verdict: {
      promoted: decision.promoted && criteria.every(({ verdict }) => verdict === 'met'),
      profile: PROFILE.name,
      criteria,
    },
    windows: windowScores(training),
    against,
    stamps,
  };
}

const measured = (value: number | null, note: string): Measured =>
  value === null ? { value, note } : { value };
