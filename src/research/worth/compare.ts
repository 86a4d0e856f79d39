import { assert } from '#base';
import { differenceInterval, type Interval, MEAN, sharpeStatistic } from '../statistics/intervals.ts';
import { returnsOf, sharpeOf } from '../statistics/moments.ts';
import { type MatchedTrades, matchTrades, type PlayedTrade } from './match-trades.ts';

/** One play of a desk, as much of it as a comparison needs. Plain data; money in minor units of the account. */
export interface Played {
  readonly cash: number;
  /** Equity at the end of each UTC day. */
  readonly daily: readonly number[];
  /** Fraction of the highest equity before. */
  readonly maxDrawdown: number;
  readonly trades: readonly PlayedTrade[];
  readonly commandsHash: string;
}

export interface Figures {
  /** Of the whole run, a fraction of the opening cash. */
  readonly return: number;
  /** Annualised by {@link DAYS_PER_YEAR}; null where it is not defined. */
  readonly sharpe: number | null;
  readonly maxDrawdown: number;
  readonly trades: number;
}

/** Crypto trades every day; a market with holidays has days without movement in both runs alike. */
export const DAYS_PER_YEAR = 365;

export function figuresOf({ cash, daily, maxDrawdown, trades }: Played): Figures {
  const equity = [cash, ...daily];
  const returns = returnsOf(equity);
  return {
    return: equity.at(-1)! / cash - 1,
    sharpe: returns === null || returns.length < 3 ? null : sharpeOf(returns, DAYS_PER_YEAR),
    maxDrawdown,
    trades: trades.length,
  };
}

/** `idle`: no trade, no day's equity and no drawdown differs. Otherwise by the interval of the daily returns: above 0, below 0, or across it. */
export type Verdict = 'helps' | 'harms' | 'unproven' | 'idle';

/** What a part is worth: the run with it less the run without it, so that what is above 0 speaks for the part. */
export interface Worth {
  readonly without: Figures;
  readonly return: number;
  readonly sharpe: number | null;
  /** Above 0: the part deepens the largest drawdown. */
  readonly maxDrawdown: number;
  readonly trades: number;
  /** Of the mean difference of daily returns; null where an account came to nothing or there are too few days. */
  readonly daily: Interval | null;
  readonly dailySharpe: Interval | null;
  readonly verdict: Verdict;
  readonly matched: MatchedTrades;
}

export interface CompareOptions {
  readonly seed: string;
  readonly confidence: number;
  readonly paths: number;
}

/** Compares a run with the same run without one part, day by day on the same blocks of days. */
export function compareRuns(whole: Played, without: Played, options: CompareOptions): Worth {
  assert(whole.daily.length === without.daily.length, 'both runs saw the same days');
  const before = figuresOf(whole);
  const after = figuresOf(without);
  const matched = matchTrades(whole.trades, without.trades);
  const a = returnsOf([whole.cash, ...whole.daily]);
  const b = returnsOf([without.cash, ...without.daily]);
  const equal = isSame(whole, without, matched);
  const daily = a === null || b === null ? null : differenceInterval(a, b, MEAN, options);
  const dailySharpe =
    a === null || b === null ? null : differenceInterval(a, b, sharpeStatistic(DAYS_PER_YEAR), options);
  return {
    without: after,
    return: before.return - after.return,
    sharpe: before.sharpe === null || after.sharpe === null ? null : before.sharpe - after.sharpe,
    maxDrawdown: before.maxDrawdown - after.maxDrawdown,
    trades: before.trades - after.trades,
    daily,
    dailySharpe,
    verdict: equal ? 'idle' : verdictOf(daily),
    matched,
  };
}

function isSame(a: Played, b: Played, { caused, prevented, changed, resized }: MatchedTrades): boolean {
  if (caused.length + prevented.length + changed.length + resized.length > 0) return false;
  return a.maxDrawdown === b.maxDrawdown && a.daily.every((equity, i) => equity === b.daily[i]);
}

function verdictOf(daily: Interval | null): Verdict {
  if (daily === null) return 'unproven';
  return daily.low > 0 ? 'helps' : daily.high < 0 ? 'harms' : 'unproven';
}
