import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { plain, plainData, safeJson, withOwnColours } from './plain-text.ts';

const ESC = '\u001b';
const CONTROLS = [...`${ESC}\u0007\u0008\u0000\u007f\u009b\u0085\u202e\u2066\u2028\r`];

describe('plain text', () => {
  it('keeps text as it is', () => {
    for (const text of ['', 'up 3 % · größer', '買い 🚀 e\u0301']) expect(plain(text)).toBe(text);
  });

  it('disarms whatever steers a terminal', () => {
    expect(plain(`a${ESC}[2Jb${ESC}]0;title\u0007`)).toBe('a\ufffd[2Jb\ufffd]0;title\ufffd');
    expect(plain('one\ntwo\tthree\r')).toBe('one two three ');
    expect(plain('\u009b31m\u202edesrever')).toBe('\ufffd31m\ufffddesrever');
  });

  it('reaches every string of a value and nothing else', () => {
    const value = { [`k${ESC}`]: [`v${ESC}`, 1, null, { deep: `${ESC}[8m` }], ok: true };
    expect(plainData(value)).toEqual({ 'k\ufffd': ['v\ufffd', 1, null, { deep: '\ufffd[8m' }], ok: true });
  });

  it('lets only the own colours through', () => {
    const own = `${ESC}[33mwarning${ESC}[0m\n${ESC}[43;30m REPLAY ${ESC}[0m`;
    expect(withOwnColours(own)).toBe(own);
    expect(withOwnColours(`${ESC}[8mhidden${ESC}[2J${ESC}`)).toBe('\ufffd[8mhidden\ufffd[2J\ufffd');
  });

  it('writes JSON that means the same and holds no control character', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.constantFrom(...CONTROLS), fc.string())).map((parts) => parts.join('')),
        (text) => {
          const json = safeJson({ text }, 2);
          expect(JSON.parse(json)).toEqual({ text });
          expect(plain(json.replaceAll('\n', ''))).toBe(json.replaceAll('\n', ''));
          for (const control of CONTROLS) expect(plain(text)).not.toContain(control);
        },
      ),
      { numRuns: 300 },
    );
  });
});
