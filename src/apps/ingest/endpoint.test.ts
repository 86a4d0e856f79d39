import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { signatureHeader, systemClock } from '#adapters';
import { RedisServer } from '../../../test/support/redis-server.ts';
import { openEndpoint } from './endpoint.ts';
import { ingestSettings, openStreams } from './ingest-settings.ts';
import { webhookFeed } from './webhook-feed.ts';

const SECRET = 'a-secret-of-the-address';
const KEY = 'a-key-of-the-signatures';
const closes: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closes.splice(0).reverse()) await close();
});

/** An endpoint of a feed over its queue, and the lines of its log. */
async function open(given: object = {}, env: Record<string, string> = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'quorum-endpoint-'));
  closes.push(() => rmSync(folder, { recursive: true, force: true }));
  const feed = webhookFeed.parse({ kind: 'webhook', listen: { port: 0 }, hmacKeyEnv: 'KEY', ...given });
  const settings = ingestSettings(feed, folder, { QUORUM_INGEST_SECRET: SECRET, KEY, ...env });
  const streams = await openStreams(settings);
  closes.push(() => streams.close());
  const lines: string[] = [];
  const endpoint = await openEndpoint(settings, streams, systemClock, (line) => lines.push(line));
  closes.push(() => endpoint.close());
  const post = async (body: string, secret = SECRET, headers: Record<string, string> = {}) => {
    const timestamp = String(Math.floor(Date.now() / 1_000));
    const signed = {
      'x-timestamp': timestamp,
      'x-signature': signatureHeader(KEY, timestamp, Buffer.from(body)),
    };
    const at = `http://127.0.0.1:${endpoint.port}/webhook/${secret}/s1`;
    const response = await fetch(at, { method: 'POST', body, headers: { ...signed, ...headers } });
    await response.text();
    return response.status;
  };
  return { endpoint, lines, post };
}

it('writes into its log whose request was refused, and why', async () => {
  const { lines, post } = await open({ proxies: ['127.0.0.1'] });
  expect(await post('{}', 'a-guess-of-the-secret', { 'x-forwarded-for': '192.0.2.7' })).toBe(401);
  expect(await post('{}', SECRET, { 'x-forwarded-for': '192.0.2.8' })).toBe(422);
  expect(lines).toEqual([
    expect.stringMatching(/^a request of 192\.0\.2\.7 was refused with 401 \(secret, secret [0-9a-f]{8}\): /),
    expect.stringMatching(/^a request of 192\.0\.2\.8 for s1 was refused with 422 \(config\): /),
  ]);
  expect(lines.join()).not.toContain(SECRET);
});

it('says that a proxy is not listed', async () => {
  const { lines, post } = await open();
  await post('{}', SECRET, { 'x-forwarded-for': '192.0.2.8' });
  expect(lines[0]).toContain('forwarded by 127.0.0.1, which is not under "proxies"');
});

const hasRedis = spawnSync('redis-server', ['--version']).status === 0;
if (!hasRedis)
  process.stdout.write('limits shared through Redis not tested: no redis-server on this machine\n');

it.runIf(hasRedis)('shares its limit with the others on one Redis', async () => {
  const redis = await RedisServer.start();
  if (typeof redis === 'string') throw new Error(redis);
  closes.push(() => redis.stop());
  const given = { streams: { kind: 'redis', urlEnv: 'REDIS' }, rate: { burst: 3, perSecond: 0.001 } };
  const [one, two] = [await open(given, { REDIS: redis.url }), await open(given, { REDIS: redis.url })];
  const told = [await one.post('{}'), await two.post('{}'), await one.post('{}'), await two.post('{}')];
  expect(told).toEqual([422, 422, 422, 429]);
  expect(await two.post('{}', 'a-guess-of-the-secret')).toBe(401);
});
