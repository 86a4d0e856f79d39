import {
  areaUnderCurve,
  COLD_CLASSES,
  type ColdModel,
  type ColdPoint,
  type ColdSamples,
  type ColdStudy,
  type ColdWindow,
  type ColdWindowResult,
  calibrateFolds,
  calibrateRows,
  coldSamples,
  directionsOf,
  type FoldPredictions,
  fitOn,
  fitOutOfSample,
  type OutOfSampleFit,
  playWindow,
  type WindowOutcome,
} from '#research';
import type { ProbabilityCalibration } from '#signals';

const METHOD = 'platt';
const CLASSES = COLD_CLASSES.length;

/** One test window, traded as the desk would have: with the calibration that was known when it began. */
export interface JudgedWindow {
  readonly window: ColdWindow;
  readonly fitted: ColdModel | null;
  /** Fitted on the predictions of earlier windows alone; null where they did not suffice. */
  readonly calibration: readonly ProbabilityCalibration[] | null;
  /** The predictions that the calibration was fitted on: by which window's model, of which bars. */
  readonly taughtBy: readonly { readonly number: number; readonly rows: ArrayLike<number> }[];
  readonly directions: Int8Array;
  readonly outcome: WindowOutcome;
}

export interface JudgedWinner {
  readonly windows: readonly JudgedWindow[];
  /** Of all windows: what the final model goes with. */
  readonly calibration: OutOfSampleFit;
  /** Area under the curve of up against the rest, and down against the rest, out of sample; null without both kinds. */
  readonly auc: { readonly up: number | null; readonly down: number | null };
}

/** The folds' predictions of rows whose label is known. */
function foldOf(samples: ColdSamples, window: ColdWindow, result: ColdWindowResult): FoldPredictions | null {
  if (result.fitted === null) return null;
  const rows: number[] = [];
  const probabilities: number[] = [];
  const happened: number[] = [];
  for (let bar = window.test.from; bar < window.test.to; bar++) {
    const at = (bar - window.test.from) * CLASSES;
    if (samples.usable[bar] !== 1 || Number.isNaN(result.probabilities[at]!)) continue;
    rows.push(bar);
    happened.push(samples.labels[bar]!);
    probabilities.push(...result.probabilities.subarray(at, at + CLASSES));
  }
  return { learnedFrom: result.fitted.learnedFrom, rows, probabilities, happened };
}

/**
 * Goes through the winner's windows in order and trades each with what was known then: the window's model, and the calibration
 * that the windows before it teach. The search saw uncalibrated probabilities; what counts is this. Null where the engine
 * could not tell what a window came to, or no window had anything to learn from.
 */
export function judgeWinner(
  study: ColdStudy,
  windows: readonly ColdWindow[],
  results: readonly ColdWindowResult[],
  point: ColdPoint,
): JudgedWinner | null {
  const samples = coldSamples(study.data, study.rules, point);
  const folds: (FoldPredictions & { readonly number: number })[] = [];
  const judged: JudgedWindow[] = [];
  for (const [k, window] of windows.entries()) {
    const result = results[k]!;
    const keptBack = Array.from(
      { length: window.test.to - window.test.from },
      (_, i) => window.test.from + i,
    );
    const taught = knownBefore(folds, samples, window, study.embargoBars);
    const calibration =
      taught.length === 0
        ? null
        : calibrateFolds(taught, { method: METHOD, outputs: CLASSES, keptBack }).calibrations;
    const probabilities =
      calibration === null ? result.probabilities : calibrateRows(calibration, result.probabilities, CLASSES);
    const directions = directionsOf(study, window, probabilities);
    const outcome = playWindow(study.data, study.rules, study.costs, point, window.test, directions);
    if (outcome === null) return null;
    const taughtBy = calibration === null ? [] : taught.map(({ number, rows }) => ({ number, rows }));
    judged.push({ window, fitted: result.fitted, calibration, taughtBy, directions, outcome });
    const fold = foldOf(samples, window, result);
    if (fold !== null) folds.push({ ...fold, number: window.number });
  }
  if (folds.every(({ rows }) => rows.length === 0)) return null;
  const calibration = fitOutOfSample(folds, { method: METHOD, outputs: CLASSES });
  return { windows: judged, calibration, auc: { up: aucOf(folds, 2), down: aucOf(folds, 0) } };
}

/**
 * What earlier windows teach by the time a window begins: rows whose label was known an embargo before its first bar, as of its
 * model's own training. Windows that teach nothing are left out.
 */
function knownBefore(
  folds: readonly (FoldPredictions & { readonly number: number })[],
  { spanEnds }: ColdSamples,
  { test }: ColdWindow,
  embargoBars: number,
): (FoldPredictions & { readonly number: number })[] {
  const known = (row: number) => spanEnds[row]! + embargoBars < test.from;
  return folds.flatMap((fold) => {
    const { rows, probabilities, happened, number, learnedFrom } = fold;
    const kept = Array.from(rows, (_, i) => i).filter((i) => known(rows[i]!));
    if (kept.length === 0) return [];
    if (kept.length === rows.length) return [fold];
    const stated = kept.flatMap((i) =>
      Array.from({ length: CLASSES }, (_, c) => probabilities[i * CLASSES + c]!),
    );
    const own = { rows: kept.map((i) => rows[i]!), happened: kept.map((i) => happened[i]!) };
    return [{ number, learnedFrom, ...own, probabilities: stated }];
  });
}

function aucOf(folds: readonly FoldPredictions[], output: number): number | null {
  const stated: number[] = [];
  const happened: number[] = [];
  for (const { rows, probabilities, happened: classes } of folds) {
    for (let i = 0; i < rows.length; i++) {
      stated.push(probabilities[i * CLASSES + output]!);
      happened.push(Number(classes[i] === output));
    }
  }
  const auc = areaUnderCurve(stated, happened, null);
  return Number.isFinite(auc) ? auc : null;
}

/** The model that goes on: trained on the newest bars whose labels are known, as long a stretch as every window had. */
export function finalModel(study: ColdStudy, trainMs: number, point: ColdPoint): ColdModel | null {
  const { bars, intervalMs } = study.data;
  const samples = coldSamples(study.data, study.rules, point);
  const end = bars.time[bars.length - 1]! + intervalMs;
  const learnedFrom: number[] = [];
  for (let bar = 0; bar < bars.length; bar++) {
    if (bars.time[bar]! >= end - trainMs && samples.usable[bar] === 1) learnedFrom.push(bar);
  }
  const seen = new Set(learnedFrom.map((bar) => samples.labels[bar]!));
  return seen.size < 2 ? null : fitOn(samples, Int32Array.from(learnedFrom), point, `${study.seed}/final`);
}
