import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';

/** A Redis of its own on a loopback port, made from the machine's redis-server. What it holds survives a restart. */
export class RedisServer {
  readonly port: number;
  readonly url: string;
  private readonly directory = mkdtempSync(join(tmpdir(), 'quorum-redis-'));
  private readonly settings: readonly string[];
  private server: ChildProcess | null = null;

  private constructor(port: number, password: string | null) {
    this.port = port;
    this.url = `redis://127.0.0.1:${port}`;
    this.settings = password === null ? [] : ['--requirepass', password];
  }

  /** Starts one, or says why that is not possible here. */
  static async start(password: string | null = null): Promise<RedisServer | string> {
    if (spawnSync('redis-server', ['--version']).status !== 0) return 'no redis-server on this machine';
    const redis = new RedisServer(await freePort(), password);
    await redis.up();
    return redis;
  }

  async up(): Promise<void> {
    const { port, directory, settings } = this;
    const persistence = ['--appendonly', 'yes', '--appendfsync', 'always', '--save', ''];
    this.server = spawn(
      'redis-server',
      ['--port', String(port), '--bind', '127.0.0.1', '--dir', directory, ...persistence, ...settings],
      { stdio: 'ignore' },
    );
    await this.with(async (client) => {
      for (let waits = 0; ; waits++) {
        try {
          await client.connect();
          return;
        } catch (error) {
          if (waits > 200) throw error;
          await sleep(25);
        }
      }
    });
  }

  /** Ends it at once, as a crash does. */
  async down(): Promise<void> {
    const { server } = this;
    this.server = null;
    if (server === null || server.exitCode !== null) return;
    const ended = new Promise((done) => server.once('exit', done));
    server.kill('SIGKILL');
    await ended;
  }

  /** Forgets everything, as a Redis without persistence does when it is started again. */
  forget(): void {
    rmSync(join(this.directory, 'appendonlydir'), { recursive: true, force: true });
  }

  async stop(): Promise<void> {
    await this.down();
    rmSync(this.directory, { recursive: true, force: true });
  }

  /** Hands over a client that goes away afterwards. */
  async with<T>(use: (client: Redis) => Promise<T>): Promise<T> {
    const password = this.settings[1];
    const client = new Redis({
      host: '127.0.0.1',
      port: this.port,
      lazyConnect: true,
      retryStrategy: () => null,
      ...(password === undefined ? {} : { password }),
    });
    client.on('error', () => {});
    try {
      return await use(client);
    } finally {
      client.disconnect();
    }
  }

  keys(): Promise<string[]> {
    return this.with((client) => client.keys('*'));
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as { port: number };
      probe.close(() => resolve(port));
    });
  });
}
