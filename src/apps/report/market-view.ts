import { join } from 'node:path';
import { z } from 'zod';
import { InputError } from '#base';
import { buyAndHold, type Excursion, excursionOf, type Series } from '#research';
import { configurationOfRun } from '../setup/replay-run.ts';
import { readTape } from '../setup/run-backtest.ts';
import { readJson } from './read-file.ts';
import type { RunFiles } from './read-run.ts';

/** What only the bars of a run can tell. */
export interface MarketView {
  /** What the opening cash would have become in equal parts of the instruments; null when nobody asked. */
  readonly benchmark: Series | null;
  readonly excursions: ReadonlyMap<string, Excursion>;
  /** Why there is nothing, in words; null otherwise. */
  readonly note: string | null;
}

const Inputs = z.looseObject({
  bars: z.array(z.string()),
  funding: z.array(z.string()).default([]),
  tapes: z.array(z.string()).default([]),
  store: z.string().optional(),
});

/** Reads the bars a run was made on, when they are still there and still the same. */
export async function readMarketView(run: RunFiles, wantsBenchmark: boolean): Promise<MarketView> {
  const inputs = readJson(
    join(run.dir, 'inputs.json'),
    Inputs,
    'restore the file, or run the backtest again',
  );
  if (inputs === null) return nothing('inputs.json is missing');
  const { from, to, tapeHash } = configurationOfRun(run.dir);
  let tape: Awaited<ReturnType<typeof readTape>>;
  try {
    const { store, ...files } = inputs;
    tape = await readTape({ ...files, ...(store === undefined ? {} : { store }), from, to });
  } catch (error) {
    const isGone = (error as NodeJS.ErrnoException).code === 'ENOENT';
    if (!isGone && !(error instanceof InputError)) throw error;
    return nothing((error as Error).message);
  }
  if (tape.hash !== tapeHash) return nothing('the data files are not those the run was made on');
  const finest = new Map<string, Bars>();
  for (const one of tape.series) {
    if (one.kind !== 'bars') continue;
    const before = finest.get(one.instrument);
    if (before === undefined || one.intervalMs < before.intervalMs) finest.set(one.instrument, one);
  }
  const excursions = new Map<string, Excursion>();
  for (const trade of run.trades) {
    const bars = finest.get(trade.instrument);
    if (bars === undefined) continue;
    const { time, high, low } = bars.columns;
    const found = excursionOf(trade, { intervalMs: bars.intervalMs, time, high, low });
    if (found !== null) excursions.set(trade.id, found);
  }
  const closes = [...finest.values()].map(closesOf);
  const benchmark =
    wantsBenchmark && closes.length > 0
      ? buyAndHold(run.summary.cashStart, closes, run.equity.times[0]!)
      : null;
  return { benchmark, excursions, note: null };
}

type Bars = Extract<Awaited<ReturnType<typeof readTape>>['series'][number], { kind: 'bars' }>;

const closesOf = ({ columns, intervalMs }: Bars): Series => ({
  times: Float64Array.from(columns.time, (time) => time + intervalMs),
  values: columns.close,
});

const nothing = (why: string): MarketView => ({
  benchmark: null,
  excursions: new Map(),
  note: `without the bars there is no benchmark and no furthest gain and loss of a trade: ${why}`,
});
