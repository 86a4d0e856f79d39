// The SMA desk through the whole loop beside grademark (npm) on the same bars: chain, fills and equity on, trace none.
// Each round is a process of its own for either, in turns, so that neither pays for the other's garbage and the peak
// memory is one contender's alone. CPU time, median of the rounds. npm run bench:sma [-- BARS ROUNDS]
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { barSeries } from '#adapters';
import type { BarColumns, InstrumentId } from '#market';
import { cpuSeconds, median } from './support/measure.ts';
import { randomWalk } from './support/walk.ts';

const bars = Number(process.argv[2] ?? 1_000_000);
const rounds = Number(process.argv[3] ?? 5);
/** Set in a child: whom it runs. */
const contender = process.argv[4];

/** Runs of a child before those that are timed: the compiler warms up. A forced collection would throw its work away. */
const WARM_UP = 8;
const TIMED = 3;

/** What a child prints. The peak is that of the process up to the end of its first run, bars included. */
interface Round {
  readonly seconds: number;
  readonly trades: number;
  readonly peakMiB: number;
}

interface Row {
  time: Date;
  open: number;
  high: number;
  low: number;
  close: number;
  volume: number;
  fast: number;
  slow: number;
  cross: number;
}

/** grademark wants its indicators in the rows; they are part of its work, as ours are of the loop's. */
function gradeRows(columns: BarColumns): Row[] {
  const rows: Row[] = new Array(bars);
  let fast = 0;
  let slow = 0;
  let side = 0;
  for (let i = 0; i < bars; i++) {
    const close = columns.close[i]!;
    fast += close - (i >= 10 ? columns.close[i - 10]! : 0);
    slow += close - (i >= 30 ? columns.close[i - 30]! : 0);
    let cross = 0;
    if (i >= 29) {
      const sign = Math.sign(fast / 10 - slow / 30);
      if (sign !== 0 && side !== 0 && sign !== side) cross = sign;
      if (sign !== 0) side = sign;
    }
    rows[i] = {
      time: new Date(columns.time[i]!),
      open: columns.open[i]!,
      high: columns.high[i]!,
      low: columns.low[i]!,
      close,
      volume: columns.volume[i]!,
      fast: fast / 10,
      slow: slow / 30,
      cross,
    };
  }
  return rows;
}

/** One run of a contender: how many trades it made. */
type Run = () => number;

async function quorum(columns: BarColumns): Promise<Run> {
  const { runLoop } = await import('./support/run-study.ts');
  const series = barSeries('WALK.LOCAL' as InstrumentId, 60_000, columns);
  const run = await runLoop('examples/01-sma-cross.ts', [], [series]);
  process.on('exit', run.dispose);
  return () => run().result.engine.counts.trades;
}

async function grademark(columns: BarColumns): Promise<Run> {
  const { backtest } = await import('grademark');
  const { DataFrame } = await import('data-forge');
  const strategy = {
    entryRule: (enter: () => void, { bar }: { bar: Row }) => {
      if (bar.cross > 0) enter();
    },
    exitRule: (exit: () => void, { bar }: { bar: Row }) => {
      if (bar.cross < 0) exit();
    },
  };
  return () => backtest(strategy as never, new DataFrame(gradeRows(columns)) as never).length;
}

async function child(make: (columns: BarColumns) => Promise<Run>): Promise<void> {
  const run = await make(randomWalk(bars, 'sma'));
  run();
  const peakMiB = process.resourceUsage().maxRSS / 1024;
  for (let i = 1; i < WARM_UP; i++) run();
  let trades = 0;
  const times: number[] = [];
  for (let i = 0; i < TIMED; i++) {
    times.push(
      await cpuSeconds(() => {
        trades = run();
      }),
    );
  }
  console.log(JSON.stringify({ seconds: median(times), trades, peakMiB } satisfies Round));
}

function round(name: string): Round {
  const own = [...process.execArgv, fileURLToPath(import.meta.url), `${bars}`, `${rounds}`, name];
  const { status, stdout } = spawnSync(process.execPath, own, { stdio: ['ignore', 'pipe', 'inherit'] });
  if (status !== 0) throw new Error(`the run of ${name} ended with ${status}`);
  return JSON.parse(stdout.toString()) as Round;
}

function compare(): void {
  const own: Round[] = [];
  const theirs: Round[] = [];
  for (let i = 0; i < rounds; i++) {
    own.push(round('quorum'));
    theirs.push(round('grademark'));
  }
  const cpu = (all: readonly Round[]) => median(all.map((one) => one.seconds));
  const line = (name: string, all: readonly Round[]) =>
    console.log(
      `  ${name.padEnd(19)} ${cpu(all).toFixed(3)} s  ${(bars / cpu(all) / 1e6).toFixed(2)} M bars/s  ` +
        `${all[0]!.trades} trades  peak ${Math.round(Math.max(...all.map((one) => one.peakMiB)))} MiB`,
    );
  console.log(`SMA(10)/SMA(30) over ${bars} bars, median CPU of ${rounds} rounds`);
  line('quorum, whole loop', own);
  line('grademark', theirs);
  console.log(`  ratio               ${(cpu(theirs) / cpu(own)).toFixed(2)} times as fast`);
}

if (contender === 'quorum') await child(quorum);
else if (contender === 'grademark') await child(grademark);
else compare();
