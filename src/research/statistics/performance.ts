import { InputError } from '#base';
import { deviation, expectancyOf, mean } from '#learning';
import { drawdownOf } from './drawdown.ts';
import { returnsOf, sharpeOf, sortinoOf } from './moments.ts';

/** One closed trade, money in one unit. */
export interface ClosedTrade {
  /** After fees and funding. */
  readonly net: number;
  /** What the trade would have lost at its stop, above 0; null without a stop. */
  readonly risk?: number | null;
}

export interface PerformanceInput {
  /** Equity at the start and at the end of each of n periods, open profit and loss included: n+1 values. */
  readonly equity: ArrayLike<number>;
  /** 365 for crypto, 252 for stocks and currencies when the periods are days. */
  readonly periodsPerYear: number;
  readonly trades?: readonly ClosedTrade[];
  /** Notional held over each of the n periods, all positions' sizes summed. */
  readonly held?: ArrayLike<number>;
  /** Notional bought plus notional sold over the whole run. */
  readonly traded?: number;
}

/** Fractions, not per cent. Null where a figure is not defined (too few values, nothing to divide by): never infinite. */
export interface Performance {
  readonly periods: number;
  readonly periodsPerYear: number;
  readonly totalReturn: number | null;
  /** Compound growth per year; -1 when everything was lost. */
  readonly cagr: number | null;
  /** Deviation (ddof 1) of the returns, per year. */
  readonly volatility: number | null;
  readonly sharpe: number | null;
  readonly sortino: number | null;
  readonly maxDrawdown: number;
  /** In periods. */
  readonly longestDrawdown: number;
  readonly ulcerIndex: number;
  /** cagr / maxDrawdown. */
  readonly calmar: number | null;
  readonly trades: number;
  readonly winRate: number | null;
  /** Gross profit / gross loss. */
  readonly profitFactor: number | null;
  /** Mean net result of a trade, in money. */
  readonly expectancy: number | null;
  /** Mean of net / risk over the trades that had a stop. */
  readonly expectancyR: number | null;
  /** Share of the periods with a position. */
  readonly exposure: number | null;
  /** Mean of held / equity at the period's start. */
  readonly leverage: number | null;
  /** Traded notional / mean equity, per year. */
  readonly turnover: number | null;
}

/** The figures of a run (research.md 3). */
export function performanceOf(input: PerformanceInput): Performance {
  const { equity, periodsPerYear, trades = [], held, traded } = input;
  const periods = Math.max(0, equity.length - 1);
  if (held !== undefined && held.length !== periods)
    throw new InputError(
      `held has ${held.length} values for ${periods} periods`,
      'give one value per period',
    );
  const returns = returnsOf(equity);
  const drawdown = drawdownOf(equity);
  const cagr = growthPerYear(equity, periodsPerYear);
  const sd = returns === null || periods < 2 ? null : deviation(returns);
  return {
    periods,
    periodsPerYear,
    totalReturn: periods > 0 && equity[0]! > 0 ? equity[periods]! / equity[0]! - 1 : null,
    cagr,
    volatility: sd === null ? null : sd * Math.sqrt(periodsPerYear),
    sharpe: returns === null ? null : sharpeOf(returns, periodsPerYear),
    sortino: returns === null ? null : sortinoOf(returns, periodsPerYear),
    maxDrawdown: drawdown.max,
    longestDrawdown: drawdown.longest,
    ulcerIndex: drawdown.ulcer,
    calmar: cagr !== null && drawdown.max > 0 ? cagr / drawdown.max : null,
    ...tradeFigures(trades),
    exposure: held === undefined || periods === 0 ? null : shareHeld(held),
    leverage: held === undefined || returns === null || periods === 0 ? null : meanLeverage(held, equity),
    turnover: traded === undefined ? null : turnoverOf(traded, equity, periodsPerYear),
  };
}

function growthPerYear(equity: ArrayLike<number>, periodsPerYear: number): number | null {
  const periods = equity.length - 1;
  if (periods < 1 || !(equity[0]! > 0)) return null;
  const growth = equity[periods]! / equity[0]!;
  if (!(growth > 0)) return -1;
  const yearly = growth ** (periodsPerYear / periods) - 1;
  // a good hour, compounded over a year, can exceed every number
  return Number.isFinite(yearly) ? yearly : null;
}

function tradeFigures(trades: readonly ClosedTrade[]) {
  const nets = trades.map((trade) => trade.net);
  const { n, winRate } = expectancyOf(nets);
  const won = nets.reduce((sum, net) => sum + Math.max(net, 0), 0);
  const lost = nets.reduce((sum, net) => sum - Math.min(net, 0), 0);
  const multiples = trades.flatMap(({ net, risk }) => (risk != null && risk > 0 ? [net / risk] : []));
  return {
    trades: n,
    winRate: n === 0 ? null : winRate,
    profitFactor: lost > 0 ? won / lost : null,
    expectancy: n === 0 ? null : mean(nets),
    expectancyR: multiples.length === 0 ? null : mean(multiples),
  };
}

function shareHeld(held: ArrayLike<number>): number {
  let periods = 0;
  for (let i = 0; i < held.length; i++) if (held[i]! !== 0) periods += 1;
  return periods / held.length;
}

function meanLeverage(held: ArrayLike<number>, equity: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < held.length; i++) sum += Math.abs(held[i]!) / equity[i]!;
  return sum / held.length;
}

function turnoverOf(traded: number, equity: ArrayLike<number>, periodsPerYear: number): number | null {
  const periods = equity.length - 1;
  const level = mean(equity);
  return periods > 0 && level > 0 ? (traded / level) * (periodsPerYear / periods) : null;
}
