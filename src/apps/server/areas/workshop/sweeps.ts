import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { InputError } from '#base';
import { jsonOf, linesOf } from '../../../setup/text-lines.ts';
import { Problem } from '../../context.ts';
import { withRegistry } from './runs.ts';

/** Variants of one answer; what is larger is read from its files. */
const ROWS_MOST = 20_000;

export interface SweepTable {
  readonly parameters: string[];
  readonly figure: string;
  readonly figures: string[];
  readonly rows: { parameters: Record<string, unknown>; figures: Record<string, number | null> }[];
}

type Row = SweepTable['rows'][number];

/** The variants of a sweep: from the folder that a job wrote, else from the record. Throws {@link Problem} 404. */
export function sweepTable(folder: string | null, id: string, figure: string): SweepTable {
  const rows = folder === null ? recordedRows(id) : writtenRows(folder);
  if (rows.length === 0)
    throw new Problem(
      404,
      'not-found',
      `there is no sweep ${id.slice(0, 40)}`,
      'name a job that is a sweep, or a study on record',
    );
  const figures = [...new Set(rows.flatMap((row) => Object.keys(row.figures)))];
  if (!figures.includes(figure))
    throw new InputError(
      `figure: a sweep has no ${figure.slice(0, 40)}`,
      `choose one of ${figures.join(', ')}`,
    );
  const parameters = [...new Set(rows.flatMap((row) => Object.keys(row.parameters)))];
  return { parameters, figure, figures, rows };
}

/** Rows that a sweep has so far: those of a finished one stand one a line in its description, others in the file of rows. */
function writtenRows(folder: string): Row[] {
  const whole = join(folder, 'sweep.json');
  const path = existsSync(whole) ? whole : join(folder, 'rows.jsonl');
  if (!existsSync(path)) return [];
  const rows: Row[] = [];
  for (const line of linesOf(path)) {
    const text = line.trim();
    if (!text.startsWith('{"')) continue;
    const data = jsonOf(text.endsWith(',') ? text.slice(0, -1) : text) as { value?: unknown } | null;
    const row = rowOf(data?.value ?? data);
    if (row !== null) rows.push(row);
    if (rows.length > ROWS_MOST) throw tooMany();
  }
  return rows;
}

function recordedRows(study: string): Row[] {
  const rows = withRegistry((registry) => {
    const runs = registry.page({ study }, ROWS_MOST + 1, null);
    if (runs.length > ROWS_MOST) throw tooMany();
    return runs.flatMap(
      ({ record }) => rowOf({ parameters: record.parameters, figures: record.figures }) ?? [],
    );
  });
  return onlyVarying(rows ?? []);
}

/** The record has every parameter of a desk; a table needs those that differ. */
function onlyVarying(rows: readonly Row[]): Row[] {
  const [first] = rows;
  if (first === undefined) return [];
  const names = Object.keys(first.parameters).filter((name) => {
    const value = JSON.stringify(first.parameters[name]);
    return rows.some(({ parameters }) => JSON.stringify(parameters[name]) !== value);
  });
  return rows.map(({ parameters, figures }) => ({
    parameters: Object.fromEntries(names.map((name) => [name, parameters[name] ?? null])),
    figures,
  }));
}

function rowOf(value: unknown): Row | null {
  const { parameters, figures } = (value ?? {}) as { parameters?: unknown; figures?: unknown };
  if (typeof parameters !== 'object' || parameters === null) return null;
  if (typeof figures !== 'object' || figures === null) return null;
  const numbers: Record<string, number | null> = {};
  for (const [name, figure] of Object.entries(figures as Record<string, unknown>)) {
    const number = figure === null ? null : Number(figure);
    if (number === null || Number.isFinite(number)) numbers[name] = number;
  }
  return { parameters: parameters as Record<string, unknown>, figures: numbers };
}

const tooMany = (): Problem =>
  new Problem(
    413,
    'too-large',
    `the sweep has more than ${ROWS_MOST} variants`,
    'open sweep.csv in its folder, or its report',
  );
