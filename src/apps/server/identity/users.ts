import type { Role } from '../../contract/index.ts';
import type { ConsoleStore, SqlRow } from './console-store.ts';
import type { Endings } from './endings.ts';
import { PASSWORD_MEND, type PasswordHasher, passwordFault } from './passwords.ts';
import { Refusal } from './refusal.ts';
import { randomId, readableSecret } from './secret.ts';

export interface User {
  readonly id: string;
  readonly name: string;
  readonly role: Role;
  readonly disabled: boolean;
  /** The password was given by somebody else: a new one has to be chosen before anything else. */
  readonly mustChange: boolean;
  /** Has a confirmed second factor. */
  readonly secondFactor: boolean;
  /** Raised when everything the user was given has to end; JWTs carry it. */
  readonly version: number;
  readonly createdAt: number;
  readonly passwordAt: number;
  readonly lastLoginAt: number | null;
}

/** A password that was made up here; it is shown once and kept nowhere. */
export interface OneTimePassword {
  readonly user: User;
  readonly password: string;
}

export const FIRST_USER = 'admin';

const NAME = /^[a-z][a-z0-9._-]{1,31}$/i;
/** A limit on everything. */
const USERS_MOST = 1_000;
const ONE_TIME_GROUPS = 5;

/** Who may log in, in what role. Passwords are hashed; nothing here ever gives one back but a fresh one-time password. */
export class Users {
  private readonly store: ConsoleStore;
  private readonly hasher: PasswordHasher;
  private readonly endings: Endings;

  constructor(store: ConsoleStore, hasher: PasswordHasher, endings: Endings) {
    this.store = store;
    this.hasher = hasher;
    this.endings = endings;
  }

  /** Makes the first administrator; null when there are users already. */
  async firstStart(): Promise<OneTimePassword | null> {
    if (this.count() > 0) return null;
    const password = readableSecret(ONE_TIME_GROUPS);
    const hash = await this.hasher.hash(password);
    const user = this.store.transaction(() =>
      this.count() > 0 ? null : this.insert(FIRST_USER, 'administrator', hash),
    );
    return user === null ? null : { user, password };
  }

  find(id: string): User | null {
    const row = this.store.get('SELECT * FROM users WHERE id = ?', id);
    return row === undefined ? null : userOf(row);
  }

  /** Upper and lower case are the same. */
  findByName(name: string): User | null {
    const row = this.store.get('SELECT * FROM users WHERE name = ?', name);
    return row === undefined ? null : userOf(row);
  }

  /** By id. Throws {@link Refusal} `not-found`. */
  known(id: string): User {
    const user = this.find(id);
    if (user === null)
      throw new Refusal('not-found', 'there is no such user', 'list the users to see who there is');
    return user;
  }

  list(): User[] {
    return this.store.all('SELECT * FROM users ORDER BY name').map(userOf);
  }

  /** Adds a user with a one-time password. Throws {@link Refusal} for a bad or taken name. */
  async add(name: string, role: Role): Promise<OneTimePassword> {
    if (!NAME.test(name))
      throw new Refusal(
        'bad-input',
        'this is no name for a user',
        'use 2 to 32 letters, digits, dots, hyphens and underscores, a letter first',
      );
    const password = readableSecret(ONE_TIME_GROUPS);
    const hash = await this.hasher.hash(password);
    const user = this.store.transaction(() => {
      if (this.findByName(name) !== null)
        throw new Refusal('refused', `there is a user ${name} already`, 'choose another name');
      if (this.count() >= USERS_MOST)
        throw new Refusal('refused', `there are ${USERS_MOST} users already`, 'remove some first');
      return this.insert(name, role, hash);
    });
    return { user, password };
  }

  /** Whether the password is the user's; null stands for a user who does not exist and takes as long. */
  async checkPassword(user: User | null, password: string): Promise<boolean> {
    const row =
      user === null ? undefined : this.store.get('SELECT password FROM users WHERE id = ?', user.id);
    const stored = row === undefined ? null : String(row.password);
    const right = await this.hasher.verify(password, stored);
    if (right && stored !== null && this.hasher.isOutdated(stored)) {
      const hash = await this.hasher.hash(password);
      this.store.run('UPDATE users SET password = ? WHERE id = ? AND password = ?', hash, user!.id, stored);
    }
    return right;
  }

  noteLogin(id: string): void {
    this.store.run('UPDATE users SET last_login_at = ? WHERE id = ?', this.store.now(), id);
  }

  /**
   * Sets a password that the user chose. Ends every JWT and every session but `keep`. The caller has checked the old one.
   * Throws {@link Refusal} for a password against the rules.
   */
  async choosePassword(user: User, password: string, keep: string | null): Promise<void> {
    await this.refuseBadPassword(user, password);
    this.setPassword(user.id, await this.hasher.hash(password), false, keep);
  }

  /** Throws {@link Refusal} for a new password against the rules. */
  async refuseBadPassword(user: User, password: string): Promise<void> {
    const isOld = await this.checkPassword(user, password);
    const fault = passwordFault(password, user.name, isOld);
    if (fault !== null) throw new Refusal('bad-input', fault, PASSWORD_MEND);
  }

  /**
   * Gives a user a one-time password. Everything that was open ends, API tokens too: whoever asks for this may have lost
   * control of the account. Takes the second factor away where that is asked for.
   */
  async resetPassword(user: User, withoutSecondFactor: boolean): Promise<OneTimePassword> {
    const password = readableSecret(ONE_TIME_GROUPS);
    const hash = await this.hasher.hash(password);
    this.store.transaction(() => {
      this.known(user.id);
      this.store.run(
        'UPDATE api_tokens SET revoked_at = ? WHERE user_id = ? AND revoked_at IS NULL',
        this.store.now(),
        user.id,
      );
      if (withoutSecondFactor) this.clearSecondFactor(user.id);
      this.setPassword(user.id, hash, true, null);
    });
    return { user: this.known(user.id), password };
  }

  /** Everything the user has open ends, so that nothing goes on with what the role was. */
  setRole(user: User, role: Role): User {
    return this.changed(user, role === 'administrator', () => {
      this.store.run('UPDATE users SET role = ? WHERE id = ?', role, user.id);
    });
  }

  setDisabled(user: User, disabled: boolean): User {
    return this.changed(user, !disabled, () => {
      this.store.run('UPDATE users SET disabled = ? WHERE id = ?', disabled ? 1 : 0, user.id);
    });
  }

  remove(user: User): void {
    this.store.transaction(() => {
      this.known(user.id);
      this.keepAnAdministrator(user.id);
      this.store.run('DELETE FROM users WHERE id = ?', user.id);
    });
    this.endings.tell(user.id, null);
  }

  /** Ends every session and JWT of a user; API tokens stay. */
  endAll(userId: string, keep: string | null = null): void {
    this.store.transaction(() => {
      this.store.run('UPDATE users SET version = version + 1 WHERE id = ?', userId);
      this.store.run('DELETE FROM sessions WHERE user_id = ? AND id IS NOT ?', userId, keep);
    });
    this.endings.tell(userId, null, keep);
  }

  clearSecondFactor(userId: string): void {
    this.store.transaction(() => {
      this.store.run('UPDATE users SET totp_secret = NULL, totp_confirmed_at = NULL WHERE id = ?', userId);
      this.store.run('DELETE FROM recovery_codes WHERE user_id = ?', userId);
    });
  }

  private count(): number {
    return Number(this.store.get('SELECT count(*) AS n FROM users')!.n);
  }

  private insert(name: string, role: Role, hash: string): User {
    const id = randomId();
    const now = this.store.now();
    this.store.run(
      'INSERT INTO users (id, name, role, password, must_change, created_at, password_at) VALUES (?, ?, ?, ?, 1, ?, ?)',
      id,
      name,
      role,
      hash,
      now,
      now,
    );
    return this.known(id);
  }

  private setPassword(id: string, hash: string, mustChange: boolean, keep: string | null): void {
    this.store.transaction(() => {
      this.store.run(
        'UPDATE users SET password = ?, must_change = ?, password_at = ? WHERE id = ?',
        hash,
        mustChange ? 1 : 0,
        this.store.now(),
        id,
      );
      this.endAll(id, keep);
    });
  }

  private changed(user: User, staysAdministrator: boolean, change: () => void): User {
    const after = this.store.transaction(() => {
      this.known(user.id);
      if (!staysAdministrator) this.keepAnAdministrator(user.id);
      change();
      this.endAll(user.id);
      return this.known(user.id);
    });
    return after;
  }

  /** Throws {@link Refusal} when nobody but `id` could administrate. */
  private keepAnAdministrator(id: string): void {
    const { role, disabled } = this.known(id);
    if (role !== 'administrator' || disabled) return;
    const { n } = this.store.get(
      "SELECT count(*) AS n FROM users WHERE role = 'administrator' AND disabled = 0 AND id <> ?",
      id,
    )!;
    if (Number(n) === 0)
      throw new Refusal(
        'refused',
        'this is the last administrator',
        'make somebody else an administrator first',
      );
  }
}

const optional = (value: unknown) => (value === null ? null : Number(value));

const userOf = (row: SqlRow): User => ({
  id: String(row.id),
  name: String(row.name),
  role: row.role as Role,
  disabled: row.disabled === 1,
  mustChange: row.must_change === 1,
  secondFactor: row.totp_confirmed_at !== null,
  version: Number(row.version),
  createdAt: Number(row.created_at),
  passwordAt: Number(row.password_at),
  lastLoginAt: optional(row.last_login_at),
});
