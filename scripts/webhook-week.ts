// A week of market for all sixteen S1 configs through the real programs: signed requests, queue, workers, store and the loop
// that trades on paper. Bars are dropped, delayed, repeated, changed and put out of order, programs are killed all the time.
// --days N lives through fewer days, --embedded takes the embedded queue and store instead of Redis and PostgreSQL.
import { parseArgs } from 'node:util';
import { type PostgresServer, startPostgres } from '../test/adapters/postgres-server.ts';
import { RedisServer } from '../test/support/redis-server.ts';
import { WebhookTape } from '../test/support/webhook-tape.ts';
import { judgeWeek } from '../test/support/webhook-verdict.ts';
import { WebhookWeek } from '../test/support/webhook-week.ts';

const { values } = parseArgs({
  options: {
    days: { type: 'string', default: '7' },
    seed: { type: 'string', default: 'week' },
    embedded: { type: 'boolean', default: false },
  },
});
const minutes = Math.round(Number(values.days) * 1_440);
const say = (line: string) => process.stdout.write(`${line}\n`);

const tape = await WebhookTape.open();
let redis: RedisServer | string | null = null;
let postgres: PostgresServer | string | null = null;
if (!values.embedded) {
  redis = await RedisServer.start();
  postgres = await startPostgres();
  if (typeof redis === 'string' || typeof postgres === 'string')
    throw new Error(`${redis}; ${postgres}: --embedded needs neither`);
}
const servers =
  redis instanceof RedisServer && postgres !== null && typeof postgres !== 'string'
    ? { redis: redis.url, database: await postgres.newDatabase() }
    : null;
say(
  `${values.days} days of ${tape.isRecorded ? 'recorded' : 'made-up'} market from ${new Date(tape.start).toISOString()} ` +
    `through ${servers === null ? 'the embedded queue and store' : 'Redis and PostgreSQL'}`,
);
const week = new WebhookWeek({
  tape,
  servers,
  minutes,
  seed: values.seed,
  workers: 3,
  killEvery: { worker: 61, endpoint: 487, loop: 733 },
  say,
});
try {
  const began = performance.now();
  await week.open();
  await week.run();
  await week.endAll();
  say(`lived through in ${((performance.now() - began) / 1e3).toFixed(0)} s`);
  const { faults, ...figures } = await judgeWeek(week);
  say(JSON.stringify({ ...week.mishaps, ...figures }, null, 2));
  for (const fault of faults) say(`FAULT ${fault}`);
  say(faults.length === 0 ? 'every bar once, nothing lost, nothing done twice' : 'NOT as it should be');
  if (faults.length > 0) process.exitCode = 1;
} finally {
  await week.close();
  if (redis instanceof RedisServer) await redis.stop();
  if (postgres !== null && typeof postgres !== 'string') await postgres.stop();
}
