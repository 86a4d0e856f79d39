import type { Call } from '../context.ts';
import { setCookie } from './cookies.ts';
import { actorOf, type Identity } from './identity.ts';
import { Refusal } from './refusal.ts';
import { type NewSession, SESSION_MS } from './sessions.ts';
import type { User } from './users.ts';
import { scopesOf } from './who.ts';

/** What the areas about people work with. */
export interface People {
  readonly identity: Identity;
  /** Whether the cookie is only sent over TLS. */
  readonly secureCookie: boolean;
}

/** The prefix makes the browser itself refuse a cookie that another host or a plain connection sets. */
export const cookieName = (identity: Identity, secure: boolean): string =>
  `${secure ? '__Host-' : ''}quorum-${identity.cookieSuffix}`;

export function handOver({ identity, secureCookie }: People, call: Call, made: NewSession | null): void {
  const name = cookieName(identity, secureCookie);
  const cookie =
    made === null
      ? setCookie(name, '', 0, secureCookie)
      : setCookie(name, made.secret, Math.floor(SESSION_MS / 1_000), secureCookie);
  call.header('set-cookie', cookie);
}

/** The user who calls. Throws {@link Refusal} where nobody is logged in. */
export function callerOf({ identity }: People, call: Call): User {
  const user = call.who === null ? null : identity.users.find(call.who.id);
  if (user === null) throw new Refusal('unauthenticated', 'nobody is logged in', 'log in first');
  return user;
}

/**
 * The same for acts on the account itself: a program's token could otherwise make itself a stronger or a longer-lived one.
 * A session may, and a JWT that holds every scope of its user.
 */
export function ownerOf(people: People, call: Call): User {
  const user = callerOf(people, call);
  const { via, scopes } = call.who!;
  if (via === 'token' || scopes.length < scopesOf(user.role).length)
    throw new Refusal(
      'forbidden',
      'this token may not change the account it belongs to',
      'log in to the console with name and password',
    );
  return user;
}

export const actor = (call: Call) => actorOf(call.who, call.address);

/** How `who` is told to itself; `credential` is the session or token it now has. */
export function selfOf(
  { identity }: People,
  user: User,
  via: 'session' | 'token' | 'jwt',
  credential: string,
) {
  return {
    id: user.id,
    name: user.name,
    role: user.role,
    scopes: [...scopesOf(user.role)],
    via,
    totp: user.secondFactor,
    mustChangePassword: user.mustChange,
    csrf: via === 'session' ? identity.sessions.csrfOf(credential) : null,
  };
}

/** After a change of rights or of what proves who it is: a new cookie for a session; nothing for a token. */
export function renew(people: People, call: Call): string {
  const { via, credential } = call.who!;
  if (via !== 'session') return credential;
  const { sessions } = people.identity;
  const session = sessions.list(call.who!.id).find(({ id }) => id === credential);
  if (session === undefined) throw new Refusal('unauthenticated', 'the session has ended', 'log in again');
  const made = sessions.rotate(session);
  handOver(people, call, made);
  return made.session.id;
}
