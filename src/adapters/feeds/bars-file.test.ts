import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DAY, InputError, MINUTE } from '#base';
import { readBarsFile } from './bars-file.ts';
import { importBars, listBars } from './history.ts';
import { checkBarsFile } from './quality.ts';
import { readTapeFile } from './tape-files.ts';
import { writeBarsFile } from './write-bars.ts';

const HEADER = 'time,open,high,low,close,volume';
const row = (minute: number, price = 10, symbol = '') =>
  `${symbol}${minute * MINUTE},${price},${price + 1},${price - 1},${price},5`;

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'bars-'));
});
afterAll(async () => {
  await rm(dir, { recursive: true });
});

const START = 28_000_000;
async function file(name: string, data: string | Uint8Array): Promise<string> {
  const path = join(dir, name);
  await writeFile(path, data);
  return path;
}
const good = (lines: string[]) => `${[HEADER, ...lines].join('\n')}\n`;

describe('readBarsFile', () => {
  it('reads CSV and gzip CSV to the same columns and hash', async () => {
    const text = good([row(START), row(START + 5), row(START + 10, 12.5)]);
    const [plain] = await readBarsFile(await file('BTCUSDT-5m.csv', text));
    const [packed] = await readBarsFile(await file('BTCUSDT-other.csv.gz', gzipSync(text)));
    expect(plain).toMatchObject({ instrument: 'BTCUSDT.BINANCE-USDM', intervalMs: 5 * MINUTE, kind: 'bars' });
    expect(plain!.columns.length).toBe(3);
    expect([...plain!.columns.close]).toEqual([10, 10, 12.5]);
    expect(packed!.hash).toBe(plain!.hash);
    expect(plain!.hash).toMatch(/^[0-9a-f]{64}$/);
  });

  it('takes columns by name, ignores others, and splits universe files', async () => {
    const lines = ['symbol,time,open,high,low,close,volume,marketcap'];
    for (let i = 0; i < 4; i++)
      lines.push(`${row(START + i, 10, 'ZZZ,')},9`, `${row(START + i, 20, 'AAA,')},`);
    const path = await file('universe.csv', lines.join('\n'));
    const series = await readBarsFile(path);
    expect(series.map((s) => [s.instrument, s.columns.length, s.columns.open[0]])).toEqual([
      ['AAA.LOCAL', 4, 20],
      ['ZZZ.LOCAL', 4, 10],
    ]);
    const [one] = await readTapeFile(`ZZZ=${path}`);
    expect(one!.instrument).toBe('ZZZ.LOCAL');
    await expect(readTapeFile(`QQQ=${path}`)).rejects.toThrow(/no symbol QQQ/);
    const [named] = await readTapeFile(`FOO.BAR=${await file('x.csv', good([row(START), row(START + 1)]))}`);
    expect(named!.instrument).toBe('FOO.BAR');
  });

  it('refuses and counts bars by the stated rule', async () => {
    const lines = [
      row(START),
      row(START),
      `${START * MINUTE},10,11,9,10.5,5`,
      `${(START + 1) * MINUTE},10,9,11,10,5`,
      `${(START + 2) * MINUTE},10,10.5,9,11,5`,
      row(START + 3),
      row(START + 4),
      `${(START + 5) * MINUTE + 7},10,11,9,10,5`,
      row(START + 9),
    ];
    const [series] = await readBarsFile(await file('BAD-1m.csv', good(lines)));
    expect(series!.columns.length).toBe(4);
    expect(series!.faults).toMatchObject({
      accepted: 4,
      duplicate: 1,
      conflict: 1,
      'high-below-low': 1,
      'not-enclosing': 1,
      misaligned: 1,
      gaps: 2,
      gapBars: 6,
    });
  });

  it.each([
    ['missing.csv', null, /does not exist/],
    ['empty.csv', '', /empty/],
    ['header-only.csv', `${HEADER}\n`, /no rows/],
    ['wrong.csv', 'when,o,h,l,c,v\n1,2,3,4,5,6\n', /no column "time", "open"/],
    ['headless.csv', `${row(START)}\n`, /numbers, not a header/],
    [
      'nan.csv',
      good([row(START), `${(START + 1) * MINUTE},NaN,1,1,1,1`]),
      /nan\.csv:3: "NaN" is not a number in column open/,
    ],
    ['short.csv', good([row(START), '12,3']), /short\.csv:3: 2 fields/],
    ['unsorted.csv', good([row(START + 1), row(START)]), /unsorted\.csv:3: the time .* before the row above/],
    ['fake.csv.gz', good([row(START)]), /named \.gz but is not gzip/],
    ['cut.csv.gz', gzipSync(good([row(START), row(START + 1)])).subarray(0, 40), /ends early/],
    ['binary.csv', new Uint8Array([1, 0, 2, 0]), /not a text file/],
    ['fake.parquet', good([row(START)]), /not a Parquet file/],
    ['seconds.csv', good([`${START * 60},1,1,1,1,1`, `${START * 60 + 60},1,1,1,1,1`]), /look like seconds/],
    ['one.csv', good([row(START)]), /one row/],
    [
      'allbad.csv',
      good([`${START * MINUTE},1,1,1,0,1`, `${(START + 1) * MINUTE},1,1,1,0,1`]),
      /no usable bar: 2 not-positive/,
    ],
  ] as const)('%s is refused with file, line and remedy', async (name, data, message) => {
    const path = data === null ? join(dir, name) : await file(name, data);
    const failure = await readBarsFile(path).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(InputError);
    expect((failure as InputError).message).toMatch(message);
    expect((failure as InputError).message).toContain(name);
    expect((failure as InputError).mend.length).toBeGreaterThan(10);
  });

  it('keeps hourly bars that begin at half past', async () => {
    const lines = [0, 1, 2, 3].map((h) => row(START + 30 + 60 * h));
    const [series] = await readBarsFile(await file('HALF-1h.csv', good(lines)));
    expect(series!.faults.misaligned).toBe(0);
    expect(series!.columns.length).toBe(4);
  });
});

describe('writing, importing and judging', () => {
  it.each(['csv', 'csv.gz', 'parquet'])('a %s file reads back the same', async (suffix) => {
    const lines = Array.from(
      { length: 300 },
      (_, i) => `${(START + i) * MINUTE},${0.1 + i / 7},${9 + i / 3},0.05,${0.1 + i / 9},${i / 11}`,
    );
    const series = await readBarsFile(await file(`SRC-1m.csv`, good(lines)));
    const out = join(dir, 'out', `SRC-1m.${suffix}`);
    await writeBarsFile(out, [{ symbol: 'SRC', columns: series[0]!.columns }]);
    const again = await readBarsFile(out);
    expect(again[0]!.hash).toBe(series[0]!.hash);
    const universe = join(dir, 'out', `universe.${suffix}`);
    await writeBarsFile(
      universe,
      ['A', 'B'].map((symbol) => ({ symbol, columns: series[0]!.columns })),
    );
    expect((await readBarsFile(universe)).map((s) => [s.instrument, s.hash])).toEqual([
      ['A.LOCAL', series[0]!.hash],
      ['B.LOCAL', series[0]!.hash],
    ]);
    await expect(writeBarsFile(join(dir, 'x.txt'), [])).rejects.toThrow(/format/);
  });

  it('imports foreign files: other names, dates, disorder, broken lines, seconds', async () => {
    const dated = await file(
      'ABC.csv',
      'Date,Open,High,Low,Close,Vol\n2023-07-05,2,3,1,2,9\n2023-07-04,1,3,1,2,9\n2023-07-06,oops,3,1,2,9\n',
    );
    const out = join(dir, 'imported', 'ABC-1d.csv.gz');
    const report = await importBars(dated, out);
    expect(report).toMatchObject({
      brokenLines: 1,
      unsorted: 1,
      brokenSamples: ['line 4: "oops" is not a number in column open'],
    });
    const [series] = await readBarsFile(out);
    expect(series).toMatchObject({ instrument: 'ABC.LOCAL', intervalMs: DAY });
    expect([...series!.columns.time]).toEqual([Date.UTC(2023, 6, 4), Date.UTC(2023, 6, 5)]);
    const seconds = await file(
      'SEC.csv',
      `timestamp,o,h,l,c,v\n${START * 60},1,1,1,1,1\n${START * 60 + 60},1,1,1,1,1\n`,
    );
    await importBars(seconds, join(dir, 'imported', 'SEC-1m.csv'));
    expect((await readBarsFile(join(dir, 'imported', 'SEC-1m.csv')))[0]!.columns.time[0]).toBe(
      START * MINUTE,
    );
    const listed = await listBars(join(dir, 'imported'));
    expect(listed.map((f) => [f.file, f.quality?.series[0]?.rows])).toEqual([
      ['ABC-1d.csv.gz', 2],
      ['SEC-1m.csv', 2],
    ]);
    await expect(listBars(join(dir, 'nowhere'))).rejects.toThrow(/folder/);
  });

  it('judges quality', async () => {
    const clean = Array.from({ length: 100 }, (_, i) => row(START + i, 10 + (i % 3) * 0.01));
    const report = await checkBarsFile(await file('OK-1m.csv', good(clean)));
    expect(report.series[0]).toMatchObject({
      verdict: 'good',
      rows: 100,
      gaps: 0,
      outliers: 0,
      zeroVolume: 0,
      interval: '1m',
    });
    const dirty = clean
      .filter((_, i) => i < 40 || i > 49)
      .map((line, i) => (i === 60 ? row(START + 70, 30) : line));
    const poor = (await checkBarsFile(await file('MEH-1m.csv', good(dirty)))).series[0]!;
    expect(poor).toMatchObject({ verdict: 'usable', gaps: 1, missing: 10, outliers: 2 });
    expect(poor.largestGap).toEqual({ from: (START + 40) * MINUTE, bars: 10 });
    const broken = clean.map((line, i) => (i % 10 === 0 ? `${(START + i) * MINUTE},10,9,8,10,1` : line));
    expect((await checkBarsFile(await file('POOR-1m.csv', good(broken)))).series[0]).toMatchObject({
      verdict: 'poor',
      ohlcBreaks: 10,
    });
  });

  it('counts holes only where the calendar trades', async () => {
    // Wednesday to Monday: the weekend is no hole
    const days = ['2023-06-28', '2023-06-29', '2023-06-30', '2023-07-03', '2023-07-06', '2023-07-07'].map(
      (d) => `${Date.parse(d)},10,11,9,10,5`,
    );
    const path = await file('SPY.csv', good(days));
    const [quality] = (await checkBarsFile(path, 'SPY.NYSE')).series;
    // 4 July was a holiday, 5 July is missing
    expect(quality).toMatchObject({ instrument: 'SPY.NYSE', gaps: 1, missing: 1 });
  });
});

describe('other tapes', () => {
  it('recognises funding, quotes, prints, marks and depth by their header', async () => {
    const t = START * MINUTE;
    const [funding] = await readTapeFile(
      await file('BTCUSDT-funding.csv', `time,rate\n${t},0.0001\n${t + 60_000},-0.0002\n`),
    );
    expect(funding).toMatchObject({ kind: 'funding', instrument: 'BTCUSDT.BINANCE-USDM', length: 2 });
    const many = await readTapeFile(
      await file(
        'funding.csv',
        `symbol,time,funding_rate,mark_open\nETHUSDT,${t},0.1,5\nBTCUSDT,${t},0.2,\n`,
      ),
    );
    expect(many.map((s) => [s.instrument, s.kind === 'funding' && s.columns[1]![0]])).toEqual([
      ['BTCUSDT.BINANCE-USDM', Number.NaN],
      ['ETHUSDT.BINANCE-USDM', 5],
    ]);
    const [quotes] = await readTapeFile(
      await file(
        'Q.csv',
        `time,recv,bid,bid_qty,ask,ask_qty\n${t + 1},9,1,2,3,4\n,${t},1,2,3,4\n${t + 2},9,3,2,1,4\n`,
      ),
    );
    expect(quotes).toMatchObject({ kind: 'quotes', length: 2, dropped: 1, backward: 1 });
    expect(quotes!.kind === 'quotes' && [...quotes!.at]).toEqual([t + 1, t + 1]);
    const [prints] = await readTapeFile(
      await file('P.csv', `time,price,qty,taker_side\n${t},10,1,buy\n${t},11,1,sell\n`),
    );
    expect(prints!.kind === 'prints' && [...prints!.columns[2]!]).toEqual([1, -1]);
    const [maker] = await readTapeFile(
      await file('P2.csv', `time,price,qty,is_buyer_maker\n${t},10,1,true\n`),
    );
    expect(maker!.kind === 'prints' && maker!.columns[2]![0]).toBe(-1);
    const [marks] = await readTapeFile(await file('M.csv', `time,mark,index\n${t},10,\n`));
    expect(marks).toMatchObject({ kind: 'marks', length: 1 });
    const diff = (u: number, pu: number) =>
      JSON.stringify({ type: 'diff', time: t + u, U: u, u, pu, b: [[1, 2]], a: [['3', '0']] });
    const snapshot = JSON.stringify({
      type: 'snapshot',
      time: t + 5,
      lastUpdateId: 5,
      b: [[1, 1]],
      a: [[2, 1]],
    });
    const [depth] = await readTapeFile(
      await file(
        'D.jsonl',
        [diff(3, 2), snapshot, diff(4, 3), diff(6, 5), diff(7, 6), diff(9, 8)].join('\n'),
      ),
    );
    // the change the snapshot already holds is left out; the missing id 8 is a break
    expect(depth).toMatchObject({ kind: 'depth', length: 5, breaks: 1 });
  });

  it.each([
    ['odd.csv', 'time,foo\n1,2\n', /no known header/],
    ['side.csv', 'time,price,qty,taker_side\n1700000000000,1,1,left\n', /side\.csv:2: "left" is neither/],
    ['rate.csv', 'time,rate\n1700000000000,high\n', /rate\.csv:2: "high" is not a number/],
    ['depth.jsonl', '{"type":"diff","time":1,"b":[],"a":[]}\n{oops\n', /depth\.jsonl:2: not JSON/],
    ['depth2.jsonl', '{"hello":1}\n', /depth2\.jsonl:1: not an order-book message/],
  ] as const)('%s is refused', async (name, data, message) => {
    await expect(readTapeFile(await file(name, data))).rejects.toThrow(message);
  });
});
