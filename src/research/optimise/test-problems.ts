import type { SamplerSpec } from './sampler.ts';
import { type FloatParameter, type Point, Space } from './space.ts';
import { Study } from './study.ts';

/** A function to be made small, with the known place of its minimum. */
export interface TestProblem {
  readonly name: string;
  readonly space: Space;
  readonly least: number;
  evaluate(point: Point): number;
}

/** `n` real parameters x0, x1, ... over the same range. */
export function cube(low: number, high: number, n: number): Space {
  const parameters: Record<string, FloatParameter> = {};
  for (let i = 0; i < n; i++) parameters[`x${i}`] = { kind: 'float', low, high };
  return new Space(parameters);
}

const at = (point: Point, i: number): number => point[`x${i}`] as number;

/** Branin and Hoo 1972: two dimensions, three equal minima. */
export const branin: TestProblem = {
  name: 'Branin',
  space: new Space({ x0: { kind: 'float', low: -5, high: 10 }, x1: { kind: 'float', low: 0, high: 15 } }),
  least: 0.397887,
  evaluate(point) {
    const x = at(point, 0);
    const valley = at(point, 1) - (5.1 / (4 * Math.PI ** 2)) * x * x + (5 / Math.PI) * x - 6;
    return valley ** 2 + 10 * (1 - 1 / (8 * Math.PI)) * Math.cos(x) + 10;
  },
};

const WIDTHS = [
  [10, 3, 17, 3.5, 1.7, 8],
  [0.05, 10, 17, 0.1, 8, 14],
  [3, 3.5, 1.7, 10, 17, 8],
  [17, 8, 0.05, 10, 0.1, 14],
];
const CENTRES = [
  [0.1312, 0.1696, 0.5569, 0.0124, 0.8283, 0.5886],
  [0.2329, 0.4135, 0.8307, 0.3736, 0.1004, 0.9991],
  [0.2348, 0.1451, 0.3522, 0.2883, 0.3047, 0.665],
  [0.4047, 0.8828, 0.8732, 0.5743, 0.1091, 0.0381],
];
const DEPTHS = [1, 1.2, 3, 3.2];

/** Hartmann 1973: six dimensions, six minima. */
export const hartmann6: TestProblem = {
  name: 'Hartmann-6',
  space: cube(0, 1, 6),
  least: -3.32237,
  evaluate(point) {
    let sum = 0;
    for (let i = 0; i < 4; i++) {
      let distance = 0;
      for (let j = 0; j < 6; j++) distance += WIDTHS[i]![j]! * (at(point, j) - CENTRES[i]![j]!) ** 2;
      sum -= DEPTHS[i]! * Math.exp(-distance);
    }
    return sum;
  },
};

/** Rosenbrock 1960 in five dimensions: one curved valley. */
export const rosenbrock5: TestProblem = {
  name: 'Rosenbrock-5',
  space: cube(-5, 10, 5),
  least: 0,
  evaluate(point) {
    let sum = 0;
    for (let i = 0; i < 4; i++) {
      sum += 100 * (at(point, i + 1) - at(point, i) ** 2) ** 2 + (1 - at(point, i)) ** 2;
    }
    return sum;
  },
};

/** Best values of studies with seeds 0, 1, ..., in ascending order. */
export function bestOfSeeds(
  problem: TestProblem,
  sampler: SamplerSpec,
  seeds: number,
  trials: number,
): number[] {
  const bests: number[] = [];
  for (let seed = 0; seed < seeds; seed++) {
    const study = new Study(problem.space, { seed: `${seed}`, sampler });
    let best = Number.POSITIVE_INFINITY;
    for (let k = 0; k < trials; k++) {
      const trial = study.ask();
      if (trial === null) break;
      const value = problem.evaluate(trial.point);
      study.tell(trial.number, value);
      if (value < best) best = value;
    }
    bests.push(best);
  }
  return bests.sort((a, b) => a - b);
}
