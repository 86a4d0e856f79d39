import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MINUTE } from '#base';
import { BinanceLoopback } from '../adapters/binance-loopback.ts';
import { HEADER, jsonOf, runCli, SMA, START, Workplace, waveCsv } from './run-cli.ts';

const BIN = fileURLToPath(new URL('../../bin/quorum.js', import.meta.url));
const place = new Workplace();
const p = (name: string) => place.path(name);
const HOUR = 3_600_000;

async function ok(...argv: string[]): Promise<Record<string, unknown>> {
  const done = await runCli(...argv, '--json');
  expect(done.code, done.stderr).toBe(0);
  expect(done.stderr).toBe('');
  const json = jsonOf(done);
  expect(json.schemaVersion).toBe(1);
  return json;
}

beforeAll(async () => {
  const lines = waveCsv(300).trim().split('\n').slice(1);
  place.write('WAVE-1h.csv', waveCsv(300));
  place.write('WAVE-1h-a.csv', [HEADER, ...lines.slice(0, 200)].join('\n'));
  place.write('WAVE-1h-b.csv.gz', gzipSync([HEADER, ...lines.slice(150)].join('\n')));
  place.write('funding.csv', `symbol,time,rate\nWAVE,${START + 8 * HOUR},0.0001\n`);
  await ok(
    'data',
    'import',
    p('WAVE-1h-a.csv'),
    p('WAVE-1h-b.csv.gz'),
    p('funding.csv'),
    '--store',
    p('store'),
  );
});
afterAll(() => place.remove());

describe('quorum data with a store', () => {
  it('says what became of every series', async () => {
    const json = await ok('data', 'import', p('WAVE-1h.csv'), '--store', p('store'));
    expect(json).toMatchObject({
      store: p('store'),
      files: [{ file: p('WAVE-1h.csv'), series: ['WAVE.LOCAL@1h'], rows: 300, brokenLines: 0, refused: 0 }],
      series: [
        {
          id: 'WAVE.LOCAL@1h',
          rows: 300,
          first: START,
          last: START + 299 * HOUR,
          added: 0,
          same: 300,
          replaced: 0,
        },
      ],
    });
    const text = await runCli('data', 'import', p('WAVE-1h.csv'), '--store', p('store'));
    expect(text.stdout).toMatch(/WAVE\.LOCAL@1h\s+300\s+0\s+300\s+0\s+2023-07-01 to 2023-07-13/);
  });

  it('lists the store, by its folder too', async () => {
    const json = await ok('data', 'list', '--store', p('store'));
    expect(json).toEqual(await ok('data', 'list', p('store')));
    expect((json.series as { id: string }[]).map((one) => one.id)).toEqual([
      'WAVE.LOCAL@1h',
      'WAVE.LOCAL@funding',
    ]);
  });

  it('judges its series, and fails when one is poor', async () => {
    const json = await ok('data', 'quality', '--store', p('store'));
    expect(json).toMatchObject({
      series: [{ id: 'WAVE.LOCAL@1h', verdict: 'good', reasons: [], suspectedSplits: [], zeroVolume: 0 }],
      universes: [{ venue: 'LOCAL', interval: '1h', series: 1, warning: null }],
    });
    const holes = waveCsv(300)
      .split('\n')
      .filter((_, i) => i % 3 !== 1 || i < 3);
    place.write('HOLES-1h.csv', holes.join('\n'));
    await ok('data', 'import', p('HOLES-1h.csv'), '--store', p('poor'));
    const poor = await runCli('data', 'quality', '--store', p('poor'));
    expect(poor.code).toBe(3);
    expect(poor.stdout).toMatch(/verdict\s+poor: .*missing bars/);
    expect(poor.stderr).toContain('HOLES.LOCAL@1h is poor');
    await ok('data', 'remove', 'HOLES.LOCAL@1h', '--store', p('poor'));
    expect(await ok('data', 'list', '--store', p('poor'))).toMatchObject({ series: [] });
  });

  it('feeds a backtest that equals one over the file, and replays', async () => {
    const file = await ok('backtest', SMA, '--bars', p('WAVE-1h.csv'));
    const stored = await ok(
      'backtest',
      SMA,
      '--bars',
      'WAVE.LOCAL@1h',
      '--store',
      p('store'),
      '--out',
      p('run'),
    );
    for (const key of ['tapeHash', 'commandsHash', 'equityEnd']) expect(stored[key]).toBe(file[key]);
    expect(JSON.parse(readFileSync(p('run/inputs.json'), 'utf8'))).toMatchObject({
      bars: ['WAVE.LOCAL@1h'],
      store: p('store'),
    });
    expect(await ok('replay', p('run'))).toMatchObject({ mode: 'decided', difference: null });
  });

  it('feeds features', async () => {
    const features = ['--columns', 'rsi:14'];
    const stored = await ok('features', '--bars', 'WAVE.LOCAL@1h', '--store', p('store'), ...features);
    expect(stored).toEqual(await ok('features', '--bars', p('WAVE-1h.csv'), ...features));
  });

  it('warns of what it left out', async () => {
    place.write('BROKEN-1h.csv', `${waveCsv(60)}${START},1,2\nsoon,1,1,1,1,1\n`);
    const done = await runCli('data', 'import', p('BROKEN-1h.csv'), '--store', p('broken'));
    expect(done.code, done.stderr).toBe(0);
    expect(done.stderr).toContain('2 lines could not be read');
    expect(done.stderr).toContain('line 62: 3 fields where the header has 6');
    const json = await ok('data', 'quality', '--store', p('broken'));
    expect(json.series).toMatchObject([{ brokenLines: 2, verdict: 'usable' }]);
  });

  it('is found in the working directory without --store', () => {
    const line = (...argv: string[]) =>
      spawnSync(process.execPath, [BIN, ...argv], { cwd: place.dir, encoding: 'utf8' });
    const imported = line('data', 'import', 'WAVE-1h.csv');
    expect(imported.status, imported.stderr).toBe(0);
    expect(existsSync(p('history/store.json'))).toBe(true);
    for (const argv of [
      ['data', 'list'],
      ['data', 'quality', 'WAVE.LOCAL@1h'],
      ['backtest', SMA, '--bars', 'WAVE.LOCAL@1h'],
    ]) {
      const done = line(...argv);
      expect(done.status, done.stderr).toBe(0);
      expect(done.stdout).toContain('WAVE.LOCAL');
    }
    writeFileSync(p('history/store.json'), '{');
    const damaged = line('data', 'list');
    expect(damaged.status).toBe(3);
    expect(damaged.stderr).toContain('store.json is not JSON');
  });

  it.each([
    ['backtest', ['backtest', SMA, '--bars', 'WAVE.LOCAL@1h'], 'nowhere', 'neither a file nor in a store'],
    ['backtest', ['backtest', SMA, '--bars', 'WAVE.LOCAL@5m'], 'store', 'has no series WAVE.LOCAL@5m'],
    ['backtest', ['backtest', SMA, '--bars', 'WAVE.LOCAL@funding'], 'store', 'holds funding, not bars'],
    ['quality', ['data', 'quality', 'WAVE.LOCAL@5m'], 'store', 'has no series WAVE.LOCAL@5m'],
    ['remove', ['data', 'remove', 'WAVE.LOCAL@5m'], 'store', 'has no series WAVE.LOCAL@5m'],
    ['remove', ['data', 'remove', 'WAVE.LOCAL@1h'], 'nowhere', 'does not exist'],
  ])('refuses %s of a series that is not there: %j in %s', async (_, argv, folder, message) => {
    const done = await runCli(...argv, '--store', p(folder));
    expect(done.code).toBe(3);
    expect(done.stderr).toContain(message);
    expect(done.stderr).toMatch(/^mend: {2}\S/m);
    expect(existsSync(p('nowhere'))).toBe(false);
  });

  it('takes what was downloaded', async () => {
    const from = Date.UTC(2024, 0, 1);
    const server = new BinanceLoopback({
      now: () => from + 600 * MINUTE,
      symbols: ['BTCUSDT'],
      intervalMs: MINUTE,
    });
    await server.start();
    try {
      const span = ['--from', String(from), '--to', String(from + 300 * MINUTE), '--interval', '1m'];
      const places = ['--dir', p('down'), '--store', p('fetched'), '--url', server.restUrl];
      const json = await ok('data', 'download', 'BTCUSDT', ...span, ...places);
      expect(json).toMatchObject({
        files: [{ symbol: 'BTCUSDT', rows: 300, fetched: 300 }],
        series: [{ id: 'BTCUSDT.BINANCE-USDM@1m', rows: 300, added: 300 }],
      });
    } finally {
      await server.stop();
    }
  });
});
