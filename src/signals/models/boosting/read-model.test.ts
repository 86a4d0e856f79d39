import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InputError } from '#base';
import { fixtureBytes } from '../../../../test/support/boosted-fixtures.ts';
import { readBoostedModel, readModelDocument } from './read-boosted-model.ts';
import { readModelText } from './read-model-text.ts';
import { readUbj } from './read-ubj.ts';

/** Bytes of a text and numbers: `bytes('[#i', 2, 'TF')`. */
function bytes(...parts: readonly (string | number)[]): Uint8Array {
  return Uint8Array.from(
    parts.flatMap((part) => (typeof part === 'number' ? [part & 255] : [...Buffer.from(part)])),
  );
}

function wide(type: 'getFloat32' | 'getFloat64' | 'getBigInt64', value: number): number[] {
  const view = new DataView(new ArrayBuffer(type === 'getFloat32' ? 4 : 8));
  if (type === 'getFloat32') view.setFloat32(0, value);
  else if (type === 'getFloat64') view.setFloat64(0, value);
  else view.setBigInt64(0, BigInt(value));
  return [...new Uint8Array(view.buffer)];
}

describe('reading UBJ', () => {
  it.each<[string, Uint8Array, unknown]>([
    ['null, truths and no-ops', bytes('N[ZNTF]N'), [null, true, false]],
    ['int8', bytes('i', -5), -5],
    ['uint8', bytes('U', 200), 200],
    ['int16, big end first', bytes('I', 0xff, 0xfe), -2],
    ['int32', bytes('l', 0x7f, 0xff, 0xff, 0xff), 2_147_483_647],
    ['int64', bytes('L', ...wide('getBigInt64', -9_007_199_254_740_991)), -9_007_199_254_740_991],
    ['float32', bytes('d', ...wide('getFloat32', 0.1)), Math.fround(0.1)],
    ['float64', bytes('D', ...wide('getFloat64', 0.1)), 0.1],
    ['a float that is no number', bytes('d', ...wide('getFloat32', Number.NaN)), Number.NaN],
    ['a character', bytes('CA'), 'A'],
    ['a text beyond ASCII', bytes('Si', 5, 'Köln'), 'Köln'],
    ['a number of high precision', bytes('Hi', 4, '12.5'), 12.5],
    ['an open object', bytes('{i', 1, 'ai', 7, 'i', 1, 'bSi', 1, 'x}'), { a: 7, b: 'x' }],
    ['a counted object', bytes('{#i', 2, 'i', 1, 'ai', 7, 'i', 1, 'bT'), { a: 7, b: true }],
    ['a typed object', bytes('{$U#i', 2, 'i', 1, 'a', 7, 'i', 1, 'b', 255), { a: 7, b: 255 }],
    ['a counted list', bytes('[#i', 2, 'i', 1, 'Z'), [1, null]],
    ['a typed list', bytes('[$I#U', 2, 0, 1, 1, 0), [1, 256]],
    ['a typed list of texts', bytes('[$S#i', 2, 'i', 1, 'a', 'i', 0), ['a', '']],
    ['an empty typed list, as XGBoost writes it', bytes('[$l#L', ...wide('getBigInt64', 0)), []],
    ['lists within lists', bytes('[[][#i', 1, '[$i#i', 1, 9, ']'), [[], [[9]]]],
  ])('%s', (_, document, value) => {
    expect(readUbj(document)).toEqual(value);
  });

  it.each<[string, Uint8Array, string]>([
    ['nothing', bytes(), 'ends in the middle (byte 0)'],
    ['a cut number', bytes('l', 1, 2), 'ends in the middle'],
    ['a cut list', bytes('[i', 1), 'ends in the middle'],
    ['a cut text', bytes('Si', 9, 'abc'), 'ends in the middle'],
    ['an unknown type', bytes('[Q]'), 'has "Q", which is no type of UBJ (byte 1)'],
    ['a negative length', bytes('Si', -1), 'has the length -1'],
    ['a length that is no integer', bytes('Sd', 0, 0, 0, 0), 'has a length that is no integer'],
    ['a type without a count', bytes('[$i]'), 'has a typed container without a count'],
    [
      'a count beyond the bytes',
      bytes('[$D#l', 0x7f, 0xff, 0xff, 0xff, 1),
      'has a container of 2147483647 entries',
    ],
    [
      'a count of types without a value',
      bytes('[$Z#l', 0x7f, 0, 0, 0),
      'has a container of "Z", which take no bytes (byte 2)',
    ],
    ['a small count of them', bytes('[$T#i', 2, 0, 0), 'has a container of "T"'],
    ['members of them', bytes('{$F#i', 1, 'i', 1, 'a'), 'has a container of "F"'],
    ['an integer beyond the safe ones', bytes('L', 0x7f, 0, 0, 0, 0, 0, 0, 0), 'which is too large'],
    ['a high-precision number that is none', bytes('Hi', 1, 'x'), 'has the number "x", which is none'],
    ['bytes after the end', bytes('Zi'), 'has 1 bytes after its end (byte 1)'],
    ['containers without end', bytes('['.repeat(100)), 'goes deeper than 64 containers'],
  ])('refuses %s', (_, document, message) => {
    const read = () => readUbj(document);
    expect(read).toThrow(InputError);
    expect(read).toThrow(message);
  });

  it('refuses lists in lists that share their bytes, before it has made any of them', () => {
    // each list of nulls would claim what is left of the document: 40 million entries from 64 KB
    const head = bytes('[$Z#l', 0, 0, 0xd0, 0);
    const body = Buffer.concat(Array.from({ length: 700 }, () => head));
    const document = Buffer.concat([bytes('['), body, bytes(']'), Buffer.alloc(57_000, 'N')]);
    expect(() => readUbj(document)).toThrow('which take no bytes');
  });

  it.each<[string, Uint8Array]>([
    ['a counted list', bytes('[#l', 0, 0x40, 0, 0)],
    ['a counted list of lists', bytes('[$[#l', 0, 0x40, 0, 0)],
  ])('refuses %s of more empty lists than any model has', (name, head) => {
    // four million of them in 8 MB or less
    const body = Buffer.alloc(
      0x400000 * (name.endsWith('lists') ? 1 : 2),
      name.endsWith('lists') ? ']' : '[]',
    );
    expect(() => readUbj(Buffer.concat([head, body]))).toThrow('holds more than any model does');
  });

  it('a name like that of what every object inherits stays a member', () => {
    const read = readUbj(bytes('{i', 9, '__proto__', 'i', 1, '}')) as object;
    expect(Object.keys(read)).toEqual(['__proto__']);
    expect(Object.getPrototypeOf(read)).toBe(Object.prototype);
  });

  it('reads a part of a larger buffer', () => {
    expect(readUbj(bytes('xxI', 1, 2, 'x').subarray(2, 5))).toBe(258);
  });

  it('never ends in anything but a model or a refusal, whatever byte is wrong or missing', () => {
    const whole = fixtureBytes('dart.ubj');
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { minLength: 1, maxLength: 3 }),
        fc.option(fc.nat(whole.length)),
        (flips, cut) => {
          const broken = Uint8Array.from(whole);
          for (const [at, value] of flips) broken[at] = value;
          try {
            readBoostedModel(cut === null ? broken : broken.subarray(0, cut));
          } catch (error) {
            expect(error).toBeInstanceOf(InputError);
          }
        },
      ),
      { numRuns: 300 },
    );
  });
});

describe('reading the JSON of a model', () => {
  it('reads any JSON as it is', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 4 }), fc.constantFrom(0, 2), (value, space) => {
        const text = JSON.stringify(value, null, space);
        expect(readModelText(text)).toEqual(JSON.parse(text));
      }),
    );
  });

  it('reads the numbers that XGBoost writes and JSON lacks', () => {
    expect(readModelText('[NaN,Infinity,-Infinity,-0E0,1.5E-3]')).toEqual([
      Number.NaN,
      Infinity,
      -Infinity,
      -0,
      0.0015,
    ]);
  });

  it.each([
    ['', 'ends in the middle (line 1, column 1)'],
    ['{"a":1', 'lacks a comma or a closing brace'],
    ['[1 2]', 'lacks a comma or a closing bracket (line 1, column 4)'],
    ['{a:1}', 'lacks the name of a member'],
    ['{"a"1}', 'lacks a colon'],
    ['[\n\n 01]', 'lacks a comma or a closing bracket (line 3, column 3)'],
    ['[1,]', 'has no value here (line 1, column 4)'],
    ['"abc', 'ends in the middle of a text'],
    ['"\\q"', 'has a broken escape'],
    ['"\\u12g4"', 'has a broken escape'],
    ['[] []', 'goes on after its end'],
    ['['.repeat(100), 'goes deeper than 64 containers'],
  ])('refuses %j', (text, message) => {
    const read = () => readModelText(text);
    expect(read).toThrow(InputError);
    expect(read).toThrow(message);
  });
});

it('refuses JSON that is as deep as it is long', () => {
  const text = `{"learner":{"x":${'['.repeat(200_000)}${']'.repeat(200_000)}}}`;
  expect(() => readModelText(text)).toThrow('goes deeper than 64 containers');
});

it('refuses JSON with more empty lists than any model has', () => {
  const text = `[${'[],'.repeat(4_200_000)}[]]`;
  expect(() => readModelText(text)).toThrow('holds more than any model does');
});

describe('a model file', () => {
  it('tells by itself whether it is JSON or UBJ', () => {
    expect(readModelDocument(bytes('{ "a": [1] }'))).toEqual({ a: [1] });
    expect(readModelDocument(bytes('{}'))).toEqual({});
    expect(readModelDocument(bytes('{i', 1, 'ai', 1, '}'))).toEqual({ a: 1 });
    expect(readModelDocument(bytes('{#i', 0))).toEqual({});
  });

  it('is refused when it is empty or of the old binary kind', () => {
    expect(() => readModelDocument(bytes())).toThrow('empty');
    expect(() => readModelDocument(bytes('binf', 1, 2, 3))).toThrow('old binary format');
  });
});
