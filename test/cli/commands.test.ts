import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readBarsFile } from '#adapters';
import { computeFeatures } from '#features';
import { program } from '../../src/apps/cli/main.ts';
import { jsonOf, runCli, START, Workplace, waveCsv } from './run-cli.ts';

const HOUR = 3_600_000;
const BIN = fileURLToPath(new URL('../../bin/quorum.js', import.meta.url));
const place = new Workplace();
const p = (name: string) => place.path(name);

beforeAll(() => {
  place.write('WAVE-1h.csv', waveCsv(300));
});
afterAll(() => place.remove());

const whole = await program();

/** All commands with their subcommands, as words. */
function commandLines(): string[][] {
  const lines: string[][] = [];
  const visit = (command: Command, words: string[]) => {
    for (const child of command.commands) {
      if (child.name() === 'help') continue;
      lines.push([...words, child.name()]);
      visit(child as Command, [...words, child.name()]);
    }
  };
  visit(whole, []);
  return lines;
}

describe('--help', () => {
  it('knows the commands that users rely on', () => {
    const names = commandLines().map((words) => words.join(' '));
    for (const name of [
      'backtest',
      'sweep',
      'replay',
      'why',
      'worth',
      'features',
      'new',
      'doctor',
      'data download',
      'data import',
      'data check',
      'data list',
      'data quality',
      'data remove',
    ]) {
      expect(names).toContain(name);
    }
  });

  it.each(commandLines())('%s %s', async (...words) => {
    const help = await runCli(...words.filter((word) => word !== undefined), '--help');
    expect(help.code).toBe(0);
    expect(help.stdout).toContain(`Usage: quorum ${words.join(' ')}`);
    expect(help.stderr).toBe('');
  });

  it.each(['sweep', 'features', 'data', 'new', 'doctor', 'why'])('%s shows examples', async (name) => {
    expect((await runCli(name, '--help')).stdout).toMatch(/Examples:\n {2}\$ quorum /);
  });
});

describe('quorum features', () => {
  const COLUMNS = 'rsi:14,macd:12:26:9,bbands:20:2,stoch:14:3:3,ema';
  const NAMES = [
    'time',
    'rsi_14',
    'macd_12_26_9',
    'macd_12_26_9_signal',
    'macd_12_26_9_hist',
    'bbands_20_2_upper',
    'bbands_20_2_middle',
    'bbands_20_2_lower',
    'bbands_20_2_pctb',
    'bbands_20_2_width',
    'stoch_14_3_3_k',
    'stoch_14_3_3_d',
    'stoch_14_3_3_rawk',
    'ema_20',
  ];

  async function expected(): Promise<ReadonlyMap<string, Float64Array>> {
    const [series] = await readBarsFile(p('WAVE-1h.csv'));
    return computeFeatures(series!.columns, COLUMNS.split(','));
  }

  it('writes every number so that it reads back as the same double, and nothing while undefined', async () => {
    const done = await runCli(
      'features',
      '--bars',
      p('WAVE-1h.csv'),
      '--columns',
      COLUMNS,
      '--out',
      p('f.csv'),
    );
    expect(done.code, done.stderr).toBe(0);
    const [header, ...rows] = readFileSync(p('f.csv'), 'utf8').trim().split('\n');
    expect(header!.split(',')).toEqual(NAMES);
    expect(rows).toHaveLength(300);
    const columns = [...(await expected()).values()];
    rows.forEach((row, i) => {
      const [time, ...cells] = row.split(',');
      expect(Number(time)).toBe(START + i * HOUR);
      cells.forEach((cell, k) => {
        const value = columns[k]![i]!;
        expect(cell === '' ? Number.NaN : Number(cell)).toBe(value);
      });
    });
    expect(rows[13]!.split(',')[1]).toBe('');
    expect(rows[14]!.split(',')[1]).not.toBe('');
    expect(existsSync(p('f.csv.part'))).toBe(false);
  });

  it('gives the same on stdout, and as one object with --json', async () => {
    const text = await runCli('features', '--bars', p('WAVE-1h.csv'), '--columns', COLUMNS);
    expect(text.stdout).toBe(readFileSync(p('f.csv'), 'utf8'));
    const json = jsonOf(
      await runCli('features', '--bars', p('WAVE-1h.csv'), '--columns', 'rsi:14', '--json'),
    );
    expect(json).toMatchObject({
      schemaVersion: 1,
      interval: '1h',
      rows: 300,
      columns: ['time', 'rsi_14'],
      firstRow: { rsi_14: 14 },
    });
    expect((json.data as unknown[])[0]).toEqual([START, null]);
  });

  it('writes the same values as Parquet', async () => {
    const done = await runCli(
      'features',
      '--bars',
      p('WAVE-1h.csv'),
      '--columns',
      COLUMNS,
      '--out',
      p('f.parquet'),
    );
    expect(done.code, done.stderr).toBe(0);
    const { DuckDBInstance } = await import('@duckdb/node-api');
    const instance = await DuckDBInstance.create(':memory:');
    const connection = await instance.connect();
    const read = await connection.runAndReadAll(`select * from read_parquet('${p('f.parquet')}')`);
    expect(read.columnNames()).toEqual(NAMES);
    const columns = [...(await expected()).values()];
    read.getRows().forEach((row, i) => {
      expect(Number(row[0])).toBe(START + i * HOUR);
      for (const [k, column] of columns.entries())
        expect(row[k + 1]).toBe(Number.isNaN(column[i]!) ? null : column[i]);
    });
    connection.closeSync();
    instance.closeSync();
  });

  it('lists every feature with parameters, outputs, units and source', async () => {
    const { features } = jsonOf(await runCli('features', '--list', '--json')) as {
      features: Record<string, unknown>[];
    };
    expect(features.length).toBeGreaterThan(35);
    for (const one of features) {
      expect(one.source).not.toBe('');
      expect(
        (one.outputs as { column: string; unit: string }[]).every(
          ({ column, unit }) => column !== '' && unit !== '',
        ),
      ).toBe(true);
    }
    const text = (await runCli('features', '--list')).stdout;
    expect(text).toMatch(/^macd:fast=12:slow=26:signal=9 +macd_12_26_9 +price/m);
  });

  it('does not mind a reader that leaves early', () => {
    const command = `"${process.execPath}" "${BIN}" features --list | head -1`;
    const done = spawnSync('bash', ['-c', `set -o pipefail; ${command}`], { encoding: 'utf8' });
    expect(done.status, done.stderr).toBe(0);
    expect(done.stderr).toBe('');
  });
});

describe('quorum data', () => {
  it('imports a foreign file and checks what came out', async () => {
    const rows = waveCsv(50)
      .trim()
      .split('\n')
      .slice(1)
      .map((line) => line.split(','));
    const foreign = rows
      .map(([t, ...rest]) => [new Date(Number(t)).toISOString(), ...rest].join(','))
      .reverse();
    place.write('export.csv', ['Date,Open,High,Low,Close,Vol', ...foreign, 'broken,line'].join('\n'));
    const done = await runCli(
      'data',
      'import',
      p('export.csv'),
      '--instrument',
      'AAPL.NASDAQ',
      '--out',
      p('AAPL-1h.csv.gz'),
      '--json',
    );
    expect(done.code, done.stderr).toBe(0);
    expect(jsonOf(done)).toMatchObject({ brokenLines: 1, unsorted: 1 });
    const checked = jsonOf(await runCli('data', 'check', `AAPL.NASDAQ=${p('AAPL-1h.csv.gz')}`, '--json'));
    const [file] = checked.files as { series: Record<string, unknown>[] }[];
    expect(file!.series[0]).toMatchObject({
      instrument: 'AAPL.NASDAQ',
      interval: '1h',
      rows: 50,
      first: START,
      duplicates: 0,
    });
    const [series] = await readBarsFile(p('AAPL-1h.csv.gz'));
    const [original] = await readBarsFile(place.write('SAME-1h.csv', waveCsv(50)));
    expect(series!.columns).toEqual(original!.columns);
  });

  it('finds gaps, duplicates and bad bars', async () => {
    const lines = waveCsv(100).trim().split('\n');
    const bad = lines[60]!.split(',');
    bad[2] = '1';
    lines[60] = bad.join(',');
    lines.splice(40, 2, lines[41]!, lines[41]!);
    place.write('HOLES-1h.csv', lines.join('\n'));
    const checked = jsonOf(await runCli('data', 'check', p('HOLES-1h.csv'), '--json'));
    const [file] = checked.files as { series: Record<string, unknown>[] }[];
    expect(file!.series[0]).toMatchObject({ rows: 98, gaps: 2, missing: 2, duplicates: 1, ohlcBreaks: 1 });
    const text = (await runCli('data', 'check', p('HOLES-1h.csv'))).stdout;
    expect(text).toMatch(/gaps +2 \(2 bars missing\)/);
  });

  it('says what other recordings are', async () => {
    place.write('BTCUSDT-funding.csv', `time,rate\n${START},0.0001\n${START + 8 * HOUR},0.0002\n`);
    const checked = jsonOf(await runCli('data', 'check', p('BTCUSDT-funding.csv'), '--json'));
    expect(checked.files).toMatchObject([
      { recordings: [{ kind: 'funding', instrument: 'BTCUSDT.BINANCE-USDM', rows: 2 }] },
    ]);
  });

  it('lists a folder, with what cannot be read', async () => {
    const other = new Workplace();
    other.write('GOOD-1h.csv', waveCsv(30));
    other.write('BAD-1h.csv', 'nothing,of,use\n1,2,3\n');
    const { files } = jsonOf(await runCli('data', 'list', other.dir, '--json')) as {
      files: { file: string; problem: string | null }[];
    };
    expect(files.map(({ file, problem }) => [file, problem === null])).toEqual([
      ['BAD-1h.csv', false],
      ['GOOD-1h.csv', true],
    ]);
    other.remove();
  });

  it('ends with code 5 when the venue cannot be reached, and keeps what was there', async () => {
    const port = await new Promise<number>((resolve) => {
      const server = createServer().listen(0, '127.0.0.1', () => {
        const { port: free } = server.address() as { port: number };
        server.close(() => resolve(free));
      });
    });
    const url = `http://127.0.0.1:${port}`;
    const done = spawnSync(
      process.execPath,
      [
        BIN,
        'data',
        'download',
        'BTCUSDT',
        '--from',
        '2024-01-01',
        '--dir',
        p('data'),
        '--url',
        url,
        '--retries',
        '0',
      ],
      { encoding: 'utf8' },
    );
    expect(done.status, done.stderr).toBe(5);
    expect(done.stderr).toContain(`127.0.0.1:${port}`);
    expect(done.stderr).not.toMatch(/^\s+at /m);
  });
});

describe('quorum new', () => {
  it.each([
    { flag: [] as string[], file: 'desk.ts' },
    { flag: ['--js'], file: 'desk.js' },
  ])('makes $file of at most 25 lines that trades', ({ flag, file }) => {
    const name = `made-${file.at(-2)}`;
    const run = (...argv: string[]) =>
      spawnSync(process.execPath, [BIN, ...argv], { cwd: place.dir, encoding: 'utf8' });
    const made = run('new', name, ...flag, '--json');
    expect(made.status, made.stderr).toBe(0);
    const folder = p(name);
    expect(readFileSync(join(folder, file), 'utf8').trimEnd().split('\n').length).toBeLessThanOrEqual(25);
    const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Record<
      string,
      unknown
    >;
    expect(manifest).toMatchObject({
      name,
      type: 'module',
      dependencies: { quorum: expect.stringMatching(/^file:/) },
    });
    const done = run('backtest', `${name}/${file}`, '--bars', `${name}/bars/SPX-1d.csv`, '--json');
    expect(done.status, done.stderr).toBe(0);
    const summary = JSON.parse(done.stdout) as { bars: number; trades: number };
    expect(summary.bars).toBe(5_105);
    expect(summary.trades).toBeGreaterThan(50);
  });

  it('touches nothing that is there', async () => {
    const before = readdirSync(p('made-t'));
    const again = await runCli('new', 'made-t', '--in', place.dir);
    expect(again.code).toBe(3);
    expect(readdirSync(p('made-t'))).toEqual(before);
  });
});

describe('quorum doctor', () => {
  it('finds the program usable offline and leaves nothing behind', async () => {
    const before = readdirSync(place.dir);
    const done = await runCli('doctor', '--offline', '--data-dir', p('quorum-data'), '--json');
    expect(done.code, done.stderr).toBe(0);
    const { usable, findings } = jsonOf(done) as {
      usable: boolean;
      findings: { name: string; verdict: string }[];
    };
    expect(usable).toBe(true);
    const names = findings.map(({ name }) => name);
    for (const name of [
      'versions',
      'dependencies',
      'disk',
      'clock',
      'data dir',
      'write test',
      'SQLite',
      'DuckDB',
      'PostgreSQL',
    ]) {
      expect(names).toContain(name);
    }
    expect(readdirSync(place.dir)).toEqual(before);
  });

  it('only warns of hosts and databases that cannot be reached', async () => {
    const before = process.env.DATABASE_URL;
    process.env.DATABASE_URL = 'postgres://nobody@127.0.0.1:1/none';
    try {
      const { checkup } = await import('../../src/apps/cli/checkup.ts');
      const findings = await checkup({
        dir: p('x'),
        databaseUrl: process.env.DATABASE_URL,
        hosts: ['http://127.0.0.1:1/'],
      });
      const verdicts = Object.fromEntries(findings.map(({ name, verdict }) => [name, verdict]));
      expect(verdicts).toMatchObject({ PostgreSQL: 'warning', '127.0.0.1:1': 'warning' });
      const done = await runCli('doctor', '--offline', '--data-dir', p('x'));
      expect(done.code).toBe(0);
      expect(done.stdout).toContain('can be used offline');
    } finally {
      if (before === undefined) delete process.env.DATABASE_URL;
      else process.env.DATABASE_URL = before;
    }
  });

  it('fails when the data cannot be written', async () => {
    const done = await runCli('doctor', '--offline', '--data-dir', p('WAVE-1h.csv'));
    expect(done.code).toBe(1);
    expect(done.stderr).toContain('data dir');
    expect(done.stderr).not.toMatch(/^\s+at /m);
  });
});
