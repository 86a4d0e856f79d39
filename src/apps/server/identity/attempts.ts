import { DAY, HOUR, MINUTE } from '#base';
import type { ConsoleStore } from './console-store.ts';
import { hashSecret } from './secret.ts';

/** How many wrong attempts are free, how long the first wait is, and the longest. */
export interface LockRule {
  readonly free: number;
  readonly firstMs: number;
  readonly mostMs: number;
}

export const LOCK_RULE: LockRule = { free: 5, firstMs: MINUTE, mostMs: HOUR };

/** Wrong attempts older than this are forgotten. */
const KEPT_MS = DAY;
/** Rows kept at most; the oldest go first. */
const ROWS_MOST = 100_000;

const ADDRESS_MOST = 64;

/**
 * Counts wrong log-ins per name and per address in the store, so that a restart resets nothing. After five the next must wait
 * a minute, then two, four, up to an hour. An attempt counts from its beginning until it proves right: many at once gain nothing.
 */
export class Attempts {
  private readonly store: ConsoleStore;
  private readonly rule: LockRule;

  constructor(store: ConsoleStore, rule: LockRule = LOCK_RULE) {
    this.store = store;
    this.rule = rule;
  }

  /**
   * Counts an attempt and returns its number, or how long to wait when there were too many; then nothing is checked and nothing
   * counted. Names of users who do not exist are counted like others.
   */
  begin(name: string, address: string): { readonly id: number } | { readonly waitMs: number } {
    const now = this.store.now();
    const [who, where] = [nameKey(name), addressKey(address)];
    return this.store.transaction(() => {
      const waitMs = Math.max(
        this.wait('name = ? AND forgiven = 0', who, now),
        this.wait('address = ?', where, now),
      );
      if (waitMs > 0) return { waitMs };
      this.store.run('INSERT INTO login_attempts (at, name, address) VALUES (?, ?, ?)', now, who, where);
      const id = Number(this.store.get('SELECT last_insert_rowid() AS id')!.id);
      this.store.run('DELETE FROM login_attempts WHERE at < ? OR id <= ?', now - KEPT_MS, id - ROWS_MOST);
      return { id };
    });
  }

  /** The attempt was right so far, but more is needed (a second factor): it no longer counts, those before it do. */
  undo(id: number): void {
    this.store.run('DELETE FROM login_attempts WHERE id = ?', id);
  }

  /** The attempt was right: what this user did wrong before no longer counts, what others did from the address still does. */
  succeed(name: string, address: string): void {
    const who = nameKey(name);
    this.store.transaction(() => {
      this.store.run('DELETE FROM login_attempts WHERE name = ? AND address = ?', who, addressKey(address));
      this.store.run('UPDATE login_attempts SET forgiven = 1 WHERE name = ?', who);
    });
  }

  /** Ends the wait of a user at once. */
  forgive(name: string): void {
    this.store.run('DELETE FROM login_attempts WHERE name = ?', nameKey(name));
  }

  /** Instant until which a user has to wait; null when there is no wait. */
  lockedUntil(name: string): number | null {
    const now = this.store.now();
    const waitMs = this.wait('name = ? AND forgiven = 0', nameKey(name), now);
    return waitMs > 0 ? now + waitMs : null;
  }

  private wait(where: string, key: string, now: number): number {
    const row = this.store.get(
      `SELECT count(*) AS wrong, max(at) AS last FROM login_attempts WHERE ${where} AND at >= ?`,
      key,
      now - KEPT_MS,
    )!;
    const wrong = Number(row.wrong);
    if (wrong < this.rule.free) return 0;
    const lockMs = Math.min(this.rule.firstMs * 2 ** Math.min(wrong - this.rule.free, 30), this.rule.mostMs);
    return Math.max(0, Number(row.last) + lockMs - now);
  }
}

/** Hashed, because people type passwords into the wrong field. */
const nameKey = (name: string) => hashSecret(name.normalize('NFKC').toLowerCase());

/** An address as counted: of IPv6 the /64 that one customer gets, of IPv4 in IPv6 the IPv4. */
export function addressKey(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address);
  if (mapped) return mapped[1]!;
  if (!address.includes(':')) return address.slice(0, ADDRESS_MOST);
  const [head = '', tail] = address.split('%')[0]!.split('::');
  const groups = head === '' ? [] : head.split(':');
  const after = tail === undefined || tail === '' ? [] : tail.split(':');
  const missing = tail === undefined ? 0 : Math.max(0, 8 - groups.length - after.length);
  const whole = [...groups, ...Array<string>(missing).fill('0'), ...after];
  return `${whole
    .slice(0, 4)
    .map((group) => group.toLowerCase().replace(/^0+(?=.)/, ''))
    .join(':')}::/64`;
}
