import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import {
  clearQueues,
  giveWork,
  PieceCache,
  RedisLink,
  readRedisAddress,
  Shipment,
  WorkBoard,
  type WorkDocument,
  WorkGiver,
  WorkTaker,
  workIdOf,
} from '#adapters';
import { sha256 } from '#base';
import { RedisServer } from '../support/redis-server.ts';

let redis: RedisServer | null = null;
let skipped = 0;
beforeAll(async () => {
  const started = await RedisServer.start();
  if (typeof started === 'string') process.stdout.write(`queue not tested: ${started}\n`);
  else redis = started;
});
afterAll(async () => {
  if (skipped > 0) process.stdout.write(`${skipped} Redis tests skipped\n`);
  await redis?.stop();
});

const folder = mkdtempSync(join(tmpdir(), 'quorum-queue-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** What a test opened, closed again whatever became of it. */
const opened: (() => Promise<unknown> | unknown)[] = [];
afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close();
  await redis?.with((client) => client.flushall());
});

/** Ends what was opened last, as a worker that leaves does. */
const closeLast = () => opened.pop()!();

/** A test that needs the server. */
function withRedis(name: string, run: (server: RedisServer) => Promise<void>): void {
  it(name, async (context) => {
    if (redis === null) {
      skipped += 1;
      context.skip();
    } else await run(redis);
  });
}

async function linkTo({ url }: RedisServer): Promise<RedisLink> {
  const link = await RedisLink.connect(readRedisAddress(url));
  opened.push(() => link.close());
  return link;
}

const documentOf = (title: string, pieces: WorkDocument['pieces'] = {}): WorkDocument => ({
  format: 1,
  kind: 'sums',
  program: sha256('this version'),
  title,
  plan: { of: title },
  pieces,
});

interface Giving {
  readonly document: WorkDocument;
  readonly items?: readonly number[];
  readonly shipment?: Shipment;
  readonly accepts?: (item: number, result: unknown) => boolean;
  readonly signal?: AbortSignal;
}

/** Gives a work and collects what came of it. */
async function give(link: RedisLink, giving: Giving) {
  const results = new Map<number, unknown>();
  const notes: string[] = [];
  const { document, items = [1, 2, 3, 4, 5], shipment = new Shipment(), accepts = () => true } = giving;
  const done = giveWork<number>(link, {
    document,
    shipment,
    items,
    signal: giving.signal ?? new AbortController().signal,
    onNote: (note) => notes.push(note),
    onResult: (item, result) => {
      if (!accepts(item, result)) return false;
      expect(results.has(item)).toBe(false);
      results.set(item, result);
      return true;
    },
  });
  return { done, results, notes };
}

async function take(
  link: RedisLink,
  document: WorkDocument,
  play: (item: unknown) => Promise<unknown>,
  isBroken = () => false,
) {
  const done = { parts: 0 };
  const taker = await WorkTaker.start(link, {
    work: workIdOf(document),
    room: 2,
    play,
    onDone: () => {
      done.parts += 1;
    },
    isBroken,
  });
  let interrupt = async () => {};
  opened.push(() => taker.close(interrupt));
  return {
    taker,
    done,
    interruptsWith: (how: () => Promise<void>) => {
      interrupt = how;
    },
  };
}

const twice = async (item: unknown) => Number(item) * 2;
const DOUBLED = new Map([1, 2, 3, 4, 5].map((n) => [n, n * 2]));

/** Of all keys, those of a work. */
const keysOfWorks = async (server: RedisServer) =>
  (await server.keys()).filter((key) => !key.startsWith('quorum:workers'));

async function until(condition: () => Promise<boolean> | boolean): Promise<void> {
  for (let waits = 0; waits < 1_000; waits++) {
    if (await condition()) return;
    await sleep(10);
  }
  throw new Error('waited in vain');
}

describe('a work over a queue', () => {
  withRedis('comes back whole, and nothing of it stays in Redis', async (server) => {
    const link = await linkTo(server);
    const document = documentOf('whole');
    const giving = await give(link, { document });
    const { done } = await take(link, document, twice);
    await giving.done;
    expect(giving.results).toEqual(DOUBLED);
    await until(() => done.parts === 5);
    await closeLast();
    expect(await keysOfWorks(server)).toEqual([]);
  });

  withRedis(
    'is played again where a result cannot be, and given up when that does not end',
    async (server) => {
      const link = await linkTo(server);
      const document = documentOf('odd');
      let lies = 3;
      const giving = await give(link, { document, accepts: (item, result) => result === item * 2 });
      await take(link, document, async (item) => (item === 4 && lies-- > 0 ? 'no number' : Number(item) * 2));
      await giving.done;
      expect(giving.results).toEqual(DOUBLED);
      const always = documentOf('always');
      const lost = await give(link, { document: always, accepts: (item) => item !== 2 });
      await take(link, always, twice);
      await expect(lost.done).rejects.toThrow(/a part of the work failed 6 times: .* result that cannot be/);
      await closeLast();
      await closeLast();
      expect(await keysOfWorks(server)).toEqual([]);
    },
  );

  withRedis('is put anew where jobs in Redis were changed, lost or cannot be read', async (server) => {
    const link = await linkTo(server);
    const document = documentOf('damaged');
    const giving = await give(link, { document });
    const jobs = async () => (await server.keys()).filter((key) => /:item-[0-9a-f]{40}$/.test(key)).sort();
    await until(async () => (await jobs()).length === 5);
    const [unreadable, exchanged, foreign, lost] = await jobs();
    await server.with(async (client) => {
      await client.hset(unreadable!, 'data', 'no json');
      const other = JSON.parse((await client.hget(exchanged!, 'data'))!) as { item: number };
      await client.hset(exchanged!, 'data', JSON.stringify({ ...other, item: other.item + 1 }));
      await client.hset(foreign!, 'data', JSON.stringify({ item: 1, code: 'x' }));
      await client.del(lost!);
    });
    await take(link, document, twice);
    await giving.done;
    expect(giving.results).toEqual(DOUBLED);
  });

  withRedis('survives a Redis that crashes, with and without its memory', async (server) => {
    const link = await linkTo(server);
    const worker = await linkTo(server);
    const document = documentOf('restarted');
    let mayPlay = 2;
    const slowly = async (item: unknown) => {
      await until(() => mayPlay > 0);
      mayPlay -= 1;
      return twice(item);
    };
    const giving = await give(link, { document });
    await take(worker, document, slowly);
    await until(() => giving.results.size >= 2);
    await server.down();
    await sleep(300);
    await server.up();
    mayPlay = 1;
    await until(() => giving.results.size >= 3);
    await server.down();
    server.forget();
    await server.up();
    expect(await server.keys()).not.toContain('quorum:works');
    mayPlay = 100;
    await giving.done;
    expect(giving.results).toEqual(DOUBLED);
    expect(giving.notes).toContain(`Redis at ${server.url} is away; waiting for it`);
    await closeLast();
    expect(await keysOfWorks(server)).toEqual([]);
  });

  withRedis('goes to another worker when one hands back what it has not done', async (server) => {
    const link = await linkTo(server);
    const document = documentOf('handed back');
    const giving = await give(link, { document });
    let stop = (_: Error) => {};
    const never = new Promise<never>((_, fail) => {
      stop = fail;
    });
    never.catch(() => {});
    let playing = 0;
    const first = await take(await linkTo(server), document, () => {
      playing += 1;
      return never;
    });
    first.interruptsWith(async () => stop(new Error('interrupted')));
    await until(() => playing === 2);
    await closeLast();
    // handed back, not waited for until its lock is over
    const states = await server.with((client) =>
      client.llen(`quorum:queue:work-${workIdOf(document).slice(0, 32)}:wait`),
    );
    expect(states).toBe(5);
    await take(link, document, twice);
    await giving.done;
    expect(giving.results).toEqual(DOUBLED);
  });

  withRedis('goes to another worker when one breaks over it, which takes no more', async (server) => {
    const link = await linkTo(server);
    const document = documentOf('broken');
    const giving = await give(link, { document });
    let calls = 0;
    const breaks = async () => {
      calls += 1;
      throw new Error('it broke');
    };
    await take(await linkTo(server), document, breaks, () => true);
    await until(() => calls > 0);
    await sleep(300);
    expect(calls).toBeLessThanOrEqual(2);
    await take(link, document, twice);
    await giving.done;
    expect(giving.results).toEqual(DOUBLED);
  });

  withRedis('is taken out of Redis when its giver is interrupted', async (server) => {
    const link = await linkTo(server);
    const stop = new AbortController();
    const giving = await give(link, { document: documentOf('left'), signal: stop.signal });
    await until(async () => (await keysOfWorks(server)).length > 5);
    stop.abort();
    await giving.done;
    expect(giving.results.size).toBe(0);
    expect(await keysOfWorks(server)).toEqual([]);
  });

  withRedis('says who is missing, and who does not take part', async (server) => {
    const link = await linkTo(server);
    const board = new WorkBoard(link.client);
    const document = documentOf('lonely');
    await board.signIn('w', { program: sha256('another'), host: 'there', pid: 1, threads: 1 });
    await board.refuse(workIdOf(document), 'w', 'there: it has no room');
    const stop = new AbortController();
    const giving = await give(link, { document, signal: stop.signal });
    await until(() => giving.notes.length === 2);
    stop.abort();
    await giving.done;
    expect(giving.notes).toEqual([
      'a worker does not take part: there: it has no room',
      '1 worker is there, of another version of the program or of Node.js: install these there',
    ]);
  });
});

describe('a work whose parts come one after the other', () => {
  const opening = async (server: RedisServer, title: string) => {
    const link = await linkTo(server);
    const document = documentOf(title);
    const notes: string[] = [];
    const read = (item: number, result: unknown) => {
      if (result === 'it failed') throw new RangeError(`of ${item}`);
      return result === item * 2 ? { doubled: result } : null;
    };
    const stop = new AbortController();
    const giver = await WorkGiver.open<number, { doubled: number }>(link, {
      document,
      shipment: new Shipment(),
      signal: stop.signal,
      read,
      onNote: (note) => notes.push(note),
    });
    opened.push(() => giver.close());
    return { link, document, giver, stop, notes };
  };

  withRedis('answers each of them, the same asked for twice once', async (server) => {
    const { link, document, giver, notes } = await opening(server, 'in turn');
    expect(await keysOfWorks(server)).toEqual([]);
    const played: unknown[] = [];
    await take(link, document, async (item) => {
      played.push(item);
      return item === 13 ? 'it failed' : twice(item);
    });
    for (const item of [3, 1, 2]) expect(await giver.ask(item)).toEqual({ doubled: item * 2 });
    const [one, same, other] = [giver.ask(7), giver.ask(7), giver.ask(8)];
    expect(await Promise.all([one, same, other])).toEqual([
      { doubled: 14 },
      { doubled: 14 },
      { doubled: 16 },
    ]);
    // one that failed says so, and the others go on
    await expect(giver.ask(13)).rejects.toThrow('of 13');
    expect(await giver.ask(7)).toEqual({ doubled: 14 });
    expect(played).toEqual([3, 1, 2, 7, 8, 13, 7]);
    expect(notes).toEqual([expect.stringContaining('no worker is there yet')].slice(0, notes.length));
    await closeLast();
    await closeLast();
    expect(await giver.ask(1)).toBeNull();
    expect(await keysOfWorks(server)).toEqual([]);
  });

  withRedis('says at once that it was interrupted, and why it was given up', async (server) => {
    const left = await opening(server, 'interrupted');
    const asked = left.giver.ask(1);
    await until(async () => (await keysOfWorks(server)).length > 3);
    left.stop.abort();
    expect(await asked).toBeNull();
    expect(await left.giver.ask(2)).toBeNull();
    await closeLast();
    expect(await keysOfWorks(server)).toEqual([]);
    const lost = await opening(server, 'lies');
    await take(lost.link, lost.document, async (item) => (item === 4 ? 'a lie' : twice(item)));
    await expect(lost.giver.ask(4)).rejects.toThrow(/failed 6 times: .* result that cannot be/);
    await expect(lost.giver.ask(5)).rejects.toThrow('failed 6 times');
  });

  withRedis('survives a Redis that comes back empty while nothing is asked for', async (server) => {
    const { link, document, giver, notes } = await opening(server, 'emptied');
    await take(await linkTo(server), document, twice);
    expect(await giver.ask(1)).toEqual({ doubled: 2 });
    await server.down();
    server.forget();
    await server.up();
    expect(await giver.ask(2)).toEqual({ doubled: 4 });
    expect(notes).toContain(`Redis at ${server.url} is away; waiting for it`);
    await until(() => new WorkBoard(link.client).isThere(workIdOf(document)));
  });
});

describe('the board', () => {
  withRedis('gives works back only as they were put up', async (server) => {
    const link = await linkTo(server);
    const board = new WorkBoard(link.client);
    const document = documentOf('put up');
    const id = workIdOf(document);
    await board.announce(id, document, Date.now());
    expect(await board.works()).toEqual([id]);
    expect(await board.read(id)).toEqual(document);
    for (const spoiled of ['no json', '{}', JSON.stringify({ ...document, title: 'another' })]) {
      await server.with((client) => client.set(`quorum:work:${id}`, spoiled));
      expect(await board.read(id)).toBe('damaged');
    }
    await board.withdraw(id);
    expect(await board.read(id)).toBeNull();
    expect(await board.works()).toEqual([]);
  });

  withRedis('knows works whose givers were killed long ago, which are cleared away', async (server) => {
    const link = await linkTo(server);
    const board = new WorkBoard(link.client);
    const document = documentOf('old');
    const id = workIdOf(document);
    const stop = new AbortController();
    const giving = await give(link, { document, signal: stop.signal });
    await until(async () => (await keysOfWorks(server)).length > 5);
    expect(await board.forgotten(Date.now())).toEqual([]);
    const tomorrow = Date.now() + 25 * 3_600_000;
    expect(await board.forgotten(tomorrow)).toEqual([id]);
    await clearQueues(link, [id]);
    expect((await keysOfWorks(server)).filter((key) => key.includes(':queue:'))).toEqual([]);
    stop.abort();
    await giving.done;
  });
});

describe('pieces of data', () => {
  withRedis('come once, then from the folder, and never other than they were sent', async (server) => {
    const link = await linkTo(server);
    const bytes = Uint8Array.from({ length: 9_000_000 }, (_, i) => i % 251);
    const shipment = new Shipment();
    const pieces = shipment.add(bytes);
    expect(pieces.map((piece) => piece.bytes)).toEqual([4_194_304, 4_194_304, 611_392]);
    await shipment.send(link.client, 60);
    const cache = new PieceCache(join(folder, 'cache'));
    const whole = async () => {
      const parts = [];
      for (const piece of pieces) parts.push((await cache.get(link.client, piece))!);
      return Buffer.concat(parts);
    };
    expect((await whole()).equals(bytes)).toBe(true);
    expect((await whole()).equals(bytes)).toBe(true);
    expect(cache.fetched).toBe(3);
    // a file that was cut off is fetched again
    const [first] = readdirSync(join(folder, 'cache', 'pieces')).sort();
    writeFileSync(join(folder, 'cache', 'pieces', first!), 'cut off');
    expect((await whole()).equals(bytes)).toBe(true);
    expect(cache.fetched).toBe(4);
    // what stands in Redis under a piece's name and is not it goes, until its giver sends it again
    const other = new PieceCache(join(folder, 'other'));
    await server.with((client) => client.set(`quorum:piece:${pieces[0]!.hash}`, 'not it'));
    expect(await other.get(link.client, pieces[0]!)).toBeNull();
    expect(await server.keys()).not.toContain(`quorum:piece:${pieces[0]!.hash}`);
    await shipment.send(link.client, 60);
    expect(
      Buffer.from((await other.get(link.client, pieces[0]!))!).equals(bytes.subarray(0, 4_194_304)),
    ).toBe(true);
    await shipment.remove(link.client);
    expect(await server.keys()).toEqual([]);
  });
});

describe('the address of a Redis', () => {
  it.each([
    ['redis://host', 'redis://host:6379', { host: 'host', port: 6379, db: 0 }],
    ['redis://:s%40cret@host:7/3', 'redis://host:7/3', { host: 'host', port: 7, db: 3, password: 's@cret' }],
    [
      'redis://me:secret@[::1]:7',
      'redis://[::1]:7',
      { host: '::1', port: 7, db: 0, username: 'me', password: 'secret' },
    ],
    ['rediss://host', 'rediss://host:6379', { host: 'host', port: 6379, db: 0, tls: {} }],
  ])('%s', (text, shown, options) => {
    expect(readRedisAddress(text)).toEqual({ shown, options });
  });

  it('takes a password from elsewhere only where it has none', () => {
    expect(readRedisAddress('redis://host', 'p').options.password).toBe('p');
    expect(readRedisAddress('redis://:own@host', 'p').options.password).toBe('own');
  });

  it.each([
    'host:6379',
    'http://host',
    'redis://',
    'redis://host/one',
    'redis://host:99999',
    'redis://%zz@h',
  ])('refuses %s without repeating it', (text) => {
    let said = '';
    try {
      readRedisAddress(text.replace('host', 'me:hidden@host'));
    } catch (error) {
      said = `${(error as Error).name}: ${(error as Error).message}`;
    }
    expect(said).toMatch(/^InputError: /);
    expect(said).not.toContain('hidden');
  });

  withRedis('with a wrong password, or none, is told from one that does not answer', async () => {
    const locked = await RedisServer.start('s3cret');
    if (typeof locked === 'string') throw new Error(locked);
    try {
      for (const credentials of ['', ':wrong@', 'me:wrong@']) {
        const address = readRedisAddress(locked.url.replace('//', `//${credentials}`));
        await expect(RedisLink.connect(address)).rejects.toThrow(/refuses user or password/);
      }
      const link = await RedisLink.connect(readRedisAddress(locked.url, 's3cret'));
      link.close();
    } finally {
      await locked.stop();
    }
    await expect(RedisLink.connect(readRedisAddress(locked.url))).rejects.toMatchObject({
      name: 'UnreachableError',
      message: `Redis at ${locked.url} cannot be reached (ECONNREFUSED)`,
    });
  });
});
