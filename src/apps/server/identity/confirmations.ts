import { canonicalJson, MINUTE, sha256 } from '#base';
import { hashSecret, randomSecret } from './secret.ts';

export interface Confirmation {
  /** Value of the header `x-quorum-confirm` of the second call. */
  readonly token: string;
  /** Epoch milliseconds. */
  readonly expiresAt: number;
  /** What will happen, for the person who confirms. */
  readonly says: string;
}

/** What a confirmation is for: it is good for nothing else. */
export interface ConfirmedAct {
  readonly userId: string;
  /** The session or token that asked. */
  readonly credential: string;
  readonly route: string;
  /** Everything the request says: parameters, query and body. */
  readonly input: unknown;
}

export const CONFIRMATION_MS = MINUTE;
/** Open at once, for everybody and for one user; the oldest one goes. */
const OPEN_MOST = 1_000;
const OPEN_OF_USER_MOST = 20;

interface Open {
  readonly userId: string;
  readonly act: string;
  readonly expiresAt: number;
}

/** Second confirmations of dangerous acts: bound to user, route and everything the request says, good once, for a minute. */
export class Confirmations {
  private readonly clock: () => number;
  private readonly open = new Map<string, Open>();

  constructor(clock: () => number) {
    this.clock = clock;
  }

  ask(act: ConfirmedAct, says: string): Confirmation {
    const now = this.clock();
    this.prune(now, act.userId);
    const token = randomSecret();
    const expiresAt = now + CONFIRMATION_MS;
    this.open.set(hashSecret(token), { userId: act.userId, act: actHash(act), expiresAt });
    return { token, expiresAt, says };
  }

  /** Uses a token up. False where it is unknown, used, expired, or for another act. */
  redeem(token: string, act: ConfirmedAct): boolean {
    const hash = hashSecret(token);
    const found = this.open.get(hash);
    this.open.delete(hash);
    return found !== undefined && this.clock() < found.expiresAt && found.act === actHash(act);
  }

  private prune(now: number, userId: string): void {
    const ofUser: string[] = [];
    for (const [hash, open] of this.open) {
      if (open.expiresAt <= now) this.open.delete(hash);
      else if (open.userId === userId) ofUser.push(hash);
    }
    for (const hash of ofUser.slice(0, Math.max(0, ofUser.length - OPEN_OF_USER_MOST + 1)))
      this.open.delete(hash);
    for (const hash of this.open.keys()) {
      if (this.open.size < OPEN_MOST) break;
      this.open.delete(hash);
    }
  }
}

const actHash = ({ userId, credential, route, input }: ConfirmedAct): string =>
  sha256(canonicalJson([userId, credential, route, input]));
