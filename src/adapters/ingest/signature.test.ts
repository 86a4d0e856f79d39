import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SigningKey, signatureFault, signatureHeader } from './signature.ts';

// Worked example of the sheet on webhooks.
const BODY = Buffer.from('{"v":1,"cfg":"BTC-5M","t":"1700000000000","c":"60000.0"}');
const SIGNED = 'sha256=3207fceaefbea6d6705a16aae69ce50ceb28d582510e93e2115cfc89e33c753d';
const OVER_BODY_ALONE = 'sha256=400efda25c74f5307ca84bc548bc34134393090935525c0568baf18e23be679a';
const AT = 1_700_000_000_000;
const key = new SigningKey('tvsecret', 65_536);
const fault = (signature?: string, timestamp?: string, now = AT) =>
  signatureFault([key], { signature, timestamp }, BODY, now, 300);

describe('a signature', () => {
  it('of the worked example is right', () => {
    expect(signatureHeader('tvsecret', '1700000000', BODY)).toBe(SIGNED);
    expect(fault(SIGNED, '1700000000')).toBeNull();
    expect(fault(SIGNED.toUpperCase().replace('SHA', 'sha'), '1700000000')).toBeNull();
  });

  it('over the body alone is refused', () => {
    expect(createHmac('sha256', 'tvsecret').update(BODY).digest('hex')).toBe(OVER_BODY_ALONE.slice(7));
    expect(fault(OVER_BODY_ALONE, '1700000000')).toBe('mismatch');
  });

  it('counts within the window, its ends included', () => {
    expect(fault(SIGNED, '1700000000', AT + 300_000)).toBeNull();
    expect(fault(SIGNED, '1700000000', AT + 300_001)).toBe('timestamp');
    expect(fault(SIGNED, '1700000000', AT - 300_000)).toBeNull();
    expect(fault(SIGNED, '1700000000', AT - 300_001)).toBe('timestamp');
  });

  it('for another time or body is wrong', () => {
    expect(fault(SIGNED, '1700000001')).toBe('mismatch');
    const other = Buffer.from(BODY.toString().replace('60000', '60001'));
    expect(signatureFault([key], { signature: SIGNED, timestamp: '1700000000' }, other, AT, 300)).toBe(
      'mismatch',
    );
  });

  it.each([
    [undefined, '1700000000', 'missing'],
    [SIGNED, undefined, 'missing'],
    ['', '1700000000', 'form'],
    [SIGNED.slice(7), '1700000000', 'form'],
    [`${SIGNED}0`, '1700000000', 'form'],
    [SIGNED.slice(0, -2), '1700000000', 'form'],
    [`${SIGNED}, ${SIGNED}`, '1700000000', 'form'],
    [SIGNED, '1700000000.0', 'form'],
    [SIGNED, ' 1700000000', 'form'],
    [SIGNED, '1e9', 'form'],
    [SIGNED, 'NaN', 'form'],
  ])('of the wrong form: %s at %s', (signature, timestamp, expected) => {
    expect(fault(signature, timestamp)).toBe(expected);
  });

  it('by either of two keys is right', () => {
    const keys = [new SigningKey('another-key', 100), key];
    expect(signatureFault(keys, { signature: SIGNED, timestamp: '1700000000' }, BODY, AT, 300)).toBeNull();
  });

  it('is that of node:crypto for every key and body', () => {
    fc.assert(
      fc.property(
        fc.string({ minLength: 8, maxLength: 200, unit: 'grapheme' }),
        fc.integer({ min: 0, max: 99_999_999_999 }),
        fc.uint8Array({ maxLength: 500 }),
        (secret, timestamp, bytes) => {
          const body = Buffer.from(bytes);
          const expected = createHmac('sha256', secret).update(`${timestamp}.`).update(body).digest();
          const made = new SigningKey(secret, 500);
          // A longer one before must leave nothing behind.
          made.sign('99999999999', Buffer.alloc(500, 1));
          expect(made.sign(String(timestamp), body).equals(expected)).toBe(true);
        },
      ),
      { numRuns: 200 },
    );
  });
});

describe('comparing', () => {
  it.each(['signature.ts', 'secrets.ts'])('what is secret takes the same time for anything: %s', (file) => {
    const text = readFileSync(new URL(file, import.meta.url), 'utf8');
    expect(text).toContain('timingSafeEqual(');
    expect(text).not.toMatch(/\.(equals|compare|includes|startsWith|indexOf)\(/);
  });
});
