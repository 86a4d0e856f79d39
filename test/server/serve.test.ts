import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { getPriority, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { lockHolder, readJournal } from '#adapters';
import { HOUR } from '#base';
import { type LiveMessage, liveMessage } from '../../src/apps/contract/index.ts';
import { CONSOLE_LOCK } from '../../src/apps/runner/console-companion.ts';
import { askControl } from '../../src/apps/runner/control.ts';
import { EntryReader } from '../../src/apps/runner/journal-entries.ts';
import { LiveReader } from '../../src/apps/server/live/messages.ts';
import { createConsole } from '../../src/apps/server/server.ts';
import { Child, quorum, sizeOf } from '../program/child.ts';
import { cheapHasher } from './identity/people.ts';
import { Listener, until } from './live-kit.ts';

const root = mkdtempSync(join(tmpdir(), 'quorum-serve-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const urlIn = (text: string) => /the console is open at (http:\/\/[\d.:]+)/.exec(text)?.[1];
const passwordIn = (text: string) => /one-time password (\S+)/.exec(text)?.[1];

/** The next argument list of a start that shows its console on any free port. */
const start = (dataDir: string, ...more: string[]) => [
  'start',
  '--sample',
  '--speed',
  '20',
  '--port',
  '0',
  '--data-dir',
  dataDir,
  ...more,
];

const answers = async (url: string) => {
  try {
    return (await fetch(`${url}/api/health`)).status === 200;
  } catch {
    return false;
  }
};

describe('quorum start', () => {
  it('opens the console beside the loop, which needs it for nothing', async () => {
    const folder = join(root, 'beside');
    const child = new Child(start('beside'), { cwd: root });
    await child.until(() => passwordIn(child.stdout) !== undefined, 'the console');
    const url = urlIn(child.stdout)!;
    const password = passwordIn(child.stdout)!;
    // where both want the processor, the loop gets it
    const server = lockHolder(join(folder, CONSOLE_LOCK))!;
    expect(getPriority(server)).toBeGreaterThan(getPriority());
    const session = await fetch(`${url}/api/v1/session`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ name: 'admin', password }),
    });
    expect(session.status).toBe(200);
    expect(((await session.json()) as { mustChangePassword: boolean }).mustChangePassword).toBe(true);
    const page = await fetch(`${url}/`, { headers: { accept: 'text/html' } });
    expect(await page.text()).toContain('<div id="root">');
    // shown once, to the person, and kept nowhere
    expect(child.stdout.split(password)).toHaveLength(2);
    for (const log of ['quorum.log', 'server.log'])
      expect(readFileSync(join(folder, log), 'utf8')).not.toContain(password);

    // the server dies: the loop goes on, and another server comes
    const first = lockHolder(join(folder, CONSOLE_LOCK))!;
    const size = sizeOf(join(folder, 'sample', 'journal'));
    process.kill(first, 'SIGKILL');
    await child.until(() => child.stdout.includes('The portfolio goes on'), 'word of its end');
    expect((await askControl(join(folder, 'sample'), { ask: 'status' }))?.ok).toBe(true);
    await child.until(() => sizeOf(join(folder, 'sample', 'journal')) > size, 'the loop to go on');
    const again = () => child.stdout.split('the console is open at').length === 3;
    await child.until(again, 'another server');
    const second = urlIn(child.stdout.slice(child.stdout.lastIndexOf('the console is open')))!;
    expect(await answers(second)).toBe(true);
    expect(child.stdout.split('one-time password')).toHaveLength(2);

    // the loop ends: so does its server
    expect((await quorum(['stop', '--data-dir', 'beside'], root)).code).toBe(0);
    const ended = await child.ended;
    expect(ended.code, ended.stderr).toBe(0);
    expect(await answers(second)).toBe(false);
    expect(lockHolder(join(folder, CONSOLE_LOCK))).toBeNull();
  }, 120_000);

  it('ends as it was asked to when its server hangs', async () => {
    const child = new Child(start('hanging'), { cwd: root });
    await child.until(() => urlIn(child.stdout) !== undefined, 'the console');
    const server = lockHolder(join(root, 'hanging', CONSOLE_LOCK))!;
    process.kill(server, 'SIGSTOP');
    child.kill('SIGTERM');
    const { code, stderr } = await child.ended;
    expect(code, stderr).toBe(0);
    expect(lockHolder(join(root, 'hanging', CONSOLE_LOCK))).toBeNull();
  }, 120_000);

  it('takes its server along when it is killed, and has none when told so', async () => {
    const folder = join(root, 'killed');
    const child = new Child(start('killed'), { cwd: root });
    await child.until(() => urlIn(child.stdout) !== undefined, 'the console');
    const url = urlIn(child.stdout)!;
    child.kill('SIGKILL');
    await child.ended;
    for (let waits = 0; waits < 1_000 && (await answers(url)); waits++) await sleep(20);
    expect(await answers(url)).toBe(false);
    const alone = new Child(start('killed', '--no-console'), { cwd: root });
    await alone.until(() => alone.stdout.includes('continued'), 'a start');
    await sleep(300);
    expect(lockHolder(join(folder, CONSOLE_LOCK))).toBeNull();
    alone.kill('SIGTERM');
    expect((await alone.ended).code).toBe(0);
  }, 120_000);
});

describe('quorum serve', () => {
  it('takes the next free port and says so, and is the only one of its data directory', async () => {
    const taken = createServer();
    await new Promise<void>((done) => taken.listen(0, '127.0.0.1', done));
    const { port } = taken.address() as { port: number };
    const served = new Child(['serve', '--data-dir', 'alone', '--port', String(port)], { cwd: root });
    await served.until(() => passwordIn(served.stdout) !== undefined, 'the console');
    expect(served.stdout).toContain(`port ${port} is taken by another program`);
    const url = urlIn(served.stdout)!;
    expect(Number(new URL(url).port)).toBeGreaterThan(port);
    const second = await quorum(['serve', '--data-dir', 'alone', '--port', '0'], root);
    expect(second.code).toBe(3);
    expect(second.stderr).toContain('console.lock');
    served.kill('SIGINT');
    expect((await served.ended).code).toBe(130);
    taken.close();
    expect(await answers(url)).toBe(false);
  }, 120_000);

  it('refuses to be public without TLS or a proxy, and half a TLS pair', async () => {
    const open = await quorum(['serve', '--data-dir', 'open', '--host', '0.0.0.0', '--port', '0'], root);
    expect(open.code).toBe(3);
    expect(open.stderr).toContain('can be reached from other machines');
    const half = await quorum(['serve', '--data-dir', 'open', '--tls-key', 'key.pem'], root);
    expect(half.code).toBe(3);
    expect(half.stderr).toContain('--tls-cert');
  }, 60_000);
});

describe('the live feed of a real run', () => {
  const CLIENTS = 20;
  const dataDir = join(root, 'live');
  let server: Awaited<ReturnType<typeof createConsole>>;
  let token: string;

  beforeAll(async () => {
    server = await createConsole({
      dataDir,
      port: 0,
      hasher: cheapHasher(),
      // clients and server share a busy process here: how far one falls behind is not what is looked at
      live: { behindMost: 100_000 },
    });
    const { identity } = server.context;
    const { user } = await identity.users.add('watcher', 'viewer');
    await identity.users.choosePassword(user, 'four quiet green boats', null);
    token = identity.apiTokens.make(identity.users.known(user.id), 'test', ['read'], Date.now() + HOUR).text;
  });
  afterAll(() => server?.close());

  it('reaches twenty clients whole, also those that lose their connection', async () => {
    const args = [
      'start',
      '--no-console',
      '--demo',
      '--speed',
      '150',
      '--slices',
      '900',
      '--data-dir',
      'live',
    ];
    const child = new Child(args, { cwd: root });
    const folder = join(dataDir, 'demo');
    await child.until(() => sizeOf(join(folder, 'journal')) > 0, 'a journal');
    await sleep(600);
    const clients = Array.from(
      { length: CLIENTS },
      (_, i) => new Client(`${server.url}/ws/live-feed`, token, i),
    );
    for (const client of clients) client.connect();
    await until(() => clients.every(({ listener }) => listener.last !== null), 'greetings');
    const ended = await child.ended;
    expect(ended.code, ended.stderr).toBe(0);
    const expected: number[] = [];
    const reader = new LiveReader('demo', new EntryReader());
    for (const { position, kind, text } of readJournal(join(folder, 'journal')))
      if (reader.read(position, kind, text) !== null) expected.push(position);
    expect(expected.length).toBeGreaterThan(1_000);
    await until(() => clients.every(({ listener }) => listener.last === expected.at(-1)), 'the last message');
    for (const client of clients) {
      client.close();
      const { listener, first } = client;
      expect(listener.faults).toEqual([]);
      expect(listener.resets).toEqual([]);
      expect(listener.seqs).toEqual(expected.filter((seq) => seq > first!));
      expect([...listener.types]).toEqual(
        expect.arrayContaining(['hello', 'status_update', 'bar', 'decision', 'new_trade', 'order']),
      );
    }
    expect(clients.some(({ connections }) => connections > 2)).toBe(true);
  }, 120_000);

  it('lets nobody in who is not logged in, or asks for nonsense', async () => {
    const codeOf = (path: string, headers: Record<string, string>) =>
      new Promise<number>((done) => {
        const socket = new WebSocket(`${server.url.replace('http', 'ws')}${path}`, { headers });
        socket.on('close', done);
        socket.on('error', () => undefined);
      });
    const known = { authorization: `Bearer ${token}` };
    expect(await codeOf('/ws/live-feed', {})).toBe(4401);
    expect(await codeOf('/ws/live-feed', { authorization: 'Bearer qrm_wrong' })).toBe(4401);
    expect(await codeOf('/ws/live-feed?after=-1', known)).toBe(4400);
    expect(await codeOf('/ws/live-feed?portfolio=nobody', known)).toBe(4404);
  });
});

/** A client that hangs up now and then and comes back. */
class Client {
  readonly listener = new Listener();
  /** What it had seen when it came. */
  first: number | null = null;
  connections = 0;
  private socket: WebSocket | null = null;
  private readonly url: string;
  private readonly token: string;
  private readonly hangUpAfter: number;
  private readonly isStrict: boolean;
  private closed = false;

  constructor(url: string, token: string, n: number) {
    this.url = url.replace('http', 'ws');
    this.token = token;
    this.isStrict = n === 0;
    // every other one stays
    this.hangUpAfter = n % 2 === 0 ? Number.POSITIVE_INFINITY : 150 + n * 7;
  }

  connect(): void {
    this.connections += 1;
    const { last, run } = this.listener;
    const query = last === null ? '' : `?after=${last}&run=${run}`;
    const socket = new WebSocket(`${this.url}${query}`, {
      headers: { authorization: `Bearer ${this.token}` },
    });
    let heard = 0;
    socket.on('message', (data: Buffer) => {
      // what arrives after hanging up is lost
      if (socket !== this.socket || socket.readyState !== WebSocket.OPEN) return;
      const message = JSON.parse(data.toString('utf8')) as LiveMessage;
      // one looks whether all is as agreed, the others trust it
      this.listener.hear(this.isStrict ? liveMessage.parse(message) : message);
      this.first ??= this.listener.last;
      heard += 1;
      if (heard < this.hangUpAfter) return;
      socket.terminate();
      setTimeout(() => this.closed || this.connect(), 30);
    });
    socket.on('error', () => undefined);
    this.socket = socket;
  }

  close(): void {
    this.closed = true;
    this.socket?.terminate();
  }
}
