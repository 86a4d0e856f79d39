import { existsSync } from 'node:fs';
import { readSample } from '#adapters';
import { writeWholeFile } from '../../whole-file.ts';

/** Name of the prices that come with the program, as a file of bars beside the jobs. */
export const SAMPLE_FILE = 'SPX.SAMPLE-1d.csv';

/** Writes the sample as the commands read bars, where it is not there yet. */
export async function writeSample(path: string): Promise<void> {
  if (existsSync(path)) return;
  const { columns } = await readSample();
  const { time, open, high, low, close, volume, length } = columns;
  const lines = ['time,open,high,low,close,volume'];
  for (let i = 0; i < length; i++)
    lines.push([time[i], open[i], high[i], low[i], close[i], volume[i]].join(','));
  writeWholeFile(path, [`${lines.join('\n')}\n`]);
}
