import { InputError } from '#base';
import { nearest } from '#features';
import type { GridValue } from './grid.ts';

/** What one variant of a sweep came to: the figures of the summary of a backtest. Money as decimal text. */
export interface SweepFigures {
  readonly trades: number;
  /** Equity at the end over cash at the start, less 1; null without cash. */
  readonly return: number | null;
  /** Annualised, of daily returns; null below three days or without movement. */
  readonly sharpe: number | null;
  /** Largest fall of equity from a peak, as a share of the peak. */
  readonly maxDrawdown: number;
  readonly equityEnd: string;
  readonly realised: string;
  readonly unrealised: string;
  readonly fees: string;
  readonly funding: string;
  readonly orders: number;
  readonly fills: number;
  /** Null where no commands were given: the columnar kernel gives none. */
  readonly commands: number | null;
  readonly commandsHash: string | null;
}

/** Who played a variant: the loop that trades, or the columnar kernel that comes to the same. */
export type SweepEngine = 'loop' | 'kernel';

/** One variant with its figures. */
export interface SweepRow {
  /** Number of the combination on the grid. */
  readonly variant: number;
  /** Values of the swept parameters, in the order of the axes. */
  readonly parameters: Readonly<Record<string, GridValue>>;
  readonly figures: SweepFigures;
  /** Absent in tables of before there was a choice: the loop. */
  readonly engine?: SweepEngine;
  /** SHA-256 over everything that decides the result: desk, parameters, data, code, costs, seed. */
  readonly variantHash: string;
  /** What the run wants a reader to know. */
  readonly notes: readonly string[];
  readonly stamps: readonly string[];
}

/** Figures in the order of the table's columns. */
export const FIGURES = [
  'trades',
  'return',
  'sharpe',
  'maxDrawdown',
  'equityEnd',
  'realised',
  'unrealised',
  'fees',
  'funding',
  'orders',
  'fills',
  'commands',
  'commandsHash',
] as const satisfies readonly (keyof SweepFigures)[];

/**
 * Columns of the table: the variant's number, its parameters, its figures, who played it, its hash. A parameter that is called like another
 * column is written `parameter.NAME`.
 */
export function sweepHeader(parameters: readonly string[]): string[] {
  const taken: readonly string[] = ['variant', ...FIGURES, 'engine', 'variantHash'];
  const names = parameters.map((name) => (taken.includes(name) ? `parameter.${name}` : name));
  return ['variant', ...names, ...FIGURES, 'engine', 'variantHash'];
}

/** The cells of one row under {@link sweepHeader}; a figure that there is none of is empty. */
export function sweepCells(row: SweepRow, parameters: readonly string[]): string[] {
  return [
    String(row.variant),
    ...parameters.map((name) => String(row.parameters[name])),
    ...FIGURES.map((name) => String(row.figures[name] ?? '')),
    row.engine ?? 'loop',
    row.variantHash,
  ];
}

/** Columns a table can be ordered by, with 1 where more is better and -1 where less is. */
const ORDERS = {
  sharpe: 1,
  return: 1,
  maxDrawdown: -1,
  trades: 1,
  equityEnd: 1,
  realised: 1,
  unrealised: 1,
  fees: -1,
  funding: -1,
  orders: 1,
  fills: 1,
} as const satisfies Partial<Record<keyof SweepFigures, 1 | -1>>;

export type SortColumn = keyof typeof ORDERS;

export const SORT_COLUMNS = Object.keys(ORDERS) as readonly SortColumn[];

/** Throws InputError for a name that is no column to sort by. */
export function sortColumn(name: string): SortColumn {
  if (Object.hasOwn(ORDERS, name)) return name as SortColumn;
  throw new InputError(
    `there is no column "${name}" to sort by`,
    `the nearest is "${nearest(name, SORT_COLUMNS)}"; all: ${SORT_COLUMNS.join(', ')}`,
  );
}

/** A figure as a number; null when the run has none. */
export function figureOf(row: SweepRow, column: SortColumn): number | null {
  const value = row.figures[column];
  return value === null ? null : Number(value);
}

/** Whether figure `a` is better than `b`, as a comparison for sorting: the better first, none last. */
export function compareFigures(column: SortColumn, a: number | null, b: number | null): number {
  if (a === null || b === null) return a === b ? 0 : a === null ? 1 : -1;
  return ORDERS[column] * (b - a);
}

/** The best `count` rows; of equal ones that with the lower number first. */
export function bestRows(rows: readonly SweepRow[], column: SortColumn, count: number): SweepRow[] {
  return [...rows]
    .sort((a, b) => compareFigures(column, figureOf(a, column), figureOf(b, column)) || a.variant - b.variant)
    .slice(0, count);
}
