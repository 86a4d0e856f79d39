import { DAY, floorTo, type Instant } from '#base';
import type { Engine } from '#engine';
import { returnsOf, sharpeOf } from './statistics/moments.ts';

/** Rows kept at most; a longer run is thinned by doubling the sampling interval. */
const MAX_ROWS = 20_000;

/**
 * Equity over time: the largest drawdown over every sample, daily closes for statistics, and thinned rows for a
 * file. Money in minor units of the base currency.
 */
export class EquityCurve {
  maxDrawdown = 0;
  /** Equity at the last sample of each UTC day. */
  readonly daily: number[] = [];
  readonly times: number[] = [];
  readonly equities: number[] = [];
  private peak = -Infinity;
  private dayEnd = -1;
  private last = 0;
  private everyMs = 1;
  private nextAt = -Infinity;

  sample(at: Instant, engine: Engine): void {
    this.take(at, engine.equity());
  }

  /** Samples after each of so many bars from row `from` on; `equities` from its beginning. */
  sampleAlong(
    time: Float64Array,
    intervalMs: number,
    from: number,
    equities: Float64Array,
    bars: number,
  ): void {
    for (let i = 0; i < bars; i++) this.take(time[from + i]! + intervalMs, equities[i]!);
  }

  private take(at: Instant, equity: number): void {
    if (equity > this.peak) this.peak = equity;
    else if (this.peak > 0) {
      const drawdown = (this.peak - equity) / this.peak;
      if (drawdown > this.maxDrawdown) this.maxDrawdown = drawdown;
    }
    if (at > this.dayEnd) {
      if (this.dayEnd >= 0) this.daily.push(this.last);
      // the close at 00:00 belongs to the day that ends there
      this.dayEnd = Math.ceil(at / DAY) * DAY;
    }
    this.last = equity;
    if (at >= this.nextAt) this.keep(at, equity);
  }

  private keep(at: Instant, equity: number): void {
    this.times.push(at);
    this.equities.push(equity);
    this.nextAt = floorTo(at, this.everyMs) + this.everyMs;
    if (this.times.length <= MAX_ROWS) return;
    this.everyMs = this.everyMs === 1 ? 60_000 : this.everyMs * 2;
    let kept = 0;
    let next = -Infinity;
    for (let i = 0; i < this.times.length; i++) {
      if (this.times[i]! < next) continue;
      this.times[kept] = this.times[i]!;
      this.equities[kept] = this.equities[i]!;
      next = floorTo(this.times[i]!, this.everyMs) + this.everyMs;
      kept += 1;
    }
    this.times.length = kept;
    this.equities.length = kept;
    this.nextAt = next;
  }

  finish(at: Instant, engine: Engine): void {
    const equity = engine.equity();
    this.last = equity;
    if (this.dayEnd >= 0) this.daily.push(equity);
    if (this.times.at(-1) !== at) {
      this.times.push(at);
      this.equities.push(equity);
    } else this.equities[this.equities.length - 1] = equity;
  }

  /**
   * Annualised Sharpe ratio of daily simple returns, sample deviation (ddof 1); null below three days or without
   * movement.
   */
  sharpe(cashStart: number, periodsPerYear: number): number | null {
    const returns = returnsOf([cashStart, ...this.daily]);
    return returns === null || returns.length < 3 ? null : sharpeOf(returns, periodsPerYear);
  }
}
