import { numberToSteps, stepsToNumber } from '#base';
import { trailLevel } from '#risk';
import type { FeatureTiles } from './feature-tiles.ts';
import { KernelAccount, type KernelRecorder } from './kernel-account.ts';
import { KernelCurve } from './kernel-curve.ts';
import type { KernelMarket } from './kernel-market.ts';
import { type FillSink, type KernelOrder, KernelOrders } from './kernel-orders.ts';
import type { KernelRule } from './kernel-rule.ts';
import { KernelSizing, type SizingValues } from './kernel-sizing.ts';
import type { RangeTable } from './range-table.ts';
import { type SignalFinder, signalFinder } from './signal-finder.ts';

/** A piece of the bars whose features are computed. */
export interface Piece {
  readonly from: number;
  readonly to: number;
  /** Days that end in it. */
  readonly days: number;
  /** Extremes of the marks. */
  readonly marks: RangeTable;
  /** Extremes of highs and lows; null where nothing can be liquidated. */
  readonly prices: RangeTable | null;
}

/** What one rule's account came to, money in minor units. */
export interface Books {
  readonly equityEnd: number;
  readonly realised: number;
  readonly unrealised: number;
  readonly fees: number;
  readonly trades: number;
  readonly orders: number;
  readonly fills: number;
}

/** What one rule came to, unless the loop has to play it after all. */
export interface Played {
  readonly rule: KernelRule;
  /** Why it has to; null while it need not. */
  readonly outOfLanguage: string | null;
  readonly books: Books;
  readonly maxDrawdown: number;
  /** Equity at the ends of days. */
  readonly daily: Float64Array;
}

/**
 * One rule over the bars, piece by piece. A rule that only trades on its signals leaps from one to the next; protection,
 * exits and orders that fill in parts are followed bar by bar while they are there. What it comes to is what the loop
 * comes to, fill for fill, or it says why it cannot tell ({@link outOfLanguage}).
 */
export class KernelPlayer implements FillSink {
  readonly rule: KernelRule;
  readonly account: KernelAccount;
  readonly curve: KernelCurve;
  /** Why the loop has to play this after all; null while it need not. */
  outOfLanguage: string | null = null;
  /** Orders sent. */
  private ordered = 0;
  private readonly market: KernelMarket;
  private readonly sizing: KernelSizing;
  private readonly orders: KernelOrders;
  private readonly finder: SignalFinder;
  private readonly values: { atr: number; volatility: number } = { atr: Number.NaN, volatility: Number.NaN };
  private readonly atr: Float64Array | null;
  private readonly volatility: Float64Array | null;
  /** Window row of the first bar of a piece. */
  private readonly first: number;
  /** Trades on signals alone: no protection, and no exit that acts. */
  private readonly plain: boolean;
  private readonly trails: boolean;
  private readonly longestMs: number;
  private piece: Piece | null = null;
  /** Window row of bar 0. */
  private shift = 0;
  /** Next bar at which the source speaks, the piece's end when it does not. */
  private signalAt = 0;
  /** First bar whose equity is not in the curve. */
  private drawn = 0;
  /** Of the position: what exits look at. */
  private best = 0;
  private stopPrice: number | null = null;
  private targetPrice: number | null = null;
  private trail = Number.NaN;
  private exitAsked = false;
  /** Whether the stop of what is held was drawn in. */
  private isDrawnIn = false;
  /** Protection of the entry sent last, prices. */
  private entryStop: number | null = null;
  private entryTarget: number | null = null;

  constructor(rule: KernelRule, market: KernelMarket, tiles: FeatureTiles) {
    const { instrument, cash, feeRate, liquidates, sizer, exits } = rule;
    this.rule = rule;
    this.market = market;
    this.account = new KernelAccount(instrument, cash, feeRate, liquidates);
    this.curve = new KernelCurve(market, this.account);
    this.sizing = new KernelSizing(rule);
    this.orders = new KernelOrders(market, this);
    this.finder = signalFinder(rule.signal, tiles, market.bars.time);
    this.atr = sizer.stop === null ? null : tiles.column(sizer.stop.atr);
    this.volatility = sizer.kind === 'volatility-target' ? tiles.column(sizer.feature) : null;
    this.first = tiles.first;
    this.trails = exits.some(({ kind }) => kind === 'trailing');
    this.longestMs = Math.min(...exits.map((exit) => (exit.kind === 'time' ? exit.longestMs : Infinity)));
    this.plain = sizer.stop === null && !this.trails && this.longestMs === Infinity;
  }

  record(recorder: KernelRecorder): void {
    this.account.recorder = recorder;
  }

  /** Plays a piece whose features are computed; pieces come in order. */
  advance(piece: Piece): void {
    if (this.outOfLanguage !== null) return;
    const { from, to } = piece;
    this.piece = piece;
    this.shift = this.first - from;
    const first = Math.max(from, this.rule.warmUpBars - 1);
    if (first < to) this.finder.begin(first + this.shift, to + this.shift, first);
    this.signalAt = this.nextSignal(first);
    for (let bar = from; bar < to && this.outOfLanguage === null; ) {
      if (!this.orders.isEmpty) bar = this.orders.isResting ? this.rest(bar) : this.playBar(bar);
      else if (this.account.lots === 0 || this.plain) bar = this.plain ? this.leap() : this.playFlat();
      else bar = this.rest(bar);
    }
    this.draw(to);
    if (this.account.isBeyond) this.outOfLanguage = 'its money outgrows what the kernel reckons with';
    if (this.rule.solvent && !(this.curve.least > 0)) this.outOfLanguage = 'it lost all it had';
  }

  played(): Played {
    const { account, market, curve, rule, outOfLanguage, ordered: orders } = this;
    const mark = market.markTicks[market.length - 1] ?? 0;
    const { realised, fees, trades, fills } = account;
    const unrealised = account.unrealised(mark);
    const books = { equityEnd: account.equity(mark), realised, unrealised, fees, trades, orders, fills };
    const { daily, maxDrawdown } = curve;
    return { rule, outOfLanguage, books, maxDrawdown, daily };
  }

  held(): number {
    return this.account.lots;
  }

  filled(order: KernelOrder, lots: number, ticks: number, bar: number, atOpen: boolean): void {
    const { market } = this;
    const open = market.bars.time[bar]!;
    const close = market.closeAt(bar);
    // with a cap the loop hears of an opening when the bar has closed
    const at = atOpen && market.caps === null ? open : close;
    this.book(order.direction, lots, ticks, bar, at, atOpen ? open : close, order.reason);
  }

  private book(
    direction: 1 | -1,
    lots: number,
    ticks: number,
    bar: number,
    at: number,
    eventTime: number,
    reason: string,
  ): void {
    const { account, rule } = this;
    this.draw(bar);
    if (rule.liquidates && account.lots !== 0) {
      const { low, high } = this.market.bars;
      this.watchLiquidation(low[bar]!, high[bar]!);
    }
    const flat = account.lots === 0;
    const fees = account.fees;
    const ended = account.fill(direction, lots, ticks, rule.sizer.leverage, at, eventTime, reason);
    if (account.recorder !== null) {
      const side = direction === 1 ? 'buy' : 'sell';
      account.recorder.fill({ bar, eventTime, side, lots, ticks, fee: account.fees - fees, reason });
    }
    if (!(ended || flat)) return;
    this.exitAsked = false;
    this.isDrawnIn = false;
    this.trail = Number.NaN;
    if (account.lots === 0) return;
    this.best = account.entryPrice;
    this.stopPrice = this.entryStop;
    this.targetPrice = this.entryTarget;
  }

  /** Takes the bars before `bar` into the curve: what is held changes now. */
  private draw(bar: number): void {
    if (this.drawn >= bar) return;
    const { account, drawn } = this;
    const { marks, prices } = this.piece!;
    if (prices !== null && account.lots !== 0)
      this.watchLiquidation(prices.min(drawn, bar), prices.max(drawn, bar));
    this.curve.take(drawn, bar, marks);
    this.drawn = bar;
  }

  private watchLiquidation(low: number, high: number): void {
    const { lots, liquidation } = this.account;
    if (lots > 0 ? low <= liquidation : high >= liquidation)
      this.outOfLanguage = 'a position comes to where it is liquidated';
  }

  /** Where the source speaks next, from `bar` on. */
  private nextSignal(bar: number): number {
    const { shift } = this;
    const { to } = this.piece!;
    return bar >= to ? to : this.finder.next(bar + shift, to + shift) - shift;
  }

  // --- from signal to signal

  /** Deals with signals for as long as every order fills at the next opening. Returns the bar to go on with. */
  private leap(): number {
    const { to } = this.piece!;
    while (this.signalAt < to) {
      const bar = this.signalAt;
      this.decide(bar);
      this.signalAt = this.nextSignal(bar + 1);
      if (!this.orders.isEmpty || this.outOfLanguage !== null) return bar + 1;
    }
    return to;
  }

  /** Nothing is held or ordered: nothing happens before the next signal. */
  private playFlat(): number {
    const { to } = this.piece!;
    return this.signalAt >= to ? to : this.playBar(this.signalAt);
  }

  // --- bar by bar

  /** Passes over bars in which neither price nor time nor signal touches what is held, then plays one. */
  private rest(from: number): number {
    const { to } = this.piece!;
    const { bars } = this.market;
    const { low, high, close } = bars;
    const [floor, ceiling] = this.orders.levels();
    const end = Math.min(to, this.signalAt);
    const due = this.exitAsked ? Infinity : this.account.openedAt + this.longestMs;
    let bar = from;
    if (this.isUnwatched) return this.playBar(bar);
    for (; bar < end; bar++) {
      if (low[bar]! <= floor || high[bar]! >= ceiling || this.market.closeAt(bar) >= due) break;
      if (this.trails && !this.exitAsked && this.trailHit(close[bar]!)) break;
      if (this.drawsIn(bar)) break;
      this.follow(bar);
    }
    return bar < to ? this.playBar(bar) : bar;
  }

  /** Whether a level of the position rests no more, so that the desk itself has to look. */
  private get isUnwatched(): boolean {
    const { orders } = this;
    return (
      (this.stopPrice !== null && !orders.rests('stop')) ||
      (this.targetPrice !== null && !orders.rests('target'))
    );
  }

  private playBar(bar: number): number {
    if (!this.orders.isEmpty) {
      this.orders.open(bar);
      this.orders.close(bar);
    }
    if (this.account.lots !== 0) this.manage(bar);
    if (this.account.lots !== 0 && this.drawsIn(bar)) this.drawStop(bar);
    if (bar === this.signalAt) {
      this.decide(bar);
      this.signalAt = this.nextSignal(bar + 1);
    }
    return bar + 1;
  }

  private drawsIn(bar: number): boolean {
    return this.rule.drawsIn !== undefined && this.rule.drawsIn.bars[bar] === 1;
  }

  /** Draws the stop in to a share of its distance, once; closes what has passed it. */
  private drawStop(bar: number): void {
    const { account, market, orders, rule } = this;
    if (this.stopPrice === null || this.exitAsked) return;
    const direction = account.lots > 0 ? 1 : -1;
    if (!this.isDrawnIn) {
      const level = account.entryPrice - (account.entryPrice - this.stopPrice) * rule.drawsIn!.share;
      const { tick } = market.instrument;
      const ticks = numberToSteps(level, tick, direction === 1 ? 'floor' : 'ceil');
      this.stopPrice = stepsToNumber(ticks, tick);
      this.isDrawnIn = true;
    }
    if (direction * (market.bars.close[bar]! - this.stopPrice) <= 0) this.close(bar, 'exit:stop-drawn-in');
    else orders.drawStops(this.stopPrice);
  }

  private manage(bar: number): void {
    if (!this.exitAsked) {
      const reason = this.exitReason(bar);
      if (reason !== null) this.close(bar, `exit:${reason}`);
    }
    this.follow(bar);
  }

  private follow(bar: number): void {
    const { bars } = this.market;
    this.best =
      this.account.lots > 0 ? Math.max(this.best, bars.high[bar]!) : Math.min(this.best, bars.low[bar]!);
  }

  private exitReason(bar: number): string | null {
    const { rule, orders, account, market } = this;
    const price = market.bars.close[bar]!;
    const direction = account.lots > 0 ? 1 : -1;
    for (const exit of rule.exits) {
      switch (exit.kind) {
        case 'stop-loss': {
          const { stopPrice } = this;
          if (stopPrice === null || orders.rests('stop')) break;
          if (direction * (price - stopPrice) <= 0) return exit.kind;
          break;
        }
        case 'take-profit': {
          const { targetPrice } = this;
          if (targetPrice === null || orders.rests('target')) break;
          if (direction * (price - targetPrice) >= 0) return exit.kind;
          break;
        }
        case 'trailing':
          if (this.trailHit(price)) return exit.kind;
          break;
        case 'time':
          if (market.closeAt(bar) - account.openedAt >= exit.longestMs) return exit.kind;
          break;
      }
    }
    return null;
  }

  private trailHit(price: number): boolean {
    const { rule, account } = this;
    const direction = account.lots > 0 ? 1 : -1;
    for (const exit of rule.exits) {
      if (exit.kind !== 'trailing') continue;
      const level = trailLevel(direction, account.entryPrice, this.best, exit.distance);
      if (level !== null && !(direction * (level - this.trail) <= 0)) this.trail = level;
      if (direction * (price - this.trail) <= 0) return true;
    }
    return false;
  }

  // --- decisions at a close

  private decide(bar: number): void {
    const { rule, account, finder } = this;
    const { direction } = finder;
    const { lots } = account;
    if (direction === -1 && rule.shortsClose) {
      if (lots !== 0) this.close(bar, 'exit:signal');
      return;
    }
    if (lots === 0) {
      if (direction === 1 || rule.shorts) this.enter(bar, direction);
      return;
    }
    if (lots > 0 === (direction === 1) || rule.opposite === 'ignore') return;
    if (rule.opposite === 'reverse' && (direction === 1 || rule.shorts)) this.enter(bar, direction);
    else this.close(bar, 'exit:opposite-signal');
  }

  private close(bar: number, reason: string): void {
    if (this.exitAsked) return;
    const { lots } = this.account;
    const direction = lots > 0 ? -1 : 1;
    const free = Math.abs(lots) - this.orders.closing(direction);
    if (free > 0) {
      this.ordered += 1;
      if (this.fillsAtOnce(bar, direction, free, reason)) return;
      this.orders.submitMarket(direction, free, true, reason);
    }
    this.orders.cancelEntries();
    this.exitAsked = true;
  }

  private enter(bar: number, direction: 1 | -1): void {
    const { account, market, orders, sizing } = this;
    if (orders.entryWorks) return;
    const held = Math.abs(account.lots);
    const price = market.bars.close[bar]!;
    const lots = sizing.lots(direction, price, market.markTicks[bar]!, account, this.valuesAt(bar), held);
    if (lots === 0) return;
    if (lots + held > market.lotsMost) {
      this.outOfLanguage = 'its positions outgrow what the kernel reckons with';
      return;
    }
    const { stopTicks, targetTicks } = sizing;
    const { tick } = market.instrument;
    this.entryStop = stopTicks === null ? null : stepsToNumber(stopTicks, tick);
    this.entryTarget = targetTicks === null ? null : stepsToNumber(targetTicks, tick);
    this.ordered += 1;
    const reason = held > 0 ? 'reverse' : 'entry';
    if (this.fillsAtOnce(bar, direction, lots + held, reason)) return;
    // while something else may close the position first, its closing is an order of its own; and the size of protection
    // is that of its entry
    const apart = held > 0 && (orders.guarded || stopTicks !== null || targetTicks !== null);
    if (apart) {
      const free = held - orders.closing(direction);
      if (free > 0) {
        this.ordered += 1;
        orders.submitMarket(direction, free, true, 'exit:reverse');
      }
      if (sizing.isTooSmall(lots, price)) {
        this.outOfLanguage = 'the venue would refuse one of its orders';
        return;
      }
    }
    const entry = orders.submitMarket(direction, apart ? lots : lots + held, false, reason);
    if (stopTicks !== null) {
      this.ordered += 1;
      orders.protect(entry, 'stop', stopTicks);
    }
    if (targetTicks !== null) {
      this.ordered += 1;
      orders.protect(entry, 'target', targetTicks);
    }
  }

  /** A market order that nothing can come in the way of is filled at the next opening without further ado. */
  private fillsAtOnce(bar: number, direction: 1 | -1, lots: number, reason: string): boolean {
    const { market } = this;
    const next = bar + 1;
    if (!this.plain || !this.orders.isEmpty) return false;
    if (next >= market.length) return true;
    if (market.caps !== null && lots > market.caps[next]!) return false;
    const ticks = direction === 1 ? market.buyTicks[next]! : market.sellTicks[next]!;
    const open = market.bars.time[next]!;
    const at = market.caps === null ? open : market.closeAt(next);
    this.book(direction, lots, ticks, next, at, open, reason);
    return true;
  }

  private valuesAt(bar: number): SizingValues {
    const { atr, volatility, values, shift } = this;
    if (atr !== null) values.atr = atr[bar + shift]!;
    if (volatility !== null) values.volatility = volatility[bar + shift]!;
    return values;
  }
}
