import { randomBytes } from 'node:crypto';
import { dirname } from 'node:path';
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { InputError, type Instant } from '#base';
import type { Bar } from '#market';
import { makeFolder } from '../make-folder.ts';
import { type DifferenceRow, differenceRow, gapsBetween, keyOf, sortBars } from './bar-accounts.ts';
import type { BarDifference, BarGap, BarStore, Insertion, NewBar, StoredBar } from './bar-store.ts';

/** Kept in the file's header, so that nothing else is taken for a store of bars. */
const APPLICATION = 0x51424152;
const VERSION = 2;
const BUSY = 5;
/** How long one attempt may block the thread while another process writes; longer waits are made without blocking. */
const BUSY_BLOCK_MS = 5;
const BUSY_WAIT_MS = 10;
const BUSY_WAITS = 1_000;
const STATEMENTS_MOST = 100;

const TABLES = `
CREATE TABLE bars (
  config_id TEXT NOT NULL,
  time INTEGER NOT NULL,
  symbol TEXT NOT NULL,
  interval_ms INTEGER NOT NULL,
  open REAL NOT NULL,
  high REAL NOT NULL,
  low REAL NOT NULL,
  close REAL NOT NULL,
  volume REAL NOT NULL,
  source TEXT NOT NULL,
  received_at INTEGER NOT NULL,
  late INTEGER NOT NULL,
  missing_before INTEGER NOT NULL,
  pine TEXT,
  seq INTEGER NOT NULL,
  PRIMARY KEY (config_id, time)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX bars_by_seq ON bars (seq);
CREATE TABLE bar_sequence (one INTEGER PRIMARY KEY CHECK (one = 1), last INTEGER NOT NULL) STRICT;
INSERT INTO bar_sequence VALUES (1, 0);
CREATE TABLE bar_differences (
  config_id TEXT NOT NULL,
  time INTEGER NOT NULL,
  source TEXT NOT NULL,
  digest TEXT NOT NULL,
  at INTEGER NOT NULL,
  seen INTEGER NOT NULL,
  bps REAL NOT NULL,
  other TEXT NOT NULL,
  PRIMARY KEY (config_id, time, source, digest)
) STRICT, WITHOUT ROWID;
CREATE INDEX bar_differences_by_time ON bar_differences (at);
CREATE TABLE ingest_counters (name TEXT PRIMARY KEY, used REAL NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE ingest_leases (name TEXT PRIMARY KEY, holder TEXT NOT NULL, until INTEGER NOT NULL) STRICT, WITHOUT ROWID;
PRAGMA application_id = ${APPLICATION};
PRAGMA user_version = 1;
`;

/** What later versions added, the first from 1 to 2. */
const ADDED = [
  // what was looked up without a volume was kept with 0
  `CREATE TABLE bar_store (one INTEGER PRIMARY KEY CHECK (one = 1), id TEXT NOT NULL) STRICT;
   ALTER TABLE bars ADD COLUMN volume_unknown INTEGER NOT NULL DEFAULT 0;
   UPDATE bars SET volume_unknown = 1 WHERE source = 'backfill' AND volume = 0;`,
];

const COLUMNS = `config_id AS config, time, symbol, interval_ms AS intervalMs, open, high, low, close, volume, source,
  received_at AS receivedAt, late, missing_before AS missingBefore, volume_unknown AS volumeUnknown, pine, seq`;

type Row = Omit<StoredBar, 'late' | 'volumeUnknown'> & {
  readonly late: number;
  readonly volumeUnknown: number;
};

const asBar = (row: unknown): StoredBar => {
  const { late, volumeUnknown, ...bar } = row as Row;
  return { ...bar, late: late !== 0, ...(volumeUnknown === 0 ? {} : { volumeUnknown: true }) };
};

/** Bars in one SQLite file, the embedded default. Every commit is on the disk before it is told. */
export class SqliteBars implements BarStore {
  readonly kind = 'sqlite';
  readonly notes: readonly string[] = [];
  id = '';
  private readonly db: DatabaseSync;
  private readonly prepared = new Map<string, StatementSync>();
  /** Transactions of this connection, one after the other. */
  private turn: Promise<unknown> = Promise.resolve();

  private constructor(db: DatabaseSync) {
    this.db = db;
  }

  /** Opens a file, `:memory:` for none. Throws {@link InputError} when it is something else, or of a newer program. */
  static async open(file: string): Promise<SqliteBars> {
    if (file !== ':memory:') makeFolder(dirname(file));
    const db = new DatabaseSync(file, { timeout: BUSY_BLOCK_MS });
    try {
      const store = new SqliteBars(db);
      // an acknowledged webhook rests on what is written here
      await waiting(() => db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL'));
      await store.transaction(() => store.setUp(file));
      return store;
    } catch (error) {
      db.close();
      throw error;
    }
  }

  private setUp(file: string): void {
    const read = (pragma: string) => Object.values(this.db.prepare(`PRAGMA ${pragma}`).get()!)[0] as number;
    const version = read('user_version');
    const isEmpty = version === 0 && this.db.prepare('SELECT 1 FROM sqlite_schema').get() === undefined;
    if (isEmpty) this.db.exec(TABLES);
    else if (read('application_id') !== APPLICATION)
      throw new InputError(`${file} is not a store of bars`, 'choose another path');
    else if (version > VERSION)
      throw new InputError(
        `${file} has schema ${version}, this program knows up to ${VERSION}`,
        'use the newer program',
      );
    for (let from = Math.max(1, version); from < VERSION; from++) this.db.exec(ADDED[from - 1]!);
    this.db.exec(`PRAGMA user_version = ${VERSION}`);
    this.run('INSERT OR IGNORE INTO bar_store VALUES (1, ?)', randomBytes(8).toString('hex'));
    this.id = (this.one('SELECT id FROM bar_store') as { id: string }).id;
  }

  insert(bars: readonly NewBar[], at: Instant): Promise<readonly Insertion[]> {
    if (bars.length === 0) return Promise.resolve([]);
    return this.transaction(() => {
      const known = new Map<string, StoredBar>();
      for (const { config, time } of bars) {
        const row = this.one(`SELECT ${COLUMNS} FROM bars WHERE config_id = ? AND time = ?`, config, time);
        if (row !== undefined) known.set(keyOf(config, time), asBar(row));
      }
      const last = this.lastNow();
      const { outcomes, fresh, differences } = sortBars(bars, known, last, at);
      for (const b of fresh) {
        this.run(
          'INSERT INTO bars VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
          b.config,
          b.time,
          b.symbol,
          b.intervalMs,
          b.open,
          b.high,
          b.low,
          b.close,
          b.volume,
          b.source,
          b.receivedAt,
          b.late ? 1 : 0,
          b.missingBefore,
          b.pine,
          b.seq,
          b.volumeUnknown === true ? 1 : 0,
        );
      }
      if (fresh.length > 0) this.run('UPDATE bar_sequence SET last = ?', last + fresh.length);
      for (const row of differences) this.keepDifference(row);
      return outcomes;
    });
  }

  noteDifference(other: NewBar, kept: Bar, at: Instant): Promise<void> {
    return this.transaction(() => this.keepDifference(differenceRow(other, kept, at)));
  }

  private keepDifference({ config, time, source, digest, at, bps, other }: DifferenceRow): void {
    this.run(
      `INSERT INTO bar_differences VALUES (?, ?, ?, ?, ?, 1, ?, ?)
       ON CONFLICT DO UPDATE SET seen = seen + 1`,
      config,
      time,
      source,
      digest,
      at,
      bps,
      other,
    );
  }

  async readFrom(
    seq: number,
    limit: number,
    configs: readonly string[] | null,
  ): Promise<readonly StoredBar[]> {
    // with the sign the index of numbers is taken: few bars are newer, many are of these configs
    const some = configs === null ? '' : 'AND +config_id IN (SELECT value FROM json_each(?))';
    const sql = `SELECT ${COLUMNS} FROM bars WHERE seq > ? ${some} ORDER BY seq LIMIT ?`;
    const list = configs === null ? [] : [JSON.stringify(configs)];
    return this.all(sql, seq, ...list, limit).map(asBar);
  }

  async readRange(config: string, from: Instant, to: Instant): Promise<readonly StoredBar[]> {
    const sql = `SELECT ${COLUMNS} FROM bars WHERE config_id = ? AND time >= ? AND time < ? ORDER BY time`;
    return this.all(sql, config, from, to).map(asBar);
  }

  async newest(config: string, count: number, before: Instant): Promise<readonly StoredBar[]> {
    const sql = `SELECT ${COLUMNS} FROM bars WHERE config_id = ? AND time < ? ORDER BY time DESC LIMIT ?`;
    return this.all(sql, config, before, count).map(asBar).reverse();
  }

  async lastBar(config: string): Promise<StoredBar | null> {
    const sql = `SELECT ${COLUMNS} FROM bars WHERE config_id = ? ORDER BY time DESC LIMIT 1`;
    const row = this.one(sql, config);
    return row === undefined ? null : asBar(row);
  }

  async gaps(config: string, intervalMs: number, from: Instant, to: Instant): Promise<readonly BarGap[]> {
    const sql = 'SELECT time FROM bars WHERE config_id = ? AND time >= ? AND time < ? ORDER BY time';
    const times = this.all(sql, config, from, to).map((row) => (row as { time: number }).time);
    return gapsBetween(times, intervalMs, from, to);
  }

  async lastSeq(): Promise<number> {
    return this.lastNow();
  }

  private lastNow(): number {
    return (this.one('SELECT last FROM bar_sequence') as { last: number }).last;
  }

  async differences(config: string | null, limit: number): Promise<readonly BarDifference[]> {
    const sql = `SELECT config_id AS config, time, at, seen, source, bps, other FROM bar_differences
      ${config === null ? '' : 'WHERE config_id = ?'} ORDER BY at DESC, config_id, time DESC LIMIT ?`;
    const rows = this.all(sql, ...(config === null ? [] : [config]), limit);
    return rows.map((row) => ({ ...(row as unknown as BarDifference) }));
  }

  retain(before: Instant): Promise<number> {
    return this.transaction(() => {
      this.run('DELETE FROM bar_differences WHERE time < ?', before);
      return Number(this.statement('DELETE FROM bars WHERE time < ?').run(before).changes);
    });
  }

  spend(name: string, amount: number, most: number): Promise<boolean> {
    return this.transaction(() => {
      const row = this.one('SELECT used FROM ingest_counters WHERE name = ?', name);
      const used = (row as { used: number } | undefined)?.used ?? 0;
      if (used + amount > most) return false;
      this.run('INSERT OR REPLACE INTO ingest_counters VALUES (?, ?)', name, used + amount);
      return true;
    });
  }

  forgetSpent(prefix: string, name: string): Promise<void> {
    const sql = 'DELETE FROM ingest_counters WHERE name >= ? AND name < ?';
    return this.transaction(() => this.run(sql, prefix, name));
  }

  lease(name: string, holder: string, at: Instant, until: Instant): Promise<boolean> {
    return this.transaction(() => {
      const sql = `INSERT INTO ingest_leases VALUES (?, ?, ?) ON CONFLICT DO UPDATE
        SET holder = excluded.holder, until = excluded.until WHERE holder = excluded.holder OR until <= ?`;
      return Number(this.statement(sql).run(name, holder, until, at).changes) > 0;
    });
  }

  release(name: string, holder: string): Promise<void> {
    const sql = 'DELETE FROM ingest_leases WHERE name = ? AND holder = ?';
    return this.transaction(() => this.run(sql, name, holder));
  }

  async close(): Promise<void> {
    await this.turn;
    this.db.close();
  }

  /** All of `action` or nothing, after what was begun before; waits while another process writes. */
  private transaction<T>(action: () => T): Promise<T> {
    const result = this.turn.then(async () => {
      await waiting(() => this.db.exec('BEGIN IMMEDIATE'));
      try {
        const value = action();
        this.db.exec('COMMIT');
        return value;
      } catch (error) {
        if (this.db.isTransaction) this.db.exec('ROLLBACK');
        throw error;
      }
    });
    this.turn = result.catch(() => undefined);
    return result;
  }

  private statement(sql: string): StatementSync {
    const known = this.prepared.get(sql);
    if (known !== undefined) return known;
    if (this.prepared.size >= STATEMENTS_MOST) this.prepared.clear();
    const made = this.db.prepare(sql);
    this.prepared.set(sql, made);
    return made;
  }

  private all(sql: string, ...values: SQLInputValue[]): unknown[] {
    return this.statement(sql).all(...values);
  }

  private one(sql: string, ...values: SQLInputValue[]): unknown {
    return this.statement(sql).get(...values);
  }

  private run(sql: string, ...values: SQLInputValue[]): void {
    this.statement(sql).run(...values);
  }
}

async function waiting<T>(action: () => T): Promise<T> {
  for (let waits = 0; ; waits++) {
    try {
      return action();
    } catch (error) {
      const isBusy = (((error as { errcode?: number }).errcode ?? 0) & 0xff) === BUSY;
      if (!isBusy || waits >= BUSY_WAITS) throw error;
      await sleep(BUSY_WAIT_MS);
    }
  }
}
