import { assert, Chance } from '#base';
import type { BookId } from '#ledger';
import type { Bar } from '#market';
import { bankruptcyTicks } from './holdings.ts';
import { betterTicks, priceOf, ticksAgainst, unitsPerLot } from './prices.ts';
import {
  actsAsLimit,
  byPriority,
  crosses,
  endImmediate,
  fillUpTo,
  isLive,
  isLocked,
  isTakeProfit,
  isTrailing,
  isWaiting,
  type Look,
  setOff,
  setsOff,
  slippedTicks,
  strike,
  takesPart,
  trail,
  worsens,
} from './strike.ts';
import type { Holding, Track, VenueOrder } from './venue-state.ts';

/**
 * The opening price of the bar that began at `time`: market orders, gaps of stops and limits. Orders sent after it
 * began take no part. A child whose parent fills here meets the same price.
 */
export function matchOpen(of: Look, time: number, open: number): void {
  if (!opensOnto(of, time, open)) return;
  for (let again = true; again; ) {
    again = false;
    for (const order of byPriority(of.track.orders)) {
      if (!isLive(order) || order.metOpenOf === time || !takesPart(of, order, time)) continue;
      order.metOpenOf = time;
      strike(of, order, open, true);
      again = true;
    }
  }
}

/**
 * Whether any order acts at an opening price. Most bars open onto nothing but stops and targets far away: those have
 * met it without being put in order of priority.
 */
function opensOnto(of: Look, time: number, open: number): boolean {
  const touch = of.options.limitFill === 'touch';
  let acts = false;
  for (const order of of.track.orders) {
    if (!isLive(order) || order.metOpenOf === time || !takesPart(of, order, time)) continue;
    const { triggerTicks } = order;
    const level = isWaiting(order) && triggerTicks !== null ? priceOf(of.instrument, triggerTicks) : null;
    if (level !== null && !setsOff(order, open, level, touch)) order.metOpenOf = time;
    else acts = true;
  }
  return acts;
}

/** Liquidates every holding whose liquidation price the market has reached at a single price. */
export function liquidateAt(of: Look, price: number): void {
  for (const holding of of.track.holdings) {
    const level = holding.liquidation;
    if (level !== null && (holding.lots > 0 ? price <= level : price >= level)) liquidate(of, holding);
  }
}

/** Isolated margin: whatever the market does, the book loses its margin and the fee. */
function liquidate(of: Look, holding: Holding): void {
  of.board.takeAway(
    of.track,
    holding,
    'liquidation',
    bankruptcyTicks(of.instrument, holding),
    of.stamp,
    of.out,
  );
}

/** The level at which a live order acts inside a bar, or null when it waits for an open. */
function levelOf(of: Look, order: VenueOrder): number | null {
  if (isWaiting(order))
    return order.triggerTicks === null ? null : priceOf(of.instrument, order.triggerTicks);
  return actsAsLimit(order) ? priceOf(of.instrument, order.limitTicks!) : null;
}

/** Whether a move that covers [low, high] makes the order act. */
function isReached(of: Look, order: VenueOrder, level: number, low: number, high: number): boolean {
  const buy = order.request.side === 'buy';
  if (worsens(order)) return buy ? high >= level : low <= level;
  return crosses(
    order,
    buy ? low : high,
    level,
    of.options.limitFill !== 'through' && !strictHere(of, order),
  );
}

/** Queue mode reaches limits at a touch, but take-profits keep the strict rule. */
const strictHere = (of: Look, order: VenueOrder): boolean =>
  of.options.limitFill === 'queue' && isTakeProfit(order) && isWaiting(order);

/** Cheap test before any work: can anything of this track act in the bar? */
export function barTouches(of: Look, bar: Bar, liquidates: boolean): boolean {
  for (const order of of.track.orders) {
    if (!takesPart(of, order, bar.time)) continue;
    if (!order.active) return true;
    const level = levelOf(of, order);
    // a trigger that the bar's range does not reach is not set off by its open either
    if (order.metOpenOf !== bar.time && !isWaiting(order)) return true;
    if (level === null || isReached(of, order, level, bar.low, bar.high)) return true;
    if (isTrailing(order)) return true;
  }
  return liquidates && anyBeyond(of.track, bar.low, bar.high);
}

/** Whether prices from low to high reach the liquidation price of any holding. */
export function anyBeyond(track: Track, low: number, high: number): boolean {
  for (const holding of track.holdings) {
    if (holding.liquidation !== null && isBeyond(holding, low, high)) return true;
  }
  return false;
}

const isBeyond = (holding: Holding, low: number, high: number): boolean =>
  holding.lots > 0 ? low <= holding.liquidation! : high >= holding.liquidation!;

/** The inside of a closed bar, after its open. `liquidates`: no mark tells, so the bar's extremes do. */
export function matchInside(of: Look, bar: Bar, liquidates: boolean): void {
  const { track, options } = of;
  if (options.intrabar !== 'adverse-first') {
    walk(of, bar, null, liquidates);
  } else {
    const books = new Set<BookId>();
    for (const order of byAge(track.orders)) books.add(order.request.book);
    if (liquidates) for (const holding of track.holdings) if (holding.lots !== 0) books.add(holding.book);
    for (const book of books) walk(of, bar, book, liquidates);
  }
  for (const order of track.orders) {
    if (!isLive(order) || !takesPart(of, order, bar.time)) continue;
    if (actsAsLimit(order) && !isWaiting(order)) order.rested = true;
    if (!isTrailing(order)) continue;
    const best = order.request.side === 'sell' ? bar.high : bar.low;
    trail(order, order.metOpenOf === bar.time ? best : bar.close, of.instrument);
  }
}

const byAge = (orders: readonly VenueOrder[]): VenueOrder[] =>
  [...orders].sort((a, b) => a.sequence - b.sequence);

/** Turning points of the price after the open. Adverse first for what the book holds; flat: nearest extreme first. */
function pathOf(of: Look, bar: Bar, book: BookId | null): number[] {
  const { intrabar } = of.options;
  const lowFirst = [bar.low, bar.high, bar.close];
  const highFirst = [bar.high, bar.low, bar.close];
  if (intrabar === 'ohlc') return highFirst;
  if (intrabar === 'olhc' || book === null) return lowFirst;
  const lots = of.board.lotsOf(of.track, book);
  if (lots !== 0) return lots > 0 ? lowFirst : highFirst;
  return bar.open - bar.low <= bar.high - bar.open ? lowFirst : highFirst;
}

/**
 * What is left of the bar once a book has entered inside it, the worst that its prices allow: a price moving towards
 * an extreme still reaches it, the opposite extreme is only assumed where it hurts.
 */
function pathAfterEntry(bar: Bar, long: boolean, price: number, target: number): number[] {
  const hurt = long ? bar.low : bar.high;
  const good = long ? bar.high : bar.low;
  if (target === hurt) return [hurt, bar.close];
  if (target === price) return [hurt, good, bar.close];
  const towardsGood = long ? target > price : target < price;
  if (!towardsGood) return [bar.close];
  return target === good ? [hurt, good, bar.close] : [hurt, bar.close];
}

interface Next {
  readonly price: number;
  readonly order: VenueOrder | null;
  readonly holding: Holding | null;
}

/** Follows the path and lets whatever is nearest act; ties go to stops, then liquidation, then price-time. */
function walk(of: Look, bar: Bar, book: BookId | null, liquidates: boolean): void {
  const { track, board } = of;
  let path = pathOf(of, bar, book);
  let price = bar.open;
  const spent = new Set<VenueOrder>();
  let steps = 0;
  for (let i = 0; i < path.length; ) {
    const target = path[i]!;
    const next = nearest(of, bar, book, price, target, spent, liquidates);
    if (next === null) {
      price = target;
      i += 1;
      continue;
    }
    steps += 1;
    assert(steps <= 4 * (track.orders.length + spent.size + track.holdings.length + 16), 'a bar has an end');
    price = next.price;
    if (next.holding) {
      liquidate(of, next.holding);
      continue;
    }
    const order = next.order!;
    const before = board.lotsOf(track, order.request.book);
    const waited = isWaiting(order);
    act(of, bar, order, price);
    // only a stop-limit that was just set off may still act, now as a limit
    if (!(waited && !isWaiting(order) && isLive(order) && actsAsLimit(order))) spent.add(order);
    const after = board.lotsOf(track, order.request.book);
    if (book !== null && after !== 0 && Math.sign(after) !== Math.sign(before)) {
      path = pathAfterEntry(bar, after > 0, price, target);
      i = 0;
    }
  }
}

function nearest(
  of: Look,
  bar: Bar,
  book: BookId | null,
  price: number,
  target: number,
  spent: ReadonlySet<VenueOrder>,
  liquidates: boolean,
): Next | null {
  const low = Math.min(price, target);
  const high = Math.max(price, target);
  const reach = (level: number) => Math.min(Math.max(level, low), high);
  let found: Next | null = null;
  let distance = Number.POSITIVE_INFINITY;
  let rank = 0;
  let age = 0;
  const offer = (next: Next, nextRank: number, nextAge: number) => {
    const away = Math.abs(next.price - price);
    const better = away !== distance ? away < distance : nextRank !== rank ? nextRank < rank : nextAge < age;
    if (found !== null && !better) return;
    found = next;
    distance = away;
    rank = nextRank;
    age = nextAge;
  };
  for (const order of of.track.orders) {
    if (!isLive(order) || !takesPart(of, order, bar.time) || spent.has(order)) continue;
    if (book !== null && order.request.book !== book) continue;
    const level = levelOf(of, order);
    if (level === null || !isReached(of, order, level, low, high)) continue;
    offer({ price: reach(level), order, holding: null }, worsens(order) ? 0 : 2, order.sequence);
  }
  if (liquidates) {
    for (const holding of of.track.holdings) {
      if (holding.liquidation === null || (book !== null && holding.book !== book)) continue;
      if (!isBeyond(holding, low, high)) continue;
      offer({ price: reach(holding.liquidation), order: null, holding }, 1, 0);
    }
  }
  return found;
}

/** An order acts inside the bar at `price`: its level, or beyond it when it became live late. */
function act(of: Look, bar: Bar, order: VenueOrder, price: number): void {
  const { side } = order.request;
  if (isLocked(of, order, bar.low, bar.high)) return;
  if (!isWaiting(order)) {
    actAsLimit(of, bar, order, price);
    return;
  }
  const exact = isTakeProfit(order);
  setOff(of, order);
  if (actsAsLimit(order)) {
    const limit = priceOf(of.instrument, order.limitTicks!);
    if (crosses(order, price, limit, of.options.limitFill === 'touch')) {
      fillUpTo(of, order, betterTicks(side, order.limitTicks!, slippedTicks(of, order, price)), 'taker');
    }
    order.rested = true;
  } else {
    const ticks = exact ? ticksAgainst(of.instrument, price, side) : slippedTicks(of, order, price);
    fillUpTo(of, order, ticks, 'taker');
  }
  endImmediate(of, order);
}

function actAsLimit(of: Look, bar: Bar, order: VenueOrder, price: number): void {
  const { noise, seed, limitFill } = of.options;
  const { side, clientId } = order.request;
  const limit = order.limitTicks!;
  if (noise && new Chance(`${seed}/skip/${clientId}/${bar.time}`).happens(noise.skippedFills)) return;
  const left = of.left;
  const inQueue = limitFill === 'queue' ? traded(of, bar, order) : Number.POSITIVE_INFINITY;
  of.left = Math.min(left, inQueue);
  const better = betterTicks(side, limit, ticksAgainst(of.instrument, price, side));
  const filled = fillUpTo(of, order, better, 'maker');
  of.left = left - filled;
  order.rested = true;
}

/**
 * Lots that reach us in the queue: the bar's volume at or beyond our limit, taken as spread evenly over its range,
 * less what stands ahead of us.
 */
function traded(of: Look, bar: Bar, order: VenueOrder): number {
  const limit = priceOf(of.instrument, order.limitTicks!);
  const range = bar.high - bar.low;
  const beyond = order.request.side === 'buy' ? limit - bar.low : bar.high - limit;
  const share = range > 0 ? Math.min(1, Math.max(0, beyond / range)) : 1;
  const volume = bar.volume * share;
  const ahead = order.queueAhead ?? (of.options.queueShare ?? 0.1) * of.track.lastVolume;
  order.queueAhead = Math.max(0, ahead - volume);
  return Math.max(0, Math.floor((volume - ahead) / unitsPerLot(of.instrument) + 1e-9));
}
