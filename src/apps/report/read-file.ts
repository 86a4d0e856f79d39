import { readFileSync } from 'node:fs';
import type { z } from 'zod';
import { InputError } from '#base';

/** Text of a file; null when there is none. */
export function textOf(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

/** What a JSON file says, as far as `schema` asks; null when there is no file. Throws InputError when it is damaged. */
export function readJson<T>(path: string, schema: z.ZodType<T>, mend: string): T | null {
  const text = textOf(path);
  if (text === null) return null;
  let data: unknown;
  try {
    data = JSON.parse(text);
  } catch (cause) {
    throw new InputError(`${path} is no JSON: ${(cause as Error).message}`, mend);
  }
  const read = schema.safeParse(data);
  if (read.success) return read.data;
  const issue = read.error.issues[0]!;
  throw new InputError(`${path} is damaged at ${issue.path.join('.') || 'its top'}: ${issue.message}`, mend);
}

/** Rows of a CSV file by the names of its columns; null when there is no file. Throws InputError when it lacks one. */
export function readTable(
  path: string,
  columns: readonly string[],
  mend: string,
): readonly (readonly string[])[] | null {
  const text = textOf(path);
  if (text === null) return null;
  const lines = recordsOf(text);
  const head = cellsOf(lines[0] ?? '');
  const places = columns.map((name) => head.indexOf(name));
  const missing = columns.find((_, i) => places[i]! < 0);
  if (missing !== undefined) throw new InputError(`${path} has no column "${missing}"`, mend);
  return lines.slice(1).map((line, i) => {
    const cells = cellsOf(line);
    if (cells.length !== head.length) {
      throw new InputError(`${path}:${i + 2} has ${cells.length} cells instead of ${head.length}`, mend);
    }
    return places.map((place) => cells[place]!);
  });
}

/** Lines of a CSV file; one in the quotes of a cell does not end there. */
function recordsOf(text: string): string[] {
  const records: string[] = [];
  let begun: string | null = null;
  for (const line of text.split('\n')) {
    const record: string = begun === null ? line : `${begun}\n${line}`;
    begun = (record.match(/"/g)?.length ?? 0) % 2 === 0 ? null : record;
    if (begun === null) records.push(record);
  }
  if (begun !== null) records.push(begun);
  if (records.at(-1) === '') records.pop();
  return records;
}

/** Cells of one line; those in quotes may hold commas. */
function cellsOf(line: string): string[] {
  if (!line.includes('"')) return line.split(',');
  const cells: string[] = [];
  let cell = '';
  let isQuoted = false;
  for (let i = 0; i < line.length; i++) {
    const letter = line[i]!;
    if (letter === '"' && isQuoted && line[i + 1] === '"') {
      cell += letter;
      i += 1;
    } else if (letter === '"') isQuoted = !isQuoted;
    else if (letter === ',' && !isQuoted) {
      cells.push(cell);
      cell = '';
    } else cell += letter;
  }
  return [...cells, cell];
}

/** A cell as a number. Throws InputError naming the place when it is none. */
export function numberIn(path: string, row: number, name: string, cell: string, mend: string): number {
  const value = Number(cell);
  if (cell !== '' && Number.isFinite(value)) return value;
  throw new InputError(`${path}:${row + 2} has "${cell}" for ${name}, which is no number`, mend);
}
