import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { JournalFile } from '#adapters';
import { formatDecimal } from '#base';
import { eventText } from '#engine';
import type { InstrumentId } from '#market';
import { BookViews, floatText } from '../../../src/apps/server/data/book-view.ts';
import { difference, negated, sumOf } from '../../../src/apps/server/data/decimals.ts';
import { WorthOnRecord } from '../../../src/apps/server/data/worth.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'quorum-parts-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('decimals', () => {
  const units = fc.integer({ min: -1_000_000_000, max: 1_000_000_000 });

  it('are summed exactly', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(units, fc.integer({ min: 0, max: 4 })), { maxLength: 8 }), (all) => {
        const texts = all.map(([n, scale]) => formatDecimal(n, scale));
        const exact = all.reduce((sum, [n, scale]) => sum + n * 10 ** (4 - scale), 0);
        expect(sumOf(texts)).toBe(formatDecimal(exact, 4));
      }),
    );
  });

  it.each([
    ['0.1', '0.2', '-0.1'],
    ['100', '0.00000001', '99.99999999'],
    ['-0.5', '-0.5', '0'],
    ['9007199254740993', '1', '9007199254740992'],
  ])('%s less %s is %s', (a, b, expected) => {
    expect(difference(a, b)).toBe(expected);
    expect(sumOf([negated(a), b])).toBe(negated(expected));
  });

  it('of nothing are 0', () => expect(sumOf([])).toBe('0'));
});

describe('recorded floats', () => {
  it.each([
    [0.1, '0.1'],
    [1e-7, '0.0000001'],
    [30_000, '30000'],
  ])('%s is %s', (value, text) => expect(floatText(value)).toBe(text));
});

describe('order books', () => {
  const A = 'A.X' as InstrumentId;
  let n = 0;
  const stamp = () => ({ at: ++n, eventTime: n, instrument: A });
  const written = (path = join(folder, 'journal')) => JournalFile.create(path, { headFile: 'keep' });

  it('are what the journal brings from the first look on: a quote, then depth', () => {
    const file = written();
    file.append('header', '{}');
    file.commit({ durable: false });
    const books = new BookViews();
    expect(books.look(folder, A)).toBeNull();
    file.append(
      'event',
      eventText({ kind: 'quote-updated', ...stamp(), bid: 9, bidSize: 2, ask: 11, askSize: 3 }),
    );
    file.commit({ durable: false });
    expect(books.look(folder, A)).toEqual({ at: n, finest: 'quote', bids: [[9, 2]], asks: [[11, 3]] });
    const change = (snapshot: boolean, bids: [number, number][], asks: [number, number][]) => {
      file.append('event', eventText({ kind: 'book-changed', ...stamp(), snapshot, bids, asks }));
      file.commit({ durable: false });
    };
    // a change of a book that nobody has seen whole says nothing
    change(false, [[9, 5]], []);
    expect(books.look(folder, A)).toMatchObject({ finest: 'quote' });
    change(
      true,
      [
        [8, 1],
        [9, 2],
      ],
      [
        [12, 1],
        [11, 4],
      ],
    );
    expect(books.look(folder, A)).toMatchObject({
      finest: 'depth',
      bids: [
        [9, 2],
        [8, 1],
      ],
      asks: [
        [11, 4],
        [12, 1],
      ],
    });
    change(
      false,
      [
        [9, 0],
        [10, 7],
      ],
      [[12, 6]],
    );
    expect(books.look(folder, A)).toMatchObject({
      bids: [
        [10, 7],
        [8, 1],
      ],
      asks: [
        [11, 4],
        [12, 6],
      ],
    });
    expect(books.look(folder, 'B.X')).toBeNull();
    file.close();
  });

  it('begin anew with another journal', () => {
    const quote = (file: JournalFile) =>
      file.append(
        'event',
        eventText({ kind: 'quote-updated', ...stamp(), bid: 9, bidSize: 2, ask: 11, askSize: 3 }),
      );
    const first = written();
    first.append('header', '{"run":1}');
    first.commit({ durable: false });
    const books = new BookViews();
    books.look(folder, A);
    quote(first);
    first.close();
    expect(books.look(folder, A)).not.toBeNull();
    rmSync(join(folder, 'journal'));
    rmSync(join(folder, 'journal.head'));
    const second = written();
    for (let i = 0; i < 50; i++) second.append('header', `{"run":2,"i":${i}}`);
    second.commit({ durable: false });
    expect(books.look(folder, A)).toBeNull();
    quote(second);
    second.close();
    expect(books.look(folder, A)).toMatchObject({ finest: 'quote' });
  });
});

describe('worth on record', () => {
  const study = (deskHash: string, estimate: number) =>
    JSON.stringify({
      schemaVersion: 1,
      deskHash,
      parts: [
        { kind: 'gate', name: 'g', dailyReturn: { estimate, low: -1, high: 1, method: 'x' } },
        { kind: 'source', name: 's', dailyReturn: null },
      ],
    });
  const put = (path: string, text: string, at: number) => {
    mkdirSync(join(folder, path), { recursive: true });
    const file = join(folder, path, 'worth.json');
    writeFileSync(file, text);
    utimesSync(file, at, at);
  };

  it('is that of the newest study of exactly this desk', () => {
    put('jobs/1/worth', study('a', 1), 100);
    put('jobs/2/worth', study('a', 2), 200);
    put('jobs/3/worth', study('b', 3), 300);
    put('jobs/4', 'not json', 400);
    put('jobs/5', '{"deskHash":"a"}', 500);
    const worth = new WorthOnRecord();
    expect([...worth.of(folder, 'a')]).toEqual([
      ['gate:g', { value: 2, low: -1, high: 1, unit: 'return a day' }],
    ]);
    expect(worth.of(folder, 'c').size).toBe(0);
    put('jobs/1/worth', study('a', 4), 600);
    expect(worth.of(folder, 'a').get('gate:g')!.value).toBe(4);
  });

  it('is none where there is no folder', () => {
    expect(new WorthOnRecord().of(join(folder, 'nowhere'), 'a').size).toBe(0);
  });
});
