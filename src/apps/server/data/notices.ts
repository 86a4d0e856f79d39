import { sql } from 'kysely';
import type { z } from 'zod';
import type { ProjectionStore, TableRow } from '#adapters';
import type { sigmaNotification } from '../../contract/areas/sigma.ts';
import type { ConsoleStore } from '../identity/console-store.ts';
import type { MigrationArea } from '../identity/migration.ts';
import { cursorOf, type Page, type PageAsk, within } from './paging.ts';

export type Notice = z.output<typeof sigmaNotification>;

const TABLES: MigrationArea = {
  area: 'notices',
  migrations: [
    {
      version: 1,
      name: 'what each user has read and cleared',
      sql: `
CREATE TABLE notices_read (
  user_id TEXT NOT NULL,
  run TEXT NOT NULL,
  notice TEXT NOT NULL,
  at INTEGER NOT NULL,
  PRIMARY KEY (user_id, run, notice)
) STRICT;
CREATE TABLE notices_cleared (
  user_id TEXT NOT NULL,
  run TEXT NOT NULL,
  position INTEGER NOT NULL,
  PRIMARY KEY (user_id, run)
) STRICT;
`,
    },
  ],
};

/** Whose marks, about the notices of which run: a fresh start numbers its notices anew. */
export interface Reader {
  readonly userId: string;
  readonly run: string;
}

/** What each user has read and cleared, beside the notices themselves, which are the journal's and the same for all. */
export class NoticeMarks {
  private readonly store: ConsoleStore;

  constructor(store: ConsoleStore) {
    this.store = store;
    store.migrate(TABLES);
  }

  read({ userId, run }: Reader, notice: string): void {
    const at = Math.floor(this.store.now());
    this.store.run('INSERT OR IGNORE INTO notices_read VALUES (?, ?, ?, ?)', userId, run, notice, at);
  }

  readAmong({ userId, run }: Reader, notices: readonly string[]): ReadonlySet<string> {
    if (notices.length === 0) return new Set();
    const rows = this.store.all(
      'SELECT notice FROM notices_read WHERE user_id = ? AND run = ? AND notice IN (SELECT value FROM json_each(?))',
      userId,
      run,
      JSON.stringify(notices),
    );
    return new Set(rows.map((row) => String(row.notice)));
  }

  /** Hides everything up to a position of the journal. */
  clear({ userId, run }: Reader, position: number): void {
    this.store.run(
      `INSERT INTO notices_cleared VALUES (?1, ?2, ?3)
       ON CONFLICT (user_id, run) DO UPDATE SET position = max(position, ?3)`,
      userId,
      run,
      position,
    );
  }

  /** -1: nothing was cleared. */
  clearedTo({ userId, run }: Reader): number {
    const sqlText = 'SELECT position FROM notices_cleared WHERE user_id = ? AND run = ?';
    return Number(this.store.get(sqlText, userId, run)?.position ?? -1);
  }
}

export interface NoticesAsk extends PageAsk {
  readonly severity?: Notice['severity'] | undefined;
  readonly unread?: boolean | undefined;
}

/** Rows looked at for one page of those that are not read yet. */
const LOOK = 500;

/** Notices of one reader, newest first, without those that were cleared. */
export async function noticesPage(
  store: ProjectionStore,
  marks: NoticeMarks,
  reader: Reader,
  ask: NoticesAsk,
): Promise<Page<Notice>> {
  const after = marks.clearedTo(reader);
  const found: { readonly row: Row; readonly read: boolean }[] = [];
  let { cursor } = ask;
  while (found.length <= ask.limit) {
    const rows = await rowsOf(store, { ...ask, cursor }, after);
    const read = marks.readAmong(
      reader,
      rows.map(({ id }) => id),
    );
    for (const row of rows) {
      const isRead = read.has(row.id);
      if (ask.unread === undefined || ask.unread !== isRead) found.push({ row, read: isRead });
    }
    if (rows.length < LOOK) break;
    const last = rows.at(-1)!;
    cursor = cursorOf({ at: last.at!, id: last.id });
  }
  const shown = found.slice(0, ask.limit);
  const last = shown.at(-1)?.row;
  return {
    items: shown.map(({ row, read }) => noticeOf(row, read)),
    next: found.length > ask.limit && last !== undefined ? cursorOf({ at: last.at!, id: last.id }) : null,
  };
}

type Row = TableRow<'notifications'>;

async function rowsOf({ db }: ProjectionStore, ask: NoticesAsk, after: number): Promise<Row[]> {
  let query = db.selectFrom('notifications').selectAll().where(within(ask)).where('position', '>', after);
  if (ask.severity !== undefined) query = query.where('severity', '=', ask.severity);
  return query.orderBy('at', 'desc').orderBy('id', 'desc').limit(LOOK).execute();
}

const noticeOf = (row: Row, read: boolean): Notice => ({
  id: row.id,
  time: row.at!,
  severity: row.severity === 'critical' || row.severity === 'warning' ? row.severity : 'info',
  type: row.kind ?? '',
  title: row.title ?? '',
  message: row.body ?? '',
  read,
});

/** Whether there is a notice of this id. */
export async function isNotice({ db }: ProjectionStore, id: string): Promise<boolean> {
  const row = await db.selectFrom('notifications').select('id').where('id', '=', id).executeTakeFirst();
  return row !== undefined;
}

/** Position of the newest notice; -1 before the first. */
export async function newestNotice({ db }: ProjectionStore): Promise<number> {
  const row = await db
    .selectFrom('notifications')
    .select(sql<number | null>`max(${sql.ref('position')})`.as('position'))
    .executeTakeFirst();
  return Number(row?.position ?? -1);
}
