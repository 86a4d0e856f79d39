import type { MigrationArea } from '../identity/migration.ts';

/** Table of work in the background. Instants are epoch milliseconds; `number` is the order of the list. */
export const JOB_TABLES: MigrationArea = {
  area: 'jobs',
  migrations: [
    {
      version: 1,
      name: 'jobs',
      sql: `
CREATE TABLE jobs (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  kind TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('queued', 'running', 'done', 'failed', 'cancelled')),
  by TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  started_at INTEGER,
  ended_at INTEGER,
  says TEXT NOT NULL,
  request TEXT NOT NULL,
  result TEXT,
  error TEXT,
  has_report INTEGER NOT NULL DEFAULT 0,
  cancel_by TEXT
) STRICT;
CREATE INDEX jobs_by_state ON jobs (state, number);
`,
    },
  ],
};
