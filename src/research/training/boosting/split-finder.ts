import type { BoostingHand } from './boosting-hand.ts';
import type { ColumnDraw } from './column-draw.ts';
import { BIN_BYTES } from './row-kernels.ts';
import { SCANNED, SCANNED_BYTES } from './scan-kernel.ts';

/** A gain below this is none (XGBoost's kRtEps). */
const GAIN_LEAST = 1e-6;

/** Nine rows of 4/9 weigh 4 though each is rounded: more than sums are off by that, less than a float of 32 bits is. */
const ROUNDING = 2 ** -24;

/**
 * How finely derivatives are written: first ones are multiples of 1/`perFirst`, second ones of 1/`perSecond`, both powers of
 * two. Splits are searched in these units, in which sums are exact.
 */
export interface DerivativeUnits {
  readonly perFirst: number;
  readonly perSecond: number;
}

/**
 * The best split of a node: what XGBoost's `hist` method chooses (src/tree/hist/evaluate_splits.h of its version 1.7) from the
 * same bins. Its fields hold the answer until the next search. One object per thread, reused.
 */
export class SplitFinder {
  column = 0;
  /** Bins up to this one go left. */
  bin = 0;
  missingLeft = false;
  /** XGBoost's `loss_chg`. */
  gain = 0;
  /** Sums of the left side, in units. */
  first = 0;
  second = 0;
  /** Optimal values of both sides, before the learning rate. */
  left = 0;
  right = 0;

  private readonly hand: BoostingHand;
  private readonly draw: ColumnDraw;
  private readonly slots: number;
  private readonly monotone: readonly number[];
  private readonly isBound: boolean;
  private readonly isPlain: boolean;
  private perFirst = 1;
  private perSecond = 1;
  /** In units. */
  private lambda = 0;
  private alpha = 0;
  /** Second derivatives that a side needs, in units; more than none. */
  private least = 1;
  private best = 0;
  private place = 0;
  private found = 0;
  /** Address where a scan writes its answer. */
  private readonly out: number;
  /** Bounds of the node at work, in values. */
  private lower = -Infinity;
  private upper = Infinity;

  constructor(hand: BoostingHand, draw: ColumnDraw) {
    this.hand = hand;
    this.draw = draw;
    this.slots = hand.plan.slots;
    this.out = hand.plan.at.scanned + hand.thread * SCANNED_BYTES;
    const { monotone, alpha } = hand.plan.settings;
    this.monotone = monotone;
    this.isBound = monotone.some((sign) => sign !== 0);
    this.isPlain = !this.isBound && alpha === 0;
  }

  setUnits({ perFirst, perSecond }: DerivativeUnits): void {
    const { lambda, alpha, minChildWeight } = this.hand.plan.settings;
    this.perFirst = perFirst;
    this.perSecond = perSecond;
    this.lambda = lambda * perSecond;
    this.alpha = alpha * perFirst;
    this.least = Math.max(1, minChildWeight * perSecond * (1 - ROUNDING));
  }

  /** Whether a node with such a sum of second derivatives could have two children. */
  mayDivide(second: number): boolean {
    return second >= 2 * this.least;
  }

  /** The optimal value of a node of such sums within its bounds, before the learning rate. */
  valueOf(first: number, second: number, lower: number, upper: number): number {
    if (second < this.least) return 0;
    // 0 - 0 is 0, -0 would be another leaf
    const value = ((0 - this.shrunk(first)) / (second + this.lambda)) * (this.perSecond / this.perFirst);
    return Math.min(upper, Math.max(lower, value));
  }

  /** Searches the histogram at a byte address; false where no split is worth it. */
  find(
    histogram: number,
    depth: number,
    path: number,
    first: number,
    second: number,
    lower: number,
    upper: number,
  ): boolean {
    if (!this.mayDivide(second)) return false;
    const { words, plan } = this.hand;
    const { at, settings } = plan;
    this.lower = lower;
    this.upper = upper;
    // gains are compared before the parent's is taken off, which is the same for all
    const own = this.gainOf(first, second);
    this.best = -Infinity;
    const { places, count } = this.draw.of(depth, path);
    for (let k = 0; k < count; k++) {
      const place = places[k]!;
      const column = words[(at.chosen >>> 2) + place]!;
      const bins = words[(at.binCounts >>> 2) + column]!;
      const base = (histogram >>> 3) + place * this.slots * 2;
      const missing = base + 2 * bins;
      const { doubles } = this.hand;
      const isMissing =
        words[(at.missing >>> 2) + column]! === 1 && (doubles[missing] !== 0 || doubles[missing + 1] !== 0);
      this.place = place;
      this.column = column;
      const last = isMissing ? bins : bins - 1;
      if (this.isPlain) {
        this.upwards(base, last, first, second);
        if (isMissing) this.downwards(base, bins, first, second);
      } else {
        this.upwardsWithin(base, last, first, second);
        if (isMissing) this.downwardsWithin(base, bins, first, second);
      }
    }
    if (this.best === -Infinity) return false;
    const perUnit = this.perSecond / (this.perFirst * this.perFirst);
    this.gain = (this.best - own) * perUnit;
    if (!(this.gain > GAIN_LEAST) || this.gain < settings.gamma) return false;
    this.column = words[(at.chosen >>> 2) + this.found]!;
    this.left = this.valueOf(this.first, this.second, lower, upper);
    this.right = this.valueOf(first - this.first, second - this.second, lower, upper);
    return true;
  }

  private keep(gain: number, bin: number, missingLeft: boolean, first: number, second: number): void {
    this.best = gain;
    this.found = this.place;
    this.bin = bin;
    this.missingLeft = missingLeft;
    this.first = first;
    this.second = second;
  }

  /** Missing values on the right. */
  private upwards(base: number, last: number, first: number, second: number): void {
    const { kernels } = this.hand;
    const { lambda, least, out } = this;
    // the worth of no place is below 0, so one that is worth nothing is not found
    const best = Math.max(0, this.best);
    const at = kernels.scan(
      8 * base,
      8 * base + BIN_BYTES * last,
      first,
      second,
      0,
      0,
      lambda,
      least,
      best,
      out,
    );
    if (at !== 0) this.keepScanned(((at >>> 0) - 8 * base) / BIN_BYTES, false);
  }

  /** Missing values, whose sums stand behind the last bin, on the left. XGBoost comes from above: the last of equals is taken. */
  private downwards(base: number, bins: number, first: number, second: number): void {
    const { doubles, kernels } = this.hand;
    const { lambda, least, out } = this;
    const [missing, missingSecond] = [doubles[base + 2 * bins]!, doubles[base + 2 * bins + 1]!];
    const best = Math.max(0, this.best);
    const at = kernels.scanLast(
      ...([8 * base, 8 * base + BIN_BYTES * (bins - 1), first, second, missing, missingSecond] as const),
      ...([lambda, least, best, out] as const),
    );
    if (at !== 0 && doubles[(out >>> 3) + SCANNED.worth]! > best) {
      this.keepScanned(((at >>> 0) - 8 * base) / BIN_BYTES, true);
    }
  }

  private keepScanned(bin: number, missingLeft: boolean): void {
    const { doubles } = this.hand;
    const out = this.out >>> 3;
    const [first, second] = [doubles[out + SCANNED.first]!, doubles[out + SCANNED.second]!];
    this.keep(doubles[out + SCANNED.worth]!, bin, missingLeft, first, second);
  }

  private upwardsWithin(base: number, last: number, first: number, second: number): void {
    const { doubles } = this.hand;
    let left = 0;
    let leftSecond = 0;
    for (let bin = 0, at = base; bin < last; bin++, at += 2) {
      left += doubles[at]!;
      leftSecond += doubles[at + 1]!;
      if (leftSecond < this.least) continue;
      if (second - leftSecond < this.least) break;
      const gain = this.gainApart(left, leftSecond, first - left, second - leftSecond);
      if (gain > this.best) this.keep(gain, bin, false, left, leftSecond);
    }
  }

  private downwardsWithin(base: number, bins: number, first: number, second: number): void {
    const { doubles } = this.hand;
    let right = 0;
    let rightSecond = 0;
    for (let bin = bins - 1, at = base + 2 * bin; bin > 0; bin--, at -= 2) {
      right += doubles[at]!;
      rightSecond += doubles[at + 1]!;
      if (rightSecond < this.least) continue;
      if (second - rightSecond < this.least) break;
      const gain = this.gainApart(first - right, second - rightSecond, right, rightSecond);
      if (gain > this.best) this.keep(gain, bin - 1, true, first - right, second - rightSecond);
    }
  }

  /** Of two sides; -Infinity where they break the constraint of the column at work. */
  private gainApart(left: number, leftSecond: number, right: number, rightSecond: number): number {
    const sign = this.monotone[this.column] ?? 0;
    if (sign !== 0) {
      const leftValue = this.valueOf(left, leftSecond, this.lower, this.upper);
      const rightValue = this.valueOf(right, rightSecond, this.lower, this.upper);
      if (sign * (rightValue - leftValue) < 0) return -Infinity;
    }
    return this.gainOf(left, leftSecond) + this.gainOf(right, rightSecond);
  }

  /** What a node takes off the loss, doubled, in units: at its optimal value, or at the bound that keeps it from there. */
  private gainOf(first: number, second: number): number {
    const { lambda, alpha, lower, upper } = this;
    const shrunk = this.shrunk(first);
    const weight = second + lambda;
    if (!this.isBound) return (shrunk * shrunk) / weight;
    const value = this.valueOf(first, second, lower, upper) * (this.perFirst / this.perSecond);
    return -(2 * first * value + weight * value * value + 2 * alpha * Math.abs(value));
  }

  /** L1: moved towards 0. */
  private shrunk(first: number): number {
    const { alpha } = this;
    if (first > alpha) return first - alpha;
    return first < -alpha ? first + alpha : 0;
  }
}
