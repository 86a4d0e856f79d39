// What `quorum start` holds in memory at rest: resident size of the program's own process after its start, with Sigma on
// live prices of its pairs (a server of this machine speaks for the venue), on made-up prices, and with the sample desk.
// npm run bench:rest [-- SECONDS]
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { MINUTE } from '#base';
import { askControl } from '../src/apps/runner/control.ts';
import type { Status } from '../src/apps/runner/status.ts';
import { BinanceLoopback } from '../test/adapters/binance-loopback.ts';
import { median } from './support/measure.ts';

const seconds = Number(process.argv[2] ?? 20);
const WANTED_MIB = 250;
const BINARY = fileURLToPath(new URL('../bin/quorum.js', import.meta.url));
const SYMBOLS = ['BTC', 'ETH', 'BNB', 'SOL', 'XRP', 'ADA', 'DOGE', 'LTC'].map((name) => `${name}USDT`);
const folder = mkdtempSync(join(tmpdir(), 'quorum-rest-'));

async function statusOf(directory: string): Promise<Status | null> {
  const answer = await askControl(directory, { ask: 'status' });
  return answer?.ok === true ? (answer.status as Status) : null;
}

/** Highest resident size since the start, MiB, as the kernel counts it; NaN where it does not say. */
function highest(pid: number): number {
  try {
    const kib = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return Number(kib) / 1024;
  } catch {
    return Number.NaN;
  }
}

async function measure(label: string, portfolio: string, args: readonly string[], env = {}): Promise<void> {
  const child: ChildProcess = spawn(
    process.execPath,
    [BINARY, 'start', '--no-console', ...args, '--data-dir', join(folder, label)],
    { env: { ...process.env, ...env }, stdio: 'ignore' },
  );
  const ended = new Promise<void>((done) => child.on('exit', () => done()));
  const directory = join(folder, label, portfolio);
  let status = await statusOf(directory);
  for (let waits = 0; status === null && waits < 200; waits++) {
    await sleep(100);
    status = await statusOf(directory);
  }
  if (status === null) throw new Error(`${label} did not start`);
  const sizes: number[] = [];
  for (let second = 0; second < seconds; second++) {
    await sleep(1_000);
    status = (await statusOf(directory)) ?? status;
    sizes.push(status.rssMiB);
  }
  const top = highest(status.pid);
  child.kill('SIGTERM');
  await ended;
  const { bars, slices } = status.counts as { bars: number; slices: number };
  const figures = [median(sizes), Math.max(...sizes), top].map((mib) => mib.toFixed(1).padStart(7));
  process.stdout.write(
    `${label.padEnd(10)}${figures.join('  ')}  ${String(bars).padStart(7)} bars  ${String(slices).padStart(5)} slices  feed ${status.feed}\n`,
  );
}

const venue = new BinanceLoopback({
  now: () => Date.now(),
  symbols: SYMBOLS,
  intervalMs: 5 * MINUTE,
  tickMs: 200,
});
await venue.start();
process.stdout.write(`resident size over ${seconds} s, MiB (wanted: under ${WANTED_MIB})\n`);
process.stdout.write('           median  largest  highest since the start\n');
try {
  const env = { QUORUM_BINANCE_REST_URL: venue.restUrl, QUORUM_BINANCE_WS_URL: venue.wsUrl };
  await measure('live', 'sigma', [], env);
  await measure('synthetic', 'demo', ['--demo']);
  await measure('sample', 'sample', ['--sample']);
} finally {
  await venue.stop();
  rmSync(folder, { recursive: true, force: true });
}
