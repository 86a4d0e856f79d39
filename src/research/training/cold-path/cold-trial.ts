import { deviation, mean } from '#learning';
import { calibrateRows } from '../fit-out-of-sample.ts';
import type { CalibrationWalk, WindowCalibration } from './cold-calibration.ts';
import type { ColdCosts, ColdData, ColdPoint, ColdRules } from './cold-data.ts';
import { COLD_CLASSES, coldDirection } from './cold-directions.ts';
import { type ColdModel, type ColdSamples, fitWindow, predictBars } from './cold-fit.ts';
import { playWindow, type WindowOutcome } from './cold-play.ts';
import type { ColdWindow } from './cold-windows.ts';

/** What is the same for all windows and points of a study. */
export interface ColdStudy {
  readonly data: ColdData;
  readonly rules: ColdRules;
  readonly costs: ColdCosts;
  readonly embargoBars: number;
  readonly seed: string;
}

/** One window trained and traded. */
export interface ColdWindowResult {
  readonly number: number;
  /** Null: there was nothing to learn from. */
  readonly fitted: ColdModel | null;
  /** Down, none, up for each bar of the test, as its model states them. */
  readonly stated: Float64Array;
  readonly clippedShare: number;
  /** Null: too little was known when it began. It is held flat then, teaches those behind it, and counts for nothing. */
  readonly calibration: WindowCalibration | null;
  readonly directions: Int8Array;
  /** Null where the engine could not tell. */
  readonly outcome: WindowOutcome | null;
}

/** Directions of the bars of a test, from a model's probabilities, the regime gate and that of news. */
export function directionsOf(
  { data, rules }: Pick<ColdStudy, 'data' | 'rules'>,
  window: ColdWindow,
  probabilities: Float64Array,
): Int8Array {
  const { from, to } = window.test;
  const classes = COLD_CLASSES.length;
  const { regime, regimeStrength, news } = data;
  return Int8Array.from({ length: to - from }, (_, k) => {
    const bar = from + k;
    const told = news === null ? null : { score: news.score[bar]!, stops: news.stops[bar]! };
    return coldDirection(rules, regime[bar]!, regimeStrength[bar]!, probabilities, k * classes, told);
  });
}

/**
 * Trains a window, predicts its test, and trades what was predicted as the desk would have: with the calibration that the windows
 * before it taught. Windows come in order, each once.
 */
export function runWindow(
  study: ColdStudy,
  samples: ColdSamples,
  window: ColdWindow,
  point: ColdPoint,
  walk: CalibrationWalk,
): ColdWindowResult {
  const { data, rules, costs, embargoBars, seed } = study;
  const calibration = walk.before(window);
  const fitted = fitWindow(samples, window, embargoBars, point, seed);
  const { number, test } = window;
  const classes = COLD_CLASSES.length;
  const { probabilities: stated, clippedShare } =
    fitted === null
      ? { probabilities: new Float64Array((test.to - test.from) * classes).fill(Number.NaN), clippedShare: 0 }
      : predictBars(fitted, samples, test);
  walk.add(window, { fitted, stated });
  const directions =
    calibration === null
      ? new Int8Array(test.to - test.from)
      : directionsOf(study, window, calibrateRows(calibration.calibrations, stated, classes));
  const outcome = playWindow(data, rules, costs, point, test, directions);
  return { number, fitted, stated, clippedShare, calibration, directions, outcome };
}

/** Trades that a window needs for its trial to be allowed (sheet S1 RX68, section 9). */
export const TRADES_PER_WINDOW = 5;
/** What the spread between windows costs. */
const SPREAD_PRICE = 0.5;

/** What a trial came to: its value, and by how many trades its windows fall short of what they need, all together. */
export interface TrialScore {
  readonly value: number | null;
  readonly violation: number;
}

/**
 * Mean of the windows' Sharpe ratios less half their deviation (ddof 1). A window in which nothing moved counts 0; one that
 * the engine could not tell makes the trial worthless.
 */
export function scoreTrial(outcomes: readonly (Pick<WindowOutcome, 'sharpe' | 'nets'> | null)[]): TrialScore {
  if (outcomes.length === 0 || outcomes.includes(null))
    return { value: null, violation: Number.MAX_SAFE_INTEGER };
  const told = outcomes as readonly Pick<WindowOutcome, 'sharpe' | 'nets'>[];
  const scores = told.map(({ sharpe }) => sharpe ?? 0);
  const spread = scores.length < 2 ? 0 : deviation(scores);
  const violation = told.reduce((sum, { nets }) => sum + Math.max(0, TRADES_PER_WINDOW - nets.length), 0);
  return { value: mean(scores) - SPREAD_PRICE * spread, violation };
}
