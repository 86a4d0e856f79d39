/**
 * Lives through simulated days with everything that can go wrong and several crashes each.
 *
 *     npm run simulate -- [--seeds 1000] [--from 0] [--jobs N]
 *     npm run simulate -- --seed 417          one day alone, with what happened in it
 *
 * Prints the first failing seeds and how to repeat them; exit code 1 if there are any.
 */
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { deathsOf, liveThrough } from '../test/simulation/lives.ts';

interface Share {
  readonly from: number;
  readonly until: number;
  readonly step: number;
}

interface Told {
  readonly seed: number;
  readonly error: string | null;
  readonly orders: number;
  readonly fills: number;
}

function live(seed: number): Told {
  try {
    const { orders, fills } = liveThrough(seed);
    return { seed, error: null, orders, fills };
  } catch (error) {
    return { seed, error: (error as Error).stack ?? String(error), orders: 0, fills: 0 };
  }
}

function one(seed: number): number {
  process.stdout.write(`seed ${seed}, crashes at boundaries ${deathsOf(seed).join(', ')}\n`);
  const outcome = liveThrough(seed);
  const { journal: _, commands, ...rest } = outcome;
  process.stdout.write(
    `${JSON.stringify({ ...rest, commands: commands.length, counts: undefined }, null, 2)}\n`,
  );
  return 0;
}

async function all(from: number, count: number, jobs: number): Promise<number> {
  const started = Date.now();
  const failed: Told[] = [];
  let done = 0;
  let orders = 0;
  let fills = 0;
  const hear = (told: Told) => {
    done += 1;
    orders += told.orders;
    fills += told.fills;
    if (told.error !== null) {
      failed.push(told);
      process.stdout.write(`seed ${told.seed} FAILED: ${told.error.split('\n')[0]}\n`);
      process.stdout.write(`  alone: npm run simulate -- --seed ${told.seed}\n`);
    }
    if (done % 50 === 0 || done === count) {
      const seconds = ((Date.now() - started) / 1000).toFixed(0);
      process.stdout.write(
        `${done}/${count} days, ${orders} orders, ${fills} fills, ${failed.length} failed, ${seconds} s\n`,
      );
    }
  };
  const workers = Array.from({ length: Math.min(jobs, count) }, (_, job) => {
    const share: Share = { from: from + job, until: from + count, step: jobs };
    return new Promise<void>((resolve, reject) => {
      const worker = new Worker(new URL(import.meta.url), { workerData: share });
      worker.on('message', hear);
      worker.on('error', reject);
      worker.on('exit', () => resolve());
    });
  });
  await Promise.all(workers);
  return failed.length === 0 && done === count ? 0 : 1;
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      seeds: { type: 'string', default: '1000' },
      from: { type: 'string', default: '0' },
      seed: { type: 'string' },
      jobs: { type: 'string', default: String(Math.min(8, availableParallelism())) },
    },
  });
  const whole = (name: string, text: string, least: number): number => {
    const n = Number(text);
    if (Number.isSafeInteger(n) && n >= least) return n;
    process.stderr.write(`--${name} ${text}: give a whole number from ${least} up\n`);
    process.exit(2);
  };
  if (values.seed !== undefined) return one(whole('seed', values.seed, 0));
  return all(whole('from', values.from, 0), whole('seeds', values.seeds, 1), whole('jobs', values.jobs, 1));
}

if (isMainThread) {
  process.exitCode = await main();
} else {
  const { from, until, step } = workerData as Share;
  for (let seed = from; seed < until; seed += step) parentPort!.postMessage(live(seed));
}
