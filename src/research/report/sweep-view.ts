import { quantileOf } from '../statistics/moments.ts';
import type { Grid, GridAxis } from '../sweep/grid.ts';
import { compareFigures, figureOf, type SortColumn, type SweepRow } from '../sweep/sweep-row.ts';

/** Variants that hang together with the best and are nearly as good. */
export interface PlateauRegion {
  readonly best: number;
  /** What a variant must reach to belong to it. */
  readonly threshold: number;
  /** Numbers of the variants in it, the best included, rising. */
  readonly variants: readonly number[];
}

/** A variant belongs to the plateau when it keeps this share of what the best is ahead of the median variant. */
const PLATEAU_SHARE = 0.75;

/**
 * The plateau around the best variant: everything reached from it by steps to neighbours that keep {@link PLATEAU_SHARE} of
 * what the best is ahead of the median. Null without figures.
 */
export function plateauRegion(
  grid: Grid,
  rows: readonly SweepRow[],
  column: SortColumn,
): PlateauRegion | null {
  const figures = new Map<number, number>();
  for (const row of rows) {
    const figure = figureOf(row, column);
    if (figure !== null) figures.set(row.variant, figure);
  }
  const order = [...figures].sort(([i, a], [k, b]) => compareFigures(column, a, b) || i - k);
  if (order.length === 0) return null;
  const [best, top] = order[0]!;
  const median = quantileOf(
    [...figures.values()].sort((a, b) => a - b),
    0.5,
  );
  const threshold = median + PLATEAU_SHARE * (top - median);
  const found = new Set([best]);
  const waiting = [best];
  for (let one = waiting.pop(); one !== undefined; one = waiting.pop()) {
    for (const next of grid.neighboursOf(one)) {
      const figure = figures.get(next);
      if (figure === undefined || found.has(next) || compareFigures(column, figure, threshold) > 0) continue;
      found.add(next);
      waiting.push(next);
    }
  }
  return { best, threshold, variants: [...found].sort((a, b) => a - b) };
}

/** A rectangle of the grid through one variant: two parameters vary, the others stay. */
export interface HeatMap {
  readonly across: GridAxis;
  readonly up: GridAxis;
  /** Values of the parameters that stay. */
  readonly fixed: Readonly<Record<string, unknown>>;
  /** Row by row from the lowest value of `up`; null where nothing was run or there is no figure. */
  readonly cells: readonly (readonly {
    readonly variant: number;
    readonly figure: number | null;
  }[])[];
}

/** One map for each pair of parameters that vary, all through the variant `centre`. */
export function heatMaps(
  grid: Grid,
  rows: readonly SweepRow[],
  centre: number,
  column: SortColumn,
): HeatMap[] {
  const figures = new Map(rows.map((row) => [row.variant, figureOf(row, column)]));
  const point = grid.pointAt(centre);
  const moving = grid.axes.filter(({ values }) => values.length > 1);
  const maps: HeatMap[] = [];
  for (const [a, across] of moving.entries()) {
    for (const up of moving.slice(a + 1)) {
      const { [across.name]: _, [up.name]: __, ...fixed } = point;
      const cells = up.values.map((y) =>
        across.values.map((x) => {
          const at = { ...point, [across.name]: x, [up.name]: y };
          const variant = grid.indexOf(grid.axes.map(({ name }) => at[name]!))!;
          return { variant, figure: figures.get(variant) ?? null };
        }),
      );
      maps.push({ across, up, fixed, cells });
    }
  }
  return maps;
}

/** How the figure goes with one parameter. */
export interface ParameterSlice {
  readonly axis: GridAxis;
  /** With the other parameters where the centre has them; null where nothing was run. */
  readonly through: readonly (number | null)[];
  /** Over all variants that have the value: quartiles; null for none. */
  readonly low: readonly (number | null)[];
  readonly median: readonly (number | null)[];
  readonly high: readonly (number | null)[];
}

/** One slice for each parameter that varies. */
export function parameterSlices(
  grid: Grid,
  rows: readonly SweepRow[],
  centre: number,
  column: SortColumn,
): ParameterSlice[] {
  const figures = new Map(rows.map((row) => [row.variant, figureOf(row, column)]));
  const point = grid.pointAt(centre);
  return grid.axes
    .filter(({ values }) => values.length > 1)
    .map((axis) => {
      const sorted = axis.values.map((value) =>
        rows
          .filter((row) => row.parameters[axis.name] === value)
          .flatMap((row) => figureOf(row, column) ?? [])
          .sort((a, b) => a - b),
      );
      const at = (p: number) => sorted.map((own) => (own.length === 0 ? null : quantileOf(own, p)));
      const through = axis.values.map((value) => {
        const near = { ...point, [axis.name]: value };
        return figures.get(grid.indexOf(grid.axes.map(({ name }) => near[name]!))!) ?? null;
      });
      return { axis, through, low: at(0.25), median: at(0.5), high: at(0.75) };
    });
}
