import { numberToSteps } from '#base';
import type { VenueReport } from '#ledger';
import type { Instrument } from '#market';
import type { OrderBoard } from './order-board.ts';
import { hasLimit, hasTrigger } from './order-faults.ts';
import { betterTicks, priceOf, slippageRate, takerTicks, ticksAgainst } from './prices.ts';
import type { PriceBand, SimulatedVenueOptions } from './venue-options.ts';
import type { Stamp, Track, VenueOrder } from './venue-state.ts';

/** One look at the market: where reports go, and what may still be filled in it. */
export interface Look {
  readonly board: OrderBoard;
  readonly options: SimulatedVenueOptions;
  readonly track: Track;
  readonly instrument: Instrument;
  readonly band: PriceBand | null;
  readonly stamp: Stamp;
  readonly out: VenueReport[];
  /** Bars only: orders that arrive at or after this, the bar's end, take no part. */
  readonly end: number;
  /** Lots that may still be filled, over all orders. */
  left: number;
}

export function look(
  board: OrderBoard,
  track: Track,
  stamp: Stamp,
  out: VenueReport[],
  left = Number.POSITIVE_INFINITY,
  end = Number.POSITIVE_INFINITY,
): Look {
  const instrument = board.instrument(track);
  const { options } = board;
  return {
    board,
    options,
    track,
    instrument,
    band: board.band(track, stamp.eventTime),
    stamp,
    out,
    end,
    left,
  };
}

/** On bars an order counts from the first bar that did not begin before it was sent and ends after it arrived. */
export const takesPart = (of: Look, order: VenueOrder, open: number): boolean =>
  order.since <= open && order.arrivesAt < of.end;

/** Working and in the market: not a child that waits, nor one the market never reaches. */
export const isLive = (order: VenueOrder): boolean =>
  order.status === 'working' && order.active && order.deaf !== true;

/** Waits for its trigger still. */
export const isWaiting = (order: VenueOrder): boolean => hasTrigger(order.request.type) && !order.triggered;

/** Executes as a limit (after its trigger, if it has one). */
export const actsAsLimit = (order: VenueOrder): boolean => hasLimit(order.request.type);

export const isTakeProfit = (order: VenueOrder): boolean =>
  order.request.type === 'take-profit' || order.request.type === 'take-profit-limit';

/** Stops act when the price gets worse, take-profits when it gets better. */
export const worsens = (order: VenueOrder): boolean => isWaiting(order) && !isTakeProfit(order);

/** Whether the price is beyond a limit so that it fills: strictly, unless a touch is enough. */
export function crosses(order: VenueOrder, price: number, level: number, touch: boolean): boolean {
  if (price === level) return touch;
  return order.request.side === 'buy' ? price < level : price > level;
}

/** Whether `price` sets off a waiting order. Take-profits are as strict as limits. */
export function setsOff(order: VenueOrder, price: number, level: number, touch: boolean): boolean {
  if (isTakeProfit(order)) return crosses(order, price, level, touch);
  return order.request.side === 'buy' ? price >= level : price <= level;
}

/** Moves a trailing stop's trigger behind its best price; it never moves back. */
export function trail(order: VenueOrder, price: number, instrument: Instrument): void {
  const { side, trailRate } = order.request;
  const sell = side === 'sell';
  if (order.best === null || (sell ? price > order.best : price < order.best)) order.best = price;
  const distance = trailRate! / 1e8;
  const level = order.best * (sell ? 1 - distance : 1 + distance);
  const ticks = Math.max(1, numberToSteps(level, instrument.tick, sell ? 'ceil' : 'floor'));
  if (order.triggerTicks === null) order.triggerTicks = ticks;
  else order.triggerTicks = sell ? Math.max(order.triggerTicks, ticks) : Math.min(order.triggerTicks, ticks);
}

export const isTrailing = (order: VenueOrder): boolean =>
  order.request.type === 'trailing-stop' && isWaiting(order);

export function setOff(of: Look, order: VenueOrder): void {
  order.triggered = true;
  const { at, eventTime } = of.stamp;
  of.out.push({ kind: 'order-triggered', at, eventTime, clientId: order.request.clientId });
}

/** IOC and FOK orders do not outlive their first chance. */
export function endImmediate(of: Look, order: VenueOrder): void {
  const { timeInForce } = order.request;
  if (!isLive(order) || isWaiting(order)) return;
  if (timeInForce !== 'IOC' && timeInForce !== 'FOK') return;
  const reason = timeInForce === 'IOC' ? 'ioc-remainder' : 'fok-not-whole';
  of.board.finish(of.track, order, 'canceled', reason, of.stamp, of.out);
}

/** Fills what the look still allows; an all-or-none order only whole. Returns the lots filled. */
export function fillUpTo(of: Look, order: VenueOrder, ticks: number, liquidity: 'maker' | 'taker'): number {
  const wanted = of.board.fillable(of.track, order);
  if (wanted > 0 && order.request.timeInForce === 'FOK' && of.left < wanted) return 0;
  if (wanted > 0 && of.left <= 0) return 0;
  const lots = of.board.fill(of.track, order, Math.min(wanted, of.left), ticks, liquidity, of.stamp, of.out);
  of.left -= lots;
  return lots;
}

/** A taker's price at `price`, slipped for the size that can fill now. */
export function slippedTicks(of: Look, order: VenueOrder, price: number): number {
  const lots = Math.max(1, Math.min(of.board.fillable(of.track, order), of.left));
  const rate = slippageRate(of.options, of.track, of.instrument, order, lots);
  return takerTicks(of.instrument, price, order.request.side, rate, of.band);
}

/** The side that finds no counterparty because the market is locked at its limit over [low, high]. */
export function isLocked(of: Look, order: VenueOrder, low: number, high: number): boolean {
  if (!of.band) return false;
  if (order.request.side === 'buy') return low >= priceOf(of.instrument, of.band.highTicks);
  return high <= priceOf(of.instrument, of.band.lowTicks);
}

/**
 * One order meets one price: a bar's open, a print or a mark. Stops that gap fill here, market orders with slippage,
 * limits that already rested at `price` where `improves` (an opening price) and at their limit elsewhere.
 */
export function strike(of: Look, order: VenueOrder, price: number, improves: boolean): void {
  const { request } = order;
  const touch = of.options.limitFill === 'touch';
  let exact = false;
  if (isWaiting(order)) {
    if (request.type === 'trailing-stop' && order.triggerTicks === null) trail(order, price, of.instrument);
    if (!setsOff(order, price, priceOf(of.instrument, order.triggerTicks!), touch)) return;
    if (isLocked(of, order, price, price)) return;
    exact = isTakeProfit(order);
    setOff(of, order);
  } else if (isLocked(of, order, price, price)) {
    return;
  }
  if (actsAsLimit(order)) strikeLimit(of, order, price, improves, touch);
  else {
    const ticks = exact ? ticksAgainst(of.instrument, price, request.side) : slippedTicks(of, order, price);
    fillUpTo(of, order, ticks, 'taker');
  }
  endImmediate(of, order);
}

function strikeLimit(of: Look, order: VenueOrder, price: number, improves: boolean, touch: boolean): void {
  const { side, postOnly } = order.request;
  const limit = order.limitTicks!;
  if (!crosses(order, price, priceOf(of.instrument, limit), touch)) {
    order.rested = true;
    return;
  }
  if (postOnly && !order.rested) {
    of.board.finish(of.track, order, 'canceled', 'post-only', of.stamp, of.out);
    return;
  }
  if (!order.rested) {
    fillUpTo(of, order, betterTicks(side, limit, slippedTicks(of, order, price)), 'taker');
  } else {
    const open = ticksAgainst(of.instrument, price, side);
    fillUpTo(of, order, improves ? betterTicks(side, limit, open) : limit, 'maker');
  }
  order.rested = true;
}

/** Price-time: takers first by age, then limits (buys, then sells) by price and age. */
export function byPriority(orders: readonly VenueOrder[]): VenueOrder[] {
  const passive = (o: VenueOrder) => actsAsLimit(o) && !isWaiting(o);
  return [...orders].sort((a, b) => {
    const pa = passive(a);
    const pb = passive(b);
    if (pa !== pb) return pa ? 1 : -1;
    if (pa && a.request.side !== b.request.side) return a.request.side === 'buy' ? -1 : 1;
    if (pa && a.limitTicks !== b.limitTicks) {
      return a.request.side === 'buy' ? b.limitTicks! - a.limitTicks! : a.limitTicks! - b.limitTicks!;
    }
    return a.sequence - b.sequence;
  });
}
