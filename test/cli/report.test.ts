import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Chance } from '#base';
import { HEADER, jsonOf, runCli, SMA, START, Workplace, waveCsv } from './run-cli.ts';

const place = new Workplace();
const p = (name: string) => place.path(name);

const textOf = (name: string) => readFileSync(p(name), 'utf8');
/** Words of a page as a person reads them. */
const wordsOf = (name: string) =>
  textOf(name)
    .replace(/<(style|script)[\s\S]*?<\/\1>/g, '')
    .replace(/<[^>]+>/g, ' ')
    .replace(/\s+/g, ' ')
    .replaceAll('\u00a0', ' ');

/** A random walk: some trades gain, most lose. */
function walkCsv(rows: number): string {
  const chance = new Chance('report');
  const lines = [HEADER];
  let price = 20_000;
  for (let i = 0; i < rows; i++) {
    const close = price * (1 + (chance.uniform() - 0.5) * 0.02);
    lines.push(
      [START + i * 3_600_000, price, Math.max(price, close), Math.min(price, close), close, 1000].join(','),
    );
    price = close;
  }
  return `${lines.join('\n')}\n`;
}

beforeAll(async () => {
  const bars = place.write('WALK-1h.csv', walkCsv(1_000));
  const backtest = ['backtest', SMA, '--bars', bars, '--fee-bps', '3', '--slippage-bps', '2'];
  expect((await runCli(...backtest, '--out', p('run'))).code).toBe(0);
  expect((await runCli(...backtest, '--trace', 'none', '--out', p('silent'))).code).toBe(0);
  expect((await runCli(...backtest, '--set', 'slow=990', '--out', p('idle'))).code).toBe(0);
}, 60_000);
afterAll(() => place.remove());

describe('the report of a run', () => {
  it('is one page that asks for nothing, the same for the same run', async () => {
    const first = await runCli('report', p('run'), '--json');
    expect([first.code, first.stderr]).toEqual([0, '']);
    const told = jsonOf(first);
    expect(told).toMatchObject({ schemaVersion: 1, kind: 'run', out: p('run/report.html'), pngBytes: null });
    const text = textOf('run/report.html');
    expect(told.htmlBytes).toBe(Buffer.byteLength(text));
    expect((await runCli('report', p('run'), '--out', p('again.html'))).code).toBe(0);
    expect(textOf('again.html')).toBe(text);
    expect(text).toMatch(
      /Content-Security-Policy" content="default-src 'none'; style-src 'sha256-[^']+'; script-src 'sha256-/,
    );
    expect(text).not.toMatch(/https?:|url\((?!#)|@import|<link|<img|<iframe|\sstyle=|\son\w+=/i);
    for (const svg of text.match(/<svg [\s\S]*?<\/svg>/g)!) {
      expect(svg).toMatch(
        /role="img" aria-labelledby="([\w-]+)-t \1-d"><title id="\1-t">[^<]+<\/title><desc id="\1-d">/,
      );
    }
    const ids = [...text.matchAll(/\sid="([^"]+)"/g)].map(([, id]) => id);
    expect(new Set(ids).size).toBe(ids.length);
    for (const [, target] of text.matchAll(/(?:href="#|url\(#)([\w-]+)/g)) expect(ids).toContain(target);
    expect(text.match(/<table/g)!.length).toBe(text.match(/<caption>/g)!.length);
  });

  it('says what summary.json says', async () => {
    const summary = JSON.parse(textOf('run/summary.json')) as Record<string, unknown>;
    const words = wordsOf('run/report.html');
    const gained = Number(summary.equityEnd) / Number(summary.cashStart) - 1;
    const percent = (share: number) => `${share < 0 ? '\u2212' : ''}${(Math.abs(share) * 100).toFixed(2)} %`;
    expect(words).toContain(`Return ${percent(gained)}`);
    expect(words).toContain(`Largest drawdown ${percent(-(summary.maxDrawdown as number))}`);
    expect(words).toContain(`Trades ${summary.trades}`);
    for (const title of [
      'Equity',
      'Months',
      'Trades',
      'Exposure',
      'Over time',
      'Costs',
      'Regimes',
      'Instruments and sources',
      'Luck',
    ])
      expect(textOf('run/report.html')).toContain(`>${title}</h2>`);
  });

  it('lets the directory be used for the next run, and goes with its own', async () => {
    cpSync(p('run'), p('reused'), { recursive: true });
    expect(existsSync(p('reused/report.html'))).toBe(true);
    const bars = p('WALK-1h.csv');
    expect((await runCli('backtest', SMA, '--bars', bars, '--out', p('reused'))).code).toBe(0);
    expect(existsSync(p('reused/report.html'))).toBe(false);
  });

  it('decides a run again that kept no decisions', async () => {
    expect((await runCli('report', p('silent'), '--out', p('silent.html'))).code).toBe(0);
    expect(wordsOf('silent.html')).toContain('decided again, the run kept none');
    // the same reasons as with a trace
    const reasons = (name: string) => wordsOf(name).match(/Entered by [^.]+/g);
    expect(reasons('silent.html')).toEqual(reasons('again.html'));
    expect(reasons('silent.html')?.length ?? 0).toBeGreaterThan(0);
  });

  it('has something to say of a run that never traded', async () => {
    expect((await runCli('report', p('idle'), '--out', p('idle.html'), '--png', p('idle.png'))).code).toBe(0);
    const words = wordsOf('idle.html');
    expect(words).toContain('No trade was closed.');
    expect(words).toContain('Nothing was ever held.');
    expect(words).not.toMatch(/NaN|Infinity|undefined|null/);
  });

  it('draws a picture', async () => {
    const drawn = await runCli('report', p('run'), '--out', p('x.html'), '--png', p('x.png'), '--json');
    expect(drawn.code).toBe(0);
    const bytes = readFileSync(p('x.png'));
    expect(bytes.subarray(1, 4).toString('latin1')).toBe('PNG');
    expect(bytes.readUInt32BE(16)).toBe(2096);
    expect((await runCli('report', p('run'), '--out', p('x.html'), '--png', p('y.png'))).code).toBe(0);
    expect(readFileSync(p('y.png')).equals(bytes)).toBe(true);
  });

  it('says when a picture has no labels for want of a font', async () => {
    const noFont = place.write('none.ttf', 'no font');
    const drawn = await runCli(
      'report',
      p('run'),
      '--out',
      p('x.html'),
      '--png',
      p('z.png'),
      '--font',
      noFont,
    );
    expect(drawn.code).toBe(0);
    expect(drawn.stderr).toContain('no labels');
  });

  it('does without the bars when they are gone or others', async () => {
    cpSync(p('run'), p('lonely'), { recursive: true });
    const inputs = JSON.parse(textOf('lonely/inputs.json')) as Record<string, unknown>;
    writeFileSync(p('lonely/inputs.json'), JSON.stringify({ ...inputs, bars: [p('gone.csv')] }));
    expect((await runCli('report', p('lonely'))).code).toBe(0);
    expect(wordsOf('lonely/report.html')).toContain('without the bars there is no benchmark');
    const other = place.write('OTHER-1h.csv', waveCsv(400));
    writeFileSync(p('lonely/inputs.json'), JSON.stringify({ ...inputs, bars: [`WALK.LOCAL=${other}`] }));
    expect((await runCli('report', p('lonely'))).code).toBe(0);
    expect(wordsOf('lonely/report.html')).toContain('not those the run was made on');
    expect((await runCli('report', p('run'), '--benchmark', 'none', '--out', p('x.html'))).code).toBe(0);
    expect(wordsOf('x.html')).not.toContain('bought and held');
  });

  it('escapes whatever a desk or a file calls itself', async () => {
    cpSync(p('run'), p('hostile'), { recursive: true });
    const summary = JSON.parse(textOf('hostile/summary.json')) as Record<string, unknown>;
    const evil = `<script>alert('x')</script>"'&\u202e`;
    const notes = [evil];
    writeFileSync(
      p('hostile/summary.json'),
      JSON.stringify({
        ...summary,
        desk: evil,
        stamps: notes,
        notes,
        parameters: { [evil]: evil },
        signalsBySource: { [evil]: 3 },
      }),
    );
    const trades = textOf('hostile/trades.csv').replaceAll(
      /,(exit:[\w-]+|opposite[\w-]*|[\w:-]+),false/g,
      `,"${evil.replaceAll('"', '""')}",false`,
    );
    writeFileSync(p('hostile/trades.csv'), trades);
    expect((await runCli('report', p('hostile'), '--png', p('hostile.png'))).code).toBe(0);
    const text = textOf('hostile/report.html');
    expect(text).not.toContain('<script>alert');
    expect(text).not.toContain('\u202e');
    expect(text.match(/<script>/g)).toHaveLength(1);
    expect(text).toContain('&lt;script&gt;alert');
  });

  it('stays small for a year of five-minute bars of seven pairs', async () => {
    cpSync(p('run'), p('large'), { recursive: true });
    const rows = ['time,equity'];
    for (let i = 0; i < 600_000; i++)
      rows.push(`${START + i * 60_000},${i === 411_111 ? 4_000 : 10_000 + (i % 977)}`);
    writeFileSync(p('large/equity.csv'), `${rows.join('\n')}\n`);
    const [head, one] = textOf('large/trades.csv').split('\n');
    const lines = Array.from({ length: 20_000 }, (_, i) => one!.replace(/^[^,]+/, `T${i}`));
    writeFileSync(p('large/trades.csv'), `${[head, ...lines].join('\n')}\n`);
    expect((await runCli('report', p('large'))).code).toBe(0);
    expect(statSync(p('large/report.html')).size).toBeLessThan(2_000_000);
    // the one trough is still the deepest point that is drawn
    expect(wordsOf('large/report.html')).toMatch(/\u221263\.5\d %|\u221263\.\d+ %/);
  }, 30_000);

  it('shows a study that lies beside it, and leaves out another run\u2019s', async () => {
    expect((await runCli('worth', p('run'))).code).toBe(0);
    expect((await runCli('report', p('run'), '--out', p('x.html'))).code).toBe(0);
    expect(textOf('x.html')).toContain('>What each part is worth</h2>');
    const worth = JSON.parse(textOf('run/worth/worth.json')) as Record<string, unknown>;
    writeFileSync(p('run/worth/worth.json'), JSON.stringify({ ...worth, journalHash: 'another' }));
    expect((await runCli('report', p('run'), '--out', p('x.html'))).code).toBe(0);
    expect(textOf('x.html')).not.toContain('>What each part is worth</h2>');
    expect(wordsOf('x.html')).toContain('worth.json lies in the directory and is of another run');
    rmSync(p('run/worth'), { recursive: true });
  }, 30_000);

  it('writes tables that other programs read', async () => {
    const tables = await runCli('report', p('run'), '--out', p('x.html'), '--parquet', p('tables'), '--json');
    expect(jsonOf(tables).tables).toHaveLength(4);
    const connection = await (await DuckDBInstance.create(':memory:')).connect();
    const ask = async (sql: string) => (await connection.runAndReadAll(sql)).getRowObjectsJson();
    const file = (name: string) => `read_parquet('${p(`tables/${name}.parquet`)}')`;
    const summary = JSON.parse(textOf('run/summary.json')) as Record<string, number | string>;
    const [trades] = await ask(
      `select count(*)::int n, sum(net) net, count(mae)::int mae from ${file('trades')}`,
    );
    expect(trades).toMatchObject({ n: summary.trades, mae: summary.trades });
    const [fills] = await ask(`select count(*)::int n, sum(fee) fee from ${file('fills')}`);
    expect(fills!.n).toBe(summary.fills);
    expect(fills!.fee).toBeCloseTo(Number(summary.fees), 6);
    const [last] = await ask(`select equity from ${file('equity')} order by time desc limit 1`);
    expect(last!.equity).toBeCloseTo(Number(summary.equityEnd), 6);
    const [grown] = await ask(`select product(1 + "return") g from ${file('daily')}`);
    expect(grown!.g).toBeCloseTo(Number(summary.equityEnd) / Number(summary.cashStart), 9);
    connection.closeSync();
    expect(readdirSync(p('tables')).sort()).toEqual([
      'daily.parquet',
      'equity.parquet',
      'fills.parquet',
      'trades.parquet',
    ]);
  });
});

describe('the report of a sweep', () => {
  it('marks the plateau in maps of each pair, and keeps the whole small', async () => {
    const bars = place.write('SHORT-1h.csv', waveCsv(160));
    const grid = [
      '--engine',
      'loop',
      '--param',
      'fast=2:20:1',
      '--param',
      'slow=22:60:1',
      '--param',
      'mode=long-flat,long-short',
    ];
    expect(
      (await runCli('sweep', SMA, '--bars', bars, ...grid, '--workers', '1', '--out', p('sweep'))).code,
    ).toBe(0);
    const first = await runCli('report', p('sweep'), '--png', p('sweep.png'), '--json');
    expect(jsonOf(first)).toMatchObject({ kind: 'sweep' });
    const text = textOf('sweep/report.html');
    expect(text.match(/<h3>/g)).toHaveLength(3);
    expect(text.match(/<svg class="wide"/g)!.length).toBe(3 + 1 + 3);
    expect(wordsOf('sweep/report.html')).toContain('The 1,000 best of 1,482');
    expect(Buffer.byteLength(text)).toBeLessThan(2_000_000);
    expect((await runCli('report', p('sweep'), '--out', p('x.html'))).code).toBe(0);
    expect(textOf('x.html')).toBe(text);
    // the sweep goes on in a directory with a report
    expect(
      (await runCli('sweep', SMA, '--bars', bars, ...grid, '--workers', '1', '--out', p('sweep'))).code,
    ).toBe(0);
    expect((await runCli('report', p('sweep'), '--sort', 'maxDrawdown', '--out', p('x.html'))).code).toBe(0);
    expect(wordsOf('x.html')).toContain('Best by largest drawdown');
  }, 60_000);
});

describe('bad input of a report', () => {
  const broken = (name: string, file: string, text: string) => {
    cpSync(p('run'), p(name), { recursive: true });
    writeFileSync(join(p(name), file), text);
    rmSync(join(p(name), 'report.html'), { force: true });
    return name;
  };

  it.each([
    ['a summary that is no JSON', 'summary.json', '{"desk"', ['summary.json', 'no JSON']],
    ['a summary without its cash', 'summary.json', '{}', ['summary.json', 'damaged at desk']],
    ['an equity without its column', 'equity.csv', 'time,value\n1,2\n', ['equity.csv', '"equity"']],
    ['an equity with a word', 'equity.csv', 'time,equity\n1,2\n2,many\n', ['equity.csv:3', 'many']],
    ['an equity that goes back in time', 'equity.csv', 'time,equity\n2,2\n1,2\n', ['equity.csv:3', 'later']],
    [
      'a fill that was cut off',
      'fills.csv',
      'time,desk,book,instrument,side,quantity,price,fee,liquidity,orderId,reason\n1,a\n',
      ['fills.csv:2', '2 cells'],
    ],
    [
      'a trade without a price',
      'trades.csv',
      'id,desk,book,instrument,direction,openedAt,closedAt,quantity,entryPrice,exitPrice,realised,fees,funding,net,exitReason,shadow\nT,d,b,X,long,1,2,1,,1,1,1,1,1,x,false\n',
      ['trades.csv:2', 'entryPrice'],
    ],
    ['a damaged trace', 'decisions.jsonl', '{"type":"exit",\n', ['decisions.jsonl:1', 'trace']],
    ['a damaged passport', 'passport.json', '{"desk":1}', ['passport.json', 'damaged at']],
    ['a damaged walk-forward', 'walk-forward.json', '[', ['walk-forward.json', 'no JSON']],
  ] as const)('names %s', async (what, file, text, says) => {
    const name = broken(what.replaceAll(' ', '-'), file, text);
    const result = await runCli('report', p(name));
    expect(result.code).toBe(3);
    for (const words of says) expect(result.stderr).toContain(words);
    expect(result.stderr).toContain('mend');
    expect(result.stderr).not.toContain('    at ');
    expect(existsSync(join(p(name), 'report.html'))).toBe(false);
  });

  it('names a sweep that is not finished or damaged', async () => {
    mkdirSync(p('half'));
    place.write('half/rows.jsonl', '');
    const half = await runCli('report', p('half'));
    expect([half.code, half.stderr.includes('not finished')]).toEqual([3, true]);
    place.write('half/sweep.json', '{"identity":{}}');
    const damaged = await runCli('report', p('half'));
    expect([damaged.code, damaged.stderr.includes('damaged at identity')]).toEqual([3, true]);
  });

  it('keeps the old page where the new one cannot be written', async () => {
    const before = textOf('run/report.html');
    appendFileSync(p('run/decisions.jsonl'), '{"type":"exit",\n');
    expect((await runCli('report', p('run'))).code).toBe(3);
    expect(textOf('run/report.html')).toBe(before);
  });
});
