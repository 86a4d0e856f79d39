import { existsSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { canonicalJson, doubleBytes, doublesOf, InputError, sha256, wholeBytes, wholesOf } from '#base';
import type { ModelEvidence, RegisteredTrial, Stage, TrialKind, TrialRecord } from '#research';
import { makeFolder } from '../make-folder.ts';
import { judgementOf } from './model-judgement.ts';
import type { NewTrial, RegistryHead, StageRecord } from './registry-entries.ts';
import { damagedRegistry, openRegistryFile, registryFault } from './registry-schema.ts';

interface Row {
  readonly position: number;
  readonly hash: string;
  readonly kind: string;
  readonly at: number;
  readonly subject: string;
  readonly file: string | null;
  readonly study: string | null;
  readonly body: string;
  readonly returns: Uint8Array | null;
  readonly chain: string;
}

/**
 * Contents make the address: the same run has the same hash, whoever made it, alone or in a sweep, today or next year.
 * What differs in its result or in anything that decides it is another. `body` is the record as canonical JSON.
 */
const hashOf = (body: string, returns: Uint8Array): string =>
  sha256(`{"record":${body},"returns":${JSON.stringify(sha256(returns))}}`);

/** The hash a run has on record. */
export const trialHash = (record: TrialRecord, returns: Float64Array): string =>
  hashOf(canonicalJson(record), doubleBytes(returns));

/** Everything in a row but its chain, bound to all rows before. */
function linkOf(before: string, row: Omit<Row, 'chain' | 'body' | 'returns'>): string {
  const { position, hash, kind, at, subject, file, study } = row;
  return sha256(JSON.stringify([before, position, hash, kind, at, subject, file, study]));
}

/**
 * Every run ever made, in one SQLite file that several processes may write at once. Runs are addressed by their contents, so
 * the same run made twice is there once. Nothing is taken out or changed: entries are chained by SHA-256, triggers refuse to
 * delete or update, and the count and the last link are kept beside them, so that damage, a changed row and a cut-off end
 * are noticed by {@link RunRegistry.trials} and {@link RunRegistry.verify}.
 */
export class RunRegistry {
  readonly path: string;
  private readonly db: DatabaseSync;
  private readonly insert: StatementSync;
  private readonly keepDays: StatementSync;
  private readonly moveHead: StatementSync;
  private readonly readHead: StatementSync;
  private readonly find: StatementSync;
  private readonly readBody: StatementSync;

  private constructor(path: string, db: DatabaseSync) {
    this.path = path;
    this.db = db;
    this.insert = db.prepare('INSERT INTO entries VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)');
    this.keepDays = db.prepare('INSERT OR IGNORE INTO days VALUES (?, ?)');
    this.moveHead = db.prepare('UPDATE head SET entries = ?, chain = ?');
    this.readHead = db.prepare('SELECT entries, chain FROM head');
    this.find = db.prepare('SELECT position FROM entries WHERE hash = ?');
    this.readBody = db.prepare('SELECT body, returns FROM entries WHERE hash = ?');
  }

  /** Opens a registry, a new one where there is none. Throws {@link InputError} for a file that is none, or damaged. */
  static open(file: string): RunRegistry {
    const path = resolve(file);
    makeFolder(dirname(path));
    const db = openRegistryFile(path);
    try {
      return new RunRegistry(path, db);
    } catch (error) {
      db.close();
      throw registryFault(path, error) ?? error;
    }
  }

  /** The same of a registry that is there; null where none is. */
  static openExisting(file: string): RunRegistry | null {
    return existsSync(file) ? RunRegistry.open(file) : null;
  }

  /** Puts runs on record, all of them or none. Returns the hash of each; those that were there already are left as they are. */
  register(trials: readonly NewTrial[], at: number): string[] {
    if (trials.length === 0) return [];
    let kept = '';
    return this.writing((append) =>
      trials.map(({ record, returns, days, kind, file, study }) => {
        const body = canonicalJson(record);
        const bytes = doubleBytes(returns);
        const hash = hashOf(body, bytes);
        if (this.find.get(hash) !== undefined) return hash;
        if (kept !== record.days.hash) this.keepDays.run(record.days.hash, wholeBytes(days));
        kept = record.days.hash;
        append({ hash, kind, at, subject: record.deskHash, file, study }, body, bytes);
        return hash;
      }),
    );
  }

  /**
   * Puts a promotion on record that was judged when the registry ended at `judgedAt`. Throws {@link InputError} where something
   * was put on record since: it was not counted.
   */
  promote(stage: StageRecord, judgedAt: RegistryHead): void {
    const body = canonicalJson(stage);
    this.writing((append, head) => {
      if (head.chain !== judgedAt.chain)
        throw new InputError(
          `${head.entries - judgedAt.entries} entries were put on record in ${this.path} while ${stage.desk} was judged: nothing was promoted`,
          'promote again, so that they are counted',
        );
      const hash = sha256(body);
      append(
        { hash, kind: 'stage', at: stage.at, subject: stage.deskHash, file: null, study: null },
        body,
        null,
      );
    });
  }

  /** Puts on record what a training here came to. The same again is left as it is. */
  judged(evidence: ModelEvidence, at: number): void {
    const { hash, body } = judgementOf(evidence);
    this.writing((append) => {
      if (this.find.get(hash) !== undefined) return;
      append(
        { hash, kind: 'model', at, subject: evidence.model, file: null, study: evidence.study },
        body,
        null,
      );
    });
  }

  /**
   * Why the record does not bear out evidence about a model, in words; null where a training here came to exactly these figures, from
   * runs that are on record, on the data it names. Each entry is compared with its hash.
   */
  faultOf(evidence: ModelEvidence): string | null {
    const { runs, dataHash } = evidence;
    if (runs.length === 0) return 'it rests on no run';
    for (const hash of runs) {
      const row = this.guarded(() => this.readBody.get(hash)) as Pick<Row, 'body' | 'returns'> | undefined;
      const short = hash.slice(0, 12);
      if (row === undefined || row.returns === null) return `its run ${short} is not on record here`;
      if (hashOf(row.body, row.returns) !== hash)
        throw damagedRegistry(this.path, `run ${short} was changed: its contents have another hash`);
      if ((JSON.parse(row.body) as TrialRecord).tapeHash !== dataHash)
        return `its run ${short} is of other data than it says`;
    }
    return this.has(judgementOf(evidence).hash) ? null : 'no training here came to its figures';
  }

  /** Remembers where a run's directory is. */
  place(hash: string, directory: string, at: number): void {
    this.guarded(() => {
      this.db.prepare('INSERT OR REPLACE INTO places VALUES (?, ?, ?)').run(hash, directory, at);
    });
  }

  /** Directories in which a run of a desk with these parameters was kept, the newest first. */
  placesOf(deskHash: string): string[] {
    return this.guarded(() => {
      const sql = `SELECT directory FROM places JOIN entries USING (hash)
        WHERE subject = ? ORDER BY places.at DESC, entries.position DESC, directory`;
      return (this.db.prepare(sql).all(deskHash) as { directory: string }[]).map(
        ({ directory }) => directory,
      );
    });
  }

  has(hash: string): boolean {
    return this.guarded(() => this.find.get(hash) !== undefined);
  }

  head(): RegistryHead {
    return this.guarded(() => this.headNow());
  }

  /** The chain after so many entries; null when there are fewer. */
  chainAt(entries: number): string | null {
    if (entries === 0) return '';
    return this.guarded(() => {
      const row = this.db.prepare('SELECT chain FROM entries WHERE position = ?').get(entries);
      return (row as { chain: string } | undefined)?.chain ?? null;
    });
  }

  /** The stage of a desk with its parameters: where the last promotion of exactly these led. */
  stageOf(deskHash: string): Stage {
    return this.stages(deskHash).at(-1)?.to ?? 'research';
  }

  /**
   * Promotions in their order: of one desk with its parameters, or all. Read with the whole chain, as {@link RunRegistry.trials}
   * does: a row that somebody put in is no promotion.
   */
  stages(deskHash: string | null = null): StageRecord[] {
    const stages: StageRecord[] = [];
    this.reading(({ kind, subject, body }) => {
      if (kind === 'stage' && (deskHash === null || subject === deskHash))
        stages.push(JSON.parse(body) as StageRecord);
    });
    return stages;
  }

  /**
   * Every run on record, in the order of registration, with the head they end at. Throws {@link InputError} where anything
   * differs from what was written.
   */
  trials(): { readonly trials: readonly RegisteredTrial[]; readonly head: RegistryHead } {
    const trials: RegisteredTrial[] = [];
    const head = this.reading((row) => {
      if (row.returns === null) return;
      const { position, hash, file, study } = row;
      const kind = row.kind as TrialKind;
      const record = JSON.parse(row.body) as TrialRecord;
      trials.push({ ...record, position, hash, kind, file, study, returns: doublesOf(row.returns) });
    });
    return { trials, head };
  }

  /** The UTC days that runs are of, by their hash. */
  days(hash: string): Int32Array {
    return this.guarded(() => {
      const row = this.db.prepare('SELECT days FROM days WHERE hash = ?').get(hash);
      const bytes = (row as { days: Uint8Array } | undefined)?.days;
      if (bytes === undefined || sha256(bytes) !== hash)
        throw damagedRegistry(this.path, `days ${hash.slice(0, 12)} are missing or changed`);
      return wholesOf(bytes);
    });
  }

  /** Reads everything and compares it with its chain. Throws {@link InputError} naming the first fault. */
  verify(): RegistryHead {
    return this.reading(() => {});
  }

  close(): void {
    this.db.close();
  }

  private headNow(): RegistryHead {
    const row = this.readHead.get() as { entries: number; chain: string } | undefined;
    if (row === undefined) throw damagedRegistry(this.path, 'its head is missing');
    return { entries: row.entries, chain: row.chain };
  }

  /** Visits every entry as it was at one moment, each checked before it is. Returns the head. */
  private reading(visit: (row: Row) => void): RegistryHead {
    return this.guarded(() => {
      this.db.exec('BEGIN');
      try {
        return this.walk(visit);
      } finally {
        this.db.exec('COMMIT');
      }
    });
  }

  private walk(visit: (row: Row) => void): RegistryHead {
    const head = this.headNow();
    let chain = '';
    let position = 0;
    for (const one of this.db.prepare('SELECT * FROM entries ORDER BY position').iterate()) {
      const row = one as unknown as Row;
      position += 1;
      const wrong = (what: string) => damagedRegistry(this.path, `entry ${position} ${what}`);
      if (row.position !== position) throw wrong('is missing');
      if (row.chain !== linkOf(chain, row)) throw wrong('was changed, or one before it');
      const contents = row.returns === null ? sha256(row.body) : hashOf(row.body, row.returns);
      if (contents !== row.hash) throw wrong('was changed: its contents have another hash');
      chain = row.chain;
      visit(row);
    }
    if (position !== head.entries || chain !== head.chain) {
      throw damagedRegistry(this.path, `it ends after ${position} entries, and has had ${head.entries}`);
    }
    return head;
  }

  private writing<T>(
    action: (
      append: (
        row: Omit<Row, 'position' | 'body' | 'returns' | 'chain'>,
        body: string,
        returns: Uint8Array | null,
      ) => void,
      head: RegistryHead,
    ) => T,
  ): T {
    return this.guarded(() => {
      this.db.exec('BEGIN IMMEDIATE');
      try {
        const head = this.headNow();
        let { entries, chain } = head;
        this.checkEnd(head);
        const result = action((row, body, returns) => {
          entries += 1;
          const { hash, kind, at, subject, file, study } = row;
          chain = linkOf(chain, { position: entries, ...row });
          this.insert.run(entries, hash, kind, at, subject, file, study, body, returns, chain);
        }, head);
        if (entries !== head.entries) this.moveHead.run(entries, chain);
        this.db.exec('COMMIT');
        return result;
      } catch (error) {
        // a full disk may have rolled back by itself
        if (this.db.isTransaction) this.db.exec('ROLLBACK');
        throw error;
      }
    });
  }

  /** Nothing is added behind an end that is not the one that was written. */
  private checkEnd({ entries, chain }: RegistryHead): void {
    const last = this.db
      .prepare('SELECT position, chain FROM entries ORDER BY position DESC LIMIT 1')
      .get() as { position: number; chain: string } | undefined;
    if ((last?.position ?? 0) !== entries || (last?.chain ?? '') !== chain) {
      throw damagedRegistry(
        this.path,
        `it ends after ${last?.position ?? 0} entries, and has had ${entries}`,
      );
    }
  }

  private guarded<T>(action: () => T): T {
    try {
      return action();
    } catch (error) {
      throw registryFault(this.path, error) ?? error;
    }
  }
}
