import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { lockHolder, verifyJournal } from '#adapters';
import { AlertStore } from '../../src/apps/alerts/alert-store.ts';
import { Child, quorum, sizeOf } from '../program/child.ts';
import { PagerDutyLoopback } from '../support/pagerduty-loopback.ts';

const cleanups: (() => Promise<unknown> | unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

const START = ['start', '--demo', '--speed', '20', '--no-console', '--data-dir', 'data'];

/** A portfolio that runs, a pager, and a watchdog over it that is quick to judge. */
async function setUp(more: readonly string[]) {
  const root = mkdtempSync(join(tmpdir(), 'quorum-watchdog-'));
  cleanups.push(() => rmSync(root, { recursive: true, force: true }));
  const pager = new PagerDutyLoopback();
  await pager.http.start();
  cleanups.push(() => pager.http.stop());
  const alerts = { channels: { pager: { kind: 'pagerduty', baseUrl: pager.http.url } } };
  const portfolios = { main: { desks: [{ desk: 'sigma' }] } };
  writeFileSync(join(root, 'quorum.config.json'), JSON.stringify({ portfolios, alerts }));
  const loop = new Child(START, { cwd: root });
  // whatever runs under the lock at the end is ended: first the watchdog, which could start another
  const directory = join(root, 'data', 'demo');
  const holder = () => lockHolder(join(directory, 'journal.lock'));
  cleanups.push(async () => {
    const pid = holder();
    if (pid !== null) process.kill(pid, 'SIGKILL');
    loop.kill('SIGKILL');
    await loop.ended;
  });
  await loop.until(() => sizeOf(join(directory, 'journal')) > 20_000, 'a journal');
  const env = { QUORUM_PAGERDUTY_KEY: '0123456789abcdef0123456789abcdef' };
  const args = ['watchdog', '--data-dir', 'data', '--stale-seconds', '4', '--grace-seconds', '1', ...more];
  const dog = new Child(args, { cwd: root, env });
  cleanups.push(async () => {
    dog.kill('SIGTERM');
    await dog.ended;
  });
  await dog.until(() => dog.stdout.includes('demo steps'), 'the first look');
  return { root, directory, pager, loop, dog, holder };
}

const INCIDENT = 'demo/watchdog-demo';

describe('the watchdog', () => {
  it('tells when a stopped loop does not step, tells when it is back, and shows both in the console', async () => {
    const { root, pager, dog, holder } = await setUp([]);
    expect(pager.events).toEqual([]);
    const pid = holder()!;
    process.kill(pid, 'SIGSTOP');
    await dog.until(() => pager.incidents.get(INCIDENT) === 'triggered', 'the page');
    expect(pager.events[0]).toMatchObject({ payload: { severity: 'critical', group: 'demo' } });
    expect(pager.events[0]!.payload!.summary).toMatch(/demo has not stepped for \d+ s: process \d+ hangs/);
    const store = new AlertStore(join(root, 'data', 'alerts.sqlite'));
    expect(store.alerts({ standing: 'open' })).toMatchObject([{ kind: 'watchdog', severity: 'critical' }]);
    process.kill(pid, 'SIGCONT');
    await dog.until(() => pager.incidents.get(INCIDENT) === 'resolved', 'the end of it');
    expect(store.alerts({ standing: 'open' })).toEqual([]);
    store.close();
    expect(pager.events).toHaveLength(2);
    expect(holder()).toBe(pid);
    expect(readFileSync(join(root, 'data', 'quorum.log'), 'utf8')).toContain('watchdog demo has not stepped');
    // a clean end is no alarm, and a second watchdog is refused
    const second = await quorum(['watchdog', '--data-dir', 'data'], root);
    expect(second.code).toBe(3);
    expect((await quorum(['stop', '--data-dir', 'data'], root)).code).toBe(0);
    await dog.until(() => dog.stdout.includes('demo has ended cleanly'), 'the end');
    expect(pager.events).toHaveLength(2);
  });

  it('starts a stopped loop again: it runs on with a whole journal', async () => {
    const { directory, pager, dog, holder, loop } = await setUp(['--restart']);
    const pid = holder()!;
    const journal = join(directory, 'journal');
    process.kill(pid, 'SIGSTOP');
    await dog.until(() => pager.incidents.get(INCIDENT) === 'triggered', 'the page');
    await dog.until(() => holder() !== null && holder() !== pid, 'another process');
    expect((await loop.ended).signal).toBe('SIGKILL');
    await dog.until(() => pager.incidents.get(INCIDENT) === 'resolved', 'the end of it');
    const size = sizeOf(journal);
    await dog.until(() => sizeOf(journal) > size, 'another step');
    expect(readFileSync(join(directory, 'output.log'), 'utf8')).toContain('continued demo');
    // killed outright, it comes again as well
    const next = holder()!;
    process.kill(next, 'SIGKILL');
    await dog.until(() => holder() !== null && holder() !== next, 'a third process');
    await dog.until(
      () => pager.incidents.get(INCIDENT) === 'resolved' && pager.events.length >= 4,
      'the end of that',
    );
    dog.kill('SIGTERM');
    expect((await dog.ended).code).toBe(0);
    process.kill(holder()!, 'SIGTERM');
    for (let waits = 0; holder() !== null && waits < 500; waits++)
      await new Promise((done) => setTimeout(done, 20));
    expect(existsSync(join(directory, 'journal.lock'))).toBe(false);
    expect(verifyJournal(journal)).toMatchObject({ ok: true, fault: null });
    expect(existsSync(`${directory}.before-1`)).toBe(false);
  });
});
