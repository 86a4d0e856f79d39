import { hash, randomBytes, timingSafeEqual } from 'node:crypto';
import { InputError } from '#base';

/** Two, so that a sender can be moved to a new one while the old one still counts. */
const SECRETS_MOST = 2;
/** In an address as it is, without percent signs. */
const FORM = /^[\w.~-]{8,128}$/;

const LENGTH_MOST = 128;

/** The text in room of one length, so that comparing takes as long for any. */
function padded(text: string): Buffer {
  const room = Buffer.alloc(LENGTH_MOST + 1);
  // Its length is written last: no text is another one with zeros behind it.
  room[LENGTH_MOST] = room.write(text, 0, LENGTH_MOST, 'latin1');
  return room;
}

/** Secrets of which any one opens. Each is compared in full, so time tells neither content nor length nor which one it was. */
export class Secrets {
  private readonly secrets: readonly Buffer[];

  /** Throws InputError when there are more than two, or one is short or has signs that an address would change. */
  constructor(secrets: readonly string[], name: string) {
    if (secrets.length > SECRETS_MOST) {
      throw new InputError(
        `there are ${secrets.length} of ${name}`,
        'at most two: the new one and the one before',
      );
    }
    if (!secrets.every((secret) => FORM.test(secret))) {
      throw new InputError(
        `one of ${name} cannot be used`,
        '8 to 128 letters, digits or . _ ~ -; take 32 or more by chance',
      );
    }
    this.secrets = secrets.map(padded);
  }

  get isEmpty(): boolean {
    return this.secrets.length === 0;
  }

  opens(given: string): boolean {
    const room = padded(given);
    let isOpen = false;
    for (const secret of this.secrets) isOpen = timingSafeEqual(secret, room) || isOpen;
    // What is longer than any secret was cut off, and what has other signs was changed: neither can be one.
    return isOpen && FORM.test(given);
  }
}

const SALT = randomBytes(16).toString('hex');

/** A short hash that stands for a secret in a log of this process; it cannot be tried out from outside. */
export const secretMark = (secret: string): string => hash('sha256', SALT + secret, 'hex').slice(0, 8);
