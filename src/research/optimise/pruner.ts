import { InputError } from '#base';
import { quantileOf } from '../statistics/moments.ts';

/** Stops trials that do worse than the median of the others. Plain data. */
export interface MedianPrunerSpec {
  readonly kind: 'median';
  /** Complete trials before anything is pruned. Default 5. */
  readonly startup?: number;
  /** First step (window) at which a trial may be pruned; steps are counted from 0. Default 5. */
  readonly warmup?: number;
  /** Complete trials that must have reported the step. Default 1. */
  readonly least?: number;
}

/** A report: step (window) number from 0, and the value there. */
export type StepReport = readonly [step: number, value: number];

/** Throws InputError for counts that are not whole or negative. */
export function checkPruner({ startup = 5, warmup = 5, least = 1 }: MedianPrunerSpec): void {
  if (![startup, warmup, least].every((n) => Number.isInteger(n) && n >= 0)) {
    throw new InputError(
      'startup, warmup and least of a pruner are whole numbers from 0',
      'leave them out for 5, 5 and 1',
    );
  }
}

/**
 * Whether a trial that reported `own` is to stop, where `median` is the {@link medianAt} its last step: its best value so
 * far is worse (Golovin et al. 2017, "Google Vizier", with the rules of Optuna 3.1). A trial that has reported nothing but
 * NaN is pruned. False without a median.
 */
export function isWorseThanMedian(own: readonly StepReport[], median: number | null): boolean {
  if (median === null || own.length === 0) return false;
  const values = own.map(([, value]) => value).filter((value) => !Number.isNaN(value));
  return values.length === 0 || Math.min(...values) > median;
}

/**
 * The median of what complete trials reported at a step; null where nothing is pruned yet. Values are losses: smaller is
 * better. A NaN does not count; infinity where no trial but NaN reported the step and that is enough to prune NaN.
 */
export function medianAt(
  spec: MedianPrunerSpec,
  step: number,
  complete: readonly (readonly StepReport[])[],
): number | null {
  const { startup = 5, warmup = 5, least = 1 } = spec;
  if (complete.length === 0 || complete.length < startup || step < warmup) return null;
  const others: number[] = [];
  for (const reports of complete) {
    const there = reports.find((report) => report[0] === step);
    if (there !== undefined && !Number.isNaN(there[1])) others.push(there[1]);
  }
  if (others.length < Math.max(least, 1)) return Number.POSITIVE_INFINITY;
  return quantileOf(
    others.sort((a, b) => a - b),
    0.5,
  );
}

/** True when the trial's best value so far is worse than the median of the complete ones at its last step. */
export function prunesByMedian(
  spec: MedianPrunerSpec,
  own: readonly StepReport[],
  complete: readonly (readonly StepReport[])[],
): boolean {
  return own.length > 0 && isWorseThanMedian(own, medianAt(spec, own.at(-1)![0], complete));
}
