import { InputError } from '#base';
import type { DecisionTrace } from '#engine';
import {
  type CostsOverTime,
  costsOverTime,
  dailyCloses,
  entriesOfTrades,
  type Held,
  heldOverTime,
  type Interval,
  intervalOf,
  type MonteCarloResult,
  type Performance,
  performanceOf,
  resampleReturns,
  returnsOf,
  type Series,
  shareOfTimeHeld,
  sharpeStatistic,
  type TradeEntry,
} from '#research';
import { configurationOfRun } from '../setup/replay-run.ts';
import { type EntryTraces, readEntryTraces } from './entry-traces.ts';
import { type MarketView, readMarketView } from './market-view.ts';
import { type OptionalFiles, readOptionalFiles } from './optional-files.ts';
import { type RunFiles, readRunFiles } from './read-run.ts';

/** Days from which luck of the order of days says something. */
const LEAST_DAYS = 10;
const SEED = 'report';

/** Everything a report of a run shows. */
export interface RunView {
  readonly run: RunFiles;
  readonly daily: Series;
  readonly returns: Float64Array | null;
  readonly performance: Performance;
  /** 90 % interval of the annual Sharpe ratio; null for few days. */
  readonly sharpeInterval: Interval | null;
  readonly held: Held;
  readonly timeHeld: number | null;
  readonly costs: CostsOverTime;
  /** The fixed rate the run's taker fills lost; 0 for none. */
  readonly slippageRate: number;
  readonly entries: ReadonlyMap<string, TradeEntry>;
  readonly traces: EntryTraces;
  readonly market: MarketView;
  readonly monteCarlo: MonteCarloResult | null;
  readonly others: OptionalFiles;
}

export interface RunViewOptions {
  readonly wantsBenchmark: boolean;
  readonly walkForward: string | null;
  readonly onProgress: (done: number, total: number) => void;
}

/** Reads a run's directory and works out what its report shows. Throws InputError for damaged files. */
export async function viewRun(dir: string, options: RunViewOptions): Promise<RunView> {
  const run = readRunFiles(dir);
  const { summary, equity, fills, trades } = run;
  const daily = dailyCloses(equity);
  const equities = [summary.cashStart, ...Array.from(daily.values)];
  const returns = returnsOf(equities);
  const held = heldOverTime(fills);
  const configuration = configurationOfRun(dir);
  const slippageRate = (configuration.slippageBps ?? 0) / 10_000;
  const enough = returns !== null && returns.length >= LEAST_DAYS ? returns : null;
  const [from, to] = [equity.times[0]!, equity.times[equity.times.length - 1]!];
  return {
    run,
    daily,
    returns,
    performance: performanceOf({
      equity: equities,
      periodsPerYear: summary.sharpePeriodsPerYear,
      trades,
      traded: fills.reduce((sum, one) => sum + one.quantity * one.price * one.multiplier, 0),
    }),
    sharpeInterval: enough === null ? null : sharpeIntervalOf(enough, summary.sharpePeriodsPerYear),
    held,
    timeHeld: shareOfTimeHeld(held, from, to),
    costs: costsOverTime(fills, trades, slippageRate),
    slippageRate,
    entries: entriesOfTrades(fills, trades),
    traces: await readEntryTraces(dir, trades.length, options.onProgress),
    market: await readMarketView(run, options.wantsBenchmark),
    monteCarlo:
      enough === null || !(summary.cashStart > 0) || enough.every((one) => one === 0)
        ? null
        : resampleReturns(enough, {
            cashStart: summary.cashStart,
            seed: SEED,
            meanBlock: Math.min(10, enough.length),
          }),
    others: readOptionalFiles(dir, summary.journalHash, { walkForward: options.walkForward }),
  };
}

function sharpeIntervalOf(returns: Float64Array, periodsPerYear: number): Interval | null {
  try {
    return intervalOf(returns, sharpeStatistic(periodsPerYear), {
      seed: SEED,
      confidence: 0.9,
      paths: 2_000,
    });
  } catch (error) {
    // days without movement have none
    if (error instanceof InputError) return null;
    throw error;
  }
}

/** The decision that opened a trade; null where nothing of it is known. */
export function decisionOf({ entries, traces }: RunView, tradeId: string): DecisionTrace | null {
  const entry = entries.get(tradeId);
  return entry === undefined ? null : (traces.byOrder.get(entry.orderId) ?? null);
}
