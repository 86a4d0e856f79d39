import { existsSync } from 'node:fs';
import { InputError } from '#base';
import type { TapeSeries } from '../../feeds/series.ts';
import { readTapeFile } from '../../feeds/tape-files.ts';
import { HistoryStore } from './history-store.ts';
import { parseSeriesName } from './series-name.ts';

/** Where `quorum data import` puts series unless it is told otherwise. */
export const DEFAULT_STORE = 'history';

/** Whether an argument names a series of a store (`BTCUSDT.BINANCE-USDM@5m`) and not a file. */
export function isSeriesArgument(argument: string): boolean {
  const name = parseSeriesName(argument);
  return name !== null && (name.kind === 'bars' || name.kind === 'funding') && !existsSync(argument);
}

/**
 * Reads what a `--bars`, `--funding` or `--tape` argument names: a series of the store, or `[INSTRUMENT=]FILE`. Throws
 * InputError naming the series or file and the remedy.
 */
export async function readSeries(argument: string, store: string | null = null): Promise<TapeSeries[]> {
  if (!isSeriesArgument(argument)) return readTapeFile(argument);
  return [await openedStore(argument, store ?? DEFAULT_STORE).tape(argument)];
}

function openedStore(argument: string, dir: string): HistoryStore {
  if (HistoryStore.isStore(dir)) return HistoryStore.open(dir);
  throw new InputError(
    `${argument} is neither a file nor in a store: ${dir} is no history store`,
    'name the store with --store DIR, or the file that holds the bars',
  );
}
