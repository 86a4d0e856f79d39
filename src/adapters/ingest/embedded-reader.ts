import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import type { BarReader, Delivered, StreamLimits } from './bar-streams.ts';
import { entryOf, transaction, whenFree } from './embedded-tables.ts';

interface ReaderOptions {
  readonly streams: readonly string[];
  readonly limits: StreamLimits;
  readonly group: string;
  readonly consumer: string;
  readonly now: () => number;
}

type Row = Record<string, unknown>;

/** How often a reader that waits looks whether somebody has written. */
const LOOK_MS = 20;
/** What was given back is claimed whatever the idle time asked for. */
const IDLE_SINCE_EVER_MS = 86_400_000;

/** A consumer of a group, on a connection of its own. */
export class EmbeddedBarReader implements BarReader {
  readonly group: string;
  readonly consumer: string;
  private readonly database: DatabaseSync;
  private readonly options: ReaderOptions;
  private readonly statements: Statements;
  private isClosed = false;

  constructor(database: DatabaseSync, options: ReaderOptions) {
    this.database = database;
    this.options = options;
    this.group = options.group;
    this.consumer = options.consumer;
    this.statements = prepare(database);
  }

  /** A group begins at the oldest entry: what came before its first worker is not lost. */
  async begin(): Promise<void> {
    await this.act(() => {
      for (const stream of this.options.streams) this.statements.begin.run(this.group, stream);
    });
  }

  private act<T>(work: () => T): Promise<T> {
    return whenFree(() => transaction(this.database, work));
  }

  async read(options: { count: number; waitMs: number; signal?: AbortSignal }): Promise<Delivered[]> {
    const { count, waitMs, signal } = options;
    const until = performance.now() + waitMs;
    for (let seen = -1; !this.isClosed && signal?.aborted !== true; ) {
      // Changes with every commit of another connection: an idle reader asks nothing else.
      const version = Number(this.statements.version.get()?.data_version);
      if (version !== seen) {
        seen = version;
        const fresh = await this.fresh(count);
        if (fresh.length > 0) return fresh;
      }
      const left = until - performance.now();
      if (left <= 0) return [];
      await sleep(Math.min(LOOK_MS, left));
    }
    return [];
  }

  private async fresh(count: number): Promise<Delivered[]> {
    try {
      return await this.take(count);
    } catch (error) {
      // Closing ends a read that waits.
      if (this.isClosed) return [];
      throw error;
    }
  }

  private async take(count: number): Promise<Delivered[]> {
    const { statements, group, consumer, options } = this;
    // Without the write lock first: most looks find nothing.
    const isAny = await whenFree(() =>
      options.streams.some((stream) => statements.fresh.get(group, stream, 1)),
    );
    if (!isAny) return [];
    return this.act(() => {
      const now = options.now();
      const all: Delivered[] = [];
      for (const stream of options.streams) {
        const rows = statements.fresh.all(group, stream, count);
        for (const row of rows) {
          statements.hold.run(group, row.seq!, stream, consumer, now);
          all.push(deliveredOf(row, 1));
        }
        if (rows.length > 0) statements.advance.run(rows.at(-1)!.seq!, group, stream);
      }
      return all;
    });
  }

  own(count: number): Promise<Delivered[]> {
    return this.act(() => this.giveAgain(this.statements.own.all(this.group, this.consumer, count)));
  }

  claim({ idleMs, count }: { idleMs: number; count: number }): Promise<Delivered[]> {
    return this.act(() => {
      const before = this.options.now() - idleMs;
      return this.giveAgain(this.statements.idle.all(this.group, before, count));
    });
  }

  /** Hands out pending rows once more; those that had their chances become dead letters. */
  private giveAgain(rows: readonly Row[]): Delivered[] {
    const { statements, group, consumer, options } = this;
    const all: Delivered[] = [];
    for (const row of rows) {
      const times = Number(row.deliveries);
      if (!options.streams.includes(String(row.stream))) continue;
      if (times >= options.limits.deliveriesMost) {
        this.kill(Number(row.seq), `handed out ${times} times`);
        continue;
      }
      statements.holdAgain.run(consumer, options.now(), group, Number(row.seq));
      all.push(deliveredOf(row, times + 1));
    }
    return all;
  }

  touch(delivered: readonly Delivered[]): Promise<void> {
    return this.holdOn(delivered, 0, 0);
  }

  giveBack(delivered: readonly Delivered[]): Promise<void> {
    return this.holdOn(delivered, IDLE_SINCE_EVER_MS, 1);
  }

  /** `uncounted`: deliveries that shall not have been any. */
  private holdOn(delivered: readonly Delivered[], idleMs: number, uncounted: number): Promise<void> {
    if (delivered.length === 0) return Promise.resolve();
    return this.act(() => {
      const since = this.options.now() - idleMs;
      for (const { id } of delivered)
        this.statements.holdOn.run(since, uncounted, this.group, Number(id), this.consumer);
    });
  }

  ack(delivered: readonly Delivered[]): Promise<number> {
    return this.act(() => {
      let many = 0;
      for (const { id } of delivered)
        many += Number(this.statements.release.run(this.group, Number(id)).changes);
      return many;
    });
  }

  bury({ id }: Delivered, reason: string): Promise<boolean> {
    return this.act(() => this.kill(Number(id), reason));
  }

  private kill(seq: number, reason: string): boolean {
    const { statements, group, options } = this;
    const isKilled = statements.kill.run(reason, options.now(), group, seq).changes === 1;
    statements.release.run(group, seq);
    if (isKilled) statements.bound.run(options.limits.deadMost);
    return isKilled;
  }

  async close(): Promise<void> {
    this.isClosed = true;
    if (this.database.isOpen) this.database.close();
  }
}

function deliveredOf(row: Row, deliveries: number): Delivered {
  return { stream: String(row.stream), id: String(row.seq), entry: entryOf(row), deliveries };
}

type Statements = ReturnType<typeof prepare>;

function prepare(database: DatabaseSync) {
  const sql = (text: string): StatementSync => database.prepare(text);
  const held = `SELECT e.*, p.deliveries AS deliveries FROM pending p JOIN entry e ON e.seq = p.seq WHERE p.grp = ?`;
  return {
    version: sql('PRAGMA data_version'),
    begin: sql('INSERT INTO place (grp, stream, seq) VALUES (?, ?, 0) ON CONFLICT (grp, stream) DO NOTHING'),
    fresh: sql(`SELECT * FROM entry WHERE seq > (SELECT seq FROM place WHERE grp = ?1 AND stream = ?2)
      AND stream = ?2 ORDER BY seq LIMIT ?3`),
    advance: sql('UPDATE place SET seq = ? WHERE grp = ? AND stream = ?'),
    hold: sql(
      'INSERT INTO pending (grp, seq, stream, consumer, given_at, deliveries) VALUES (?, ?, ?, ?, ?, 1)',
    ),
    holdAgain: sql(
      'UPDATE pending SET consumer = ?, given_at = ?, deliveries = deliveries + 1 WHERE grp = ? AND seq = ?',
    ),
    holdOn: sql(
      'UPDATE pending SET given_at = ?, deliveries = max(0, deliveries - ?) WHERE grp = ? AND seq = ? AND consumer = ?',
    ),
    own: sql(`${held} AND p.consumer = ? ORDER BY p.seq LIMIT ?`),
    idle: sql(`${held} AND p.given_at <= ? ORDER BY p.seq LIMIT ?`),
    release: sql('DELETE FROM pending WHERE grp = ? AND seq = ?'),
    kill: sql(`INSERT INTO dead (stream, seq, deliveries, reason, at, config, bar_time, received_at, body, hash)
      SELECT e.stream, e.seq, p.deliveries, ?, ?, e.config, e.bar_time, e.received_at, e.body, e.hash
      FROM pending p JOIN entry e ON e.seq = p.seq WHERE p.grp = ? AND p.seq = ?`),
    bound: sql('DELETE FROM dead WHERE id <= (SELECT max(id) FROM dead) - ?'),
  };
}
