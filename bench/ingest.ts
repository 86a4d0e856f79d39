// What one signed bar costs the process that takes it: our endpoint, a Fastify app and a FastAPI app, each over the same
// Redis that syncs every write. All limit their senders through Redis, verify secret and signature, parse, check the bar, and answer once gate and entry are in
// Redis; over connections that are kept, and with one for each request, as a proxy without keepalive asks (what ours reads
// quickly it then reads with node:http). One load generator in a process of its own; rounds take turns. CPU is user and system time of the server's process.
// npm run bench:ingest [-- REQUESTS ROUNDS SENDERS]
import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { RedisServer } from '../test/support/redis-server.ts';
import {
  CONFIGS,
  PEER_LIMIT,
  PEER_LIMIT_SCRIPT,
  PEER_SCRIPT,
  SECRET,
  SIGNING_KEY,
} from './support/ingest-work.ts';
import { median } from './support/measure.ts';

const [requests = 8_000, rounds = 5, connections = 32] = process.argv.slice(2).map(Number);
/** Until the compilers of the Node servers have settled; Python compiles nothing while it runs. */
const WARM_UP = { ours: 20_000, fastify: 20_000, fastapi: 2_000 };
/** Before each round and not counted: a server that was idle while the others had their turns has to wake up. */
const LEAD = 1_000;
const PYTHON = '/usr/bin/python3';
const at = (name: string) => fileURLToPath(new URL(`./support/${name}`, import.meta.url));
const run = promisify(execFile);

interface Load {
  readonly statuses: Record<string, number>;
  readonly seconds: number;
  readonly p50: number;
  readonly p99: number;
}

interface Round extends Load {
  readonly cpuUs: number;
}

/** Connections kept, or one for each request. */
const WAYS = ['keep', 'each'] as const;
type Way = (typeof WAYS)[number];

interface Contender {
  readonly name: keyof typeof WARM_UP;
  readonly child: ChildProcess;
  readonly port: number;
  readonly rounds: Readonly<Record<Way, Round[]>>;
}

async function start(name: Contender['name'], program: string, args: readonly string[]): Promise<Contender> {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] =
    (await createInterface({ input: child.stdout! })[Symbol.asyncIterator]().next()).value?.split('\n') ?? [];
  if (!(Number(line) > 0)) throw new Error(`${name} did not start`);
  return { name, child, port: Number(line), rounds: { keep: [], each: [] } };
}

const TICKS_PER_S = Number(spawnSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }).stdout) || 100;

/** User and system time of a process, s. */
function cpuOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_S;
}

async function load({ port }: Contender, many: number, way: Way): Promise<Load> {
  const args = [at('ingest-load.ts'), ...[port, many, connections, 0, way].map(String)];
  return JSON.parse((await run(process.execPath, args)).stdout) as Load;
}

const python = spawnSync(
  PYTHON,
  [
    '-c',
    'import fastapi, uvicorn, redis; print(fastapi.__version__, uvicorn.__version__, redis.__version__)',
  ],
  {
    encoding: 'utf8',
  },
);
const redis = await RedisServer.start();
if (typeof redis === 'string') throw new Error(redis);
const contenders: Contender[] = [];
try {
  contenders.push(await start('ours', process.execPath, [at('ingest-ours.ts'), redis.url]));
  contenders.push(await start('fastify', process.execPath, [at('ingest-fastify.ts'), redis.url]));
  if (python.status === 0) {
    const settings = JSON.stringify({
      configs: CONFIGS,
      secret: SECRET,
      key: SIGNING_KEY,
      script: PEER_SCRIPT,
      limitScript: PEER_LIMIT_SCRIPT,
      limit: PEER_LIMIT,
    });
    contenders.push(await start('fastapi', PYTHON, [at('ingest-fastapi.py'), redis.url, settings]));
  } else
    process.stdout.write('no FastAPI: python3-fastapi, python3-uvicorn and python3-redis are not there\n');

  for (const contender of contenders) {
    await redis.with((client) => client.flushall());
    for (const way of WAYS) await load(contender, WARM_UP[contender.name] / WAYS.length, way);
  }
  for (let round = 0; round < rounds; round++) {
    const turns = WAYS.flatMap((way) => contenders.map((_, turn) => ({ way, turn })));
    for (const { way, turn } of turns) {
      const contender = contenders[(turn + round) % contenders.length]!;
      await redis.with((client) => client.flushall());
      await load(contender, LEAD, way);
      await redis.with((client) => client.flushall());
      const before = cpuOf(contender.child.pid!);
      const told = await load(contender, requests, way);
      const cpuUs = ((cpuOf(contender.child.pid!) - before) / requests) * 1e6;
      const kept = await redis.with(async (client) => {
        const lengths = await Promise.all(CONFIGS.map(({ stream }) => client.xlen(stream)));
        return lengths.reduce((sum, length) => sum + length, 0);
      });
      const wanted = requests - Math.floor(requests / 20);
      if (told.statuses['202'] !== wanted || kept !== wanted || told.statuses['200'] !== requests - wanted) {
        throw new Error(`${contender.name} took ${kept} of ${wanted} bars: ${JSON.stringify(told.statuses)}`);
      }
      contender.rounds[way].push({ ...told, cpuUs });
    }
  }
  report();
} finally {
  for (const { child } of contenders) child.kill('SIGKILL');
  await redis.stop();
}

function report(): void {
  const of = (name: string, way: Way, what: (round: Round) => number) =>
    median(contenders.find((one) => one.name === name)!.rounds[way].map(what));
  process.stdout.write(
    `${requests} requests a round of ${connections} senders, ${rounds} rounds in turns; medians of rounds\n` +
      `Node ${process.version}; FastAPI, uvicorn, redis ${python.stdout.trim() || 'absent'} (h11 and asyncio: uvloop, httptools and hiredis are not installed)\n\n` +
      '           connection  CPU us/request    requests/s    p50 ms    p99 ms\n',
  );
  for (const way of WAYS) for (const contender of contenders) row(contender, way);
  function row({ name, rounds }: Contender, way: Way): void {
    const all = rounds[way];
    const span = `${Math.min(...all.map((one) => one.cpuUs)).toFixed(0)}..${Math.max(...all.map((one) => one.cpuUs)).toFixed(0)}`;
    process.stdout.write(
      `${name.padEnd(10)} ${way.padEnd(6)} ${of(name, way, (one) => one.cpuUs)
        .toFixed(1)
        .padStart(6)} ${span.padStart(9)} ${of(name, way, (one) => requests / one.seconds)
        .toFixed(0)
        .padStart(12)} ${of(name, way, (one) => one.p50)
        .toFixed(2)
        .padStart(9)} ${of(name, way, (one) => one.p99)
        .toFixed(2)
        .padStart(9)}\n`,
    );
  }
  process.stdout.write('\nours against        CPU  wanted     p99  wanted\n');
  const line = (name: string, way: Way, cpuWanted: number | null, p99Wanted: number | null) => {
    if (!contenders.some((one) => one.name === name)) return;
    const cpu = of('ours', way, (one) => one.cpuUs) / of(name, way, (one) => one.cpuUs);
    const p99 = of('ours', way, (one) => one.p99) / of(name, way, (one) => one.p99);
    const isKept = (cpuWanted === null || cpu <= cpuWanted) && (p99Wanted === null || p99 <= p99Wanted);
    process.stdout.write(
      `${name.padEnd(10)} ${way.padEnd(6)} ${cpu.toFixed(3).padStart(6)} ${(cpuWanted === null ? '-' : cpuWanted.toFixed(2)).padStart(7)} ${p99.toFixed(3).padStart(7)} ${(p99Wanted === null ? '-' : p99Wanted.toFixed(2)).padStart(7)}  ${cpuWanted === null ? '' : isKept ? 'kept' : 'MISSED'}\n`,
    );
    if (!isKept) process.exitCode = 1;
  };
  line('fastapi', 'keep', 0.45, 0.5);
  line('fastify', 'keep', 0.75, null);
  line('fastapi', 'each', null, null);
  line('fastify', 'each', null, null);
}
