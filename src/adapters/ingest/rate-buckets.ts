import type { Redis } from 'ioredis';
import { awayOf, within } from './redis-answers.ts';
import { type RedisScript, runScript, script } from './redis-scripts.ts';

/** How many requests one sender may make: `burst` at once, refilled at `perSecond`. */
export interface Rate {
  readonly burst: number;
  readonly perSecond: number;
}

/** Enough for sixteen configs that close at once, several times over. */
export const WEBHOOK_RATE: Rate = { burst: 200, perSecond: 20 };

/** A bucket for each sender. Answers how long (ms) the sender has to wait; 0 means go on. */
export interface RateBuckets {
  take(sender: string): number | Promise<number>;
}

interface Bucket {
  tokens: number;
  at: number;
}

const SENDERS_MOST = 10_000;
/** A wait is not made a millisecond longer by what floats are off. */
const ROUNDING = 1e-6;

/** Buckets of this process. When there are too many senders, the one that was made first is forgotten. */
export class MemoryBuckets implements RateBuckets {
  private readonly rate: Rate;
  private readonly now: () => number;
  private readonly buckets = new Map<string, Bucket>();

  /** `now` in ms, never going back. */
  constructor(rate: Rate, now: () => number = () => performance.now()) {
    this.rate = rate;
    this.now = now;
  }

  take(sender: string): number {
    const { burst, perSecond } = this.rate;
    const now = this.now();
    let bucket = this.buckets.get(sender);
    if (bucket === undefined) {
      if (this.buckets.size >= SENDERS_MOST) this.buckets.delete(this.buckets.keys().next().value!);
      bucket = { tokens: burst, at: now };
      this.buckets.set(sender, bucket);
    }
    bucket.tokens = Math.min(burst, bucket.tokens + ((now - bucket.at) / 1_000) * perSecond);
    bucket.at = now;
    if (bucket.tokens < 1) return Math.ceil(((1 - bucket.tokens) / perSecond) * 1_000 - ROUNDING);
    bucket.tokens -= 1;
    return 0;
  }
}

/** Keys: buckets. Values: burst, per second, then how many are wanted of each. Answers how many each may have, and its wait. */
const TAKE: RedisScript = script(`
local clock = redis.call('TIME')
local now = clock[1] * 1000 + clock[2] / 1000
local burst, rate, out = tonumber(ARGV[1]), tonumber(ARGV[2]), {}
for i = 1, #KEYS do
  local was = redis.call('HMGET', KEYS[i], 't', 'a')
  local tokens = tonumber(was[1]) or burst
  tokens = math.min(burst, tokens + math.max(0, now - (tonumber(was[2]) or now)) / 1000 * rate)
  local given = math.min(tonumber(ARGV[2 + i]), math.floor(tokens))
  tokens = tokens - given
  redis.call('HSET', KEYS[i], 't', string.format('%.6f', tokens), 'a', string.format('%.3f', now))
  redis.call('PEXPIRE', KEYS[i], math.ceil(burst / rate * 1000) + 1000)
  out[2 * i - 1] = given
  out[2 * i] = math.ceil(math.max(0, 1 - tokens) / rate * 1000)
end
return out
`);

interface Asking {
  readonly sender: string;
  readonly done: (waitMs: number) => void;
  readonly failed: (error: Error) => void;
}

/** Redis that has not said by then is away. */
const ANSWER_MS = 900;

/** Tokens taken beforehand for a sender that is at it: a tenth of the burst, at most so many, and for how long they count. */
const AHEAD_MOST = 20;
const AHEAD_MS = 1_000;

/**
 * Buckets that all endpoints on one Redis share. Requests of one turn of the event loop are asked for together, and a few
 * more tokens with them: a bar must not wait for two answers of Redis, each of which may wait for a disk. All endpoints
 * together never give more than the rate; what one took beforehand and did not need in a second is lost.
 */
export class RedisBuckets implements RateBuckets {
  private readonly client: Redis;
  private readonly rate: Rate;
  private readonly prefix: string;
  private readonly ahead: number;
  private readonly taken = new Map<string, { left: number; readonly until: number }>();
  private asking: Asking[] = [];

  constructor(client: Redis, rate: Rate, prefix = 's1:rate:') {
    this.ahead = Math.min(AHEAD_MOST, Math.floor(rate.burst / 10));
    this.client = client;
    this.rate = rate;
    this.prefix = prefix;
  }

  /** Throws StreamsAway when Redis is away. */
  take(sender: string): number | Promise<number> {
    const taken = this.taken.get(sender);
    if (taken !== undefined) {
      if (taken.left > 0 && performance.now() < taken.until) {
        taken.left--;
        return 0;
      }
      this.taken.delete(sender);
    }
    return new Promise((done, failed) => {
      this.asking.push({ sender, done, failed });
      if (this.asking.length === 1) setImmediate(this.ask);
    });
  }

  private keep(sender: string, left: number): void {
    if (this.taken.size >= SENDERS_MOST) this.taken.delete(this.taken.keys().next().value!);
    this.taken.set(sender, { left, until: performance.now() + AHEAD_MS });
  }

  private readonly ask = async (): Promise<void> => {
    const { asking, rate } = this;
    this.asking = [];
    const bySender = Map.groupBy(asking, ({ sender }) => sender);
    const keys = [...bySender.keys()].map((sender) => this.prefix + sender);
    const wanted = [...bySender.values()].map(({ length }) => length + this.ahead);
    try {
      const values = [rate.burst, rate.perSecond, ...wanted];
      const answer = (await within(ANSWER_MS, runScript(this.client, TAKE, keys, values))) as number[];
      let i = 0;
      for (const [sender, those] of bySender) {
        const given = answer[i++]!;
        const waitMs = Math.max(1, answer[i++]!);
        for (let n = 0; n < those.length; n++) those[n]!.done(n < given ? 0 : waitMs);
        if (given > those.length) this.keep(sender, given - those.length);
      }
    } catch (error) {
      for (const { failed } of asking) failed(awayOf(error));
    }
  };
}
