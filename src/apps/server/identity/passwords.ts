import { randomBytes, type ScryptOptions, scrypt, timingSafeEqual } from 'node:crypto';
import { Refusal } from './refusal.ts';

/** Cost of scrypt (RFC 7914). Each hash takes 128 * n * r bytes of memory: 128 MiB here, about a third of a second. */
export interface HashCost {
  /** A power of two. */
  readonly n: number;
  readonly r: number;
  readonly p: number;
}

/** What OWASP asks of scrypt at least (Password Storage Cheat Sheet). */
export const HASH_COST: HashCost = { n: 2 ** 17, r: 8, p: 1 };

/** Hashes made at once (each needs its memory), and how many may wait before more are refused. */
const AT_ONCE = 2;
const WAITING_MOST = 32;

const SALT_BYTES = 16;
const HASH_BYTES = 32;

export const PASSWORD_LENGTH_LEAST = 12;
export const PASSWORD_LENGTH_MOST = 200;

const DISTINCT_LEAST = 5;

/** What is wrong with a new password; null when nothing is. `isOld` tells whether it is the one in use. */
export function passwordFault(password: string, name: string, isOld: boolean): string | null {
  const length = [...password].length;
  if (length < PASSWORD_LENGTH_LEAST)
    return `the password has ${length} characters, not ${PASSWORD_LENGTH_LEAST}`;
  if (length > PASSWORD_LENGTH_MOST) return `the password is longer than ${PASSWORD_LENGTH_MOST} characters`;
  if (new Set(password).size < DISTINCT_LEAST) return 'the password repeats a few characters only';
  if (fold(password).includes(fold(name))) return 'the password holds the name of the user';
  if (isOld) return 'the password is the old one';
  return null;
}

/** What to do about any of these faults. */
export const PASSWORD_MEND = `choose at least ${PASSWORD_LENGTH_LEAST} characters, such as four or five words, without your name`;

const fold = (text: string) => text.normalize('NFKC').toLowerCase();

/** Hashes passwords with scrypt, a few at a time. */
export class PasswordHasher {
  private readonly cost: HashCost;
  private running = 0;
  private readonly queue: (() => void)[] = [];
  private readonly nobody: string;

  constructor(cost: HashCost = HASH_COST) {
    this.cost = cost;
    // nothing hashes to it: a check of a user who does not exist works as long as any other
    this.nobody = encode(cost, randomBytes(SALT_BYTES), randomBytes(HASH_BYTES));
  }

  /** `scrypt$N$r$p$salt$hash`, with a fresh salt. */
  async hash(password: string): Promise<string> {
    const salt = randomBytes(SALT_BYTES);
    return encode(this.cost, salt, await this.derive(password, salt, this.cost));
  }

  /**
   * Whether the password is that of the hash; null stands for a user who does not exist and takes the same time.
   * Throws {@link Refusal} `busy` when too many wait.
   */
  async verify(password: string, stored: string | null): Promise<boolean> {
    const { cost, salt, hash } = decode(stored ?? this.nobody);
    const derived = await this.derive(password, salt, cost);
    return timingSafeEqual(derived, hash) && stored !== null;
  }

  /** Whether a hash was made with another cost than is asked of new ones. */
  isOutdated(stored: string): boolean {
    const { cost } = decode(stored);
    return cost.n !== this.cost.n || cost.r !== this.cost.r || cost.p !== this.cost.p;
  }

  private async derive(password: string, salt: Buffer, { n, r, p }: HashCost): Promise<Buffer> {
    await this.enter();
    try {
      // room for the 128 * N * r bytes that are needed, and a little more
      const options: ScryptOptions = { N: n, r, p, maxmem: 256 * n * r };
      return await new Promise<Buffer>((done, failed) => {
        scrypt(password.normalize('NFKC'), salt, HASH_BYTES, options, (error, key) =>
          error === null ? done(key) : failed(error),
        );
      });
    } finally {
      this.leave();
    }
  }

  private async enter(): Promise<void> {
    if (this.running < AT_ONCE) {
      this.running += 1;
      return;
    }
    if (this.queue.length >= WAITING_MOST)
      throw new Refusal('busy', 'too many people log in at once', 'try again in a few seconds', {
        retryAfterS: 5,
      });
    await new Promise<void>((done) => this.queue.push(done));
  }

  /** Hands the place to who waits longest. */
  private leave(): void {
    const next = this.queue.shift();
    if (next === undefined) this.running -= 1;
    else next();
  }
}

function encode({ n, r, p }: HashCost, salt: Buffer, hash: Buffer): string {
  return ['scrypt', n, r, p, salt.toString('base64url'), hash.toString('base64url')].join('$');
}

function decode(stored: string): { cost: HashCost; salt: Buffer; hash: Buffer } {
  const [, n, r, p, salt, hash] = stored.split('$');
  return {
    cost: { n: Number(n), r: Number(r), p: Number(p) },
    salt: Buffer.from(salt ?? '', 'base64url'),
    hash: Buffer.from(hash ?? '', 'base64url'),
  };
}
