import type { KernelMarket } from './kernel-market.ts';
import type { RangeTable } from './range-table.ts';

/** What is held, and what all is worth at a mark. */
export interface Held {
  /** Signed. */
  readonly lots: number;
  equity(markTicks: number): number;
}

/**
 * The equity curve of one rule, stretch by stretch. While nothing is traded equity rises and falls with the mark, so the
 * extremes of the marks tell nearly always whether a stretch holds a new peak or a deeper fall; only where both may be
 * it is walked bar by bar. Figures are those of a walk over every bar.
 */
export class KernelCurve {
  maxDrawdown = 0;
  /** Equity at the last bar of each day. */
  readonly daily: Float64Array;
  /** Least equity of any bar. */
  least = Infinity;
  peak = -Infinity;
  private day = 0;
  private readonly market: KernelMarket;
  private readonly account: Held;

  constructor(market: KernelMarket, account: Held) {
    this.market = market;
    this.account = account;
    this.daily = new Float64Array(market.dayEnds.length);
  }

  /** Takes bars [from, to), through which the account holds what it holds now. `marks` knows their ticks. */
  take(from: number, to: number, marks: RangeTable): void {
    if (from >= to) return;
    const { account } = this;
    const { dayEnds, markTicks } = this.market;
    while (this.day < dayEnds.length && dayEnds[this.day]! < to) {
      this.daily[this.day] = account.equity(markTicks[dayEnds[this.day]!]!);
      this.day += 1;
    }
    const { lots } = account;
    if (lots === 0) return this.range(account.equity(0), account.equity(0), from, to);
    const low = account.equity(marks.min(from, to));
    const high = account.equity(marks.max(from, to));
    if (lots > 0) this.range(low, high, from, to);
    else this.range(high, low, from, to);
  }

  private range(worst: number, best: number, from: number, to: number): void {
    if (worst < this.least) this.least = worst;
    const { peak } = this;
    if (best <= peak && peak > 0) {
      const fall = (peak - worst) / peak;
      if (fall > this.maxDrawdown) this.maxDrawdown = fall;
    } else if (best > 0 && (best - worst) / best <= this.maxDrawdown) {
      // no fall within can be deeper than from the best to the worst
      if (best > peak) this.peak = best;
    } else this.walk(from, to);
  }

  /** Takes bars [from, to) one by one into peak and drawdown. */
  walk(from: number, to: number): void {
    const { account } = this;
    const { markTicks } = this.market;
    let { peak } = this;
    for (let bar = from; bar < to; bar++) {
      const equity = account.equity(markTicks[bar]!);
      if (equity > peak) peak = equity;
      else if (peak > 0) {
        const fall = (peak - equity) / peak;
        if (fall > this.maxDrawdown) this.maxDrawdown = fall;
      }
    }
    this.peak = peak;
  }
}
