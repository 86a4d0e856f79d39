// The same with Fastify and ioredis, as their documentation shows them: node ingest-fastify.ts REDIS_URL. Prints its port.
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import Fastify, { type FastifyRequest } from 'fastify';
import { Redis } from 'ioredis';
import { CONFIGS, PEER_LIMIT, PEER_LIMIT_SCRIPT, PEER_SCRIPT, SECRET, SIGNING_KEY } from './ingest-work.ts';

interface BarBody {
  readonly config_id: string;
  readonly bar_time: number;
  readonly open: number;
  readonly high: number;
  readonly low: number;
  readonly close: number;
  readonly volume: number;
  readonly pine?: Record<string, number>;
}

// commands of one turn of the event loop go out together, as ours do
const redis = new Redis(process.argv[2]!, { enableAutoPipelining: true });
redis.defineCommand('offerBar', { numberOfKeys: 2, lua: PEER_SCRIPT });
redis.defineCommand('countRequest', { numberOfKeys: 1, lua: PEER_LIMIT_SCRIPT });
const { offerBar, countRequest } = redis as unknown as {
  offerBar(...given: (string | number)[]): Promise<string>;
  countRequest(key: string): Promise<number>;
};

const configs = new Map(CONFIGS.map((config) => [config.id, config]));
const raw = new WeakMap<FastifyRequest, Buffer>();
const app = Fastify({ bodyLimit: 65_536 });
app.removeAllContentTypeParsers();
app.addContentTypeParser(['application/json', 'text/plain'], { parseAs: 'buffer' }, (request, body, done) => {
  raw.set(request, body as Buffer);
  try {
    done(null, JSON.parse(body.toString()));
  } catch (error) {
    done(Object.assign(error as Error, { statusCode: 400 }), undefined);
  }
});

const secret = createHash('sha256').update(SECRET).digest();
const number = { type: 'number' } as const;
const price = { type: 'number', exclusiveMinimum: 0 } as const;
const schema = {
  body: {
    type: 'object',
    required: ['config_id', 'bar_time', 'open', 'high', 'low', 'close', 'volume'],
    properties: {
      config_id: { type: 'string' },
      bar_time: { type: 'integer' },
      open: price,
      high: price,
      low: price,
      close: price,
      volume: { type: 'number', minimum: 0 },
      pine: { type: 'object', additionalProperties: number },
      sent_at: number,
    },
  },
  response: {
    '2xx': { type: 'object', properties: { ok: { type: 'boolean' }, duplicate: { type: 'boolean' } } },
  },
} as const;

app.post<{ Params: { secret: string }; Body: BarBody }>(
  '/webhook/:secret/s1',
  { schema },
  async (request, reply) => {
    if ((await countRequest.call(redis, `s1:rate:${request.ip}`)) > PEER_LIMIT)
      return reply.code(429).send({ error: 'rate' });
    const given = createHash('sha256').update(request.params.secret).digest();
    if (!timingSafeEqual(given, secret)) return reply.code(401).send({ error: 'secret' });
    const timestamp = String(request.headers['x-timestamp']);
    if (!(Math.abs(Date.now() / 1_000 - Number(timestamp)) <= 300))
      return reply.code(401).send({ error: 'timestamp' });
    const signed = createHmac('sha256', SIGNING_KEY)
      .update(`${timestamp}.`)
      .update(raw.get(request)!)
      .digest();
    const claimed = Buffer.from(String(request.headers['x-signature']).slice(7), 'hex');
    if (claimed.length !== signed.length || !timingSafeEqual(signed, claimed)) {
      return reply.code(401).send({ error: 'signature' });
    }
    const { config_id, bar_time, open, high, low, close, volume, pine } = request.body;
    const config = configs.get(config_id);
    if (config === undefined || bar_time % config.intervalMs !== 0)
      return reply.code(422).send({ error: 'config' });
    if (high < Math.max(open, close) || low > Math.min(open, close))
      return reply.code(422).send({ error: 'bar' });
    const text = JSON.stringify({ config_id, bar_time, open, high, low, close, volume, pine });
    const hash = createHash('sha256').update(text).digest('hex').slice(0, 32);
    const key = `s1:seen:${config_id}:${bar_time}`;
    const answer = await offerBar.call(
      redis,
      key,
      config.stream,
      hash,
      config_id,
      bar_time,
      Date.now(),
      text,
    );
    const isNew = answer !== '=' && answer !== '~';
    return reply.code(isNew ? 202 : 200).send({ ok: true, duplicate: !isNew });
  },
);

await app.listen({ port: 0, host: '127.0.0.1' });
process.stdout.write(`${(app.server.address() as AddressInfo).port}\n`);
