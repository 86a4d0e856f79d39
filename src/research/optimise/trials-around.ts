import { mean } from '#learning';
import type { TrialOutcome } from './importance.ts';
import type { Space } from './space.ts';

/** How the trials near one of them fared: a peak that stands alone is chance, a plateau may be more. */
export interface TrialsAround {
  /** Trials at most a tenth of every range away, or one value where there are few; the centre not counted. */
  readonly neighbours: number;
  readonly centre: number;
  /** Of the neighbours; null without any. */
  readonly mean: number | null;
  readonly worst: number | null;
  /** Mean of all trials. */
  readonly all: number;
  /** `peak`: the neighbours keep less than half of what the centre is ahead of the mean of all; `unknown`: too few of them. */
  readonly verdict: 'plateau' | 'peak' | 'unknown';
}

/** Share of a range, or of its logarithm, that is near. */
const REACH = 0.1;
const NEIGHBOURS_LEAST = 3;

/** Looks around the trial at `centre`, one of `trials`. Choices without an order are near when they are equal. */
export function trialsAround(
  space: Space,
  trials: readonly TrialOutcome[],
  centre: TrialOutcome,
  direction: 'maximise' | 'minimise',
): TrialsAround {
  const here = space.coordinates(centre.point);
  const near = trials
    .filter((trial) => trial !== centre && isNear(space, here, space.coordinates(trial.point)))
    .map(({ value }) => value);
  const all = mean(trials.map(({ value }) => value));
  if (near.length === 0) {
    return { neighbours: 0, centre: centre.value, mean: null, worst: null, all, verdict: 'unknown' };
  }
  const around = mean(near);
  const worst = direction === 'maximise' ? Math.min(...near) : Math.max(...near);
  const ahead = Math.abs(centre.value - all);
  const kept = direction === 'maximise' ? around - all : all - around;
  const verdict = near.length < NEIGHBOURS_LEAST ? 'unknown' : kept < ahead / 2 ? 'peak' : 'plateau';
  return { neighbours: near.length, centre: centre.value, mean: around, worst, all, verdict };
}

function isNear(space: Space, a: Float64Array, b: Float64Array): boolean {
  return space.axes.every((axis, i) => {
    const [x, y] = [a[i]!, b[i]!];
    if (Number.isNaN(x) || Number.isNaN(y)) return Number.isNaN(x) && Number.isNaN(y);
    if (axis.choices !== null) return x === y;
    const reach = Math.max(REACH * (axis.upper - axis.lower), axis.step);
    return Math.abs(x - y) <= reach * (1 + 1e-9);
  });
}
