import type { z } from 'zod';
import type { job, jobRequest } from '../../contract/areas/workshop.ts';
import type { ConsoleStore, SqlRow } from '../identity/console-store.ts';
import { randomId } from '../identity/secret.ts';
import { JOB_TABLES } from './job-schema.ts';

export type Job = z.output<typeof job>;
export type JobRequest = z.output<typeof jobRequest>;
export type JobState = Job['state'];

/** How a job ended. */
export interface JobEnd {
  readonly state: 'done' | 'failed' | 'cancelled';
  readonly says: string;
  readonly result: Readonly<Record<string, unknown>> | null;
  readonly error: string | null;
  readonly hasReport: boolean;
}

/** Jobs as rows of the console's file: what is asked for and what came of it outlives the server. */
export class JobStore {
  private readonly store: ConsoleStore;

  constructor(store: ConsoleStore) {
    this.store = store;
    store.migrate(JOB_TABLES);
  }

  add(request: JobRequest, by: string, says: string): Job {
    const id = randomId();
    this.store.run(
      `INSERT INTO jobs (id, kind, state, by, created_at, says, request) VALUES (?, ?, 'queued', ?, ?, ?, ?)`,
      id,
      request.kind,
      by,
      this.store.now(),
      says,
      JSON.stringify(request),
    );
    return this.find(id)!;
  }

  find(id: string): Job | null {
    const row = this.store.get('SELECT * FROM jobs WHERE id = ?', id);
    return row === undefined ? null : jobOf(row);
  }

  /** Newest first, those before the job with number `before`. `next`: number to go on before; null at the end. */
  list(limit: number, before: number | null): { readonly jobs: Job[]; readonly next: number | null } {
    const rows = this.store.all(
      'SELECT * FROM jobs WHERE (?1 IS NULL OR number < ?1) ORDER BY number DESC LIMIT ?2',
      before,
      limit + 1,
    );
    const shown = rows.slice(0, limit);
    return {
      jobs: shown.map(jobOf),
      next: rows.length > limit ? Number(shown.at(-1)!.number) : null,
    };
  }

  /** Jobs in a state, the oldest first. */
  inState(state: JobState): Job[] {
    return this.store.all('SELECT * FROM jobs WHERE state = ? ORDER BY number', state).map(jobOf);
  }

  count(state: JobState): number {
    return Number(this.store.get('SELECT count(*) AS n FROM jobs WHERE state = ?', state)!.n);
  }

  /** How many are running and how many ended one way or another since an instant. */
  counts(since: number): { running: number; done: number; failed: number; cancelled: number } {
    const counts = { running: this.count('running'), done: 0, failed: 0, cancelled: 0 };
    const rows = this.store.all(
      `SELECT state, count(*) AS n FROM jobs WHERE ended_at >= ? AND state IN ('done', 'failed', 'cancelled') GROUP BY state`,
      since,
    );
    for (const { state, n } of rows) counts[state as 'done' | 'failed' | 'cancelled'] = Number(n);
    return counts;
  }

  started(id: string): void {
    this.store.run(`UPDATE jobs SET state = 'running', started_at = ? WHERE id = ?`, this.store.now(), id);
  }

  ended(id: string, { state, says, result, error, hasReport }: JobEnd): void {
    this.store.run(
      `UPDATE jobs SET state = ?, ended_at = ?, says = ?, result = ?, error = ?, has_report = ? WHERE id = ?`,
      state,
      this.store.now(),
      says,
      result === null ? null : JSON.stringify(result),
      error,
      hasReport ? 1 : 0,
      id,
    );
  }

  /** Asks for an end of a job that may run in another process. False where it is over or unknown. */
  askCancel(id: string, by: string): boolean {
    return (
      this.store.run(
        `UPDATE jobs SET cancel_by = coalesce(cancel_by, ?) WHERE id = ? AND state IN ('queued', 'running')`,
        by,
        id,
      ) > 0
    );
  }

  /** Jobs whose end was asked for and has not come. */
  cancelAsked(): { readonly id: string; readonly by: string }[] {
    return this.store
      .all(`SELECT id, cancel_by FROM jobs WHERE cancel_by IS NOT NULL AND state IN ('queued', 'running')`)
      .map((row) => ({ id: String(row.id), by: String(row.cancel_by) }));
  }

  /** Jobs that ended before an instant, or are not among the newest `most` ended ones: the oldest first. */
  stale(endedBefore: number, most: number): string[] {
    const rows = this.store.all(
      `SELECT id FROM jobs WHERE ended_at IS NOT NULL AND (ended_at < ?1 OR number NOT IN
         (SELECT number FROM jobs WHERE ended_at IS NOT NULL ORDER BY number DESC LIMIT ?2)) ORDER BY number`,
      endedBefore,
      most,
    );
    return rows.map((row) => String(row.id));
  }

  forget(id: string): void {
    this.store.run('DELETE FROM jobs WHERE id = ? AND ended_at IS NOT NULL', id);
  }
}

const whenOf = (value: unknown): number | null => (value === null ? null : Number(value));

function jobOf(row: SqlRow): Job {
  const state = row.state as JobState;
  return {
    id: String(row.id),
    kind: row.kind as Job['kind'],
    state,
    by: String(row.by),
    createdAt: Number(row.created_at),
    startedAt: whenOf(row.started_at),
    endedAt: whenOf(row.ended_at),
    progress: state === 'done' ? 1 : null,
    says: String(row.says),
    request: JSON.parse(String(row.request)) as Record<string, unknown>,
    result: row.result === null ? null : (JSON.parse(String(row.result)) as Record<string, unknown>),
    error: row.error === null ? null : String(row.error),
    hasReport: Number(row.has_report) === 1,
  };
}
