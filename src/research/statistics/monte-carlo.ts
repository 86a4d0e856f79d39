import { Chance, InputError } from '#base';
import { automaticBlock, type MeanBlock, shuffle, stationaryIndices } from './block-bootstrap.ts';
import { DrawdownWalk } from './drawdown.ts';
import { quantileOf } from './moments.ts';

export interface PathOptions {
  /** Above 0, in the unit of the results. */
  readonly cashStart: number;
  readonly seed: string;
  readonly paths?: number;
  /** Ruin is an equity that fell by this share of cashStart at any step. */
  readonly ruinAt?: number;
  /** Steps of the fan that is kept for drawing, the start and the end included. */
  readonly fanPoints?: number;
}

export interface Percentiles {
  readonly p5: number;
  readonly p50: number;
  readonly p95: number;
}

export interface MonteCarloResult {
  readonly paths: number;
  readonly steps: number;
  readonly finalEquity: Percentiles;
  readonly finalMean: number;
  /** Fractions of the highest equity before. */
  readonly maxDrawdown: Percentiles;
  /** In steps: trades or periods. */
  readonly longestDrawdown: Percentiles;
  /** Share of the paths that were ruined. */
  readonly ruin: number;
  /** Equity after `step` steps. */
  readonly fan: readonly (Percentiles & { readonly step: number })[];
  /** Mean block length that was drawn with; 1 for single draws, null for an order without draws. */
  readonly meanBlock: number | null;
}

const DEFAULTS = { paths: 5_000, ruinAt: 0.5, fanPoints: 61 };

/** Fills `out` with the results of one path. */
export type DrawPath = (chance: Chance, out: Float64Array) => void;

/**
 * Trades in another order (`shuffle`: same end, other drawdowns) or drawn with replacement (`bootstrap`). Results
 * are money and add up. research.md 4.
 */
export function resampleTrades(
  results: ArrayLike<number>,
  method: 'shuffle' | 'bootstrap',
  options: PathOptions,
): MonteCarloResult {
  const n = needed(results);
  if (method === 'shuffle') {
    const order = Float64Array.from(results);
    const draw: DrawPath = (chance, out) => {
      shuffle(order, chance);
      out.set(order);
    };
    return simulatePaths(n, draw, 'add', options, null);
  }
  return simulatePaths(n, drawFrom(results, 1), 'add', options, 1);
}

/** Blocks of periods' simple returns (stationary bootstrap), compounded; the length the data ask for unless given. */
export function resampleReturns(
  returns: ArrayLike<number>,
  options: PathOptions & { readonly meanBlock?: MeanBlock },
): MonteCarloResult {
  const n = needed(returns);
  const block = options.meanBlock ?? 'auto';
  const meanBlock = block === 'auto' ? automaticBlock(returns) : block;
  return simulatePaths(n, drawFrom(returns, meanBlock), 'compound', options, meanBlock);
}

/** Any way of drawing a path of `steps` results, which add up as money or compound as returns. */
export function simulatePaths(
  steps: number,
  draw: DrawPath,
  results: 'add' | 'compound',
  options: PathOptions,
  meanBlock: number | null = null,
): MonteCarloResult {
  const { cashStart, seed, paths, ruinAt, fanPoints } = { ...DEFAULTS, ...options };
  if (!(cashStart > 0)) throw new InputError(`a start of ${cashStart}`, 'give an amount above 0');
  if (!(Number.isInteger(paths) && paths >= 1)) throw new InputError(`${paths} paths`, 'give 1 or more');
  const chance = new Chance(seed);
  const out = new Float64Array(steps);
  const finals = new Float64Array(paths);
  const falls = new Float64Array(paths);
  const lengths = new Float64Array(paths);
  const marks = fanSteps(steps, fanPoints);
  const fan = marks.map(() => new Float64Array(paths));
  const ruinBelow = cashStart * (1 - ruinAt);
  let ruined = 0;
  for (let path = 0; path < paths; path++) {
    draw(chance, out);
    const walk = new DrawdownWalk();
    let equity = cashStart;
    let lowest = equity;
    let mark = 0;
    walk.push(equity);
    if (marks[0] === 0) fan[mark++]![path] = equity;
    for (let i = 0; i < steps; i++) {
      // what is lost does not come back by losing more than all of it once again
      if (results === 'add') equity += out[i]!;
      else if (equity > 0) equity *= 1 + out[i]!;
      walk.push(equity);
      if (equity < lowest) lowest = equity;
      if (marks[mark] === i + 1) fan[mark++]![path] = equity;
    }
    finals[path] = equity;
    falls[path] = walk.max;
    lengths[path] = walk.longest;
    if (lowest <= ruinBelow) ruined += 1;
  }
  return {
    paths,
    steps,
    finalMean: finals.reduce((a, b) => a + b, 0) / paths,
    finalEquity: percentilesOf(finals),
    maxDrawdown: percentilesOf(falls),
    longestDrawdown: percentilesOf(lengths),
    ruin: ruined / paths,
    fan: marks.map((step, k) => ({ step, ...percentilesOf(fan[k]!) })),
    meanBlock,
  };
}

function drawFrom(values: ArrayLike<number>, meanBlock: number): DrawPath {
  const indices = new Int32Array(values.length);
  return (chance, out) => {
    stationaryIndices(values.length, meanBlock, chance, indices);
    for (let i = 0; i < out.length; i++) out[i] = values[indices[i]!]!;
  };
}

/** Evenly spread steps from 0 to the last, without repetition. */
function fanSteps(steps: number, points: number): number[] {
  if (points < 2) return [];
  return [...new Set(Array.from({ length: points }, (_, i) => Math.round((i * steps) / (points - 1))))];
}

function percentilesOf(values: Float64Array): Percentiles {
  const sorted = values.slice().sort();
  return { p5: quantileOf(sorted, 0.05), p50: quantileOf(sorted, 0.5), p95: quantileOf(sorted, 0.95) };
}

function needed(values: ArrayLike<number>): number {
  if (values.length === 0) throw new InputError('nothing to resample', 'give at least one result');
  for (let i = 0; i < values.length; i++)
    if (!Number.isFinite(values[i])) throw new InputError(`result ${i} is not finite`, 'leave it out');
  return values.length;
}
