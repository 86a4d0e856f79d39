import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { Child } from '../program/child.ts';
import { jsonOf, runCli, SMA, Workplace, waveCsv } from './run-cli.ts';

const place = new Workplace();
const p = (name: string) => place.path(name);
afterAll(() => place.remove());

const filesOf = (dir: string) =>
  readdirSync(dir)
    .sort()
    .map((name) => [name, readFileSync(join(dir, name), 'base64')]);

describe('a backtest that does not come to its end', () => {
  it('keeps what it had when Ctrl-C ends it, and says so', async () => {
    place.write('LONG-1h.csv', waveCsv(200_000));
    const child = new Child(
      ['backtest', SMA, '--bars', 'LONG-1h.csv', '--trace', 'all', '--out', 'part', '--json'],
      { cwd: place.dir },
    );
    await child.until(() => existsSync(p('part/.unfinished/journal')), 'the run to begin');
    child.kill('SIGINT');
    const { code, stdout, stderr } = await child.ended;
    expect(code, stderr).toBe(130);
    const { bars, notes } = JSON.parse(stdout) as { bars: number; notes: string[] };
    expect(bars).toBeLessThan(200_000);
    expect(notes).toContain('interrupted: figures are of the part that ran');
    expect(existsSync(p('part/.unfinished'))).toBe(false);
    const replayed = await runCli('replay', p('part'), '--json');
    expect(replayed.code, replayed.stderr).toBe(0);
    expect(jsonOf(replayed)).toMatchObject({ mode: 'decided', difference: null });
  });

  it('leaves an earlier run as it was when the desk fails', async () => {
    place.write('GOOD-1h.csv', waveCsv(300));
    const good = await runCli('backtest', SMA, '--bars', p('GOOD-1h.csv'), '--out', p('run'));
    expect(good.code, good.stderr).toBe(0);
    const before = filesOf(p('run'));
    place.write(
      'breaks-later.mjs',
      `const schema = { safeParse: (data) => ({ success: true, data }) };
let calls = 0;
const signal = () => { calls += 1; if (calls > 50) throw new RangeError('made to fail'); return null; };
const source = { kind: 'local', name: 's', features: {}, state: () => null, signal };
const pooling = { name: 'p', takes: 'score', pool: () => null };
const sizer = { name: 'z', features: {}, size: () => null };
const build = () => ({ interval: 'tape', warmUpBars: 1, sources: [source], pooling, sizer });
export default { name: 'breaks-later', summary: '', parameters: schema, build };
`,
    );
    const failed = await runCli(
      'backtest',
      p('breaks-later.mjs'),
      '--bars',
      p('GOOD-1h.csv'),
      '--out',
      p('run'),
    );
    expect(failed.code, failed.stderr).toBe(3);
    expect(failed.stderr).toMatch(/breaks-later\.mjs:3: made to fail\nmend: /);
    expect(filesOf(p('run'))).toEqual(before);
  });

  it('counts signals that are no numbers and bars that cannot be', async () => {
    place.write(
      'ODD-1h.csv',
      waveCsv(100, ([t, o, h, l, c, v], i) =>
        i % 10 === 5 ? [t!, o!, l!, h!, c!, v!] : [t!, o!, h!, l!, c!, v!],
      ),
    );
    const odd = jsonOf(await runCli('backtest', SMA, '--bars', p('ODD-1h.csv'), '--json'));
    expect(odd.notes).toContainEqual(expect.stringMatching(/^10 bars were refused: high-below-low/));
    place.write(
      'nan.mjs',
      `const schema = { safeParse: (data) => ({ success: true, data }) };
const signal = () => ({ kind: 'score', source: 's', value: NaN, horizonMs: 1000 });
const source = { kind: 'local', name: 's', features: {}, state: () => null, signal };
const pool = () => ({ action: 'wait', confidence: 0, probability: null, rule: 'none', objections: [] });
const sizer = { name: 'z', features: {}, size: () => null };
const build = () => ({ interval: 'tape', warmUpBars: 1, sources: [source], pooling: { name: 'p', takes: 'score', pool }, sizer });
export default { name: 'nan', summary: '', parameters: schema, build };
`,
    );
    const nan = jsonOf(await runCli('backtest', p('nan.mjs'), '--bars', p('GOOD-1h.csv'), '--json'));
    const { s } = nan.malformedBySource as { s: number };
    expect(s).toBeGreaterThan(290);
    expect(nan.orders).toBe(0);
    expect(nan.notes).toContainEqual(expect.stringContaining(`${s} malformed signals`));
  });
});
