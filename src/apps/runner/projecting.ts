import { join } from 'node:path';
import {
  clearProjections,
  openProjections,
  type ProjectionStore,
  Projector,
  projectedPosition,
} from '#adapters';
import { InputError } from '#base';
import { entriesFrom } from './journal-entries.ts';
import { paperRows } from './projection-rows.ts';

/** Name of a portfolio's own database file. */
export const DATABASE_FILE = 'quorum.sqlite';

/**
 * Projects a portfolio's journal behind the loop: into its own SQLite file, or into a schema of its own in the PostgreSQL
 * database of `databaseUrl`. A database that is slow or away stops nothing.
 */
export function projectPortfolio(
  directory: string,
  portfolio: string,
  runId: string,
  databaseUrl: string | null,
): Projector {
  return new Projector({
    open: () => openFor(directory, portfolio, runId, databaseUrl),
    journal: runId,
    writers: [paperRows(portfolio)],
    source: (from) => entriesFrom(join(directory, 'journal'), from, true),
  });
}

async function openFor(
  directory: string,
  portfolio: string,
  runId: string,
  databaseUrl: string | null,
): Promise<ProjectionStore> {
  const url = databaseUrl === null ? null : await ownSchema(databaseUrl, portfolio);
  const store = await openProjections({ file: join(directory, DATABASE_FILE), databaseUrl: url });
  try {
    await projectedPosition(store, runId);
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    // rows of a journal that was put aside
    await clearProjections(store);
  }
  return store;
}

/** One database holds the projections of one journal, so every portfolio has a schema: `quorum_NAME`, and an address in it. */
export function schemaOf(
  databaseUrl: string,
  portfolio: string,
): { readonly schema: string; readonly url: string } {
  const schema = `quorum_${portfolio.replaceAll('-', '_')}`;
  const url = new URL(databaseUrl);
  url.searchParams.set('options', `-c search_path=${schema}`);
  return { schema, url: url.href };
}

async function ownSchema(databaseUrl: string, portfolio: string): Promise<string> {
  const { default: pg } = await import('pg');
  const { schema, url } = schemaOf(databaseUrl, portfolio);
  const client = new pg.Client({ connectionString: databaseUrl, connectionTimeoutMillis: 5_000 });
  await client.connect();
  try {
    await client.query(`create schema if not exists "${schema}"`);
  } finally {
    await client.end();
  }
  return url;
}
