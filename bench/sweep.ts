// The columnar kernel: 10,000 (fast, slow) SMA pairs over 100,000 bars, fees on, beside one hand-fused numba kernel
// (bench/support/fused-kernel.py; Debian's python3-numba, run with /usr/bin/python3). CPU time, medians of rounds that take
// turns; then two threads beside one, and how the cost grows with bars and variants.
// npm run bench:sweep [-- ROUNDS quick|peer]
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import type { BarColumns } from '#market';
import { tuneCompiler } from '../bin/tune-compiler.js';
import { collectGarbage, cpuSeconds, median } from './support/measure.ts';
import { CASH, INSTRUMENT, LOTS, sweepOf } from './support/sweep-rules.ts';
import { randomWalk } from './support/walk.ts';

tuneCompiler();

const rounds = Number(process.argv[2] ?? 5);
/** `quick` leaves out what takes longest, `peer` all but the comparison. */
const extent = process.argv[3] ?? 'all';
const quick = extent === 'quick';
const PYTHON = '/usr/bin/python3';
const BARS = 100_000;
const FAST = Array.from({ length: 100 }, (_, i) => 2 + i);
const SLOW = Array.from({ length: 100 }, (_, i) => 102 + 2 * i);
const FEE_RATE = 50_000;
/** Plays of ours before those that count; the peer compiles when it starts. */
const WARM_UP = 2;

interface Played {
  readonly seconds: number;
  readonly meanReturn: number;
  /** Mean of the largest drawdowns. */
  readonly meanFall: number;
  readonly fills: number;
}

const MIB = 2 ** 20;

/** The fused kernel in a process of its own, compiled and with its data, waiting for a word. */
class Fused {
  readonly version: string;
  private readonly process: ChildProcess;
  private readonly lines: AsyncIterator<string>;

  private constructor(process: ChildProcess, lines: AsyncIterator<string>, version: string) {
    this.process = process;
    this.lines = lines;
    this.version = version;
  }

  static async start(bars: BarColumns, fast: readonly number[] = FAST): Promise<Fused | null> {
    if (spawnSync(PYTHON, ['-c', 'import numba']).status !== 0) return null;
    const script = fileURLToPath(new URL('support/fused-kernel.py', import.meta.url));
    const env = { ...process.env, NUMBA_NUM_THREADS: '1', OMP_NUM_THREADS: '1', OPENBLAS_NUM_THREADS: '1' };
    const child = spawn(PYTHON, [script], { env, stdio: ['pipe', 'pipe', 'inherit'] });
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const { market } = sweepOf(bars, [FAST[0]!], [SLOW[0]!]);
    const task = {
      bars: bars.length,
      fast,
      slow: SLOW,
      lots: LOTS,
      value: INSTRUMENT.valueNumerator,
      feeRate: FEE_RATE,
      cash: CASH * 10 ** INSTRUMENT.minorScale,
    };
    child.stdin.write(`${JSON.stringify(task)}\n`);
    child.stdin.write(new Uint8Array(bars.close.slice(0, bars.length).buffer));
    child.stdin.write(new Uint8Array(market.buyTicks.slice().buffer));
    child.stdin.write(new Uint8Array(market.markTicks.slice().buffer));
    const { ready } = JSON.parse((await lines.next()).value as string) as { ready: string };
    return new Fused(child, lines, ready);
  }

  async play(form: 'return' | 'figures'): Promise<Played & { readonly peakMiB: number }> {
    this.process.stdin!.write(`${form}\n`);
    return JSON.parse((await this.lines.next()).value as string) as never;
  }

  end(): void {
    this.process.stdin!.end();
  }
}

/** One play of desks that were read as rules before. */
async function ours({ rules, play }: ReturnType<typeof sweepOf>): Promise<Played> {
  let outcomes: readonly number[] = [];
  let fills = 0;
  let meanFall = 0;
  const seconds = await cpuSeconds(() => {
    const played = play();
    outcomes = played.equities;
    fills = played.fills;
    meanFall = played.meanFall;
  });
  let sum = 0;
  const cash = rules[0]!.cash;
  for (const equity of outcomes) sum += equity / cash - 1;
  return { seconds, meanReturn: sum / outcomes.length, meanFall, fills };
}

/** Wall seconds of the whole sweep in threads that hold the bars already; each plays a share of the fast windows. */
class Crew {
  private readonly workers: readonly Worker[];

  constructor(bars: BarColumns, threads: number) {
    const share = Math.ceil(FAST.length / threads);
    this.workers = Array.from({ length: threads }, (_, i) => {
      const fast = FAST.slice(i * share, (i + 1) * share);
      const workerData = { bars: { ...bars }, fast, slow: SLOW };
      return new Worker(new URL('support/sweep-thread.ts', import.meta.url), { workerData });
    });
  }

  async play(): Promise<number> {
    const started = process.hrtime.bigint();
    await Promise.all(
      this.workers.map(
        (worker) =>
          new Promise<void>((done, fail) => {
            worker.once('message', () => done());
            worker.once('error', fail);
            worker.postMessage('play');
          }),
      ),
    );
    return Number(process.hrtime.bigint() - started) / 1e9;
  }

  async end(): Promise<void> {
    await Promise.all(this.workers.map((worker) => worker.terminate()));
  }
}

/** Columns that threads share. */
function shared(bars: BarColumns): BarColumns {
  for (const name of ['time', 'open', 'high', 'low', 'close', 'volume'] as const) {
    const column = new Float64Array(new SharedArrayBuffer(8 * bars.length));
    column.set(bars[name].subarray(0, bars.length));
    (bars as unknown as Record<string, Float64Array>)[name] = column;
  }
  return bars;
}

async function besideNumba(bars: BarColumns): Promise<void> {
  const pairs = FAST.length * SLOW.length;
  console.log(
    `${pairs} SMA pairs (fast 2..101, slow 102..300 by 2) x ${bars.length} one-minute bars, long or flat, fixed units, 5 bps;`,
  );
  console.log(`CPU seconds, medians of ${rounds} rounds in turns`);
  const sweep = sweepOf(bars, FAST, SLOW);
  // ten thousand desks were built to be read as rules; then, as the peer has, everything is compiled
  collectGarbage();
  for (let i = 0; i < WARM_UP; i++) await ours(sweep);
  const fused = await Fused.start(bars);
  if (fused === null)
    console.log(`skipped: ${PYTHON} has no numba (Debian: python3-numba); our own figures follow`);
  const own: Played[] = [];
  const theirs: Record<'return' | 'figures', Awaited<ReturnType<Fused['play']>>[]> = {
    return: [],
    figures: [],
  };
  for (let i = 0; i < rounds; i++) {
    own.push(await ours(sweep));
    if (fused === null) continue;
    theirs.return.push(await fused.play('return'));
    theirs.figures.push(await fused.play('figures'));
  }
  fused?.end();
  const cpu = (all: readonly Played[]) => median(all.map(({ seconds }) => seconds));
  const line = (name: string, all: readonly Played[], peak: number) =>
    console.log(
      `  ${name.padEnd(34)} ${cpu(all).toFixed(3)} s  ${(cpu(all) / pairs / bars.length / 1e-9).toFixed(2)} ns a bar and pair  ` +
        `${all[0]!.fills} fills  mean return ${all[0]!.meanReturn.toFixed(12)}  peak ${Math.round(peak)} MiB`,
    );
  line('quorum: return, drawdown, days', own, process.resourceUsage().maxRSS / 1024);
  if (fused === null) return;
  const mine = own[0]!;
  for (const form of ['figures', 'return'] as const) {
    const name = `numba ${fused.version}: return${form === 'figures' ? ', drawdown' : ' alone'}`;
    line(name, theirs[form], theirs[form][0]!.peakMiB);
  }
  for (const form of ['figures', 'return'] as const) {
    const { meanReturn, meanFall } = theirs[form][0]!;
    const what = form === 'figures' ? 'with the drawdown' : 'the return alone';
    const fall =
      form === 'figures' ? `, mean drawdowns by ${Math.abs(mine.meanFall - meanFall).toExponential(1)}` : '';
    console.log(
      `  ${(cpu(theirs[form]) / cpu(own)).toFixed(2)} times numba, ${what}: mean returns differ by ` +
        `${Math.abs(mine.meanReturn - meanReturn).toExponential(1)}${fall}`,
    );
  }
}

/** Wall seconds of the peer's sweep in processes that play a share of the fast windows each: what a second core gives it here. */
async function peerWall(bars: BarColumns, processes: number): Promise<number | null> {
  const share = Math.ceil(FAST.length / processes);
  const all: Fused[] = [];
  for (let i = 0; i < processes; i++) {
    const fused = await Fused.start(bars, FAST.slice(i * share, (i + 1) * share));
    if (fused === null) return null;
    all.push(fused);
  }
  const times: number[] = [];
  for (let i = 0; i < rounds; i++) {
    const started = process.hrtime.bigint();
    await Promise.all(all.map((fused) => fused.play('figures')));
    times.push(Number(process.hrtime.bigint() - started) / 1e9);
  }
  for (const fused of all) fused.end();
  return median(times);
}

async function threads(bars: BarColumns): Promise<void> {
  const times: [number[], number[]] = [[], []];
  const crews = [new Crew(bars, 1), new Crew(bars, 2)] as const;
  for (const crew of crews) for (let i = 0; i < 2; i++) await crew.play();
  for (let i = 0; i < rounds; i++) for (const k of [0, 1] as const) times[k].push(await crews[k].play());
  const [one, two] = times.map(median) as [number, number];
  console.log(
    `wall time: one thread ${one.toFixed(3)} s, two threads ${two.toFixed(3)} s: ${(one / two).toFixed(2)} times`,
  );
  await Promise.all(crews.map((crew) => crew.end()));
  const [alone, both] = [await peerWall(bars, 1), await peerWall(bars, 2)];
  if (alone === null || both === null) return;
  console.log(
    `  numba in one process ${alone.toFixed(3)} s, in two ${both.toFixed(3)} s: ${(alone / both).toFixed(2)} times`,
  );
}

async function growth(): Promise<void> {
  console.log('growth, CPU (median of 3); ns a bar and variant; memory is that of the process so far');
  const measure = async (bars: number, side: number) => {
    const columns = randomWalk(bars, 'sweep');
    const fast = Array.from({ length: side }, (_, i) => 2 + i);
    const slow = Array.from({ length: side }, (_, i) => 2 + side + i);
    const times: number[] = [];
    const sweep = sweepOf(columns, fast, slow);
    collectGarbage();
    for (let i = 0; i < 3; i++) times.push((await ours(sweep)).seconds);
    const per = median(times) / bars / side ** 2 / 1e-9;
    const rss = process.memoryUsage().rss / MIB;
    console.log(
      `  ${String(bars).padStart(9)} bars x ${String(side ** 2).padStart(6)} variants (${2 * side} windows)  ` +
        `${median(times).toFixed(3)} s  ${per.toFixed(2)} ns  ${Math.round(rss)} MiB`,
    );
  };
  for (const bars of [1e4, 1e5, 1e6, ...(quick ? [] : [1e7])]) await measure(bars, 10);
  for (const side of [10, 32, 100, ...(quick ? [] : [316])]) await measure(BARS, side);
}

const bars = shared(randomWalk(BARS, 'sweep'));
await besideNumba(bars);
if (extent !== 'peer') {
  await threads(bars);
  await growth();
}
