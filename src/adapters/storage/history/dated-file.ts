import { DAY, InputError, type Instant, parseInstant } from '#base';
import type { InstrumentId } from '#market';
import { timeFactor } from '../../feeds/bar-rows.ts';
import { instrumentOf } from '../../feeds/bars-file.ts';
import { type OpenedFile, symbolOfFile } from '../../feeds/open-file.ts';
import { isDated, readParquet } from '../../feeds/parquet.ts';
import { textRows } from '../../feeds/text-rows.ts';
import { quotedName } from '../duckdb.ts';
import { type ColumnBlock, columnBlock } from './column-block.ts';
import { DATED_VALUES, type DatedKind, factField, type SeriesName } from './series-name.ts';

/** Names a column may have, in order of preference. */
const NAMES = {
  time: ['time', 'timestamp', 'date', 'ex_date', 'datetime', 'event_time', 'funding_time', 'fundingtime'],
  published: ['published_at', 'publishedat', 'published', 'announced_at', 'announced', 'declared'],
  symbol: ['symbol', 'ticker', 'pair', 'instrument'],
  field: ['field', 'name', 'metric'],
  rate: ['rate', 'funding_rate', 'fundingrate'],
  mark: ['mark', 'mark_open', 'mark_price', 'markprice'],
  amount: ['amount', 'dividend', 'cash_amount'],
  ratio: ['ratio', 'split', 'split_ratio'],
  value: ['value'],
} as const;
type Name = keyof typeof NAMES;

/** The column that tells the kind of dated entries, most telling first. */
const TELLING: readonly (readonly [Name, DatedKind])[] = [
  ['rate', 'funding'],
  ['ratio', 'splits'],
  ['amount', 'dividends'],
  ['value', 'facts'],
];

/** What a header says its rows are; null when they are no dated entries. */
export function datedKindOf(names: readonly string[]): DatedKind | null {
  if (positionOf(names, 'time') < 0) return null;
  return TELLING.find(([name]) => positionOf(names, name) >= 0)?.[1] ?? null;
}

function positionOf(names: readonly string[], name: Name): number {
  for (const alias of NAMES[name]) {
    const found = names.indexOf(alias);
    if (found >= 0) return found;
  }
  return -1;
}

/** Dated entries of one instrument, and of one field where they are facts. */
export interface DatedRows {
  readonly name: SeriesName;
  readonly block: ColumnBlock;
  /** Rows given twice with the same figures, taken once. */
  readonly duplicates: number;
}

interface Row {
  readonly time: Instant;
  readonly published: Instant;
  readonly values: readonly number[];
  readonly line: number;
}

/**
 * Reads dated entries from CSV, JSON lines or Parquet: funding `time,rate[,mark]`, dividends `time,amount`, splits
 * `time,ratio` (`5`, `5:1`), facts `time,published_at,value[,field]`; each with `symbol` where a file has many. Times are
 * epoch ms or dates. Without `published_at` an entry is known from its time on; facts must say when they became known,
 * and a publication that is only a date counts from the end of that day. Throws InputError naming the line.
 */
export async function readDatedFile(file: OpenedFile, only: string | null): Promise<DatedRows[]> {
  const { path } = file;
  const { names, rows } = await rowsOf(file);
  const kind = datedKindOf(names);
  if (kind === null) throw unknownHeader(path, names);
  const at = (name: Name) => positionOf(names, name);
  const places = { time: at('time'), published: at('published'), symbol: at('symbol'), field: at('field') };
  if (kind === 'facts' && places.published < 0) {
    throw new InputError(
      `${path}: facts have no column "published_at"`,
      'say when each value became known; without it later figures would leak into earlier decisions',
    );
  }
  const values = DATED_VALUES[kind].map((name) => at(name as Name));
  const wanted = only === null ? null : instrumentOf(path, only);
  const series = new Map<string, { name: SeriesName; rows: Row[] }>();
  const texts = rows.map((row) => row.cells[places.time]!);
  const time = timeReader(path, texts);
  const published =
    places.published < 0
      ? null
      : timeReader(
          path,
          rows.map((row) => row.cells[places.published]!),
        );
  for (const { cells, line } of rows) {
    const fail = (what: string): never => {
      throw new InputError(`${path}:${line}: ${what}`, 'mend or remove that line');
    };
    const symbol = places.symbol >= 0 ? cells[places.symbol]! : (only ?? symbolOfFile(path));
    const instrument = instrumentOf(path, symbol);
    if (wanted !== null && places.symbol >= 0 && instrument !== wanted && symbol !== only!.split('.')[0])
      continue;
    const name = nameOf(path, kind, wanted ?? instrument, places.field < 0 ? 'value' : cells[places.field]!);
    const about = time(cells[places.time]!) ?? fail(`"${cells[places.time]}" is no time`);
    const told = published === null ? '' : cells[places.published]!;
    const known = told === '' ? about : (published!(told) ?? fail(`"${told}" is no time`));
    if (kind === 'facts' && told === '') fail('published_at is empty');
    const row = {
      time: about,
      published: isDateOnly(told) ? known + DAY : known,
      values: values.map((place, i) => numberIn(kind, i, place < 0 ? '' : cells[place]!, fail)),
      line,
    };
    const id = JSON.stringify(name);
    const found = series.get(id) ?? { name, rows: [] };
    series.set(id, found);
    found.rows.push(row);
  }
  if (series.size === 0) {
    throw new InputError(
      `${path} has no row${only === null ? '' : ` of ${only}`}`,
      'give a file with at least one dated entry',
    );
  }
  return [...series.values()].map((one) => blockOf(path, one.name, one.rows));
}

function nameOf(path: string, kind: DatedKind, instrument: InstrumentId, field: string): SeriesName {
  return kind === 'facts'
    ? { kind, instrument, field: factField(path, field) }
    : { kind, instrument, field: null };
}

export function unknownHeader(path: string, names: readonly string[]): InputError {
  return new InputError(
    `${path}: its columns are not known: ${names.slice(0, 12).join(', ')}`,
    'bars have time,open,high,low,close,volume; funding time,rate; dividends time,amount; splits time,ratio; facts time,published_at,value',
  );
}

const isDateOnly = (text: string) => /^"?\d{4}-?\d{2}-?\d{2}"?$/.test(text);

/** Reads the times of one column: dates, `20240131`, or numbers in whatever unit the last one shows. */
function timeReader(path: string, texts: readonly string[]): (text: string) => Instant | null {
  const last = texts.findLast((text) => text !== '' && !isDateOnly(text) && !Number.isNaN(Number(text)));
  const factor = last === undefined ? 1 : timeFactor(path, Number(last), true);
  return (text) => {
    const bare = text.replace(/^"|"$/g, '');
    const compact = /^(\d{4})(\d{2})(\d{2})$/.exec(bare);
    if (compact !== null) return parseInstant(`${compact[1]}-${compact[2]}-${compact[3]}`);
    const number = Number(bare);
    if (bare === '' || Number.isNaN(number)) return parseInstant(bare);
    const at = Math.round(number * factor);
    return Number.isSafeInteger(at) ? at : null;
  };
}

/** One value. Only the mark of funding may be empty; a split's ratio may be written `5:1`, and must be above zero. */
function numberIn(kind: DatedKind, i: number, text: string, fail: (what: string) => never): number {
  const column = DATED_VALUES[kind][i]!;
  if (column === 'mark' && (text === '' || /^nan$/i.test(text))) return Number.NaN;
  const parts = kind === 'splits' ? text.split(/[:/]/) : [text];
  const numbers = parts.map((part) => (part.trim() === '' ? Number.NaN : Number(part)));
  const value = numbers.length === 2 ? numbers[0]! / numbers[1]! : numbers[0]!;
  if (numbers.length > 2 || !Number.isFinite(value))
    return fail(`"${text.slice(0, 80)}" is not a number in column ${column}`);
  if ((column === 'ratio' || column === 'mark') && value <= 0)
    return fail(`${column} ${value} is not above zero`);
  return value;
}

function blockOf(path: string, name: SeriesName, rows: Row[]): DatedRows {
  rows.sort((a, b) => a.time - b.time || a.published - b.published || a.line - b.line);
  const kept: Row[] = [];
  for (const row of rows) {
    const before = kept.at(-1);
    if (before?.time !== row.time || before.published !== row.published) kept.push(row);
    else if (!before.values.every((value, i) => Object.is(value, row.values[i]))) {
      throw new InputError(
        `${path}:${row.line}: another value for the time and publication of line ${before.line}`,
        'give a restated value its own published_at, or remove one of the lines',
      );
    }
  }
  const width = 2 + (kept[0]?.values.length ?? 0);
  const block = columnBlock(kept.length, width);
  kept.forEach((row, i) => {
    block.columns[0]![i] = row.time;
    block.columns[1]![i] = row.published;
    row.values.forEach((value, k) => {
      block.columns[2 + k]![i] = value;
    });
  });
  return { name, block, duplicates: rows.length - kept.length };
}

interface TextTable {
  readonly names: readonly string[];
  readonly rows: readonly { readonly cells: readonly string[]; readonly line: number }[];
}

async function rowsOf(file: OpenedFile): Promise<TextTable> {
  if (file.format === 'parquet') return parquetTexts(file.path);
  const text = textRows(file);
  const { names } = text.header;
  const rows: { cells: readonly string[]; line: number }[] = [];
  const plan = { numbers: [], texts: names.map((_, i) => i) };
  text.scan(
    plan,
    (_, cells, line) => rows.push({ cells: cells.map((cell) => cell.trim()), line }),
    (line, what) => {
      throw new InputError(`${file.path}:${line}: ${what}`, 'mend or remove that line');
    },
  );
  return { names, rows };
}

async function parquetTexts(path: string): Promise<TextTable> {
  return readParquet(path, async (columns, connection, source) => {
    const list = columns.map((column) => {
      const name = quotedName(column.name);
      // a DATE stays a date, which says less than midnight does
      return isDated(column) && column.type !== 'DATE'
        ? `epoch_ms(${name}::TIMESTAMP)::VARCHAR`
        : `${name}::VARCHAR`;
    });
    const read = await connection.runAndReadAll(`select ${list.join(', ')} from ${source}`);
    const rows = read.getRows().map((row, i) => ({
      cells: row.map((cell) => (cell === null ? '' : String(cell))),
      line: i + 1,
    }));
    return { names: columns.map((column) => column.name.toLowerCase()), rows };
  });
}

/** Names of a data file's columns, whatever its format. */
export async function columnNamesOf(file: OpenedFile): Promise<readonly string[]> {
  if (file.format !== 'parquet') return textRows(file).header.names;
  return readParquet(file.path, async (columns) => columns.map((column) => column.name.toLowerCase()));
}
