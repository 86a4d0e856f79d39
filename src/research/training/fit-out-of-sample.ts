import { InputError } from '#base';
import { expectedCalibrationError, logLoss, meanBrier, type WeightedOutcomes } from '#learning';
import { calibrateProbabilities, calibrateProbability, type ProbabilityCalibration } from '#signals';
import { type CalibrationGuard, type CalibrationMethod, fitCalibration } from './fit-calibration.ts';

/** What one fold's model said of rows it had not seen. Rows are numbers in the one data set that all folds share. */
export interface FoldPredictions {
  /** Rows that the model, its scaler and its stopping rule learned from. */
  readonly learnedFrom: ArrayLike<number>;
  /** Rows it predicted. */
  readonly rows: ArrayLike<number>;
  /** Row after row, the probability of each class; of a binary model the one of its event. */
  readonly probabilities: ArrayLike<number>;
  /** Per predicted row the number of its class; for a binary model 1 or 0. */
  readonly happened: ArrayLike<number>;
  /** How much of an outcome each predicted row is, as where labels overlap; all are whole ones when left out. */
  readonly weights?: ArrayLike<number>;
}

export interface OutOfSampleOptions extends Partial<CalibrationGuard> {
  readonly method: CalibrationMethod;
  /** Numbers per row: classes, or 1 for a binary model. */
  readonly outputs: number;
  /** Rows that judge the model later: no fold may have seen or predicted one of them. */
  readonly keptBack?: ArrayLike<number>;
}

/** Lower is better. Brier's is summed over the classes, the calibration error is their mean. */
export interface ProbabilityScores {
  readonly rows: number;
  readonly brier: number;
  readonly logLoss: number;
  readonly calibrationError: number;
}

export interface OutOfSampleFit {
  /** One per output, from all folds; null where one of them is refused. */
  readonly calibrations: readonly ProbabilityCalibration[] | null;
  /** Why there are none. */
  readonly refused: string | null;
  /** Of the probabilities as stated. */
  readonly before: ProbabilityScores;
  /**
   * Of the probabilities calibrated, each fold by what the other folds alone teach: out of sample too. Null with less
   * than two folds, or where the others do not suffice.
   */
  readonly after: ProbabilityScores | null;
}

/**
 * Fits a model's calibration to the out-of-sample predictions of its folds, one calibration per class against the rest.
 * Throws InputError where a fold predicts a row that it learned from, two folds predict the same row, or a row that is
 * kept back was seen: a calibration fitted on what a model knows trusts it too much.
 */
export function fitOutOfSample(
  predictionsByFold: readonly FoldPredictions[],
  options: OutOfSampleOptions,
): OutOfSampleFit {
  checkFolds(predictionsByFold, options);
  const fit = fitClasses(predictionsByFold, options);
  const before = scoresOf(predictionsByFold, options.outputs);
  const { outputs } = options;
  if (fit.calibrations === null || predictionsByFold.length < 2) return { ...fit, before, after: null };
  const crossed: FoldPredictions[] = [];
  for (const fold of predictionsByFold) {
    const others = predictionsByFold.filter((other) => other !== fold);
    const { calibrations } = fitClasses(others, options);
    if (calibrations === null) return { ...fit, before, after: null };
    crossed.push({ ...fold, probabilities: calibrateRows(calibrations, fold.probabilities, outputs) });
  }
  return { ...fit, before, after: scoresOf(crossed, outputs) };
}

/** The calibrations of {@link fitOutOfSample} alone, without what they come to: for a walk-forward that fits many. */
export function calibrateFolds(
  predictionsByFold: readonly FoldPredictions[],
  options: OutOfSampleOptions,
): Pick<OutOfSampleFit, 'calibrations' | 'refused'> {
  checkFolds(predictionsByFold, options);
  return fitClasses(predictionsByFold, options);
}

/** Row after row of probabilities through the calibrations; classes as {@link calibrateProbabilities} leaves them. */
export function calibrateRows(
  calibrations: readonly ProbabilityCalibration[],
  probabilities: ArrayLike<number>,
  outputs: number,
): Float64Array {
  const out = Float64Array.from(probabilities);
  if (outputs === 1) return out.map((p) => calibrateProbability(calibrations[0]!, p));
  for (let from = 0; from < out.length; from += outputs) {
    const row = out.subarray(from, from + outputs);
    calibrateProbabilities(calibrations, row.slice(), row);
  }
  return out;
}

function fitClasses(
  folds: readonly FoldPredictions[],
  { method, outputs, ...guard }: OutOfSampleOptions,
): Pick<OutOfSampleFit, 'calibrations' | 'refused'> {
  const calibrations: ProbabilityCalibration[] = [];
  for (let output = 0; output < outputs; output++) {
    const fit = fitCalibration(method, outcomesOf(folds, output, outputs), guard);
    if (fit.calibration === null)
      return { calibrations: null, refused: `${outputs === 1 ? '' : `class ${output}: `}${fit.refused}` };
    calibrations.push(fit.calibration);
  }
  return { calibrations, refused: null };
}

function outcomesOf(folds: readonly FoldPredictions[], output: number, outputs: number): WeightedOutcomes {
  const stated: number[] = [];
  const happened: number[] = [];
  const weights: number[] = [];
  for (const fold of folds)
    for (let i = 0; i < fold.rows.length; i++) {
      stated.push(fold.probabilities[i * outputs + output]!);
      happened.push(outputs === 1 ? fold.happened[i]! : Number(fold.happened[i] === output));
      weights.push(fold.weights?.[i] ?? 1);
    }
  return folds.some((fold) => fold.weights !== undefined)
    ? { stated, happened, weights }
    : { stated, happened };
}

function scoresOf(folds: readonly FoldPredictions[], outputs: number): ProbabilityScores {
  let brier = 0;
  let calibrationError = 0;
  for (let output = 0; output < outputs; output++) {
    const { stated, happened } = outcomesOf(folds, output, outputs);
    brier += meanBrier(stated, happened);
    calibrationError += expectedCalibrationError(stated, happened) / outputs;
  }
  let loss = 0;
  let rows = 0;
  for (const fold of folds)
    for (let i = 0; i < fold.rows.length; i++, rows++) {
      const happened = fold.happened[i]!;
      loss +=
        outputs === 1
          ? logLoss(fold.probabilities[i]!, happened)
          : logLoss(fold.probabilities[i * outputs + happened]!, 1);
    }
  return { rows, brier, logLoss: rows === 0 ? Number.NaN : loss / rows, calibrationError };
}

function checkFolds(folds: readonly FoldPredictions[], { outputs, keptBack = [] }: OutOfSampleOptions): void {
  // marks by row: many folds of many rows are looked through
  const rows = 1 + folds.reduce((most, fold) => Math.max(most, last(fold.learnedFrom), last(fold.rows)), -1);
  const forbidden = new Uint8Array(rows);
  for (let i = 0; i < keptBack.length; i++) if (keptBack[i]! < rows) forbidden[keptBack[i]!] = 1;
  const predicted = new Uint8Array(rows);
  const learned = new Int32Array(rows).fill(-1);
  folds.forEach((fold, f) => {
    const count = fold.rows.length;
    if (fold.weights !== undefined && fold.weights.length !== count)
      throw new InputError(
        `fold ${f} has ${count} rows and ${fold.weights.length} weights`,
        'give every predicted row its weight',
      );
    if (fold.happened.length !== count || fold.probabilities.length !== count * outputs)
      throw new InputError(
        `fold ${f} has ${count} rows, ${fold.happened.length} outcomes and ${fold.probabilities.length} probabilities of ${outputs} outputs`,
        'give every predicted row its outcome and a probability per output',
      );
    for (let i = 0; i < fold.learnedFrom.length; i++) {
      const row = fold.learnedFrom[i]!;
      if (forbidden[row] === 1)
        leak(`fold ${f} learned from row ${row}, which is kept back to judge the model`);
      learned[row] = f;
    }
    for (let i = 0; i < count; i++) {
      const row = fold.rows[i]!;
      if (forbidden[row] === 1) leak(`fold ${f} predicts row ${row}, which is kept back to judge the model`);
      if (learned[row] === f) leak(`fold ${f} predicts row ${row}, which it learned from`);
      if (predicted[row] === 1) leak(`fold ${f} predicts row ${row}, which another fold predicts too`);
      predicted[row] = 1;
      checkClass(fold.happened[i]!, f, i, outputs);
    }
  });
}

/** Largest row number. */
function last(rows: ArrayLike<number>): number {
  let most = -1;
  for (let i = 0; i < rows.length; i++) most = Math.max(most, rows[i]!);
  return most;
}

function checkClass(happened: number, fold: number, row: number, outputs: number): void {
  if (Number.isInteger(happened) && happened >= 0 && happened < Math.max(2, outputs)) return;
  throw new InputError(
    `outcome ${row} of fold ${fold} is ${happened}`,
    outputs === 1 ? 'give 1 or 0' : `give the number of a class, 0 to ${outputs - 1}`,
  );
}

function leak(what: string): never {
  throw new InputError(what, 'calibrate on predictions of rows that the model has not seen, each once');
}
