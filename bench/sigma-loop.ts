// The Sigma desk on eight pairs through the whole loop: chain, fills and equity on, trace none. CPU time, medians of
// interleaved rounds, then nanoseconds per stage. npm run bench:sigma [-- BARS ROUNDS FOLDER]
import { syntheticSeries, type TapeSeries } from '#adapters';
import { cpuSeconds, median } from './support/measure.ts';
import { recordedPairs } from './support/recorded.ts';
import { type LoopRun, runLoop } from './support/run-study.ts';
import { SAMPLING_US, STAGES, stageShares } from './support/stages.ts';

/** Bars in all, over the eight pairs. */
const bars = Number(process.argv[2] ?? 800_000);
const rounds = Number(process.argv[3] ?? 5);
const folder = process.argv[4] ?? process.env.QUORUM_DATA ?? null;
const PAIRS = 8;
/** Rounds before those that are timed: the compiler warms up. A forced collection would throw its work away. */
const WARM_UP = 4;
const WANTED = 300_000;

interface Contender {
  readonly name: string;
  readonly run: (() => LoopRun) & { dispose: () => void };
  readonly seconds: number[];
  last: LoopRun | null;
}

async function contender(name: string, series: readonly TapeSeries[]): Promise<Contender> {
  return { name, run: await runLoop('sigma', [], series), seconds: [], last: null };
}

const contenders = [
  await contender(
    `${PAIRS} synthetic pairs, 5m`,
    syntheticSeries('sigma', Math.ceil(bars / PAIRS), Date.UTC(2020, 0, 1)),
  ),
];
const recorded = folder === null ? null : await recordedPairs(folder);
if (recorded !== null) {
  const pairs = recorded.filter((s) => s.kind === 'bars').length;
  contenders.push(await contender(`${pairs} recorded pairs, 5m, with funding`, recorded));
} else
  console.log('skipped: recorded data (give a folder that holds crypto/ as third argument or QUORUM_DATA)');

for (let round = 0; round < WARM_UP + rounds; round++) {
  for (const one of contenders) {
    const seconds = await cpuSeconds(() => {
      one.last = one.run();
    });
    if (round >= WARM_UP) one.seconds.push(seconds);
  }
}

console.log(`Sigma through the whole loop, median CPU of ${rounds} rounds`);
for (const { name, run, seconds, last } of contenders) {
  const { counts } = last!.result.engine;
  const each = (median(seconds) / counts.bars) * 1e9;
  const rate = 1e9 / each;
  console.log(`\n${name}: ${counts.bars} bars, ${counts.trades} trades, ${last!.result.commands} commands`);
  console.log(
    `  ${Math.round(rate)} bars a second a core, ${Math.round(each)} ns a bar ` +
      `(${(rate / WANTED).toFixed(2)} of the ${WANTED} wanted)`,
  );
  console.log(
    `  by stage, from a sampling CPU profile of one more run (every ${SAMPLING_US} us), shares times ns a bar:`,
  );
  const shares = await stageShares(() => void run());
  for (const stage of STAGES) {
    const share = shares.get(stage)!;
    const ns = (share * each).toFixed(0).padStart(6);
    console.log(`    ${stage.padEnd(38)}${ns} ns${(100 * share).toFixed(1).padStart(7)} %`);
  }
  run.dispose();
}
