import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

/** 256 random bits as 43 characters that are safe in cookies, headers and addresses. */
export const randomSecret = (bytes = 32): string => randomBytes(bytes).toString('base64url');

/** A public name for a secret thing: 96 random bits in hexadecimal. */
export const randomId = (): string => randomBytes(12).toString('hex');

/**
 * SHA-256 in hexadecimal. Enough for secrets of 80 and more random bits, which nobody can try out; passwords need
 * {@link import('./passwords.ts').PasswordHasher}.
 */
export const hashSecret = (secret: string): string => createHash('sha256').update(secret).digest('hex');

/** A value that only who holds `secret` can tell, different for each purpose. */
export const derive = (secret: string, purpose: string): string =>
  createHmac('sha256', secret).update(purpose).digest('base64url');

/** Equal or not, in a time that does not depend on where they differ. */
export function sameText(a: string, b: string): boolean {
  const hash = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(hash(a), hash(b));
}

/** Letters and digits that nobody mixes up: no 0 o 1 l i. 31 of them. */
const CLEAR = 'abcdefghjkmnpqrstuvwxyz23456789';

/** Groups of four clear characters joined by hyphens, nearly 20 bits a group. */
export function readableSecret(groups: number): string {
  const letters: string[] = [];
  while (letters.length < groups * 4) {
    for (const byte of randomBytes(groups * 8)) {
      // the largest multiple of 31 below 256, so that each letter is equally likely
      if (byte < 248 && letters.length < groups * 4) letters.push(CLEAR[byte % 31]!);
    }
  }
  return Array.from({ length: groups }, (_, i) => letters.slice(i * 4, i * 4 + 4).join('')).join('-');
}
