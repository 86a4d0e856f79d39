import { setTimeout as sleep } from 'node:timers/promises';
import type { Redis, RedisOptions } from 'ioredis';
import { InputError } from '#base';
import { UnreachableError } from '../feeds/feed-clock.ts';

/** Where a Redis is. `shown` has neither user nor password, and is all that may be written anywhere. */
export interface RedisAddress {
  readonly shown: string;
  readonly options: RedisOptions;
}

const FORM = 'write redis://HOST:PORT, redis://USER:PASSWORD@HOST:PORT/DB, or rediss:// for TLS';

/**
 * Reads `redis://[[user]:password@]host[:port][/db]`, `rediss://` with TLS. `password` is taken where the address has none.
 * `given` names where it stands. Throws InputError that does not repeat what it was given: it may hold a password.
 */
export function readRedisAddress(
  text: string,
  password: string | null = null,
  given = 'after --queue',
): RedisAddress {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw new InputError(`the address ${given} is no URL`, FORM);
  }
  if (url.protocol !== 'redis:' && url.protocol !== 'rediss:') {
    throw new InputError(`the address ${given} begins with ${url.protocol}//`, FORM);
  }
  const db = /^\/?(\d{0,5})$/.exec(url.pathname)?.[1];
  if (url.hostname === '' || db === undefined || url.search !== '' || url.hash !== '') {
    throw new InputError(
      `the address ${given} names ${url.hostname === '' ? 'no host' : 'no database by number'}`,
      FORM,
    );
  }
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const port = url.port === '' ? 6379 : Number(url.port);
  const secret = url.password === '' ? password : decoded(url.password, given);
  return {
    shown: `${url.protocol}//${url.hostname}:${port}${db === '' ? '' : `/${db}`}`,
    options: {
      host,
      port,
      db: Number(db),
      ...(url.username === '' ? {} : { username: decoded(url.username, given) }),
      ...(secret === null ? {} : { password: secret }),
      ...(url.protocol === 'rediss:' ? { tls: {} } : {}),
    },
  };
}

function decoded(part: string, given: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw new InputError(`user or password ${given} is not percent-encoded`, 'write % as %25');
  }
}

/** Longest wait for the first answer. */
const FIRST_ANSWER_MS = 5_000;
/** How long a Redis that was there may be away before the work is given up. */
const AWAY_MS = 10 * 60_000;
/** Redis 7 is what the tests run on; before 6.2 BullMQ lacks commands. */
const OLDEST = [6, 2] as const;

/**
 * A connection to Redis that comes back by itself. Commands wait while it is away; {@link RedisLink.patiently} bounds that.
 * Throws UnreachableError when nothing answers at first, InputError when the password is refused.
 */
export class RedisLink {
  readonly shown: string;
  readonly client: Redis;
  private readonly others: Redis[] = [];
  /** When it went away; null while it is there. */
  private awaySince: number | null = null;

  private constructor(address: RedisAddress, client: Redis) {
    this.shown = address.shown;
    this.client = client;
    client.on('close', () => {
      this.awaySince ??= Date.now();
    });
    client.on('ready', () => {
      this.awaySince = null;
    });
  }

  /** `other` settings of the client stand in for ours, for one whose commands must not wait. */
  static async connect(address: RedisAddress, other: Partial<RedisOptions> = {}): Promise<RedisLink> {
    const { Redis } = await import('ioredis');
    const client = new Redis({
      ...address.options,
      lazyConnect: true,
      connectTimeout: FIRST_ANSWER_MS,
      // waits for Redis to come back: BullMQ asks for it
      maxRetriesPerRequest: null,
      retryStrategy: (times) => Math.min(50 * times, 1_000),
      ...other,
    });
    let reason = 'it does not answer';
    client.on('error', (error: Error) => {
      reason = error.message;
    });
    const link = new RedisLink(address, client);
    const answer = client.connect().then(() => client.info('server'));
    const info = await Promise.race([answer.catch(() => null), sleep(FIRST_ANSWER_MS, null, { ref: false })]);
    if (info === null) {
      client.disconnect();
      if (/NOAUTH|WRONGPASS|NOPERM|without any password/.test(reason)) {
        throw new InputError(
          `Redis at ${address.shown} refuses user or password`,
          'give them as redis://USER:PASSWORD@HOST:PORT, or the password in QUORUM_QUEUE_PASSWORD',
        );
      }
      throw new UnreachableError(
        `Redis at ${address.shown} cannot be reached (${reasonOf(reason)})`,
        'start it, or check its host and port',
      );
    }
    const version = /redis_version:(\d+)\.(\d+)/.exec(info);
    const isOld =
      version !== null &&
      (Number(version[1]) < OLDEST[0] ||
        (Number(version[1]) === OLDEST[0] && Number(version[2]) < OLDEST[1]));
    if (isOld) {
      client.disconnect();
      throw new InputError(
        `Redis at ${address.shown} is version ${version[1]}.${version[2]}`,
        `take ${OLDEST.join('.')} or newer`,
      );
    }
    return link;
  }

  get isAway(): boolean {
    return this.awaySince !== null;
  }

  /** As {@link another}, once it is there. Throws what kept it away. */
  async ready(): Promise<Redis> {
    const client = this.client.duplicate({ lazyConnect: true });
    client.on('error', () => {});
    this.others.push(client);
    await client.connect();
    return client;
  }

  /** A further connection for commands that block. */
  another(): Redis {
    const client = this.client.duplicate();
    client.on('error', () => {});
    this.others.push(client);
    return client;
  }

  /**
   * Waits for commands. Null when `signal` ends it first; UnreachableError when Redis has been away for ten minutes.
   */
  async patiently<T>(commands: Promise<T>, signal: AbortSignal): Promise<T | null> {
    // whoever stops waiting does not want to hear of it
    commands.catch(() => {});
    const end = new AbortController();
    const watch = async (): Promise<null> => {
      while (!signal.aborted && !end.signal.aborted) {
        if (this.awaySince !== null && Date.now() - this.awaySince > AWAY_MS) {
          throw new UnreachableError(
            `Redis at ${this.shown} has been away for ${AWAY_MS / 60_000} minutes`,
            'start it again; the same command goes on with --out',
          );
        }
        await sleep(100, null, { ref: false });
      }
      return null;
    };
    try {
      return await Promise.race([commands, watch()]);
    } finally {
      end.abort();
    }
  }

  close(): void {
    for (const client of [this.client, ...this.others]) client.disconnect();
  }
}

/** What the operating system says of it, without what may name more than the address. */
const reasonOf = (message: string): string => /\bE[A-Z]{4,}\b/.exec(message)?.[0] ?? 'no answer';
