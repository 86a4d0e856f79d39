import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { DAY, InputError, type Instant, MINUTE, SECOND } from '#base';
import { makeFolder } from '../storage/make-folder.ts';

/** What a source of news allows. */
export interface CallBudget {
  /** Calls in any 24 hours, whenever the source's own day begins. */
  readonly perDay: number;
  /** Least time between two calls. */
  readonly apartMs: number;
}

/** The free tier of Alpha Vantage. */
export const FREE_BUDGET: CallBudget = Object.freeze({ perDay: 25, apartMs: 1_100 });

/** A call that may be made now, or when one may be asked for again and why not now. */
export type CallGrant =
  | { readonly granted: true; readonly call: number }
  | { readonly granted: false; readonly why: 'spent' | 'too-soon' | 'elsewhere'; readonly from: Instant };

/** What is kept of the news of an asset. */
export interface KeptNews {
  readonly fetchedAt: Instant;
  /** Text of the observation. */
  readonly value: string;
}

const VERSION = 1;
const APPLICATION = 0x514e4557;
const BUSY_MS = 10 * SECOND;
/** Another process that asked for the same news so recently will bring them. */
const ELSEWHERE_MS = 2 * MINUTE;

const TABLES = `
CREATE TABLE calls (
  call INTEGER PRIMARY KEY,
  budget TEXT NOT NULL,
  asset TEXT NOT NULL,
  at INTEGER NOT NULL,
  is_retry INTEGER NOT NULL,
  is_open INTEGER NOT NULL
) STRICT;
CREATE INDEX calls_at ON calls (budget, at);
CREATE TABLE latest (
  budget TEXT NOT NULL,
  asset TEXT NOT NULL,
  scorer TEXT NOT NULL,
  fetched_at INTEGER NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (budget, asset, scorer)
) STRICT;
`;

/**
 * Counts the calls to a source of news in a file that all processes share, so that no restart and no second portfolio spends
 * the budget twice, and keeps the newest news of each asset. A call counts from the moment it is granted.
 */
export class CallLedger {
  private readonly database: DatabaseSync;
  private readonly budgetName: string;
  readonly budget: CallBudget;

  private constructor(database: DatabaseSync, budgetName: string, budget: CallBudget) {
    this.database = database;
    this.budgetName = budgetName;
    this.budget = budget;
  }

  /** Opens or begins the file. `budgetName` tells budgets apart, by the name under which a key is known. Throws {@link InputError}. */
  static open(path: string, budgetName: string, budget: CallBudget = FREE_BUDGET): CallLedger {
    makeFolder(dirname(path));
    try {
      const database = new DatabaseSync(path);
      database.exec(
        `PRAGMA busy_timeout = ${BUSY_MS}; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;`,
      );
      prepare(database, path);
      return new CallLedger(database, budgetName, budget);
    } catch (cause) {
      if (cause instanceof InputError) throw cause;
      throw new InputError(
        `the record of calls ${path} cannot be opened: ${(cause as Error).message}`,
        'check its permissions, or move it away: calls of the last day are then forgotten',
      );
    }
  }

  /** Asks for a call about an asset at `now`. A grant is durable before this returns. */
  take(asset: string, now: Instant, isRetry: boolean): CallGrant {
    return this.transaction((): CallGrant => {
      this.database
        .prepare('DELETE FROM calls WHERE budget = ? AND at <= ?')
        .run(this.budgetName, now - 2 * DAY);
      const rows = this.database
        .prepare('SELECT asset, at, is_open AS isOpen FROM calls WHERE budget = ? AND at > ? ORDER BY at')
        .all(this.budgetName, now - DAY) as { asset: string; at: number; isOpen: number }[];
      const { perDay, apartMs } = this.budget;
      if (rows.length >= perDay) return { granted: false, why: 'spent', from: rows.at(-perDay)!.at + DAY };
      const twin = rows.find((row) => row.asset === asset && row.isOpen === 1 && row.at > now - ELSEWHERE_MS);
      if (twin !== undefined) return { granted: false, why: 'elsewhere', from: twin.at + ELSEWHERE_MS };
      const last = rows.at(-1)?.at ?? Number.NEGATIVE_INFINITY;
      // one that lies in the future is of a clock that was put back; it is not waited for
      if (last <= now && now - last < apartMs)
        return { granted: false, why: 'too-soon', from: last + apartMs };
      const { lastInsertRowid } = this.database
        .prepare('INSERT INTO calls (budget, asset, at, is_retry, is_open) VALUES (?, ?, ?, ?, 1)')
        .run(this.budgetName, asset, now, isRetry ? 1 : 0);
      return { granted: true, call: Number(lastInsertRowid) };
    });
  }

  /** A granted call is over. One that cannot have reached the other side is not counted. */
  over(call: number, wasSent: boolean): void {
    if (wasSent) this.database.prepare('UPDATE calls SET is_open = 0 WHERE call = ?').run(call);
    else this.database.prepare('DELETE FROM calls WHERE call = ?').run(call);
  }

  /** Calls of the 24 hours before `now`. */
  spent(now: Instant): { readonly calls: number; readonly retries: number } {
    const row = this.database
      .prepare(
        'SELECT count(*) AS calls, coalesce(sum(is_retry), 0) AS retries FROM calls WHERE budget = ? AND at > ?',
      )
      .get(this.budgetName, now - DAY) as { calls: number; retries: number };
    return { calls: row.calls, retries: row.retries };
  }

  /** When an asset's news were last asked for within the last two days; null: not. */
  lastCall(asset: string): Instant | null {
    const row = this.database
      .prepare('SELECT max(at) AS at FROM calls WHERE budget = ? AND asset = ?')
      .get(this.budgetName, asset) as { at: number | null };
    return row.at;
  }

  /** Keeps the news of an asset unless newer ones are kept. */
  keep(asset: string, scorer: string, { fetchedAt, value }: KeptNews): void {
    this.database
      .prepare(
        `INSERT INTO latest (budget, asset, scorer, fetched_at, value) VALUES (?, ?, ?, ?, ?)
         ON CONFLICT DO UPDATE SET fetched_at = excluded.fetched_at, value = excluded.value
         WHERE excluded.fetched_at > latest.fetched_at`,
      )
      .run(this.budgetName, asset, scorer, fetchedAt, value);
  }

  /** The newest news kept; null: none. */
  latest(asset: string, scorer: string): KeptNews | null {
    const row = this.database
      .prepare(
        'SELECT fetched_at AS fetchedAt, value FROM latest WHERE budget = ? AND asset = ? AND scorer = ?',
      )
      .get(this.budgetName, asset, scorer) as KeptNews | undefined;
    return row === undefined ? null : { fetchedAt: row.fetchedAt, value: row.value };
  }

  close(): void {
    this.database.close();
  }

  private transaction<T>(work: () => T): T {
    this.database.exec('BEGIN IMMEDIATE');
    try {
      const result = work();
      this.database.exec('COMMIT');
      return result;
    } catch (error) {
      this.database.exec('ROLLBACK');
      throw error;
    }
  }
}

function prepare(database: DatabaseSync, path: string): void {
  database.exec('BEGIN IMMEDIATE');
  const pragma = (name: string) => Object.values(database.prepare(`PRAGMA ${name}`).get() ?? {})[0];
  const application = pragma('application_id');
  const version = pragma('user_version');
  if (application === 0 && version === 0)
    database.exec(`${TABLES} PRAGMA application_id = ${APPLICATION}; PRAGMA user_version = ${VERSION};`);
  else if (application !== APPLICATION || version !== VERSION) {
    database.exec('ROLLBACK');
    database.close();
    throw new InputError(`${path} is not a record of calls of this version`, 'move it away');
  }
  database.exec('COMMIT');
}
