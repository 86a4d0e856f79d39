import { InputError } from '#base';

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
 * True when the trial's best value so far is worse than the median of what complete trials reported at its last step
 * (Golovin et al. 2017, "Google Vizier", with the rules of Optuna 3.1). Values are losses: smaller is better. A trial
 * that has reported nothing but NaN is pruned; a NaN of another trial does not count.
 */
export function prunesByMedian(
  spec: MedianPrunerSpec,
  own: readonly StepReport[],
  complete: readonly (readonly StepReport[])[],
): boolean {
  const { startup = 5, warmup = 5, least = 1 } = spec;
  if (complete.length === 0 || complete.length < startup || own.length === 0) return false;
  const step = own.at(-1)![0];
  if (step < warmup) return false;
  const values = own.map(([, value]) => value).filter((value) => !Number.isNaN(value));
  if (values.length === 0) return true;
  const others: number[] = [];
  for (const reports of complete) {
    const there = reports.find((report) => report[0] === step);
    if (there !== undefined && !Number.isNaN(there[1])) others.push(there[1]);
  }
  if (others.length < Math.max(least, 1)) return false;
  others.sort((a, b) => a - b);
  const middle = others.length >> 1;
  const median = others.length % 2 === 1 ? others[middle]! : (others[middle - 1]! + others[middle]!) / 2;
  return Math.min(...values) > median;
}
