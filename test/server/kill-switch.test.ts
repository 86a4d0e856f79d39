import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { readJournal } from '#adapters';
import { readBeginning, signIn } from '../../bench/support/console-access.ts';
import { askControl } from '../../src/apps/runner/control.ts';
import type { Status } from '../../src/apps/runner/status.ts';
import { TelegramLoopback } from '../support/telegram-loopback.ts';

const PROGRAM = fileURLToPath(new URL('../../bin/quorum.js', import.meta.url));
const WAIT_MS = 90_000;

/** A running program with orders at the venue, and everything broken that a kill switch must not need. */
interface Scene {
  readonly folder: string;
  readonly child: ChildProcess;
  readonly telegram: TelegramLoopback;
  readonly console: { readonly url: string; readonly name: string; readonly password: string };
  readonly status: () => Promise<Status>;
}

const open: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close();
});

/** A language model that takes every question and never answers. */
async function hangingModel(): Promise<string> {
  const sockets = new Set<{ destroy: () => void }>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
  });
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
  open.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
}

async function stage(): Promise<Scene> {
  const folder = mkdtempSync(join(tmpdir(), 'quorum-kill-'));
  open.push(() => rmSync(folder, { recursive: true, force: true }));
  const telegram = await new TelegramLoopback().start();
  open.push(() => telegram.stop());
  const config = join(folder, 'quorum.config.json');
  writeFileSync(
    config,
    JSON.stringify({
      portfolios: { kill: { base: 'USDT', desks: [{ desk: 'sigma' }], feed: 'fast' } },
      feeds: { fast: { kind: 'synthetic', seed: '1', speed: 10 } },
      alerts: {
        channels: {
          phone: {
            kind: 'telegram',
            chatId: 42,
            baseUrl: telegram.url,
            commands: { users: { 42: 'ada' }, chats: [42] },
          },
        },
      },
    }),
  );
  const child = spawn(
    process.execPath,
    [PROGRAM, 'start', '--config', config, '--data-dir', folder, '--port', '0'],
    {
      stdio: ['ignore', 'pipe', 'ignore'],
      env: {
        ...process.env,
        QUORUM_TELEGRAM_TOKEN: telegram.token,
        QUORUM_LLM_PROVIDER: 'openai-compatible',
        QUORUM_LLM_MODEL: 'none',
        QUORUM_LLM_BASE_URL: await hangingModel(),
      },
    },
  );
  open.push(
    () =>
      new Promise((ended) => {
        if (child.exitCode !== null || child.signalCode !== null) return ended(null);
        child.once('exit', ended);
        child.kill('SIGTERM');
      }),
  );
  const beginning = await readBeginning(child);
  const status = async () => {
    const until = Date.now() + WAIT_MS;
    for (;;) {
      const answer = await askControl(join(folder, 'kill'), { ask: 'status' });
      if (answer?.ok === true) return answer.status as Status;
      const ended = child.exitCode ?? child.signalCode;
      if (ended !== null) throw new Error(`the program has ended: ${ended}`);
      if (Date.now() > until) throw new Error('the loop does not answer');
      await sleep(5);
    }
  };
  for (const end = Date.now() + WAIT_MS; ; await sleep(50)) {
    const { workingOrders, positions } = await status();
    if (workingOrders > 0 && positions.length > 0) break;
    if (Date.now() > end) throw new Error('no order came to the venue');
  }
  return { folder, child, telegram, console: beginning, status };
}

/** From now on every write to the projections waits in vain. */
function stopProjections({ folder }: Scene): void {
  const held = new DatabaseSync(join(folder, 'kill', 'quorum.sqlite'), { timeout: 5_000 });
  held.exec('begin immediate');
  open.push(() => held.close());
}

async function killServer({ folder }: Scene): Promise<void> {
  const { readFileSync } = await import('node:fs');
  const pid = Number(/\d+/.exec(readFileSync(join(folder, 'console.lock'), 'utf8'))![0]);
  process.kill(pid, 'SIGKILL');
}

interface Cut {
  /** From the act until nothing is held and no order is at the venue, ms: later than the last cancel left. */
  readonly ms: number;
  readonly by: string;
  /** Closing orders and cancels behind the kill. */
  readonly closed: number;
  readonly canceled: number;
}

/** Acts, and waits until the venue holds nothing of ours. */
async function cut(scene: Scene, act: () => unknown): Promise<Cut> {
  const began = performance.now();
  const doing = Promise.resolve(act());
  doing.catch(() => undefined);
  for (const end = began + 20_000; performance.now() < end; await sleep(5)) {
    const { breaker, positions, workingOrders } = await scene.status();
    if (breaker?.state !== 'SHUTDOWN' || positions.length > 0 || workingOrders > 0) continue;
    const ms = performance.now() - began;
    await doing;
    return { ms, ...afterKill(join(scene.folder, 'kill', 'journal')) };
  }
  await doing;
  throw new Error('the kill switch did not act');
}

/** What the journal says of it. */
function afterKill(path: string): { by: string; closed: number; canceled: number } {
  let by: string | null = null;
  let closed = 0;
  let canceled = 0;
  for (const { kind, text } of readJournal(path)) {
    if (by === null) {
      if (kind === 'event' && text.includes('"operator-acted"') && text.includes('"action":"kill"'))
        by = (JSON.parse(text) as { by: string }).by;
    } else if (kind === 'command' && text.includes('cancel-order')) canceled += 1;
    else if (kind === 'command' && text.includes('submit-order')) closed += 1;
  }
  if (by === null) throw new Error('no kill in the journal');
  return { by, closed, canceled };
}

async function fromCommandLine({ folder }: Scene): Promise<void> {
  const args = [PROGRAM, 'operator', 'kill', '--reason', 'a test', '--data-dir', folder];
  const child = spawn(process.execPath, args, { stdio: 'ignore' });
  const code = await new Promise((ended) => child.once('exit', ended));
  expect(code).toBe(0);
}

async function fromTelegram({ telegram }: Scene): Promise<void> {
  telegram.says('/kill');
  let question = telegram.question();
  for (; question === undefined; question = telegram.question()) await sleep(5);
  telegram.press(question.buttons[0]!.callback_data, { messageId: question.messageId });
}

/** As the page does it: the act, then the same act with the confirmation. */
async function fromBrowser({ console: { url } }: Scene, headers: Record<string, string>): Promise<void> {
  const send = (more: Record<string, string>) =>
    fetch(`${url}/api/v1/kill`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers, ...more },
      body: JSON.stringify({ reason: 'a test' }),
    });
  const asked = await send({});
  expect(asked.status).toBe(428);
  const { confirmation } = (await asked.json()) as { confirmation: { token: string } };
  const acted = await send({ 'x-quorum-confirm': confirmation.token });
  expect(acted.status).toBe(200);
}

/** A question to the model that will never be answered is under way. */
function askModel({ console: { url } }: Scene, headers: Record<string, string>): void {
  const ending = new AbortController();
  open.push(() => ending.abort());
  void fetch(`${url}/api/chat`, {
    method: 'POST',
    signal: ending.signal,
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ message: 'why did you buy?' }),
  }).catch(() => undefined);
}

/** How long each took. Said, not asserted: a machine may be busy with other tests. */
const report: string[] = [];

describe('the kill switch, with the projections stopped and the language model hanging', () => {
  const check = async (name: string, scene: Scene, act: () => unknown) => {
    const { ms, by, closed, canceled } = await cut(scene, act);
    report.push(
      `${name}: ${closed} positions closed, ${canceled} orders canceled, nothing left after ${Math.round(ms)} ms (${by})`,
    );
    expect(Math.min(closed, canceled)).toBeGreaterThan(0);
    expect((await scene.status()).running).toBe(false);
    return by;
  };

  it('works from the browser', async () => {
    const scene = await stage();
    const { headers } = await signIn(scene.console);
    askModel(scene, headers);
    stopProjections(scene);
    expect(await check('browser', scene, () => fromBrowser(scene, headers))).toContain('(console)');
  });

  it('works from Telegram', async () => {
    const scene = await stage();
    const { headers } = await signIn(scene.console);
    askModel(scene, headers);
    stopProjections(scene);
    expect(await check('Telegram', scene, () => fromTelegram(scene))).toContain('ada');
  });

  it('works from the command line, with the server killed', async () => {
    const scene = await stage();
    stopProjections(scene);
    await killServer(scene);
    // the start of another program is part of it
    await check('command line', scene, () => fromCommandLine(scene));
  });

  it.skipIf(process.platform === 'win32')('works by a signal, with the server killed', async () => {
    const scene = await stage();
    stopProjections(scene);
    await killServer(scene);
    expect(await check('signal', scene, () => scene.child.kill('SIGUSR2'))).toBe('signal');
    process.stdout.write(`${report.join('\n')}\n`);
  });
});
