import { DAY } from '#base';
import {
  CalibrationWalk,
  type ColdData,
  type ColdPoint,
  type ColdSamples,
  type ColdStudy,
  type ColdWindow,
  type ColdWindowResult,
  coldSamples,
  drawdownOf,
  isWorseThanMedian,
  runWindow,
  type StepReport,
  scoreTrial,
} from '#research';
import { playUntil, Threads } from '../setup/threads/run-in-threads.ts';

/** A study with its windows: what every thread begins with. */
export interface TrialSetting {
  readonly study: ColdStudy;
  readonly windows: readonly ColdWindow[];
}

/** One trial to be run. */
export interface TrialJob {
  readonly point: ColdPoint;
  /** Median losses of the trials before, per window; null: it runs to its end. */
  readonly medians: readonly (number | null)[] | null;
  /** Only the windows before this number are played; null: all. */
  readonly until: number | null;
  /** Whether models and predictions are wanted back: of the winner. */
  readonly detail: boolean;
}

/** What one window came to, as a study keeps it. Money in minor units. */
export interface WindowFigures {
  readonly number: number;
  /** False: nothing was known to calibrate it with. It was held flat and counts for nothing. */
  readonly calibrated: boolean;
  readonly sharpe: number | null;
  readonly nets: readonly number[];
  /** Equity at the start, and at the end of each 24 hours. */
  readonly equity: readonly number[];
  readonly maxDrawdown: number;
  /** Share of the rows that lay far from what the model was trained on. */
  readonly clippedShare: number;
}

/** What a trial came to: plain data. */
export interface TrialPlayed {
  /** In order; a trial that was stopped has fewer than the study. */
  readonly windows: readonly WindowFigures[];
  readonly reports: readonly StepReport[];
  readonly pruned: boolean;
  /** Why it has no value, where the engine could not tell. */
  readonly failed: boolean;
  readonly detail: readonly ColdWindowResult[] | null;
}

/** Windows that count of every trial before it may be stopped (research.md 6: after 5). */
const WINDOWS_BEFORE_PRUNING = 5;

/** What a trial is worth window by window, and whether it is stopped: worse than the median of the others after some windows. */
export class TrialCourse {
  readonly reports: StepReport[] = [];
  private readonly counted: Pick<WindowFigures, 'sharpe' | 'nets'>[] = [];
  private readonly medians: TrialJob['medians'];
  private readonly windows: number;

  /** `windows`: how many it has when it is not stopped. */
  constructor(medians: TrialJob['medians'], windows: number) {
    this.medians = medians;
    this.windows = windows;
  }

  /** Takes in the next window; true when it is the last because the trial is stopped. */
  add(number: number, calibrated: boolean, outcome: Pick<WindowFigures, 'sharpe' | 'nets'>): boolean {
    if (calibrated) this.counted.push(outcome);
    const { value } = scoreTrial(this.counted);
    if (value !== null) this.reports.push([number, value]);
    const isLast = number === this.windows - 1;
    if (this.medians === null || isLast || this.counted.length < WINDOWS_BEFORE_PRUNING) return false;
    // losses: what is largest is best here
    const losses = this.reports.map(([step, reported]): StepReport => [step, -reported]);
    return isWorseThanMedian(losses, this.medians[number] ?? null);
  }
}

/** Runs a trial window by window, in order, to its end or until it is stopped. */
export function playTrial(
  { study, windows: all }: TrialSetting,
  { point, medians, until, detail }: TrialJob,
): TrialPlayed {
  const windows = all.slice(0, until ?? all.length);
  const samples: ColdSamples = coldSamples(study.data, study.rules, point);
  const walk = new CalibrationWalk(samples, study.embargoBars);
  const results: ColdWindowResult[] = [];
  const course = new TrialCourse(medians, windows.length);
  let pruned = false;
  for (const window of windows) {
    const result = runWindow(study, samples, window, point, walk);
    results.push(result);
    if (result.outcome === null) break;
    pruned = course.add(window.number, result.calibration !== null, result.outcome);
    if (pruned) break;
  }
  return {
    windows: results.flatMap((result, k) => figuresOf(result, windows[k]!, study)),
    reports: course.reports,
    pruned,
    failed: results.some(({ outcome }) => outcome === null),
    detail: detail ? results : null,
  };
}

function figuresOf(
  { number, outcome, clippedShare, calibration }: ColdWindowResult,
  window: ColdWindow,
  { data }: ColdStudy,
): WindowFigures[] {
  if (outcome === null) return [];
  const { equity, nets, sharpe } = outcome;
  return [
    {
      number,
      calibrated: calibration !== null,
      sharpe,
      nets,
      equity: dailyEquity(equity, window, data),
      maxDrawdown: drawdownOf(equity).max,
      clippedShare,
    },
  ];
}

/** Days of a test, the last of which may be cut short. */
export const testDays = ({ from, to }: Pick<ColdWindow, 'from' | 'to'>): number =>
  Math.ceil((to - from) / DAY);

/** Equity at the start of a test and at the end of each 24 hours of it, whatever bars are missing. */
export function dailyEquity(
  equity: Float64Array,
  { test, from, to }: ColdWindow,
  { bars, intervalMs }: Pick<ColdData, 'bars' | 'intervalMs'>,
): number[] {
  const days = testDays({ from, to });
  const out = [equity[0]!];
  let bar = test.from;
  for (let day = 1; day <= days; day++) {
    // a close at the very end of a day belongs to it
    while (bar < test.to && bars.time[bar]! + intervalMs <= from + day * DAY) bar += 1;
    out.push(equity[bar - test.from]!);
  }
  return out;
}

/** Plays trials, wherever. */
export interface TrialPlayer {
  /** Null when the signal was aborted first. */
  play(job: TrialJob): Promise<TrialPlayed | null>;
  close(): Promise<void>;
}

/** What the trials that are played belong to. */
export interface TrialsToPlay {
  readonly setting: TrialSetting;
  /** Names the search by everything that decides which trials it asks for. */
  readonly study: string;
  /** For people, as "training of S1_RX68_BTC_15M". */
  readonly title: string;
  readonly signal: AbortSignal;
}

/** Makes a player by whatever means: threads, machines. What stands in its way is said by the first trial. */
export type TrialPlayerMaker = (trials: TrialsToPlay) => TrialPlayer;

/** Module of the threads that play trials. */
export const TRAIN_THREAD = 'apps/train/train-thread';

/** In threads of their own, so that Ctrl-C is heard at once and progress is drawn. The results do not depend on their number. */
export function trialsHere(workers: number): TrialPlayerMaker {
  return ({ setting, signal }) => {
    const threads = new Threads<TrialSetting, TrialJob, never, TrialPlayed>({
      module: TRAIN_THREAD,
      data: setting,
      threads: workers,
    });
    return playUntil(threads, signal);
  };
}
