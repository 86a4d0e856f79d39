import type { BarStore } from './bar-store.ts';
import { PostgresBars } from './postgres-bars.ts';
import { SqliteBars } from './sqlite-bars.ts';

export interface BarStorePlace {
  /** SQLite file, used when there is no database URL; `:memory:` for none. */
  readonly file: string;
  /** PostgreSQL connection string; null: the file. */
  readonly databaseUrl: string | null;
}

/** Opens the store of bars at its place and sets up what is missing. */
export function openBars({ file, databaseUrl }: BarStorePlace): Promise<BarStore> {
  return databaseUrl === null ? SqliteBars.open(file) : PostgresBars.open(databaseUrl);
}
