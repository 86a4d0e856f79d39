// The console under load: 200 live clients and 500 requests a second beside a running replay. Says how much longer a turn of
// the loop and the events in it take at p99 than without load (medians of interleaved windows), whether a client missed a
// message, and whether memory comes back. Loop, server and the load itself share the machine; the load runs at low priority.
// A turn ends with a sync of the journal: FOLDER on a memory file system leaves the disk's own stalls out.
// npm run bench:console [-- SECONDS [WINDOWS [FOLDER]]]
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { setPriority, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { askControl } from '../src/apps/runner/control.ts';
import type { MetricsAnswer } from '../src/apps/runner/control-answers.ts';
import { openToken, readBeginning } from './support/console-access.ts';
import { LiveCrowd } from './support/live-crowd.ts';
import { RequestStream } from './support/request-stream.ts';

const SECONDS = Number(process.argv[2] ?? 60);
const WINDOWS = Number(process.argv[3] ?? 5);
const CLIENTS = 200;
const REQUESTS_PER_S = 500;
/** Slices a second: a day of five-minute bars in a minute. */
const SPEED = 5;
const GROWTH_WANTED = 1.5;
const SETTLE_MS = 30_000;
/** One page load of a dashboard in small. */
const PATHS = [
  '/api/v1/overview',
  '/api/trading/status',
  '/api/v1/decisions?limit=50',
  '/api/v1/trades?limit=50',
  '/api/v1/risk',
  '/api/v1/equity?points=300',
  '/api/v1/bars?instrument=BTCUSDT.SYNTHETIC&limit=300',
  '/api/health',
];

/** Parts of the loop that are timed: all of a turn with its sync, one event with its place in the journal, one sync. */
const STAGES = ['turn', 'event', 'commit'] as const;
type Stage = (typeof STAGES)[number];
type Window = Readonly<Record<Stage, { readonly p99Ms: number; readonly count: number }>>;

const folder = mkdtempSync(join(process.argv[4] ?? tmpdir(), 'quorum-console-'));
const program = fileURLToPath(new URL('../bin/quorum.js', import.meta.url));
const child = spawn(
  process.execPath,
  [program, 'start', '--demo', '--speed', String(SPEED), '--data-dir', folder, '--port', '4790'],
  { stdio: ['ignore', 'pipe', 'inherit'] },
);

// others' browsers run on other machines: what asks here takes turns behind what answers
setPriority(10);

try {
  await main(child);
} finally {
  child.kill('SIGTERM');
  await new Promise((ended) => (child.exitCode === null ? child.once('exit', ended) : ended(null)));
  rmSync(folder, { recursive: true, force: true });
}

async function main(started: ChildProcess): Promise<void> {
  const beginning = await readBeginning(started);
  const { url } = beginning;
  const token = await openToken(beginning);
  await sleep(5_000);
  const before = await serverMiB(url, token);
  const quiet: Window[] = [];
  const loaded: Window[] = [];
  let missed = 0;
  let messages = 0;
  let answered = 0;
  let failed = 0;
  let peak = 0;
  const times: number[] = [];
  for (let i = 0; i < WINDOWS; i++) {
    quiet.push(await turns(() => sleep(SECONDS * 1_000)));
    const crowd = await LiveCrowd.join(url, token, CLIENTS);
    const stream = new RequestStream(url, token, PATHS, REQUESTS_PER_S);
    loaded.push(
      await turns(async () => {
        stream.start();
        await sleep(SECONDS * 1_000);
        await stream.stop();
      }),
    );
    peak = Math.max(peak, await serverMiB(url, token));
    await crowd.leave();
    missed += crowd.missed;
    messages += crowd.messages;
    answered += stream.answered;
    failed += stream.failed;
    times.push(...stream.times);
    say(`window ${i + 1} at p99, ms without load / with: ${inWindow(quiet.at(-1)!, loaded.at(-1)!)}`);
  }
  await sleep(SETTLE_MS);
  const after = await serverMiB(url, token);
  times.sort((a, b) => a - b);
  const at = (share: number) =>
    times[Math.min(times.length - 1, Math.floor(share * times.length))]!.toFixed(1);
  say(`${CLIENTS} live clients: ${messages} messages, ${missed} missed or twice`);
  say(
    `${answered} requests answered (${Math.round(answered / (SECONDS * WINDOWS))} a second, ${failed} failed), p50 ${at(0.5)} ms, p99 ${at(0.99)} ms`,
  );
  for (const stage of STAGES) {
    const [without, withLoad] = [quiet, loaded].map((all) => median(all.map((one) => one[stage].p99Ms)));
    const growth = withLoad! / without!;
    say(
      `${stage} of the loop at p99: ${without!.toFixed(3)} ms without load, ${withLoad!.toFixed(3)} ms with: ${growth.toFixed(2)} times (wanted below ${GROWTH_WANTED})`,
    );
  }
  say(
    `server memory: ${before.toFixed(0)} MiB before, ${peak.toFixed(0)} MiB at most, ${after.toFixed(0)} MiB ${SETTLE_MS / 1_000} s after`,
  );
}

function inWindow(without: Window, withLoad: Window): string {
  return STAGES.map(
    (stage) =>
      `${stage} ${without[stage].p99Ms.toFixed(3)} / ${withLoad[stage].p99Ms.toFixed(3)} (${without[stage].count} / ${withLoad[stage].count})`,
  ).join(', ');
}

/** What the loop did while something went on. */
async function turns(during: () => Promise<unknown>): Promise<Window> {
  const first = await loopStages();
  await during();
  const last = await loopStages();
  return Object.fromEntries(
    STAGES.map((stage) => {
      const { bounds, counts, count } = last[stage];
      const since = counts.map((n, i) => n - first[stage].counts[i]!);
      return [stage, { p99Ms: quantile(bounds, since, 0.99), count: count - first[stage].count }];
    }),
  ) as Window;
}

async function loopStages() {
  const answer = await askControl(join(folder, 'demo'), { ask: 'metrics' }, 10_000);
  if (answer?.ok !== true) throw new Error('the loop does not answer');
  return (answer.metrics as MetricsAnswer).stages;
}

/** A quantile of a histogram, straight within its span. */
function quantile(bounds: readonly number[], counts: readonly number[], share: number): number {
  const wanted = counts.reduce((sum, n) => sum + n, 0) * share;
  let below = 0;
  for (let i = 0; i < counts.length; i++) {
    const count = counts[i]!;
    if (below + count >= wanted && count > 0) {
      const from = i === 0 ? 0 : bounds[i - 1]!;
      const to = bounds[i] ?? from;
      return from + ((to - from) * (wanted - below)) / count;
    }
    below += count;
  }
  return Number.NaN;
}

async function serverMiB(url: string, token: string): Promise<number> {
  const answer = await fetch(`${url}/api/v1/system`, { headers: { authorization: `Bearer ${token}` } });
  return ((await answer.json()) as { server: { rssMiB: number } }).server.rssMiB;
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]!;
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
