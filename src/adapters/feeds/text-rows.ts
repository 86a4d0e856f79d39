import { InputError } from '#base';
import { ascii, type CsvHeader, clip, type RowPlan, readHeader, scanRows } from './csv.ts';
import type { OpenedFile } from './open-file.ts';

/** Called for every row with its numbers and texts; both arrays are reused. */
type OnRow = (values: Float64Array, texts: readonly string[], line: number) => void;

/** Rows of a text file with named columns, CSV or JSON lines alike. */
export interface TextRows {
  readonly header: Pick<CsvHeader, 'names'>;
  /** The text of a column in the first row; empty without rows. */
  readonly first: (position: number) => string;
  /** See {@link scanRows}. */
  readonly scan: (plan: RowPlan, row: OnRow, broken: (line: number, what: string) => void) => number;
}

/** Opens the rows of a CSV file or of JSON lines. Throws InputError when there is no header or no object to begin with. */
export function textRows(file: OpenedFile): TextRows {
  return file.format === 'jsonl' ? jsonRows(file) : csvRows(file);
}

function csvRows({ path, bytes }: OpenedFile): TextRows {
  const header = readHeader(path, bytes);
  return {
    header,
    first: (position) => {
      let end = bytes.indexOf(10, header.rows);
      if (end < 0) end = bytes.length;
      return ascii(bytes, header.rows, end).split(',')[position]?.trim() ?? '';
    },
    scan: (plan, row, broken) => scanRows(bytes, header, plan, row, broken),
  };
}

/** JSON lines: one flat object a line; the first one names the columns. */
function jsonRows({ path, bytes }: OpenedFile): TextRows {
  const first = firstObject(path, bytes);
  const keys = Object.keys(first);
  const names = keys.map((key) => key.trim().toLowerCase());
  return {
    header: { names },
    first: (position) => textOf(first[keys[position]!]),
    scan: (plan, row, broken) => scanJson(bytes, keys, plan, row, broken),
  };
}

function firstObject(path: string, bytes: Uint8Array): Record<string, unknown> {
  for (const [line, text] of linesOf(bytes)) {
    const object = objectOf(text);
    if (object !== null) return object;
    throw new InputError(
      `${path}:${line}: "${clip(text)}" is not a JSON object`,
      'write one object a line, such as {"time":1688428800000,"open":1,...}',
    );
  }
  throw new InputError(`${path} has no rows`, 'give a file with at least one object');
}

function* linesOf(bytes: Uint8Array): Generator<[line: number, text: string]> {
  let line = 0;
  for (let at = 0; at < bytes.length; ) {
    line += 1;
    let end = bytes.indexOf(10, at);
    if (end < 0) end = bytes.length;
    const text = ascii(bytes, at, end).trim();
    at = end + 1;
    if (text !== '') yield [line, text];
  }
}

function objectOf(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text);
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
    return isObject ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}

const textOf = (value: unknown): string =>
  typeof value === 'string' ? value.trim() : value === null || value === undefined ? '' : String(value);

function scanJson(
  bytes: Uint8Array,
  keys: readonly string[],
  plan: RowPlan,
  row: OnRow,
  broken: (line: number, what: string) => void,
): number {
  const values = new Float64Array(plan.numbers.length);
  const texts = plan.texts.map(() => '');
  const optional = new Set(plan.optional ?? []);
  let count = 0;
  for (const [line, text] of linesOf(bytes)) {
    count += 1;
    const object = objectOf(text);
    if (object === null) {
      broken(line, `"${clip(text)}" is not a JSON object`);
      continue;
    }
    let fault: string | null = null;
    plan.numbers.forEach((position, slot) => {
      const key = keys[position]!;
      const told = textOf(object[key]);
      const value = told === '' ? Number.NaN : Number(told);
      values[slot] = value;
      if (!Number.isFinite(value) && fault === null && !(told === '' && optional.has(slot)))
        fault = `"${clip(told)}" is not a number in column ${key}`;
    });
    plan.texts.forEach((position, slot) => {
      texts[slot] = textOf(object[keys[position]!]);
    });
    if (fault === null) row(values, texts, line);
    else broken(line, fault);
  }
  return count;
}
