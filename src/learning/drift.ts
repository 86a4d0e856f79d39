import { assert } from '#base';

export type DriftVerdict = 'stable' | 'watch' | 'drift';

const ZERO_BIN = 1e-4;

/**
 * Population stability index of two sets of bin shares: sum (a-e)*ln(a/e), empty bins taken as 1e-4
 * (research.md 8). Shares need not be normalised beforehand; arrays of one length.
 */
export function psi(expected: readonly number[], actual: readonly number[]): number {
  assert(expected.length === actual.length && expected.length > 0, 'psi compares shares of the same bins');
  let sum = 0;
  for (let i = 0; i < expected.length; i++) {
    const e = expected[i]! > 0 ? expected[i]! : ZERO_BIN;
    const a = actual[i]! > 0 ? actual[i]! : ZERO_BIN;
    sum += (a - e) * Math.log(a / e);
  }
  return sum;
}

/** Inner edges of `bins` quantile bins of a reference sample, linear interpolation between order statistics. */
export function quantileEdges(reference: readonly number[], bins = 10): readonly number[] {
  const sorted = reference.filter(Number.isFinite).sort((a, b) => a - b);
  assert(sorted.length > 0, 'a reference sample needs finite values');
  return Array.from({ length: bins - 1 }, (_, i) => {
    const at = ((i + 1) / bins) * (sorted.length - 1);
    const low = Math.floor(at);
    const left = sorted[low]!;
    return left + (at - low) * ((sorted[low + 1] ?? left) - left);
  });
}

/** Share of `values` per bin between `edges`; a value on an edge belongs to the bin below it. */
export function binShares(values: readonly number[], edges: readonly number[]): readonly number[] {
  const counts = new Array<number>(edges.length + 1).fill(0);
  let n = 0;
  for (const value of values) {
    if (!Number.isFinite(value)) continue;
    let bin = 0;
    while (bin < edges.length && value > edges[bin]!) bin++;
    counts[bin]! += 1;
    n += 1;
  }
  return counts.map((count) => (n === 0 ? 0 : count / n));
}

/** Index of a feature's newer values against its reference, in quantile bins of the reference. */
export function featurePsi(reference: readonly number[], current: readonly number[], bins = 10): number {
  const edges = quantileEdges(reference, bins);
  return psi(binShares(reference, edges), binShares(current, edges));
}

/** Above 0.10 watch, above 0.25 drift. */
export const driftVerdict = (index: number): DriftVerdict =>
  index > 0.25 ? 'drift' : index > 0.1 ? 'watch' : 'stable';

/** Page and Hinkley 1954: an alarm when a mean has fallen by more than `delta` for long enough to sum to `lambda`. */
export class PageHinkley {
  static readonly configuration = ['delta', 'lambda'];
  private readonly delta: number;
  private readonly lambda: number;
  private n = 0;
  private mean = 0;
  private sum = 0;
  private highest = 0;

  constructor(options: { readonly delta: number; readonly lambda: number }) {
    this.delta = options.delta;
    this.lambda = options.lambda;
  }

  /** Takes a value in; true when the mean has fallen. The test starts again after an alarm. */
  push(value: number): boolean {
    if (!Number.isFinite(value)) return false;
    this.n += 1;
    this.mean += (value - this.mean) / this.n;
    this.sum += value - this.mean + this.delta;
    this.highest = Math.max(this.highest, this.sum);
    if (this.highest - this.sum <= this.lambda) return false;
    this.n = 0;
    this.mean = 0;
    this.sum = 0;
    this.highest = 0;
    return true;
  }
}
