import { type Chance, InputError } from '#base';
import { type MonteCarloResult, type PathOptions, simulatePaths } from './monte-carlo.ts';

/** A trade and what carrying it out cost in the run, money of one unit. */
export interface ExecutedTrade {
  /** After all costs, those below included. */
  readonly net: number;
  /** Paid for slippage, entry and exit together; normally above 0. */
  readonly slippageCost: number;
  /** Paid because the price moved during the latency; below 0 when it moved our way. 0 where nobody measured it. */
  readonly latencyCost: number;
}

/** One trade carried out with other luck: its result, 0 when it was not carried out at all. */
export type ExecutionNoise = (trade: ExecutedTrade, chance: Chance) => number;

export interface NoiseOptions {
  /** Slippage is multiplied by a uniform draw between these. */
  readonly slippageFrom?: number;
  readonly slippageTo?: number;
  /** Latency is multiplied by exp(deviation * z): median 1. */
  readonly latencyDeviation?: number;
  /** Probability that a trade does not come about. */
  readonly skipped?: number;
}

/**
 * The model of research.md 4: slippage x U(0.5, 2), latency x lognormal, 5 % skipped fills. Every trade takes the
 * same number of draws, so one parameter changed leaves the other draws as they were.
 */
export function executionNoise(options: NoiseOptions = {}): ExecutionNoise {
  const { slippageFrom = 0.5, slippageTo = 2, latencyDeviation = 0.5, skipped = 0.05 } = options;
  if (!(slippageFrom >= 0 && slippageTo >= slippageFrom))
    throw new InputError(`slippage from ${slippageFrom} to ${slippageTo}`, 'give 0 <= from <= to');
  if (!(skipped >= 0 && skipped <= 1)) throw new InputError(`a share of ${skipped} skipped`, 'give 0 to 1');
  if (!(latencyDeviation >= 0)) throw new InputError('a deviation below 0', 'give 0 or more');
  return ({ net, slippageCost, latencyCost }, chance) => {
    const slippage = slippageFrom + (slippageTo - slippageFrom) * chance.uniform();
    const latency = Math.exp(latencyDeviation * chance.normal());
    const skip = chance.happens(skipped);
    return skip ? 0 : net - slippageCost * (slippage - 1) - latencyCost * (latency - 1);
  };
}

/** The trades in their own order, each with other luck of execution. */
export function perturbTrades(
  trades: readonly ExecutedTrade[],
  options: PathOptions,
  noise: ExecutionNoise = executionNoise(),
): MonteCarloResult {
  if (trades.length === 0) throw new InputError('no trades', 'give at least one');
  return simulatePaths(
    trades.length,
    (chance, out) => {
      for (let i = 0; i < trades.length; i++) out[i] = noise(trades[i]!, chance);
    },
    'add',
    options,
  );
}
