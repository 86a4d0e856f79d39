import { createHash, hash, timingSafeEqual } from 'node:crypto';
import { InputError } from '#base';

const BLOCK = 64;
const DIGEST = 32;
const TIMESTAMP_MOST = 12;
const SIGNATURE = /^sha256=([0-9a-fA-F]{64})$/;
const TIMESTAMP = /^\d{1,11}$/;

/** Why a signature does not count. `timestamp`: it is not from now; `missing` and `form`: it is none at all. */
export type SignatureFault = 'missing' | 'form' | 'timestamp' | 'mismatch';

/**
 * HMAC-SHA256 over `timestamp + "." + body` for one key (RFC 2104), written out over the one-shot hash: five times as fast as
 * an HMAC object for each request.
 */
export class SigningKey {
  private readonly inner: Buffer;
  private readonly outer = Buffer.alloc(BLOCK + DIGEST, 0x5c);

  /** `bodyMost` is the longest body in bytes. */
  constructor(key: string, bodyMost: number) {
    if (Buffer.byteLength(key) < 8) {
      throw new InputError('a signing key is shorter than 8 bytes', 'take at least 32 characters by chance');
    }
    this.inner = Buffer.alloc(BLOCK + TIMESTAMP_MOST + bodyMost, 0x36);
    let bytes = Buffer.from(key);
    if (bytes.length > BLOCK) bytes = createHash('sha256').update(bytes).digest();
    for (let i = 0; i < bytes.length; i++) {
      this.inner[i] = 0x36 ^ bytes[i]!;
      this.outer[i] = 0x5c ^ bytes[i]!;
    }
  }

  /** The 32 bytes for a timestamp as it was sent. */
  sign(timestamp: string, body: Buffer): Buffer {
    const { inner, outer } = this;
    let end = BLOCK + inner.write(`${timestamp}.`, BLOCK, 'latin1');
    end += body.copy(inner, end);
    hash('sha256', inner.subarray(0, end), 'buffer').copy(outer, BLOCK);
    return hash('sha256', outer, 'buffer');
  }
}

/** The value of `X-Signature`, for a sender. */
export function signatureHeader(key: string, timestamp: string, body: Buffer): string {
  return `sha256=${new SigningKey(key, body.length).sign(timestamp, body).toString('hex')}`;
}

/**
 * Null when the signature is of one of the keys and from now: `X-Timestamp` in epoch seconds within `windowS` of `nowMs`,
 * either way. Every comparison takes the same time for whatever was sent.
 */
export function signatureFault(
  keys: readonly SigningKey[],
  given: { readonly signature: string | undefined; readonly timestamp: string | undefined },
  body: Buffer,
  nowMs: number,
  windowS: number,
): SignatureFault | null {
  const { signature, timestamp } = given;
  if (signature === undefined || timestamp === undefined) return 'missing';
  const hex = SIGNATURE.exec(signature)?.[1];
  if (hex === undefined || !TIMESTAMP.test(timestamp)) return 'form';
  if (Math.abs(nowMs / 1_000 - Number(timestamp)) > windowS) return 'timestamp';
  const claimed = Buffer.from(hex, 'hex');
  for (const key of keys) {
    if (timingSafeEqual(key.sign(timestamp, body), claimed)) return null;
  }
  return 'mismatch';
}
