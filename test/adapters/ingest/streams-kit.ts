import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type BarEntry,
  type BarStreams,
  barEntry,
  EmbeddedStreams,
  RedisStreams,
  readRedisAddress,
  type StreamLimits,
} from '#adapters';
import { RedisServer } from '../../support/redis-server.ts';

export const BTC = 's1.rx68.btc.15m';
export const ETH = 's1.rx68.eth.1m';
export const T0 = 1_700_000_100_000;
export const QUARTER = 900_000;

/** Bar number `n` of a config; a different close makes a different body. */
export const entryAt = (n: number, close = 101, config = 'S1_RX68_BTC_15M'): BarEntry =>
  barEntry(
    {
      config,
      barTime: T0 + n * QUARTER,
      open: 100,
      high: 110,
      low: 90,
      close,
      volume: 5,
      pine: { rsi14: 50 },
      sentAt: null,
    },
    T0,
  );

/** A queue of one kind: opened as often as wanted over the same data. */
export interface QueuePlace {
  readonly kind: 'redis' | 'embedded';
  /** What another process needs to open it. */
  readonly where: string;
  open(limits?: Partial<StreamLimits>): Promise<BarStreams>;
  /** Empties it. */
  clear(): Promise<void>;
  stop(): Promise<void>;
}

export function openOf(kind: string, where: string, limits?: Partial<StreamLimits>): Promise<BarStreams> {
  const streams = [BTC, ETH];
  const given = limits === undefined ? {} : { limits };
  return kind === 'redis'
    ? RedisStreams.open({ address: readRedisAddress(where), streams, ...given })
    : EmbeddedStreams.open({ file: where, streams, ...given });
}

export async function redisPlace(): Promise<(QueuePlace & { readonly server: RedisServer }) | string> {
  const server = await RedisServer.start();
  if (typeof server === 'string') return server;
  return {
    kind: 'redis',
    where: server.url,
    server,
    open: (limits) => openOf('redis', server.url, limits),
    clear: () => server.with(async (client) => void (await client.flushall())),
    stop: () => server.stop(),
  };
}

export async function embeddedPlace(): Promise<QueuePlace> {
  const folder = mkdtempSync(join(tmpdir(), 'quorum-ingest-'));
  const file = join(folder, 'queue.sqlite');
  return {
    kind: 'embedded',
    where: file,
    open: (limits) => openOf('embedded', file, limits),
    clear: async () => {
      for (const end of ['', '-wal', '-shm']) rmSync(file + end, { force: true });
    },
    stop: async () => rmSync(folder, { recursive: true, force: true }),
  };
}
