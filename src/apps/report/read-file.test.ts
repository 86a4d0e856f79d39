import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { readTable } from './read-file.ts';

const folder = mkdtempSync(join(tmpdir(), 'quorum-table-'));
afterAll(() => rmSync(folder, { recursive: true }));

function read(text: string) {
  const path = join(folder, 'table.csv');
  writeFileSync(path, text);
  return readTable(path, ['reason', 'time'], 'mend it');
}

describe('a table of a run', () => {
  it('gives columns by name, whatever stands in a cell', () => {
    expect(read('time,reason\n1,plain\n2,"a, ""b"""\n3,"two\n\nlines"\n')).toEqual([
      ['plain', '1'],
      ['a, "b"', '2'],
      ['two\n\nlines', '3'],
    ]);
  });

  it('names the place that is damaged', () => {
    expect(() => read('time\n1\n')).toThrow(/table\.csv has no column "reason"/);
    expect(() => read('time,reason\n1,a\n2\n')).toThrow(/table\.csv:3 has 1 cells instead of 2/);
    expect(() => read('time,reason\n1,a,"b\n2,c\n')).toThrow(/table\.csv:2 has 3 cells/);
  });
});
