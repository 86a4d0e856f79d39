import type { ProbabilityCalibration } from '#signals';
import { calibrateFolds, type FoldPredictions } from '../fit-out-of-sample.ts';
import { labelWeights } from '../labels/index.ts';
import { COLD_CLASSES } from './cold-directions.ts';
import type { ColdSamples } from './cold-fit.ts';
import type { ColdWindow } from './cold-windows.ts';

export const COLD_CALIBRATION = 'platt';
const CLASSES = COLD_CLASSES.length;

/** What the model of one window said of the rows of its test whose labels are known. */
export interface WindowFold extends FoldPredictions {
  readonly number: number;
}

/** What calibrates a window: fitted on the predictions of earlier windows alone. */
export interface WindowCalibration {
  /** One per class. */
  readonly calibrations: readonly ProbabilityCalibration[];
  /** The predictions it was fitted on: by which window's model, of which bars. */
  readonly taughtBy: readonly { readonly number: number; readonly rows: ArrayLike<number> }[];
}

/** What a window's model learned from, and its stated probabilities of each bar of the test. */
interface Stated {
  readonly fitted: { readonly learnedFrom: Int32Array } | null;
  readonly stated: Float64Array;
}

/**
 * Calibration walked forward: goes through the windows in order and gives each what the windows before it taught by then, rows whose
 * labels were known an embargo before its test. Labels overlap, so each counts as much as it has to itself (average uniqueness).
 */
export class CalibrationWalk {
  private readonly samples: ColdSamples;
  private readonly embargoBars: number;
  /** Of the windows so far; those that could teach nothing are left out. */
  readonly folds: WindowFold[] = [];

  constructor(samples: ColdSamples, embargoBars: number) {
    this.samples = samples;
    this.embargoBars = embargoBars;
  }

  /** What is known when a window begins; null while it does not suffice. */
  before({ test }: ColdWindow): WindowCalibration | null {
    const { spanEnds } = this.samples;
    const known = (row: number) => spanEnds[row]! + this.embargoBars < test.from;
    const taught = weighted(
      this.folds.flatMap((fold) => rowsOf(fold, known)),
      spanEnds,
    );
    if (taught.length === 0) return null;
    const keptBack = Array.from({ length: test.to - test.from }, (_, i) => test.from + i);
    const { calibrations } = calibrateFolds(taught, { method: COLD_CALIBRATION, outputs: CLASSES, keptBack });
    if (calibrations === null) return null;
    return { calibrations, taughtBy: taught.map(({ number, rows }) => ({ number, rows })) };
  }

  /** Takes what a window's own model said of its test. */
  add({ number, test }: ColdWindow, { fitted, stated }: Stated): void {
    if (fitted === null) return;
    const rows: number[] = [];
    const probabilities: number[] = [];
    const happened: number[] = [];
    for (let bar = test.from; bar < test.to; bar++) {
      const at = (bar - test.from) * CLASSES;
      if (this.samples.usable[bar] !== 1 || Number.isNaN(stated[at]!)) continue;
      rows.push(bar);
      happened.push(this.samples.labels[bar]!);
      probabilities.push(...stated.subarray(at, at + CLASSES));
    }
    if (rows.length === 0) return;
    this.folds.push({ number, learnedFrom: fitted.learnedFrom, rows, probabilities, happened });
  }

  /** All that was predicted, weighted: what the final model's calibration is fitted on. */
  get all(): WindowFold[] {
    return weighted(this.folds, this.samples.spanEnds);
  }
}

/** The part of a fold whose rows are wanted; nothing where none is. */
function rowsOf(fold: WindowFold, wanted: (row: number) => boolean): WindowFold[] {
  const { rows, probabilities, happened } = fold;
  const kept = Array.from(rows, (_, i) => i).filter((i) => wanted(rows[i]!));
  if (kept.length === 0) return [];
  if (kept.length === rows.length) return [fold];
  return [
    {
      ...fold,
      rows: kept.map((i) => rows[i]!),
      happened: kept.map((i) => happened[i]!),
      probabilities: kept.flatMap((i) =>
        Array.from({ length: CLASSES }, (_, c) => probabilities[i * CLASSES + c]!),
      ),
    },
  ];
}

/** Folds with the weights of their rows: the average uniqueness of each label among those of all folds together. */
function weighted(folds: readonly WindowFold[], spanEnds: Int32Array): WindowFold[] {
  const weights = labelWeights(
    folds.flatMap(({ rows }) => Array.from(rows)),
    spanEnds,
  );
  let from = 0;
  return folds.map((fold) => {
    const to = from + fold.rows.length;
    const own = { ...fold, weights: weights.subarray(from, to) };
    from = to;
    return own;
  });
}
