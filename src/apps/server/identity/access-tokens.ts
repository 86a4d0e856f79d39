import { jwtVerify, SignJWT } from 'jose';
import { MINUTE } from '#base';
import { SCOPES, type Scope } from '../../contract/index.ts';
import type { ConsoleStore } from './console-store.ts';
import type { Endings } from './endings.ts';
import { randomId } from './secret.ts';
import type { Settings } from './settings.ts';
import type { User, Users } from './users.ts';
import { scopesWithin } from './who.ts';

export const ACCESS_TOKEN_MS = 15 * MINUTE;

const ISSUER = 'quorum';
const AUDIENCE = 'quorum-console';
const ALGORITHM = 'HS256';

/** What a JWT of ours says once it is believed. */
export interface AccessToken {
  readonly jti: string;
  readonly user: User;
  readonly scopes: readonly Scope[];
  /** Epoch milliseconds. */
  readonly expiresAt: number;
}

/**
 * Short JSON web tokens (RFC 7519, HS256) for clients of the password flow. Each carries the user's version: a changed password
 * or role, a disabled user and "log out everywhere" end all of them; a log-out ends one by its id.
 */
export class AccessTokens {
  private readonly store: ConsoleStore;
  private readonly users: Users;
  private readonly endings: Endings;
  private readonly key: Uint8Array;

  constructor(store: ConsoleStore, settings: Settings, users: Users, endings: Endings) {
    this.store = store;
    this.users = users;
    this.endings = endings;
    this.key = Buffer.from(settings.secret('identity.jwt-key'), 'base64url');
  }

  async make(user: User, scopes: readonly Scope[]): Promise<{ text: string; expiresAt: number }> {
    const now = this.store.now();
    const expiresAt = now + ACCESS_TOKEN_MS;
    const text = await new SignJWT({ scope: scopes.join(' '), ver: user.version, name: user.name })
      .setProtectedHeader({ alg: ALGORITHM, typ: 'JWT' })
      .setIssuer(ISSUER)
      .setAudience(AUDIENCE)
      .setSubject(user.id)
      .setJti(randomId())
      .setIssuedAt(Math.floor(now / 1_000))
      .setExpirationTime(Math.floor(expiresAt / 1_000))
      .sign(this.key);
    return { text, expiresAt };
  }

  /** Null where it is forged, expired, revoked, older than the user's version, or the user is gone or disabled. */
  async find(text: string): Promise<AccessToken | null> {
    const payload = await this.verified(text);
    if (payload === null) return null;
    const { sub, jti, ver, scope, exp } = payload;
    if (typeof sub !== 'string' || typeof jti !== 'string' || typeof exp !== 'number') return null;
    const user = this.users.find(sub);
    if (user === null || user.disabled || user.version !== ver || this.isRevoked(jti)) return null;
    const named = String(scope).split(' ');
    const scopes = SCOPES.filter((one) => named.includes(one));
    return { jti, user, scopes: scopesWithin(user.role, scopes), expiresAt: exp * 1_000 };
  }

  revoke(userId: string, jti: string): void {
    const now = this.store.now();
    this.store.transaction(() => {
      this.store.run('DELETE FROM jwt_revocations WHERE expires_at <= ?', now);
      this.store.run('INSERT OR IGNORE INTO jwt_revocations VALUES (?, ?)', jti, now + ACCESS_TOKEN_MS);
    });
    this.endings.tell(userId, jti);
  }

  isRevoked(jti: string): boolean {
    return this.store.get('SELECT 1 FROM jwt_revocations WHERE jti = ?', jti) !== undefined;
  }

  private async verified(text: string) {
    try {
      const { payload } = await jwtVerify(text, this.key, {
        algorithms: [ALGORITHM],
        issuer: ISSUER,
        audience: AUDIENCE,
        currentDate: new Date(this.store.now()),
      });
      return payload;
    } catch {
      // jose throws for each way in which a token can be wrong; all of them mean: not let in
      return null;
    }
  }
}
