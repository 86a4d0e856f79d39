import { type CanonicalParameters, type ParameterValue, parametersOf } from './parameters.ts';

/** A trial as its neighbours see it. */
export interface NeighbourTrial {
  readonly hash: string;
  /** The sweep or study it belongs to; null of a run made alone. */
  readonly study: string | null;
  readonly parameters: unknown;
  /** Annualised; null when the run has none. */
  readonly sharpe: number | null;
  readonly return: number | null;
}

export interface TrialNeighbours {
  /** Parameters that vary in the studies which the neighbours are from, with the number of values each was tried at. */
  readonly varied: readonly { readonly name: string; readonly values: number }[];
  /** Trials that differ from the run by at most one step of each number that their study varies, and in nothing else. */
  readonly neighbours: number;
  /** Of the run and of its neighbours; null where none has one. */
  readonly sharpe: number | null;
  readonly meanSharpe: number | null;
  readonly worstSharpe: number | null;
  /** Share of the neighbours with a Sharpe ratio above 0; without a figure counts as not above. */
  readonly gaining: number | null;
  /** Mean Sharpe ratio of the neighbours / that of the run: near 1 on a plateau, far below on a peak. */
  readonly plateau: number | null;
}

/**
 * How the trials around a run fared: a peak that stands alone is chance, a plateau may be more. `comparable` are trials
 * that differ from the run in parameters only, the run among them. The grid is that of the values tried in one sweep or study (runs
 * made alone are one together): a step leads to the next value that some of them has. A search that tried a number at forty values
 * does not make the grid of a sweep finer, which would leave it without neighbours. Those one step away include the diagonals.
 */
export function trialNeighbours(runHash: string, comparable: readonly NeighbourTrial[]): TrialNeighbours {
  const points = comparable.map((trial) => ({ trial, at: parametersOf(trial.parameters) }));
  const own = points.find(({ trial }) => trial.hash === runHash);
  const none = { neighbours: 0, sharpe: own?.trial.sharpe ?? null, meanSharpe: null, worstSharpe: null };
  if (own === undefined) return { varied: [], ...none, gaining: null, plateau: null };
  const near: Point[] = [];
  const values = new Map<string, Set<ParameterValue>>();
  for (const study of new Set(points.map(({ trial }) => trial.study))) {
    const members = points.filter(({ trial }) => trial.study === study && trial.hash !== runHash);
    const grid = valuesTried([own.at, ...members.map(({ at }) => at)]);
    const found = nearOnes(own, members, grid);
    near.push(...found);
    if (found.length === 0) continue;
    for (const [name, tried] of grid) {
      const all = values.get(name) ?? new Set();
      for (const value of tried) all.add(value);
      values.set(name, all);
    }
  }
  const varied = [...values].filter(([, tried]) => tried.size > 1).sort(([a], [b]) => (a < b ? -1 : 1));
  const known = near.flatMap(({ trial }) => (trial.sharpe === null ? [] : [trial.sharpe]));
  const mean = known.length === 0 ? null : known.reduce((sum, value) => sum + value, 0) / known.length;
  const sharpe = own.trial.sharpe;
  return {
    varied: varied.map(([name, tried]) => ({ name, values: tried.size })),
    neighbours: near.length,
    sharpe,
    meanSharpe: mean,
    worstSharpe: known.length === 0 ? null : known.reduce((a, b) => Math.min(a, b)),
    gaining: near.length === 0 ? null : known.filter((value) => value > 0).length / near.length,
    plateau: mean === null || sharpe === null || sharpe <= 0 ? null : mean / sharpe,
  };
}

interface Point {
  readonly trial: NeighbourTrial;
  readonly at: CanonicalParameters;
}

/** The trials of one study within a step of the run in every parameter. */
function nearOnes(
  own: Point,
  members: readonly Point[],
  grid: ReadonlyMap<string, ParameterValue[]>,
): Point[] {
  const steps = [...grid].map(([name, tried]) => [name, placesOf(tried)] as const);
  return members.filter((point) =>
    steps.every(([name, places]) => isNear(places, own.at[name], point.at[name])),
  );
}

function valuesTried(points: readonly CanonicalParameters[]): Map<string, ParameterValue[]> {
  const found = new Map<string, Set<ParameterValue>>();
  for (const point of points) {
    for (const [name, value] of Object.entries(point)) {
      const set = found.get(name) ?? new Set();
      found.set(name, set.add(value));
    }
  }
  return new Map([...found].map(([name, set]) => [name, [...set]]));
}

/** Where each number stands among the numbers tried; what is no number has no place. */
function placesOf(tried: readonly ParameterValue[]): ReadonlyMap<ParameterValue, number> {
  const numbers = tried.filter((value) => typeof value === 'number').sort((a, b) => a - b);
  return new Map(numbers.map((value, place) => [value, place]));
}

function isNear(
  places: ReadonlyMap<ParameterValue, number>,
  a: ParameterValue | undefined,
  b: ParameterValue | undefined,
): boolean {
  if (a === b) return true;
  if (a === undefined || b === undefined) return false;
  const from = places.get(a);
  const to = places.get(b);
  return from !== undefined && to !== undefined && Math.abs(from - to) <= 1;
}
