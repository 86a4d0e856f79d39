import { InputError } from '#base';
import { BlockTable } from './block-table.ts';
import { type HalfMeasure, HalfPerformance, halvesOf } from './half-performance.ts';

export type OverfittingVerdict = 'sound' | 'alarm' | 'reject';

export interface Overfitting {
  /** Share of the halves whose in-sample best ends in the lower half out of sample. */
  readonly pbo: number;
  /** Above 0.20 alarm, above 0.50 reject. */
  readonly verdict: OverfittingVerdict;
  readonly strategies: number;
  readonly blocks: number;
  readonly halves: number;
  /** Per half, in upward order of its mask: ln(w / (1-w)), w the rank out of sample / (strategies + 1). */
  readonly logits: Float64Array;
  /** Performance of each half's best strategy, in sample and out. */
  readonly inSample: Float64Array;
  readonly outOfSample: Float64Array;
  /** Slope of the line through these points: how much of a gain in sample is left outside. Null without spread. */
  readonly degradation: number | null;
  /** Share of the halves whose best strategy lost out of sample. */
  readonly lossProbability: number;
}

/**
 * Probability of backtest overfitting by combinatorially symmetric cross-validation (Bailey, Borwein, Lopez de Prado
 * and Zhu 2017): every half of the blocks is the past once, the other half its future. Rank 1 is the worst, ties
 * share their mean rank; among strategies that tie for the best in sample the one that does worst outside is taken,
 * so the order of the strategies does not matter. Null for fewer than two strategies: nothing was chosen.
 *
 * Costs 2 * strategies * halves ratios and memory for the halves only (S = 16: 12,870), so the number of strategies
 * is bounded by the table alone.
 */
export function backtestOverfitting(table: BlockTable, measure: HalfMeasure = 'sharpe'): Overfitting | null {
  const { strategies, blocks } = table;
  if (strategies < 2) return null;
  if (measure === 'sharpe' && (blocks / 2) * table.blockLength < 2)
    throw new InputError('a half of one period has no Sharpe ratio', 'give more periods or more blocks');
  const halves = halvesOf(blocks);
  const performance = new HalfPerformance(table, halves, measure);
  const { inSample, outOfSample } = bestPerHalf(performance, strategies, halves.length);
  const logits = logitsOf(performance, strategies, outOfSample);
  const pbo = shareOf(logits, (logit) => logit <= 0);
  return {
    pbo,
    verdict: overfittingVerdict(pbo),
    strategies,
    blocks,
    halves: halves.length,
    logits,
    inSample,
    outOfSample,
    degradation: slopeOf(inSample, outOfSample),
    lossProbability: shareOf(outOfSample, (value) => value < 0),
  };
}

/** The same of return series of one length. */
export function overfittingOf(
  strategies: readonly ArrayLike<number>[],
  blocks = 16,
  measure: HalfMeasure = 'sharpe',
): Overfitting | null {
  if (strategies.length < 2) return null;
  const table = new BlockTable(strategies[0]!.length, blocks);
  for (const returns of strategies) table.add(returns);
  return backtestOverfitting(table, measure);
}

/** Thresholds of research.md 3. */
export const overfittingVerdict = (pbo: number): OverfittingVerdict =>
  pbo > 0.5 ? 'reject' : pbo > 0.2 ? 'alarm' : 'sound';

function bestPerHalf(performance: HalfPerformance, strategies: number, halves: number) {
  const { values } = performance;
  const inSample = new Float64Array(halves).fill(-Infinity);
  const outOfSample = new Float64Array(halves);
  for (let s = 0; s < strategies; s++) {
    performance.of(s);
    for (let i = 0, j = halves - 1; i < halves; i++, j--) {
      const value = values[i]!;
      if (value > inSample[i]!) {
        inSample[i] = value;
        outOfSample[i] = values[j]!;
      } else if (value === inSample[i]! && values[j]! < outOfSample[i]!) outOfSample[i] = values[j]!;
    }
  }
  return { inSample, outOfSample };
}

function logitsOf(performance: HalfPerformance, strategies: number, best: Float64Array): Float64Array {
  const { values } = performance;
  const halves = best.length;
  const below = new Int32Array(halves);
  const equal = new Int32Array(halves);
  for (let s = 0; s < strategies; s++) {
    performance.of(s);
    for (let i = 0, j = halves - 1; i < halves; i++, j--) {
      if (values[j]! < best[i]!) below[i]! += 1;
      else if (values[j]! === best[i]!) equal[i]! += 1;
    }
  }
  return Float64Array.from(best, (_, i) => {
    const rank = below[i]! + (equal[i]! + 1) / 2;
    return Math.log(rank / (strategies + 1 - rank));
  });
}

function shareOf(values: Float64Array, holds: (value: number) => boolean): number {
  let count = 0;
  for (const value of values) if (holds(value)) count += 1;
  return count / values.length;
}

function slopeOf(x: Float64Array, y: Float64Array): number | null {
  const n = x.length;
  const mx = x.reduce((a, b) => a + b, 0) / n;
  const my = y.reduce((a, b) => a + b, 0) / n;
  let xx = 0;
  let xy = 0;
  for (let i = 0; i < n; i++) {
    xx += (x[i]! - mx) ** 2;
    xy += (x[i]! - mx) * (y[i]! - my);
  }
  return xx > 0 ? xy / xx : null;
}
