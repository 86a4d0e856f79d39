import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { doublesOf, sha256, wholesOf } from '#base';
import type { Stage, TrialKind, TrialRecord } from '#research';
import type { StageRecord } from './registry-entries.ts';
import { damagedRegistry, registryFault } from './registry-schema.ts';
import { trialHash } from './run-registry.ts';

const BUSY_MS = 2_000;

/** A run on record as a list shows it. */
export interface RecordedRun {
  /** Place in the registry, from 1. */
  readonly position: number;
  readonly hash: string;
  readonly kind: TrialKind;
  /** When it was put on record, epoch milliseconds. */
  readonly at: number;
  readonly file: string | null;
  readonly study: string | null;
  readonly record: TrialRecord;
}

export interface RunFilter {
  readonly kind?: string | undefined;
  /** Name of the desk. */
  readonly desk?: string | undefined;
  readonly deskHash?: string | undefined;
  readonly study?: string | undefined;
}

interface Row {
  readonly position: number;
  readonly hash: string;
  readonly kind: string;
  readonly at: number;
  readonly file: string | null;
  readonly study: string | null;
  readonly body: string;
  readonly returns: Uint8Array;
}

/**
 * Looks into a registry page by page beside whoever writes it, and never writes. Each row is checked against its own hash; the
 * chain over all of them is what {@link import('./run-registry.ts').RunRegistry.verify} checks.
 */
export class RegistryPages {
  readonly path: string;
  private readonly db: DatabaseSync;

  private constructor(path: string, db: DatabaseSync) {
    this.path = path;
    this.db = db;
  }

  /** Null where there is no registry. Throws {@link import('#base').InputError} for a file that cannot be read. */
  static open(file: string): RegistryPages | null {
    const path = resolve(file);
    if (!existsSync(path)) return null;
    let db: DatabaseSync | null = null;
    try {
      db = new DatabaseSync(path, { timeout: BUSY_MS, readOnly: true });
      db.prepare('SELECT entries FROM head').get();
      return new RegistryPages(path, db);
    } catch (error) {
      db?.close();
      throw registryFault(path, error) ?? error;
    }
  }

  /** Runs before a position (null: from the newest), newest first. */
  page(filter: RunFilter, limit: number, before: number | null): RecordedRun[] {
    return this.guarded(() => {
      const sql = `SELECT position, hash, kind, at, file, study, body, returns FROM entries
        WHERE returns IS NOT NULL AND (?1 IS NULL OR position < ?1) AND (?2 IS NULL OR kind = ?2)
          AND (?3 IS NULL OR subject = ?3) AND (?4 IS NULL OR study = ?4)
          AND (?5 IS NULL OR json_extract(body, '$.desk.name') = ?5)
        ORDER BY position DESC LIMIT ?6`;
      const { kind = null, deskHash = null, study = null, desk = null } = filter;
      const rows = this.db.prepare(sql).all(before, kind, deskHash, study, desk, limit);
      return rows.map((row) => this.read(row as unknown as Row));
    });
  }

  /** One run by its hash; null where it is not on record. */
  find(hash: string): RecordedRun | null {
    const row = this.row(hash);
    return row === null ? null : this.read(row);
  }

  /** Daily returns of a run and the UTC days they are of; null where it is not on record. */
  returns(hash: string): { readonly days: Int32Array; readonly returns: Float64Array } | null {
    const row = this.row(hash);
    if (row === null) return null;
    const { record } = this.read(row);
    return this.guarded(() => {
      const found = this.db.prepare('SELECT days FROM days WHERE hash = ?').get(record.days.hash);
      const bytes = (found as { days: Uint8Array } | undefined)?.days;
      if (bytes === undefined || sha256(bytes) !== record.days.hash)
        throw damagedRegistry(this.path, `days ${record.days.hash.slice(0, 12)} are missing or changed`);
      return { days: wholesOf(bytes), returns: doublesOf(row.returns) };
    });
  }

  /** Directories in which a run was kept, the newest first. */
  places(hash: string): string[] {
    return this.guarded(() => {
      const sql = 'SELECT directory FROM places WHERE hash = ? ORDER BY at DESC, directory';
      return this.db
        .prepare(sql)
        .all(hash)
        .map((row) => String(row.directory));
    });
  }

  /** Promotions of a desk with its parameters, in their order. */
  stages(deskHash: string): StageRecord[] {
    return this.guarded(() => {
      const sql = `SELECT position, hash, body FROM entries WHERE kind = 'stage' AND subject = ? ORDER BY position`;
      return this.db
        .prepare(sql)
        .all(deskHash)
        .map(({ position, hash, body }) => {
          if (sha256(String(body)) !== hash)
            throw damagedRegistry(
              this.path,
              `entry ${String(position)} was changed: its contents have another hash`,
            );
          return JSON.parse(String(body)) as StageRecord;
        });
    });
  }

  /** Where the last promotion of exactly these parameters led. */
  stageOf(deskHash: string): Stage {
    return this.stages(deskHash).at(-1)?.to ?? 'research';
  }

  /** How many runs of a desk there are, by how they were made. */
  kinds(deskHash: string): Record<string, number> {
    return this.guarded(() => {
      const sql = `SELECT kind, count(*) AS n FROM entries WHERE subject = ? AND returns IS NOT NULL GROUP BY kind ORDER BY kind`;
      const rows = this.db.prepare(sql).all(deskHash);
      return Object.fromEntries(rows.map(({ kind, n }) => [String(kind), Number(n)]));
    });
  }

  close(): void {
    this.db.close();
  }

  private row(hash: string): Row | null {
    return this.guarded(() => {
      const sql = `SELECT position, hash, kind, at, file, study, body, returns FROM entries WHERE hash = ? AND returns IS NOT NULL`;
      return (this.db.prepare(sql).get(hash) as unknown as Row | undefined) ?? null;
    });
  }

  private read({ position, hash, kind, at, file, study, body, returns }: Row): RecordedRun {
    const record = JSON.parse(body) as TrialRecord;
    if (trialHash(record, doublesOf(returns)) !== hash)
      throw damagedRegistry(this.path, `entry ${position} was changed: its contents have another hash`);
    return { position, hash, kind: kind as TrialKind, at, file, study, record };
  }

  private guarded<T>(action: () => T): T {
    try {
      return action();
    } catch (error) {
      throw registryFault(this.path, error) ?? error;
    }
  }
}
