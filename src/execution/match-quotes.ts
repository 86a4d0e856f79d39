import { lotsIn, priceOf, ticksAgainst, unitsPerLot } from './prices.ts';
import {
  actsAsLimit,
  byPriority,
  endImmediate,
  isLive,
  isTrailing,
  isWaiting,
  type Look,
  setOff,
  setsOff,
  strike,
  trail,
} from './strike.ts';
import type { Level, VenueOrder } from './venue-state.ts';

/** Every live order meets the quotes as they stand: takers at bid and ask, as far as the sizes go. */
export function matchQuotes(of: Look): void {
  for (let again = true; again; ) {
    again = false;
    const known = new Set(of.track.orders.filter(isLive));
    for (const order of byPriority([...known])) meetQuotes(of, order);
    again = of.track.orders.some((order) => isLive(order) && !known.has(order));
  }
  for (const order of of.track.orders) {
    if (!isLive(order) || !isTrailing(order)) continue;
    const best = order.request.side === 'sell' ? of.track.bids[0] : of.track.asks[0];
    if (best) trail(order, best[0], of.instrument);
  }
}

/** One order meets the quotes: sells look at the bid, buys at the ask, for triggers too. */
export function meetQuotes(of: Look, order: VenueOrder): void {
  if (!isLive(order)) return;
  const { side, type, postOnly } = order.request;
  const levels = side === 'buy' ? of.track.asks : of.track.bids;
  const best = levels[0];
  if (best === undefined) return;
  const touch = of.options.limitFill === 'touch';
  if (isWaiting(order)) {
    if (type === 'trailing-stop' && order.triggerTicks === null) trail(order, best[0], of.instrument);
    if (!setsOff(order, best[0], priceOf(of.instrument, order.triggerTicks!), touch)) return;
    setOff(of, order);
  }
  if (!actsAsLimit(order)) take(of, order, levels, null);
  else if (!order.rested && !postOnly) take(of, order, levels, priceOf(of.instrument, order.limitTicks!));
  else restAtQuotes(of, order, levels);
  if (isLive(order) && !isWaiting(order) && !order.rested) joinQueue(of, order);
  endImmediate(of, order);
}

/** Lots on offer down to a worst price, both ends included. */
function offered(of: Look, order: VenueOrder, levels: readonly Level[], worst: number | null): number {
  const buy = order.request.side === 'buy';
  let lots = 0;
  for (const [price, size] of levels) {
    if (worst !== null && (buy ? price > worst : price < worst)) break;
    lots = Math.min(Number.MAX_SAFE_INTEGER, lots + lotsIn(of.instrument, size));
  }
  return lots;
}

function take(of: Look, order: VenueOrder, levels: Level[], worst: number | null): void {
  const { board, track, instrument } = of;
  const { side, timeInForce } = order.request;
  if (timeInForce === 'FOK' && offered(of, order, levels, worst) < board.fillable(track, order)) return;
  const buy = side === 'buy';
  for (const level of levels) {
    if (!isLive(order)) break;
    if (worst !== null && (buy ? level[0] > worst : level[0] < worst)) break;
    const lots = lotsIn(instrument, level[1]);
    if (lots === 0) continue;
    const ticks = ticksAgainst(instrument, level[0], side);
    if (of.band && (ticks < of.band.lowTicks || ticks > of.band.highTicks)) break;
    const filled = board.fill(track, order, lots, ticks, 'taker', of.stamp, of.out);
    level[1] = Math.max(0, level[1] - filled * unitsPerLot(instrument));
  }
  dropEmpty(levels);
}

/** A resting limit fills at its own price when the other side comes through it. */
function restAtQuotes(of: Look, order: VenueOrder, levels: Level[]): void {
  const { board, track, instrument, options } = of;
  const limit = priceOf(instrument, order.limitTicks!);
  const buy = order.request.side === 'buy';
  const touch = options.limitFill === 'touch' || (options.limitFill === 'queue' && order.queueAhead === 0);
  for (const level of levels) {
    if (!isLive(order)) break;
    const through = buy ? level[0] < limit : level[0] > limit;
    if (!through && !(touch && level[0] === limit)) break;
    const lots = lotsIn(instrument, level[1]);
    if (lots === 0) continue;
    const filled = board.fill(track, order, lots, order.limitTicks!, 'maker', of.stamp, of.out);
    level[1] = Math.max(0, level[1] - filled * unitsPerLot(instrument));
  }
  dropEmpty(levels);
}

/** The order now rests: what is displayed at its price stands ahead of it; inside the spread nothing does. */
function joinQueue(of: Look, order: VenueOrder): void {
  if (!actsAsLimit(order)) return;
  order.rested = true;
  if (of.options.limitFill !== 'queue') return;
  const own = order.request.side === 'buy' ? of.track.bids : of.track.asks;
  const limit = priceOf(of.instrument, order.limitTicks!);
  const displayed = own.find((level) => level[0] === limit);
  const best = own[0];
  const behind = best !== undefined && (order.request.side === 'buy' ? limit < best[0] : limit > best[0]);
  order.queueAhead = displayed ? displayed[1] : behind ? best[1] : 0;
}

function dropEmpty(levels: Level[]): void {
  while (levels.length > 0 && levels[0]![1] <= 0) levels.shift();
}

/**
 * A public trade. Where quotes are live it only fills resting limits; else it is the market: takers fill at its price
 * with slippage. At most its size is filled over all orders.
 */
export function matchPrint(
  of: Look,
  price: number,
  size: number,
  taker: 'buy' | 'sell',
  quoted: boolean,
): void {
  for (const order of byPriority(of.track.orders)) {
    if (!isLive(order)) continue;
    if (actsAsLimit(order) && !isWaiting(order) && order.rested) restAtPrint(of, order, price, size, taker);
    else if (!quoted) strike(of, order, price, false);
  }
  if (quoted) return;
  for (const order of of.track.orders) {
    if (isLive(order) && isTrailing(order)) trail(order, price, of.instrument);
  }
}

function restAtPrint(of: Look, order: VenueOrder, price: number, size: number, taker: 'buy' | 'sell'): void {
  const { board, track, instrument, options } = of;
  const buy = order.request.side === 'buy';
  const limit = priceOf(instrument, order.limitTicks!);
  const through = buy ? price < limit : price > limit;
  const atLimit = price === limit && taker === (buy ? 'sell' : 'buy');
  let lots = of.left;
  if (!through) {
    if (!atLimit || options.limitFill === 'through') return;
    if (options.limitFill === 'queue') {
      const ahead = order.queueAhead ?? 0;
      order.queueAhead = Math.max(0, ahead - size);
      lots = Math.min(lots, lotsIn(instrument, size - ahead));
    }
  }
  if (lots <= 0) return;
  of.left -= board.fill(track, order, lots, order.limitTicks!, 'maker', of.stamp, of.out);
}

/** A mark where nothing finer is known: everyone meets it, with slippage for takers. */
export function matchMark(of: Look, mark: number): void {
  for (let again = true; again; ) {
    const known = new Set(of.track.orders.filter(isLive));
    for (const order of byPriority([...known])) if (isLive(order)) strike(of, order, mark, false);
    again = of.track.orders.some((order) => isLive(order) && !known.has(order));
  }
  for (const order of of.track.orders) {
    if (isLive(order) && isTrailing(order)) trail(order, mark, of.instrument);
  }
}
