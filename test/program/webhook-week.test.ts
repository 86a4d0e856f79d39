import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type PostgresServer, startPostgres } from '../adapters/postgres-server.ts';
import { RedisServer } from '../support/redis-server.ts';
import { WebhookTape } from '../support/webhook-tape.ts';
import { judgeWeek } from '../support/webhook-verdict.ts';
import { WebhookWeek } from '../support/webhook-week.ts';

/** The whole week is lived through by `npm run webhook-week`; here some hours of it, with every kind of mishap. */
const MINUTES = 150;
const BARS = (4 * MINUTES * (15 + 5 + 3 + 1)) / 15;
const KILLS = { worker: 37, endpoint: 67, loop: 89 };

let tape: WebhookTape;
let postgres: PostgresServer | string;
let redis: RedisServer | string;
beforeAll(async () => {
  [tape, postgres, redis] = await Promise.all([WebhookTape.open(), startPostgres(), RedisServer.start()]);
});
afterAll(async () => {
  if (typeof postgres !== 'string') await postgres.stop();
  if (typeof redis !== 'string') await redis.stop();
});

let week: WebhookWeek | null = null;
afterEach(async () => {
  await week?.close();
  week = null;
});

async function lifeOf(servers: { redis: string; database: string } | null) {
  const options = { tape, servers, minutes: MINUTES, seed: 'hours', workers: 2, killEvery: KILLS };
  week = new WebhookWeek({ ...options, silent: ['XRP'] });
  await week.open();
  await week.run();
  await week.endAll();
  return { verdict: await judgeWeek(week), mishaps: week.mishaps };
}

describe('sixteen configs through the webhook, whatever is dropped, delayed, repeated, changed and killed', () => {
  it.each(['Redis and PostgreSQL', 'the embedded queue and store'])('with %s', async (kind) => {
    let servers: { redis: string; database: string } | null = null;
    if (kind === 'Redis and PostgreSQL') {
      if (typeof postgres === 'string' || typeof redis === 'string') {
        process.stdout.write(`skipped: the webhook with ${kind} (${postgres}, ${redis})\n`);
        return;
      }
      servers = { redis: redis.url, database: await postgres.newDatabase() };
    }
    const { verdict, mishaps } = await lifeOf(servers);
    expect(verdict.faults).toEqual([]);
    expect(verdict.bars).toBe(BARS);
    expect(verdict.told + verdict.lookedUp).toBe(BARS);
    expect(verdict.lookedUp).toBeGreaterThan(mishaps.dropped / 2);
    expect(verdict.differences).toBeGreaterThan(0);
    // it was a market in which something was done, and one symbol's desks had to hold behind what was dropped
    expect(verdict.trades).toBeGreaterThan(10);
    expect(verdict.desksThatTraded).toBeGreaterThan(3);
    expect(verdict.silent).toBeGreaterThan(0);
    for (const [what, times] of Object.entries(mishaps))
      if (what !== 'unheard') expect(times, what).toBeGreaterThan(0);
  });
});
