import { assert } from '#base';
import { drawdownOf } from '../statistics/drawdown.ts';
import type { Measured } from './decide.ts';
import type { FigureName } from './profile.ts';

/** Closed trades and the equity they led to, as the promotion gate of S1 looks at them. */
export interface SheetOutcome {
  /** Net results of closed trades, after fees and funding, in one unit of money. */
  readonly nets: ArrayLike<number>;
  /** Equity from the start on, open results included. */
  readonly equity: ArrayLike<number>;
}

/**
 * Profit factor, win rate, drawdown and trades (S1 7). A trade that ended with nothing counts as lost in the win rate. Gains
 * without a losing unit of money make the profit factor infinite: it has no number and passes. Without a trade nothing is known.
 */
export function sheetFigures({
  nets,
  equity,
}: SheetOutcome): Record<
  Extract<FigureName, 'profitFactor' | 'winRate' | 'maxDrawdown' | 'trades'>,
  Measured
> {
  let won = 0;
  let lost = 0;
  let wins = 0;
  for (let i = 0; i < nets.length; i++) {
    const net = nets[i]!;
    // what is no number would pass for a trade without a loss
    assert(Number.isFinite(net), `net result of trade ${i}`);
    if (net > 0) {
      wins += 1;
      won += net;
    } else lost -= net;
  }
  for (let i = 0; i < equity.length; i++) assert(Number.isFinite(equity[i]), `equity ${i}`);
  const trades = nets.length;
  const none = { value: null, note: 'no trade' };
  return {
    profitFactor:
      lost > 0
        ? { value: won / lost }
        : won > 0
          ? { value: null, note: 'no loss: infinite', passes: true }
          : trades === 0
            ? none
            : { value: null, note: 'nothing was gained or lost' },
    winRate: trades === 0 ? none : { value: wins / trades },
    maxDrawdown: equity.length === 0 ? { value: null, note: 'no equity' } : { value: drawdownOf(equity).max },
    trades: { value: trades },
  };
}
