import { InputError } from '#base';
import type { BarColumns } from '#market';
import { BarRows } from './bar-rows.ts';

// The native library is 60 MB: it is loaded only when a Parquet file is met.
async function connect() {
  let duckdb: typeof import('@duckdb/node-api');
  try {
    duckdb = await import('@duckdb/node-api');
  } catch (cause) {
    throw new InputError(
      `Parquet needs the package @duckdb/node-api (${cause instanceof Error ? cause.message : cause})`,
      'install it, or use CSV',
    );
  }
  const instance = await duckdb.DuckDBInstance.create(':memory:', { threads: '2' });
  return { duckdb, instance, connection: await instance.connect() };
}

function quoted(path: string): string {
  return `'${path.replaceAll("'", "''")}'`;
}

type Cells = (number | null)[];
const NUMBERS = ['time', 'open', 'high', 'low', 'close', 'volume'];

/** Reads the columns of a bars file in Parquet, by symbol. A time column of type TIMESTAMP or DATE is converted to epoch ms. */
export async function readParquetBars(
  path: string,
  fallback: string,
  broken: (line: number, what: string) => void,
): Promise<Map<string, BarRows>> {
  const { instance, connection } = await connect();
  try {
    const source = `read_parquet(${quoted(path)})`;
    const described = await connection.runAndReadAll(`describe select * from ${source}`);
    const types = new Map(described.getRows().map((row) => [String(row[0]).toLowerCase(), String(row[1])]));
    const missing = NUMBERS.filter((name) => !types.has(name));
    if (missing.length > 0) {
      throw new InputError(
        `${path} has no column ${missing.map((name) => `"${name}"`).join(', ')}; it has ${[...types.keys()].join(', ')}`,
        'the columns of a bars file are time,open,high,low,close,volume (a universe file adds symbol)',
      );
    }
    const dated = /TIMESTAMP|DATE/.test(types.get('time')!);
    const hasSymbol = types.has('symbol');
    const list = NUMBERS.map((name) =>
      name === 'time' && dated ? 'epoch_ms(time::TIMESTAMP)::DOUBLE' : `${name}::DOUBLE`,
    );
    const symbol = hasSymbol ? ', symbol::VARCHAR' : '';
    const result = await connection.stream(`select ${list.join(', ')}${symbol} from ${source}`);
    const groups = new Map<string, BarRows>();
    const group = (name: string): BarRows => {
      const found = groups.get(name) ?? new BarRows(name);
      groups.set(name, found);
      return found;
    };
    let line = 0;
    for (;;) {
      const chunk = await result.fetchChunk();
      if (chunk === null || chunk.rowCount === 0) break;
      const columns = NUMBERS.map((_, i) => chunk.getColumnValues(i) as (number | null)[]);
      const [time, open, high, low, close, volume] = columns as [Cells, Cells, Cells, Cells, Cells, Cells];
      const symbols = hasSymbol ? chunk.getColumnValues(6) : null;
      let rows = group(symbols === null ? fallback : String(symbols[0]));
      for (let i = 0; i < chunk.rowCount; i++) {
        line += 1;
        if (symbols !== null && rows.symbol !== symbols[i]) rows = group(String(symbols[i]));
        const empty = columns.findIndex((column) => column[i] === null || Number.isNaN(column[i]));
        if (empty >= 0) broken(line, `row ${line} has no number in column ${NUMBERS[empty]}`);
        else rows.add(time[i]!, open[i]!, high[i]!, low[i]!, close[i]!, volume[i]!, line);
      }
    }
    return groups;
  } catch (cause) {
    if (cause instanceof InputError) throw cause;
    const text = cause instanceof Error ? cause.message.split('\n')[0] : String(cause);
    throw new InputError(`${path} cannot be read as Parquet: ${text}`, 'write or download it again');
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

/** Writes bars as Parquet (zstd); with symbols, one column more. */
export async function writeParquetBars(
  path: string,
  series: readonly { symbol: string; columns: BarColumns }[],
  withSymbol: boolean,
): Promise<void> {
  const { instance, connection } = await connect();
  try {
    const symbolColumn = withSymbol ? 'symbol VARCHAR, ' : '';
    await connection.run(
      `create table bars (${symbolColumn}time BIGINT, open DOUBLE, high DOUBLE, low DOUBLE, close DOUBLE, volume DOUBLE)`,
    );
    const appender = await connection.createAppender('bars');
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
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}
