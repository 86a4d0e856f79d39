import { basename } from 'node:path';
import { InputError, parseInstant, parseInterval } from '#base';
import { type BarCounts, type InstrumentId, instrumentIdOf } from '#market';
import { BarRows, checkedColumns, modeOf, stepCounts, timeFactor } from './bar-rows.ts';
import { type CsvHeader, clip } from './csv.ts';
import { type OpenedFile, openDataFile, symbolOfFile } from './open-file.ts';
import { readParquetBars } from './parquet.ts';
import { type BarSeries, barSeries } from './series.ts';
import { textRows } from './text-rows.ts';

export interface ReadBarsOptions {
  /** The instrument, when the file's name does not say it. In a universe file: take only this one. */
  instrument?: string | null;
  /**
   * For import and inspection: sorts rows, drops lines that cannot be read and counts them, takes other column names
   * (`timestamp`, `date`, `open_time`, `vol`), dates as text, and seconds or microseconds. Otherwise these are errors.
   */
  lenient?: boolean;
}

/** What a file held besides good bars. */
export interface ReadBars {
  readonly series: BarSeries[];
  /** Lines that could not be read, with the first few reasons (lenient only). */
  readonly brokenLines: number;
  readonly brokenSamples: readonly string[];
  /** Symbols whose rows had to be sorted (lenient only). */
  readonly sorted: number;
}

export const BAR_NAMES = ['time', 'open', 'high', 'low', 'close', 'volume'] as const;
type BarName = (typeof BAR_NAMES)[number];

/** Names that an import also understands. */
export const ALIASES: Readonly<Record<BarName, readonly string[]>> = {
  time: ['time', 'timestamp', 'date', 'datetime', 'open_time', 'opentime', 'ts'],
  open: ['open', 'o'],
  high: ['high', 'h'],
  low: ['low', 'l'],
  close: ['close', 'c'],
  volume: ['volume', 'vol', 'v'],
};
export const SYMBOL_ALIASES = ['symbol', 'ticker', 'pair', 'instrument'];
const PARQUET_ALIASES = { ...ALIASES, symbol: SYMBOL_ALIASES };

const PRICES = ['open', 'high', 'low', 'close'] as const;

/** Whether a header is that of a bars file; `lenient` also knows the aliases. */
export function isBarsHeader(names: readonly string[], lenient = false): boolean {
  return PRICES.every((name) =>
    lenient ? ALIASES[name].some((alias) => names.includes(alias)) : names.includes(name),
  );
}

/**
 * Reads a bars file: CSV, gzip CSV or Parquet with `time,open,high,low,close,volume` (time = open of the bar, epoch ms UTC)
 * and, in a universe file, `symbol`; further columns are ignored. One series per symbol, in order of instrument id. Bad,
 * repeated and misaligned bars are refused and counted by the rule of BarChecker; the interval is the commonest distance of
 * neighbouring bars. Throws InputError naming file, line and remedy for anything that cannot be read.
 */
export async function readBarsFile(path: string, options: ReadBarsOptions = {}): Promise<BarSeries[]> {
  return (await readBars(await openDataFile(path), options)).series;
}

/** {@link readBarsFile} of an opened file, with the account of what was dropped. */
export async function readBars(file: OpenedFile, options: ReadBarsOptions = {}): Promise<ReadBars> {
  const lenient = options.lenient ?? false;
  const only = options.instrument ?? null;
  const fallback = only ?? symbolOfFile(file.path);
  const broken: string[] = [];
  let brokenLines = 0;
  const onBroken = (line: number, what: string): void => {
    brokenLines += 1;
    if (!lenient) throw new InputError(`${file.path}:${line}: ${what}`, mendFor(what));
    if (broken.length < 5) broken.push(`line ${line}: ${what}`);
  };
  let groups: Map<string, BarRows>;
  if (file.format === 'parquet')
    groups = await readParquetBars(file.path, fallback, onBroken, lenient ? PARQUET_ALIASES : {});
  else if (file.format === 'csv' || lenient) groups = readTextBars(file, fallback, lenient, onBroken);
  else
    throw new InputError(
      `${file.path} holds JSON lines, not bars`,
      'give depth as a tape (--tape); bars as JSON lines go through `quorum data import`',
    );
  const hasSymbols = !(groups.size === 1 && groups.has(fallback));
  const chosen = only !== null && hasSymbols ? pick(file.path, groups, only) : groups;
  const { series, sorted } = toSeries(file.path, chosen, only, lenient);
  return { series, brokenLines, brokenSamples: broken, sorted };
}

function mendFor(what: string): string {
  if (/fields where/.test(what)) return 'mend that line: it may be cut off or hold an extra comma';
  return 'write plain decimal numbers; leave rows without a price out, or use `quorum data import`, which drops them';
}

/** Where the columns of bars stand in a header, or an InputError that names those it lacks. */
export function barPositions(
  path: string,
  header: Pick<CsvHeader, 'names'>,
  lenient: boolean,
): { numbers: number[]; symbol: number } {
  const find = (names: readonly string[]) => header.names.findIndex((name) => names.includes(name));
  const numbers = BAR_NAMES.map((name) => find(lenient ? ALIASES[name] : [name]));
  const missing = BAR_NAMES.filter((_, i) => numbers[i]! < 0);
  if (missing.length > 0) {
    throw new InputError(
      `${path}: line 1 has no column ${missing.map((name) => `"${name}"`).join(', ')}; it reads "${clip(header.names.join(','))}"`,
      'the header of a bars file is time,open,high,low,close,volume (a universe file adds symbol)',
    );
  }
  const symbol = find(lenient ? SYMBOL_ALIASES : ['symbol']);
  return { numbers, symbol };
}

function readTextBars(
  file: OpenedFile,
  fallback: string,
  lenient: boolean,
  onBroken: (line: number, what: string) => void,
): Map<string, BarRows> {
  const rowsOf = textRows(file);
  const { header } = rowsOf;
  const { numbers, symbol } = barPositions(file.path, header, lenient);
  const groups = new Map<string, BarRows>();
  const group = (name: string): BarRows => {
    let rows = groups.get(name);
    if (rows === undefined) {
      rows = new BarRows(name);
      groups.set(name, rows);
    }
    return rows;
  };
  const dated = lenient && isDateText(rowsOf.first(numbers[0]!));
  const texts = symbol >= 0 ? [symbol] : [];
  if (dated) texts.push(numbers[0]!);
  let rows = symbol >= 0 ? null : group(fallback);
  const plan = { numbers: dated ? numbers.slice(1) : numbers, texts };
  const shift = dated ? 1 : 0;
  rowsOf.scan(
    plan,
    (values, text, line) => {
      if (symbol >= 0 && rows?.symbol !== text[0]) rows = group(text[0]!);
      const time = dated ? parseInstant(unquoted(text.at(-1)!)) : values[0]!;
      if (time === null) {
        onBroken(line, `"${clip(text.at(-1)!)}" is not a date`);
        return;
      }
      const at = 1 - shift;
      rows!.add(time, values[at]!, values[at + 1]!, values[at + 2]!, values[at + 3]!, values[at + 4]!, line);
    },
    onBroken,
  );
  return groups;
}

const unquoted = (text: string) => text.trim().replace(/^"|"$/g, '');

/** Whether a time is a date such as `2023-07-04` and not a number. */
export function isDateText(text: string): boolean {
  return Number.isNaN(Number(text)) && parseInstant(unquoted(text)) !== null;
}

function pick(path: string, groups: Map<string, BarRows>, only: string): Map<string, BarRows> {
  const wanted = instrumentIdOf(only);
  for (const [symbol, rows] of groups) {
    if (symbol === only || instrumentIdOf(symbol) === wanted || symbol === only.split('.')[0]) {
      return new Map([[symbol, rows]]);
    }
  }
  throw new InputError(`${path} has no symbol ${only}`, `it has ${clip([...groups.keys()].join(', '))}`);
}

/** The interval a file's name states (`BTCUSDT-5m-2023.csv.gz`), or null. */
export function intervalOfName(path: string): number | null {
  for (const part of basename(path).split(/[-_.]/)) {
    const interval = parseInterval(part);
    if (interval !== null) return interval;
  }
  return null;
}

function toSeries(
  path: string,
  groups: ReadonlyMap<string, BarRows>,
  only: string | null,
  lenient: boolean,
): { series: BarSeries[]; sorted: number } {
  const filled = [...groups.values()].filter((rows) => rows.columns.length > 0);
  if (filled.length === 0) throw new InputError(`${path} has no rows`, 'give a file with at least one bar');
  let sorted = 0;
  const shared = new Map<number, number>();
  for (const rows of filled) {
    if (rows.unsortedLine > 0) {
      if (!lenient) {
        throw new InputError(
          `${path}:${rows.unsortedLine}: the time of ${rows.symbol} lies before the row above it`,
          'sort the rows by time; `quorum data import` does it',
        );
      }
      rows.sort();
      sorted += 1;
    }
    const { columns } = rows;
    const factor = timeFactor(path, columns.time[columns.length - 1]!, lenient);
    if (factor !== 1)
      for (let i = 0; i < columns.length; i++) columns.time[i] = Math.round(columns.time[i]! * factor);
    stepCounts(columns.time, columns.length, shared);
  }
  const usual = modeOf(shared) ?? intervalOfName(path);
  if (usual === null) {
    throw new InputError(
      `${path} has one row, which does not tell its interval`,
      'name it in the file name: SYMBOL-5m.csv',
    );
  }
  const series = filled.map((rows) => seriesOf(path, rows, only, usual));
  const usable = series.filter((one) => one.columns.length > 0);
  if (usable.length === 0) {
    throw new InputError(
      `${path} has no usable bar: ${faultsText(series[0]!.faults)}`,
      'check the source of the file',
    );
  }
  usable.sort((a, b) => (a.instrument < b.instrument ? -1 : a.instrument > b.instrument ? 1 : 0));
  return { series: usable, sorted };
}

function seriesOf(path: string, rows: BarRows, only: string | null, usual: number): BarSeries {
  // a symbol with few bars borrows the interval of the others
  const own = rows.columns.length > 3 ? modeOf(stepCounts(rows.columns.time, rows.columns.length)) : null;
  const intervalMs = own ?? usual;
  const { columns, faults } = checkedColumns(rows.columns, intervalMs);
  return barSeries(instrumentOf(path, only ?? rows.symbol), intervalMs, columns, faults, [basename(path)]);
}

/** An instrument id from a name in a file; InputError names the file. */
export function instrumentOf(path: string, name: string): InstrumentId {
  try {
    return instrumentIdOf(name);
  } catch (cause) {
    if (cause instanceof InputError) throw new InputError(`${path}: ${cause.message}`, cause.mend);
    throw cause;
  }
}

/** Faults in words: `3 not-enclosing, 1 conflict`; `none` without any. */
export function faultsText(counts: BarCounts): string {
  const parts = Object.entries(counts)
    .filter(([name, n]) => n > 0 && !['accepted', 'gaps', 'gapBars', 'repaired'].includes(name))
    .map(([name, n]) => `${n} ${name}`);
  return parts.length === 0 ? 'none' : parts.join(', ');
}
