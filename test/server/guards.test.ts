import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { controlPath } from '../../src/apps/runner/control.ts';
import { type ConsoleOptions, createConsole, type OpenConsole } from '../../src/apps/server/server.ts';
import { redactedText } from '../../src/apps/server/server-log.ts';
import { cheapHasher } from './identity/people.ts';

let dir: string;
let loop: Server;
let opened: OpenConsole | null = null;

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'quorum-guards-'));
  const folder = join(dir, 'one');
  mkdirSync(folder);
  writeFileSync(join(folder, 'journal'), '');
  loop = createServer((socket) => {
    socket.on('error', () => socket.destroy());
    socket.once('data', (asked) =>
      socket.end(String(asked).includes('operator') ? '{"ok":true,"running":false}\n' : '{"ok":false}\n'),
    );
  });
  await new Promise<void>((done) => loop.listen(controlPath(folder), done));
});
afterEach(async () => {
  await opened?.close();
  opened = null;
  await new Promise((done) => loop.close(done));
  rmSync(dir, { recursive: true, force: true });
});

const open = async (more: Partial<ConsoleOptions> = {}): Promise<OpenConsole> => {
  opened = await createConsole({ dataDir: dir, port: 0, hasher: cheapHasher(), ...more });
  return opened;
};
const scrape = async ({ port }: OpenConsole, headers: Record<string, string> = {}) =>
  (await fetch(`http://127.0.0.1:${port}/metrics`, { headers })).status;

describe('GET /metrics', () => {
  it('is open on this machine alone, and not to whoever stands behind a proxy on it', async () => {
    const console = await open();
    expect(await scrape(console)).toBe(200);
    expect(await scrape(console, { 'x-forwarded-for': '203.0.113.9' })).toBe(401);
    expect(await scrape(console, { forwarded: 'for=203.0.113.9' })).toBe(401);
  });

  it('needs a token where a proxy is trusted', async () => {
    expect(await scrape(await open({ trustedProxy: ['127.0.0.1'] }))).toBe(401);
  });
});

describe('an act whose entry in the audit cannot be written', () => {
  it('is still told as done, for it was', async () => {
    const { context } = await open();
    context.store.db.exec('PRAGMA query_only = 1');
    const answer = await context.portfolios.ask('one', {
      ask: 'operator',
      by: 'ada (console)',
      reason: 'enough',
      act: { action: 'stop' },
    });
    context.store.db.exec('PRAGMA query_only = 0');
    expect(answer).toMatchObject({ ok: true, running: false });
  });
});

describe('jobs that wait', () => {
  it('are not begun and ended by a server that finds no port', async () => {
    const first = await open();
    const { store } = first.context;
    store.run(
      `INSERT INTO jobs (id, kind, state, by, created_at, says, request) VALUES (?, 'backtest', 'queued', 'ada', 1, 'waits', ?)`,
      'a'.repeat(24),
      JSON.stringify({ kind: 'backtest', desk: 'sample', bars: [], funding: [], set: {}, report: false }),
    );
    await expect(createConsole({ dataDir: dir, port: first.port, hasher: cheapHasher() })).rejects.toThrow(
      /EADDRINUSE/,
    );
    expect(store.get('SELECT state FROM jobs')).toEqual({ state: 'queued' });
  });
});

describe('a line of a log', () => {
  it.each([
    'https://api.telegram.org/bot1234567890:AAHhdQ-x_0123456789abcdefghijklmnopq/sendMessage failed',
    'the key gsk_0123456789abcdef was refused',
    'ghp_0123456789abcdef0123 is no key',
    'xoxb-12345-67890-abcdef',
    'AIzaSyA0123456789abcdef',
  ])('shows no key of others: %s', (line) => {
    expect(redactedText(line)).not.toMatch(/AAHhdQ|0123456789abcdef|12345-67890/);
  });
});
