import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { HOUR } from '#base';
import {
  BARS_HEADER,
  type BarRow,
  barRow,
  barRows,
  csvOf,
  FIRST_BAR,
  HistoryPlace,
  refusalOf,
  SERIES_ID,
} from '../../../../test/support/history-place.ts';
import { readBarsFile } from '../../feeds/bars-file.ts';
import { writeBarsFile } from '../../feeds/write-bars.ts';
import { HistoryStore } from './history-store.ts';
import { importFiles } from './import-files.ts';

let place: HistoryPlace;
beforeEach(() => {
  place = new HistoryPlace();
});
afterEach(() => place.remove());

describe('importFiles', () => {
  it('brings every format in as the same bars that other readers see', async () => {
    const plain = place.file('X-1h.csv', csvOf(barRows(0, 50)));
    const [expected] = await readBarsFile(plain);
    await writeBarsFile(join(place.dir, 'X-p.parquet'), [{ symbol: 'X', columns: expected!.columns }]);
    const objects = barRows(0, 50).map(([time, o, h, l, c, v]) => ({
      time,
      open: o,
      high: h,
      low: l,
      c,
      vol: `${v}`,
    }));
    const formats = [
      plain,
      place.file('X-1h.csv.gz', gzipSync(csvOf(barRows(0, 50)))),
      join(place.dir, 'X-p.parquet'),
      place.file('X-1h.jsonl', objects.map((one) => JSON.stringify(one)).join('\n')),
      place.file(
        'X-dates.csv',
        csvOf(barRows(0, 50)).replace(/^\d{13}/gm, (time) => new Date(Number(time)).toISOString()),
      ),
    ];
    for (const path of formats) {
      rmSync(place.store, { recursive: true, force: true });
      const outcome = await place.import([path]);
      expect(outcome.series, path).toMatchObject([{ id: SERIES_ID, rows: 50, added: 50, same: 0 }]);
      const series = await HistoryStore.open(place.store).bars(SERIES_ID);
      expect(series.hash, path).toBe(expected!.hash);
      expect([...series.columns.close]).toEqual([...expected!.columns.close]);
      expect(series.columns.length).toBe(50);
    }
  });

  it('splits universes, and puts symbols without a venue where they are said to trade', async () => {
    const rows = barRows(0, 30).flatMap((row) => [`AAA,${row.join()}`, `BBB,${row.join()}`]);
    const universe = place.file('universe.csv', [`symbol,${BARS_HEADER}`, ...rows].join('\n'));
    await place.import([universe], { venue: 'NASDAQ' });
    const opened = HistoryStore.open(place.store);
    expect(opened.series.map((one) => [one.id, one.rows])).toEqual([
      ['AAA.NASDAQ@1h', 30],
      ['BBB.NASDAQ@1h', 30],
    ]);
    expect((await opened.bars('BBB.NASDAQ@1h')).instrument).toBe('BBB.NASDAQ');
  });

  it('gives one series, however it was cut into overlapping files and in whatever order they came', async () => {
    const [whole] = await readBarsFile(place.file('X-1h.csv', csvOf(barRows(0, 40))));
    const cut = fc.tuple(fc.integer({ min: 1, max: 39 }), fc.integer({ min: 0, max: 20 }));
    await fc.assert(
      fc.asyncProperty(
        fc.array(cut, { minLength: 1, maxLength: 3 }),
        fc.boolean(),
        fc.boolean(),
        async (cuts, backwards, together) => {
          rmSync(place.store, { recursive: true, force: true });
          const ends = [...cuts.map(([end]) => end), 40].sort((a, b) => a - b);
          const parts = ends.map((end, i) => {
            const from = Math.max(0, (ends[i - 1] ?? 0) - (cuts[i - 1]?.[1] ?? 0));
            return place.file(`X-1h-${i}.csv`, csvOf(barRows(i === 0 ? 0 : from, Math.max(end, from + 1))));
          });
          if (backwards) parts.reverse();
          if (together) await place.import(parts);
          else for (const part of parts) await place.import([part]);
          const opened = HistoryStore.open(place.store);
          expect((await opened.bars(SERIES_ID)).hash).toBe(whole!.hash);
          expect(readdirSync(join(place.store, 'series'))).toHaveLength(1);
        },
      ),
      { numRuns: 15 },
    );
  });

  it('refuses rows that differ, says where, and leaves the store as it was', async () => {
    await place.import([place.file('X-1h.csv', csvOf(barRows(0, 20)))]);
    const before = place.contents();
    const other = barRows(10, 30);
    other[3]![4] = 100.25;
    const next = place.file('X-1h-b.csv', csvOf(other));
    const good = place.file('Y-1h.csv', csvOf(barRows(0, 20)));
    const error = await refusalOf(place.import([good, next]));
    expect(error.message).toMatch(
      /X\.LOCAL@1h: 1 of 10 common rows differ, first at 2023-07-01T13:00:00Z: close \S+ in the store, 100\.25 in .*X-1h-b\.csv/,
    );
    expect(error.mend).toContain('--replace');
    expect(place.contents()).toEqual(before);
    const [replaced] = (await place.import([next], { replace: true })).series;
    expect(replaced).toMatchObject({ rows: 30, added: 10, same: 9, replaced: 1 });
    expect((await HistoryStore.open(place.store).bars(SERIES_ID)).columns.close[13]).toBe(100.25);
  });

  it('refuses two files that differ in one import even with --replace', async () => {
    const other = barRows(0, 20);
    other[7]![5] = 3;
    const files = [place.file('X-1h.csv', csvOf(barRows(0, 20))), place.file('X-1h-b.csv', csvOf(other))];
    const error = await refusalOf(place.import(files, { replace: true }));
    expect(error.message).toMatch(/volume 1007 in .*X-1h\.csv, 3 in .*X-1h-b\.csv/);
    expect(existsSync(place.store)).toBe(false);
  });

  it('refuses bars on another grid', async () => {
    await place.import([place.file('X-1h.csv', csvOf(barRows(0, 20)))]);
    const shifted = barRows(0, 20).map(([time, ...rest]): BarRow => [time + HOUR / 2, ...rest]);
    const error = await refusalOf(place.import([place.file('X-1h-b.csv', csvOf(shifted))]));
    expect(error.message).toContain('begins before that of 2023-07-01T00:00:00Z has ended');
    expect(error.mend).toContain('time zone');
  });

  it('does nothing twice: the same import again leaves every byte', async () => {
    const path = place.file('X-1h.csv', csvOf([...barRows(0, 20), barRow(20), barRow(20)]));
    await place.import([path]);
    const before = place.contents();
    expect((await place.import([path])).series).toMatchObject([{ rows: 21, added: 0, same: 21 }]);
    expect(place.contents()).toEqual(before);
    expect(HistoryStore.open(place.store).find(SERIES_ID).imports).toMatchObject([
      { faults: { duplicate: 1 } },
    ]);
  });

  it.each([
    ['odd.csv', 'time,foo\n1,2\n', /columns are not known: time, foo/],
    ['X-1h.jsonl', '{"time":1}\n', /columns are not known: time/],
    ['X-1h.parquet', 'PAR1 and then nothing of the kind', /cannot be read as Parquet/],
    ['empty.csv', '', /empty/],
    ['missing.csv', null, /does not exist/],
    ['facts.csv', `time,value\n${FIRST_BAR},1\n`, /no column "published_at"/],
    ['splits.csv', `time,ratio\n${FIRST_BAR},0\n`, /splits\.csv:2: ratio 0 is not above zero/],
    ['splits2.csv', `time,ratio\n${FIRST_BAR},five\n`, /"five" is not a number in column ratio/],
    ['dividends.csv', 'time,amount\nsoon,1\n', /dividends\.csv:2: "soon" is no time/],
    [
      'funding.csv',
      `time,rate\n${FIRST_BAR},0.1\n${FIRST_BAR},0.2\n`,
      /funding\.csv:3: another value for the time and publication of line 2/,
    ],
  ] as const)('refuses %s and makes no store', async (name, data, message) => {
    const path = data === null ? join(place.dir, name) : place.file(name, data);
    const good = place.file('Y-1h.csv', csvOf(barRows(0, 20)));
    const error = await refusalOf(place.import([good, path]));
    expect(error.message).toMatch(message);
    expect(error.message).toContain(name);
    expect(existsSync(place.store)).toBe(false);
  });

  it('refuses a folder that holds other things, and touches nothing in it', async () => {
    const good = place.file('X-1h.csv', csvOf(barRows(0, 20)));
    const error = await refusalOf(
      importFiles({ store: place.dir, files: [good], instrument: null, replace: false }),
    );
    expect(error.message).toContain('holds other files');
    expect(readdirSync(place.dir)).toEqual(['X-1h.csv']);
  });

  it('clears away what an interrupted import left behind, and nothing else', async () => {
    await place.import([place.file('X-1h.csv', csvOf(barRows(0, 20)))]);
    const left = join(place.store, 'series', 'Y.LOCAL@1h-0123456789ab.parquet');
    const mine = join(place.store, 'series', 'notes.parquet');
    writeFileSync(left, 'half');
    writeFileSync(mine, 'keep');
    await place.import([place.file('Z-1h.csv', csvOf(barRows(0, 20)))]);
    expect(existsSync(left)).toBe(false);
    expect(readFileSync(mine, 'utf8')).toBe('keep');
    expect(HistoryStore.open(place.store).series.map((one) => one.id)).toEqual([SERIES_ID, 'Z.LOCAL@1h']);
  });
});

describe('dated entries', () => {
  it('keep what was known when, by kind and field', async () => {
    await place.import(
      [
        place.file(
          'BTCUSDT-funding.csv',
          `time,rate,mark\n${FIRST_BAR},0.0001,\n${FIRST_BAR + HOUR},-0.0002,30000\n`,
        ),
        place.file(
          'AAPL.NASDAQ-splits.jsonl',
          '{"date":"2014-06-09","ratio":"7:1","announced":"2014-04-23T20:30Z"}\n',
        ),
        place.file(
          'dividends.csv',
          'symbol,ex_date,dividend\nAAPL.NASDAQ,20140508,3.29\nAAPL.NASDAQ,20140807,0.47\n',
        ),
        place.file(
          'AAPL.NASDAQ-facts.csv',
          'date,published_at,field,value\n2014-03-31,2014-04-23,eps,11.62\n2014-03-31,2014-07-22,eps,1.66\n2014-06-30,2014-07-22,eps,1.28\n',
        ),
      ],
      { instrument: 'AAPL.NASDAQ' },
    );
    const opened = HistoryStore.open(place.store);
    expect(opened.series.map((one) => one.id)).toEqual([
      'AAPL.NASDAQ@dividends',
      'AAPL.NASDAQ@facts:eps',
      'AAPL.NASDAQ@funding',
      'AAPL.NASDAQ@splits',
    ]);
    const splits = await opened.dated('AAPL.NASDAQ@splits');
    expect([splits.time[0], splits.publishedAt[0], splits.values[0]![0]]).toEqual([
      Date.UTC(2014, 5, 9),
      Date.UTC(2014, 3, 23, 20, 30),
      7,
    ]);
    const eps = await opened.dated('AAPL.NASDAQ@facts:eps');
    // a publication that is only a date is known when that day is over
    expect([...eps.publishedAt]).toEqual([
      Date.UTC(2014, 3, 24),
      Date.UTC(2014, 6, 23),
      Date.UTC(2014, 6, 23),
    ]);
    expect([...eps.values[0]!]).toEqual([11.62, 1.66, 1.28]);
    expect([...(await opened.dated('AAPL.NASDAQ@dividends')).values[0]!]).toEqual([3.29, 0.47]);
    const funding = await opened.tape('AAPL.NASDAQ@funding');
    expect(funding.kind === 'funding' && funding.columns.map((column) => [...column])).toEqual([
      [0.0001, -0.0002],
      [Number.NaN, 30000],
    ]);
  });

  it('fill in a mark that was not known, and refuse another rate', async () => {
    await place.import([place.file('BTCUSDT-a.csv', `time,rate\n${FIRST_BAR},0.1\n`)]);
    const [merged] = (
      await place.import([place.file('BTCUSDT-b.csv', `time,rate,mark\n${FIRST_BAR},0.1,5\n`)])
    ).series;
    expect(merged).toMatchObject({ id: 'BTCUSDT.BINANCE-USDM@funding', rows: 1, added: 0, same: 1 });
    await place.import([place.file('BTCUSDT-a.csv', `time,rate\n${FIRST_BAR},0.1\n`)]);
    const { values } = await HistoryStore.open(place.store).dated('BTCUSDT.BINANCE-USDM@funding');
    expect(values.map((column) => column[0])).toEqual([0.1, 5]);
    const error = await refusalOf(
      place.import([place.file('BTCUSDT-c.csv', `time,rate\n${FIRST_BAR},0.2\n`)]),
    );
    expect(error.message).toMatch(/rate 0\.1 in the store, 0\.2 in/);
  });
});
