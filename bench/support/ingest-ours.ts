// Our endpoint over Redis Streams, its limits in Redis too, as it runs where a feed names one: node ingest-ours.ts REDIS_URL. Prints its port.
import { RedisBuckets, RedisStreams, WebhookServer } from '../../src/adapters/ingest/index.ts';
import { readRedisAddress } from '../../src/adapters/queue/redis-link.ts';
import { CONFIGS, SECRET, SIGNING_KEY, STREAM_LENGTH_MOST } from './ingest-work.ts';

const streams = await RedisStreams.open({
  address: readRedisAddress(process.argv[2]!),
  streams: CONFIGS.map(({ stream }) => stream),
  limits: { lengthMost: STREAM_LENGTH_MOST },
});
const server = new WebhookServer({
  streams,
  group: 's1',
  configs: CONFIGS,
  desks: [{ name: 's1', configs: CONFIGS.map(({ id }) => id) }],
  secrets: [SECRET],
  signingKeys: [SIGNING_KEY],
  buckets: new RedisBuckets(streams.client, { burst: 1e9, perSecond: 1e9 }),
});
const { port } = await server.listen(0);
process.stdout.write(`${port}\n`);
