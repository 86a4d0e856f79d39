import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, describe, expect, it } from 'vitest';
import { replayPaper } from '../../src/apps/runner/replay-paper.ts';
import { Child, quorum, sizeOf } from './child.ts';

const root = mkdtempSync(join(tmpdir(), 'quorum-program-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
/** A port of this machine where nothing listens. */
const NOWHERE = { QUORUM_BINANCE_REST_URL: 'http://127.0.0.1:9', QUORUM_BINANCE_WS_URL: 'ws://127.0.0.1:9' };

describe('quorum start without a network', () => {
  it('says so, runs the sample, answers, obeys and ends cleanly', async () => {
    const child = new Child(['start', '--no-console', '--speed', '40'], { cwd: root, env: NOWHERE });
    const journal = join(root, '.quorum/sample/journal');
    await child.until(() => sizeOf(journal) > 20_000, 'the sample to run');
    expect(child.stdout).toMatch(/The live feed http:\/\/127\.0\.0\.1:9 cannot be reached/);
    expect(child.stdout).toMatch(/Running "sample" instead/);
    expect(statSync(join(root, '.quorum/sample/control.sock')).mode & 0o777).toBe(0o600);

    const second = await quorum(['start', '--no-console', '--sample'], root);
    expect(second.code).toBe(3);
    expect(second.stderr).toMatch(/held by running process/);

    const asked = await quorum(['status', '--json'], root);
    expect(asked.code, asked.stderr).toBe(0);
    const [status] = JSON.parse(asked.stdout).portfolios;
    expect(status).toMatchObject({
      portfolio: 'sample',
      running: true,
      mode: 'REPLAY',
      evidence: false,
      currency: 'USD',
    });
    expect(status.rssMiB).toBeLessThan(250);

    const stopped = await quorum(['operator', 'stop', '--reason', 'lunch'], root);
    expect(stopped.stdout).toMatch(/entries stopped/);
    const unreasoned = await quorum(['operator', 'flatten'], root);
    expect(unreasoned.code).toBe(2);
    const strange = await quorum(['operator', 'flatten', '--desk', 'nobody', '--reason', 'x'], root);
    expect(strange.code).toBe(1);
    expect(strange.stderr).toMatch(/there is no desk nobody: sample/);

    const running = await quorum(['backup', 'running.gz', '--json'], root);
    expect(running.code, running.stderr).toBe(0);
    const restored = await quorum(['restore', 'running.gz', '--data-dir', 'copy'], root);
    expect(restored.code, restored.stderr).toBe(0);
    const copy = await replayPaper(join(root, 'copy/sample'));
    expect(copy.entries).toBe(JSON.parse(running.stdout).journals[0].entries);

    const stop = await quorum(['stop'], root);
    expect(stop.code, stop.stderr).toBe(0);
    const { code, stdout } = await child.ended;
    expect(code).toBe(0);
    const lines = stdout.trim().split('\n').slice(2);
    expect(lines.length).toBeGreaterThan(3);
    for (const line of lines) expect(line).toMatch(/^REPLAY /);
    for (const line of readFileSync(join(root, '.quorum/quorum.log'), 'utf8').trim().split('\n')) {
      expect(line).toMatch(/ sample REPLAY /);
    }
    const after = await quorum(['status', '--json'], root);
    expect(JSON.parse(after.stdout)).toMatchObject({
      running: false,
      portfolios: [{ portfolio: 'sample', mode: 'REPLAY' }],
    });
  });

  it('projects what happened into SQLite and marks what it rests on', () => {
    const database = new DatabaseSync(join(root, '.quorum/sample/quorum.sqlite'), { readOnly: true });
    const count = (table: string) => Number(database.prepare(`select count(*) as n from ${table}`).get()!.n);
    expect(count('orders')).toBeGreaterThan(0);
    expect(count('fills')).toBeGreaterThan(0);
    expect(count('decisions')).toBeGreaterThan(0);
    expect(count('signals')).toBeGreaterThan(0);
    expect(count('performance_snapshots')).toBeGreaterThan(10);
    expect(database.prepare('select title from notifications').all()).toContainEqual({
      title: expect.stringMatching(/^stop by /),
    });
    const strategy = database.prepare('select state, configuration from strategies').get()!;
    expect(strategy.state).toBe('replay');
    expect(JSON.parse(String(strategy.configuration))).toMatchObject({ mode: 'REPLAY', evidence: false });
    database.close();
  });

  it('ends with 130 on Ctrl-C and 0 on a polite kill, and continues after both', async () => {
    for (const [signal, expected] of [
      ['SIGINT', 130],
      ['SIGTERM', 0],
    ] as const) {
      const child = new Child(
        ['start', '--no-console', '--sample', '--speed', '50', '--data-dir', 'signals'],
        { cwd: root },
      );
      await child.until(() => /enters|equity/.test(child.stdout), 'a first line');
      child.kill(signal);
      expect((await child.ended).code).toBe(expected);
    }
    const last = await quorum(
      [
        'start',
        '--no-console',
        '--sample',
        '--speed',
        '0',
        '--slices',
        '200',
        '--data-dir',
        'signals',
        '--json',
      ],
      root,
    );
    expect(last.code, last.stderr).toBe(0);
    expect(last.stderr).toMatch(/REPLAY continued sample/);
    expect(JSON.parse(last.stdout)).toMatchObject({ schemaVersion: 1, ending: 'finished', mode: 'REPLAY' });
    // a clean end keeps what the panel shows: nothing new was decided since, and the last decisions are still there
    const again = [
      'start',
      '--no-console',
      '--sample',
      '--speed',
      '0',
      '--slices',
      '200',
      '--data-dir',
      'signals',
      '--json',
    ];
    const status = (text: string) => JSON.parse(text) as { decisions: unknown[] };
    expect(status(last.stdout).decisions.length).toBeGreaterThan(0);
    expect(status((await quorum(again, root)).stdout).decisions).toEqual(status(last.stdout).decisions);
    const replayed = await replayPaper(join(root, 'signals/sample'));
    expect(replayed.commands).toBeGreaterThan(5);
  });

  it('puts an earlier journal aside only when told to', async () => {
    const fresh = await quorum(
      [
        'start',
        '--no-console',
        '--sample',
        '--fresh',
        '--speed',
        '0',
        '--slices',
        '5',
        '--data-dir',
        'signals',
      ],
      root,
    );
    expect(fresh.code, fresh.stderr).toBe(0);
    expect(fresh.stdout).toContain('started sample');
    expect(sizeOf(join(root, 'signals/sample.before-1/journal'))).toBeGreaterThan(0);
  });

  it('does not fall back when a live portfolio was asked for by name', async () => {
    const named = await quorum(
      ['start', '--no-console', '--portfolio', 'sigma', '--data-dir', 'named'],
      root,
      NOWHERE,
    );
    expect(named.code).toBe(5);
    expect(named.stderr).toMatch(/cannot be reached/);
  });

  it('runs a portfolio of a configuration, and says what is wrong with one', async () => {
    const configuration = {
      portfolios: {
        mine: {
          base: 'USD',
          cash: 50_000,
          feed: 'sample',
          desks: [{ desk: 'sample', parameters: { bars: 10 } }],
          limits: { assetMax: 0.2 },
        },
      },
    };
    writeFileSync(join(root, 'mine.json'), JSON.stringify(configuration));
    const run = [
      'start',
      '--no-console',
      '--config',
      'mine.json',
      '--speed',
      '0',
      '--slices',
      '300',
      '--data-dir',
      'mine',
      '--json',
    ];
    const ended = await quorum(run, root);
    expect(ended.code, ended.stderr).toBe(0);
    expect(JSON.parse(ended.stdout)).toMatchObject({ portfolio: 'mine', mode: 'REPLAY', currency: 'USD' });
    writeFileSync(join(root, 'bad.json'), JSON.stringify({ portfolios: { mine: { desk: [] } } }));
    const bad = await quorum(['start', '--no-console', '--config', 'bad.json'], root);
    expect(bad.code).toBe(3);
    expect(bad.stderr).toMatch(/portfolios\.mine/);
    expect(bad.stderr).not.toMatch(/ at .*\.ts:\d+/);
  });
});
