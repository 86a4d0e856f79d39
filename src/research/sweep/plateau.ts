import type { Grid } from './grid.ts';
import { compareFigures, figureOf, type SortColumn, type SweepRow } from './sweep-row.ts';

/** How the variants around one of them fared: a peak that stands alone is chance, a plateau may be more. */
export interface Plateau {
  readonly variant: number;
  readonly column: SortColumn;
  /** The figure of the variant itself. */
  readonly centre: number | null;
  /** Variants that were run at most one step away; those without the figure are counted, not averaged. */
  readonly neighbours: number;
  readonly withoutFigure: number;
  readonly mean: number | null;
  readonly worst: number | null;
}

/** Looks around one variant. `rows` are those of the whole sweep, or of what is done of it. */
export function plateauAround(
  grid: Grid,
  rows: readonly SweepRow[],
  centre: SweepRow,
  column: SortColumn,
): Plateau {
  const near = new Set(grid.neighboursOf(centre.variant));
  const figures = rows.filter(({ variant }) => near.has(variant)).map((row) => figureOf(row, column));
  const known = figures.filter((figure) => figure !== null);
  const sum = known.reduce((total, figure) => total + figure, 0);
  return {
    variant: centre.variant,
    column,
    centre: figureOf(centre, column),
    neighbours: figures.length,
    withoutFigure: figures.length - known.length,
    mean: known.length === 0 ? null : sum / known.length,
    worst: known.reduce<number | null>(
      (worst, figure) => (worst === null || compareFigures(column, worst, figure) < 0 ? figure : worst),
      null,
    ),
  };
}
