import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { openBars, readJournal, signatureHeader } from '#adapters';
import { floorTo, MINUTE } from '#base';
import { askControl } from '../../src/apps/runner/control.ts';
import { runCli } from '../cli/run-cli.ts';
import { Child, quorum } from './child.ts';

const SECRET = 'secret-of-the-test';
const KEY = 'key-of-the-test-0123456789';
const ENV = { QUORUM_INGEST_SECRET: SECRET, TEST_KEY: KEY };
const CONFIG = 'S1_RX68_BTC_1M';

let folder: string;
const children: Child[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'quorum-ingest-'));
});
afterEach(async () => {
  for (const child of children) child.kill('SIGKILL');
  await Promise.all(children.splice(0).map((child) => child.ended));
  rmSync(folder, { recursive: true, force: true });
});

function configure(feed: Record<string, unknown> = {}): void {
  const portfolios = { s1: { desks: [{ desk: 's1-momentum', parameters: { symbol: 'BTC' } }], feed: 'tv' } };
  const tv = { kind: 'webhook', listen: { port: 0 }, hmacKeyEnv: 'TEST_KEY', ...feed };
  writeFileSync(join(folder, 'quorum.config.json'), JSON.stringify({ portfolios, feeds: { tv } }));
}

function start(...args: string[]): Child {
  const child = new Child(args, { cwd: folder, env: ENV });
  children.push(child);
  return child;
}

/** Newest address that a program has told. */
const portIn = (child: Child): number =>
  Number([...child.stdout.matchAll(/bars are taken at http:\/\/127\.0\.0\.1:(\d+)\//g)].at(-1)?.[1]);

/** Posts the newest closed bar, or one of some minutes before, and gives the answer's status and body. */
function post(port: number, minutesAgo = 0, key = KEY): Promise<{ status: number; body: string }> {
  const time = floorTo(Date.now(), MINUTE) - (1 + minutesAgo) * MINUTE;
  const text = JSON.stringify({
    config_id: CONFIG,
    bar_time: time,
    open: 100,
    high: 102,
    low: 99,
    close: 101,
    volume: 3,
  });
  const body = Buffer.from(text);
  const timestamp = String(Math.floor(Date.now() / 1_000));
  const headers = { 'x-timestamp': timestamp, 'x-signature': signatureHeader(key, timestamp, body) };
  return new Promise((done, failed) => {
    const path = `/webhook/${SECRET}/s1`;
    const call = request({ host: '127.0.0.1', port, path, method: 'POST', headers }, (response) => {
      let text = '';
      response.on('data', (chunk: Buffer) => (text += chunk.toString()));
      response.on('end', () => done({ status: response.statusCode!, body: text }));
    });
    call.on('error', failed);
    call.end(body);
  });
}

function existsProcess(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

const barsInJournal = () =>
  [...readJournal(join(folder, '.quorum', 's1', 'journal'))].filter(({ text }) =>
    text.startsWith('{"kind":"bar-closed"'),
  ).length;

/** What the loop says of itself and of the ingestion beside it. */
async function metricsOf(): Promise<Record<string, unknown>> {
  const answer = await askControl(join(folder, '.quorum', 's1'), { ask: 'metrics' });
  return answer?.ok === true ? (answer.metrics as Record<string, unknown>) : {};
}

describe('quorum start on a webhook feed', () => {
  it('takes bars in a process beside the loop, which comes back when it dies and ends with it', async () => {
    configure();
    const loop = start('start', '--no-console');
    await loop.until(() => portIn(loop) > 0, 'the address');
    expect(await post(portIn(loop), 1)).toMatchObject({ status: 202 });
    expect(await post(portIn(loop), 1)).toMatchObject({ status: 200, body: expect.stringContaining('true') });
    expect(await post(portIn(loop), 0, 'another-key-0123456789')).toMatchObject({ status: 401 });
    await loop.until(() => barsInJournal() === 1, 'the bar in the journal');
    await expect
      .poll(async () => (await metricsOf()).ingest, { timeout: 20_000 })
      .toMatchObject({
        feed: 'tv',
        endpoint: { accepted: 1, duplicates: 1, refused: { signature: 1 } },
        queue: { isDurable: true, waiting: 0, pending: 0, dead: 0, fault: null },
        worker: { counts: { webhook: 1 }, storeLagMs: 0 },
      });
    const before = portIn(loop);
    process.kill(companionOf(loop)!, 'SIGKILL');
    await loop.until(() => loop.stdout.includes('the ingestion ended'), 'its end');
    await loop.until(() => portIn(loop) !== before, 'the next one');
    expect(await post(portIn(loop), 0)).toMatchObject({ status: 202 });
    await loop.until(() => barsInJournal() === 2, 'the next bar in the journal');
    const companion = companionOf(loop)!;
    loop.kill('SIGTERM');
    expect((await loop.ended).code).toBe(0);
    for (let waits = 0; existsProcess(companion); waits++) {
      expect(waits).toBeLessThan(200);
      await sleep(20);
    }
    // neither the address nor the log tells the secret
    expect(`${loop.stdout}${loop.stderr}`).not.toContain(SECRET);
  });

  it('does not begin without its secrets', async () => {
    configure({ hmacKeyEnv: 'TEST_KEY_THAT_IS_NOT_SET' });
    const { code, stderr } = await quorum(['start', '--no-console'], folder, ENV);
    expect(code).toBe(3);
    expect(stderr).toContain('TEST_KEY_THAT_IS_NOT_SET is not set');
    configure({ hmacKeyEnv: undefined });
    const other = await quorum(['start', '--no-console'], folder, ENV);
    expect(other.code).toBe(3);
    expect(other.stderr).toContain('requires signatures and names no key');
  });
});

describe('quorum ingest', () => {
  beforeEach(() => {
    for (const [name, value] of Object.entries(ENV)) vi.stubEnv(name, value);
  });
  afterEach(() => {
    vi.unstubAllEnvs();
  });

  it('runs endpoint and worker as programs of their own, without a loop', async () => {
    configure();
    const endpoint = start('ingest', '--role', 'endpoint');
    await endpoint.until(() => portIn(endpoint) > 0, 'the address');
    expect(await post(portIn(endpoint), 1)).toMatchObject({ status: 202 });
    const store = await openBars({
      file: join(folder, '.quorum', 'ingest', 'tv', 'bars.sqlite'),
      databaseUrl: null,
    });
    try {
      expect(await store.lastSeq()).toBe(0);
      const worker = start('ingest', '--role', 'worker', '--json');
      await worker.until(async () => (await store.lastSeq()) === 1, 'the bar in the store');
      expect(await store.lastBar(CONFIG)).toMatchObject({ close: 101, source: 'webhook', seq: 1 });
      worker.kill('SIGINT');
      const ended = await worker.ended;
      expect(ended.code).toBe(130);
      expect(JSON.parse(ended.stdout)).toMatchObject({
        schemaVersion: 1,
        feed: 'tv',
        role: 'worker',
        taken: 1,
        webhook: 1,
      });
    } finally {
      await store.close();
    }
    endpoint.kill('SIGTERM');
    expect((await endpoint.ended).code).toBe(0);
  });

  it.each([
    [['--feed', 'tw'], {}, 'there is no feed "tw"'],
    [[], { kind: 'sample' }, 'no feed of the configuration is of kind "webhook"'],
    [['--feed', 'tv'], { kind: 'sample' }, 'feed "tv" is of kind sample'],
    [['--clock-file', 'x'], {}, 'recorded bars that are posted again'],
    [[], { secretEnv: 'NOT_SET' }, 'NOT_SET is not set'],
    [[], { streams: { kind: 'redis', urlEnv: 'NOT_SET' } }, 'NOT_SET is not set'],
    [[], { store: { kind: 'postgres', databaseUrlEnv: 'NOT_SET' } }, 'NOT_SET is not set'],
    [[], { provider: { kind: 'twelve-data', apiKeyEnv: 'NOT_SET' } }, 'NOT_SET is not set'],
    [[], { requireHmac: false }, 'no address is allowed'],
    [[], { allow: ['nowhere'], requireHmac: false }, 'nowhere is no address'],
    [[], { series: { BTC: { instrument: 'A.B' } } }, '"BTC" is no config id'],
  ])('with %j and %j says what is wrong and ends with 3', async (args, feed, says) => {
    const tv =
      'kind' in feed ? feed : { kind: 'webhook', listen: { port: 0 }, hmacKeyEnv: 'TEST_KEY', ...feed };
    const portfolios = { s1: { desks: [{ desk: 's1-momentum' }] } };
    writeFileSync(join(folder, 'quorum.config.json'), JSON.stringify({ portfolios, feeds: { tv } }));
    const options = ['--config', join(folder, 'quorum.config.json'), '--data-dir', join(folder, 'data')];
    const { code, stderr } = await runCli('ingest', ...options, ...args);
    expect(stderr).toContain(says);
    expect(code).toBe(3);
  });
});

/** The process beside a loop; null when there is none. */
function companionOf(loop: Child): number | null {
  const { stdout } = spawnSync('ps', ['-A', '-o', 'pid=,ppid=,args='], { encoding: 'utf8' });
  for (const line of stdout.split('\n')) {
    const [pid, parent, ...args] = line.trim().split(/\s+/);
    if (Number(parent) === loop.process.pid && args.includes('ingest')) return Number(pid);
  }
  return null;
}
