import {
  appendFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { JsonlLog } from '#adapters';
import { writeWholeFile } from '../whole-file.ts';
import { KeptLines } from './kept-lines.ts';
import { linesOf } from './text-lines.ts';

const folder = mkdtempSync(join(tmpdir(), 'quorum-kept-'));
const file = (name: string) => join(folder, name);
afterAll(() => rmSync(folder, { recursive: true }));

const open = (name: string, head: { of: string } = { of: 'this' }) =>
  new KeptLines<{ n: number }>(file(name), head, (there) => (there as { of: string } | null)?.of === head.of);

describe('kept lines', () => {
  it('are there again, without a damaged one and half a line at the end, and go on', () => {
    const first = open('kept');
    for (const n of [1, 2, 3]) first.append({ n });
    first.close();
    const lines = readFileSync(file('kept'), 'utf8').split('\n');
    lines[2] = lines[2]!.replace('"n":2', '"n":9');
    writeFileSync(file('kept'), `${lines.join('\n')}{"check":"12`);
    const second = open('kept');
    expect([second.there, second.damaged]).toEqual([[{ n: 1 }, { n: 3 }], 1]);
    second.append({ n: 4 });
    second.close();
    expect(open('kept').there).toEqual([{ n: 1 }, { n: 3 }, { n: 4 }]);
  });

  it('that belong to something else, or whose first line is damaged, are thrown away when nobody refuses', () => {
    for (const spoil of ['other', 'damaged']) {
      const first = open('thrown', { of: 'another' });
      first.append({ n: 1 });
      first.close();
      if (spoil === 'damaged') writeFileSync(file('thrown'), 'no json\n{}\n');
      const second = open('thrown');
      expect(second.there).toEqual([]);
      second.append({ n: 2 });
      second.close();
      const third = open('thrown');
      expect(third.there).toEqual([{ n: 2 }]);
      third.remove();
      expect(existsSync(file('thrown'))).toBe(false);
    }
  });
});

describe('a full disk', () => {
  it('is told of the file that was written, and leaves no half of a whole one', (context) => {
    if (!existsSync('/dev/full')) return context.skip('no /dev/full here');
    symlinkSync('/dev/full', file('full'));
    const log = new JsonlLog(file('full'));
    expect(() => log.write({})).toThrow(expect.objectContaining({ code: 'ENOSPC', path: file('full') }));
    log.close();
    symlinkSync('/dev/full', file('whole.part'));
    expect(() => writeWholeFile(file('whole'), ['text'])).toThrow(
      expect.objectContaining({ code: 'ENOSPC', path: file('whole') }),
    );
    expect(readdirSync(folder).filter((name) => name.startsWith('whole'))).toEqual([]);
  });
});

describe('lines of a file', () => {
  it('come whole wherever the pieces it is read in end, and without what has no line end', () => {
    const lines = Array.from({ length: 40 }, (_, i) => `${i} ${'é'.repeat(i * 4_001)}`);
    writeFileSync(file('long'), `${lines.join('\n')}\n`);
    appendFileSync(file('long'), 'half');
    expect([...linesOf(file('long'))]).toEqual(lines);
    writeFileSync(file('empty'), '');
    expect([...linesOf(file('empty'))]).toEqual([]);
  });
});
