import { PostgresDialect } from 'kysely';
import pg from 'pg';

const INT8 = 20;
const CONNECT_MS = 5_000;
const STATEMENT_MS = 60_000;
/** A server that is cut off ends no statement: whoever waits for it must not wait for ever. */
const ANSWER_MS = 65_000;
const KEEP_ALIVE_MS = 30_000;

/** kysely's PostgreSQL dialect over a small pool of its own. */
export function postgresDialect(connectionString: string, connectionsMost = 4): PostgresDialect {
  const pool = new pg.Pool({
    connectionString,
    max: connectionsMost,
    connectionTimeoutMillis: CONNECT_MS,
    statement_timeout: STATEMENT_MS,
    query_timeout: ANSWER_MS,
    keepAlive: true,
    keepAliveInitialDelayMillis: KEEP_ALIVE_MS,
    types: {
      // int8 as a number: instants and positions stay far below 2^53.
      getTypeParser: ((oid: number, format?: 'text' | 'binary') =>
        oid === INT8
          ? Number
          : pg.types.getTypeParser(oid, format as 'text')) as typeof pg.types.getTypeParser,
    },
  });
  // A server that goes away ends idle connections; the next query reports it, an unheard event would end the process.
  pool.on('error', () => undefined);
  return new PostgresDialect({ pool });
}
