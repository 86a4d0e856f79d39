import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InputError } from '#base';
import { parseDouble, readHeader, scanRows } from './csv.ts';

const bytes = (text: string) => Buffer.from(text);
const parse = (text: string) => {
  const padded = bytes(`x${text},`);
  return parseDouble(padded, 1, padded.length - 1);
};

describe('parseDouble', () => {
  it('gives exactly what Number() gives', () => {
    const decimals = fc
      .tuple(
        fc.constantFrom('', '-', '+'),
        fc.stringMatching(/^\d{1,22}$/),
        fc.stringMatching(/^\d{0,25}$/),
        fc.integer({ min: -330, max: 330 }),
      )
      .map(([sign, whole, fraction, exponent]) => [
        `${sign}${whole}`,
        `${sign}${whole}.${fraction}`,
        `${sign}${whole}.${fraction}e${exponent}`,
        `${sign}0.000${fraction}1`,
      ]);
    fc.assert(
      fc.property(decimals, (texts) => {
        for (const text of texts) expect(parse(text)).toBe(Number(text));
      }),
      { numRuns: 400 },
    );
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (x) => {
        expect(parse(String(x))).toBe(Number(String(x)));
        expect(parse(x.toFixed(Math.abs(x) < 1e20 ? 8 : 0))).toBe(
          Number(x.toFixed(Math.abs(x) < 1e20 ? 8 : 0)),
        );
      }),
      { numRuns: 400 },
    );
  });

  it.each([
    '0',
    '-0',
    '.5',
    '5.',
    '1e22',
    '1e23',
    '9007199254740991',
    '9007199254740992',
    '9007199254740993',
    '9007199254740993e-1',
    '0.1',
    '123456789',
    '1234567890',
    '999999999999999999',
    '1E5',
    '1e+5',
    '31031.70000000',
  ])('%s', (text) => {
    expect(Object.is(parse(text), Number(text))).toBe(true);
  });

  it.each([
    '',
    '-',
    '.',
    'NaN',
    'nan',
    'Infinity',
    '1e',
    '1e+',
    '1.2.3',
    '0x10',
    ' 1',
    '1 ',
    '1,5'.slice(0, 1) + '_5',
    '--1',
    'e5',
    '12a',
  ])('refuses "%s"', (text) => {
    expect(parse(text)).toBeNaN();
  });
});

describe('scanRows', () => {
  const scan = (text: string, optional: number[] = []) => {
    const data = bytes(text);
    const rows: (number | string)[][] = [];
    const broken: string[] = [];
    const header = readHeader('f.csv', data);
    const count = scanRows(
      data,
      header,
      { numbers: [1, 2], texts: [0], optional },
      (values, texts, line) => rows.push([line, texts[0]!, ...values]),
      (line, what) => broken.push(`${line}: ${what}`),
    );
    return { rows, broken, count };
  };

  it('reads Unix and Windows lines, with and without an end, and skips empty ones', () => {
    const expected = [
      [2, 'A', 1, 2],
      [3, 'A', 3, 4],
      [5, 'B', 5, 6],
    ];
    expect(scan('s,a,b\nA,1,2\nA,3,4\n\nB,5,6').rows).toEqual(expected);
    expect(scan('\ufeffs,a,b\r\nA,1,2\r\nA,3,4\r\n\r\nB,5,6\r\n').rows).toEqual(expected);
  });

  it('says which line is broken and why', () => {
    const { rows, broken, count } = scan('s,a,b\nA,1\nA,1,2,3\nA,x,2\nA,,2\nA,1,2\n');
    expect(rows).toEqual([[6, 'A', 1, 2]]);
    expect(broken).toEqual([
      '2: 2 fields where the header has 3',
      '3: 4 fields where the header has 3',
      '4: "x" is not a number in column a',
      '5: "" is not a number in column a',
    ]);
    expect(count).toBe(5);
    expect(scan('s,a,b\nA,,2\n', [0]).rows).toEqual([[2, 'A', Number.NaN, 2]]);
  });

  it('refuses a file without a header', () => {
    expect(() => readHeader('f', bytes(''))).toThrow(InputError);
    expect(() => readHeader('f', bytes('\n\n'))).toThrow(/empty/);
    expect(() => readHeader('f', bytes('1,2,3\n'))).toThrow(/numbers, not a header/);
    expect(() => readHeader('f', bytes('time;open\n'))).toThrow(/no commas/);
  });
});
