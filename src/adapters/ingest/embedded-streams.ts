import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { InputError } from '#base';
import {
  type BarEntry,
  type BarReader,
  type BarStreams,
  type DeadLetter,
  DIFFERENCES_MOST,
  type Offered,
  STREAM_LIMITS,
  type StreamDepth,
  type StreamLimits,
  type StreamsAway,
  TRIM_EVERY,
} from './bar-streams.ts';
import { EmbeddedBarReader } from './embedded-reader.ts';
import { entryOf, openQueueFile, transaction, whenFree } from './embedded-tables.ts';

export interface EmbeddedStreamsOptions {
  /** The queue's file; endpoint and workers open the same one. */
  readonly file: string;
  readonly streams: readonly string[];
  readonly limits?: Partial<StreamLimits>;
  /** An offer that could not be committed by then fails; its sender repeats it. */
  readonly answerMs?: number;
  /** Epoch ms. */
  readonly now?: () => number;
}

interface Waiting {
  readonly stream: string;
  readonly entry: BarEntry;
  readonly done: (offered: Offered) => void;
  readonly failed: (error: Error) => void;
}

/** Offers in one transaction: bounds how long it holds thread and lock. */
const TOGETHER_MOST = 200;
const ANSWER_MS = 900;
/** Forgotten gates are removed once in so many transactions, at most so many at a time. */
const SWEEP_EVERY = 64;
const SWEEP_MOST = 500;

/**
 * Bars through a file: SQLite with a write-ahead log, synced at every commit of an offer. Several processes may use it at
 * once. What was answered as queued survives a killed process and a power cut.
 */
export class EmbeddedStreams implements BarStreams {
  readonly kind = 'embedded';
  readonly durability = 'every commit is synced';
  readonly isDurable = true;
  readonly streams: readonly string[];
  readonly limits: StreamLimits;
  private readonly file: string;
  private readonly database: DatabaseSync;
  private readonly statements: Statements;
  private readonly answerMs: number;
  private readonly now: () => number;
  private readonly readers: EmbeddedBarReader[] = [];
  private waiting: Waiting[] = [];
  private sending: Promise<void> = Promise.resolve();
  private commits = 0;

  private constructor(options: EmbeddedStreamsOptions, database: DatabaseSync) {
    this.file = options.file;
    this.streams = options.streams;
    this.limits = { ...STREAM_LIMITS, ...options.limits };
    this.answerMs = options.answerMs ?? ANSWER_MS;
    this.now = options.now ?? Date.now;
    this.database = database;
    this.statements = prepare(database);
  }

  /** Throws InputError without streams, StreamsAway when the file cannot be used. */
  static async open(options: EmbeddedStreamsOptions): Promise<EmbeddedStreams> {
    if (options.streams.length === 0) throw new InputError('there is no stream', 'name at least one config');
    return new EmbeddedStreams(options, await openQueueFile(options.file, 'full'));
  }

  offer(stream: string, entry: BarEntry): Promise<Offered> {
    return new Promise((done, failed) => {
      this.waiting.push({ stream, entry, done, failed });
      // All requests that this turn of the event loop reads share one commit.
      if (this.waiting.length === 1) setImmediate(this.send);
    });
  }

  private readonly send = (): void => {
    const { waiting } = this;
    this.waiting = [];
    for (let from = 0; from < waiting.length; from += TOGETHER_MOST) {
      const offers = waiting.slice(from, from + TOGETHER_MOST);
      this.sending = this.sending.then(() => this.sendThese(offers));
    }
  };

  private async sendThese(offers: readonly Waiting[]): Promise<void> {
    try {
      const offered = await whenFree(
        () => transaction(this.database, () => offers.map(({ stream, entry }) => this.append(stream, entry))),
        this.answerMs,
      );
      for (let i = 0; i < offers.length; i++) offers[i]!.done(offered[i]!);
    } catch (error) {
      for (const { failed } of offers) failed(error as StreamsAway);
    }
    if (++this.commits % SWEEP_EVERY === 0) this.sweep();
  }

  private append(stream: string, entry: BarEntry): Offered {
    const { statements } = this;
    const now = this.now();
    const row = statements.seen.get(entry.config, entry.barTime);
    const was = row === undefined || Number(row.until) <= now ? null : String(row.hashes);
    if (was?.includes(entry.hash)) return { kind: 'duplicate', differs: !was.startsWith(entry.hash) };
    const isKnownEnough = was !== null && was.split(' ').length >= DIFFERENCES_MOST;
    const length = isKnownEnough ? 0 : this.room(stream);
    if (was !== null && (isKnownEnough || length >= this.limits.lengthMost)) {
      return { kind: 'duplicate', differs: true };
    }
    if (length >= this.limits.lengthMost) return { kind: 'full', length };
    const hashes = was === null ? entry.hash : `${was} ${entry.hash}`;
    const until = was === null ? now + this.limits.gateMs : Number(row!.until);
    statements.remember.run(entry.config, entry.barTime, hashes, until);
    const { config, barTime, receivedAt, body, hash } = entry;
    const added = statements.add.run(stream, config, barTime, receivedAt, body, hash);
    if (was !== null) return { kind: 'duplicate', differs: true };
    return { kind: 'queued', id: String(added.lastInsertRowid) };
  }

  /** The stream's length, after forgetting what every group has dealt with where that is due. */
  private room(stream: string): number {
    const { statements, limits } = this;
    const length = Number(statements.length.get(stream)?.length ?? 0);
    if (length < limits.lengthMost && (length === 0 || length % TRIM_EVERY !== 0)) return length;
    // Null without a group: nobody has dealt with anything yet.
    const needed = statements.needed.get(stream)?.seq;
    if (typeof needed === 'number') statements.trim.run(stream, needed);
    return Number(statements.length.get(stream)?.length ?? 0);
  }

  private sweep(): void {
    try {
      this.statements.forget.run(this.now(), SWEEP_MOST);
    } catch {
      // Another process writes: the next sweep takes them.
    }
  }

  async reader(group: string, consumer: string): Promise<BarReader> {
    const database = await openQueueFile(this.file, 'normal');
    const { streams, limits, now } = this;
    const reader = new EmbeddedBarReader(database, { streams, limits, group, consumer, now });
    await reader.begin();
    this.readers.push(reader);
    return reader;
  }

  async depth(group: string): Promise<StreamDepth[]> {
    return whenFree(() =>
      this.streams.map((stream) => {
        const length = Number(this.statements.length.get(stream)?.length ?? 0);
        const waiting = Number(this.statements.waiting.get(group, stream)?.many ?? 0);
        const pending = Number(this.statements.pending.get(group, stream)?.many ?? 0);
        return { stream, length, waiting, pending };
      }),
    );
  }

  deadCount(): Promise<number> {
    return whenFree(() => Number(this.statements.deadCount.get()?.many));
  }

  async deadLetters(count: number): Promise<DeadLetter[]> {
    const rows = await whenFree(() => this.statements.dead.all(count));
    return rows.map((row) => ({
      id: String(row.id),
      stream: String(row.stream),
      entryId: String(row.seq),
      entry: entryOf(row),
      deliveries: Number(row.deliveries),
      reason: String(row.reason),
      at: Number(row.at),
    }));
  }

  async revive(id: string): Promise<boolean> {
    if (!/^\d{1,15}$/.test(id)) return false;
    return whenFree(() =>
      transaction(this.database, () => {
        const stream = this.statements.streamOf.get(Number(id))?.stream;
        if (!this.streams.includes(String(stream))) return false;
        const isThere = this.statements.again.run(Number(id)).changes === 1;
        if (isThere) this.statements.alive.run(Number(id));
        return isThere;
      }),
    );
  }

  async close(): Promise<void> {
    if (this.waiting.length > 0) this.send();
    await this.sending;
    for (const reader of this.readers) await reader.close();
    if (this.database.isOpen) this.database.close();
  }
}

type Statements = ReturnType<typeof prepare>;

function prepare(database: DatabaseSync) {
  const sql = (text: string): StatementSync => database.prepare(text);
  return {
    seen: sql('SELECT hashes, until FROM seen WHERE config = ? AND bar_time = ?'),
    remember: sql(
      'INSERT INTO seen (config, bar_time, hashes, until) VALUES (?, ?, ?, ?) ON CONFLICT (config, bar_time) DO UPDATE SET hashes = excluded.hashes, until = excluded.until',
    ),
    forget: sql(
      'DELETE FROM seen WHERE (config, bar_time) IN (SELECT config, bar_time FROM seen WHERE until <= ? ORDER BY until LIMIT ?)',
    ),
    add: sql(
      'INSERT INTO entry (stream, config, bar_time, received_at, body, hash) VALUES (?, ?, ?, ?, ?, ?)',
    ),
    length: sql('SELECT length FROM stream WHERE name = ?'),
    // The lowest number a group still needs: its oldest pending entry, or what comes after the last one it was given.
    needed:
      sql(`SELECT min(coalesce((SELECT min(p.seq) FROM pending p WHERE p.grp = place.grp AND p.stream = place.stream),
      place.seq + 1)) AS seq FROM place WHERE stream = ?`),
    trim: sql('DELETE FROM entry WHERE stream = ? AND seq < ?'),
    waiting: sql(`SELECT count(*) AS many FROM entry WHERE seq >
      coalesce((SELECT seq FROM place WHERE grp = ?1 AND stream = ?2), 0) AND stream = ?2`),
    pending: sql('SELECT count(*) AS many FROM pending WHERE grp = ? AND stream = ?'),
    deadCount: sql('SELECT count(*) AS many FROM dead'),
    dead: sql('SELECT * FROM dead ORDER BY id DESC LIMIT ?'),
    again: sql(`INSERT INTO entry (stream, config, bar_time, received_at, body, hash)
      SELECT stream, config, bar_time, received_at, body, hash FROM dead WHERE id = ?`),
    streamOf: sql('SELECT stream FROM dead WHERE id = ?'),
    alive: sql('DELETE FROM dead WHERE id = ?'),
  };
}
