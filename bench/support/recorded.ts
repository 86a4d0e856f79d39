import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { readTapeFile, type TapeSeries } from '#adapters';

/** Five-minute bars of one year and their funding, below a folder of recorded data. */
const PARTS = [
  ['crypto/binance-perp', /-5m-2023\.csv\.gz$/],
  ['crypto/funding', /2023-07\.csv\.gz$/],
] as const;

/** Recorded bars of perpetuals with the funding of the same instruments; null where the folder has none. */
export async function recordedPairs(folder: string): Promise<TapeSeries[] | null> {
  const series: TapeSeries[] = [];
  for (const [part, pattern] of PARTS) {
    const path = join(folder, part);
    if (!existsSync(path)) continue;
    for (const name of readdirSync(path).sort())
      if (pattern.test(name)) series.push(...(await readTapeFile(join(path, name))));
  }
  const traded = new Set(series.filter((s) => s.kind === 'bars').map((s) => s.instrument));
  return traded.size === 0 ? null : series.filter((s) => traded.has(s.instrument));
}
