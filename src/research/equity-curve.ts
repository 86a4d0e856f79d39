import { DAY, HOUR, type Instant, MINUTE } from '#base';
import type { Engine } from '#engine';
import { returnsOf, sharpeOf } from './statistics/moments.ts';

/** Rows kept at most; a longer run is thinned by lengthening the spans. */
const MAX_ROWS = 20_000;

/** Spans of thinned rows. Up to a day each one divides a day, so that the last row of a day is its close. */
const SPANS = [...[1, 2, 3, 5, 10, 15, 30].map((n) => n * MINUTE), ...[1, 2, 4, 6, 12].map((n) => n * HOUR)];

/**
 * Equity over time: the largest drawdown over every sample, daily closes for statistics, and rows for a file. A run of more
 * than {@link MAX_ROWS} samples keeps the lowest, the highest and the last of each span, so that no trough is lost. Money in
 * minor units of the base currency.
 */
export class EquityCurve {
  /** Equity at the last sample of each UTC day. */
  readonly daily: number[] = [];
  readonly times: number[] = [];
  readonly equities: number[] = [];
  /** Largest fall from the highest equity so far, as a fraction of it. */
  maxDrawdown = 0;
  private highest = -Infinity;
  /** Since the highest. */
  private lowest = -Infinity;
  private dayEnd = -1;
  /** 0 keeps every sample. */
  private spanMs = 0;
  /**
   * Rows of the open span, at most three, that are not in the arrays yet: the last sample, and before it what was lowest and
   * highest until then.
   */
  private spanEnd = -Infinity;
  private open = 0;
  private firstAt = 0;
  private first = 0;
  private secondAt = 0;
  private second = 0;
  private lastAt = -Infinity;
  private last = 0;

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
    this.measure(equity);
    if (at > this.dayEnd) {
      if (this.dayEnd >= 0) this.daily.push(this.last);
      // the close at 00:00 belongs to the day that ends there
      this.dayEnd = Math.ceil(at / DAY) * DAY;
    }
    this.keep(at, equity);
  }

  private measure(equity: number): void {
    if (equity >= this.highest) this.highest = this.lowest = equity;
    else if (equity < this.lowest) {
      this.lowest = equity;
      const fall = (this.highest - equity) / this.highest;
      // an equity that was never above 0 has none
      if (this.highest > 0 && fall > this.maxDrawdown) this.maxDrawdown = fall;
    }
  }

  private keep(at: Instant, equity: number): void {
    if (at === this.lastAt) {
      this.last = equity;
      return;
    }
    if (at > this.spanEnd) {
      this.flush();
      this.spanEnd = this.spanMs === 0 ? -Infinity : Math.ceil(at / this.spanMs) * this.spanMs;
    } else this.makeRoom();
    this.lastAt = at;
    this.last = equity;
    this.open += 1;
    if (this.times.length + this.open > MAX_ROWS) this.thin();
  }

  /** The last sample of the open span is not its last any more: of three rows, what is neither lowest nor highest goes. */
  private makeRoom(): void {
    const { first, second, last } = this;
    if (this.open === 1) {
      this.first = last;
      this.firstAt = this.lastAt;
      return;
    }
    if (this.open === 3) {
      this.open = 2;
      // the earlier one of equals stays; three equal ones leave the first and the last
      const isBetween = first < second ? last >= first && last <= second : last <= first && last >= second;
      if (first !== second && isBetween) return;
      if (first < second ? last < first : first > second && last > first) {
        this.first = second;
        this.firstAt = this.secondAt;
      }
    }
    this.second = last;
    this.secondAt = this.lastAt;
  }

  /** Puts the rows of the open span behind the others. */
  private flush(): void {
    const { times, equities, open } = this;
    if (open > 1) {
      times.push(this.firstAt);
      equities.push(this.first);
    }
    if (open > 2) {
      times.push(this.secondAt);
      equities.push(this.second);
    }
    if (open > 0) {
      times.push(this.lastAt);
      equities.push(this.last);
    }
    this.open = 0;
  }

  private thin(): void {
    this.flush();
    const times = this.times.splice(0);
    const equities = this.equities.splice(0);
    this.spanMs = SPANS.find((span) => span > this.spanMs) ?? (this.spanMs < DAY ? DAY : this.spanMs * 2);
    this.spanEnd = -Infinity;
    this.lastAt = -Infinity;
    for (let i = 0; i < times.length; i++) this.keep(times[i]!, equities[i]!);
  }

  /** Takes the last equity. Rows of times before are not complete until then. */
  finish(at: Instant, engine: Engine): void {
    const equity = engine.equity();
    this.measure(equity);
    if (this.dayEnd >= 0) this.daily.push(equity);
    if (at === this.lastAt) this.last = equity;
    this.flush();
    if (at === this.lastAt) return;
    this.times.push(at);
    this.equities.push(equity);
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
