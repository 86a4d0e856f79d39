import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { HEADER, runCli, START, Workplace, waveCsv } from './run-cli.ts';

const SMA = fileURLToPath(new URL('../../examples/01-sma-cross.ts', import.meta.url));
const BIN = fileURLToPath(new URL('../../bin/quorum.js', import.meta.url));
const place = new Workplace();
const p = (name: string) => place.path(name);

/** Every file below a folder with its bytes, to prove that nothing was lost or changed. */
function contents(dir: string): Map<string, string> {
  const out = new Map<string, string>();
  for (const entry of readdirSync(dir, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isFile()) out.set(relative(dir, path), readFileSync(path, 'base64'));
  }
  return out;
}

function copyRun(name: string): string {
  const dir = p(name);
  mkdirSync(dir);
  for (const file of readdirSync(p('run'))) copyFileSync(join(p('run'), file), join(dir, file));
  return dir;
}

function damage(dir: string, change: (bytes: Buffer) => Buffer): void {
  const path = join(dir, 'journal');
  writeFileSync(path, change(readFileSync(path)));
}

beforeAll(async () => {
  place.write('GOOD-1h.csv', waveCsv(300));
  const made = await runCli('backtest', SMA, '--bars', p('GOOD-1h.csv'), '--out', p('run'));
  expect(made.stderr).not.toContain('error');
  expect(made.code).toBe(0);
  const good = waveCsv(60);
  place.write('HEADER-1h.csv', good.replace(HEADER, 'when,o,h,l,c,v'));
  place.write('EMPTY-1h.csv', '');
  place.write('NOROWS-1h.csv', `${HEADER}\n`);
  place.write(
    'NAN-1h.csv',
    waveCsv(60, (row, i) => (i === 30 ? [row[0]!, 'NaN', ...row.slice(2)] : row)),
  );
  place.write(
    'WORD-1h.csv',
    waveCsv(60, (row, i) => (i === 7 ? [...row.slice(0, 4), 'ten', row[5]!] : row)),
  );
  place.write(
    'HIGHLOW-1h.csv',
    waveCsv(60, ([t, o, h, l, c, v]) => [t!, o!, l!, h!, c!, v!]),
  );
  place.write('CUT-1h.csv.gz', gzipSync(good).subarray(0, 400));
  place.write('FALSE-1h.csv.gz', good);
  place.write('UNSORTED-1h.csv', [HEADER, ...good.trim().split('\n').slice(1).reverse()].join('\n'));
  place.write(
    'NEGATIVE-1h.csv',
    waveCsv(60, (row) => [row[0]!, ...row.slice(1, 5).map((x) => `-${x}`), '1']),
  );
  place.write('BINARY-1h.csv', Buffer.from(Array.from({ length: 4096 }, (_, i) => (i * 37) % 251)));
  place.write(
    'SECONDS-1h.csv',
    waveCsv(60, (row) => [String(Number(row[0]) / 1000), ...row.slice(1)]),
  );
  place.write('FIELDS-1h.csv', `${good}${START + 60 * 3_600_000},1,2\n`);
  place.write('FUNDING.csv', `time,rate\n${START},0.0001\n${START + 28_800_000},0.0001\n`);
  place.write('PARQUET.parquet', 'this is no Parquet file');
  place.write(
    'UNIVERSE.csv',
    `symbol,${HEADER}\nA,${START},1,1,1,1,1\nB,${START},1,1,1,1,1\nB,${START + 3600000},1,1,1,1,1\n`,
  );
  place.write('BTCUSDT-1h.csv', waveCsv(60));
  place.write('BBCA.IDX-1h.csv', waveCsv(60));
  place.write('no-default.mjs', 'export const desk = 1;\n');
  place.write('syntax.mjs', 'export default {{{;\n');
  place.write('throws.mjs', "throw new Error('made to fail');\n");
  place.write(
    'breaks.mjs',
    `const schema = { safeParse: (data) => ({ success: true, data }) };
export default { name: 'breaks', summary: '', parameters: schema, build: () => { throw new TypeError('no such part'); } };
`,
  );
  place.write(
    'no-sizer.mjs',
    `const schema = { safeParse: (data) => ({ success: true, data }) };
const source = { kind: 'local', name: 's', features: {}, state: () => null, signal: () => null };
const build = () => ({ interval: 'tape', warmUpBars: 1, sources: [source], pooling: { pool: () => null }, sizer: {} });
export default { name: 'no-sizer', summary: '', parameters: schema, build };
`,
  );
  const desks = [{ desk: 'sample' }];
  const configuration = (portfolio: object, rest = {}) =>
    JSON.stringify({ portfolios: { mine: { base: 'USD', feed: 'sample', desks, ...portfolio } }, ...rest });
  place.write('key.json', configuration({ desks: [{ desk: 'sample', paramters: {} }] }));
  place.write('parameter.json', configuration({ desks: [{ desk: 'sample', parameters: { barss: 3 } }] }));
  place.write('feed.json', configuration({ feed: 'smple' }));
  place.write('cash.json', configuration({ cash: -4 }));
  place.write('currency.json', configuration({ base: 'EUR' }));
  place.write('secret.json', configuration({}, { databaseUrlEnv: 'postgres://me:hidden@host/db' }));
  place.write(
    'name.json',
    JSON.stringify({ portfolios: { '../up': { base: 'USD', feed: 'sample', desks } } }),
  );
  place.write('half.json', '{ "portfolios": ');
  place.write('false-backup.gz', gzipSync('{"format":"something"}\n'));
  place.write(
    'outside.gz',
    gzipSync('{"format":"quorum-backup","version":1}\n{"path":"../../owned","bytes":1}\nx{"sha256":""}\n'),
  );
  mkdirSync(p('folder'));
  mkdirSync(p('mine'));
  place.write('mine/notes.txt', 'keep me');
  mkdirSync(p('taken'));
  place.write('taken/desk.ts', '// mine');
  damage(copyRun('flipped'), (bytes) => {
    const copy = Buffer.from(bytes);
    copy[Math.floor(copy.length / 2)]! ^= 1;
    return copy;
  });
  damage(copyRun('cut-journal'), (bytes) => bytes.subarray(0, bytes.length - 40));
  damage(copyRun('no-bytes'), () => Buffer.alloc(0));
  writeFileSync(join(copyRun('inputs-broken'), 'inputs.json'), '{ "bars": [');
  writeFileSync(
    join(copyRun('inputs-other'), 'inputs.json'),
    readFileSync(join(p('run'), 'inputs.json'), 'utf8').replace('GOOD-1h.csv', 'BTCUSDT-1h.csv'),
  );
  writeFileSync(join(copyRun('bad-trace'), 'decisions.jsonl'), '{"type":"decision","at":1}\n{broken\n');
  chmodSync(p('folder'), 0o755);
});

afterAll(() => place.remove());

interface Case {
  readonly name: string;
  readonly argv: () => string[];
  readonly code: number;
  /** What the message must name. */
  readonly says: readonly (string | RegExp)[];
}

const backtest = (bars: string, ...rest: string[]) => ['backtest', SMA, '--bars', p(bars), ...rest];
const bars = (name: string, file: string, ...says: (string | RegExp)[]): Case => ({
  name,
  argv: () => backtest(file),
  code: 3,
  says: [file, ...says],
});

const CASES: readonly Case[] = [
  // bars files
  bars('bars with another header', 'HEADER-1h.csv', 'time', 'open,high,low,close'),
  bars('an empty file', 'EMPTY-1h.csv', 'empty'),
  bars('a header without rows', 'NOROWS-1h.csv', 'no rows'),
  bars('a price that is NaN', 'NAN-1h.csv', ':32'),
  bars('a word for a price', 'WORD-1h.csv', ':9'),
  bars('high below low everywhere', 'HIGHLOW-1h.csv', 'high-below-low'),
  bars('a gzip file that was cut off', 'CUT-1h.csv.gz', 'ends early'),
  bars('a .gz that is no gzip', 'FALSE-1h.csv.gz', 'not gzip'),
  bars('rows in the wrong order', 'UNSORTED-1h.csv', 'before the row above', 'sort'),
  bars('negative prices', 'NEGATIVE-1h.csv', 'not-positive'),
  bars('binary junk', 'BINARY-1h.csv'),
  bars('times in seconds', 'SECONDS-1h.csv', 'seconds', 'quorum data import'),
  bars('a last line that was cut off', 'FIELDS-1h.csv', ':62'),
  bars('funding instead of bars', 'FUNDING.csv', 'funding', '--tape'),
  bars('a Parquet file that is none', 'PARQUET.parquet', 'not a Parquet file'),
  bars('a folder for a file', 'folder', 'folder'),
  bars('a file that is not there', 'missing.csv', 'does not exist'),
  {
    name: 'an instrument without a file',
    argv: () => ['backtest', SMA, '--bars', 'BTCUSDT='],
    code: 3,
    says: ['INSTRUMENT=FILE'],
  },
  {
    name: 'an instrument id that is none',
    argv: () => ['backtest', SMA, '--bars', `A B!=${p('GOOD-1h.csv')}`],
    code: 3,
    says: ['A B!'],
  },
  {
    name: 'instruments in two currencies',
    argv: () => ['backtest', SMA, '--bars', p('BTCUSDT-1h.csv'), `BBCA.IDX=${p('BBCA.IDX-1h.csv')}`],
    code: 3,
    says: ['IDR', 'USDT', 'one currency'],
  },
  // desks and their parameters
  {
    name: 'an unknown desk',
    argv: () => ['backtest', 'sigmaa', '--bars', p('GOOD-1h.csv')],
    code: 3,
    says: ['sigmaa', 'nearest: sigma'],
  },
  {
    name: 'a desk file that is not there',
    argv: () => ['backtest', './no-desk.ts', '--bars', p('GOOD-1h.csv')],
    code: 3,
    says: ['./no-desk.ts'],
  },
  {
    name: 'a desk without a default export',
    argv: () => ['backtest', p('no-default.mjs'), '--bars', p('GOOD-1h.csv')],
    code: 3,
    says: ['default export', 'no-default.mjs'],
  },
  {
    name: 'a desk with a syntax error',
    argv: () => ['backtest', p('syntax.mjs'), '--bars', p('GOOD-1h.csv')],
    code: 3,
    says: ['syntax.mjs', 'cannot be loaded'],
  },
  {
    name: 'a desk that throws while it loads',
    argv: () => ['backtest', p('throws.mjs'), '--bars', p('GOOD-1h.csv')],
    code: 3,
    says: ['throws.mjs', 'made to fail'],
  },
  {
    name: 'a desk whose parts cannot be built',
    argv: () => ['backtest', p('breaks.mjs'), '--bars', p('GOOD-1h.csv')],
    code: 3,
    says: ['breaks.mjs', 'no such part'],
  },
  {
    name: 'a desk without a sizer',
    argv: () => ['backtest', p('no-sizer.mjs'), '--bars', p('GOOD-1h.csv')],
    code: 3,
    says: ['no-sizer.mjs', '"sizer"'],
  },
  {
    name: 'a folder for a desk',
    argv: () => ['backtest', p('folder'), '--bars', p('GOOD-1h.csv')],
    code: 3,
    says: ['folder', 'desk.ts'],
  },
  {
    name: 'an unknown parameter',
    argv: () => backtest('GOOD-1h.csv', '--set', 'fastt=3'),
    code: 3,
    says: ['fastt', 'nearest', '"fast"'],
  },
  {
    name: 'a parameter of the wrong type',
    argv: () => backtest('GOOD-1h.csv', '--set', 'fast=quick'),
    code: 3,
    says: ['fast', 'number'],
  },
  {
    name: 'a parameter out of range',
    argv: () => backtest('GOOD-1h.csv', '--set', 'fast=0'),
    code: 3,
    says: ['fast'],
  },
  {
    name: 'a parameter without a value',
    argv: () => backtest('GOOD-1h.csv', '--set', 'fast'),
    code: 3,
    says: ['"fast"', 'key=value'],
  },
  {
    name: 'bars too long for the desk',
    argv: () => ['backtest', 'sigma', '--bars', p('BTCUSDT-1h.csv')],
    code: 3,
    says: ['1h', '5m', 'finer'],
  },
  {
    name: 'a span without bars',
    argv: () => backtest('GOOD-1h.csv', '--from', '2031-01-01'),
    code: 3,
    says: ['2031-01-01', '2023'],
  },
  // the command line
  {
    name: 'an unknown option',
    argv: () => backtest('GOOD-1h.csv', '--slipage-bps', '1'),
    code: 2,
    says: ['--slipage-bps', '--slippage-bps'],
  },
  { name: 'an unknown command', argv: () => ['backtset'], code: 2, says: ['backtset', 'backtest'] },
  { name: 'no command', argv: () => [], code: 2, says: ['Usage: quorum'] },
  { name: 'a missing argument', argv: () => ['backtest'], code: 2, says: ['desk'] },
  {
    name: 'a time that is none',
    argv: () => backtest('GOOD-1h.csv', '--from', 'yesterday'),
    code: 2,
    says: ['yesterday', '2023-07-04'],
  },
  {
    name: 'a number that is none',
    argv: () => backtest('GOOD-1h.csv', '--fee-bps', 'five'),
    code: 2,
    says: ['five', '--fee-bps'],
  },
  {
    name: 'an end before the start',
    argv: () => backtest('GOOD-1h.csv', '--from', '2024-01-01', '--to', '2023-01-01'),
    code: 2,
    says: ['--to', '--from'],
  },
  { name: 'negative cash', argv: () => backtest('GOOD-1h.csv', '--cash=-5'), code: 2, says: ['--cash'] },
  {
    name: 'an unknown trace level',
    argv: () => backtest('GOOD-1h.csv', '--trace', 'some'),
    code: 2,
    says: ['some', 'decisions'],
  },
  { name: 'no bars at all', argv: () => ['backtest', SMA], code: 3, says: ['--bars'] },
  // where results go
  {
    name: 'an out directory that holds other things',
    argv: () => backtest('GOOD-1h.csv', '--out', p('mine')),
    code: 3,
    says: ['notes.txt', '--out'],
  },
  {
    name: 'an out directory below a file',
    argv: () => backtest('GOOD-1h.csv', '--out', p('GOOD-1h.csv/run')),
    code: 3,
    says: ['GOOD-1h.csv'],
  },
  {
    name: 'an out directory that is a file',
    argv: () => backtest('GOOD-1h.csv', '--out', p('BTCUSDT-1h.csv')),
    code: 3,
    says: ['BTCUSDT-1h.csv'],
  },
  // runs
  { name: 'replay of no run', argv: () => ['replay', p('folder')], code: 3, says: ['folder', 'no journal'] },
  {
    name: 'replay of a damaged journal',
    argv: () => ['replay', p('flipped')],
    code: 3,
    says: ['flipped', 'damaged at byte'],
  },
  {
    name: 'replay of a journal cut off',
    argv: () => ['replay', p('cut-journal')],
    code: 3,
    says: ['cut-journal', 'journal'],
  },
  { name: 'replay of an empty journal', argv: () => ['replay', p('no-bytes')], code: 3, says: ['no-bytes'] },
  {
    name: 'replay with inputs.json cut off',
    argv: () => ['replay', p('inputs-broken')],
    code: 3,
    says: ['inputs.json', 'cannot be read'],
  },
  {
    name: 'replay on other data',
    argv: () => ['replay', p('inputs-other')],
    code: 3,
    says: ['not those', 'inputs.json'],
  },
  { name: 'why of no run', argv: () => ['why', p('folder')], code: 3, says: ['folder', 'no journal'] },
  { name: 'why without a subject', argv: () => ['why'], code: 2, says: ['--live'] },
  {
    name: 'why of an instrument that was not traded',
    argv: () => ['why', p('run'), '--instrument', 'DOGE'],
    code: 3,
    says: ['DOGE', 'GOOD'],
  },
  {
    name: 'why before the first decision',
    argv: () => ['why', p('run'), '--at', '2020-01-01'],
    code: 3,
    says: ['2020-01-01', 'no decision'],
  },
  {
    name: 'why of a broken trace',
    argv: () => ['why', p('bad-trace')],
    code: 3,
    says: ['decisions.jsonl:2'],
  },
  {
    name: 'why of a program that does not run',
    argv: () => ['why', '--live', '--data-dir', p('folder')],
    code: 5,
    says: ['no program runs', 'quorum start'],
  },
  // portfolios and their configuration
  ...(
    [
      ['an unknown key', 'key.json', 'paramters', '"parameters"'],
      ['an unknown parameter', 'parameter.json', 'barss', '"bars"'],
      ['an unknown feed', 'feed.json', 'smple', '"sample"'],
      ['cash below zero', 'cash.json', 'portfolios.mine.cash'],
      ['a currency that does not fit', 'currency.json', 'SPX.SAMPLE', 'EUR'],
      ['a secret for the name of one', 'secret.json', 'databaseUrlEnv', 'never the secret itself'],
      ['a portfolio name that leaves the folder', 'name.json', '"../up" cannot be a name'],
      ['half a file', 'half.json', 'half.json is not JSON'],
      ['a folder', 'folder', 'folder is a folder'],
      ['no file', 'nowhere.json', 'nowhere.json'],
    ] as const
  ).map(
    ([name, file, ...says]): Case => ({
      name: `a configuration with ${name}`,
      argv: () => ['start', '--config', p(file), '--data-dir', p('data')],
      code: 3,
      says,
    }),
  ),
  {
    name: 'an unknown portfolio',
    argv: () => ['start', '--portfolio', 'sgma', '--data-dir', p('data')],
    code: 3,
    says: ['sgma', 'sigma, sample, demo'],
  },
  {
    name: 'a file for a data directory, at a start',
    argv: () => ['start', '--sample', '--data-dir', p('GOOD-1h.csv')],
    code: 3,
    says: ['GOOD-1h.csv', 'is a file'],
  },
  {
    name: 'a file for a data directory, at a look',
    argv: () => ['status', '--data-dir', p('GOOD-1h.csv')],
    code: 3,
    says: ['GOOD-1h.csv', '--data-dir'],
  },
  {
    name: 'a word to a program that does not run',
    argv: () => ['operator', 'flatten', '--reason', 'x', '--data-dir', p('folder')],
    code: 1,
    says: ['nothing runs', 'quorum start'],
  },
  {
    name: 'an operator action that is none',
    argv: () => ['operator', 'dance', '--reason', 'x'],
    code: 2,
    says: ['dance', 'flatten'],
  },
  {
    name: 'a restore of no backup',
    argv: () => ['restore', p('false-backup.gz'), '--data-dir', p('restored')],
    code: 3,
    says: ['false-backup.gz', 'no backup'],
  },
  {
    name: 'a restore of bars',
    argv: () => ['restore', p('GOOD-1h.csv'), '--data-dir', p('restored')],
    code: 3,
    says: ['GOOD-1h.csv'],
  },
  {
    name: 'a restore that would write outside',
    argv: () => ['restore', p('outside.gz'), '--data-dir', p('restored')],
    code: 3,
    says: ['outside.gz', '../../owned'],
  },
  {
    name: 'a restore over other files',
    argv: () => ['restore', p('outside.gz'), '--data-dir', p('mine')],
    code: 3,
    says: ['mine', '--force'],
  },
  {
    name: 'a backup of nothing',
    argv: () => ['backup', p('b.gz'), '--data-dir', p('nowhere')],
    code: 3,
    says: ['nowhere', '--data-dir'],
  },
  {
    name: 'why of a damaged journal',
    argv: () => ['why', p('flipped')],
    code: 3,
    says: ['flipped', 'damaged at byte'],
  },
  // features
  {
    name: 'an unknown feature',
    argv: () => ['features', '--bars', p('GOOD-1h.csv'), '--columns', 'rssi:14'],
    code: 3,
    says: ['rssi', "'rsi'"],
  },
  {
    name: 'a feature parameter out of range',
    argv: () => ['features', '--bars', p('GOOD-1h.csv'), '--columns', 'rsi:0'],
    code: 3,
    says: ['rsi:0', 'period'],
  },
  {
    name: 'a feature parameter that is a word',
    argv: () => ['features', '--bars', p('GOOD-1h.csv'), '--columns', 'ema:long'],
    code: 3,
    says: ['ema:long', 'whole number'],
  },
  {
    name: 'too many feature parameters',
    argv: () => ['features', '--bars', p('GOOD-1h.csv'), '--columns', 'rsi:1:2:3'],
    code: 3,
    says: ['rsi:1:2:3', 'takes 1'],
  },
  {
    name: 'features without columns',
    argv: () => ['features', '--bars', p('GOOD-1h.csv')],
    code: 2,
    says: ['--columns'],
  },
  {
    name: 'features over many instruments',
    argv: () => ['features', '--bars', p('UNIVERSE.csv'), '--columns', 'rsi'],
    code: 3,
    says: ['2 instruments', '--bars A'],
  },
  {
    name: 'features into an unknown format',
    argv: () => ['features', '--bars', p('GOOD-1h.csv'), '--columns', 'rsi', '--out', p('x.xlsx')],
    code: 2,
    says: ['x.xlsx', '.parquet'],
  },
  {
    name: 'features over their own bars',
    argv: () => ['features', '--bars', p('GOOD-1h.csv'), '--columns', 'rsi', '--out', p('GOOD-1h.csv')],
    code: 3,
    says: ['GOOD-1h.csv', 'bars file itself'],
  },
  {
    name: 'features of funding',
    argv: () => ['features', '--bars', p('FUNDING.csv'), '--columns', 'rsi'],
    code: 3,
    says: ['FUNDING.csv', 'open'],
  },
  // data and new
  {
    name: 'check of a poor file',
    argv: () => ['data', 'check', p('HIGHLOW-1h.csv')],
    code: 3,
    says: ['HIGHLOW-1h.csv'],
  },
  {
    name: 'import onto itself',
    argv: () => ['data', 'import', p('GOOD-1h.csv'), '--out', p('GOOD-1h.csv')],
    code: 3,
    says: ['GOOD-1h.csv', '--out'],
  },
  {
    name: 'import over another file',
    argv: () => ['data', 'import', p('GOOD-1h.csv'), '--out', p('BTCUSDT-1h.csv')],
    code: 3,
    says: ['BTCUSDT-1h.csv', '--force'],
  },
  { name: 'list of a file', argv: () => ['data', 'list', p('GOOD-1h.csv')], code: 3, says: ['is a file'] },
  { name: 'list of nothing', argv: () => ['data', 'list', p('nowhere')], code: 3, says: ['nowhere'] },
  {
    name: 'download without a start',
    argv: () => ['data', 'download', 'BTCUSDT'],
    code: 2,
    says: ['--from'],
  },
  {
    name: 'download of an impossible interval',
    argv: () => [
      'data',
      'download',
      'BTCUSDT',
      '--from',
      '2024-01-01',
      '--interval',
      '7x',
      '--dir',
      p('folder'),
    ],
    code: 3,
    says: ['7x'],
  },
  {
    name: 'download from a host that is no venue',
    argv: () => [
      'data',
      'download',
      'BTCUSDT',
      '--from',
      '2024-01-01',
      '--url',
      'https://example.com',
      '--dir',
      p('folder'),
    ],
    code: 3,
    says: ['example.com'],
  },
  {
    name: 'a new desk where one is',
    argv: () => ['new', 'taken', '--in', place.dir],
    code: 3,
    says: ['taken', 'desk.ts'],
  },
  {
    name: 'a new desk with an impossible name',
    argv: () => ['new', 'My Desk', '--in', place.dir],
    code: 3,
    says: ['My Desk', 'lower-case'],
  },
  {
    name: 'doctor of a host that is no URL',
    argv: () => ['doctor', '--offline', '--host', 'binance'],
    code: 2,
    says: ['binance', 'URL'],
  },
];

describe('bad input', () => {
  it(`covers ${CASES.length} cases`, () => {
    expect(CASES.length).toBeGreaterThanOrEqual(30);
    expect(new Set(CASES.map(({ name }) => name)).size).toBe(CASES.length);
  });

  it.each(CASES)('$name', async ({ argv, code, says }) => {
    const before = contents(place.dir);
    const result = await runCli(...argv());
    const text = result.stderr;
    expect(result.code, text).toBe(code);
    for (const word of says) expect(text).toMatch(word instanceof RegExp ? word : literal(word));
    expect(text).not.toMatch(/^\s+at /m);
    expect(text).not.toMatch(/^bug:/m);
    // errors say how to mend it; those of the command line point to --help
    expect(text).toMatch(/^mend: {2}\S|add --help|Usage:/m);
    expect(contents(place.dir)).toEqual(before);
  });

  it('prints errors of --json runs to stderr and leaves stdout empty', async () => {
    const result = await runCli(...backtest('missing.csv', '--json'));
    expect(result.code).toBe(3);
    expect(result.stdout).toBe('');
  });

  it('refuses a place where no folder can be made', async (context) => {
    if (process.platform !== 'linux') return context.skip('no /proc here');
    const result = await runCli(...backtest('GOOD-1h.csv', '--out', '/proc/quorum-run'));
    expect(result.code, result.stderr).toBe(3);
    expect(result.stderr).toContain('/proc/quorum-run');
  });

  it('says in which line a desk file breaks', async () => {
    place.write('line.ts', "import { z } from 'zod';\n\nexport default { name: ( => };\n");
    const result = spawnSync(process.execPath, [BIN, 'backtest', 'line.ts', '--bars', 'GOOD-1h.csv'], {
      cwd: place.dir,
      encoding: 'utf8',
    });
    expect(result.status, result.stderr).toBe(3);
    expect(result.stderr).toContain('line.ts:3 cannot be loaded');
  });

  it('refuses a place that may not be written', async (context) => {
    if (process.getuid?.() === 0) {
      // root may write everywhere but where the kernel says no
      const asRoot = await runCli(...backtest('GOOD-1h.csv', '--out', '/sys/quorum-run'));
      expect(asRoot.code, asRoot.stderr).toBe(3);
      expect(asRoot.stderr).toContain('/sys/quorum-run');
      expect(asRoot.stderr).not.toMatch(/^\s+at /m);
      return;
    }
    if (process.platform === 'win32') return context.skip('no permission bits here');
    mkdirSync(p('sealed'), { mode: 0o555 });
    const result = await runCli(...backtest('GOOD-1h.csv', '--out', p('sealed/run')));
    expect(result.code, result.stderr).toBe(3);
    expect(result.stderr).toContain('sealed');
    expect(statSync(p('sealed')).isDirectory()).toBe(true);
  });

  it.each([
    { argv: ['backtest', 'sigmaa', '--bars', 'x.csv'], code: 3, says: 'sigmaa' },
    { argv: ['backtest', '--nonsense'], code: 2, says: '--nonsense' },
    { argv: ['replay', 'no-such-run'], code: 3, says: 'no-such-run' },
  ])('as a process: $argv', ({ argv, code, says }) => {
    const done = spawnSync(process.execPath, [BIN, ...argv], { cwd: place.dir, encoding: 'utf8' });
    expect(done.status, done.stderr).toBe(code);
    expect(done.stderr).toContain(says);
    expect(done.stderr).not.toMatch(/^\s+at /m);
    expect(done.stdout).toBe('');
  });
});

function literal(text: string): RegExp {
  return new RegExp(text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
}
