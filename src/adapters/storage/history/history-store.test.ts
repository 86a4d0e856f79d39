import { readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { HOUR } from '#base';
import {
  barRows,
  csvOf,
  FIRST_BAR,
  HistoryPlace,
  refusalOf,
  SERIES_ID,
} from '../../../../test/support/history-place.ts';
import { HistoryStore } from './history-store.ts';
import { removeSeries } from './import-files.ts';
import { isSeriesArgument, readSeries } from './read-series.ts';

let place: HistoryPlace;
beforeEach(() => {
  place = new HistoryPlace();
});
afterEach(() => place.remove());

describe('reading', () => {
  const cacheOf = () => {
    const opened = HistoryStore.open(place.store);
    return opened.cachePath(opened.find(SERIES_ID));
  };
  const replaceCache = (bytes: Uint8Array) => {
    rmSync(cacheOf());
    writeFileSync(cacheOf(), bytes);
  };
  const load = () => HistoryStore.open(place.store, { shared: false }).load(SERIES_ID);
  beforeEach(async () => {
    await place.import([place.file('X-1h.csv', csvOf(barRows(0, 500)))]);
  });

  it('takes the cache that the import left behind, or makes one', async () => {
    const first = await load();
    rmSync(join(place.store, 'cache'), { recursive: true });
    const second = await load();
    const third = await load();
    expect([first.from, second.from, third.from]).toEqual(['cache', 'parquet', 'cache']);
    for (const { block } of [second, third]) {
      expect(block.columns).toEqual(first.block.columns);
      expect(block.buffer).toBeInstanceOf(SharedArrayBuffer);
      expect(block.buffer).not.toBe(first.block.buffer);
    }
    const parquet = await HistoryStore.open(place.store, { cached: false, shared: false }).load(SERIES_ID);
    expect(parquet.from).toBe('parquet, no cache written');
    expect(parquet.block.columns).toEqual(first.block.columns);
  });

  it('hands out the memory of a series in use again, until its rows change', async () => {
    const first = await HistoryStore.open(place.store).load(SERIES_ID);
    const second = await HistoryStore.open(place.store).load(SERIES_ID);
    expect(second.from).toBe('memory');
    expect(second.block.buffer).toBe(first.block.buffer);
    await place.import([place.file('X-1h-b.csv', csvOf(barRows(500, 510)))]);
    const third = await HistoryStore.open(place.store).load(SERIES_ID);
    expect([third.from, third.block.rows, first.block.rows]).toEqual(['cache', 510, 500]);
  });

  it('gives the same bars mapped, read, out of memory and from Parquet', async () => {
    await place.import([place.file('Y-1h.csv', csvOf(barRows(0, 30_000)))]);
    const held = await HistoryStore.open(place.store).load('Y.LOCAL@1h');
    expect(['mapped', 'cache']).toContain(held.from);
    const ways = [{}, { mapped: false, shared: false }, { cached: false, shared: false }];
    const all = await Promise.all(ways.map((way) => HistoryStore.open(place.store, way).load('Y.LOCAL@1h')));
    expect(all.map(({ from }) => from)).toEqual(['memory', 'cache', 'parquet, no cache written']);
    for (const { block } of all) expect(block.columns).toEqual(held.block.columns);
    expect(all[0]!.block.buffer).toBe(held.block.buffer);
  });

  it('makes the cache again when any byte of it is not what was written', async () => {
    const { block } = await load();
    const good = readFileSync(cacheOf());
    const places = [0, 30, 300, 4095, 4096, 4097, 10_000, good.length - 1];
    for (const place of places) {
      const bad = Buffer.from(good);
      bad[place]! ^= 0x41;
      replaceCache(bad);
      const again = await load();
      expect(again.from, `byte ${place}`).toBe('parquet');
      expect(again.block.columns).toEqual(block.columns);
    }
    for (const bad of [good.subarray(0, -8), Buffer.concat([good, good.subarray(0, 8)]), Buffer.alloc(0)]) {
      replaceCache(bad);
      expect((await load()).from).toBe('parquet');
    }
    expect((await load()).from).toBe('cache');
  });

  it('does not trust a cache of another Parquet file', async () => {
    await load();
    const opened = HistoryStore.open(place.store);
    utimesSync(opened.parquetPath(opened.find(SERIES_ID)), 1, 1);
    expect((await load()).from).toBe('parquet');
    expect((await load()).from).toBe('cache');
    await place.import([place.file('X-1h-b.csv', csvOf(barRows(400, 600)))]);
    expect((await load()).block.rows).toBe(600);
  });

  it('reads on when no cache can be written', async () => {
    rmSync(join(place.store, 'cache'), { recursive: true });
    writeFileSync(join(place.store, 'cache'), 'a file in the way');
    const { from, block } = await load();
    expect(from).toBe('parquet, no cache written');
    expect(block.rows).toBe(500);
  });

  it('names a damaged or missing Parquet file', async () => {
    await load();
    const opened = HistoryStore.open(place.store);
    const path = opened.parquetPath(opened.find(SERIES_ID));
    const good = readFileSync(path);
    const half = good.subarray(0, good.length >> 1);
    const flipped = Buffer.from(good);
    // among the prices: the times of bars without a hole are reckoned, and right whatever stands in the file
    const middle = Math.floor(good.length * 0.6);
    for (let i = middle; i < middle + 30; i++) flipped[i]! ^= 0xff;
    for (const bad of [half, flipped, Buffer.from('no Parquet at all')]) {
      writeFileSync(path, bad);
      const error = await refusalOf(load());
      expect(error.message).toContain(path);
      expect(error.message).toMatch(/is damaged|cannot be read as Parquet/);
      expect(error.mend).toContain('quorum data remove');
    }
    rmSync(path);
    expect((await refusalOf(load())).message).toContain('is missing');
    removeSeries(place.store, [SERIES_ID]);
    expect(HistoryStore.open(place.store).series).toEqual([]);
  });

  it('finds a Parquet file that holds another series by its figures', async () => {
    await place.import([place.file('Y-1h.csv', csvOf(barRows(1, 501)))]);
    const opened = HistoryStore.open(place.store);
    const other = readFileSync(opened.parquetPath(opened.find('Y.LOCAL@1h')));
    writeFileSync(opened.parquetPath(opened.find(SERIES_ID)), other);
    expect((await refusalOf(load())).message).toContain('other figures than were imported');
  });

  it('reads the new rows after another process has imported them', async () => {
    const opened = HistoryStore.open(place.store);
    await place.import([place.file('X-1h-b.csv', csvOf(barRows(500, 510)))]);
    expect((await opened.bars(SERIES_ID)).columns.length).toBe(510);
  });

  it('shares one memory with worker threads', async () => {
    const series = await HistoryStore.open(place.store).bars(SERIES_ID);
    const worker = new Worker(
      `const { parentPort } = require('node:worker_threads');
       parentPort.once('message', ({ columns }) => { columns.volume[3] = -1; parentPort.postMessage(columns.close[7]); });`,
      { eval: true },
    );
    const answer = await new Promise((resolve) => {
      worker.once('message', resolve);
      worker.postMessage(series);
    });
    await worker.terminate();
    expect(answer).toBe(series.columns.close[7]);
    expect(series.columns.volume[3]).toBe(-1);
  });

  it.each([
    ['{', /is not JSON/],
    ['{}', /has a fault at/],
    ['{"format":"quorum-history","version":9}', /another version/],
    [
      '{"format":"quorum-history","version":1,"series":[{"id":"X.LOCAL@1h","file":"../../x.parquet"}]}',
      /has a fault at series\.0/,
    ],
  ])('refuses the list %s', async (text, message) => {
    writeFileSync(join(place.store, 'store.json'), text);
    expect(() => HistoryStore.open(place.store)).toThrow(message);
    await refusalOf(place.import([place.file('Y-1h.csv', csvOf(barRows(0, 9)))]));
    expect(readFileSync(join(place.store, 'store.json'), 'utf8')).toBe(text);
  });

  it('tells what there is when a series, a store or a kind is not there', async () => {
    const opened = HistoryStore.open(place.store);
    expect((await refusalOf(opened.bars('X.LOCAL@5m'))).mend).toContain(SERIES_ID);
    expect((await refusalOf(opened.dated(SERIES_ID))).message).toContain('are bars');
    expect(() => HistoryStore.open(join(place.dir, 'nowhere'))).toThrow(/does not exist/);
    expect(() => HistoryStore.open(place.dir)).toThrow(/no history store/);
    expect((await refusalOf(readSeries('X.LOCAL@1h', place.dir))).message).toContain(
      'neither a file nor in a store',
    );
    expect(isSeriesArgument('X.LOCAL@1h')).toBe(true);
    expect(isSeriesArgument(place.file('X.LOCAL@1h', ''))).toBe(false);
    const [bars_] = await readSeries('X.LOCAL@1h', place.store);
    expect(bars_!.kind === 'bars' && bars_!.columns.length).toBe(500);
  });
});

describe('a store that is not whole', () => {
  it('and has lost its list is left as it is', async () => {
    await place.import([place.file('X-1h.csv', csvOf(barRows(0, 50)))]);
    rmSync(join(place.store, 'store.json'));
    rmSync(join(place.store, 'cache'), { recursive: true });
    const before = place.contents();
    expect(before.size).toBeGreaterThan(0);
    const refusal = await refusalOf(place.import([place.file('Y-1h.csv', csvOf(barRows(0, 50)))]));
    expect(refusal.message).toMatch(/no store\.json/);
    expect(place.contents()).toEqual(before);
  });
});

describe('funding on a tape', () => {
  const rows = (text: string) =>
    place.import([place.file('X-funding.csv', `time,rate,published_at\n${text}`)]);

  it('is what was known when it was due', async () => {
    await rows(`${FIRST_BAR},0.0001,${FIRST_BAR}\n${FIRST_BAR + HOUR},0.0002,${FIRST_BAR + HOUR}\n`);
    const tape = await HistoryStore.open(place.store).tape('X.LOCAL@funding');
    expect(tape.kind === 'funding' && [...tape.at]).toEqual([FIRST_BAR, FIRST_BAR + HOUR]);
  });

  it.each([
    ['published later', `${FIRST_BAR},0.0001,${FIRST_BAR + HOUR}\n`],
    ['restated', `${FIRST_BAR},0.0001,${FIRST_BAR}\n${FIRST_BAR},0.0003,${FIRST_BAR + HOUR}\n`],
  ])('%s is refused', async (_, text) => {
    await rows(text);
    const refusal = await refusalOf(HistoryStore.open(place.store).tape('X.LOCAL@funding'));
    expect(refusal.message).toMatch(/published or restated/);
  });
});
