import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Child, sizeOf } from '../program/child.ts';
import { jsonOf, runCli, SMA, Workplace, waveCsv } from './run-cli.ts';

interface Row {
  readonly trial: number;
  readonly parameters: { readonly fast: number; readonly slow: number; readonly mode?: string };
  readonly state: string;
  readonly value: number | null;
  readonly figures: Readonly<Record<string, unknown>>;
  readonly variantHash: string;
}

const place = new Workplace();
const p = (name: string) => place.path(name);
beforeAll(() => {
  process.env.QUORUM_REGISTRY = p('runs.sqlite');
  place.write('WAVE-1h.csv', waveCsv(700));
  place.write('LONG-1h.csv', waveCsv(3000));
});
afterAll(() => {
  delete process.env.QUORUM_REGISTRY;
  place.remove();
});

const wave = () => ['--bars', p('WAVE-1h.csv')];
const SPACE = ['--param', 'fast=2:20', '--param', 'slow=10:60', '--param', 'mode=long-flat,long-short'];
const WHERE = ['--where', 'fast < slow'];
const optimise = (...argv: string[]) => runCli('optimise', SMA, ...argv);

const filesOf = (dir: string): [string, string][] =>
  readdirSync(dir)
    .sort()
    .map((name) => [name, readFileSync(join(dir, name), 'utf8')]);

async function rowsOf(...argv: string[]): Promise<Row[]> {
  const done = await optimise(...wave(), ...argv, '--json');
  expect(done.code, done.stderr).toBe(0);
  return jsonOf(done).rows as Row[];
}

describe('quorum optimise', () => {
  it('comes to what single backtests come to, and keeps to the condition', async () => {
    const rows = await rowsOf(...SPACE, ...WHERE, '--trials', '15', '--workers', '1', '--fee-bps', '3');
    expect(rows).toHaveLength(15);
    for (const { parameters } of rows) expect(parameters.fast).toBeLessThan(parameters.slow);
    for (const { parameters, figures, value, variantHash } of rows.slice(0, 3)) {
      const set = Object.entries(parameters).flatMap(([name, of]) => ['--set', `${name}=${of}`]);
      const summary = jsonOf(await runCli('backtest', SMA, ...wave(), ...set, '--fee-bps', '3', '--json'));
      const { return: change, ...others } = figures;
      for (const [name, of] of Object.entries(others)) expect(summary[name], name).toEqual(of);
      expect(change).toBeCloseTo(Number(summary.equityEnd) / Number(summary.cashStart) - 1, 12);
      expect(value).toBeCloseTo(summary.sharpe as number, 9);
      // one variant has one hash, whoever plays it
      const params = Object.entries(parameters).flatMap(([name, of]) => ['--param', `${name}=${of}`]);
      const swept = await runCli(
        'sweep',
        SMA,
        ...wave(),
        ...params,
        '--fee-bps',
        '3',
        '--engine',
        'loop',
        '--json',
      );
      expect((jsonOf(swept).rows as Row[])[0]!.variantHash).toBe(variantHash);
    }
  });

  it('finds more than chance does', async () => {
    const best = async (sampler: string) => {
      const rows = await rowsOf(
        ...SPACE,
        ...WHERE,
        '--trials',
        '40',
        '--workers',
        '1',
        '--sampler',
        sampler,
        '--objective',
        'return',
      );
      return Math.max(...rows.map(({ value }) => value ?? -1));
    };
    expect(await best('tpe-multivariate')).toBeGreaterThanOrEqual(await best('random'));
  });

  it.each(['tpe', 'tpe-multivariate', 'random', 'grid', 'cma-es'])(
    '%s makes the same trials and files with one worker and two',
    async (sampler) => {
      const space = ['--param', 'fast=2:20:3', '--param', 'slow=10:60', '--levels', '5'];
      for (const workers of ['1', '2']) {
        const argv = [...wave(), ...space, ...WHERE, '--sampler', sampler, '--trials', '14', '--prune'];
        const done = await optimise(...argv, '--workers', workers, '--out', p(`${sampler}-${workers}`));
        expect(done.code, done.stderr).toBe(0);
      }
      expect(filesOf(p(`${sampler}-2`))).toEqual(filesOf(p(`${sampler}-1`)));
      expect(readdirSync(p(`${sampler}-1`)).sort()).toEqual(['study.json', 'trials.csv']);
    },
  );

  it('prunes trials that are worse than the median, by what was known when they began', async () => {
    const rows = await rowsOf(
      ...SPACE,
      ...WHERE,
      '--trials',
      '40',
      '--workers',
      '1',
      '--prune',
      '--sampler',
      'random',
    );
    const pruned = rows.filter(({ state }) => state === 'pruned');
    expect(pruned.length).toBeGreaterThan(1);
    // none of the first five, nor of those that were open with the fifth
    expect(Math.min(...pruned.map(({ trial }) => trial))).toBeGreaterThanOrEqual(5);
    const whole = await rowsOf(...SPACE, ...WHERE, '--trials', '40', '--workers', '1', '--sampler', 'random');
    const values = (list: Row[]) => list.map(({ value }) => value ?? -Infinity).sort((a, b) => b - a);
    // what was stopped was none of the best
    const stopped = new Set(pruned.map(({ trial }) => trial));
    const stoppedWhole = whole.filter(({ trial }) => stopped.has(trial));
    expect(values(whole)[0]).toBeGreaterThan(values(stoppedWhole)[0]!);
  });

  it('says what parameters matter and whether the best stands alone', async () => {
    const done = await optimise(
      ...wave(),
      ...SPACE,
      ...WHERE,
      '--trials',
      '30',
      '--workers',
      '1',
      '--out',
      p('told'),
    );
    expect(done.code, done.stderr).toBe(0);
    expect(done.stdout).toMatch(/best by sharpe[^\n]*\n +trial +fast +slow +mode/);
    expect(done.stdout).toMatch(/importance: .*\n +(fast|slow|mode) +[\d.]+ %/);
    expect(done.stdout).toMatch(/around trial \d+: (\d+ trials|no other trial)/);
  });

  it('goes on with more trials where fewer ended, and gives the same as all at once', async () => {
    const argv = [...wave(), ...SPACE, ...WHERE, '--workers', '1'];
    expect((await optimise(...argv, '--trials', '12', '--out', p('grows'))).code).toBe(0);
    const grown = await optimise(...argv, '--trials', '20', '--out', p('grows'));
    expect(grown.stderr).toContain('holds 12 of 20 trials already');
    expect((await optimise(...argv, '--trials', '20', '--out', p('at-once'))).code).toBe(0);
    expect(filesOf(p('grows'))).toEqual(filesOf(p('at-once')));
  });

  it('keeps what is done when Ctrl-C ends it, and comes to the same bytes when it goes on', async () => {
    const argv = [...SPACE, ...WHERE, '--trials', '120', '--seed', 'x'];
    const child = new Child(
      [
        'optimise',
        SMA,
        '--bars',
        'LONG-1h.csv',
        ...argv,
        '--workers',
        '2',
        '--out',
        'part',
        '--registry',
        'c.sqlite',
      ],
      { cwd: place.dir },
    );
    await child.until(() => sizeOf(p('part/study.unfinished')) > 20_000, 'some trials to be done');
    child.kill('SIGINT');
    const { code, stderr } = await child.ended;
    expect(code, stderr).toBe(130);
    expect(stderr).toContain('the same command goes on');
    expect(readdirSync(p('part'))).toEqual(['study.unfinished']);
    const long = ['--bars', p('LONG-1h.csv'), ...argv];
    const goesOn = await optimise(...long, '--workers', '1', '--out', p('part'));
    expect(goesOn.code, goesOn.stderr).toBe(0);
    expect(goesOn.stderr).toMatch(/holds [1-9]\d* of 120 trials already/);
    expect((await optimise(...long, '--workers', '2', '--out', p('whole'))).code).toBe(0);
    expect(filesOf(p('part'))).toEqual(filesOf(p('whole')));
  });
});

describe('a study that cannot be', () => {
  const ONE = ['--param', 'fast=3:9'];

  it.each([
    ['no parameter', [], 3, ['at least one parameter', '--param']],
    ['an unknown parameter', ['--param', 'fsat=3:5'], 3, ['"fsat"', 'nearest', '"fast"']],
    ['a range that goes down', ['--param', 'fast=60:5'], 3, ['60 down to 5', 'fast=5:60']],
    ['a step of 0', ['--param', 'fast=3:5:0'], 3, ['step is 0']],
    ['a word for a bound', ['--param', 'fast=3:many'], 3, ['"many" is not a number']],
    ['a logarithm from 0', ['--param', 'fast=log:0:5'], 3, ['cannot begin at 0']],
    ['a logarithm with a step', ['--param', 'fast=log:1:5:2'], 3, ['takes no step', 'fast=log:1:5']],
    [
      'fractions where whole numbers are wanted',
      ['--param', 'fast=0.5:3.5'],
      3,
      ['whole numbers', 'fast=1:3'],
    ],
    ['a parameter twice', [...ONE, '--param', 'fast=9:12'], 3, ['fast is given twice']],
    ['both fixed and varied', [...ONE, '--set', 'fast=3'], 3, ['--set and to --param']],
    ['a condition on a later parameter', ['--param', 'fast=3:9 if mode=long-flat'], 3, ['mode', 'declare']],
    ['a condition that is none', ['--param', 'fast=3:9 if mode'], 3, ['is no condition']],
    ['values that the desk never takes', ['--param', 'fast=-9:-3'], 3, ['none can be run', 'fast']],
    ['a condition that leaves nothing', [...ONE, '--where', 'fast > 99'], 3, ['none can be run', '--where']],
    ['a condition over nothing known', [...ONE, '--where', 'fats > 3'], 3, ['"fats"', '"fast"']],
    ['an objective that is none', [...ONE, '--objective', 'sharp'], 3, ['"sharp"', '"sharpe"']],
    ['a sampler that is none', [...ONE, '--sampler', 'genetic'], 2, ['genetic', 'tpe']],
    ['CMA-ES over choices', ['--param', 'mode=long-flat,long-short', '--sampler', 'cma-es'], 3, ['numeric']],
    ['too few windows to prune', [...ONE, '--prune', '3'], 2, ['--prune', '7 to 1000']],
    ['no trials', [...ONE, '--trials', '0'], 2, ['--trials']],
  ] as const)('%s', async (_, argv, code, says) => {
    const done = await optimise(...wave(), ...argv, '--out', p('never'));
    expect(done.code, done.stderr).toBe(code);
    for (const word of says) expect(done.stderr).toContain(word);
    expect(done.stdout).toBe('');
    expect(existsSync(p('never/study.json'))).toBe(false);
  });

  it('does not go on with another study, nor with what is none', async () => {
    const fits = [...wave(), ...ONE, '--trials', '4', '--workers', '1', '--out', p('mine')];
    expect((await optimise(...fits)).code).toBe(0);
    const before = filesOf(p('mine'));
    for (const [argv, part] of [
      [['--seed', '2'], '--seed'],
      [['--objective', 'return'], '--objective'],
      [['--sampler', 'random'], '--sampler'],
      [['--parallel', '2'], '--parallel'],
      [['--prune'], '--prune'],
      [['--to', '2023-07-20'], 'the data'],
    ] as const) {
      const done = await optimise(...fits, ...argv);
      expect(done.code).toBe(3);
      expect(done.stderr).toContain(`holds another study: it differs in ${part}`);
    }
    expect(filesOf(p('mine'))).toEqual(before);
    place.write('notes.txt', 'mine');
    const strange = await optimise(...wave(), ...ONE, '--out', place.dir);
    expect(strange.code).toBe(3);
    expect(strange.stderr).toContain('not a study');
  });
});
