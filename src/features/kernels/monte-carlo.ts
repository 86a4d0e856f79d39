import { Chance } from '#base';
import type { BarColumns } from '#market';
import { bars, type Definitions } from '../definition.ts';
import type { Kernel } from '../kernel.ts';
import { Moments } from '../moments.ts';
import { History } from '../windows.ts';

const GRID = 4096;

/**
 * Geometric Brownian motion over the next `horizon` bars, with mean and sample deviation of the last `n` log
 * returns. P(up) is the share of simulated paths that end above the close; 0.5 without any deviation. E[price] is
 * the exact expectation c exp(mu h + sigma^2 h / 2) that the mean over the paths tends to.
 *
 * Every bar sees the same paths (common random numbers), so P(up) moves only when mu or sigma do. A path ends above
 * the close when its noise sum exceeds -mu h / sigma: the sums are sorted once, and a grid over their range tells
 * where the search of a bar begins.
 */
export class MonteCarlo implements Kernel {
  static readonly configuration = ['noise', 'starts', 'cells'];
  readonly lookback = 1;
  readonly horizon: number;
  private begun = false;
  private readonly returns: History;
  private readonly moments: Moments;
  private readonly noise: Noise['noise'];
  private readonly starts: Noise['starts'];
  private readonly cells: number;

  constructor(n: number, horizon: number, paths: number) {
    this.horizon = horizon;
    this.returns = new History(n);
    this.moments = new Moments(n);
    const { noise, starts, cells } = noiseOf(horizon, paths);
    this.noise = noise;
    this.starts = starts;
    this.cells = cells;
  }

  run(bars: BarColumns, out: readonly Float64Array[], from: number, to: number): void {
    const x = bars.close;
    const [ups, prices] = out;
    const { returns, moments, horizon } = this;
    for (let i = from; i < to; i++) {
      ups[i] = Number.NaN;
      prices[i] = Number.NaN;
      if (!this.begun) {
        this.begun = true;
        continue;
      }
      moments.update(returns.values, returns.push(Math.log(x[i] / x[i - 1])));
      if (moments.seen < moments.n) continue;
      const mu = moments.mean;
      const sigma = moments.deviation(1);
      ups[i] = sigma === 0 ? 0.5 : this.shareAbove((-mu * horizon) / sigma);
      prices[i] = x[i] * Math.exp(horizon * (mu + (sigma * sigma) / 2));
    }
  }

  private shareAbove(level: number): number {
    const noise = this.noise;
    let k = this.starts[cellOf(level, noise[0], this.cells)];
    while (k < noise.length && noise[k] <= level) k++;
    return (noise.length - k) / noise.length;
  }
}

/** The paths' noise, the same for every instrument and run. */
interface Noise {
  /** Noise sums of the paths, ascending. */
  readonly noise: Float64Array;
  /** For each cell of an even grid from the smallest to the largest sum: how many sums lie below it. */
  readonly starts: Uint32Array;
  /** Cells per unit of noise. */
  readonly cells: number;
}

const DRAWN = new Map<string, Noise>();

/** Drawn once per shape: eight instruments would otherwise draw 96,000 numbers before their first bar. */
function noiseOf(horizon: number, paths: number): Noise {
  const shape = `${horizon}/${paths}`;
  const known = DRAWN.get(shape);
  if (known !== undefined) return known;
  const made = drawNoise(horizon, paths);
  DRAWN.set(shape, made);
  return made;
}

function drawNoise(horizon: number, paths: number): Noise {
  const chance = new Chance('monte-carlo');
  const noise = new Float64Array(paths);
  for (let p = 0; p < paths; p++) {
    for (let h = 0; h < horizon; h++) noise[p] += chance.normal();
  }
  noise.sort();
  const range = noise[paths - 1] - noise[0];
  const cells = range > 0 ? (GRID - 1) / range : 0;
  const starts = new Uint32Array(GRID);
  let below = 0;
  for (let cell = 0; cell < GRID; cell++) {
    while (below < paths && cellOf(noise[below], noise[0], cells) < cell) below++;
    starts[cell] = below;
  }
  return { noise, starts, cells };
}

/** Cell of `level`; levels in a lower cell are smaller. Any finite level has one. */
function cellOf(level: number, lowest: number, cells: number): number {
  const cell = (level - lowest) * cells;
  return cell > 0 ? Math.min(GRID - 1, Math.floor(cell)) : 0;
}

export const monteCarlo: Definitions = [
  {
    name: 'mc',
    summary: 'simulated probability of a higher close and expected price after some bars',
    parameters: [
      bars('period', 100, 2),
      bars('horizon', 12),
      { name: 'paths', kind: 'integer', default: 1000, min: 1, max: 100_000 },
    ],
    outputs: [
      { suffix: 'p_up', unit: 'probability' },
      { suffix: 'price', unit: 'price' },
    ],
    source: 'geometric Brownian motion, fixed seed; no deviation 0.5',
    firstRow: ([n]) => n,
    create: ([n, horizon, paths]) => new MonteCarlo(n, horizon, paths),
  },
];
