import { setTimeout as sleep } from 'node:timers/promises';
import type { Kysely, Transaction } from 'kysely';
import type { ProjectionDatabase } from './tables.ts';

const BUSY_WAITS = 200;
const BUSY_WAIT_MS = 25;
const SQLITE_BUSY = 5;

/**
 * Runs `action` in a transaction. While another connection writes to a SQLite file this waits up to 5 s without
 * blocking the thread; nothing was done yet at that point, so beginning again is safe.
 */
export async function inTransaction<T>(
  db: Kysely<ProjectionDatabase>,
  action: (tx: Transaction<ProjectionDatabase>) => Promise<T>,
): Promise<T> {
  for (let waits = 0; ; waits++) {
    try {
      return await db.transaction().execute(action);
    } catch (error) {
      const busy = (((error as { errcode?: number }).errcode ?? 0) & 0xff) === SQLITE_BUSY;
      if (!busy || waits >= BUSY_WAITS) throw error;
      await sleep(BUSY_WAIT_MS);
    }
  }
}
