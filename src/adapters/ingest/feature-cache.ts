import type { Redis } from 'ioredis';
import { told } from './redis-answers.ts';

/** Values by key for a while, shared by every process on one Redis. Whatever is in it can be had again elsewhere. */
export class RedisFeatureCache {
  private readonly client: Redis;
  private readonly prefix: string;

  constructor(client: Redis, prefix = 's1:features:') {
    this.client = client;
    this.prefix = prefix;
  }

  /** Null when there is none, or none any more. Throws StreamsAway when Redis is away. */
  get(key: string): Promise<string | null> {
    return told(this.client.get(this.prefix + key));
  }

  /** Throws StreamsAway when Redis is away. */
  async set(key: string, value: string, ttlMs: number): Promise<void> {
    await told(this.client.set(this.prefix + key, value, 'PX', Math.max(1, Math.ceil(ttlMs))));
  }
}
