import { Secret, TOTP } from 'otpauth';
import { renderSVG } from 'uqr';
import type { ConsoleStore } from './console-store.ts';
import { Refusal } from './refusal.ts';
import { hashSecret, readableSecret } from './secret.ts';
import type { User } from './users.ts';

/** What an authenticator needs; shown once. */
export interface Enrolment {
  /** Base32. */
  readonly secret: string;
  /** `otpauth://totp/...` */
  readonly uri: string;
  /** The same as a picture: a whole `<svg>` element. */
  readonly svg: string;
}

const PERIOD_S = 30;
/** A code of the step before or after is good too: clocks differ. */
const WINDOW = 1;
export const RECOVERY_CODES = 8;

/** Time-based one-time codes (RFC 6238: SHA-1, 6 digits, 30 s), each good once, and recovery codes for a lost telephone. */
export class SecondFactor {
  private readonly store: ConsoleStore;

  constructor(store: ConsoleStore) {
    this.store = store;
  }

  /** Begins: nothing is asked of the user until {@link confirm}. Throws {@link Refusal} where there is a second factor already. */
  enrol(user: User): Enrolment {
    if (user.secondFactor)
      throw new Refusal('refused', 'there is a second factor already', 'remove it first to enrol another');
    const secret = new Secret({ size: 20 });
    this.store.run(
      'UPDATE users SET totp_secret = ?, totp_step = 0 WHERE id = ? AND totp_confirmed_at IS NULL',
      secret.base32,
      user.id,
    );
    const uri = totpOf(secret.base32, user.name).toString();
    return { secret: secret.base32, uri, svg: renderSVG(uri, { ecc: 'M', border: 4, pixelSize: 4 }) };
  }

  /** Ends the enrolment with a first code and gives the recovery codes, shown once; null for a wrong code. */
  confirm(user: User, code: string): string[] | null {
    return this.store.transaction(() => {
      if (!this.checkCode(user, code)) return null;
      this.store.run(
        'UPDATE users SET totp_confirmed_at = ? WHERE id = ? AND totp_confirmed_at IS NULL',
        this.store.now(),
        user.id,
      );
      return this.newRecoveryCodes(user);
    });
  }

  /** A code of the authenticator, or a recovery code; each is good once. */
  check(user: User, code: string): boolean {
    return /^\d{6}$/.test(plain(code)) ? this.checkCode(user, code) : this.useRecoveryCode(user, code);
  }

  newRecoveryCodes(user: User): string[] {
    const codes = Array.from({ length: RECOVERY_CODES }, () => readableSecret(4));
    this.store.transaction(() => {
      this.store.run('DELETE FROM recovery_codes WHERE user_id = ?', user.id);
      for (const code of codes)
        this.store.run(
          'INSERT INTO recovery_codes (user_id, hash) VALUES (?, ?)',
          user.id,
          hashSecret(plain(code)),
        );
    });
    return codes;
  }

  recoveryCodesLeft(user: User): number {
    const row = this.store.get(
      'SELECT count(*) AS n FROM recovery_codes WHERE user_id = ? AND used_at IS NULL',
      user.id,
    )!;
    return Number(row.n);
  }

  private checkCode(user: User, code: string): boolean {
    const row = this.store.get('SELECT totp_secret FROM users WHERE id = ?', user.id);
    if (typeof row?.totp_secret !== 'string') return false;
    const now = this.store.now();
    const delta = totpOf(row.totp_secret, user.name).validate({
      token: plain(code),
      timestamp: now,
      window: WINDOW,
    });
    if (delta === null) return false;
    const step = Math.floor(now / (PERIOD_S * 1_000)) + delta;
    // a step is taken once, whoever asks at the same time
    return (
      this.store.run('UPDATE users SET totp_step = ? WHERE id = ? AND totp_step < ?', step, user.id, step) ===
      1
    );
  }

  private useRecoveryCode(user: User, code: string): boolean {
    const used = this.store.run(
      'UPDATE recovery_codes SET used_at = ? WHERE user_id = ? AND hash = ? AND used_at IS NULL',
      this.store.now(),
      user.id,
      hashSecret(plain(code)),
    );
    return used === 1;
  }
}

const plain = (code: string) => code.replace(/[\s-]/g, '').toLowerCase();

const totpOf = (secret: string, name: string) =>
  new TOTP({
    issuer: 'Quorum',
    label: name,
    algorithm: 'SHA1',
    digits: 6,
    period: PERIOD_S,
    secret: Secret.fromBase32(secret),
  });
