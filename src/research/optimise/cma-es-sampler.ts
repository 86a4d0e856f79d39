import { Chance, InputError } from '#base';
import { CmaEvolution } from './cma-evolution.ts';
import { FAILED, type History } from './history.ts';
import { drawPoint } from './random-sampler.ts';
import type { CmaEsSpec, Sampler } from './sampler.ts';
import type { Space } from './space.ts';

/** On a grid of values the deviation stays above this many steps, so that a coordinate does not freeze on one value. */
const STEPS_LEAST = 0.3;

/**
 * CMA-ES over the numeric parameters that always exist, each mapped to [0, 1]; whatever else the space has is drawn at
 * random. Bounds by reflection: a draw outside comes back in mirrored, and the strategy learns from the draw as it
 * was. A generation is over when `population` of its trials are told, in whatever order; asks beyond that draw from
 * the same generation, and what is told late is ignored. When the strategy has collapsed it starts again from a
 * random mean with twice the population (Auger and Hansen 2005).
 *
 * A trial's memo is the generation's number followed by the draw.
 */
export class CmaEsSampler implements Sampler {
  private readonly space: Space;
  private readonly axes: readonly number[];
  private readonly sigma: number;
  private readonly seed: string;
  private strategy: CmaEvolution;
  /** Generations since the study began, over all restarts. */
  private generation = 0;
  private restarts = 0;
  private generationTold: { readonly row: number; readonly draw: Float64Array }[] = [];

  /** Throws InputError when no numeric parameter always exists, and for impossible options. */
  constructor(space: Space, spec: CmaEsSpec, seed: string) {
    this.space = space;
    this.seed = seed;
    this.axes = space.axes.flatMap((axis, a) =>
      axis.choices === null && axis.conditions.length === 0 && axis.levels > 1 ? [a] : [],
    );
    const n = this.axes.length;
    if (n === 0) {
      throw new InputError(
        'CMA-ES needs a numeric parameter that always exists',
        'choose TPE for this space',
      );
    }
    this.sigma = spec.sigma ?? 0.3;
    const population = spec.population ?? 4 + Math.floor(3 * Math.log(n));
    if (
      !(this.sigma > 0) ||
      !Number.isFinite(this.sigma) ||
      !Number.isInteger(population) ||
      population < 4
    ) {
      throw new InputError('sigma of CMA-ES must be above 0 and the population at least 4', 'leave both out');
    }
    this.strategy = new CmaEvolution(new Float64Array(n).fill(0.5), this.sigma, population);
  }

  propose(_history: History, chance: Chance, into: Float64Array): readonly number[] {
    const draw = this.strategy.draw(chance);
    drawPoint(this.space, chance, into);
    for (let i = 0; i < this.axes.length; i++) {
      const a = this.axes[i]!;
      const axis = this.space.axes[a]!;
      const floor = STEPS_LEAST / axis.levels;
      const deviation = this.strategy.deviation(i);
      if (deviation < floor) draw[i]! += Math.sqrt(floor ** 2 - deviation ** 2) * chance.normal();
      into[a] = axis.atShare(reflected(draw[i]!));
    }
    return [this.generation, ...draw];
  }

  told(history: History, row: number, memo: readonly number[] | null): void {
    if (memo === null || memo[0] !== this.generation || history.state[row] === FAILED) return;
    this.generationTold.push({ row, draw: Float64Array.from(memo.slice(1)) });
    if (this.generationTold.length < this.strategy.population) return;
    this.generationTold.sort((a, b) => history.compare(a.row, b.row));
    this.strategy.update(this.generationTold.map(({ draw }) => draw));
    this.generationTold = [];
    this.generation += 1;
    if (this.strategy.exhausted()) this.restart();
  }

  private restart(): void {
    this.restarts += 1;
    const chance = new Chance(`${this.seed}/cma-es restart ${this.restarts}`);
    const mean = Float64Array.from({ length: this.axes.length }, () => chance.uniform());
    this.strategy = new CmaEvolution(mean, this.sigma, this.strategy.population * 2);
  }
}

/** x mirrored at 0 and 1 until it lies between them. */
export function reflected(x: number): number {
  const turn = Math.abs(x) % 2;
  return turn > 1 ? 2 - turn : turn;
}
