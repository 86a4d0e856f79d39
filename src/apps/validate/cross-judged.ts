import { type CombinatorialPlan, type Objective, type Point, pathValues } from '#research';

/** One split: what was chosen on the groups that train, and what it came to there and on the tested ones. */
export interface CrossSplit {
  readonly groups: readonly number[];
  readonly trainDays: number;
  /** Null: no variant had a value in training. */
  readonly chosen: Point | null;
  readonly inSample: number | null;
  readonly outOfSample: number | null;
}

/** A whole history made of tests. */
export interface CrossPath {
  readonly splits: readonly number[];
  readonly value: number | null;
  readonly return: number;
  readonly maxDrawdown: number;
}

/** The objective over some days, one behind the other. */
function figureOver(objective: Objective, returns: Float64Array, days: ArrayLike<number>): number | null {
  return objective.of(outcomeOf(Float64Array.from(days, (day) => returns[day]!)));
}

function outcomeOf(returns: Float64Array) {
  const daily: number[] = [];
  let equity = 1;
  let peak = 1;
  let maxDrawdown = 0;
  for (const change of returns) {
    equity *= 1 + change;
    peak = Math.max(peak, equity);
    maxDrawdown = Math.max(maxDrawdown, (peak - equity) / peak);
    daily.push(equity);
  }
  return { cash: 1, daily, maxDrawdown, nets: [] };
}

/** What was chosen in each split, and the paths that the tests make. `returns` holds each variant's daily returns. */
export function judgedSplits(
  plan: CombinatorialPlan,
  points: readonly Point[],
  returns: readonly Float64Array[],
  objective: Objective,
): { readonly splits: readonly CrossSplit[]; readonly paths: readonly CrossPath[] } {
  const sign = objective.direction === 'maximise' ? 1 : -1;
  const splits: (CrossSplit & { tests: Float64Array })[] = plan.splits.map(({ groups, train, test }) => {
    let best = -1;
    let inSample: number | null = null;
    for (let v = 0; v < points.length; v++) {
      // a variant that never trades in training is no choice
      if (!train.some((day) => returns[v]![day] !== 0)) continue;
      const value = figureOver(objective, returns[v]!, train);
      if (value === null || (inSample !== null && sign * (value - inSample) <= 0)) continue;
      best = v;
      inSample = value;
    }
    return {
      groups,
      trainDays: train.length,
      chosen: points[best] ?? null,
      inSample,
      outOfSample: best < 0 ? null : figureOver(objective, returns[best]!, test),
      tests: Float64Array.from(test, (day) => (best < 0 ? 0 : returns[best]![day]!)),
    };
  });
  const tests = splits.map((split) => split.tests);
  const paths = plan.paths.map((numbers, p): CrossPath => {
    const outcome = outcomeOf(pathValues(plan, p, tests));
    return {
      splits: [...numbers],
      value: objective.of(outcome),
      return: (outcome.daily.at(-1) ?? 1) - 1,
      maxDrawdown: outcome.maxDrawdown,
    };
  });
  return { splits: splits.map(({ tests: _, ...split }) => split), paths };
}
