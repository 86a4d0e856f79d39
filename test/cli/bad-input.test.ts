import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeBadFiles } from './bad-files.ts';
import { runCli, SMA, Workplace } from './run-cli.ts';

const BIN = fileURLToPath(new URL('../../bin/quorum.js', import.meta.url));
const place = new Workplace();
const p = (name: string) => place.path(name);
beforeAll(() => writeBadFiles(place));
afterAll(() => place.remove());

/** Every file below a folder with its bytes, to prove that nothing was lost or changed. */
function contents(dir: string): Map<string, string> {
  const out = new Map<string, string>();
  for (const entry of readdirSync(dir, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isFile()) out.set(relative(dir, path), readFileSync(path, 'base64'));
  }
  return out;
}

/**
 * What is tried, the exit code, the command line, and what the message must name. In a line `@` is the folder of bad
 * files and `SMA` the first example; a line with spaces inside a word is a list.
 */
type Row = readonly [name: string, code: number, line: string | readonly string[], says: readonly string[]];

const RUN = 'backtest SMA --bars @GOOD-1h.csv';
const FEATURES = 'features --bars @GOOD-1h.csv --columns';

function argvOf(line: string | readonly string[]): string[] {
  const words = typeof line === 'string' ? line.split(' ').filter((word) => word !== '') : line;
  return words.map((word) => (word === 'SMA' ? SMA : word.replace('@', () => p('/'))));
}

const CASES: readonly Row[] = [
  // bars files
  ...(
    [
      ['bars with another header', 'HEADER-1h.csv', 'time', 'open,high,low,close'],
      ['an empty file', 'EMPTY-1h.csv', 'empty'],
      ['a header without rows', 'NOROWS-1h.csv', 'no rows'],
      ['a price that is NaN', 'NAN-1h.csv', ':32'],
      ['a word for a price', 'WORD-1h.csv', ':9'],
      ['high below low everywhere', 'HIGHLOW-1h.csv', 'high-below-low'],
      ['a gzip file that was cut off', 'CUT-1h.csv.gz', 'ends early'],
      ['a .gz that is no gzip', 'FALSE-1h.csv.gz', 'not gzip'],
      ['rows in the wrong order', 'UNSORTED-1h.csv', 'before the row above', 'sort'],
      ['negative prices', 'NEGATIVE-1h.csv', 'not-positive'],
      ['binary junk', 'BINARY-1h.csv'],
      ['times in seconds', 'SECONDS-1h.csv', 'seconds', 'quorum data import'],
      ['a last line that was cut off', 'FIELDS-1h.csv', ':62'],
      ['funding instead of bars', 'FUNDING.csv', 'funding', '--tape'],
      ['a Parquet file that is none', 'PARQUET.parquet', 'not a Parquet file'],
      ['a folder for a file', 'folder', 'folder'],
      ['a file that is not there', 'missing.csv', 'does not exist'],
    ] as const
  ).map(([name, file, ...says]): Row => [name, 3, `backtest SMA --bars @${file}`, [file, ...says]]),
  ['an instrument without a file', 3, 'backtest SMA --bars BTCUSDT=', ['INSTRUMENT=FILE']],
  ['an instrument id that is none', 3, ['backtest', 'SMA', '--bars', 'A B!=@GOOD-1h.csv'], ['A B!']],
  [
    'instruments in two currencies',
    3,
    'backtest SMA --bars @BTCUSDT-1h.csv BBCA.IDX=@BBCA.IDX-1h.csv',
    ['IDR', 'USDT', 'one currency'],
  ],
  // desks and their parameters
  ['an unknown desk', 3, 'backtest sigmaa --bars @GOOD-1h.csv', ['sigmaa', 'nearest: sigma']],
  ['a desk file that is not there', 3, 'backtest ./no-desk.ts --bars @GOOD-1h.csv', ['./no-desk.ts']],
  [
    'a desk without a default export',
    3,
    'backtest @no-default.mjs --bars @GOOD-1h.csv',
    ['default export', 'no-default.mjs'],
  ],
  [
    'a desk with a syntax error',
    3,
    'backtest @syntax.mjs --bars @GOOD-1h.csv',
    ['syntax.mjs', 'cannot be loaded'],
  ],
  [
    'a desk that throws while it loads',
    3,
    'backtest @throws.mjs --bars @GOOD-1h.csv',
    ['throws.mjs', 'made to fail'],
  ],
  [
    'a desk whose parts cannot be built',
    3,
    'backtest @breaks.mjs --bars @GOOD-1h.csv',
    ['breaks.mjs', 'no such part'],
  ],
  ['a desk without a sizer', 3, 'backtest @no-sizer.mjs --bars @GOOD-1h.csv', ['no-sizer.mjs', '"sizer"']],
  ['a folder for a desk', 3, 'backtest @folder --bars @GOOD-1h.csv', ['folder', 'desk.ts']],
  ['an unknown parameter', 3, `${RUN} --set fastt=3`, ['fastt', 'nearest', '"fast"']],
  ['a parameter of the wrong type', 3, `${RUN} --set fast=quick`, ['fast', 'number']],
  ['a parameter out of range', 3, `${RUN} --set fast=0`, ['fast']],
  ['a parameter without a value', 3, `${RUN} --set fast`, ['"fast"', 'key=value']],
  ['bars too long for the desk', 3, 'backtest sigma --bars @BTCUSDT-1h.csv', ['1h', '5m', 'finer']],
  ['a span without bars', 3, `${RUN} --from 2031-01-01`, ['2031-01-01', '2023']],
  // the command line
  ['an unknown option', 2, `${RUN} --slipage-bps 1`, ['--slipage-bps', '--slippage-bps']],
  ['an unknown command', 2, 'backtset', ['backtset', 'backtest']],
  ['no command', 2, '', ['Usage: quorum']],
  ['a missing argument', 2, 'backtest', ['desk']],
  ['a time that is none', 2, `${RUN} --from yesterday`, ['yesterday', '2023-07-04']],
  ['a number that is none', 2, `${RUN} --fee-bps five`, ['five', '--fee-bps']],
  ['an end before the start', 2, `${RUN} --from 2024-01-01 --to 2023-01-01`, ['--to', '--from']],
  ['negative cash', 2, `${RUN} --cash=-5`, ['--cash']],
  ['an unknown trace level', 2, `${RUN} --trace some`, ['some', 'decisions']],
  ['no bars at all', 3, 'backtest SMA', ['--bars']],
  // where results go
  ['an out directory that holds other things', 3, `${RUN} --out @mine`, ['notes.txt', '--out']],
  ['an out directory below a file', 3, `${RUN} --out @GOOD-1h.csv/run`, ['GOOD-1h.csv']],
  ['an out directory that is a file', 3, `${RUN} --out @BTCUSDT-1h.csv`, ['BTCUSDT-1h.csv']],
  // the record of runs, passports and promotions
  ['a registry that is not there', 3, 'runs --registry @none.sqlite', ['none.sqlite', '--registry']],
  [
    'a registry that is none',
    3,
    'runs --registry @GOOD-1h.csv',
    ['GOOD-1h.csv', 'damaged', 'quorum restore'],
  ],
  ['a run to be put on record in none', 3, `${RUN} --registry @GOOD-1h.csv`, ['GOOD-1h.csv', 'damaged']],
  ['a registry that is a folder', 3, `${RUN} --registry @folder`, ['folder', 'cannot be opened']],
  ['a passport without a registry', 3, 'passport @run --registry @none.sqlite', ['none.sqlite']],
  ['a passport of what is no run', 3, 'passport @mine', ['mine', 'no journal']],
  ['a passport of a run that was changed', 3, 'passport @flipped', ['flipped', 'damaged']],
  ['a passport on other data', 3, 'passport @inputs-other', ['data files', 'inputs.json']],
  ['a promotion of nothing', 2, 'promote --to paper', ['name a desk']],
  ['a promotion to nowhere', 2, 'promote @run', ['--to paper or --to live']],
  ['a promotion to the moon', 2, 'promote @run --to moon', ['moon', 'paper, live']],
  [
    'a profile that nobody knows',
    3,
    'promote @run --to paper --profile flete',
    ['flete', 's1, fleet, sigma'],
  ],
  ['a profile that is no JSON', 3, 'promote @run --to paper --profile @half.json', ['half.json', 'JSON']],
  [
    'a profile that is something else',
    3,
    'promote @run --to paper --profile @key.json',
    ['key.json', 'criterion'],
  ],
  ['a signature without a reason', 2, ['promote', '@run', '--to', 'paper', '--sign', 'Ada'], ['NAME']],
  [
    'a signature with next to none',
    2,
    ['promote', '@run', '--to', 'paper', '--sign', 'Ada: so'],
    ['ten letters'],
  ],
  ['parameters for a run that has its own', 3, 'promote @run --to paper --set fast=3', ['--set']],
  ['a desk that was never kept', 3, 'promote SMA --set fast=7 --to paper', ['--out DIR']],
  [
    'a paper portfolio that is none',
    3,
    'promote @run --to paper --paper @run',
    ['not the folder of a paper'],
  ],
  ['a bundle that is none', 3, 'promote --check @mine', ['mine', 'manifest.json']],
  // runs
  ['replay of no run', 3, 'replay @folder', ['folder', 'no journal']],
  ['monte-carlo of no run', 3, 'monte-carlo @folder', ['folder', 'no journal']],
  ['monte-carlo of a damaged run', 3, 'monte-carlo @no-bytes', ['no-bytes']],
  ['stress of no run', 3, 'stress @folder', ['folder', 'no journal']],
  ['parity with one side only', 2, 'parity @run', ['argument']],
  ['parity with no run', 3, 'parity @run @folder', ['folder', 'no journal']],
  ['a study without a range', 3, 'optimise SMA --bars @GOOD-1h.csv', ['--param']],
  [
    'a range that goes down',
    3,
    'optimise SMA --bars @GOOD-1h.csv --param fast=9:3',
    ['9 down to 3', 'fast=3:9'],
  ],
  [
    'a walk-forward longer than its bars',
    3,
    'walk-forward SMA --bars @GOOD-1h.csv --param fast=3:9 --train 900d --test 30d',
    ['900d to train', '30d to test'],
  ],
  ['a span of time that is none', 2, 'walk-forward SMA --train soon --test 3d', ['soon', '90d']],
  ['bias of an unknown desk', 3, 'bias sigmaa --bars @GOOD-1h.csv', ['sigmaa', 'nearest: sigma']],
  ['bias without bars', 3, 'bias SMA', ['--bars']],
  ['replay of a damaged journal', 3, 'replay @flipped', ['flipped', 'damaged at byte']],
  ['replay of a journal cut off', 3, 'replay @cut-journal', ['cut-journal', 'journal']],
  ['replay of an empty journal', 3, 'replay @no-bytes', ['no-bytes']],
  ['replay with inputs.json cut off', 3, 'replay @inputs-broken', ['inputs.json', 'cannot be read']],
  ['replay on other data', 3, 'replay @inputs-other', ['not those', 'inputs.json']],
  ['a report of no run', 3, 'report @folder', ['folder', 'summary.json', 'sweep.json']],
  ['a report of a file', 3, 'report @GOOD-1h.csv', ['GOOD-1h.csv', 'is a file']],
  ['a report of nothing', 3, 'report @missing', ['missing', 'does not exist']],
  ['a report of a damaged journal', 3, 'report @no-bytes --out @x.html', ['no-bytes']],
  ['a report below a file', 3, 'report @run --out @GOOD-1h.csv/x.html', ['GOOD-1h.csv']],
  ['a report with an unknown benchmark', 2, 'report @run --benchmark gold', ['gold', 'buy-and-hold']],
  ['a report by an unknown column', 3, 'report @run --sort sharp', ['sharp', 'sharpe']],
  [
    'a report with a walk-forward that is not there',
    3,
    'report @run --walk-forward @folder --out @x.html',
    ['walk-forward.json', 'does not exist'],
  ],
  ['why of no run', 3, 'why @folder', ['folder', 'no journal']],
  ['why without a subject', 2, 'why', ['--live']],
  ['why of an instrument that was not traded', 3, 'why @run --instrument DOGE', ['DOGE', 'GOOD']],
  ['why before the first decision', 3, 'why @run --at 2020-01-01', ['2020-01-01', 'no decision']],
  ['why of a broken trace', 3, 'why @bad-trace', ['decisions.jsonl:2']],
  [
    'why of a program that does not run',
    5,
    'why --live --data-dir @folder',
    ['no program runs', 'quorum start'],
  ],
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
    ([name, file, ...says]): Row => [
      `a configuration with ${name}`,
      3,
      `start --config @${file} --data-dir @data`,
      says,
    ],
  ),
  ['an unknown portfolio', 3, 'start --portfolio sgma --data-dir @data', ['sgma', 'sigma, sample, demo']],
  [
    'a file for a data directory, at a start',
    3,
    'start --sample --data-dir @GOOD-1h.csv',
    ['GOOD-1h.csv', 'is a file'],
  ],
  [
    'a file for a data directory, at a look',
    3,
    'status --data-dir @GOOD-1h.csv',
    ['GOOD-1h.csv', '--data-dir'],
  ],
  [
    'a word to a program that does not run',
    5,
    'operator flatten --reason x --data-dir @folder',
    ['nothing runs', 'quorum start'],
  ],
  ['an operator action that is none', 2, 'operator dance --reason x', ['dance', 'flatten']],
  [
    'a restore of no backup',
    3,
    'restore @false-backup.gz --data-dir @restored',
    ['false-backup.gz', 'no backup'],
  ],
  ['a restore of bars', 3, 'restore @GOOD-1h.csv --data-dir @restored', ['GOOD-1h.csv']],
  [
    'a restore that would write outside',
    3,
    'restore @outside.gz --data-dir @restored',
    ['outside.gz', '../../owned'],
  ],
  ['a restore over other files', 3, 'restore @outside.gz --data-dir @mine', ['mine', '--force']],
  ['a backup of nothing', 3, 'backup @b.gz --data-dir @nowhere', ['nowhere', '--data-dir']],
  ['why of a damaged journal', 3, 'why @flipped', ['flipped', 'damaged at byte']],
  // features
  ['an unknown feature', 3, `${FEATURES} rssi:14`, ['rssi', "'rsi'"]],
  ['a feature parameter out of range', 3, `${FEATURES} rsi:0`, ['rsi:0', 'period']],
  ['a feature parameter that is a word', 3, `${FEATURES} ema:long`, ['ema:long', 'whole number']],
  ['too many feature parameters', 3, `${FEATURES} rsi:1:2:3`, ['rsi:1:2:3', 'takes 1']],
  ['features without columns', 2, 'features --bars @GOOD-1h.csv', ['--columns']],
  [
    'features over many instruments',
    3,
    'features --bars @UNIVERSE.csv --columns rsi',
    ['2 instruments', '--bars A'],
  ],
  ['features into an unknown format', 2, `${FEATURES} rsi --out @x.xlsx`, ['x.xlsx', '.parquet']],
  [
    'features over their own bars',
    3,
    `${FEATURES} rsi --out @GOOD-1h.csv`,
    ['GOOD-1h.csv', 'bars file itself'],
  ],
  ['features of funding', 3, 'features --bars @FUNDING.csv --columns rsi', ['FUNDING.csv', 'open']],
  // data and new
  ['check of a poor file', 3, 'data check @HIGHLOW-1h.csv', ['HIGHLOW-1h.csv']],
  ['import onto itself', 3, 'data import @GOOD-1h.csv --out @GOOD-1h.csv', ['GOOD-1h.csv', '--out']],
  [
    'import over another file',
    3,
    'data import @GOOD-1h.csv --out @BTCUSDT-1h.csv',
    ['BTCUSDT-1h.csv', '--force'],
  ],
  [
    'import of damaged Parquet into a store',
    3,
    'data import @GOOD-1h.csv @PARQUET.parquet --store @store',
    ['PARQUET.parquet', 'not a Parquet file'],
  ],
  [
    'import of unknown columns into a store',
    3,
    'data import @GOOD-1h.csv @HEADER-1h.csv --store @store',
    ['HEADER-1h.csv', 'when', 'time,open,high,low,close,volume'],
  ],
  [
    'import of files that overlap and differ',
    3,
    'data import @GOOD-1h.csv GOOD=@OTHER-1h.csv --store @store',
    ['GOOD.LOCAL@1h', '1 of 60 common rows differ', '2023-07-01T07:00:00Z', 'OTHER-1h.csv'],
  ],
  [
    'import into a folder that holds other things',
    3,
    'data import @GOOD-1h.csv --store @mine',
    ['mine', 'other files', '--store'],
  ],
  ['import into a file', 3, 'data import @GOOD-1h.csv --store @BTCUSDT-1h.csv', ['BTCUSDT-1h.csv']],
  [
    'import with a venue that is none',
    3,
    ['data', 'import', '@GOOD-1h.csv', '--venue', 'A B', '--store', '@store'],
    ['GOOD.A B'],
  ],
  ['import of several files into one', 2, 'data import @GOOD-1h.csv @FUNDING.csv --out @o.csv', ['--out']],
  ['import with --force into a store', 2, 'data import @GOOD-1h.csv --force --store @store', ['--force']],
  ['quality of no store', 3, 'data quality --store @folder', ['folder', 'store.json']],
  ['list of a store that is none', 3, 'data list --store @nowhere', ['nowhere', 'does not exist']],
  ['list of a file', 3, 'data list @GOOD-1h.csv', ['is a file']],
  ['list of nothing', 3, 'data list @nowhere', ['nowhere']],
  ['download without a start', 2, 'data download BTCUSDT', ['--from']],
  [
    'download of an impossible interval',
    3,
    'data download BTCUSDT --from 2024-01-01 --interval 7x --dir @folder',
    ['7x'],
  ],
  [
    'download from a host that is no venue',
    3,
    'data download BTCUSDT --from 2024-01-01 --url https://example.com --dir @folder',
    ['example.com'],
  ],
  ['a new desk where one is', 3, 'new taken --in @', ['taken', 'desk.ts']],
  ['a new desk with an impossible name', 3, ['new', 'My Desk', '--in', '@'], ['My Desk', 'lower-case']],
  [
    'a sweep by an unknown engine',
    2,
    'sweep SMA --bars @GOOD-1h.csv --param fast=3:5:1 --engine fast',
    ['--engine', 'kernel'],
  ],
  [
    'a sweep by the kernel of a desk that is not in its language',
    3,
    'sweep sample --bars @GOOD-1h.csv --param bars=5:7:1 --engine kernel',
    ['kernel cannot play', '--engine loop'],
  ],
  [
    'a queue that is no URL',
    3,
    'sweep SMA --bars @GOOD-1h.csv --param fast=3:5:1 --queue host:6379',
    ['--queue', 'redis://HOST:PORT'],
  ],
  [
    'a queue where nobody answers',
    5,
    'sweep SMA --bars @GOOD-1h.csv --param fast=3:5:1 --queue redis://127.0.0.1:1',
    ['redis://127.0.0.1:1', 'ECONNREFUSED'],
  ],
  [
    'a worker of a queue where nobody answers',
    5,
    'worker --queue redis://127.0.0.1:1',
    ['redis://127.0.0.1:1'],
  ],
  ['a worker of what is no Redis', 3, 'worker --queue http://127.0.0.1', ['http://', 'redis://HOST:PORT']],
  ['doctor of a host that is no URL', 2, 'doctor --offline --host binance', ['binance', 'URL']],
];

describe('bad input', () => {
  it(`covers ${CASES.length} cases`, () => {
    expect(CASES.length).toBeGreaterThanOrEqual(100);
    expect(new Set(CASES.map(([name]) => name)).size).toBe(CASES.length);
  });

  it.each<Row>(CASES)('%s', async (_name, code, line, says) => {
    const before = contents(place.dir);
    const result = await runCli(...argvOf(line));
    const text = result.stderr;
    expect(result.code, text).toBe(code);
    for (const word of says) expect(text).toContain(word);
    expect(text).not.toMatch(/^\s+at /m);
    expect(text).not.toMatch(/^bug:/m);
    // errors say how to mend it; those of the command line point to --help
    expect(text).toMatch(/^mend: {2}\S|add --help|Usage:/m);
    expect(contents(place.dir)).toEqual(before);
  });

  it('prints errors of --json runs to stderr and leaves stdout empty', async () => {
    const result = await runCli(...argvOf('backtest SMA --bars @missing.csv --json'));
    expect(result.code).toBe(3);
    expect(result.stdout).toBe('');
  });

  it('refuses a place where no folder can be made', async (context) => {
    if (process.platform !== 'linux') return context.skip('no /proc here');
    const result = await runCli(...argvOf(`${RUN} --out /proc/quorum-run`));
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
      const asRoot = await runCli(...argvOf(`${RUN} --out /sys/quorum-run`));
      expect(asRoot.code, asRoot.stderr).toBe(3);
      expect(asRoot.stderr).toContain('/sys/quorum-run');
      expect(asRoot.stderr).not.toMatch(/^\s+at /m);
      return;
    }
    if (process.platform === 'win32') return context.skip('no permission bits here');
    mkdirSync(p('sealed'), { mode: 0o555 });
    const result = await runCli(...argvOf(`${RUN} --out @sealed/run`));
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
