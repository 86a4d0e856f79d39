import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InputError } from '#base';
import { readPredicate } from './predicate.ts';

const NAMES = ['fast', 'slow', 'mode', 'on', 'stop'];
const VALUES = { fast: 5, slow: 20, mode: 'long-flat', on: true, stop: null };
const holds = (text: string) => readPredicate(text, NAMES)(VALUES);

describe('readPredicate', () => {
  it.each([
    ['fast<slow', true],
    ['fast < slow && slow <= 4 * fast', true],
    ['slow>4*fast', false],
    ['slow >= 4*fast', true],
    ['fast == 5 || nothing', null],
    ['fast != 5', false],
    ['1 + 2 * 3 == 7', true],
    ['(1 + 2) * 3 == 9', true],
    ['10 - 4 - 3 == 3', true],
    ['24 / 4 / 2 == 3', true],
    ['-fast + 10 == 5', true],
    ['- - fast == 5', true],
    ['2.5e1 > slow', true],
    ['slow / 0 > 1', true],
    ['!(fast < slow)', false],
    ['!on', false],
    ['on', true],
    ['on == true', true],
    ['mode == "long-flat"', true],
    ["mode != 'long-short' && on", true],
    ['mode == 5', false],
    ['stop == null', true],
    // && binds closer than ||
    ['true || false && false', true],
    ['(true || false) && false', false],
    // what is not needed is not looked at
    ['stop == null || stop < 3', true],
  ])('%s', (text, expected) => {
    if (expected === null) expect(() => holds(text)).toThrow('no parameter "nothing"');
    else expect(holds(text)).toBe(expected);
  });

  it.each([
    ['', 'a parameter or a number was expected at its end'],
    ['fast', 'gives 5, not yes or no'],
    ['fast <', 'a parameter or a number was expected at its end'],
    ['fast < slow)', 'an operator was expected at 12'],
    ['(fast < slow', 'the parenthesis at 1 is not closed'],
    ['fast slow', 'an operator was expected at 6'],
    ['fast = slow', '"=" at 6'],
    ['fast < slow & on', '"&" at 13'],
    ['5 < fast < slow', 'two comparisons in a row at 10'],
    ['fast < slow; process.exit(1)', '";" at 12'],
    ['fast.constructor == 1', '"." at 5'],
    ['constructor == 1', 'no parameter "constructor"'],
    ['slwo > 3', 'no parameter "slwo"'],
    ['mode < 3', '"long-flat" is no number'],
    ['mode + 1 == 2', '"long-flat" is no number'],
    ['stop < 3', 'null is no number'],
    ['fast && on', '5 is neither true nor false'],
    ['"open', `""" at 1`],
    [`${'('.repeat(600)}`, 'longer than 500'],
  ])('refuses %s', (text, says) => {
    expect(() => holds(text)).toThrow(InputError);
    expect(() => holds(text)).toThrow(says);
  });

  it('names the nearest parameter and what to write instead', () => {
    const mendOf = (text: string) => {
      try {
        holds(text);
      } catch (error) {
        return (error as InputError).mend;
      }
      return null;
    };
    expect(mendOf('slwo > 3')).toContain('"slow"');
    expect(mendOf('fast = 3')).toBe('write ==');
    expect(mendOf('1 < fast < 3')).toContain('5 < fast && fast < slow');
  });

  it('reads the deepest nesting that fits', () => {
    expect(holds(`${'('.repeat(240)}fast < slow${')'.repeat(240)}`)).toBe(true);
    expect(holds(`${'!'.repeat(480)}(fast < slow)`)).toBe(true);
  });

  it('means what JavaScript means by the same text', () => {
    interface Node {
      text: string;
      value: number;
    }
    const { number } = fc.letrec<{ number: Node }>((tie) => ({
      number: fc.oneof(
        { depthSize: 'small', withCrossShrink: true },
        fc.nat(30).map((n) => ({ text: String(n), value: n })),
        fc.constantFrom('fast', 'slow').map((name) => ({ text: name, value: name === 'fast' ? 5 : 20 })),
        fc.tuple(tie('number'), fc.constantFrom('+', '-', '*', '/'), tie('number')).map(([a, sign, b]) => {
          const { value: x } = a;
          const { value: y } = b;
          const value = sign === '+' ? x + y : sign === '-' ? x - y : sign === '*' ? x * y : x / y;
          return { text: `(${a.text}${sign}${b.text})`, value };
        }),
      ),
    }));
    const comparison = fc
      .tuple(number, fc.constantFrom('<', '<=', '>', '>=', '==', '!='), number)
      .filter(([a, , b]) => a.text.length + b.text.length < 200)
      .map(([a, sign, b]) => {
        const [x, y] = [a.value, b.value];
        const truth = { '<': x < y, '<=': x <= y, '>': x > y, '>=': x >= y, '==': x === y, '!=': x !== y };
        return { text: `${a.text} ${sign} ${b.text}`, truth: truth[sign as keyof typeof truth] };
      });
    fc.assert(
      fc.property(comparison, comparison, fc.constantFrom('&&', '||'), (a, b, sign) => {
        const truth = sign === '&&' ? a.truth && b.truth : a.truth || b.truth;
        expect(holds(`${a.text} ${sign} ${b.text}`)).toBe(truth);
        expect(holds(`!(${a.text})${sign}${b.text}`)).toBe(
          sign === '&&' ? !a.truth && b.truth : !a.truth || b.truth,
        );
      }),
    );
  });

  it('throws nothing but InputError, whatever stands there', () => {
    const piece = fc.constantFrom(
      'fast',
      'slow',
      'mode',
      '3',
      '(',
      ')',
      '<',
      '==',
      '&&',
      '||',
      '!',
      '-',
      '"a"',
      ' ',
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(piece).map((pieces) => pieces.join('')),
        ),
        (text) => {
          try {
            expect(typeof holds(text)).toBe('boolean');
          } catch (error) {
            expect((error as Error).name).toBe('InputError');
          }
        },
      ),
    );
  });
});
