import { existsSync, readFileSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import { readBarsFile } from '#adapters';
import { DAY, MINUTE } from '#base';
import { jsonOf, runCli, Workplace } from './run-cli.ts';

const place = new Workplace();
const p = (name: string) => place.path(name);
afterAll(() => place.remove());

const make = (dir: string, ...more: string[]) =>
  runCli('data', 'synthetic', 'BTCUSDT', 'XRPUSDT', '--days', '2', '--dir', p(dir), ...more);

describe('made-up bars as files', () => {
  it('are whole days from the day asked for, the same for the same seed', async () => {
    const done = await make('one', '--json');
    expect(done.code, done.stderr).toBe(0);
    const { files } = jsonOf(done) as { files: { path: string; rows: number }[] };
    expect(files.map(({ rows }) => rows)).toEqual([576, 576]);
    const [series] = await readBarsFile(files[0]!.path);
    const { time } = series!.columns;
    expect([time[0], time[575]]).toEqual([Date.UTC(2024, 0, 1), Date.UTC(2024, 0, 3) - 5 * MINUTE]);
    expect((await make('two')).code).toBe(0);
    expect((await make('three', '--seed', '2')).code).toBe(0);
    const bytes = (dir: string) => readFileSync(p(`${dir}/XRPUSDT-5m.csv.gz`));
    expect(bytes('two').equals(bytes('one'))).toBe(true);
    expect(bytes('three').equals(bytes('one'))).toBe(false);
  });

  it('of a longer interval are made of those of five minutes', async () => {
    expect((await make('one', '--interval', '1h')).code).toBe(0);
    const columns = async (name: string) => (await readBarsFile(p(`one/BTCUSDT-${name}.csv.gz`)))[0]!.columns;
    const [fine, coarse] = [await columns('5m'), await columns('1h')];
    expect(coarse.length).toBe((2 * DAY) / (60 * MINUTE));
    expect(coarse.close[3]).toBe(fine.close[47]);
    expect(coarse.high[3]).toBe(Math.max(...fine.high.subarray(36, 48)));
  });

  it('replace nothing unless told to', async () => {
    const again = await make('one');
    expect([again.code, again.stderr]).toEqual([3, expect.stringContaining('is there already')]);
    expect((await make('one', '--force')).code).toBe(0);
  });

  it.each<[string[], number, string]>([
    [['FOOUSDT'], 3, 'FOOUSDT is not made up'],
    [['--interval', '7m'], 2, 'cannot be made'],
    [['--from', '2024-01-01T01:00Z'], 2, 'no whole day'],
  ])('%j is refused', async (more, code, said) => {
    const refused = await make('none', ...more);
    expect([refused.code, refused.stderr]).toEqual([code, expect.stringContaining(said)]);
    expect(existsSync(p('none'))).toBe(false);
  });
});
