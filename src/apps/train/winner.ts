import {
  areaUnderCurve,
  CalibrationWalk,
  COLD_CALIBRATION,
  COLD_CLASSES,
  type ColdModel,
  type ColdPoint,
  type ColdStudy,
  type ColdWindow,
  type ColdWindowResult,
  coldSamples,
  type FoldPredictions,
  fitOn,
  fitOutOfSample,
  type OutOfSampleFit,
  type WindowOutcome,
} from '#research';

const CLASSES = COLD_CLASSES.length;

/** One test window, as it was traded. */
export interface JudgedWindow extends Pick<ColdWindowResult, 'fitted' | 'calibration' | 'directions'> {
  readonly window: ColdWindow;
  readonly outcome: WindowOutcome;
}

export interface JudgedWinner {
  readonly windows: readonly JudgedWindow[];
  /** Of all windows: what the final model goes with. */
  readonly calibration: OutOfSampleFit;
  /** Area under the curve of up against the rest, and down against the rest, out of sample; null without both kinds. */
  readonly auc: { readonly up: number | null; readonly down: number | null };
}

/** Windows that speak for a model or against it: those that were traded with a calibration, as the model will be. */
export const countedWindows = <Judged extends Pick<JudgedWindow, 'calibration'>>(
  windows: readonly Judged[],
): Judged[] => windows.filter(({ calibration }) => calibration !== null);

/**
 * The winner's windows with the calibration that all of them teach. Null where the engine could not tell what a window came to, or
 * no window had anything to learn from.
 */
export function judgeWinner(
  study: ColdStudy,
  windows: readonly ColdWindow[],
  results: readonly ColdWindowResult[],
  point: ColdPoint,
): JudgedWinner | null {
  const walk = new CalibrationWalk(coldSamples(study.data, study.rules, point), study.embargoBars);
  const judged: JudgedWindow[] = [];
  for (const [k, window] of windows.entries()) {
    const { fitted, calibration, directions, outcome, stated } = results[k]!;
    if (outcome === null) return null;
    walk.add(window, { fitted, stated });
    judged.push({ window, fitted, calibration, directions, outcome });
  }
  const folds = walk.all;
  if (folds.length === 0) return null;
  const calibration = fitOutOfSample(folds, { method: COLD_CALIBRATION, outputs: CLASSES });
  return { windows: judged, calibration, auc: { up: aucOf(folds, 2), down: aucOf(folds, 0) } };
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
