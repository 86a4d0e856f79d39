import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Secrets } from './secrets.ts';

const letters = fc.stringMatching(/^[\w.~-]{8,128}$/);

describe('secrets', () => {
  it('open for each of them and nothing else', () => {
    fc.assert(
      fc.property(letters, letters, fc.oneof(letters, fc.string()), (one, two, other) => {
        const secrets = new Secrets([one, two], 'test');
        expect(secrets.opens(one)).toBe(true);
        expect(secrets.opens(two)).toBe(true);
        expect(secrets.opens(other)).toBe(other === one || other === two);
        expect(secrets.opens(`${one}\0`)).toBe(false);
        expect(secrets.opens(`${one}x`)).toBe(`${one}x` === two);
        expect(secrets.opens(one.slice(0, -1))).toBe(one.slice(0, -1) === two);
      }),
    );
  });

  it('of the greatest length differ from what begins with them', () => {
    const longest = 'a'.repeat(128);
    expect(new Secrets([longest], 'test').opens(longest)).toBe(true);
    expect(new Secrets([longest], 'test').opens(`${longest}a`)).toBe(false);
  });

  it('do not take a sign for another that shares its lower byte', () => {
    expect(new Secrets(['aaaaaaaa'], 'test').opens('aaaaaaa\u0161')).toBe(false);
  });

  it('that are none open for nothing', () => {
    expect(new Secrets([], 'test').opens('')).toBe(false);
  });
});
