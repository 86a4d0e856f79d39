import { MINUTE } from '#base';
import { AccessTokens } from './access-tokens.ts';
import { ApiTokens, isApiToken } from './api-tokens.ts';
import { Attempts } from './attempts.ts';
import { type Actor, Audit } from './audit.ts';
import { Confirmations } from './confirmations.ts';
import type { ConsoleStore } from './console-store.ts';
import { Endings } from './endings.ts';
import { PasswordHasher } from './passwords.ts';
import { SecondFactor } from './second-factor.ts';
import { hashSecret } from './secret.ts';
import { Sessions } from './sessions.ts';
import { Settings } from './settings.ts';
import { type User, Users } from './users.ts';
import { type Identified, scopesOf, scopesWithin } from './who.ts';

/** Whether dangerous acts of users with a second factor need a fresh code. */
const DANGER_NEEDS_CODE = 'identity.danger-needs-code';

/** Everything about who may do what, over one store. Knows nothing of HTTP. */
export class Identity {
  readonly store: ConsoleStore;
  readonly settings: Settings;
  readonly endings = new Endings();
  readonly audit: Audit;
  readonly attempts: Attempts;
  readonly users: Users;
  readonly sessions: Sessions;
  readonly apiTokens: ApiTokens;
  readonly accessTokens: AccessTokens;
  readonly secondFactor: SecondFactor;
  readonly confirmations: Confirmations;
  /** Different for each data directory: several consoles on one machine share a host name, and cookies do not see ports. */
  readonly cookieSuffix: string;

  constructor(store: ConsoleStore, hasher: PasswordHasher) {
    this.store = store;
    this.settings = new Settings(store);
    this.audit = new Audit(store);
    this.attempts = new Attempts(store);
    this.users = new Users(store, hasher, this.endings);
    this.sessions = new Sessions(store, this.settings, this.endings);
    this.apiTokens = new ApiTokens(store, this.endings);
    this.accessTokens = new AccessTokens(store, this.settings, this.users, this.endings);
    this.secondFactor = new SecondFactor(store);
    this.confirmations = new Confirmations(() => store.now());
    this.cookieSuffix = hashSecret(this.settings.secret('identity.cookie-name')).slice(0, 8);
  }

  /** Who holds a session cookie; null where it is not good. */
  bySession(secret: string): Identified | null {
    const session = this.sessions.find(secret);
    const user = session === null ? null : this.users.find(session.userId);
    if (session === null || user === null || user.disabled) return null;
    return identified(user, 'session', session.id, scopesOf(user.role), null);
  }

  /** Who holds a bearer token: an API token or a JWT; null where it is not good. */
  async byToken(text: string, address: string): Promise<Identified | null> {
    if (!isApiToken(text)) {
      const token = await this.accessTokens.find(text);
      return token === null ? null : identified(token.user, 'jwt', token.jti, token.scopes, token.expiresAt);
    }
    const token = this.apiTokens.find(text, address);
    const user = token === null ? null : this.users.find(token.userId);
    if (token === null || user === null || user.disabled) return null;
    return identified(user, 'token', token.id, scopesWithin(user.role, token.scopes), token.expiresAt);
  }

  /**
   * Whether what let somebody in still would. Needed for connections that stay open, since `quorum users` may change the file
   * from another process, and tokens expire.
   */
  isCurrent(who: Identified): boolean {
    const user = this.users.find(who.id);
    if (user === null || user.disabled || user.role !== who.role) return false;
    if (who.expiresAt !== null && this.store.now() >= who.expiresAt) return false;
    if (who.via === 'session') return this.sessions.isOpen(who.credential);
    if (who.via === 'token') return this.apiTokens.isOpen(who.credential);
    return !this.accessTokens.isRevoked(who.credential) && user.version === who.version;
  }

  get dangerNeedsCode(): boolean {
    return this.settings.read(DANGER_NEEDS_CODE) === true;
  }

  setDangerNeedsCode(needed: boolean): void {
    this.settings.write(DANGER_NEEDS_CODE, needed);
  }
}

/** Opens identity over a store. Clocks and costs come with the store and the hasher. */
export function openIdentity(store: ConsoleStore, hasher: PasswordHasher = new PasswordHasher()): Identity {
  return new Identity(store, hasher);
}

/** The words of the audit for somebody who is logged in. */
export const actorOf = (who: Pick<Identified, 'id' | 'name' | 'via'> | null, address: string): Actor =>
  who === null
    ? { userId: null, by: '', via: 'login', address }
    : { userId: who.id, by: who.name, via: who.via, address };

/** How long {@link Identity.isCurrent} may be trusted, at most. */
export const CURRENT_MS = MINUTE / 6;

function identified(
  user: User,
  via: Identified['via'],
  credential: string,
  scopes: Identified['scopes'],
  expiresAt: number | null,
): Identified {
  const { id, name, role, mustChange, secondFactor, version } = user;
  return { id, name, role, scopes, via, credential, mustChange, secondFactor, version, expiresAt };
}
