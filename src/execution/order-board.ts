import { assert } from '#base';
import type { BookId, ClientOrderId, Fill, Liquidity, VenueReport } from '#ledger';
import type { Instrument } from '#market';
import { feeOf } from './fees.ts';
import { applyToHolding, fundingAmount } from './holdings.ts';
import { VenueMemory } from './venue-memory.ts';
import { chargeId, type Holding, type Stamp, type Track, type VenueOrder } from './venue-state.ts';

type Ending = 'canceled' | 'expired' | 'rejected';

/**
 * The venue's book-keeping: which orders work, what each book holds, and what follows from a fill (siblings of a
 * group, children of a parent, reduce-only orders of a book that became flat). It matches nothing itself.
 */
export class OrderBoard extends VenueMemory {
  /** Lots a fill of this order may still have now: what is left of it and, reduce-only, of the book's position. */
  fillable(track: Track, order: VenueOrder): number {
    const left = order.lots - order.filled;
    if (!order.request.reduceOnly) return left;
    const held = this.lotsOf(track, order.request.book);
    const against = order.request.side === 'buy' ? -held : held;
    return Math.max(0, Math.min(left, against));
  }

  /**
   * Fills up to `wanted` lots and does all that follows. Returns the lots filled; 0 when reduce-only left nothing,
   * in which case the order is cancelled.
   */
  fill(
    track: Track,
    order: VenueOrder,
    wanted: number,
    ticks: number,
    liquidity: Liquidity,
    stamp: Stamp,
    out: VenueReport[],
  ): number {
    assert(order.status === 'working' && order.active, 'only a working order fills');
    const fillable = this.fillable(track, order);
    if (fillable === 0) {
      this.finish(track, order, 'canceled', 'reduce-only', stamp, out);
      return 0;
    }
    const lots = Math.min(wanted, fillable);
    if (lots <= 0) return 0;
    const { request } = order;
    const instrument = this.instrument(track);
    const question = {
      instrument,
      side: request.side,
      ticks,
      lots,
      liquidity,
      at: stamp.eventTime,
      lotsBefore: order.filled,
      feeBefore: order.fees,
    };
    const fill: Fill = {
      fillId: `${request.clientId}#${order.fills.length + 1}`,
      clientId: request.clientId,
      instrument: request.instrument,
      side: request.side,
      lots,
      ticks,
      fee: feeOf(this.options, question),
      liquidity,
    };
    order.filled += lots;
    order.fees += fill.fee;
    const report: VenueReport = { kind: 'order-filled', at: stamp.at, eventTime: stamp.eventTime, fill };
    order.fills.push(report);
    out.push(report);
    const holding = this.book(track, instrument, request.book, fill, request.leverage, stamp);
    this.settleFundingSince(track, instrument, holding, fill, stamp, out);
    this.afterFill(track, order, lots, stamp, out);
    if (holding.lots === 0) this.dropReduceOnly(track, holding.book, stamp, out);
    return lots;
  }

  /** Books a fill nobody asked for at the whole of a holding. */
  takeAway(
    track: Track,
    holding: Holding,
    cause: 'liquidation' | 'settlement',
    ticks: number,
    stamp: Stamp,
    out: VenueReport[],
  ): void {
    const instrument = this.instrument(track);
    const side = holding.lots > 0 ? 'sell' : 'buy';
    const lots = Math.abs(holding.lots);
    assert(lots > 0, 'a flat book has nothing to take away');
    holding.unasked += 1;
    const id = `${cause}/${holding.book}/${stamp.eventTime}/${holding.unasked}`;
    const question = { instrument, side, ticks, lots, liquidity: cause, at: stamp.eventTime } as const;
    const fill: Fill = {
      fillId: id,
      clientId: id as ClientOrderId,
      instrument: track.id,
      side,
      lots,
      ticks,
      fee: feeOf(this.options, { ...question, lotsBefore: 0, feeBefore: 0 }),
      liquidity: cause,
    };
    const { book } = holding;
    out.push({ kind: 'unasked-fill', at: stamp.at, eventTime: stamp.eventTime, book, cause, fill });
    this.book(track, instrument, book, fill, 1, stamp);
    for (const order of track.orders.filter((o) => o.request.book === book)) {
      this.finish(track, order, 'canceled', cause, stamp, out);
    }
  }

  /** Ends a working order. Children of a parent that never filled end with it. */
  finish(
    track: Track,
    order: VenueOrder,
    how: Ending,
    reason: string,
    stamp: Stamp,
    out: VenueReport[],
  ): void {
    if (order.status !== 'working') return;
    const { clientId } = order.request;
    this.remove(track, order, how, reason);
    const { at, eventTime } = stamp;
    out.push({ kind: `order-${how}`, at, eventTime, clientId, reason });
    if (order.filled === 0) this.dropChildren(track, clientId, stamp, out);
  }

  /** Tells a new total size or price. */
  tellAmended(order: VenueOrder, stamp: Stamp, out: VenueReport[]): void {
    order.amended = true;
    out.push(amendedReport(order, stamp));
  }

  /** Lets a child begin, or grow, with what its parent has filled. */
  follow(
    track: Track,
    child: VenueOrder,
    parentFilled: number,
    ticks: number,
    stamp: Stamp,
    out: VenueReport[],
  ) {
    const lots = Math.min(child.requested, parentFilled);
    const told = child.lots;
    child.lots = Math.max(lots, child.filled);
    if (!child.active) {
      child.active = true;
      if (child.request.type === 'trailing-stop') {
        const { tick } = this.instrument(track);
        child.best = (ticks * tick.units) / 10 ** tick.scale;
      }
    }
    if (child.lots !== told) this.tellAmended(child, stamp, out);
  }

  private book(
    track: Track,
    of: Instrument,
    book: BookId,
    fill: Fill,
    leverage: number,
    stamp: Stamp,
  ): Holding {
    const holding = this.holding(track, book);
    const flat = holding.lots === 0;
    applyToHolding(holding, of, fill.side, fill.lots, fill.ticks, leverage, stamp.eventTime);
    if (flat) track.held += 1;
    if (holding.lots === 0) track.held -= 1;
    return holding;
  }

  /** A fill booked late, at the open of a bar that has closed, owes or gets back the funding since that open. */
  private settleFundingSince(
    track: Track,
    instrument: Instrument,
    holding: Holding,
    fill: Fill,
    stamp: Stamp,
    out: VenueReport[],
  ): void {
    for (const funding of track.fundings) {
      if (funding.time <= stamp.eventTime) continue;
      const lots = fill.side === 'buy' ? fill.lots : -fill.lots;
      const amount = fundingAmount(instrument, lots, funding.mark, funding.rate);
      const { at, eventTime } = { at: stamp.at, eventTime: funding.time };
      if (amount !== 0) {
        out.push({
          kind: 'funding-charged',
          chargeId: `${chargeId(holding.book, eventTime)}/${fill.fillId}`,
          at,
          eventTime,
          instrument: track.id,
          book: holding.book,
          amount,
        });
      }
    }
  }

  private afterFill(track: Track, order: VenueOrder, lots: number, stamp: Stamp, out: VenueReport[]): void {
    const { clientId, ocoGroup, parent } = order.request;
    const complete = order.filled === order.lots;
    if (complete) this.remove(track, order, 'filled', '');
    if (ocoGroup !== null) this.shrinkSiblings(track, order, lots, complete, stamp, out);
    const fill = order.fills.at(-1)!;
    const ticks = fill.kind === 'order-filled' ? fill.fill.ticks : 0;
    for (const child of track.orders) {
      if (child.request.parent === clientId) this.follow(track, child, order.filled, ticks, stamp, out);
    }
    // Once its protection has begun to act, a half-filled parent must not go on entering.
    if (parent !== null) {
      const entering = track.orders.find((o) => o.request.clientId === parent);
      if (entering) this.finish(track, entering, 'canceled', 'child-filled', stamp, out);
    }
  }

  /** One cancels other; protective siblings share one position, so a part filled only shrinks them by it. */
  private shrinkSiblings(
    track: Track,
    order: VenueOrder,
    lots: number,
    complete: boolean,
    stamp: Stamp,
    out: VenueReport[],
  ): void {
    for (const sibling of [...track.orders]) {
      if (sibling === order || sibling.request.ocoGroup !== order.request.ocoGroup) continue;
      const left = sibling.lots - sibling.filled - lots;
      if (complete || left <= 0 || !sibling.request.reduceOnly || !order.request.reduceOnly) {
        this.finish(track, sibling, 'canceled', 'oco', stamp, out);
      } else {
        sibling.lots -= lots;
        sibling.requested = sibling.lots;
        this.tellAmended(sibling, stamp, out);
      }
    }
  }

  private dropReduceOnly(track: Track, book: BookId, stamp: Stamp, out: VenueReport[]): void {
    for (const order of [...track.orders]) {
      const { request } = order;
      if (request.book === book && request.reduceOnly && order.active) {
        this.finish(track, order, 'canceled', 'reduce-only', stamp, out);
      }
    }
  }

  private dropChildren(track: Track, parent: ClientOrderId, stamp: Stamp, out: VenueReport[]): void {
    for (const order of [...track.orders]) {
      if (order.request.parent === parent) this.finish(track, order, 'canceled', 'parent-ended', stamp, out);
    }
  }

  private remove(track: Track, order: VenueOrder, status: VenueOrder['status'], reason: string): void {
    order.status = status;
    order.reason = reason;
    const i = track.orders.indexOf(order);
    assert(i >= 0, 'a working order is on its track');
    track.orders.splice(i, 1);
    this.where.delete(order.request.clientId);
    this.timed.delete(order.request.clientId);
    this.remember(order);
  }
}

export function amendedReport(order: VenueOrder, stamp: Stamp): VenueReport {
  const { lots, limitTicks, triggerTicks } = order;
  const { clientId } = order.request;
  const { at, eventTime } = stamp;
  return { kind: 'order-amended', at, eventTime, clientId, lots, limitTicks, triggerTicks };
}
