import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, it } from 'vitest';
import type { Workplace } from '../cli/run-cli.ts';
import { RedisServer } from '../support/redis-server.ts';
import { Child } from './child.ts';

/** What tests of works over a Redis have in common: a server of their own, and workers as processes. */
export class QueueKit {
  private readonly place: Workplace;
  private readonly env: Record<string, string>;
  private readonly children: Child[] = [];
  private redis: RedisServer | null = null;
  private skipped = 0;

  constructor(place: Workplace, what: string, env: Record<string, string> = {}) {
    this.place = place;
    this.env = env;
    beforeAll(async () => {
      const started = await RedisServer.start();
      if (typeof started === 'string') process.stdout.write(`${what} not tested: ${started}\n`);
      else this.redis = started;
    });
    afterEach(() => this.redis?.with((client) => client.flushall()));
    afterAll(async () => {
      for (const child of this.children) {
        child.kill('SIGKILL');
        await child.ended;
      }
      if (this.skipped > 0) process.stdout.write(`${this.skipped} tests of ${what} skipped\n`);
      await this.redis?.stop();
      place.remove();
    });
  }

  /** A test that needs the server. */
  it(name: string, run: (server: RedisServer) => Promise<void>): void {
    it(name, async (context) => {
      if (this.redis === null) {
        this.skipped += 1;
        context.skip();
      } else await run(this.redis);
    });
  }

  start(...argv: string[]): Child {
    const child = new Child(argv, { cwd: this.place.dir, env: this.env });
    this.children.push(child);
    return child;
  }

  worker({ url }: RedisServer, cache: string, ...more: string[]): Child {
    return this.start('worker', '--queue', url, '--workers', '1', '--cache', cache, ...more);
  }

  /** Everything in a folder of the workplace, byte for byte. */
  filesOf(name: string): [string, string][] {
    const dir = this.place.path(name);
    return readdirSync(dir, { recursive: true, encoding: 'utf8' })
      .map((one) => join(dir, one))
      .filter((path) => statSync(path).isFile())
      .sort()
      .map((path) => [relative(dir, path), readFileSync(path, 'base64')]);
  }

  /** Lines of a file of the workplace behind its first, which says what they belong to. */
  kept(name: string): number {
    const path = this.place.path(name);
    return existsSync(path) ? readFileSync(path, 'latin1').split('\n').length - 2 : 0;
  }
}

/** Parts of all works that workers hold. */
export const partsHeld = (server: RedisServer): Promise<number> =>
  server.with(async (client) => {
    let held = 0;
    for (const key of await client.keys('quorum:queue:*:active')) held += await client.llen(key);
    return held;
  });

/** Workers may still write while they leave; then they take it away again. */
export async function noKeysOfWorks(server: RedisServer): Promise<void> {
  let keys: readonly string[] = [];
  for (let waits = 0; waits < 200; waits++) {
    keys = (await server.keys()).filter((key) => !key.startsWith('quorum:workers'));
    if (keys.length === 0) return;
    await sleep(50);
  }
  throw new Error(`left in Redis: ${keys.join(', ')}`);
}

/**
 * A desk over sma.ts. Where NAP says so, each of its runs takes that many milliseconds, so that there is a half way at which
 * something can happen.
 */
export const SLOW_DESK = `import desk from './sma.ts';
const nap = Number(process.env.NAP ?? 0);
export default {
  ...desk,
  build: (parameters) => {
    const parts = desk.build(parameters);
    const [{ speaksAt, ...source }] = parts.sources;
    let isRested = nap === 0;
    const signal = (view, values, state) => {
      if (!isRested) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, nap);
      isRested = true;
      return source.signal(view, values, state);
    };
    return { ...parts, sources: [{ ...source, signal }] };
  },
};
`;
