import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, type IncomingHttpHeaders, request } from 'node:http';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { NO_ALERTS } from '../../../src/apps/alerts/alert-configuration.ts';
import type { Role } from '../../../src/apps/contract/index.ts';
import { samplePortfolio } from '../../../src/apps/runner/choose.ts';
import { type ControlRequest, controlPath } from '../../../src/apps/runner/control.ts';
import { projectPortfolio } from '../../../src/apps/runner/projecting.ts';
import { RATE_LIMITS, type User } from '../../../src/apps/server/identity/index.ts';
import { type ConsoleOptions, createConsole, type OpenConsole } from '../../../src/apps/server/server.ts';
import { play } from '../../program/play.ts';
import { cheapHasher, PASSWORD } from '../identity/people.ts';

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

export interface Sent {
  readonly method?: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string | undefined>>;
}

/** One request as a browser or a program would make it, or as neither would. */
export function send(port: number, path: string, sent: Sent = {}, agent?: Agent): Promise<Answer> {
  const { method = 'GET', body, headers = {} } = sent;
  const isRaw = typeof body === 'string' || body instanceof Uint8Array;
  const payload = body === undefined ? null : isRaw ? body : JSON.stringify(body);
  const all: Record<string, string | undefined> = {
    ...(payload !== null && {
      'content-type': 'application/json',
      'content-length': String(Buffer.byteLength(payload)),
    }),
    ...headers,
  };
  const given = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
  return new Promise((done, failed) => {
    const options = {
      host: '127.0.0.1',
      port,
      path,
      method,
      headers: given as Record<string, string>,
      agent,
    };
    const outgoing = request(options, (incoming) => {
      let text = '';
      incoming.setEncoding('utf8');
      incoming.on('data', (chunk: string) => {
        text += chunk;
      });
      incoming.on('end', () => done({ status: incoming.statusCode!, headers: incoming.headers, text }));
      incoming.on('error', failed);
    });
    outgoing.on('error', failed);
    outgoing.end(payload ?? undefined);
  });
}

/** What a client may write that no library would; answers with all that comes back until the server closes. */
export function raw(port: number, ...pieces: (string | Uint8Array)[]): Promise<string> {
  return new Promise((done) => {
    const socket = connect(port, '127.0.0.1', () => {
      for (const piece of pieces) socket.write(piece);
    });
    let text = '';
    socket.setEncoding('utf8');
    socket.on('data', (chunk: string) => {
      text += chunk;
    });
    socket.on('error', () => undefined);
    socket.on('close', () => done(text));
  });
}

/** The status of an answer that {@link raw} gave. */
export const statusIn = (text: string): number => Number(/^HTTP\/1\.1 (\d{3})/.exec(text)?.[1] ?? 0);

/** The whole of an error's code: `{error: {code}}`; null where there is none. */
export function codeOf(answer: Answer): string | null {
  if (!answer.headers['content-type']?.startsWith('application/json') || answer.text === '') return null;
  return (JSON.parse(answer.text) as { error?: { code?: string } }).error?.code ?? null;
}

/** Somebody who is logged in, as a browser. */
export interface Visitor {
  readonly user: User;
  readonly cookie: string;
  readonly csrf: string;
}

const SLICES = 30;

/** A loop that remembers what it is told and does nothing. Returns what ends it. */
async function listenOnly(folder: string, told: ControlRequest[]): Promise<() => Promise<void>> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    createInterface(socket).on('line', (line) => {
      told.push(JSON.parse(line) as ControlRequest);
      socket.write('{"ok":false,"error":"this loop only listens"}\n');
    });
  });
  await new Promise<void>((done) => server.listen(controlPath(folder), done));
  return () =>
    new Promise((done) => {
      for (const socket of sockets) socket.destroy();
      server.close(() => done());
    });
}

/** A console over a portfolio that has traded, and a loop that only remembers what it was told. */
export class World {
  readonly dir: string;
  readonly console: OpenConsole;
  readonly portfolio: string;
  /** What reached the loop. */
  readonly told: ControlRequest[];
  private readonly clock: { offset: number };
  private readonly closeLoop: () => Promise<void>;
  readonly agent = new Agent({ keepAlive: true, maxSockets: 8 });

  private constructor(
    parts: Pick<World, 'dir' | 'console' | 'portfolio' | 'told'>,
    clock: { offset: number },
    closeLoop: () => Promise<void>,
  ) {
    this.dir = parts.dir;
    this.console = parts.console;
    this.portfolio = parts.portfolio;
    this.told = parts.told;
    this.clock = clock;
    this.closeLoop = closeLoop;
  }

  static async open(options: Partial<ConsoleOptions> = {}): Promise<World> {
    const dir = mkdtempSync(join(tmpdir(), 'quorum-security-'));
    const sample = samplePortfolio();
    const portfolio = sample.name;
    const folder = join(dir, portfolio);
    const session = await play(sample, folder, SLICES);
    const projector = projectPortfolio(folder, portfolio, session.header.runId, null);
    await projector.settled();
    await projector.close();
    const webRoot = join(dir, 'web');
    mkdirSync(webRoot);
    writeFileSync(join(webRoot, 'index.html'), '<!doctype html><title>console</title>');
    const told: ControlRequest[] = [];
    const closeLoop = await listenOnly(folder, told);
    const clock = { offset: 0 };
    const opened = await createConsole({
      dataDir: dir,
      port: 0,
      hasher: cheapHasher(),
      webRoot,
      alerts: NO_ALERTS,
      now: () => Date.now() + clock.offset,
      // limits of their own are tested elsewhere; here they would hide what lies behind them
      rates: { ...RATE_LIMITS, login: 1e6, anonymous: 1e6, write: 1e6, danger: 1e6 },
      ...options,
    });
    return new World({ dir, console: opened, portfolio, told }, clock, closeLoop);
  }

  get identity() {
    return this.console.context.identity;
  }

  /** Acts that reached the loop: nothing of an attack may. */
  get acts(): ControlRequest[] {
    return this.told.filter(({ ask }) => ask === 'operator' || ask === 'shutdown');
  }

  pass(ms: number): void {
    this.clock.offset += ms;
  }

  send(path: string, sent: Sent = {}): Promise<Answer> {
    return send(this.console.port, path, sent, this.agent);
  }

  async user(name: string, role: Role): Promise<User> {
    const { users } = this.identity;
    const { user } = await users.add(name, role);
    await users.choosePassword(user, PASSWORD, null);
    return users.known(user.id);
  }

  /** Logs in through the front door. */
  async visit(name: string, otp?: string): Promise<Visitor> {
    const body = { name, password: PASSWORD, ...(otp !== undefined && { otp }) };
    const answer = await this.send('/api/v1/session', { method: 'POST', body });
    if (answer.status !== 200) throw new Error(`${name} is not let in: ${answer.text}`);
    const { csrf } = JSON.parse(answer.text) as { csrf: string };
    const cookie = String(answer.headers['set-cookie']).split(';')[0]!;
    return { user: this.identity.users.findByName(name)!, cookie, csrf };
  }

  get origin(): string {
    return `http://127.0.0.1:${this.console.port}`;
  }

  /** Headers of a visitor's own page. */
  as({ cookie, csrf }: Visitor): Record<string, string> {
    return { cookie, 'x-quorum-csrf': csrf, origin: this.origin };
  }

  async close(): Promise<void> {
    this.agent.destroy();
    await this.console.close();
    await this.closeLoop();
    rmSync(this.dir, { recursive: true, force: true });
  }
}

export const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
