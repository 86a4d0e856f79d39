import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { readFeatureRows } from './feature-rows.ts';

const dir = mkdtempSync(join(tmpdir(), 'quorum-rows-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));
const NAMES = ['a', 'b', 'c'];

async function read(
  content: string | Uint8Array,
  names: readonly string[] | null = NAMES,
  file = 'rows.csv',
  chunkBytes = 1 << 20,
) {
  const path = join(dir, file);
  writeFileSync(path, content);
  const rows: number[][] = [];
  const found = await readFeatureRows(path, {
    names,
    count: names?.length ?? 3,
    chunkBytes,
    row: (row) => rows.push([...row]),
  });
  expect(found.rows).toBe(rows.length);
  return { ...found, rows };
}

const gap = Number.NaN;

describe('rows of features', () => {
  it.each<[string, string, number[][], 'names' | 'order']>([
    ['a header in order', 'a,b,c\n1,2,3\n', [[1, 2, 3]], 'names'],
    ['a header in another order', 'c,a,b\n3,1,2\n', [[1, 2, 3]], 'names'],
    ['columns that are not asked for', 'time,c,note,a,b\n9,3,,1,2\n', [[1, 2, 3]], 'names'],
    [
      'no header',
      '1,2,3\n4,5,6\n',
      [
        [1, 2, 3],
        [4, 5, 6],
      ],
      'order',
    ],
    ['other names', 'x,y,z\n1,2,3\n', [[1, 2, 3]], 'order'],
    [
      'empty cells',
      'a,b,c\n,2,\n,,\n1,,3',
      [
        [gap, 2, gap],
        [gap, gap, gap],
        [1, gap, 3],
      ],
      'names',
    ],
    [
      'words for missing',
      'a,b,c\nnan,NA,null\nNaN,none, \n',
      [
        [gap, gap, gap],
        [gap, gap, gap],
      ],
      'names',
    ],
    ['a first row with a gap', '1,,3\n', [[1, gap, 3]], 'order'],
    ['infinities', '1,inf,-Infinity\n', [[1, Infinity, -Infinity]], 'order'],
    ['line ends of Windows and a mark', '\ufeffa,b,c\r\n1,2,3\r\n', [[1, 2, 3]], 'names'],
    ['no last line end', 'a,b,c\n1,2,3', [[1, 2, 3]], 'names'],
    ['empty lines', '\na,b,c\n\n1,2,3\n\n', [[1, 2, 3]], 'names'],
    [
      'quotes',
      '"a","b","c"\n"1",2,"3"\n"",2,3\n',
      [
        [1, 2, 3],
        [gap, 2, 3],
      ],
      'names',
    ],
    ['spaces', 'a, b ,c\n 1 ,2, 3\n', [[1, 2, 3]], 'names'],
    ['exponents', '1e-7,+2.5E3,.5\n', [[1e-7, 2500, 0.5]], 'order'],
    ['a header and nothing', 'a,b,c\n', [], 'names'],
  ])('are read with %s', async (_, text, rows, by) => {
    expect(await read(text)).toMatchObject({ rows, by, isWhole: true });
  });

  it('name the columns that were not read', async () => {
    expect((await read('time,a,b,c,note\n1,1,2,3,x\n')).ignored).toEqual(['time', 'note']);
  });

  it('know numbers as a header where they are the very names', async () => {
    expect((await read('2,0,1\n5,6,7\n', ['0', '1', '2'])).rows).toEqual([[6, 7, 5]]);
    expect((await read('2,0,1\n5,6,7\n', null)).rows).toEqual([
      [2, 0, 1],
      [5, 6, 7],
    ]);
  });

  it('of one column may be missing in an empty line', async () => {
    expect((await read('a\n1\n\n3\n', ['a'])).rows).toEqual([[1], [gap], [3]]);
  });

  it('are read from gzip', async () => {
    const text = `a,b,c\n${'1,2,3\n'.repeat(500_000)}`;
    const { rows } = await read(gzipSync(text), NAMES, 'rows.csv.gz');
    expect(rows).toHaveLength(500_000);
    await expect(read(gzipSync(text).subarray(0, 500), NAMES, 'cut.csv.gz')).rejects.toThrow('no whole gzip');
  });

  it.each([
    ['a word', 'a,b,c\n1,2,3\n1,two,3\n', 'rows.csv:3: "two" is not a number (b)'],
    ['a word without header', '1,2,3\n1,2,x\n', 'rows.csv:2: "x" is not a number (column 3)'],
    ['hexadecimal', 'a,b,c\n0x10,2,3\n', '"0x10"'],
    ['a comma as a point', 'a,b,c\n"1,5",2,3\n', '"1,5"'],
    ['a cell too few', 'a,b,c\n1,2\n', 'rows.csv:2 has 2 cells instead of 3'],
    ['a cell too many', 'a,b,c\n1,2,3,4\n', 'has 4 cells instead of 3'],
    ['a missing column', 'a,b,x\n1,2,3\n', 'has no column c'],
    ['a column too few', '1,2\n', 'has 2 columns, and the model reads 3'],
    ['other names, too few', 'x,y\n1,2\n', 'has 2 columns'],
    ['one name twice', 'a,b,c,a\n1,2,3,4\n', 'two columns are called a'],
  ])('are refused with %s', async (_, text, message) => {
    await expect(read(text)).rejects.toThrow(message);
    await expect(read(text)).rejects.toMatchObject({ name: 'InputError' });
  });

  it('that are not there are named', async () => {
    const given = { names: null, count: 1, row: () => {} };
    await expect(readFeatureRows(join(dir, 'none.csv'), given)).rejects.toThrow('none.csv');
  });

  it('can be ended early', async () => {
    const path = join(dir, 'long.csv');
    writeFileSync(path, '1,2,3\n'.repeat(600_000));
    let seen = 0;
    const found = await readFeatureRows(path, {
      names: NAMES,
      count: 3,
      row: () => {
        seen += 1;
      },
      keepsOn: () => false,
    });
    expect(found.isWhole).toBe(false);
    expect(seen).toBeLessThan(600_000);
  });

  it('law: what was written is what is read, wherever a piece of the file ends', async () => {
    // text has no negative zero
    const number = fc.double({ noNaN: true }).map((x) => (x === 0 ? 0 : x));
    const value = fc.option(number, { nil: gap });
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(value, value, value), { minLength: 1, maxLength: 50 }),
        fc.integer({ min: 64, max: 300 }),
        async (rows, chunk) => {
          const cell = (x: number) => (Number.isNaN(x) ? '' : String(x));
          const text = `a,b,c\n${rows.map((row) => row.map(cell).join(',')).join('\n')}\n`;
          expect((await read(text, NAMES, 'law.csv', chunk)).rows).toEqual(rows);
        },
      ),
      { numRuns: 60 },
    );
  });
});
