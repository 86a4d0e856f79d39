// The SMA desk through the whole loop beside grademark (npm) on the same bars, in one process, rounds interleaved.
// Chain, fills and equity on, trace none; CPU time, median of the rounds. npm run bench:sma [-- BARS ROUNDS]
import { backtest } from 'grademark';
import { barSeries } from '#adapters';
import type { InstrumentId } from '#market';
import { cpuSeconds, median } from './support/measure.ts';
import { runLoop } from './support/run-study.ts';
import { randomWalk } from './support/walk.ts';

const bars = Number(process.argv[2] ?? 1_000_000);
const rounds = Number(process.argv[3] ?? 5);
const columns = randomWalk(bars, 'sma');
const ours = await runLoop(
  'examples/01-sma-cross.ts',
  [],
  [barSeries('WALK.LOCAL' as InstrumentId, 60_000, columns)],
);

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
function gradeRows(): Row[] {
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

const { DataFrame } = await import('data-forge');
const strategy = {
  entryRule: (enter: () => void, { bar }: { bar: Row }) => {
    if (bar.cross > 0) enter();
  },
  exitRule: (exit: () => void, { bar }: { bar: Row }) => {
    if (bar.cross < 0) exit();
  },
};

const own: number[] = [];
const theirs: number[] = [];
let ownTrades = 0;
let theirTrades = 0;
for (let round = 0; round <= rounds; round++) {
  const a = await cpuSeconds(() => {
    ownTrades = ours().result.engine.counts.trades;
  });
  const b = await cpuSeconds(() => {
    theirTrades = backtest(strategy as never, new DataFrame(gradeRows()) as never).length;
  });
  // the first round warms the compiler up
  if (round > 0) {
    own.push(a);
    theirs.push(b);
  }
}
ours.dispose();
const rate = (seconds: number) => `${(bars / seconds / 1e6).toFixed(2)} M bars/s`;
console.log(`SMA(10)/SMA(30) over ${bars} bars, median CPU of ${rounds} rounds`);
console.log(`  quorum, whole loop  ${median(own).toFixed(3)} s  ${rate(median(own))}  ${ownTrades} trades`);
console.log(
  `  grademark           ${median(theirs).toFixed(3)} s  ${rate(median(theirs))}  ${theirTrades} trades`,
);
console.log(`  ratio               ${(median(theirs) / median(own)).toFixed(2)} times as fast`);
console.log(
  `  peak memory         ${Math.round(process.resourceUsage().maxRSS / 1024)} MiB (both in one process)`,
);
