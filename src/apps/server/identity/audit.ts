import { canonicalJson, sha256 } from '#base';
import type { ConsoleStore, SqlRow } from './console-store.ts';

/** Who did something, for the audit: a person, a program, or the shell of the machine. */
export interface Actor {
  readonly userId: string | null;
  /** Name for people; of a log-in that failed, the name that was tried. */
  readonly by: string;
  readonly via: 'session' | 'token' | 'jwt' | 'login' | 'shell' | 'telegram' | 'server';
  readonly address: string;
}

export interface AuditEntry {
  readonly id: number;
  /** Epoch milliseconds. */
  readonly at: number;
  /** What was done, as area and verb, such as `login` or `user-role-changed`. */
  readonly act: string;
  readonly outcome: 'done' | 'refused' | 'failed';
  readonly by: string;
  readonly userId: string | null;
  readonly via: string;
  readonly address: string;
  /** To whom or what; may be empty. */
  readonly subject: string;
  readonly reason: string;
  readonly detail: Readonly<Record<string, unknown>>;
}

export interface AuditFilter {
  readonly act?: string | undefined;
  readonly by?: string | undefined;
  readonly outcome?: AuditEntry['outcome'] | undefined;
}

/** Texts from outside are cut to this, so that nobody fills the file with one name. */
const TEXT_MOST = 500;
const DETAIL_MOST = 20_000;

/**
 * Every act that matters, in order. Nothing is taken out or changed: triggers refuse it, and each entry carries a SHA-256 over
 * itself and the one before, so that a row changed by other means is noticed by {@link Audit.verify}.
 */
export class Audit {
  private readonly store: ConsoleStore;
  private readonly listeners = new Set<(entry: AuditEntry) => void>();

  constructor(store: ConsoleStore) {
    this.store = store;
  }

  /** Called with every entry once it is kept, so that it can be journaled too. Returns the function that stops listening. */
  listen(listener: (entry: AuditEntry) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** Keeps an act and returns its number. Secrets must not be in `detail`. */
  write(
    actor: Actor,
    act: string,
    outcome: AuditEntry['outcome'],
    more: {
      readonly subject?: string;
      readonly reason?: string;
      readonly detail?: Readonly<Record<string, unknown>>;
    } = {},
  ): number {
    const id = this.store.transaction(() => {
      const at = this.store.now();
      const detail = canonicalJson(more.detail ?? {}).toWellFormed();
      const fields = [
        at,
        cut(act),
        outcome,
        cut(actor.by),
        actor.userId,
        actor.via,
        cut(actor.address),
        cut(more.subject ?? ''),
        cut(more.reason ?? ''),
        detail.length > DETAIL_MOST
          ? canonicalJson({ sha256: sha256(detail), length: detail.length })
          : detail,
      ] as const;
      const last = this.store.get('SELECT chain FROM audit ORDER BY id DESC LIMIT 1');
      this.store.run(
        `INSERT INTO audit (at, act, outcome, by, user_id, via, address, subject, reason, detail, chain)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
        ...fields,
        link(String(last?.chain ?? ''), fields),
      );
      return Number(this.store.get('SELECT last_insert_rowid() AS id')!.id);
    });
    if (this.listeners.size > 0) {
      const entry = entryOf(this.store.get('SELECT * FROM audit WHERE id = ?', id)!);
      for (const listener of this.listeners) listener(entry);
    }
    return id;
  }

  /** Newest first, those before the entry `before` where it is given. */
  list(filter: AuditFilter, limit: number, before: number | null = null): AuditEntry[] {
    const rows = this.store.all(
      `SELECT * FROM audit WHERE (?1 IS NULL OR id < ?1) AND (?2 IS NULL OR act = ?2)
       AND (?3 IS NULL OR by = ?3) AND (?4 IS NULL OR outcome = ?4) ORDER BY id DESC LIMIT ?5`,
      before,
      filter.act ?? null,
      filter.by ?? null,
      filter.outcome ?? null,
      limit,
    );
    return rows.map(entryOf);
  }

  /** Number of entries, and the first one whose chain does not fit; null when all do. */
  verify(): { readonly entries: number; readonly brokenAt: number | null } {
    let chain = '';
    let entries = 0;
    let brokenAt: number | null = null;
    const rows = this.store.db.prepare('SELECT * FROM audit ORDER BY id').iterate() as Iterable<SqlRow>;
    for (const row of rows) {
      entries += 1;
      const { at, act, outcome, by, user_id, via, address, subject, reason, detail } = row;
      chain = link(chain, [at, act, outcome, by, user_id, via, address, subject, reason, detail]);
      if (brokenAt === null && (chain !== row.chain || Number(row.id) !== entries)) brokenAt = Number(row.id);
    }
    return { entries, brokenAt };
  }
}

const link = (before: string, fields: readonly unknown[]) => sha256(JSON.stringify([before, ...fields]));

/**
 * A text as it is kept: not too long, and without what a database or a terminal would read as something else (control
 * characters, halves of characters), so that it comes back as it went in.
 */
const cut = (text: string) => {
  const short = text.length > TEXT_MOST ? `${text.slice(0, TEXT_MOST)}…` : text;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken out
  return short.replace(/[\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g, ' ').toWellFormed();
};

const entryOf = (row: SqlRow): AuditEntry => ({
  id: Number(row.id),
  at: Number(row.at),
  act: String(row.act),
  outcome: row.outcome as AuditEntry['outcome'],
  by: String(row.by),
  userId: row.user_id === null ? null : String(row.user_id),
  via: String(row.via),
  address: String(row.address),
  subject: String(row.subject),
  reason: String(row.reason),
  detail: JSON.parse(String(row.detail)) as Readonly<Record<string, unknown>>,
});
