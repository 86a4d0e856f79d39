// Every indicator we share with trading-signals and @ixjb94/indicators (npm), in batch and in streaming, on the same
// random walk, in one process, rounds interleaved. CPU nanoseconds a bar, medians. Values are compared first.
// npm run bench:indicators [-- BARS ROUNDS NAME]
import { computeFeatures, FeatureFrame, type Kernel, parseFeature } from '#features';
import type { BarColumns } from '#market';
import { worstDifference } from './support/indicator-agreement.ts';
import { type Incremental, type PeerBars, type Row, rows } from './support/indicator-table.ts';
import { collectGarbage, geometricMean, median } from './support/measure.ts';
import { IndicatorsSync } from './support/peers.ts';
import { randomWalk } from './support/walk.ts';

const bars = Number(process.argv[2] ?? 1_000_000);
const rounds = Number(process.argv[3] ?? 5);
const only = process.argv[4]?.split(',');
/** trading-signals, and whatever else takes microseconds a bar, gets fewer bars. */
const fewer = Math.max(1_000, Math.floor(bars / 10));
/** Bars a call in streams. */
const BLOCK = 1_000;
/** CPU seconds. */
const SHORTEST_TURN = 0.04;
const ix = new IndicatorsSync();

function peerBars(columns: BarColumns, length: number): PeerBars {
  const plain = (column: Float64Array) => Array.from(column.subarray(0, length));
  const [open, high, low] = [plain(columns.open), plain(columns.high), plain(columns.low)];
  const [close, volume] = [plain(columns.close), plain(columns.volume)];
  const candles = close.map((c, i) => ({
    open: open[i]!,
    high: high[i]!,
    low: low[i]!,
    close: c,
    volume: volume[i]!,
  }));
  return { open, high, low, close, volume, candles };
}

const columns = randomWalk(bars, 'indicators');
const many = { ...peerBars(columns, bars), candles: [] };
const few = peerBars(columns, fewer);

type Way = 'batch' | 'compute' | 'rows' | 'push' | 'signalsBatch' | 'signalsStream' | 'arrays';

/** What is timed for one indicator. `begin` makes what a turn works on and returns its work over bars `from..to-1`. */
interface Turn {
  readonly way: Way;
  readonly length: number;
  /** Bars a call: all of them, or a block of a stream, so that the loop around it is compiled but once. */
  readonly block: number;
  begin(): (from: number, to: number) => void;
}

// The loops that feed a stream stand alone, so that their own cost is small.

function rowByRow(kernel: Kernel, out: readonly Float64Array[], from: number, to: number): void {
  for (let i = from; i < to; i++) kernel.run(columns, out, i, i + 1);
}

const { time, open, high, low, close, volume } = columns;

function pushEach(frame: FeatureFrame, from: number, to: number): void {
  for (let i = from; i < to; i++) frame.push(time[i]!, open[i]!, high[i]!, low[i]!, close[i]!, volume[i]!);
}

function addEach(indicator: Incremental, inputs: readonly never[], from: number, to: number): void {
  for (let i = from; i < to; i++) indicator.add(inputs[i]!);
}

function ourTurns(row: Row): Turn[] {
  const { definition, parameters } = parseFeature(row.request);
  const out = definition.outputs.map(() => new Float64Array(bars));
  return [
    {
      way: 'batch',
      length: bars,
      block: bars,
      begin: () => (from, to) => definition.create(parameters).run(columns, out, from, to),
    },
    {
      way: 'compute',
      length: bars,
      block: bars,
      begin: () => () => void computeFeatures(columns, [row.request]),
    },
    {
      way: 'rows',
      length: bars,
      block: BLOCK,
      begin() {
        const kernel = definition.create(parameters);
        return (from, to) => rowByRow(kernel, out, from, to);
      },
    },
    {
      way: 'push',
      length: bars,
      block: BLOCK,
      begin() {
        const frame = new FeatureFrame([row.request]);
        return (from, to) => pushEach(frame, from, to);
      },
    },
  ];
}

function peerTurns({ signals, arrays }: Row): Turn[] {
  const turns: Turn[] = [];
  if (signals !== undefined) {
    const inputs = (signals.input === 'close' ? few.close : few.candles) as readonly never[];
    turns.push({
      way: 'signalsBatch',
      length: fewer,
      block: fewer,
      begin: () => () => void signals.make().updates(inputs, false),
    });
    turns.push({
      way: 'signalsStream',
      length: fewer,
      block: BLOCK,
      begin() {
        const indicator = signals.make();
        return (from, to) => addEach(indicator, inputs, from, to);
      },
    });
  }
  if (arrays !== undefined) {
    const own = arrays.slow ? few : many;
    const length = own.close.length;
    turns.push({ way: 'arrays', length, block: length, begin: () => () => void arrays.run(ix, own) });
  }
  return turns;
}

const alive: unknown[] = [];

/** Repeats a turn until it has taken long enough for the compiler's share to be small. */
function nanosecondsPerBar({ length, block, begin }: Turn): number {
  let done = 0;
  let seconds = 0;
  const before = process.cpuUsage();
  do {
    const work = begin();
    alive.push(work);
    for (let from = 0; from < length; from += block) work(from, Math.min(length, from + block));
    done += length;
    const used = process.cpuUsage(before);
    seconds = (used.user + used.system) / 1e6;
  } while (seconds < SHORTEST_TURN);
  return (seconds * 1e9) / done;
}

function measure(row: Row): Map<Way, number> {
  const turns = [...ourTurns(row), ...peerTurns(row)];
  const seen = new Map<Way, number[]>(turns.map(({ way }) => [way, []]));
  for (let round = -1; round < rounds; round++) {
    for (const turn of turns) {
      // what an earlier turn left behind is not this one's to clean up
      collectGarbage();
      const ns = nanosecondsPerBar(turn);
      if (round >= 0) seen.get(turn.way)!.push(ns);
    }
  }
  return new Map([...seen].map(([way, values]) => [way, median(values)]));
}

const fixed = (value: number | undefined, digits: number, width: number) =>
  (value === undefined ? '-' : value.toFixed(digits)).padStart(width);
const times = (theirs: number | undefined, ours: number) =>
  theirs === undefined ? undefined : theirs / ours;

const chosen = rows.filter((row) => only === undefined || only.includes(row.request.split(':')[0]!));
const ratios = {
  signalsBatch: [] as number[],
  signalsStream: [] as number[],
  arrays: [] as number[],
  computed: [] as number[],
};
const notes: string[] = [];
const check = randomWalk(20_000, 'agreement');
const checkBars = peerBars(check, check.length);
const compared = { signals: 0, arrays: 0, worst: 0 };

console.log(
  `indicators over ${bars} bars (trading-signals ${fewer}), CPU ns a bar, medians of ${rounds} rounds`,
);
console.log('                  ------- quorum -------   trading-signals   @ixjb94    times as fast as');
console.log('                  batch alloc   row  push    batch stream     batch   ts b   ts s  ixjb94');
for (const row of chosen) {
  for (const { peer, difference, note } of worstDifference(row, check, checkBars, ix)) {
    if (note !== null) notes.push(`${row.request} and ${peer}: ${note}`);
    else {
      compared[peer] += 1;
      compared.worst = Math.max(compared.worst, difference);
    }
  }
  const ns = measure(row);
  const batch = ns.get('batch')!;
  const push = ns.get('push')!;
  const toSignals = times(ns.get('signalsBatch'), batch);
  const toStream = times(ns.get('signalsStream'), push);
  const toArrays = times(ns.get('arrays'), batch);
  if (toSignals !== undefined) ratios.signalsBatch.push(toSignals);
  if (toStream !== undefined) ratios.signalsStream.push(toStream);
  if (toArrays !== undefined) {
    ratios.arrays.push(toArrays);
    ratios.computed.push(ns.get('arrays')! / ns.get('compute')!);
  }
  console.log(
    row.request.padEnd(17),
    fixed(batch, 1, 5) + fixed(ns.get('compute'), 1, 6) + fixed(ns.get('rows'), 1, 6) + fixed(push, 1, 6),
    fixed(ns.get('signalsBatch'), 0, 8) + fixed(ns.get('signalsStream'), 0, 7),
    fixed(ns.get('arrays'), 1, 9),
    fixed(toSignals, 1, 6) + fixed(toStream, 1, 7) + fixed(toArrays, 1, 8),
  );
}
const mean = (values: readonly number[]) =>
  `${geometricMean(values).toFixed(2)} (${values.length} indicators)`;
console.log('times as fast, geometric mean');
console.log(`  trading-signals, batch       ${mean(ratios.signalsBatch)}`);
console.log(`  trading-signals, streaming   ${mean(ratios.signalsStream)}`);
console.log(
  `  @ixjb94/indicators, batch    ${mean(ratios.arrays)}, with our columns allocated anew ${mean(ratios.computed)}`,
);
console.log(
  `  all of them                  ${mean([...ratios.signalsBatch, ...ratios.signalsStream, ...ratios.arrays])}`,
);
console.log(
  `values agree: ${compared.signals} with trading-signals, ${compared.arrays} with @ixjb94/indicators, ` +
    `largest difference ${compared.worst.toExponential(1)} (relative, absolute below 1)`,
);
for (const note of notes) console.log(`  not compared: ${note}`);
