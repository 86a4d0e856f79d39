import { assert } from '#base';
import type { TrackRecord } from '#risk';
import { NumberRing } from './ring.ts';
import { type Expectancy, expectancyOf } from './trade-statistics.ts';

/** sigma.md 6: windows of 30, 100 and 500 closed trades; sizing uses 100. */
export const TRADE_WINDOWS = [30, 100, 500] as const;
const SIZING_WINDOW = 100;
const TRADES_MIN = 30;
const KEPT = 500;

/**
 * Closed trades of a desk, all instruments together, as sizing sees them. After {@link resume} only trades closed
 * since then count, so a desk that is allowed back starts again at exploration risk and is judged afresh from its
 * 30th trade on.
 */
export class TradeRecord {
  private readonly nets = new NumberRing(KEPT);
  private sinceResume = 0;
  private resumed = false;
  /** Figures of the sizing window; null after a change. Every idea asks for them, few trades change them. */
  private sizing: Expectancy | null = null;

  /** A trade closed with this net result (fees and funding paid), base currency. */
  closed(net: number): void {
    assert(Number.isFinite(net), 'a closed trade has no finite result');
    this.nets.push(net);
    this.sizing = null;
    this.sinceResume = Math.min(this.sinceResume + 1, KEPT);
  }

  /** Entries begin again after a pause at size 0. */
  resume(): void {
    this.sinceResume = 0;
    this.resumed = true;
    this.sizing = null;
  }

  /** Figures of the newest trades that count, at most `window`. */
  expectancy(window: number = SIZING_WINDOW): Expectancy {
    if (window !== SIZING_WINDOW) return this.figuresOf(window);
    this.sizing ??= this.figuresOf(window);
    return this.sizing;
  }

  private figuresOf(window: number): Expectancy {
    return expectancyOf(this.nets.last(Math.min(window, this.counting)));
  }

  /** For the sizer. `monitorMultiplier` is the strategy monitor's. */
  record(monitorMultiplier: number): TrackRecord {
    const figures = this.expectancy();
    return { ...figures, monitorMultiplier, edgeReturned: this.resumed && figures.n < TRADES_MIN };
  }

  /** Expectancy of the last 100 trades is negative over at least 30: the breaker's expectancy collapse. */
  get collapsed(): boolean {
    const { n, expectancy } = this.expectancy();
    return n >= TRADES_MIN && expectancy < 0;
  }

  /** Whether enough trades count to say anything of an edge. */
  get isJudged(): boolean {
    return this.expectancy().n >= TRADES_MIN;
  }

  /** True while sizing would make no entries: no edge over at least 30 trades. Shadows are followed meanwhile. */
  get withoutEdge(): boolean {
    const { n, expectancy } = this.expectancy();
    return n >= TRADES_MIN && expectancy <= 0;
  }

  private get counting(): number {
    return this.resumed ? this.sinceResume : this.nets.length;
  }
}
