import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WriterLock } from '#adapters';
import { Child, sizeOf } from '../program/child.ts';
import { jsonOf, runCli, SMA, Workplace, waveCsv } from './run-cli.ts';

interface Row {
  readonly variant: number;
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly figures: Readonly<Record<string, unknown>>;
  readonly engine: string;
  readonly variantHash: string;
}

const place = new Workplace();
const p = (name: string) => place.path(name);
beforeAll(() => {
  // one record for children, which run elsewhere, and this process
  process.env.QUORUM_REGISTRY = p('runs.sqlite');
  place.write('WAVE-1h.csv', waveCsv(400));
  place.write('LONG-1h.csv', waveCsv(1500));
});
afterAll(() => {
  delete process.env.QUORUM_REGISTRY;
  place.remove();
});

const wave = () => ['--bars', p('WAVE-1h.csv')];
const GRID = ['--param', 'fast=3:9:2', '--param', 'slow=5:25:5', '--param', 'mode=long-flat,long-short'];
const WHERE = ['--where', 'fast < slow && (slow < 25 || mode == "long-flat")'];

const sweep = (...argv: string[]) => runCli('sweep', SMA, ...argv);

function filesOf(dir: string): [string, string][] {
  return readdirSync(dir)
    .sort()
    .map((name) => [name, readFileSync(join(dir, name), 'utf8')]);
}

const rowsIn = (dir: string) =>
  (JSON.parse(readFileSync(join(dir, 'sweep.json'), 'utf8')) as { rows: Row[] }).rows;

describe('quorum sweep', () => {
  it('comes to what single backtests come to, for every variant that meets the condition', async () => {
    const done = await sweep(...wave(), ...GRID, ...WHERE, '--workers', '1', '--fee-bps', '3', '--json');
    expect(done.code, done.stderr).toBe(0);
    const result = jsonOf(done);
    const rows = result.rows as Row[];
    const points = rows.map(({ parameters }) => parameters as { fast: number; slow: number; mode: string });
    const expected = [3, 5, 7, 9].flatMap((fast) =>
      [5, 10, 15, 20, 25].flatMap((slow) =>
        ['long-flat', 'long-short']
          .filter((mode) => fast < slow && (slow < 25 || mode === 'long-flat'))
          .map((mode) => ({ fast, slow, mode })),
      ),
    );
    expect(points).toEqual(expected);
    expect(result).toMatchObject({ combinations: 40, variants: expected.length, done: expected.length });
    expect(new Set(rows.map(({ variantHash }) => variantHash)).size).toBe(expected.length);
    for (const { parameters, figures } of rows.filter((_, i) => i % 5 === 0)) {
      const set = Object.entries(parameters).flatMap(([name, value]) => ['--set', `${name}=${value}`]);
      const single = await runCli('backtest', SMA, ...wave(), ...set, '--fee-bps', '3', '--json');
      const summary = jsonOf(single) as Record<string, unknown>;
      const { return: change, ...others } = figures;
      for (const [name, value] of Object.entries(others)) {
        // the kernel gives no commands
        if (value === null && name.startsWith('commands')) continue;
        expect(summary[name], name).toEqual(value);
      }
      expect(change).toBe(Number(summary.equityEnd) / Number(summary.cashStart) - 1);
      expect(figures.trades).toBeGreaterThan(0);
    }
  });

  it('writes the same bytes with one worker and with two, in the order of the variants', async () => {
    for (const workers of ['1', '2']) {
      const argv = [...wave(), ...GRID, ...WHERE, '--engine', 'loop', '--workers', workers];
      argv.push('--out', p(`by-${workers}`));
      const done = await sweep(...argv);
      expect(done.code, done.stderr).toBe(0);
      expect(done.stdout).toContain(workers === '1' ? 'no threads' : '2 threads');
    }
    expect(filesOf(p('by-2'))).toEqual(filesOf(p('by-1')));
    expect(readdirSync(p('by-1')).sort()).toEqual(['sweep.csv', 'sweep.json']);
    const [header, ...lines] = readFileSync(p('by-1/sweep.csv'), 'utf8').trimEnd().split('\n');
    const columns = header!.split(',');
    const rows = rowsIn(p('by-1'));
    expect(lines).toHaveLength(rows.length);
    lines.forEach((line, i) => {
      const cells = Object.fromEntries(line.split(',').map((cell, k) => [columns[k], cell]));
      const { variant, parameters, figures, engine, variantHash } = rows[i]!;
      const expected = { variant, ...parameters, ...figures, engine, variantHash };
      expect(cells).toEqual(
        Object.fromEntries(Object.entries(expected).map(([k, v]) => [k, String(v ?? '')])),
      );
      if (i > 0) expect(variant).toBeGreaterThan(rows[i - 1]!.variant);
    });
  });

  it('comes to the same table by the kernel and by the loop, and says who played', async () => {
    const argv = [...wave(), ...GRID, ...WHERE, '--workers', '1', '--out'];
    const done = await sweep(...argv, p('by-kernel'));
    expect(done.code, done.stderr).toBe(0);
    expect(done.stdout).toContain('played by the columnar kernel');
    const rows = rowsIn(p('by-kernel'));
    expect(new Set(rows.map(({ engine }) => engine))).toEqual(new Set(['kernel']));
    const loop = rowsIn(p('by-1'));
    expect(rows).toHaveLength(loop.length);
    rows.forEach((row, i) => {
      const { commands, commandsHash, ...figures } = loop[i]!.figures;
      expect(row).toEqual({
        ...loop[i],
        engine: 'kernel',
        figures: { ...figures, commands: null, commandsHash: null },
      });
      expect([typeof commands, typeof commandsHash]).toEqual(['number', 'string']);
    });
    const other = await sweep(...argv, p('by-kernel'), '--engine', 'loop');
    expect(other.code).toBe(3);
    expect(other.stderr).toContain('it differs in --engine');
  });

  it('says why the kernel cannot play a desk, and refuses where only the kernel was wanted', async () => {
    const pair = [...wave(), '--param', 'risk=0.001,0.002', '--workers', '1'];
    const limit = 'examples/02-limit-bracket.ts';
    const done = await runCli('sweep', limit, ...pair);
    expect(done.code, done.stderr).toBe(0);
    expect(done.stdout).toContain('played by the loop, because it enters with limit orders');
    const refused = await runCli('sweep', limit, ...pair, '--engine', 'kernel');
    expect(refused.code).toBe(3);
    expect(refused.stderr).toContain('the kernel cannot play this desk: it enters with limit orders');
  });

  it('shows the best and what lies around it', async () => {
    const done = await sweep(
      ...wave(),
      ...GRID,
      ...WHERE,
      '--engine',
      'loop',
      '--workers',
      '1',
      '--sort',
      'return',
      '--out',
      p('by-1'),
    );
    expect(done.code, done.stderr).toBe(0);
    expect(done.stderr).toContain(`holds all ${rowsIn(p('by-1')).length} variants already`);
    const best = [...rowsIn(p('by-1'))].sort((a, b) => Number(b.figures.return) - Number(a.figures.return));
    const lines = done.stdout.split('\n');
    const first = lines[lines.indexOf('best by return') + 2]!.trim().split(/\s+/);
    expect(first.slice(0, 4)).toEqual(
      [...Object.values(best[0]!.parameters), best[0]!.figures.trades].map(String),
    );
    expect(lines.filter((line) => /^ +\d+ +\d+ +long-/.test(line))).toHaveLength(10);
    expect(done.stdout).toMatch(/^around fast=\d+ slow=\d+ mode=long-\w+: \d variants one step away$/m);
    expect(done.stdout).toMatch(/return here -?[\d.]+ %, there mean -?[\d.]+ %, worst -?[\d.]+ %/);
  });

  it('gives equal variants of different sweeps one hash, and other inputs another', async () => {
    const hashOf = async (...argv: string[]) => {
      const done = await sweep('--param', 'fast=5', '--workers', '1', '--json', ...argv);
      expect(done.code, done.stderr).toBe(0);
      return (jsonOf(done).rows as Row[])[0]!.variantHash;
    };
    const usual = await hashOf(...wave(), '--param', 'slow=15');
    const known = rowsIn(p('by-1')).find(
      ({ parameters: { fast, slow, mode } }) => fast === 5 && slow === 15 && mode === 'long-flat',
    );
    expect(usual).toBe(known!.variantHash);
    expect(await hashOf(...wave(), '--set', 'slow=15')).toBe(usual);
    for (const other of [
      [...wave(), '--param', 'slow=16'],
      [...wave(), '--param', 'slow=15', '--seed', '2'],
      [...wave(), '--param', 'slow=15', '--fee-bps', '1'],
      ['--bars', p('LONG-1h.csv'), '--param', 'slow=15'],
    ]) {
      expect(await hashOf(...other)).not.toBe(usual);
    }
  });
});

describe('a sweep that does not come to its end', () => {
  // the kernel would be through before anyone could stop it
  const MANY = [
    '--param',
    'fast=2:21:1',
    '--param',
    'slow=24:44:4',
    '--where',
    'fast != 3',
    '--engine',
    'loop',
  ];

  it('keeps what is done when Ctrl-C ends it, and comes to the same bytes when it goes on', async () => {
    const child = new Child(
      ['sweep', SMA, '--bars', 'LONG-1h.csv', ...MANY, '--workers', '2', '--out', 'part'],
      { cwd: place.dir },
    );
    await child.until(() => sizeOf(p('part/rows.jsonl')) > 4_000, 'some variants to be done');
    child.kill('SIGINT');
    const { code, stderr } = await child.ended;
    expect(code, stderr).toBe(130);
    const kept = Number(/interrupted: (\d+) of 114 variants are kept/.exec(stderr)?.[1]);
    expect(kept).toBeGreaterThan(0);
    expect(kept).toBeLessThan(114);
    expect(readdirSync(p('part')).sort()).toEqual(['rows.jsonl']);
    cpSync(p('part'), p('hurt'), { recursive: true });

    const long = ['--bars', p('LONG-1h.csv'), ...MANY];
    const goesOn = await sweep(...long, '--workers', '1', '--out', p('part'));
    expect(goesOn.code, goesOn.stderr).toBe(0);
    expect(goesOn.stderr).toContain(
      `holds ${kept} of 114 variants already; going on with the other ${114 - kept}`,
    );
    const whole = await sweep(...long, '--workers', '2', '--out', p('whole'));
    expect(whole.code, whole.stderr).toBe(0);
    expect(filesOf(p('part'))).toEqual(filesOf(p('whole')));

    // a crash of the machine: a line that is no longer what was written, and half a line at the end
    const lines = readFileSync(p('hurt/rows.jsonl'), 'utf8').split('\n');
    lines[1] = lines[1]!.replace(/"trades":\d+/, '"trades":9999');
    writeFileSync(p('hurt/rows.jsonl'), `${lines.join('\n')}{"check":"12`);
    const mended = await sweep(...long, '--workers', '1', '--out', p('hurt'));
    expect(mended.code, mended.stderr).toBe(0);
    expect(mended.stderr).toContain('1 damaged lines');
    expect(filesOf(p('hurt'))).toEqual(filesOf(p('whole')));
  });

  it('keeps what was done before a variant whose desk fails, and says which one it was', async () => {
    const desk = place.write(
      'fails-at-three.mjs',
      `const schema = { safeParse: (data) => ({ success: true, data }) };
const pooling = { name: 'p', takes: 'score', pool: () => null };
const sizer = { name: 'z', features: {}, size: () => null };
const build = ({ n }) => {
  const signal = () => { if (n === 3) throw new RangeError('made to fail'); return null; };
  const source = { kind: 'local', name: 's', features: {}, state: () => null, signal };
  return { interval: 'tape', warmUpBars: 1, sources: [source], pooling, sizer };
};
export default { name: 'fails', summary: '', parameters: schema, build };
`,
    );
    for (const workers of ['1', '2']) {
      const argv = [
        desk,
        ...wave(),
        '--param',
        'n=1:4:1',
        '--workers',
        workers,
        '--out',
        p(`fails-${workers}`),
      ];
      const done = await runCli('sweep', ...argv);
      expect(done.code, done.stderr).toBe(3);
      expect(done.stderr).toMatch(/fails-at-three\.mjs:5: made to fail \(at n=3\)/);
      expect(existsSync(p(`fails-${workers}/rows.jsonl`))).toBe(true);
      expect(existsSync(p(`fails-${workers}/sweep.json`))).toBe(false);
    }
    const again = await runCli(
      'sweep',
      desk,
      ...wave(),
      '--param',
      'n=1:4:1',
      '--workers',
      '1',
      '--out',
      p('fails-1'),
    );
    expect(again.stderr).toContain('holds 2 of 4 variants already');
  });
});

describe('a sweep that cannot be', () => {
  const ONE = ['--param', 'fast=3:5:1'];

  it.each([
    ['no parameter', [], 3, ['at least one parameter', '--param']],
    ['an unknown parameter', ['--param', 'fsat=3:5:1'], 3, ['"fsat"', 'nearest', '"fast"']],
    ['an unknown parameter of --set', [...ONE, '--set', 'slwo=3'], 3, ['"slwo"', '"slow"']],
    ['a step of 0', ['--param', 'fast=3:5:0'], 3, ['step is 0', 'fast=3']],
    ['a range that goes down', ['--param', 'fast=60:5:1'], 3, ['60 down to 5', '5:60:1']],
    ['a value twice', ['--param', 'fast=3,3'], 3, ['3 twice']],
    ['a parameter twice', [...ONE, '--param', 'fast=9'], 3, ['--param fast is given twice']],
    ['a parameter both fixed and swept', [...ONE, '--set', 'fast=3'], 3, ['--set and to --param']],
    ['too many', ['--param', 'fast=1:9999:1', '--param', 'slow=2:9999:1'], 3, ['99970002', '1000000']],
    ['values of the wrong type', ['--param', 'fast=0.5:3:0.5'], 3, ['fast', 'int', 'fast=0.5']],
    ['values out of range', ['--param', 'fast=0:3:1'], 3, ['fast', 'fast=0', '--where']],
    ['a word that is no choice', ['--param', 'mode=long-flat,short'], 3, ['mode', 'mode=short']],
    ['a condition that leaves nothing', [...ONE, '--where', 'fast > 9'], 3, ['none of 3 combinations']],
    ['a condition that is none', [...ONE, '--where', 'fast >'], 3, ['at its end']],
    ['a condition over nothing known', [...ONE, '--where', 'fats > 3'], 3, ['"fats"', '"fast"']],
    ['a column that is none', [...ONE, '--sort', 'sharp'], 3, ['"sharp"', '"sharpe"']],
    ['no workers', [...ONE, '--workers', '0'], 2, ['--workers', '1 to 256']],
    [
      'an end before the start',
      [...ONE, '--from', '2024-01-01', '--to', '2023-01-01'],
      2,
      ['--to', '--from'],
    ],
    ['an unknown option', [...ONE, '--whre', 'fast > 1'], 2, ['--whre', '--where']],
  ] as const)('%s', async (_, argv, code, says) => {
    const done = await sweep(...wave(), ...argv, '--out', p('never'));
    expect(done.code, done.stderr).toBe(code);
    for (const word of says) expect(done.stderr).toContain(word);
    expect(done.stdout).toBe('');
    expect(existsSync(p('never'))).toBe(false);
  });

  it('reports a --set value that the desk does not take', async () => {
    const done = await sweep(...wave(), ...ONE, '--set', 'slow=long');
    expect(done.code).toBe(3);
    expect(done.stderr).toMatch(/parameter slow of desk sma-cross.*number/);
    const bare = await sweep(...ONE);
    expect(bare.code).toBe(3);
    expect(bare.stderr).toContain('no bars were given');
  });

  it('knows the parameters that do not vary in a condition', async () => {
    const done = await sweep(
      ...wave(),
      '--param',
      'fast=25:35:1',
      '--where',
      'fast < slow',
      '--workers',
      '1',
      '--json',
    );
    expect(done.code, done.stderr).toBe(0);
    // slow is 30 unless somebody says otherwise
    expect((jsonOf(done).rows as Row[]).map(({ parameters }) => parameters.fast)).toEqual([
      25, 26, 27, 28, 29,
    ]);
  });

  it('does not go on with another sweep, nor with what is none, nor beside another process', async () => {
    const fits = [...wave(), '--param', 'fast=3:5:1', '--workers', '1', '--out', p('mine')];
    expect((await sweep(...fits)).code).toBe(0);
    const before = filesOf(p('mine'));
    for (const [argv, part] of [
      [['--seed', '2'], '--seed'],
      [['--where', 'fast > 3'], '--where'],
      [['--set', 'slow=31'], '--set'],
      [['--to', '2023-07-10'], 'the data'],
      [['--cash', '5'], '--cash'],
    ] as const) {
      const done = await sweep(...fits, ...argv);
      expect(done.code).toBe(3);
      expect(done.stderr).toContain(`holds another sweep: it differs in ${part}`);
    }
    expect(filesOf(p('mine'))).toEqual(before);

    mkdirSync(p('foreign'));
    place.write('foreign/notes.txt', 'mine');
    const foreign = await sweep(...wave(), ...ONE, '--workers', '1', '--out', p('foreign'));
    expect(foreign.code).toBe(3);
    expect(foreign.stderr).toContain('notes.txt');
    expect(readdirSync(p('foreign'))).toEqual(['notes.txt']);

    const lock = WriterLock.acquire(p('mine/sweep.lock'));
    const beside = await sweep(...fits);
    expect(beside.code).toBe(3);
    expect(beside.stderr).toContain('held by running process');
    lock.release();

    place.write('mine/sweep.json', '{"identity":');
    const damaged = await sweep(...fits);
    expect(damaged.code).toBe(3);
    expect(damaged.stderr).toContain('sweep.json is damaged');
    rmSync(p('mine/sweep.json'));
    expect((await sweep(...fits)).code).toBe(0);
    expect(filesOf(p('mine'))).toEqual(before);
  });
});
