import { copyFileSync, existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { jobRequest, job as jobSchema } from '../../../src/apps/contract/areas/workshop.ts';
import { QUEUE_MOST } from '../../../src/apps/server/jobs/jobs.ts';
import { SMA } from '../../cli/run-cli.ts';
import { JobPlaceKit } from './job-place.ts';

let kit: JobPlaceKit;
const request = (value: unknown) => jobRequest.parse(value);

beforeAll(() => {
  kit = new JobPlaceKit();
  // the example is a desk file below the folder of the server
  const text = readFileSync(SMA, 'utf8');
  expect(text).toContain("from 'quorum'");
  copyFileSync(SMA, join(kit.folder, 'sma.ts'));
});
afterAll(() => kit.remove());

describe('work in the background', () => {
  it('runs a backtest of the prices that come with the program, tells how far it is, and keeps result and report', async () => {
    const { id, state } = kit.jobs.start(request({ kind: 'backtest' }), 'ada (console)');
    expect(['queued', 'running']).toContain(state);
    const done = await kit.ended(id);
    expect(done.error).toBeNull();
    expect(done).toMatchObject({ state: 'done', hasReport: true, by: 'ada (console)', progress: 1 });
    expect(done.result).toMatchObject({ desk: 'sample', instruments: ['SPX.SAMPLE'] });
    const html = Buffer.from(await kit.jobs.report(id)).toString('utf8');
    expect(html).toMatch(/^<!doctype html>/i);
    expect(existsSync(join(kit.jobs.runFolder(id)!, 'trades.csv'))).toBe(true);
    const about = kit.heard.filter((one) => one.id === id);
    expect(about.map((one) => one.state)).toEqual(about.map((one) => one.state).toSorted(byLife));
    expect(about.at(-1)!.state).toBe('done');
    for (const one of about) expect(jobSchema.safeParse(one).success).toBe(true);
    // rising, and never above the whole
    const progress = about.flatMap((one) => (one.progress === null ? [] : [one.progress]));
    expect(progress).toEqual(progress.toSorted((a, b) => a - b));
  });

  it('says a mistake in the words of the command, and leaves nothing behind', async () => {
    const { id } = kit.jobs.start(
      request({ kind: 'backtest', bars: ['WAVE=WAVE-1h.csv'], set: { nothing: 1 } }),
      'ada',
    );
    const failed = await kit.ended(id);
    expect(failed).toMatchObject({ state: 'failed', hasReport: false, result: null });
    expect(failed.error).toMatch(/has no parameter "nothing"; the nearest known one is/);
    expect(readdirSync(join(kit.dataDir, 'jobs'))).not.toContain(id);
  });

  it('cancels what runs and what waits', async () => {
    const grid = { stopAtrMultiple: '1:4:0.01', targetMultiple: '1:4:0.1' };
    const running = kit.jobs.start(request({ kind: 'sweep', grid }), 'ada').id;
    const waiting = kit.jobs.start(request({ kind: 'backtest' }), 'ada').id;
    await kit.until(running, ({ state, progress }) => state === 'running' && (progress ?? 0) > 0);
    expect(kit.jobs.get(waiting).state).toBe('queued');
    expect(kit.jobs.cancel(waiting, 'eve').state).toBe('cancelled');
    kit.jobs.cancel(running, 'eve');
    const ended = await kit.ended(running);
    expect(ended).toMatchObject({ state: 'cancelled', says: 'cancelled by eve', error: null });
    expect(readdirSync(join(kit.dataDir, 'jobs'))).not.toContain(running);
    expect(() => kit.jobs.cancel(running, 'eve')).toThrow(/cancelled already/);
  });

  it('heeds a cancellation that another process wrote', async () => {
    const { id } = kit.jobs.start(request({ kind: 'sweep', grid: { stopAtrMultiple: '1:4:0.001' } }), 'ada');
    await kit.until(id, ({ state }) => state === 'running');
    expect(kit.jobs.store.askCancel(id, 'root (command line)')).toBe(true);
    expect((await kit.ended(id)).says).toBe('cancelled by root (command line)');
  });

  it('marks what a server left running as failed, and goes on with what waited', async () => {
    const first = kit.jobs.start(
      request({ kind: 'sweep', grid: { stopAtrMultiple: '1:4:0.001' } }),
      'ada',
    ).id;
    const second = kit.jobs.start(request({ kind: 'backtest', report: false }), 'ada').id;
    await kit.until(first, ({ state }) => state === 'running');
    await kit.again();
    const failed = await kit.ended(first);
    expect(failed).toMatchObject({ state: 'failed', error: 'the server ended while it ran; start it again' });
    expect(await kit.ended(second)).toMatchObject({ state: 'done', hasReport: false });
    // and one whose server was killed without a word
    const third = kit.jobs.start(request({ kind: 'backtest' }), 'ada').id;
    await kit.ended(third);
    kit.store.run(`UPDATE jobs SET state = 'running', ended_at = NULL WHERE id = ?`, third);
    await kit.again();
    expect(kit.jobs.get(third).error).toMatch(/the server ended/);
  });

  it('plays a desk file in a sweep, a walk-forward, what its parts are worth, and reports on an earlier run', async () => {
    const of = { desk: 'sma.ts', bars: ['WAVE=WAVE-1h.csv'] };
    const ids = [
      { kind: 'sweep', ...of, grid: { fast: '3:9:3', slow: '20:40:10' }, where: 'fast < slow' },
      { kind: 'walk-forward', ...of, grid: { fast: '3:9:3' }, folds: 3 },
      { kind: 'backtest', ...of, set: { fast: 5 } },
    ].map((one) => kit.jobs.start(request(one), 'ada').id);
    const [sweep, walk, backtest] = await Promise.all(ids.map((id) => kit.ended(id)));
    expect([sweep, walk, backtest].map((one) => one!.error)).toEqual([null, null, null]);
    expect(sweep!.result).toMatchObject({ variants: 9, done: 9, finished: true });
    expect(sweep!.result).not.toHaveProperty('rows');
    expect(sweep!.hasReport).toBe(true);
    expect(walk!.result).toMatchObject({ finished: true });
    const more = [
      { kind: 'worth', job: backtest!.id },
      { kind: 'report', job: backtest!.id },
    ].map((one) => kit.jobs.start(request(one), 'ada').id);
    const [worth, report] = await Promise.all(more.map((id) => kit.ended(id)));
    expect(worth!.error).toBeNull();
    expect(Buffer.from(await kit.jobs.report(worth!.id)).toString('utf8')).toMatch(/worth/i);
    expect(report).toMatchObject({ state: 'done', hasReport: true });
    expect(() => kit.jobs.start(request({ kind: 'worth', job: walk!.id }), 'ada')).toThrow(
      /no run to look at/,
    );
  });

  it('refuses when fifty wait', async () => {
    const ids = Array.from(
      { length: QUEUE_MOST + 1 },
      () => kit.jobs.start(request({ kind: 'backtest' }), 'ada').id,
    );
    expect(() => kit.jobs.start(request({ kind: 'backtest' }), 'ada')).toThrow(/50 jobs are waiting/);
    for (const id of ids.toReversed()) kit.jobs.cancel(id, 'ada');
    await kit.ended(ids[0]!);
    const first = kit.jobs.list(20, null);
    const second = kit.jobs.list(20, first.next);
    expect([...first.jobs, ...second.jobs].map(({ id }) => id)).toEqual(ids.toReversed().slice(0, 40));
  });

  it('forgets what is old', () => {
    expect(kit.jobs.prune(Date.now())).toBe(0);
    expect(kit.jobs.prune(Date.now() + 31 * 86_400_000)).toBeGreaterThan(50);
    expect(kit.jobs.list(20, null).jobs).toEqual([]);
    expect(readdirSync(join(kit.dataDir, 'jobs')).filter((name) => /^[0-9a-f]{24}$/.test(name))).toEqual([]);
  });
});

const LIFE = ['queued', 'running', 'done'];
const byLife = (a: string, b: string) => LIFE.indexOf(a) - LIFE.indexOf(b);
