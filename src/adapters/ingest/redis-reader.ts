import { setTimeout as sleep } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { type BarReader, type Delivered, type StreamLimits, StreamsAway } from './bar-streams.ts';
import { awayOf, told } from './redis-answers.ts';
import { entryOf, type StreamItem } from './redis-entries.ts';
import { BURY, FORGET, HOLD, runScript } from './redis-scripts.ts';

interface Connections {
  readonly client: Redis;
  /** For reads that block; nothing else goes over it. */
  readonly blocking: Redis;
  readonly dead: string;
}

type PendingItem = [id: string, consumer: string, idleMs: number, deliveries: number];
type StreamItems = [stream: string, items: StreamItem[]];

/** Entries looked at by one XAUTOCLAIM or XPENDING. */
const SCAN = 100;
/** Longest one blocking read; a longer wait is made of several, so that closing is prompt. */
const BLOCK_MOST_MS = 1_000;
const AWAY_PAUSE_MS = 100;
/** What was given back is claimed whatever the idle time asked for. */
const IDLE_SINCE_EVER_MS = 86_400_000;
const FORGOTTEN_AFTER_MS = 7 * 86_400_000;

function idsByStream(delivered: readonly Delivered[]): ReadonlyMap<string, string[]> {
  const byStream = new Map<string, string[]>();
  for (const { stream, id } of delivered) {
    const ids = byStream.get(stream);
    if (ids === undefined) byStream.set(stream, [id]);
    else ids.push(id);
  }
  return byStream;
}

/** A consumer of a group over all streams. */
export class RedisBarReader implements BarReader {
  readonly group: string;
  readonly consumer: string;
  private readonly connections: Connections;
  private readonly streams: readonly string[];
  private readonly limits: StreamLimits;
  private isClosed = false;

  constructor(
    connections: Connections,
    streams: readonly string[],
    limits: StreamLimits,
    group: string,
    consumer: string,
  ) {
    this.connections = connections;
    this.streams = streams;
    this.limits = limits;
    this.group = group;
    this.consumer = consumer;
  }

  /** Makes what is missing, and forgets consumers that are long gone: a machine that came once would stay for ever. */
  async begin(): Promise<void> {
    await this.makeGroups();
    for (const stream of this.streams)
      await runScript(this.connections.client, FORGET, [stream], [this.group, FORGOTTEN_AFTER_MS]);
  }

  /** A group begins at the oldest entry: what came before its first worker is not lost. */
  async makeGroups(): Promise<void> {
    for (const stream of this.streams) {
      try {
        await this.connections.client.xgroup('CREATE', stream, this.group, '0', 'MKSTREAM');
      } catch (error) {
        if (!(error instanceof Error && error.message.startsWith('BUSYGROUP'))) throw error;
      }
    }
  }

  async read(options: { count: number; waitMs: number; signal?: AbortSignal }): Promise<Delivered[]> {
    const { count, waitMs, signal } = options;
    for (let left = waitMs; !this.isClosed && signal?.aborted !== true; left -= BLOCK_MOST_MS) {
      // BLOCK 0 would wait for ever
      const block = Math.max(1, Math.min(left, BLOCK_MOST_MS));
      const fresh = await this.fresh(count, block);
      if (fresh.length > 0) return fresh;
      if (left <= BLOCK_MOST_MS) break;
    }
    return [];
  }

  private async fresh(count: number, blockMs: number): Promise<Delivered[]> {
    try {
      return await this.delivered(await this.asking(() => this.ask('>', count, blockMs)), () => 1);
    } catch (error) {
      // Closing ends a read that waits.
      if (this.isClosed) return [];
      throw error;
    }
  }

  private async ask(from: string, count: number, blockMs: number | null): Promise<StreamItems[]> {
    const { client, blocking } = this.connections;
    const { streams } = this;
    const places = streams.map(() => from);
    const answer =
      blockMs === null
        ? await client.xreadgroup(
            'GROUP',
            this.group,
            this.consumer,
            'COUNT',
            count,
            'STREAMS',
            ...streams,
            ...places,
          )
        : await blocking.xreadgroup(
            'GROUP',
            this.group,
            this.consumer,
            'COUNT',
            count,
            'BLOCK',
            blockMs,
            'STREAMS',
            ...streams,
            ...places,
          );
    return (answer ?? []) as StreamItems[];
  }

  /** A Redis that lost its memory has no groups either: they are made again. */
  private async asking<T>(ask: () => Promise<T>): Promise<T> {
    try {
      return await ask();
    } catch (error) {
      if (this.isClosed) throw new StreamsAway('the reader was closed');
      if (!(error instanceof Error && error.message.includes('NOGROUP'))) {
        // Whoever asks again at once would ask without pause while Redis is away.
        await sleep(AWAY_PAUSE_MS);
        throw awayOf(error);
      }
      await told(this.makeGroups());
      return told(ask());
    }
  }

  async own(count: number): Promise<Delivered[]> {
    const answer = await this.asking(() => this.ask('0', count, null));
    const ends = answer.filter(([, items]) => items.length > 0);
    const times = new Map<string, number>();
    for (const [stream, items] of ends) {
      for (const [id, , , deliveries] of await this.pendingBetween(stream, items[0]![0], items.at(-1)![0])) {
        times.set(`${stream} ${id}`, deliveries);
      }
    }
    const all = await this.delivered(ends, (stream, id) => times.get(`${stream} ${id}`) ?? 1);
    const usable: Delivered[] = [];
    for (const delivered of all) {
      // A worker that an entry ends is given it again at every start: that must have an end, too.
      if (delivered.deliveries <= this.limits.deliveriesMost) usable.push(delivered);
      else await this.bury(delivered, `handed out ${delivered.deliveries - 1} times`);
    }
    return usable;
  }

  private async pendingBetween(stream: string, from: string, to: string): Promise<PendingItem[]> {
    const { client } = this.connections;
    const most = Number.MAX_SAFE_INTEGER;
    return (await told(client.xpending(stream, this.group, from, to, most, this.consumer))) as PendingItem[];
  }

  async claim({ idleMs, count }: { idleMs: number; count: number }): Promise<Delivered[]> {
    const taken: Delivered[] = [];
    for (const stream of this.streams) {
      if (taken.length >= count || this.isClosed) break;
      const known = await this.asking(() => this.weary(stream, idleMs));
      if (known > 0) taken.push(...(await this.claimFrom(stream, idleMs, count - taken.length)));
    }
    return taken;
  }

  /** Buries what has been handed out too often; answers how many others have been left alone for too long. */
  private async weary(stream: string, idleMs: number): Promise<number> {
    const { client } = this.connections;
    let others = 0;
    for (let from = '-'; ; ) {
      const items = (await client.xpending(
        stream,
        this.group,
        'IDLE',
        idleMs,
        from,
        '+',
        SCAN,
      )) as PendingItem[];
      for (const [id, , , deliveries] of items) {
        if (deliveries < this.limits.deliveriesMost) others++;
        else
          await this.move(stream, id, `handed out ${deliveries} times`, this.limits.deliveriesMost, idleMs);
      }
      if (items.length < SCAN) return others;
      from = `(${items.at(-1)![0]}`;
    }
  }

  private async claimFrom(stream: string, idleMs: number, count: number): Promise<Delivered[]> {
    const { client } = this.connections;
    const items: StreamItem[] = [];
    for (let cursor = '0-0'; items.length < count; ) {
      const many = Math.min(SCAN, count - items.length);
      const answer = (await told(
        client.xautoclaim(stream, this.group, this.consumer, idleMs, cursor, 'COUNT', many),
      )) as [string, StreamItem[], ...unknown[]];
      items.push(...answer[1].filter(([, fields]) => fields !== null));
      cursor = answer[0];
      // A scan may end early with nothing found: only this cursor says that there is no more.
      if (cursor === '0-0') break;
    }
    if (items.length === 0) return [];
    const times = new Map<string, number>();
    for (const [id, , , deliveries] of await this.pendingBetween(stream, items[0]![0], items.at(-1)![0])) {
      times.set(id, deliveries);
    }
    return this.delivered([[stream, items]], (_, id) => times.get(id) ?? 1);
  }

  /** Entries that are no bars go to the dead letters: nobody could use them. */
  private async delivered(
    answer: readonly StreamItems[],
    deliveries: (stream: string, id: string) => number,
  ): Promise<Delivered[]> {
    const all: Delivered[] = [];
    for (const [stream, items] of answer) {
      for (const [id, fields] of items) {
        const entry = fields === null ? null : entryOf(fields);
        if (entry === null) await this.move(stream, id, 'it is no bar', 0, 0);
        else all.push({ stream, id, entry, deliveries: deliveries(stream, id) });
      }
    }
    return all;
  }

  private async move(stream: string, id: string, reason: string, timesLeast: number, idleLeast: number) {
    const { client, dead } = this.connections;
    const values = [this.group, id, reason, Date.now(), this.limits.deadMost, timesLeast, idleLeast];
    return (await told(runScript(client, BURY, [stream, dead], values))) === 1;
  }

  touch(delivered: readonly Delivered[]): Promise<void> {
    return this.holdOn(delivered, 0, 0);
  }

  giveBack(delivered: readonly Delivered[]): Promise<void> {
    return this.holdOn(delivered, IDLE_SINCE_EVER_MS, 1);
  }

  /** `uncounted`: deliveries that shall not have been any. */
  private async holdOn(delivered: readonly Delivered[], idleMs: number, uncounted: number): Promise<void> {
    const { client } = this.connections;
    for (const [stream, ids] of idsByStream(delivered)) {
      for (let from = 0; from < ids.length; from += SCAN) {
        const values = [this.group, this.consumer, idleMs, uncounted, ...ids.slice(from, from + SCAN)];
        await this.asking(() => runScript(client, HOLD, [stream], values));
      }
    }
  }

  async ack(delivered: readonly Delivered[]): Promise<number> {
    const byStream = idsByStream(delivered);
    const counts = await told(
      Promise.all(
        [...byStream].map(([stream, ids]) => this.connections.client.xack(stream, this.group, ...ids)),
      ),
    );
    return counts.reduce((sum, count) => sum + count, 0);
  }

  bury({ stream, id }: Delivered, reason: string): Promise<boolean> {
    return this.move(stream, id, reason, 0, 0);
  }

  async close(): Promise<void> {
    this.isClosed = true;
    this.connections.blocking.disconnect();
  }
}
