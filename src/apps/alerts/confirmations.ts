import { randomBytes } from 'node:crypto';
import type { Instant } from '#base';

export interface Waiting<T> {
  readonly user: number;
  readonly chat: number;
  readonly what: T;
  readonly expiresAt: Instant;
}

export type Redeemed<T> =
  | { readonly is: 'ok'; readonly what: T }
  | { readonly is: 'unknown' | 'expired' | 'foreign' };

const MOST = 100;
/** How long a question for confirmation may be answered. */
export const CONFIRM_MS = 60_000;

/** Questions that wait for a second word, each by a number that cannot be guessed, for one user in one chat, once. */
export class Confirmations<T> {
  private readonly waiting = new Map<string, Waiting<T>>();

  ask(user: number, chat: number, what: T, now: Instant): string {
    for (const [nonce, { expiresAt }] of this.waiting) if (expiresAt <= now) this.waiting.delete(nonce);
    for (const nonce of this.waiting.keys()) {
      if (this.waiting.size < MOST) break;
      this.waiting.delete(nonce);
    }
    const nonce = randomBytes(16).toString('base64url');
    this.waiting.set(nonce, { user, chat, what, expiresAt: now + CONFIRM_MS });
    return nonce;
  }

  /** Takes a question out. Another user's press leaves it for the one who asked. */
  redeem(nonce: string, user: number, chat: number, now: Instant): Redeemed<T> {
    const one = this.waiting.get(nonce);
    if (one === undefined) return { is: 'unknown' };
    if (one.user !== user || one.chat !== chat) return { is: 'foreign' };
    this.waiting.delete(nonce);
    return one.expiresAt <= now ? { is: 'expired' } : { is: 'ok', what: one.what };
  }
}
