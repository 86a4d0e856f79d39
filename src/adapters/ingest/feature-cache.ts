import type { Redis } from 'ioredis';
import { told } from './redis-answers.ts';

/** Values by key for a while, such as the newest features of a config. Whatever is in it can be computed again. */
export interface FeatureCache {
  /** Null when there is none, or none any more. */
  get(key: string): Promise<string | null>;
  set(key: string, value: string, ttlMs: number): Promise<void>;
}

const KEYS_MOST = 10_000;

/** A cache of this process. When it is full, what was set first goes first. */
export class MemoryFeatureCache implements FeatureCache {
  private readonly values = new Map<string, { readonly value: string; readonly until: number }>();
  private readonly now: () => number;

  /** `now` in ms. */
  constructor(now: () => number = () => performance.now()) {
    this.now = now;
  }

  async get(key: string): Promise<string | null> {
    const found = this.values.get(key);
    if (found === undefined) return null;
    if (found.until > this.now()) return found.value;
    this.values.delete(key);
    return null;
  }

  async set(key: string, value: string, ttlMs: number): Promise<void> {
    this.values.delete(key);
    if (this.values.size >= KEYS_MOST) this.values.delete(this.values.keys().next().value!);
    this.values.set(key, { value, until: this.now() + ttlMs });
  }
}

/** A cache that every process on one Redis shares. Throws StreamsAway when Redis is away. */
export class RedisFeatureCache implements FeatureCache {
  private readonly client: Redis;
  private readonly prefix: string;

  constructor(client: Redis, prefix = 's1:features:') {
    this.client = client;
    this.prefix = prefix;
  }

  get(key: string): Promise<string | null> {
    return told(this.client.get(this.prefix + key));
  }

  async set(key: string, value: string, ttlMs: number): Promise<void> {
    await told(this.client.set(this.prefix + key, value, 'PX', Math.max(1, Math.ceil(ttlMs))));
  }
}
