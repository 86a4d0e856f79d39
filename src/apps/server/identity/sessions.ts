import { DAY, HOUR, MINUTE } from '#base';
import type { ConsoleStore, SqlRow } from './console-store.ts';
import type { Endings } from './endings.ts';
import { derive, hashSecret, randomId, randomSecret, sameText } from './secret.ts';
import type { Settings } from './settings.ts';

/** A browser that is logged in. */
export interface Session {
  /** Public: for lists and for ending it. */
  readonly id: string;
  readonly userId: string;
  readonly createdAt: number;
  readonly seenAt: number;
  readonly expiresAt: number;
  readonly address: string;
  /** What the browser calls itself. */
  readonly agent: string;
}

/** A session that was just made; the secret goes into the cookie and is kept nowhere. */
export interface NewSession {
  readonly session: Session;
  readonly secret: string;
}

export const SESSION_IDLE_MS = 12 * HOUR;
export const SESSION_MS = 7 * DAY;
/** The oldest one ends when a user has more. */
const SESSIONS_MOST = 20;
/** How often it is noted that a session was used. */
const TOUCH_MS = MINUTE;
const AGENT_MOST = 200;
/** A cookie of ours is 43 characters. Others are not even hashed. */
const SECRET = /^[\w-]{43}$/;

export class Sessions {
  private readonly store: ConsoleStore;
  private readonly endings: Endings;
  private readonly csrfKey: string;

  constructor(store: ConsoleStore, settings: Settings, endings: Endings) {
    this.store = store;
    this.endings = endings;
    this.csrfKey = settings.secret('identity.csrf-key');
  }

  /** The token that belongs to a session, by its public id; a page gets it with its first answer. */
  csrfOf(id: string): string {
    return derive(this.csrfKey, id);
  }

  csrfMatches(id: string, given: string): boolean {
    return sameText(this.csrfOf(id), given);
  }

  open(userId: string, address: string, agent: string): NewSession {
    const now = this.store.now();
    return this.store.transaction(() => {
      this.store.run(
        'DELETE FROM sessions WHERE expires_at <= ? OR seen_at <= ?',
        now,
        now - SESSION_IDLE_MS,
      );
      const open = this.list(userId);
      for (const { id } of open.slice(SESSIONS_MOST - 1)) this.end(userId, id);
      return this.insert(userId, now, now + SESSION_MS, address, agent.slice(0, AGENT_MOST));
    });
  }

  /** The session of a cookie; null where it is unknown, over or unused for too long. */
  find(secret: string): Session | null {
    if (!SECRET.test(secret)) return null;
    const hash = hashSecret(secret);
    const row = this.store.get('SELECT * FROM sessions WHERE hash = ?', hash);
    if (row === undefined) return null;
    const session = sessionOf(row);
    const now = this.store.now();
    if (isOver(session, now)) {
      this.end(session.userId, session.id);
      return null;
    }
    if (now - session.seenAt >= TOUCH_MS)
      this.store.run('UPDATE sessions SET seen_at = ? WHERE hash = ?', now, hash);
    return session;
  }

  /** Whether a session goes on, by its public id. */
  isOpen(id: string): boolean {
    const row = this.store.get('SELECT * FROM sessions WHERE id = ?', id);
    return row !== undefined && !isOver(sessionOf(row), this.store.now());
  }

  /**
   * A new secret for a session whose user has just gained or changed rights: what somebody may have learnt of the old one is
   * worth nothing. Ends at the same time as the old one would have.
   */
  rotate(session: Session): NewSession {
    return this.store.transaction(() => {
      this.end(session.userId, session.id);
      const { userId, expiresAt, address, agent } = session;
      return this.insert(userId, this.store.now(), expiresAt, address, agent);
    });
  }

  /** Ends a session of a user. False when the user has no such session. */
  end(userId: string, id: string): boolean {
    const ended = this.store.run('DELETE FROM sessions WHERE user_id = ? AND id = ?', userId, id) > 0;
    if (ended) this.endings.tell(userId, id);
    return ended;
  }

  /** Newest first; those that are over are left out. */
  list(userId: string): Session[] {
    const now = this.store.now();
    return this.store
      .all('SELECT * FROM sessions WHERE user_id = ? ORDER BY created_at DESC, id', userId)
      .map(sessionOf)
      .filter((session) => !isOver(session, now));
  }

  private insert(userId: string, now: number, expiresAt: number, address: string, agent: string): NewSession {
    const secret = randomSecret();
    const session = { id: randomId(), userId, createdAt: now, seenAt: now, expiresAt, address, agent };
    this.store.run(
      'INSERT INTO sessions (hash, id, user_id, created_at, seen_at, expires_at, address, agent) VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
      hashSecret(secret),
      session.id,
      userId,
      now,
      now,
      expiresAt,
      address,
      agent,
    );
    return { session, secret };
  }
}

const isOver = ({ expiresAt, seenAt }: Session, now: number) =>
  now >= expiresAt || now - seenAt >= SESSION_IDLE_MS;

const sessionOf = (row: SqlRow): Session => ({
  id: String(row.id),
  userId: String(row.user_id),
  createdAt: Number(row.created_at),
  seenAt: Number(row.seen_at),
  expiresAt: Number(row.expires_at),
  address: String(row.address),
  agent: String(row.agent),
});
