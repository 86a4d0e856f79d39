import type { Instant } from '#base';
import { DAY } from '#base';
import type { Bar, BarColumns, BarFault } from './bar.ts';

/** What becomes of a bar: taken, refused as bad, dropped as a repetition, refused because time has passed it. */
export type BarVerdict = 'accept' | 'refuse' | 'duplicate' | 'late';

/** `conflict`: a second bar of the same open time with other figures. */
export type BarObjection = BarFault | 'beyond-grid' | 'conflict' | 'duplicate' | 'late';

export interface BarCheck {
  readonly verdict: BarVerdict;
  readonly objection: BarObjection | null;
  /** Bars missing between the last accepted one and this one; 0 unless accepted. */
  readonly gapBars: number;
  /** The bar to use: as given, or widened (see {@link BarChecker}). */
  readonly bar: Bar;
}

export interface BarCounts {
  accepted: number;
  /** Accepted after high or low was widened by float noise. */
  repaired: number;
  /** Holes, and how many bars are missing in them all together. */
  gaps: number;
  gapBars: number;
  duplicate: number;
  conflict: number;
  late: number;
  'not-finite': number;
  'not-positive': number;
  'high-below-low': number;
  'not-enclosing': number;
  'negative-volume': number;
  misaligned: number;
  'beyond-grid': number;
}

export function noBarCounts(): BarCounts {
  return {
    accepted: 0,
    repaired: 0,
    gaps: 0,
    gapBars: 0,
    duplicate: 0,
    conflict: 0,
    late: 0,
    'not-finite': 0,
    'not-positive': 0,
    'high-below-low': 0,
    'not-enclosing': 0,
    'negative-volume': 0,
    misaligned: 0,
    'beyond-grid': 0,
  };
}

/** Bars that were not used: everything but accepted, repaired and holes. */
export function refusedBars(counts: BarCounts): number {
  const { accepted: _a, repaired: _r, gaps: _g, gapBars: _b, ...refused } = counts;
  return Object.values(refused).reduce((sum, n) => sum + n, 0);
}

/** A high or low that misses open or close by no more than this fraction is float noise. */
const NOISE = 1e-9;

/**
 * The rule for one series of bars, applied in the order they come:
 * - not finite, a price not above zero, high below low, negative volume: refused.
 * - a high above `priceMax`, which the instrument's money cannot be reckoned in: refused as `beyond-grid`.
 * - high or low not enclosing open and close: widened when the miss is float noise (1e-9 of the price), else refused.
 * - off the interval's grid (below one day, shifted by `phaseMs`), or begun before the last one ended: `misaligned`, refused.
 *   Bars of a day and more may shift with daylight saving, so only their distance is judged.
 * - the same open time: dropped as `duplicate` when equal, refused as `conflict` when not; the first one stands.
 * - older than the last accepted one: `late`, refused.
 * - a hole: accepted, the missing bars counted. Nothing is filled in.
 */
export class BarChecker {
  static readonly configuration = ['intervalMs', 'phaseMs', 'priceMax'];
  readonly intervalMs: number;
  readonly phaseMs: number;
  /** Follows the definition of the instrument in force. */
  priceMax: number;
  readonly counts: BarCounts = noBarCounts();
  /** Open time of the last accepted bar; -Infinity before the first. */
  lastTime: Instant = -Infinity;
  /** Results of the last {@link judge}. */
  objection: BarObjection | null = null;
  gapBars = 0;
  high = 0;
  low = 0;
  private lastOpen = 0;
  private lastHigh = 0;
  private lastLow = 0;
  private lastClose = 0;
  private lastVolume = 0;

  constructor(intervalMs: number, phaseMs = 0, priceMax = Infinity) {
    this.intervalMs = intervalMs;
    this.phaseMs = phaseMs;
    this.priceMax = priceMax;
  }

  check(bar: Bar): BarCheck {
    const verdict = this.judge(bar.time, bar.open, bar.high, bar.low, bar.close, bar.volume);
    const repaired = verdict === 'accept' && (this.high !== bar.high || this.low !== bar.low);
    return {
      verdict,
      objection: this.objection,
      gapBars: this.gapBars,
      bar: repaired ? { ...bar, high: this.high, low: this.low } : bar,
    };
  }

  /** {@link check} without objects: sets `objection`, `gapBars`, and `high` and `low` to use. */
  judge(time: number, open: number, high: number, low: number, close: number, volume: number): BarVerdict {
    this.gapBars = 0;
    this.high = high;
    this.low = low;
    const fault = this.faultOf(time, open, high, low, close, volume);
    if (fault !== null) return this.refuse(fault, 'refuse');
    if (time <= this.lastTime) {
      if (time < this.lastTime) return this.refuse('late', 'late');
      const same =
        open === this.lastOpen &&
        this.high === this.lastHigh &&
        this.low === this.lastLow &&
        close === this.lastClose &&
        volume === this.lastVolume;
      return same ? this.refuse('duplicate', 'duplicate') : this.refuse('conflict', 'refuse');
    }
    if (this.lastTime !== -Infinity) {
      const steps = Math.round((time - this.lastTime) / this.intervalMs);
      if (steps < 1) return this.refuse('misaligned', 'refuse');
      if (steps > 1) {
        this.gapBars = steps - 1;
        this.counts.gaps += 1;
        this.counts.gapBars += steps - 1;
      }
    }
    this.objection = null;
    this.counts.accepted += 1;
    if (this.high !== high || this.low !== low) this.counts.repaired += 1;
    this.lastTime = time;
    this.lastOpen = open;
    this.lastHigh = this.high;
    this.lastLow = this.low;
    this.lastClose = close;
    this.lastVolume = volume;
    return 'accept';
  }

  /**
   * How many bars from row `from` on, before `to`, would be accepted as they stand, one interval after the other and
   * the first one interval after the last that was accepted, none ended early by its successor. Changes nothing.
   */
  plainAhead(columns: BarColumns, from: number, to: number): number {
    const { time, open, high, low, close, volume, length } = columns;
    const { intervalMs, priceMax } = this;
    let next = this.lastTime + intervalMs;
    let row = from;
    for (; row < to; row++) {
      const o = open[row]!;
      const h = high[row]!;
      const l = low[row]!;
      const c = close[row]!;
      const v = volume[row]!;
      const isPlain = h >= o && h >= c && l <= o && l <= c && l > 0 && h <= priceMax && h < Infinity;
      if (!isPlain || !(v >= 0 && v < Infinity) || time[row] !== next) break;
      next += intervalMs;
    }
    // the successors of all but the last were looked at
    if (row > from && row < length && time[row]! < next) row -= 1;
    return row - from;
  }

  /** Takes the bars of rows [from, to), which {@link plainAhead} has looked at. */
  took(columns: BarColumns, from: number, to: number): void {
    const last = to - 1;
    this.gapBars = 0;
    this.objection = null;
    this.counts.accepted += to - from;
    this.lastTime = columns.time[last]!;
    this.lastOpen = columns.open[last]!;
    this.lastHigh = this.high = columns.high[last]!;
    this.lastLow = this.low = columns.low[last]!;
    this.lastClose = columns.close[last]!;
    this.lastVolume = columns.volume[last]!;
  }

  private refuse(objection: BarObjection, verdict: BarVerdict): BarVerdict {
    this.objection = objection;
    this.counts[objection] += 1;
    return verdict;
  }

  /** Judges a bar by itself and widens `this.high` and `this.low` where only noise is missing. */
  private faultOf(t: number, o: number, h: number, l: number, c: number, v: number): BarObjection | null {
    if (!Number.isFinite(t + o + h + l + c + v)) return 'not-finite';
    if (o <= 0 || h <= 0 || l <= 0 || c <= 0) return 'not-positive';
    if (h > this.priceMax) return 'beyond-grid';
    const top = Math.max(o, c);
    const bottom = Math.min(o, c);
    if (h < top || l > bottom) {
      const noise = top * NOISE;
      if (h < l - noise) return 'high-below-low';
      if (h < top - noise || l > bottom + noise) return 'not-enclosing';
      if (h < top) this.high = top;
      if (l > bottom) this.low = bottom;
    }
    if (v < 0) return 'negative-volume';
    if (!Number.isSafeInteger(t)) return 'misaligned';
    // the bar after an aligned one is aligned: the remainder of large floats is slow
    if (t === this.lastTime + this.intervalMs) return null;
    if (this.intervalMs < DAY && (t - this.phaseMs) % this.intervalMs !== 0) return 'misaligned';
    return null;
  }
}
