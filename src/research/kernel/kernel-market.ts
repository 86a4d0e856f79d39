import { canonicalJson, DAY, power10 } from '#base';
import { lotsIn, takerTicks } from '#execution';
import { BarChecker, type BarColumns, type Instrument, priceMax, valueAt, WORTH_MOST } from '#market';

/** What a run assumes of the market; rules that assume the same share one {@link KernelMarket}. */
export interface MarketTerms {
  readonly instrument: Instrument;
  readonly intervalMs: number;
  /** Lost by a taker, fraction of price. */
  readonly slippageRate: number;
  /** Largest share of a bar's volume; null is no cap. */
  readonly participation: number | null;
}

/** So many times its own worth is counted beside a position: orders that protect and close it. */
const BESIDE = 8;

/** Bars on the grid of an instrument: what a market order would pay at each opening, and the mark of each close. */
export class KernelMarket {
  readonly instrument: Instrument;
  readonly intervalMs: number;
  readonly slippageRate: number;
  readonly bars: BarColumns;
  readonly length: number;
  /** Ticks of a market order at the opening. */
  readonly buyTicks: Float64Array;
  readonly sellTicks: Float64Array;
  /** Ticks of the close. */
  readonly markTicks: Float64Array;
  /** Lots that may trade in the bar; null is no cap. */
  readonly caps: Float64Array | null;
  /** The last bar of each UTC day that has one; a close at 00:00 belongs to the day that ends there. */
  readonly dayEnds: Int32Array;
  /** Whether every mark is a whole number of 32 bits. */
  readonly marksAreShort: boolean;
  /** Ticks of the lowest close. */
  readonly leastMark: number;
  /** A larger position might not be reckoned at every price of the data. */
  readonly lotsMost: number;

  constructor(bars: BarColumns, terms: MarketTerms) {
    const { instrument, intervalMs, slippageRate, participation } = terms;
    this.instrument = instrument;
    this.intervalMs = intervalMs;
    this.slippageRate = slippageRate;
    this.bars = bars;
    const n = bars.length;
    this.length = n;
    this.buyTicks = new Float64Array(n);
    this.sellTicks = new Float64Array(n);
    this.markTicks = new Float64Array(n);
    this.caps = participation === null ? null : new Float64Array(n);
    const { tick } = instrument;
    const perTick = power10(tick.scale);
    const days: number[] = [];
    let dayEnd = -1;
    let highest = 0;
    let leastMark = Infinity;
    for (let i = 0; i < n; i++) {
      const open = bars.open[i]!;
      this.buyTicks[i] = takerTicks(instrument, open, 'buy', slippageRate, null);
      this.sellTicks[i] = takerTicks(instrument, open, 'sell', slippageRate, null);
      this.markTicks[i] = Math.round((bars.close[i]! * perTick) / tick.units);
      if (this.markTicks[i]! < leastMark) leastMark = this.markTicks[i]!;
      if (this.caps !== null) this.caps[i] = lotsIn(instrument, participation! * bars.volume[i]!);
      highest = Math.max(highest, bars.high[i]!);
      const at = this.closeAt(i);
      if (at > dayEnd) {
        if (i > 0) days.push(i - 1);
        dayEnd = Math.ceil(at / DAY) * DAY;
      }
    }
    if (n > 0) days.push(n - 1);
    this.dayEnds = Int32Array.from(days);
    this.leastMark = leastMark;
    this.marksAreShort = (highest * perTick) / tick.units < 2 ** 31 - 1;
    this.lotsMost =
      Math.min(
        Number.MAX_SAFE_INTEGER / instrument.valueNumerator,
        WORTH_MOST / valueAt(instrument, 1, highest),
      ) / BESIDE;
  }

  closeAt(bar: number): number {
    return this.bars.time[bar]! + this.intervalMs;
  }
}

/** Markets of bars that are still in use, by their terms. */
const known = new WeakMap<BarColumns, Map<string, KernelMarket>>();
const KNOWN_MOST = 8;

/**
 * The market of bars under these terms, the same object for the same bars: a sweep plays its variants in many goes. Bars
 * that have grown make another one; that they are not written over is the caller's word.
 */
export function marketOf(bars: BarColumns, terms: MarketTerms): KernelMarket {
  let markets = known.get(bars);
  if (markets === undefined) {
    markets = new Map();
    known.set(bars, markets);
  }
  const { instrument, intervalMs, slippageRate, participation } = terms;
  const key = canonicalJson([bars.length, instrument, intervalMs, slippageRate, participation]);
  let market = markets.get(key);
  if (market === undefined) {
    if (markets.size === KNOWN_MOST) markets.clear();
    market = new KernelMarket(bars, terms);
    markets.set(key, market);
  }
  return market;
}

/** Why bars cannot be played as columns, or null: the loop would refuse, mend or shorten one of them. */
export function barsReason(bars: BarColumns, { instrument, intervalMs }: MarketTerms): string | null {
  const checker = new BarChecker(intervalMs, 0, priceMax(instrument));
  let before = -Infinity;
  for (let i = 0; i < bars.length; i++) {
    const time = bars.time[i]!;
    const high = bars.high[i]!;
    const low = bars.low[i]!;
    const verdict = checker.judge(time, bars.open[i]!, high, low, bars.close[i]!, bars.volume[i]!);
    if (verdict !== 'accept') return `the data hold a bar that is not used (${checker.objection})`;
    if (checker.high !== high || checker.low !== low) return 'the data hold a bar that has to be mended';
    if (time < before + intervalMs) return 'the data hold bars that overlap';
    before = time;
  }
  return null;
}
