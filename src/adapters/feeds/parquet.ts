import type { DuckDBConnection } from '@duckdb/node-api';
import { InputError, parseInstant } from '#base';
import type { BarColumns } from '#market';
import { duckdbReason, quoted, quotedName, withDuckdb } from '../storage/duckdb.ts';
import { BarRows } from './bar-rows.ts';

type Cells = (number | null)[];
const NUMBERS = ['time', 'open', 'high', 'low', 'close', 'volume'];

/** A column of a Parquet file. */
export interface ParquetColumn {
  /** As it stands in the file. */
  readonly name: string;
  readonly type: string;
}

/** Runs `work` over an open Parquet file and its columns. Throws InputError when the file cannot be read. */
export async function readParquet<T>(
  path: string,
  work: (columns: readonly ParquetColumn[], connection: DuckDBConnection, source: string) => Promise<T>,
): Promise<T> {
  return withDuckdb(async (connection) => {
    try {
      const source = `read_parquet(${quoted(path)})`;
      const described = await connection.runAndReadAll(`describe select * from ${source}`);
      const columns = described.getRows().map((row) => ({ name: String(row[0]), type: String(row[1]) }));
      return await work(columns, connection, source);
    } catch (cause) {
      if (cause instanceof InputError) throw cause;
      throw new InputError(
        `${path} cannot be read as Parquet: ${duckdbReason(cause)}`,
        'write or download it again',
      );
    }
  });
}

/** Whether a column holds dates or times; as a number it is then epoch ms. */
export const isDated = ({ type }: ParquetColumn) => /TIMESTAMP|DATE/.test(type);

/**
 * Reads the columns of a bars file in Parquet, by symbol. A time column of type TIMESTAMP or DATE is converted to epoch ms.
 * `aliases` gives further names for a column.
 */
export async function readParquetBars(
  path: string,
  fallback: string,
  broken: (line: number, what: string) => void,
  aliases: Readonly<Record<string, readonly string[]>> = {},
): Promise<Map<string, BarRows>> {
  return readParquet(path, async (all, connection, source) => {
    const find = (name: string) => {
      const names = aliases[name] ?? [name];
      return all.find((column) => names.includes(column.name.toLowerCase()));
    };
    const found = NUMBERS.map(find);
    const missing = NUMBERS.filter((_, i) => found[i] === undefined);
    if (missing.length > 0) {
      throw new InputError(
        `${path} has no column ${missing.map((name) => `"${name}"`).join(', ')}; it has ${all.map((one) => one.name).join(', ')}`,
        'the columns of a bars file are time,open,high,low,close,volume (a universe file adds symbol)',
      );
    }
    const columns = found as ParquetColumn[];
    const texts = columns.find(
      (column, i) => column.type === 'VARCHAR' && (i > 0 || aliases.time === undefined),
    );
    if (texts !== undefined) {
      throw new InputError(
        `${path}: column "${texts.name}" holds text, not numbers`,
        'write it as numbers; times as epoch milliseconds',
      );
    }
    const timeIsText = columns[0]!.type === 'VARCHAR';
    const list = columns.map((column, i) => {
      const name = quotedName(column.name);
      if (i > 0 || !isDated(column)) return i === 0 && timeIsText ? name : `${name}::DOUBLE`;
      return `epoch_ms(${name}::TIMESTAMP)::DOUBLE`;
    });
    const symbolColumn = find('symbol');
    const symbol = symbolColumn === undefined ? '' : `, ${quotedName(symbolColumn.name)}::VARCHAR`;
    const result = await connection.stream(`select ${list.join(', ')}${symbol} from ${source}`);
    const groups = new Map<string, BarRows>();
    const group = (name: string): BarRows => {
      const known = groups.get(name) ?? new BarRows(name);
      groups.set(name, known);
      return known;
    };
    let line = 0;
    for (;;) {
      const chunk = await result.fetchChunk();
      if (chunk === null || chunk.rowCount === 0) break;
      const cells = NUMBERS.map((_, i) => chunk.getColumnValues(i) as (number | null)[]);
      if (timeIsText) cells[0] = (cells[0] as unknown as (string | null)[]).map(instantOf);
      const [time, open, high, low, close, volume] = cells as [Cells, Cells, Cells, Cells, Cells, Cells];
      const symbols = symbol === '' ? null : chunk.getColumnValues(6);
      let rows = group(symbols === null ? fallback : String(symbols[0]));
      for (let i = 0; i < chunk.rowCount; i++) {
        line += 1;
        if (symbols !== null && rows.symbol !== symbols[i]) rows = group(String(symbols[i]));
        const empty = cells.findIndex((column) => column[i] === null || Number.isNaN(column[i]));
        if (empty >= 0) broken(line, `row ${line} has no number in column ${NUMBERS[empty]}`);
        else rows.add(time[i]!, open[i]!, high[i]!, low[i]!, close[i]!, volume[i]!, line);
      }
    }
    return groups;
  });
}

function instantOf(text: string | null): number | null {
  if (text === null) return null;
  return parseInstant(text) ?? (text.trim() === '' ? null : Number(text));
}

/** Writes bars as Parquet (zstd); with symbols, one column more. */
export async function writeParquetBars(
  path: string,
  series: readonly { symbol: string; columns: BarColumns }[],
  withSymbol: boolean,
): Promise<void> {
  await withDuckdb(async (connection) => {
    const symbolColumn = withSymbol ? 'symbol VARCHAR, ' : '';
    await connection.run(
      `create temp table bars (${symbolColumn}time BIGINT, open DOUBLE, high DOUBLE, low DOUBLE, close DOUBLE, volume DOUBLE)`,
    );
    const appender = await connection.createAppender('bars', 'main', 'temp');
    for (const { symbol, columns } of series) {
      for (let i = 0; i < columns.length; i++) {
        if (withSymbol) appender.appendVarchar(symbol);
        appender.appendBigInt(BigInt(columns.time[i]!));
        appender.appendDouble(columns.open[i]!);
        appender.appendDouble(columns.high[i]!);
        appender.appendDouble(columns.low[i]!);
        appender.appendDouble(columns.close[i]!);
        appender.appendDouble(columns.volume[i]!);
        appender.endRow();
      }
    }
    appender.closeSync();
    await connection.run(`copy bars to ${quoted(path)} (format parquet, compression zstd)`);
  });
}
