import type { Redis } from 'ioredis';
import { z } from 'zod';
import { canonicalJson, sha256 } from '#base';
import { pieceSchema } from './pieces.ts';

/** One work that is spread over machines: everything that decides its results, or the hash of it. */
const workSchema = z.strictObject({
  format: z.literal(1),
  /** What sort of work it is; see the table of work kinds. */
  kind: z.string().regex(/^[a-z-]{1,30}$/),
  /** Hash of all of the program's code and what runs it: another version's results are not mixed in. */
  program: z.string().regex(/^[0-9a-f]{64}$/),
  /** For people. */
  title: z.string().min(1).max(200),
  /** Of the kind. */
  plan: z.json(),
  /** Data by name, in pieces. */
  pieces: z.record(z.string().max(60), z.array(pieceSchema)),
});
export type WorkDocument = z.output<typeof workSchema>;

/** Names a work by its contents. */
export const workIdOf = (document: WorkDocument): string => sha256(canonicalJson(document));

/** A worker as others see it. */
const workerSchema = z.strictObject({
  program: z.string().regex(/^[0-9a-f]{64}$/),
  host: z.string().max(200),
  pid: z.int(),
  threads: z.int(),
});
export type WorkerCard = z.output<typeof workerSchema>;

/** An entry is gone this long after whoever wrote it last said that it lives. */
export const LIFE_S = 30;
/** Works whose giver has not been seen for this long are cleared away by workers. */
const FORGOTTEN_MS = 24 * 3_600_000;
/** Most works that are looked at. */
const WORKS_MAX = 1_000;

const WORKS = 'quorum:works';
const WORKERS = 'quorum:workers';
const workKey = (id: string) => `quorum:work:${id}`;
const refusalsKey = (id: string) => `quorum:refusals:${id}`;

/** Name of the BullMQ queue of a work. */
export const queueName = (id: string): string => `work-${id.slice(0, 32)}`;
/** Prefix of everything that BullMQ keeps. */
export const QUEUE_PREFIX = 'quorum:queue';

/**
 * What is to be done and who is there to do it, in Redis. Everything on it is checked when it is read: anyone who reaches
 * that Redis can write there.
 */
export class WorkBoard {
  private readonly client: Redis;

  constructor(client: Redis) {
    this.client = client;
  }

  /** Puts a work up, or says that its giver still lives. */
  async announce(id: string, document: WorkDocument, now: number): Promise<void> {
    await this.client.set(workKey(id), canonicalJson(document), 'EX', LIFE_S);
    await this.client.zadd(WORKS, String(now), id);
  }

  async withdraw(id: string): Promise<void> {
    await this.client.del(workKey(id), refusalsKey(id));
    await this.client.zrem(WORKS, id);
  }

  /** Works whose givers live, oldest sighting first. */
  async works(): Promise<string[]> {
    const ids = (await this.client.zrange(WORKS, '0', String(WORKS_MAX - 1))).filter(isId);
    const there = await Promise.all(ids.map((id) => this.client.exists(workKey(id))));
    return ids.filter((_, i) => there[i] === 1);
  }

  /** Null when there is no such work any more; `damaged` when what stands there is not it. */
  async read(id: string): Promise<WorkDocument | 'damaged' | null> {
    const text = await this.client.get(workKey(id));
    if (text === null) return null;
    const read = workSchema.safeParse(parsed(text));
    return read.success && workIdOf(read.data) === id ? read.data : 'damaged';
  }

  isThere(id: string): Promise<boolean> {
    return this.client.exists(workKey(id)).then((n) => n === 1);
  }

  /** Works of givers that were killed long ago. */
  async forgotten(now: number): Promise<string[]> {
    const ids = await this.client.zrangebyscore(WORKS, '-inf', String(now - FORGOTTEN_MS));
    return ids.filter(isId);
  }

  /** A worker says that it lives. */
  async signIn(worker: string, card: WorkerCard): Promise<void> {
    await this.client.set(`${WORKERS}:${worker}`, JSON.stringify(card), 'EX', LIFE_S);
    await this.client.sadd(WORKERS, worker);
  }

  async signOut(worker: string): Promise<void> {
    await this.client.del(`${WORKERS}:${worker}`);
    await this.client.srem(WORKERS, worker);
  }

  async workers(): Promise<WorkerCard[]> {
    const cards: WorkerCard[] = [];
    for (const worker of await this.client.smembers(WORKERS)) {
      const text = await this.client.get(`${WORKERS}:${worker}`);
      if (text === null) await this.client.srem(WORKERS, worker);
      const read = text === null ? null : workerSchema.safeParse(parsed(text));
      if (read?.success) cards.push(read.data);
    }
    return cards;
  }

  /** Why a worker does not take part in a work; null takes that back. */
  async refuse(id: string, worker: string, why: string | null): Promise<void> {
    if (why === null) await this.client.hdel(refusalsKey(id), worker);
    else {
      await this.client.hset(refusalsKey(id), worker, why.slice(0, 1_000));
      await this.client.expire(refusalsKey(id), 10 * LIFE_S);
    }
  }

  async refusals(id: string): Promise<string[]> {
    return Object.values(await this.client.hgetall(refusalsKey(id)));
  }
}

const isId = (text: string): boolean => /^[0-9a-f]{64}$/.test(text);

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return null;
  }
}
