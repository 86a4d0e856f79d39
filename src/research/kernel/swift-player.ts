import { RATE_ONE } from '#market';
import type { FeatureTiles } from './feature-tiles.ts';
import { KernelAccount } from './kernel-account.ts';
import { KernelCurve } from './kernel-curve.ts';
import type { KernelMarket } from './kernel-market.ts';
import type { Piece, RulePlayer } from './kernel-player.ts';
import type { KernelRule } from './kernel-rule.ts';
import { KernelSizing } from './kernel-sizing.ts';
import { type SignalFinder, signalFinder } from './signal-finder.ts';

/** Fixed units are sized once, whatever the account holds. */
const NOTHING = { atr: Number.NaN, volatility: Number.NaN };

/**
 * Whether {@link SwiftPlayer} can play a rule: fixed units bought and sold on signals alone, filled whole at the next
 * opening, in an instrument whose lots and ticks make whole minor units, and which cannot be liquidated.
 */
export function isSwift(rule: KernelRule): boolean {
  const { sizer, exits, instrument, participation, liquidates, shorts, feeRate, costRate } = rule;
  return (
    sizer.kind === 'fixed-units' &&
    sizer.stop === null &&
    exits.every(({ kind }) => kind === 'stop-loss' || kind === 'take-profit') &&
    participation === null &&
    instrument.valueDenominator === 1 &&
    (!liquidates || (sizer.leverage === 1 && !shorts)) &&
    feeRate >= 0 &&
    costRate < 1
  );
}

/**
 * The same as {@link KernelPlayer} for the rules of {@link isSwift}, of which a sweep may hold ten thousand with a thousand
 * trades each: everything a trade changes lies in local variables. All money is whole and below 2^53, so sums are exact in
 * whatever order.
 */
export class SwiftPlayer implements RulePlayer {
  readonly account: KernelAccount;
  readonly curve: KernelCurve;
  ordered = 0;
  outOfLanguage: string | null = null;
  readonly rule: KernelRule;
  private readonly market: KernelMarket;
  private readonly finder: SignalFinder;
  /** Window row of the first bar of a piece. */
  private readonly first: number;
  private readonly lots: number;
  /** Minor units for one tick of the position. */
  private readonly perTick: number;
  private side: 1 | 0 | -1 = 0;
  private cost = 0;
  private realised = 0;
  private fees = 0;
  private fills = 0;
  private trades = 0;
  private drawn = 0;
  private day = 0;
  private peak = Number.NEGATIVE_INFINITY;
  private least = Number.POSITIVE_INFINITY;
  private deepest = 0;

  constructor(rule: KernelRule, market: KernelMarket, tiles: FeatureTiles) {
    const { instrument, cash, feeRate } = rule;
    this.rule = rule;
    this.market = market;
    this.account = new KernelAccount(instrument, cash, feeRate, false);
    this.curve = new KernelCurve(market, this.account);
    this.finder = signalFinder(rule.signal, tiles);
    this.first = tiles.first;
    const price = market.bars.close[0] ?? 0;
    // a grid and an account that would refuse the first entry refuse every one
    const sizing = new KernelSizing({
      ...rule,
      instrument: { ...instrument, minNotional: 0 },
      solvent: false,
    });
    this.lots = price > 0 ? sizing.lots(1, price, market.markTicks[0]!, this.account, NOTHING, 0) : 0;
    this.perTick = this.lots * instrument.valueNumerator;
    if (2 * this.lots > market.lotsMost)
      this.outOfLanguage = 'its positions outgrow what the kernel reckons with';
  }

  get last(): number {
    return this.market.markTicks[this.market.length - 1] ?? 0;
  }

  advance(piece: Piece): void {
    if (this.outOfLanguage !== null) return;
    const { rule, market, finder, account, lots, perTick } = this;
    const { from, to, marks } = piece;
    const { buyTicks, sellTicks, markTicks, dayEnds } = market;
    const { minNotional } = rule.instrument;
    const { daily } = this.curve;
    const { shorts, shortsClose, opposite, feeRate, cash } = rule;
    const bars = market.length;
    const shift = this.first - from;
    const end = to + shift;
    const { highest, lowest, rows } = marks;
    let { side, cost, realised, fees, fills, trades, drawn, day, peak, least, deepest, ordered } = this;
    let dayEnd = day < dayEnds.length ? dayEnds[day]! : Number.POSITIVE_INFINITY;
    let row = Math.max(from, rule.warmUpBars - 1) + shift;
    if (row < end) finder.begin(row, end);
    for (let more = true; more; ) {
      row = row < end ? finder.next(row, end) : end;
      let until = to;
      let change = 0;
      if (row < end) {
        const wanted = finder.direction;
        until = row - shift + 1;
        row += 1;
        if (side === 0) change = wanted === 1 || (shorts && !shortsClose) ? wanted : 0;
        else if (side !== wanted && (opposite !== 'ignore' || (shortsClose && wanted === -1)))
          change = opposite === 'reverse' && (wanted === 1 || (shorts && !shortsClose)) ? 2 * wanted : wanted;
        // nothing but sizes that the grid refuses
        if (change === 0 || perTick === 0) continue;
        // what only closes may be small
        const opens = side === 0 || change === 2 || change === -2;
        if (opens && markTicks[until - 1]! * perTick * (side === 0 ? 1 : 2) < minNotional) continue;
        ordered += 1;
        if (until >= bars) continue;
      } else more = false;
      // equity up to the fill, or to the end of the piece
      if (until > drawn) {
        const book = cash + realised - fees;
        let low = book;
        let high = book;
        if (side !== 0) {
          const level = 31 - Math.clz32(until - drawn);
          const at = level * rows - from;
          const behind = at + until - (1 << level);
          const top = Math.max(highest[at + drawn]!, highest[behind]!);
          const bottom = Math.min(lowest[at + drawn]!, lowest[behind]!);
          const atMost = book + side * (top * perTick - cost);
          const atLeast = book + side * (bottom * perTick - cost);
          low = side === 1 ? atLeast : atMost;
          high = side === 1 ? atMost : atLeast;
        }
        for (; dayEnd < until; dayEnd = day < dayEnds.length ? dayEnds[day]! : Number.POSITIVE_INFINITY) {
          daily[day] = book + (side === 0 ? 0 : side * (markTicks[dayEnd]! * perTick - cost));
          day += 1;
        }
        if (low < least) least = low;
        if (high <= peak && peak > 0) {
          const fall = (peak - low) / peak;
          if (fall > deepest) deepest = fall;
        } else if (high > 0 && (high - low) / high <= deepest) {
          if (high > peak) peak = high;
        } else {
          for (let bar = drawn; bar < until; bar++) {
            const equity = book + (side === 0 ? 0 : side * (markTicks[bar]! * perTick - cost));
            if (equity > peak) peak = equity;
            else if (peak > 0) {
              const fall = (peak - equity) / peak;
              if (fall > deepest) deepest = fall;
            }
          }
        }
        drawn = until;
      }
      if (change === 0) continue;
      const worth = (change > 0 ? buyTicks[until]! : sellTicks[until]!) * perTick;
      const size = change === 1 || change === -1 ? worth : 2 * worth;
      const product = size * feeRate;
      // a whole number below 2^53 over 1e8 is further from the next whole one than a float is off
      fees +=
        product <= Number.MAX_SAFE_INTEGER
          ? Math.ceil(product / RATE_ONE)
          : account.feeOf(size === worth ? lots : 2 * lots, worth / perTick);
      fills += 1;
      if (side !== 0) {
        realised += side * (worth - cost);
        trades += 1;
        side = size === worth ? 0 : side === 1 ? -1 : 1;
      } else side = change === 1 ? 1 : -1;
      cost = worth;
    }
    this.side = side;
    this.cost = cost;
    this.realised = realised;
    this.fees = fees;
    this.fills = fills;
    this.trades = trades;
    this.drawn = drawn;
    this.day = day;
    this.peak = peak;
    this.least = least;
    this.deepest = deepest;
    this.ordered = ordered;
    if (rule.solvent && !(least > 0)) this.outOfLanguage = 'it lost all it had';
    if (to === bars) this.tell();
  }

  /** Puts what was reckoned where outcomes are read. */
  private tell(): void {
    const { account, curve } = this;
    account.realised = this.realised;
    account.fees = this.fees;
    account.fills = this.fills;
    account.trades = this.trades;
    account.lots = this.side * this.lots;
    account.cost = this.cost;
    curve.maxDrawdown = this.deepest;
  }
}
