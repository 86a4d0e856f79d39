import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { jobRequest } from '../../../src/apps/contract/areas/workshop.ts';
import { AllowedFiles } from '../../../src/apps/server/jobs/allowed-files.ts';
import { type JobPlace, planJob } from '../../../src/apps/server/jobs/job-commands.ts';

let root: string;
let files: AllowedFiles;

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'quorum-files-'));
  for (const folder of ['in', 'in/data', 'in/.ssh', 'in/node_modules/tool', 'out', 'data'])
    mkdirSync(join(root, folder), { recursive: true });
  for (const name of [
    'in/a.csv',
    'in/data/b.csv.gz',
    'in/.ssh/c.csv',
    'in/desk.ts',
    'in/node_modules/tool/install.js',
    'in/.env',
    'in/key.pem',
    'out/x.csv',
    'out/x.ts',
    'data/d.parquet',
  ])
    writeFileSync(join(root, name), 'time\n');
  symlinkSync(join(root, 'out', 'x.csv'), join(root, 'in', 'link.csv'));
  symlinkSync(join(root, 'out'), join(root, 'in', 'folder'));
  symlinkSync(join(root, 'in', '.env'), join(root, 'in', 'env.csv'));
  symlinkSync(join(root, 'in', 'a.csv'), join(root, 'in', 'same.csv'));
  symlinkSync(join(root, 'out', 'x.csv'), join(root, 'in', 'X@1d'));
  files = new AllowedFiles(join(root, 'in'), [join(root, 'data')]);
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

describe('files that a request may name', () => {
  it.each(['a.csv', './a.csv', 'data/b.csv.gz', 'same.csv'])('lets in %s', (name) => {
    expect(files.bars(name)).toBe(join(root, 'in', name));
    expect(files.bars(`BTCUSDT.X=${name}`)).toBe(`BTCUSDT.X=${join(root, 'in', name)}`);
  });

  it('lets in the data directory, series of the store, built-in desks and desk files', () => {
    expect(files.bars(join(root, 'data', 'd.parquet'))).toBe(join(root, 'data', 'd.parquet'));
    expect(files.bars('BTCUSDT.BINANCE-USDM@5m')).toBe('BTCUSDT.BINANCE-USDM@5m');
    expect(files.desk('sample')).toBe('sample');
    expect(files.desk('./desk.ts')).toBe(join(root, 'in', 'desk.ts'));
  });

  it.each([
    '../out/x.csv',
    'data/../../out/x.csv',
    'data\\..\\..\\out\\x.csv',
    '/etc/passwd',
    '/etc/hostname.csv',
    'link.csv',
    'folder/x.csv',
    'env.csv',
    '.ssh/c.csv',
    '.env',
    'key.pem',
    'missing.csv',
    'data',
    '',
    'a.csv\u0000.csv',
    'X@1d',
    '--out=/tmp/x.csv',
  ])('keeps out %j', (name) => {
    expect(() => files.bars(name)).toThrow();
    expect(() => files.bars(`A=${name}`)).toThrow();
  });

  it('tells nobody what there is elsewhere', () => {
    const said = (name: string) => {
      try {
        return files.bars(name);
      } catch (error) {
        return (error as Error).message.replace(name, '');
      }
    };
    expect(said(join(root, 'out', 'x.csv'))).toBe(said(join(root, 'out', 'missing.csv')));
  });

  it.each([
    '../out/x.ts',
    'node_modules/tool/install.js',
    '/etc/passwd',
    '--help',
    'folder/x.ts',
    'a.csv',
    'sample --out /tmp',
  ])('keeps out the desk %j', (name) => {
    expect(() => files.desk(name)).toThrow();
  });

  it('never lets a text of a request become an option of its own', () => {
    const place: JobPlace = {
      folder: '/jobs/x',
      files,
      sample: '/sample.csv',
      threads: 2,
      runOf: () => '/jobs/y/run',
      portfolio: (name) => `/data/${name}`,
    };
    const hostile = '--out=/tmp/evil';
    const plan = planJob(
      jobRequest.parse({
        kind: 'sweep',
        desk: 'sample',
        set: { mode: hostile },
        grid: { fast: hostile },
        where: hostile,
        seed: hostile,
      }),
      place,
    );
    const { args } = plan.steps[0]!;
    expect(args.filter((one) => one.startsWith('--out='))).toEqual(['--out=/jobs/x/run']);
    expect(args).toContain(`--set=mode=${hostile}`);
    expect(args.slice(args.indexOf('--') + 1)).toEqual(['sample']);
    const named = planJob(jobRequest.parse({ kind: 'replay', portfolio: '--json' }), place);
    expect(named.steps[0]!.args.slice(-2)).toEqual(['--', '/data/--json']);
    for (const set of [{ 'a b': 1 }, { '--x': 1 }, { '': 1 }])
      expect(() => planJob(jobRequest.parse({ kind: 'backtest', set }), place)).toThrow(
        /no name of a parameter/,
      );
    expect(() => planJob(jobRequest.parse({ kind: 'sweep', grid: {} }), place)).toThrow(/nothing varies/);
    expect(() => planJob(jobRequest.parse({ kind: 'backtest', from: 5, to: 5 }), place)).toThrow(/not after/);
  });
});
