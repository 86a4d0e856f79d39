import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, it } from 'vitest';
import { Chance } from '#base';
import { AlertStore } from '../../src/apps/alerts/alert-store.ts';
import { HttpLoopback, sendJson } from '../support/http-loopback.ts';

const folder = mkdtempSync(join(tmpdir(), 'quorum-desk-kill-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const CHILD = fileURLToPath(new URL('fixtures/desk-child.ts', import.meta.url));
const COUNT = 150;

it('a desk that is killed at any moment loses no alert and keeps each of them once', async () => {
  const chance = new Chance('desk-kill');
  const server = await new HttpLoopback((_, response) => sendJson(response, 200, {})).start();
  // the receiver is not well either
  server.faultFor = () =>
    chance.happens(0.05) ? (chance.happens(0.5) ? 'drop' : { status: 503 }) : undefined;
  const file = join(folder, 'alerts.sqlite');
  let kills = 0;
  for (;;) {
    const child = spawn(process.execPath, [CHILD, file, server.url, String(COUNT)], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let said = '';
    child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
    const ended = new Promise<number | null>((done) => child.once('close', (code) => done(code)));
    if (kills === 4) {
      expect(await ended, said).toBe(0);
      break;
    }
    // after some calls, in the middle of whatever it does
    const target = server.received.length + 1 + chance.below(15);
    while (server.received.length < target && child.exitCode === null) await sleep(1);
    if (child.exitCode !== null) break;
    await sleep(chance.below(4));
    child.kill('SIGKILL');
    await ended;
    kills += 1;
  }
  await server.stop();
  expect(kills).toBe(4);
  const told = new Set(server.received.map(({ body }) => (JSON.parse(body) as { title: string }).title));
  expect(told.size).toBe(COUNT);
  const store = new AlertStore(file, { readOnly: true });
  const rows = store.alerts({ limit: 1_000 });
  expect(rows.map((row) => row.title).sort()).toEqual([...told].sort());
  expect(new Set(rows.map((row) => row.state))).toEqual(new Set(['delivered']));
  expect(store.deliveries({ limit: 1_000 }).every((one) => one.state === 'delivered')).toBe(true);
  expect(store.deliveries({ limit: 1_000 })).toHaveLength(COUNT);
  expect(store.counts()).toMatchObject({ 'taken.critical': COUNT, delivered: COUNT });
  store.close();
});
