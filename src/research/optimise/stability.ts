import { mean } from '#learning';
import type { ParameterValue, Point, Space } from './space.ts';

/** How steady the choice of one parameter was over the windows of a walk. */
export interface ParameterStability {
  readonly name: string;
  /** The values chosen, in the order of the windows; null where the parameter did not exist. */
  readonly values: readonly (ParameterValue | null)[];
  /** Of neighbouring windows those with the same value, as a share; null for fewer than two. */
  readonly same: number | null;
  /**
   * Mean step from window to window as a share of the range (of its logarithm where it has a logarithmic scale); draws
   * without memory come to about a third. Null without an order, and for fewer than two windows.
   */
  readonly movement: number | null;
}

/** One row for each parameter, over the points chosen one after the other. */
export function parameterStability(space: Space, points: readonly Point[]): ParameterStability[] {
  const coordinates = points.map((point) => space.coordinates(point));
  return space.axes.map((axis, a) => {
    const places = coordinates.map((one) => one[a]!);
    const pairs = places.slice(1).map((place, i) => [places[i]!, place] as const);
    const width = axis.upper - axis.lower;
    const steps = pairs
      .filter(([x, y]) => !Number.isNaN(x) && !Number.isNaN(y))
      .map(([x, y]) => Math.abs(x - y) / width);
    return {
      name: axis.name,
      values: points.map((point) => point[axis.name] ?? null),
      same: pairs.length === 0 ? null : pairs.filter(([x, y]) => Object.is(x, y)).length / pairs.length,
      movement: axis.choices !== null || !(width > 0) || steps.length === 0 ? null : mean(steps),
    };
  });
}
