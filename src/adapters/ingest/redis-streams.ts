import type { Redis } from 'ioredis';
import { InputError } from '#base';
import { type RedisAddress, RedisLink } from '../queue/redis-link.ts';
import {
  type BarEntry,
  type BarReader,
  type BarStreams,
  type DeadLetter,
  type Offered,
  STREAM_LIMITS,
  type StreamDepth,
  type StreamLimits,
  StreamsAway,
} from './bar-streams.ts';
import { awayOf, told, within } from './redis-answers.ts';
import { deadLetterOf, type StreamItem } from './redis-entries.ts';
import { RedisBarReader } from './redis-reader.ts';
import { OFFER, REVIVE, runScript } from './redis-scripts.ts';

export interface RedisStreamsOptions {
  readonly address: RedisAddress;
  readonly streams: readonly string[];
  readonly limits?: Partial<StreamLimits>;
  /** Stream of the dead letters. */
  readonly dead?: string;
  /** What stands before `{config}:{bar time}` in the keys of the gate. */
  readonly seen?: string;
  /** An offer that Redis has not answered by then fails; its sender repeats it. */
  readonly answerMs?: number;
}

interface Waiting {
  readonly stream: string;
  readonly entry: BarEntry;
  readonly done: (offered: Offered) => void;
  readonly failed: (error: Error) => void;
}

/** Offers in one call of the script: bounds how long Redis is busy with it. */
const TOGETHER_MOST = 200;
/** Calls under way at the same time: one that Redis works on and one that travels. */
const CALLS_MOST = 2;
const ANSWER_MS = 900;
const SYNCED = 'Redis syncs every write';
/** A command fails while Redis is away, instead of waiting: whoever offers or reads is told, and tries again. */
const AT_ONCE = { maxRetriesPerRequest: 0, enableOfflineQueue: false } as const;

/**
 * Bars through Redis Streams: one stream for each config, consumer groups, one script for gate and append. The keys are on
 * one server (or one slot): the script writes several. Redis 6.2 or newer.
 */
export class RedisStreams implements BarStreams {
  readonly kind = 'redis';
  readonly streams: readonly string[];
  readonly limits: StreamLimits;
  readonly durability: string;
  readonly isDurable: boolean;
  private readonly link: RedisLink;
  private readonly dead: string;
  private readonly seen: string;
  private readonly answerMs: number;
  private readonly readers: RedisBarReader[] = [];
  private waiting: Waiting[] = [];
  private readonly asked = new Set<Promise<void>>();

  private constructor(link: RedisLink, options: RedisStreamsOptions, durability: string) {
    this.link = link;
    this.streams = options.streams;
    this.limits = { ...STREAM_LIMITS, ...options.limits };
    this.durability = durability;
    this.isDurable = durability === SYNCED;
    this.dead = options.dead ?? 's1.rx68.dead';
    this.seen = options.seen ?? 's1:seen:';
    this.answerMs = options.answerMs ?? ANSWER_MS;
  }

  /** Throws UnreachableError when nothing answers, InputError when Redis refuses the password or is too old. */
  static async open(options: RedisStreamsOptions): Promise<RedisStreams> {
    if (options.streams.length === 0) throw new InputError('there is no stream', 'name at least one config');
    const link = await RedisLink.connect(options.address, AT_ONCE);
    return new RedisStreams(link, options, await durabilityOf(link.client));
  }

  /** The connection, for caches and buckets that live beside the streams. */
  get client(): Redis {
    return this.link.client;
  }

  offer(stream: string, entry: BarEntry): Promise<Offered> {
    return new Promise((done, failed) => {
      this.waiting.push({ stream, entry, done, failed });
      // All requests that this turn of the event loop reads go out together.
      if (this.waiting.length === 1) setImmediate(this.send);
    });
  }

  /** While as many calls are under way as help, further offers gather for the next one. */
  private readonly send = (): void => {
    while (this.waiting.length > 0 && this.asked.size < CALLS_MOST) {
      const offers = this.waiting.splice(0, TOGETHER_MOST);
      const asked = this.sendThese(offers);
      this.asked.add(asked);
      asked.then(() => {
        this.asked.delete(asked);
        this.send();
      });
    }
  };

  private async sendThese(offers: readonly Waiting[]): Promise<void> {
    const keys: string[] = [];
    const values: (string | number)[] = [this.limits.lengthMost, this.limits.gateMs];
    for (const { stream, entry } of offers) {
      keys.push(`${this.seen}${entry.config}:${entry.barTime}`, stream);
      values.push(entry.config, entry.barTime, entry.receivedAt, entry.body, entry.hash);
    }
    try {
      if (this.link.isAway) throw new StreamsAway('Redis is away');
      const answers = (await this.within(runScript(this.client, OFFER, keys, values))) as string[];
      for (let i = 0; i < offers.length; i++) offers[i]!.done(offeredOf(answers[i]!));
    } catch (error) {
      const away = awayOf(error);
      for (const offer of offers) offer.failed(away);
    }
  }

  private within<T>(command: Promise<T>): Promise<T> {
    return within(this.answerMs, command);
  }

  async reader(group: string, consumer: string): Promise<BarReader> {
    const reader = new RedisBarReader(
      { client: this.client, blocking: await told(this.link.ready()), dead: this.dead },
      this.streams,
      this.limits,
      group,
      consumer,
    );
    await told(reader.begin());
    this.readers.push(reader);
    return reader;
  }

  async depth(group: string): Promise<StreamDepth[]> {
    const asking = this.client.pipeline();
    for (const stream of this.streams) asking.xlen(stream).xinfo('GROUPS', stream);
    const answers = (await told(this.within(asking.exec()))) ?? [];
    return this.streams.map((stream, i) => {
      const length = Number(answers[2 * i]?.[1] ?? 0);
      // A stream that does not exist yet answers with an error: it is empty.
      const groups = (answers[2 * i + 1]?.[1] ?? []) as unknown[][];
      const facts = groups.map(factsOf).find(({ name }) => name === group);
      if (facts === undefined) return { stream, length, waiting: length, pending: 0 };
      const pending = Number(facts.pending);
      return { stream, length, waiting: Number(facts.lag ?? Math.max(0, length - pending)), pending };
    });
  }

  deadCount(): Promise<number> {
    return told(this.within(this.client.xlen(this.dead)));
  }

  async deadLetters(count: number): Promise<DeadLetter[]> {
    const items = await told(this.within(this.client.xrevrange(this.dead, '+', '-', 'COUNT', count)));
    return (items as StreamItem[]).map(deadLetterOf);
  }

  async revive(id: string): Promise<boolean> {
    if (!/^\d+-\d+$/.test(id)) return false;
    const [item] = (await told(this.within(this.client.xrange(this.dead, id, id)))) as StreamItem[];
    if (item === undefined) return false;
    const { stream, entry } = deadLetterOf(item);
    if (entry === null || !this.streams.includes(stream)) return false;
    return (await told(this.within(runScript(this.client, REVIVE, [this.dead, stream], [id])))) === 1;
  }

  async close(): Promise<void> {
    this.send();
    while (this.asked.size > 0) await Promise.race(this.asked);
    for (const reader of this.readers) await reader.close();
    this.link.close();
  }
}

function offeredOf(answer: string): Offered {
  if (answer === '=') return { kind: 'duplicate', differs: false };
  if (answer === '~') return { kind: 'duplicate', differs: true };
  if (answer.startsWith('!')) return { kind: 'full', length: Number(answer.slice(1)) };
  return { kind: 'queued', id: answer };
}

const factsOf = (flat: readonly unknown[]): Record<string, unknown> => {
  const facts: Record<string, unknown> = {};
  for (let i = 0; i + 1 < flat.length; i += 2) facts[String(flat[i])] = flat[i + 1];
  return facts;
};

/** What Redis says of its own files. A user without the right to ask is told so. */
async function durabilityOf(client: Redis): Promise<string> {
  try {
    const told = (await client.config('GET', 'append*')) as string[];
    const value = (name: string) => told[told.indexOf(name) + 1];
    if (value('appendonly') !== 'yes')
      return 'Redis keeps no append-only file: a crash of Redis loses what is queued';
    const how = value('appendfsync');
    if (how === 'always') return SYNCED;
    return how === 'everysec'
      ? 'Redis syncs once a second: a power cut may take one second'
      : 'Redis leaves syncing to the system: a power cut may take half a minute';
  } catch {
    return 'unknown: Redis does not tell its settings';
  }
}
