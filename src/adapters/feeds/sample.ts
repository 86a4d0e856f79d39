import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { DAY, InputError, parseInstant } from '#base';
import { BarChecker, barColumns, instrumentIdOf } from '#market';
import { type BarSeries, barSeries } from './series.ts';

/** The S&P 500 index day by day, 2000 to April 2020, as it ships in the package vega-datasets (BSD 3-Clause). */
export const SAMPLE_INSTRUMENT = 'SPX.SAMPLE';

/** Where the sample lies on this machine. Throws InputError when the package is missing. */
export function sampleFile(): string {
  let entry: string;
  try {
    entry = createRequire(import.meta.url).resolve('vega-datasets');
  } catch {
    throw new InputError('the package vega-datasets with the sample is not installed', 'run npm install');
  }
  return join(entry, '..', '..', 'data', 'sp500-2000.csv');
}

/** Real daily bars for trying things out without a network: 5,105 rows, stamped 00:00 UTC of the trade date. */
export async function readSample(): Promise<BarSeries> {
  const path = sampleFile();
  const lines = (await readFile(path, 'utf8')).trim().split(/\r?\n/);
  const names = lines[0]!.split(',');
  const [date, open, high, low, close, volume] = ['date', 'open', 'high', 'low', 'close', 'volume'].map(
    (name) => names.indexOf(name),
  ) as [number, number, number, number, number, number];
  if (Math.min(date, open, high, low, close, volume) < 0) {
    throw new InputError(
      `${path} has another header than expected: ${lines[0]}`,
      'install the pinned vega-datasets',
    );
  }
  const columns = barColumns(lines.length - 1);
  const checker = new BarChecker(DAY);
  for (const line of lines.slice(1)) {
    const fields = line.split(',');
    const time = parseInstant(fields[date]!) ?? Number.NaN;
    const [o, h, l, c, v] = [open, high, low, close, volume].map((i) => Number(fields[i])) as [
      number,
      number,
      number,
      number,
      number,
    ];
    if (checker.judge(time, o, h, l, c, v) !== 'accept') continue;
    const row = columns.length++;
    columns.time[row] = time;
    columns.open[row] = o;
    columns.high[row] = checker.high;
    columns.low[row] = checker.low;
    columns.close[row] = c;
    columns.volume[row] = v;
  }
  return barSeries(instrumentIdOf(SAMPLE_INSTRUMENT), DAY, columns, { ...checker.counts }, [
    'sp500-2000.csv',
  ]);
}
