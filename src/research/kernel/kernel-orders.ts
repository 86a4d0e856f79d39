import { stepsToNumber } from '#base';
import { takerTicks, ticksAgainst } from '#execution';
import type { KernelMarket } from './kernel-market.ts';

/** An order of the rule at the simulated venue. */
export interface KernelOrder {
  readonly kind: 'market' | 'stop' | 'target';
  readonly direction: 1 | -1;
  readonly reduceOnly: boolean;
  readonly parent: KernelOrder | null;
  /** Of stop and target. */
  level: number;
  readonly reason: string;
  /** What it may grow to: protection follows its entry up to this. */
  requested: number;
  lots: number;
  filled: number;
  active: boolean;
  triggered: boolean;
  working: boolean;
  /** Asked for at the last close: gone before the next price. */
  cancelAsked: boolean;
  /** Bar whose opening price it has met. */
  met: number;
}

/** Books the fills: the account and what the desk knows of its position. Lots now held, signed. */
export interface FillSink {
  held(): number;
  filled(order: KernelOrder, lots: number, ticks: number, bar: number, atOpen: boolean): void;
}

/**
 * The orders of one rule at the simulated venue: which fill at an opening, which inside a bar and in what order, and what
 * follows from a fill. Market orders, stops and targets of one book, as match-bars and the order board of execution/ do it.
 */
export class KernelOrders {
  /** Working orders, oldest first. */
  private orders: KernelOrder[] = [];
  private readonly market: KernelMarket;
  private readonly sink: FillSink;
  /** Lots that may still be filled in this bar. */
  private left = Infinity;

  constructor(market: KernelMarket, sink: FillSink) {
    this.market = market;
    this.sink = sink;
  }

  get isEmpty(): boolean {
    return this.orders.length === 0;
  }

  /** Whether all there is waits for a level. */
  get isResting(): boolean {
    for (const order of this.orders)
      if (!order.active || !isWaiting(order) || order.cancelAsked) return false;
    return true;
  }

  /** The levels at or beyond which something may happen: of a price that falls and of one that rises. */
  levels(): readonly [low: number, high: number] {
    let low = -Infinity;
    let high = Infinity;
    for (const { kind, direction, level } of this.orders) {
      // a stop that sells and a target that buys wait below
      if ((kind === 'stop') === (direction === -1)) low = Math.max(low, level);
      else high = Math.min(high, level);
    }
    return [low, high];
  }

  /** Whether an order that may add exposure works still, for all that the desk knows. */
  get entryWorks(): boolean {
    return this.orders.some(({ reduceOnly }) => !reduceOnly);
  }

  /** Whether anything works that only reduces. */
  get guarded(): boolean {
    return this.orders.some(({ reduceOnly }) => reduceOnly);
  }

  /** Lots that orders at work of a side may still close; protection of one entry shares what it closes. */
  closing(direction: 1 | -1): number {
    let sum = 0;
    let protection = 0;
    for (const order of this.orders) {
      if (!order.reduceOnly || order.direction !== direction || !order.active || isWaiting(order)) continue;
      const left = order.lots - order.filled;
      if (order.parent === null) sum += left;
      else protection = Math.max(protection, left);
    }
    return sum + protection;
  }

  rests(kind: 'stop' | 'target'): boolean {
    return this.orders.some((order) => order.kind === kind);
  }

  submitMarket(direction: 1 | -1, lots: number, reduceOnly: boolean, reason: string): KernelOrder {
    return this.add(
      { kind: 'market', direction, reduceOnly, parent: null, level: Number.NaN, reason },
      lots,
      true,
    );
  }

  /** Protection of an entry: begins when that fills. */
  protect(entry: KernelOrder, kind: 'stop' | 'target', ticks: number): void {
    const level = stepsToNumber(ticks, this.market.instrument.tick);
    const reason = kind === 'stop' ? 'stop-loss' : 'take-profit';
    const direction = entry.direction === 1 ? -1 : 1;
    this.add({ kind, direction, reduceOnly: true, parent: entry, level, reason }, entry.lots, false);
  }

  /** Moves resting stops to a level that is nearer. */
  drawStops(level: number): void {
    // one that sells lies below what is held
    for (const order of this.orders)
      if (order.kind === 'stop' && !order.cancelAsked && -order.direction * (level - order.level) > 0)
        order.level = level;
  }

  /** Entries are canceled before the next price. */
  cancelEntries(): void {
    for (const order of this.orders) if (!order.reduceOnly) order.cancelAsked = true;
  }

  /** The opening of a bar, where nothing caps what may fill. */
  open(bar: number): void {
    this.dropCanceled();
    if (this.market.caps !== null) return;
    this.left = Infinity;
    this.meetOpen(bar);
  }

  /** The rest of a bar; with a cap, its opening too. */
  close(bar: number): void {
    this.dropCanceled();
    if (this.orders.length === 0) return;
    this.left = this.market.caps === null ? Infinity : this.market.caps[bar]!;
    if (this.market.caps !== null) this.meetOpen(bar);
    this.inside(bar);
  }

  private add(
    fixed: Pick<KernelOrder, 'kind' | 'direction' | 'reduceOnly' | 'parent' | 'level' | 'reason'>,
    lots: number,
    active: boolean,
  ): KernelOrder {
    const order: KernelOrder = {
      ...fixed,
      requested: lots,
      lots,
      filled: 0,
      active,
      triggered: false,
      working: true,
      cancelAsked: false,
      met: -1,
    };
    this.orders.push(order);
    return order;
  }

  private dropCanceled(): void {
    for (const order of [...this.orders]) if (order.cancelAsked) this.finish(order);
  }

  private meetOpen(bar: number): void {
    const { bars } = this.market;
    const open = bars.open[bar]!;
    for (let again = true; again; ) {
      again = false;
      for (const order of [...this.orders]) {
        if (!order.working || !order.active || order.met === bar) continue;
        order.met = bar;
        this.strike(order, open, bar);
        again = true;
      }
    }
  }

  private strike(order: KernelOrder, open: number, bar: number): void {
    const { market } = this;
    if (isWaiting(order)) {
      if (!setsOff(order, open)) return;
      order.triggered = true;
      if (order.kind === 'target') return this.fill(order, this.exact(order, open), bar, true);
    }
    this.fill(order, order.direction === 1 ? market.buyTicks[bar]! : market.sellTicks[bar]!, bar, true);
  }

  /** What a position meets after the opening: first the worst that the bar's prices allow. */
  private inside(bar: number): void {
    const lots = this.sink.held();
    if (lots === 0) return;
    const { bars } = this.market;
    const low = bars.low[bar]!;
    const high = bars.high[bar]!;
    const path = lots > 0 ? [low, high, bars.close[bar]!] : [high, low, bars.close[bar]!];
    let price = bars.open[bar]!;
    const spent = new Set<KernelOrder>();
    for (const target of path) {
      for (;;) {
        const order = this.nearest(price, target, spent);
        if (order === null) break;
        price = clamp(order.level, price, target);
        order.triggered = true;
        spent.add(order);
        this.fill(
          order,
          order.kind === 'target' ? this.exact(order, price) : this.slipped(order, price),
          bar,
          false,
        );
      }
      price = target;
    }
  }

  /** The waiting order that a move reaches first; stops before targets, then by age. */
  private nearest(price: number, target: number, spent: ReadonlySet<KernelOrder>): KernelOrder | null {
    const low = Math.min(price, target);
    const high = Math.max(price, target);
    let found: KernelOrder | null = null;
    let distance = Infinity;
    for (const order of this.orders) {
      if (!order.active || !isWaiting(order) || spent.has(order)) continue;
      const buys = order.direction === 1;
      const reached =
        order.kind === 'stop'
          ? buys
            ? high >= order.level
            : low <= order.level
          : buys
            ? low < order.level
            : high > order.level;
      if (!reached) continue;
      const away = Math.abs(clamp(order.level, price, target) - price);
      const sooner =
        away < distance || (away === distance && order.kind === 'stop' && found!.kind !== 'stop');
      if (found !== null && !sooner) continue;
      found = order;
      distance = away;
    }
    return found;
  }

  private exact(order: KernelOrder, price: number): number {
    return ticksAgainst(this.market.instrument, price, sideOf(order));
  }

  private slipped(order: KernelOrder, price: number): number {
    const { instrument, slippageRate } = this.market;
    return takerTicks(instrument, price, sideOf(order), slippageRate, null);
  }

  private fillable(order: KernelOrder): number {
    const left = order.lots - order.filled;
    if (!order.reduceOnly) return left;
    return Math.max(0, Math.min(left, -order.direction * this.sink.held()));
  }

  private fill(order: KernelOrder, ticks: number, bar: number, atOpen: boolean): void {
    const wanted = this.fillable(order);
    if (wanted === 0) return this.finish(order);
    const lots = Math.min(wanted, this.left);
    if (lots <= 0) return;
    this.left -= lots;
    order.filled += lots;
    this.sink.filled(order, lots, ticks, bar, atOpen);
    this.follow(order, lots);
    if (this.sink.held() !== 0) return;
    for (const other of [...this.orders]) if (other.reduceOnly && other.active) this.finish(other);
  }

  /** What a fill does to others: siblings shrink or end, protection begins, an entry whose protection acts ends. */
  private follow(order: KernelOrder, lots: number): void {
    const complete = order.filled === order.lots;
    if (complete) this.remove(order);
    const { parent } = order;
    for (const other of [...this.orders]) {
      if (other === order) continue;
      if (parent !== null && other.parent === parent) {
        const left = other.lots - other.filled - lots;
        if (complete || left <= 0) this.finish(other);
        else {
          other.lots -= lots;
          other.requested = other.lots;
        }
      } else if (other.parent === order) {
        other.lots = Math.max(Math.min(other.requested, order.filled), other.filled);
        other.active = true;
      }
    }
    if (parent?.working) this.finish(parent);
  }

  /** Ends a working order; protection of an entry that never filled ends with it. */
  private finish(order: KernelOrder): void {
    if (!order.working) return;
    this.remove(order);
    if (order.filled > 0) return;
    for (const child of [...this.orders]) if (child.parent === order) this.finish(child);
  }

  private remove(order: KernelOrder): void {
    order.working = false;
    this.orders.splice(this.orders.indexOf(order), 1);
  }
}

const isWaiting = (order: KernelOrder): boolean => order.kind !== 'market' && !order.triggered;
const sideOf = ({ direction }: KernelOrder): 'buy' | 'sell' => (direction === 1 ? 'buy' : 'sell');

/** Whether an opening price sets off what waits: a stop at its level, a target only beyond. */
function setsOff({ kind, direction, level }: KernelOrder, price: number): boolean {
  const buys = direction === 1;
  if (kind === 'target') return buys ? price < level : price > level;
  return buys ? price >= level : price <= level;
}

const clamp = (level: number, a: number, b: number): number =>
  Math.min(Math.max(level, Math.min(a, b)), Math.max(a, b));
