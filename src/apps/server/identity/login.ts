import type { Actor } from './audit.ts';
import type { Identity } from './identity.ts';
import { Refusal } from './refusal.ts';
import type { User } from './users.ts';

/** What somebody shows who wants in. */
export interface Credentials {
  readonly name: string;
  readonly password: string;
  /** Code of the second factor; null where none was given. */
  readonly code: string | null;
}

/** In the audit, of a name that no user has: people type passwords into the wrong field. */
const UNKNOWN = '(no such user)';

const wrong = () =>
  new Refusal(
    'wrong-credentials',
    'name, password or code is not right',
    'check them; somebody with a shell on the machine can give a new password: quorum users reset-password NAME',
  );

/**
 * Checks name, password and second factor, in a time that does not tell whether the user exists. Wrong ones are counted and
 * kept in the audit. Throws {@link Refusal}: `locked-out`, `wrong-credentials` (also for a user who is disabled),
 * `second-factor-required`.
 */
export async function logIn(identity: Identity, given: Credentials, address: string): Promise<User> {
  const user = identity.users.findByName(given.name);
  const actor: Actor = {
    userId: user?.id ?? null,
    by: user?.name ?? UNKNOWN,
    via: 'login',
    address,
  };
  const attempt = begin(identity, given.name, actor);
  const isRight = await identity.users.checkPassword(user, given.password);
  if (!isRight || user === null || user.disabled) {
    const detail = { why: user === null ? 'name' : isRight ? 'disabled' : 'password' };
    identity.audit.write(actor, 'login', 'failed', { detail });
    throw wrong();
  }
  if (user.secondFactor) {
    if (given.code === null) {
      identity.attempts.undo(attempt);
      throw new Refusal(
        'second-factor-required',
        'a code of the second factor is needed too',
        'send the code that the authenticator shows, or a recovery code, as "otp"',
      );
    }
    if (!identity.secondFactor.check(user, given.code)) {
      identity.audit.write(actor, 'login', 'failed', { detail: { why: 'code' } });
      throw wrong();
    }
  }
  identity.attempts.succeed(given.name, address);
  // what was disabled or changed while the password was hashed counts
  const now = identity.users.find(user.id);
  if (now === null || now.disabled || now.version !== user.version) throw wrong();
  identity.users.noteLogin(user.id);
  identity.audit.write(actor, 'login', 'done');
  return now;
}

/** What has to be shown again before an account is changed. */
export interface Proof {
  readonly password: string;
  /** Null where the second factor is not asked for. */
  readonly code: string | null;
}

/** Checks that it is still the same person. Counted like a log-in. Throws {@link Refusal} as {@link logIn} does. */
export async function proveAgain(identity: Identity, user: User, proof: Proof, actor: Actor): Promise<void> {
  begin(identity, user.name, actor);
  const isRight = await identity.users.checkPassword(user, proof.password);
  if (!isRight || (proof.code !== null && !identity.secondFactor.check(user, proof.code))) {
    identity.audit.write(actor, 'proof', 'failed', { detail: { why: isRight ? 'code' : 'password' } });
    // not 401: the session itself is good
    throw new Refusal('forbidden', 'password or code is not right', 'enter those in use now');
  }
  identity.attempts.succeed(user.name, actor.address);
}

/** Counts a code that is tried by somebody who is logged in. Throws {@link Refusal} `locked-out`. */
export function tryCode(identity: Identity, user: User, actor: Actor, check: () => boolean): boolean {
  begin(identity, user.name, actor);
  if (!check()) {
    identity.audit.write(actor, 'proof', 'failed', { detail: { why: 'code' } });
    return false;
  }
  identity.attempts.succeed(user.name, actor.address);
  return true;
}

function begin(identity: Identity, name: string, actor: Actor): number {
  const attempt = identity.attempts.begin(name, actor.address);
  if ('id' in attempt) return attempt.id;
  const retryAfterS = Math.ceil(attempt.waitMs / 1_000);
  identity.audit.write(actor, 'login', 'refused', { detail: { why: 'locked out', retryAfterS } });
  throw new Refusal('locked-out', 'too many wrong attempts', `wait ${retryAfterS} s before the next one`, {
    retryAfterS,
  });
}
