import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  type BarReader,
  type BarStreams,
  type Delivered,
  RedisBuckets,
  RedisFeatureCache,
  type RedisStreams,
  readBarBody,
  type StreamLimits,
  StreamsAway,
} from '#adapters';
import { FORGET, runScript } from '../../../src/adapters/ingest/redis-scripts.ts';
import { chartValuesOf } from '../../../src/apps/ingest/chart-values.ts';
import type { QueuedBar } from '../../../src/apps/ingest/queued-bar.ts';
import { s1Series, seriesOf } from '../../../src/apps/ingest/series.ts';
import { BTC, ETH, embeddedPlace, entryAt, type QueuePlace, redisPlace, T0 } from './streams-kit.ts';

const CHILD = fileURLToPath(new URL('./queue-child.ts', import.meta.url));
const times = (delivered: readonly Delivered[]) =>
  delivered.map(({ entry }) => (entry.barTime - T0) / 900_000);

const startChild = (task: string, { kind, where }: QueuePlace): ChildProcess =>
  spawn(process.execPath, [CHILD, task, kind, where], { stdio: ['ignore', 'pipe', 'inherit'] });

async function killed(child: ChildProcess): Promise<void> {
  const ended = new Promise((done) => child.once('exit', done));
  child.kill('SIGKILL');
  await ended;
}

/** Reads until nothing comes. */
async function drain(reader: BarReader): Promise<Delivered[]> {
  const all: Delivered[] = [];
  for (;;) {
    const some = await reader.read({ count: 500, waitMs: 1 });
    if (some.length === 0) return all;
    all.push(...some);
    await reader.ack(some);
  }
}

const contract = (make: () => Promise<QueuePlace | string>) => () => {
  let place: QueuePlace;
  const opened: BarStreams[] = [];
  const open = async (limits?: Partial<StreamLimits>) => {
    const streams = await place.open(limits);
    opened.push(streams);
    return streams;
  };
  beforeAll(async () => {
    const made = await make();
    if (typeof made === 'string') throw new Error(made);
    place = made;
  });
  beforeEach(() => place.clear());
  afterEach(async () => {
    for (const streams of opened.splice(0)) await streams.close();
  });
  afterAll(() => place?.stop());

  it('hands out what was offered, in order, to a group that begins later', async () => {
    const streams = await open();
    const offered = await Promise.all([0, 1, 2].map((n) => streams.offer(BTC, entryAt(n))));
    expect(offered.map(({ kind }) => kind)).toEqual(['queued', 'queued', 'queued']);
    await streams.offer(ETH, entryAt(7, 101, 'S1_RX68_ETH_1M'));
    const reader = await streams.reader('workers', 'a');
    const taken = await reader.read({ count: 10, waitMs: 2_000 });
    expect(times(taken.filter(({ stream }) => stream === BTC))).toEqual([0, 1, 2]);
    expect(times(taken.filter(({ stream }) => stream === ETH))).toEqual([7]);
    expect(taken.every(({ deliveries }) => deliveries === 1)).toBe(true);
    expect(taken.find(({ stream }) => stream === BTC)?.entry).toEqual(entryAt(0));
    expect(readBarBody(taken[0]!.entry.body).pine).toEqual({ rsi14: 50 });
    expect(await reader.read({ count: 10, waitMs: 1 })).toEqual([]);
    expect(await reader.ack(taken)).toBe(4);
    expect(await reader.ack(taken)).toBe(0);
  });

  it('wakes a reader that waits', async () => {
    const streams = await open();
    const reader = await streams.reader('workers', 'a');
    const waiting = reader.read({ count: 1, waitMs: 20_000 });
    await streams.offer(BTC, entryAt(0));
    expect(times(await waiting)).toEqual([0]);
  });

  it('ends a wait by its signal', async () => {
    const streams = await open();
    const reader = await streams.reader('workers', 'a');
    const end = new AbortController();
    const waiting = reader.read({ count: 1, waitMs: 60_000, signal: end.signal });
    end.abort();
    expect(await waiting).toEqual([]);
  });

  it('gives two groups everything, and two consumers of one group each entry once', async () => {
    const streams = await open();
    for (let n = 0; n < 6; n++) await streams.offer(BTC, entryAt(n));
    const [a, b, other] = [
      await streams.reader('workers', 'a'),
      await streams.reader('workers', 'b'),
      await streams.reader('watchers', 'a'),
    ];
    const first = await a.read({ count: 3, waitMs: 1 });
    const second = await b.read({ count: 10, waitMs: 1 });
    expect([...times(first), ...times(second)]).toEqual([0, 1, 2, 3, 4, 5]);
    expect(times(await other.read({ count: 10, waitMs: 1 }))).toEqual([0, 1, 2, 3, 4, 5]);
  });

  it('knows a repetition, and queues each differing body once', async () => {
    const streams = await open();
    expect((await streams.offer(BTC, entryAt(0))).kind).toBe('queued');
    expect(await streams.offer(BTC, entryAt(0))).toEqual({ kind: 'duplicate', differs: false });
    expect(await streams.offer(BTC, entryAt(0, 102))).toEqual({ kind: 'duplicate', differs: true });
    expect(await streams.offer(BTC, entryAt(0, 102))).toEqual({ kind: 'duplicate', differs: true });
    expect(await streams.offer(BTC, entryAt(0))).toEqual({ kind: 'duplicate', differs: false });
    const taken = await (await streams.reader('workers', 'a')).read({ count: 10, waitMs: 1 });
    expect(taken.map(({ entry }) => readBarBody(entry.body).close)).toEqual([101, 102]);
  });

  it('bounds how many differing bodies of one bar are queued', async () => {
    const streams = await open();
    for (let n = 0; n < 20; n++) await streams.offer(BTC, entryAt(0, 100 + n / 4));
    const taken = await (await streams.reader('workers', 'a')).read({ count: 100, waitMs: 1 });
    expect(taken).toHaveLength(8);
  });

  it('counts concurrent repetitions as one', async () => {
    const [one, two] = [await open(), await open()];
    const offered = await Promise.all(
      Array.from({ length: 30 }, (_, i) => (i % 2 === 0 ? one : two).offer(BTC, entryAt(0))),
    );
    expect(offered.filter(({ kind }) => kind === 'queued')).toHaveLength(1);
    expect((await one.depth('workers')).find(({ stream }) => stream === BTC)?.length).toBe(1);
  });

  it('forgets the gate after its time', async () => {
    const streams = await open({ gateMs: 1 });
    await streams.offer(BTC, entryAt(0));
    await new Promise((done) => setTimeout(done, 20));
    expect((await streams.offer(BTC, entryAt(0))).kind).toBe('queued');
  });

  it('refuses when full, without the gate, and goes on once something was dealt with', async () => {
    const streams = await open({ lengthMost: 5 });
    const reader = await streams.reader('workers', 'a');
    for (let n = 0; n < 5; n++) expect((await streams.offer(BTC, entryAt(n))).kind).toBe('queued');
    expect(await streams.offer(BTC, entryAt(5))).toEqual({ kind: 'full', length: 5 });
    expect(await streams.offer(BTC, entryAt(0))).toEqual({ kind: 'duplicate', differs: false });
    expect((await streams.offer(ETH, entryAt(5))).kind).toBe('queued');
    const taken = await reader.read({ count: 4, waitMs: 1 });
    // Handed out is not dealt with: nothing may go yet.
    expect((await streams.offer(BTC, entryAt(6))).kind).toBe('full');
    await reader.ack(
      taken.filter(({ entry }) => entry.barTime < T0 + 900_000 || entry.barTime > T0 + 2 * 900_000),
    );
    // Bar 1 is still held, so only bar 0 may be forgotten, whatever came after it.
    expect((await streams.offer(BTC, entryAt(6))).kind).toBe('queued');
    expect((await streams.offer(BTC, entryAt(7))).kind).toBe('full');
    const held = await reader.own(10);
    expect(times(held.filter(({ stream }) => stream === BTC))).toEqual([1, 2]);
  });

  it('trims what every group has acknowledged and nothing else', async () => {
    const streams = await open({ lengthMost: 1_000 });
    const [worker, watcher] = [await streams.reader('workers', 'a'), await streams.reader('watchers', 'a')];
    const many = (from: number, count: number) =>
      Promise.all(Array.from({ length: count }, (_, i) => streams.offer(BTC, entryAt(from + i))));
    const length = async () => (await streams.depth('workers')).find(({ stream }) => stream === BTC)!.length;
    await many(0, 256);
    await drain(worker);
    await many(256, 1);
    expect(await length()).toBe(257);
    await drain(watcher);
    await many(257, 255);
    expect(await length()).toBe(512);
    await many(512, 1);
    expect(await length()).toBeLessThanOrEqual(257);
    expect(times(await drain(worker))).toEqual(Array.from({ length: 257 }, (_, i) => 256 + i));
    expect(times(await drain(watcher))).toEqual(Array.from({ length: 256 }, (_, i) => 257 + i));
  });

  it('tells the depth', async () => {
    const streams = await open();
    const depth = async (group: string) => (await streams.depth(group)).find(({ stream }) => stream === BTC);
    expect(await depth('workers')).toEqual({ stream: BTC, length: 0, waiting: 0, pending: 0 });
    for (let n = 0; n < 5; n++) await streams.offer(BTC, entryAt(n));
    const reader = await streams.reader('workers', 'a');
    const taken = await reader.read({ count: 3, waitMs: 1 });
    await reader.ack(taken.slice(0, 1));
    expect(await depth('workers')).toEqual({ stream: BTC, length: 5, waiting: 2, pending: 2 });
    expect(await depth('nobody')).toEqual({ stream: BTC, length: 5, waiting: 5, pending: 0 });
  });

  it('gives a consumer back what it held when it comes again', async () => {
    const streams = await open();
    for (let n = 0; n < 3; n++) await streams.offer(BTC, entryAt(n));
    const reader = await streams.reader('workers', 'a');
    await reader.read({ count: 2, waitMs: 1 });
    await streams.close();
    const again = await (await open()).reader('workers', 'a');
    const held = await again.own(10);
    expect(times(held)).toEqual([0, 1]);
    expect(held.map(({ deliveries }) => deliveries)).toEqual([2, 2]);
    expect(times(await again.read({ count: 10, waitMs: 1 }))).toEqual([2]);
  });

  it('takes over from a consumer that was killed', async () => {
    const streams = await open();
    for (let n = 0; n < 3; n++) await streams.offer(BTC, entryAt(n));
    const child = startChild('read', place);
    const lines = createInterface({ input: child.stdout! })[Symbol.asyncIterator]();
    expect(JSON.parse((await lines.next()).value as string)).toHaveLength(3);
    await killed(child);
    const reader = await streams.reader('workers', 'heir');
    expect(await reader.read({ count: 10, waitMs: 1 })).toEqual([]);
    expect(await reader.claim({ idleMs: 600_000, count: 10 })).toEqual([]);
    const claimed = await reader.claim({ idleMs: 0, count: 10 });
    expect(times(claimed)).toEqual([0, 1, 2]);
    expect(claimed.map(({ deliveries }) => deliveries)).toEqual([2, 2, 2]);
    expect(await reader.ack(claimed)).toBe(3);
    expect(await reader.claim({ idleMs: 0, count: 10 })).toEqual([]);
  });

  it('claims many, over all streams, no more than asked for', async () => {
    const streams = await open();
    await Promise.all(Array.from({ length: 250 }, (_, n) => streams.offer(BTC, entryAt(n))));
    await streams.offer(ETH, entryAt(0, 101, 'S1_RX68_ETH_1M'));
    await (await streams.reader('workers', 'a')).read({ count: 1_000, waitMs: 1 });
    const heir = await streams.reader('workers', 'b');
    expect(await heir.claim({ idleMs: 0, count: 120 })).toHaveLength(120);
    expect(await heir.claim({ idleMs: 0, count: 1_000 })).toHaveLength(251);
  });

  it('makes a dead letter of what was handed out too often, and revives it', async () => {
    const streams = await open({ deliveriesMost: 3 });
    await streams.offer(BTC, entryAt(0));
    await streams.offer(BTC, entryAt(1));
    const reader = await streams.reader('workers', 'a');
    const [, good] = await reader.read({ count: 2, waitMs: 1 });
    await reader.ack([good!]);
    expect((await reader.claim({ idleMs: 0, count: 9 })).map(({ deliveries }) => deliveries)).toEqual([2]);
    expect((await reader.claim({ idleMs: 0, count: 9 })).map(({ deliveries }) => deliveries)).toEqual([3]);
    expect(await reader.claim({ idleMs: 0, count: 9 })).toEqual([]);
    const [letter, ...others] = await streams.deadLetters(10);
    expect(others).toEqual([]);
    expect(letter).toMatchObject({
      stream: BTC,
      deliveries: 3,
      reason: 'handed out 3 times',
      entry: entryAt(0),
    });
    expect((await streams.depth('workers'))[0]).toMatchObject({ waiting: 0, pending: 0 });
    expect([await streams.deadCount(), streams.isDurable]).toEqual([1, true]);
    expect(await streams.revive('9999')).toBe(false);
    expect(await streams.revive(letter!.id)).toBe(true);
    expect(await streams.revive(letter!.id)).toBe(false);
    expect(await streams.deadLetters(10)).toEqual([]);
    expect((await reader.read({ count: 9, waitMs: 1 })).map(({ entry }) => entry)).toEqual([entryAt(0)]);
  });

  it('ends a worker that dies of an entry again and again', async () => {
    const streams = await open({ deliveriesMost: 2 });
    await streams.offer(BTC, entryAt(0));
    const reader = await streams.reader('workers', 'a');
    await reader.read({ count: 1, waitMs: 1 });
    expect(await reader.own(10)).toHaveLength(1);
    expect(await reader.own(10)).toHaveLength(0);
    expect(await streams.deadLetters(10)).toHaveLength(1);
  });

  it('leaves alone what a living consumer says it works on, and counts nothing for it', async () => {
    const streams = await open({ deliveriesMost: 2 });
    await streams.offer(BTC, entryAt(0));
    await streams.offer(BTC, entryAt(1));
    const [a, b] = [await streams.reader('workers', 'a'), await streams.reader('workers', 'b')];
    const [first, second] = await a.read({ count: 2, waitMs: 1 });
    for (let n = 0; n < 4; n++) {
      await sleep(270);
      await a.touch([first!]);
      // a machine that pauses between these two must not make the living look dead
      expect(times(await b.claim({ idleMs: 250, count: 9 }))).toEqual(n === 0 ? [1] : []);
    }
    // what another took over is not taken back, and what is acknowledged stays so
    await a.touch([second!]);
    await a.giveBack([second!]);
    await a.ack([first!]);
    await a.touch([first!]);
    expect(await a.own(9)).toEqual([]);
    expect((await streams.deadLetters(9)).map(({ entry }) => entry)).toEqual([entryAt(1)]);
  });

  it('counts nothing for what is given back, which others may claim at once', async () => {
    const streams = await open({ deliveriesMost: 2 });
    await streams.offer(BTC, entryAt(0));
    const [a, b] = [await streams.reader('workers', 'a'), await streams.reader('workers', 'b')];
    await a.giveBack(await a.read({ count: 1, waitMs: 1 }));
    for (let n = 0; n < 4; n++) {
      const [claimed, ...others] = await b.claim({ idleMs: 60_000, count: 9 });
      expect([claimed?.deliveries, others]).toEqual([1, []]);
      await b.giveBack([claimed!]);
    }
    expect((await b.own(9)).map(({ deliveries }) => deliveries)).toEqual([1]);
  });

  it('buries an entry at once, and only one that is held', async () => {
    const streams = await open();
    await streams.offer(BTC, entryAt(0));
    const reader = await streams.reader('workers', 'a');
    const [taken] = await reader.read({ count: 1, waitMs: 1 });
    expect(await reader.bury(taken!, 'the store refuses it')).toBe(true);
    expect(await reader.bury(taken!, 'the store refuses it')).toBe(false);
    expect(await streams.deadLetters(10)).toMatchObject([{ reason: 'the store refuses it', deliveries: 1 }]);
    expect(await reader.claim({ idleMs: 0, count: 10 })).toEqual([]);
  });

  it('keeps what a killed writer was answered for', async () => {
    const child = startChild('write', place);
    const answered: number[] = [];
    for await (const line of createInterface({ input: child.stdout! })) {
      answered.push(Number(line));
      if (answered.length === 400) child.kill('SIGKILL');
    }
    const streams = await open();
    const kept = new Set(times(await drain(await streams.reader('workers', 'a'))));
    expect(answered.filter((n) => !kept.has(n))).toEqual([]);
    // What was kept is behind the gate, and what was not is open: a sender that repeats everything loses nothing.
    for (const n of [...kept].slice(-3)) {
      expect(await streams.offer(BTC, entryAt(n))).toEqual({ kind: 'duplicate', differs: false });
    }
    expect((await streams.offer(BTC, entryAt(Math.max(...kept) + 1))).kind).toBe('queued');
  });

  it('carries out what was offered before it was closed', async () => {
    const streams = await open();
    const offers = [0, 1, 2].map((n) => streams.offer(BTC, entryAt(n)));
    await streams.close();
    expect((await Promise.all(offers)).map(({ kind }) => kind)).toEqual(['queued', 'queued', 'queued']);
    expect(await drain(await (await open()).reader('workers', 'a'))).toHaveLength(3);
  });
};

describe('bars through a file', contract(embeddedPlace));
const hasRedis = spawnSync('redis-server', ['--version']).status === 0;
if (!hasRedis) process.stdout.write('ingest through Redis not tested: no redis-server on this machine\n');
describe.runIf(hasRedis)('bars through Redis', contract(redisPlace));

describe.runIf(hasRedis)('Redis', () => {
  it('that is away is told at once, and everything goes on when it is back', async () => {
    const place = await redisPlace();
    if (typeof place === 'string') throw new Error(place);
    const streams = await place.open();
    try {
      const reader = await streams.reader('workers', 'a');
      await streams.offer(BTC, entryAt(0));
      await place.server.down();
      await expect(streams.offer(BTC, entryAt(1))).rejects.toThrow(StreamsAway);
      await expect(reader.read({ count: 1, waitMs: 50 })).rejects.toThrow(StreamsAway);
      await place.server.up();
      await expect
        .poll(() => streams.offer(BTC, entryAt(1)).catch(() => null), { timeout: 20_000 })
        .not.toBeNull();
      await expect
        .poll(() => reader.read({ count: 9, waitMs: 50 }).catch(() => []), { timeout: 20_000 })
        .toHaveLength(2);
      // A Redis without its data has no groups and no gate: both are made again.
      await place.clear();
      expect((await streams.offer(BTC, entryAt(0))).kind).toBe('queued');
      expect(times(await reader.read({ count: 9, waitMs: 50 }))).toEqual([0]);
    } finally {
      await streams.close();
      await place.stop();
    }
  });

  it('says how durable it is', async () => {
    const place = await redisPlace();
    if (typeof place === 'string') throw new Error(place);
    const one = await place.open();
    expect(one.durability).toBe('Redis syncs every write');
    await one.close();
    await place.server.with((client) => client.config('SET', 'appendfsync', 'everysec'));
    const two = await place.open();
    expect(two.durability).toContain('one second');
    await two.close();
    await place.stop();
  });

  it('shares buckets and features between processes', async () => {
    const place = await redisPlace();
    if (typeof place === 'string') throw new Error(place);
    const [one, two] = [(await place.open()) as RedisStreams, (await place.open()) as RedisStreams];
    try {
      const rate = { burst: 3, perSecond: 0.001 };
      const buckets = [new RedisBuckets(one.client, rate), new RedisBuckets(two.client, rate)];
      const waits = await Promise.all([0, 1, 0, 1, 0].map((i) => buckets[i]!.take('192.0.2.1')));
      expect(waits.filter((wait) => wait === 0)).toHaveLength(3);
      expect(waits.filter((wait) => wait > 900_000)).toHaveLength(2);
      expect(await buckets[1]!.take('192.0.2.2')).toBe(0);
      // tokens that are taken beforehand are none more
      const wide = { burst: 100, perSecond: 0.001 };
      const both = [new RedisBuckets(one.client, wide, 'wide:'), new RedisBuckets(two.client, wide, 'wide:')];
      let given = 0;
      for (let n = 0; n < 200; n++) if ((await both[n % 2]!.take('192.0.2.1')) === 0) given++;
      expect(given).toBeLessThanOrEqual(100);
      expect(given).toBeGreaterThan(50);
      const [cache, other] = [new RedisFeatureCache(one.client), new RedisFeatureCache(two.client)];
      expect(await cache.get('btc')).toBeNull();
      await cache.set('btc', '[1,2]', 60_000);
      expect(await other.get('btc')).toBe('[1,2]');
      await cache.set('btc', '[3]', 1);
      await expect.poll(() => other.get('btc')).toBeNull();
    } finally {
      await one.close();
      await two.close();
      await place.stop();
    }
  });

  it('forgets consumers that hold nothing and have long been silent, and no others', async () => {
    const place = await redisPlace();
    if (typeof place === 'string') throw new Error(place);
    const streams = (await place.open()) as RedisStreams;
    await streams.offer(BTC, entryAt(0));
    await (await streams.reader('workers', 'gone')).read({ count: 1, waitMs: 1 });
    const names = () =>
      place.server.with(async (client) =>
        ((await client.xinfo('CONSUMERS', BTC, 'workers')) as string[][]).map((facts) => facts[1]),
      );
    const forget = (idleMs: number) => runScript(streams.client, FORGET, [BTC], ['workers', idleMs]);
    await forget(0);
    expect(await names()).toEqual(['gone']);
    const heir = await streams.reader('workers', 'heir');
    await heir.ack(await heir.claim({ idleMs: 0, count: 1 }));
    await forget(60_000);
    expect(await names()).toEqual(['gone', 'heir']);
    await forget(0);
    expect(await names()).toEqual([]);
    await streams.close();
    await place.stop();
  });

  it('keeps the newest values of each chart', async () => {
    const place = await redisPlace();
    if (typeof place === 'string') throw new Error(place);
    const streams = await place.open();
    const series = seriesOf(s1Series({})).find(({ id }) => id === 'S1_RX68_BTC_15M')!;
    const charts = chartValuesOf(streams, 's1')!;
    const barAt = (n: number, pine: string | null) =>
      ({ series, bar: { time: T0 + n * 900_000 }, pine }) as QueuedBar;
    expect(await charts.get(series.id)).toBeNull();
    await charts.put(barAt(1, '{"rsi14":51}'));
    await charts.put(barAt(0, '{"rsi14":9}'));
    await charts.put(barAt(2, null));
    expect(await charts.get(series.id)).toEqual({ barTime: T0 + 900_000, values: { rsi14: 51 } });
    const left = await place.server.with((client) => client.pttl(`s1:features:s1:${series.id}`));
    expect(left).toBeGreaterThan(2 * 900_000);
    await streams.close();
    await place.stop();
  });

  it('entries that are no bars become dead letters', async () => {
    const place = await redisPlace();
    if (typeof place === 'string') throw new Error(place);
    const streams = await place.open();
    const reader = await streams.reader('workers', 'a');
    await place.server.with((client) => client.xadd(BTC, '*', 'config', 'x', 'barTime', 'soon'));
    await streams.offer(BTC, entryAt(0));
    expect(times(await reader.read({ count: 9, waitMs: 50 }))).toEqual([0]);
    const [letter] = await streams.deadLetters(9);
    expect(letter).toMatchObject({ entry: null, reason: 'it is no bar' });
    expect(await streams.revive(letter!.id)).toBe(false);
    await streams.close();
    await place.stop();
  });
});
