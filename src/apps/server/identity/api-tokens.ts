import { DAY, MINUTE } from '#base';
import type { Scope } from '../../contract/index.ts';
import type { ConsoleStore, SqlRow } from './console-store.ts';
import type { Endings } from './endings.ts';
import { Refusal } from './refusal.ts';
import { hashSecret, randomId, randomSecret, sameText } from './secret.ts';
import type { User } from './users.ts';
import { scopesOf, scopesWithin } from './who.ts';

/** A key for a program. Its secret half is hashed. */
export interface ApiToken {
  readonly id: string;
  readonly userId: string;
  readonly name: string;
  readonly scopes: readonly Scope[];
  readonly createdAt: number;
  readonly expiresAt: number;
  readonly revokedAt: number | null;
  readonly lastUsedAt: number | null;
  readonly lastAddress: string | null;
}

export interface NewApiToken {
  readonly token: ApiToken;
  /** `qrm_ID_SECRET`; shown once and kept nowhere. */
  readonly text: string;
}

const TEXT = /^qrm_([0-9a-f]{24})_([\w-]{43})$/;
const TOUCH_MS = MINUTE;
/** Tokens of one user that work at the same time. */
const TOKENS_MOST = 50;
/** Tokens that do not work any more are kept this long for the list. */
const KEPT_MS = 90 * DAY;

export const isApiToken = (text: string): boolean => text.startsWith('qrm_');

export class ApiTokens {
  private readonly store: ConsoleStore;
  private readonly endings: Endings;

  constructor(store: ConsoleStore, endings: Endings) {
    this.store = store;
    this.endings = endings;
  }

  /** Throws {@link Refusal} where a scope is above the user's role or there are too many. */
  make(user: User, name: string, scopes: readonly Scope[], expiresAt: number): NewApiToken {
    const now = this.store.now();
    const above = scopes.find((scope) => !scopesOf(user.role).includes(scope));
    if (above !== undefined)
      throw new Refusal('forbidden', `a ${user.role} has no scope ${above}`, 'leave it out');
    if (expiresAt <= now)
      throw new Refusal('bad-input', 'the token would have expired already', 'choose a later time');
    return this.store.transaction(() => {
      this.store.run(
        'DELETE FROM api_tokens WHERE user_id = ? AND (revoked_at < ? OR expires_at < ?)',
        user.id,
        now - KEPT_MS,
        now - KEPT_MS,
      );
      const working = this.list(user.id).filter((token) => works(token, now));
      if (working.length >= TOKENS_MOST)
        throw new Refusal('refused', `${user.name} has ${TOKENS_MOST} tokens already`, 'revoke some first');
      const id = randomId();
      const secret = randomSecret();
      this.store.run(
        'INSERT INTO api_tokens (id, user_id, name, hash, scopes, created_at, expires_at) VALUES (?, ?, ?, ?, ?, ?, ?)',
        id,
        user.id,
        name,
        hashSecret(secret),
        JSON.stringify(scopesWithin(user.role, scopes)),
        now,
        expiresAt,
      );
      return { token: this.get(id)!, text: `qrm_${id}_${secret}` };
    });
  }

  /** The token of a text; null where it is unknown, wrong, revoked or expired. */
  find(text: string, address: string): ApiToken | null {
    const [, id, secret] = TEXT.exec(text) ?? [];
    if (id === undefined || secret === undefined) return null;
    const row = this.store.get('SELECT * FROM api_tokens WHERE id = ?', id);
    if (row === undefined || !sameText(String(row.hash), hashSecret(secret))) return null;
    const token = tokenOf(row);
    const now = this.store.now();
    if (!works(token, now)) return null;
    if (now - (token.lastUsedAt ?? 0) >= TOUCH_MS)
      this.store.run(
        'UPDATE api_tokens SET last_used_at = ?, last_address = ? WHERE id = ?',
        now,
        address,
        id,
      );
    return token;
  }

  /** Whether a token works, by its public id. */
  isOpen(id: string): boolean {
    const token = this.get(id);
    return token !== null && works(token, this.store.now());
  }

  get(id: string): ApiToken | null {
    const row = this.store.get('SELECT * FROM api_tokens WHERE id = ?', id);
    return row === undefined ? null : tokenOf(row);
  }

  /** Newest first, also those that do not work any more. */
  list(userId: string): ApiToken[] {
    return this.store
      .all('SELECT * FROM api_tokens WHERE user_id = ? ORDER BY created_at DESC, id', userId)
      .map(tokenOf);
  }

  /** False when it was revoked before. */
  revoke(token: ApiToken): boolean {
    const revoked =
      this.store.run(
        'UPDATE api_tokens SET revoked_at = ? WHERE id = ? AND revoked_at IS NULL',
        this.store.now(),
        token.id,
      ) > 0;
    if (revoked) this.endings.tell(token.userId, token.id);
    return revoked;
  }
}

const works = ({ expiresAt, revokedAt }: ApiToken, now: number) => revokedAt === null && now < expiresAt;

const optional = (value: unknown) => (value === null ? null : Number(value));

const tokenOf = (row: SqlRow): ApiToken => ({
  id: String(row.id),
  userId: String(row.user_id),
  name: String(row.name),
  scopes: JSON.parse(String(row.scopes)) as Scope[],
  createdAt: Number(row.created_at),
  expiresAt: Number(row.expires_at),
  revokedAt: optional(row.revoked_at),
  lastUsedAt: optional(row.last_used_at),
  lastAddress: row.last_address === null ? null : String(row.last_address),
});
