import { Chance, InputError } from '#base';
import type { VenueFold } from '#execution';
import {
  DrawdownWalk,
  type MeanBlock,
  type MonteCarloResult,
  type Percentiles,
  quantileOf,
  resampleReturns,
  resampleTrades,
  returnsOf,
} from '#research';
import { readRun } from '../setup/replay-run.ts';
import { type PlayedRun, playRunAgain, requireJournal } from './witness.ts';

export interface MonteCarloRequest {
  /** Directory of a finished backtest. */
  readonly dir: string;
  readonly paths: number;
  /** Replays with other luck of execution; 0 leaves them out. */
  readonly replays: number;
  readonly meanBlock: MeanBlock;
  readonly ruinAt: number;
  readonly seed: string;
  readonly keepsOn: () => boolean;
  readonly onProgress: (done: number, total: number) => void;
}

/** Runs played again with other luck of execution. Money in minor units. */
export interface ReplayedNoise {
  readonly replays: number;
  readonly finalEquity: Percentiles;
  readonly maxDrawdown: Percentiles;
  /** In days. */
  readonly longestDrawdown: Percentiles;
  readonly trades: Percentiles;
  readonly ruin: number;
}

export interface MonteCarloStudy {
  readonly desk: string;
  readonly currency: string;
  readonly minorScale: number;
  readonly cash: number;
  readonly equityEnd: number;
  readonly trades: number;
  readonly days: number;
  readonly maxDrawdown: number;
  readonly shuffle: MonteCarloResult | null;
  readonly bootstrap: MonteCarloResult | null;
  readonly blocks: MonteCarloResult | null;
  readonly noise: ReplayedNoise | null;
  readonly stamps: readonly string[];
  readonly notes: readonly string[];
  readonly finished: boolean;
}

/** research.md 4: slippage x U(0.5, 2), latency x lognormal, 5 % of the fills skipped. */
const NOISE = { slippageFrom: 0.5, slippageTo: 2, latencySigma: 0.5, skippedFills: 0.05 };

/**
 * How a run could have come out: its trades in another order and drawn again, its days in blocks, and the whole run with
 * other luck of execution. Null when it was interrupted before there was anything. Throws InputError for a run without a trade.
 */
export async function runMonteCarlo(request: MonteCarloRequest): Promise<MonteCarloStudy | null> {
  const { dir, paths, replays, meanBlock, ruinAt, seed, keepsOn, onProgress } = request;
  requireJournal(dir);
  const run = await readRun(dir);
  const nets: number[] = [];
  const total = 1 + replays;
  const played = await playRunAgain(run, { witness: { traded: (net) => nets.push(net) }, keepsOn });
  if (played === null) return null;
  onProgress(1, total);
  if (nets.length === 0) throw new InputError(`${dir} has no closed trade`, 'give a run that trades');
  const { cash, curve } = played;
  const returns = returnsOf([cash, ...curve.daily]);
  const options = { cashStart: cash, paths, ruinAt };
  const notes: string[] = [];
  if (returns === null) notes.push('the equity was lost on the way: there are no daily returns to draw from');
  const results: PlayedRun[] = [];
  const counts: number[] = [];
  for (let k = 0; k < replays; k++) {
    let trades = 0;
    const other = await playRunAgain(run, {
      witness: {
        traded: () => {
          trades += 1;
        },
      },
      luck: {
        seed: `${seed}/execution ${k}`,
        noise: NOISE,
        wrap: (venue) => new SkippingVenue(venue, new Chance(`${seed}/skipped ${k}`)),
      },
      keepsOn,
    });
    if (other === null) break;
    results.push(other);
    counts.push(trades);
    onProgress(2 + k, total);
  }
  const { slippageBps } = run.configuration;
  if (replays > 0 && !((slippageBps ?? run.desk.parts.simulation?.slippageBps ?? 0) > 0)) {
    notes.push('the run has no slippage to multiply: give the backtest --slippage-bps');
  }
  const { definitionScale, currency } = moneyOf(played);
  return {
    desk: run.desk.definition.name,
    currency,
    minorScale: definitionScale,
    cash,
    equityEnd: played.engine.equity(),
    trades: nets.length,
    days: curve.daily.length,
    maxDrawdown: curve.maxDrawdown,
    shuffle: resampleTrades(nets, 'shuffle', { ...options, seed: `${seed}/shuffle` }),
    bootstrap: resampleTrades(nets, 'bootstrap', { ...options, seed: `${seed}/bootstrap` }),
    blocks:
      returns === null || returns.length < 2
        ? null
        : resampleReturns(returns, { ...options, seed: `${seed}/blocks`, meanBlock }),
    noise: results.length === 0 ? null : noiseOf(results, counts, cash, ruinAt),
    stamps: run.desk.parts.stamps ?? [],
    notes,
    finished: results.length === replays,
  };
}

const moneyOf = ({ engine: { definition } }: PlayedRun) => ({
  definitionScale: definition.baseMinorScale,
  currency: definition.base as string,
});

/** An entry to be filled at once does not come about now and then; orders that rest are passed over by the venue itself. */
class SkippingVenue implements VenueFold {
  private readonly venue: VenueFold;
  private readonly chance: Chance;

  constructor(venue: VenueFold, chance: Chance) {
    this.venue = venue;
    this.chance = chance;
  }

  execute(...[command, at]: Parameters<VenueFold['execute']>): ReturnType<VenueFold['execute']> {
    if (command.kind === 'submit-order') {
      const { clientId, reduceOnly, type } = command.order;
      if (!reduceOnly && type === 'market' && this.chance.happens(NOISE.skippedFills)) {
        return [{ kind: 'order-rejected', at, eventTime: at, clientId, reason: 'skipped' }];
      }
    }
    return this.venue.execute(command, at);
  }

  onMarket(...given: Parameters<VenueFold['onMarket']>): ReturnType<VenueFold['onMarket']> {
    return this.venue.onMarket(...given);
  }

  advanceTo(...given: Parameters<VenueFold['advanceTo']>): ReturnType<VenueFold['advanceTo']> {
    return this.venue.advanceTo(...given);
  }

  venues(): string[] {
    return this.venue.venues();
  }

  accountReport(...given: Parameters<VenueFold['accountReport']>): ReturnType<VenueFold['accountReport']> {
    return this.venue.accountReport(...given);
  }
}

function noiseOf(
  runs: readonly PlayedRun[],
  trades: readonly number[],
  cash: number,
  ruinAt: number,
): ReplayedNoise {
  const finals = runs.map(({ engine }) => engine.equity());
  const longest = runs.map(({ curve }) => {
    const walk = new DrawdownWalk();
    for (const equity of [cash, ...curve.daily]) walk.push(equity);
    return walk.longest;
  });
  const ruined = runs.filter(({ curve }) => Math.min(...curve.daily) <= cash * (1 - ruinAt)).length;
  return {
    replays: runs.length,
    finalEquity: percentilesOf(finals),
    maxDrawdown: percentilesOf(runs.map(({ curve }) => curve.maxDrawdown)),
    longestDrawdown: percentilesOf(longest),
    trades: percentilesOf(trades),
    ruin: ruined / runs.length,
  };
}

function percentilesOf(values: readonly number[]): Percentiles {
  const sorted = [...values].sort((a, b) => a - b);
  return { p5: quantileOf(sorted, 0.05), p50: quantileOf(sorted, 0.5), p95: quantileOf(sorted, 0.95) };
}
