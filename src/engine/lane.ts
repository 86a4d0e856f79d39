import { broken, type Instant, numberToSteps, stepsToNumber } from '#base';
import { type ClosedFirst, planOrders, type VenueCommand } from '#execution';
import {
  type BookId,
  type Booking,
  bookKey,
  type ClientOrderId,
  isEnded,
  type Ledger,
  type OrderRequest,
  type OrderState,
  type Trade,
  type VenueReport,
} from '#ledger';
import { type Instrument, notional } from '#market';
import { type Approved, consume, ExitMemories, type Leg, type Plan } from '#risk';
import { freeLots, isAtWork } from './closers.ts';
import { adoptedMemory, type EntryMemory, type Held, type Leaving, newlyHeld } from './held.ts';
import { LATE, LateFills, type LateOutcome, stronger } from './late-fills.ts';
import { LegTrackers } from './leg-trackers.ts';

export interface LaneEffect {
  readonly booking: Booking;
  readonly opened: Held | null;
  readonly closed: Trade | null;
  /** What becomes of it, where it is a fill that nobody expected any more. */
  readonly late: LateOutcome | null;
}

/**
 * One way of holding positions: the real lane sends its orders out, a shadow lane sends them to a simulated
 * venue of its own. Both keep books with the same ledger, so a shadow trade is judged like a real one.
 */
export class Lane {
  static readonly configuration = ['shadow', 'idPrefix', 'send', 'instrumentOf', 'muted'];
  readonly shadow: boolean;
  /** While facts of another version are folded plans of several legs ask for nothing: that version has asked. */
  muted = false;
  readonly ledger: Ledger;
  readonly held = new Map<BookId, Held>();
  readonly exitMemories = new ExitMemories();
  /** Books that are to be flat, until they are and no entry of theirs that was canceled may still fill. */
  readonly leaving = new Map<BookId, Leaving>();
  /** Entries that may still fill although we canceled them: the venue refused the cancellation. */
  private readonly uncanceled = new Set<ClientOrderId>();
  private readonly memories = new Map<BookId, EntryMemory>();
  private readonly late: LateFills;
  private readonly idPrefix: string;
  private readonly send: (command: VenueCommand, at: Instant) => void;
  private readonly instrumentOf: (id: Instrument['id']) => Instrument;
  private readonly legs: LegTrackers;
  private orderCount = 0;
  private at: Instant = 0;

  constructor(options: {
    shadow: boolean;
    ledger: Ledger;
    idPrefix: string;
    send: (command: VenueCommand, at: Instant) => void;
    instrumentOf: (id: Instrument['id']) => Instrument;
    legsEnded: (plan: Plan, text: string) => void;
  }) {
    this.shadow = options.shadow;
    this.ledger = options.ledger;
    this.idPrefix = options.idPrefix;
    this.send = options.send;
    this.instrumentOf = options.instrumentOf;
    this.legs = this.newLegTrackers(options.legsEnded);
    this.late = new LateFills({
      ledger: this.ledger,
      nextId: () => this.nextId(),
      reducesNet: (order) => this.reducesNet(order),
      send: (order) => this.sendOrder(order, this.at),
      leave: (book, { reason, manual }) => this.leave(book, reason, manual),
    });
  }

  private nextId(): ClientOrderId {
    this.orderCount += 1;
    return `${this.idPrefix}-${this.orderCount.toString(36)}` as ClientOrderId;
  }

  /** Sends an approved plan; returns the client ids of its orders. An approval serves once. */
  submit(approved: Approved<Plan>, at: Instant, memory: EntryMemory | null): readonly ClientOrderId[] {
    const orders = planOrders(approved, () => this.nextId(), {
      at,
      reducesNet: (order, before) => this.reducesNet(order, before),
      closesFirst: (leg) => this.closesFirst(leg),
    });
    const { plan } = approved;
    const used = consume(approved, at, this.shadow ? 'shadow' : 'real');
    if (!(used.kind === 'plan')) broken(`the approval of plan ${plan.id} had run out`);
    if (memory !== null) for (const leg of plan.legs) this.memories.set(leg.book, memory);
    for (const order of orders) this.sendOrder(order, at);
    if (plan.legs.length > 1) this.legs.track(plan, orders);
    return orders.map((order) => order.clientId);
  }

  /**
   * Takes over an order that another version sent. What that version remembered of the entry is gone but for what the
   * orders themselves say: the protective children carry the stop and the target.
   */
  adopt(order: OrderRequest, at: Instant): void {
    const { clientId, book, parent, reason } = order;
    this.ledger.submit(order, at);
    const number = Number.parseInt(clientId.slice(this.idPrefix.length + 1), 36);
    if (Number.isSafeInteger(number)) this.orderCount = Math.max(this.orderCount, number);
    if (parent === null) {
      if (!order.reduceOnly) this.memories.set(book, adoptedMemory(null, null, 0));
      const held = this.held.get(book);
      if (held !== undefined && reason.startsWith('exit:')) held.exitAsked = clientId;
      return;
    }
    const known = this.memories.get(book) ?? adoptedMemory(null, null, 0);
    const { tick } = this.instrumentOf(order.instrument);
    const price = order.triggerTicks === null ? null : stepsToNumber(order.triggerTicks, tick);
    const stop = reason === 'stop-loss' ? price : known.stopPrice;
    const target = reason === 'take-profit' ? price : known.targetPrice;
    const entry = this.ledger.order(parent)?.request;
    let risk = known.riskToStop;
    if (
      reason === 'stop-loss' &&
      entry !== undefined &&
      entry.expectedTicks !== null &&
      order.triggerTicks !== null
    ) {
      const instrument = this.instrumentOf(order.instrument);
      const atEntry = notional(instrument, entry.expectedTicks, entry.lots, 'ceil');
      risk = Math.abs(atEntry - notional(instrument, order.triggerTicks, entry.lots, 'floor'));
    }
    this.memories.set(book, adoptedMemory(stop, target, risk));
  }

  private sendOrder(order: OrderRequest, at: Instant): void {
    this.ledger.submit(order, at);
    this.send({ kind: 'submit-order', order }, at);
  }

  private reducesNet(order: Pick<OrderRequest, 'instrument' | 'side' | 'lots'>, before = 0): boolean {
    return this.ledger.reduceOnlyReducesNet(order, before);
  }

  /** What a book holds and no order at work closes, signed: no exit asks for more. */
  freeLots(book: BookId): number {
    return freeLots(this.ledger, book);
  }

  /**
   * What of a reversal must not leave with its entry. While a stop, a target or an exit works for the book, the position
   * may be closed before the reversal arrives: one netted order would then open twice. And what protects the new position
   * has the size of its entry, which must be that of the position.
   */
  private closesFirst({ book, side, lots, protection }: Leg): ClosedFirst | null {
    const held = this.ledger.position(book)?.lots ?? 0;
    if (held === 0 || held > 0 === (side === 'buy') || Math.abs(held) >= lots) return null;
    if (protection === null && !this.ledger.works(book, true)) return null;
    return { lots: Math.abs(held), asked: Math.abs(this.freeLots(book)) };
  }

  private newLegTrackers(ended: (plan: Plan, text: string) => void): LegTrackers {
    return new LegTrackers({
      nextId: () => this.nextId(),
      worth: (leg, lots) => this.worth(leg, lots),
      reducesNet: (leg) => this.reducesNet(leg),
      heldLots: (leg) => this.ledger.position(leg.book)?.lots ?? 0,
      freeLots: (leg) => this.freeLots(leg.book),
      carryOut: (command) => {
        if (command.kind === 'submit-order') this.sendOrder(command.order, this.at);
        else {
          if (command.kind === 'cancel-order') this.ledger.cancelRequested(command.clientId, this.at);
          this.send(command, this.at);
        }
      },
      ended: (plan, outcome, why) => ended(plan, why === null ? outcome : `${outcome}: ${why}`),
    });
  }

  private worth(leg: Leg, lots: number): number {
    const instrument = this.instrumentOf(leg.instrument);
    const ticks = this.ledger.lastMark(leg.instrument)?.ticks ?? leg.expectedTicks;
    return this.ledger.inBase(instrument.settle, notional(instrument, ticks, lots, 'ceil'), true);
  }

  /** Time passes for plans of several legs. */
  onTime(at: Instant): void {
    this.at = at;
    this.legs.onTime(at);
  }

  nextDue(): Instant {
    return this.legs.nextDue();
  }

  /** `leaving`: why the book of an entry is to be flat; then what it fills all the same is closed. */
  cancel(order: OrderState, reason: string, at: Instant, leaving: Leaving | null = null): void {
    if (leaving !== null && !order.request.reduceOnly) this.late.entryLeaves(order.request.clientId, leaving);
    if (order.cancelRequestedAt !== null) return;
    this.ledger.cancelRequested(order.request.clientId, at);
    this.send({ kind: 'cancel-order', clientId: order.request.clientId, reason }, at);
  }

  /** Remembers that a book is to be flat. A person's word is not weakened by a later one. */
  leave(book: BookId, reason: string, manual: boolean): void {
    this.leaving.set(book, stronger(this.leaving.get(book), { reason, manual }));
  }

  /** Whether an order may still fill. */
  isAlive(id: ClientOrderId): boolean {
    const order = this.ledger.order(id);
    return order !== undefined && !isEnded(order.status);
  }

  /**
   * Cancels what belonged to a closed position: orders that would enlarge it again and orders that would close it. What
   * belongs to the other direction, a reversal and its protection, stays.
   */
  private cancelOf(book: BookId, direction: 1 | -1, at: Instant): void {
    for (const order of this.ledger.workingOrders(book)) {
      const { side, reduceOnly } = order.request;
      const enlarges = (side === 'buy') === (direction === 1);
      if (enlarges !== reduceOnly) this.cancel(order, 'position closed', at, LATE);
    }
  }

  /** A share split: holdings, their stops and what was remembered for orders move with the price. */
  split(instrument: Instrument['id'], ratio: number, at: Instant): readonly Trade[] {
    const trades = this.ledger.split(instrument, ratio, at);
    this.late.forget(instrument);
    for (const { book } of trades) {
      this.held.delete(book);
      this.leaving.delete(book);
      this.exitMemories.forget(book);
      for (const order of this.ledger.workingOrders(book)) this.cancel(order, 'split', at, LATE);
    }
    const moved = (price: number | null) => (price === null ? null : price / ratio);
    for (const [book, held] of this.held) {
      if (bookKey(book).instrument !== instrument) continue;
      const { stopPrice, targetPrice } = held;
      // a trailing level is found again from the best price
      this.exitMemories.forget(book);
      this.held.set(book, {
        ...held,
        entryPrice: held.entryPrice / ratio,
        bestPrice: held.bestPrice / ratio,
        stopPrice: moved(stopPrice),
        targetPrice: moved(targetPrice),
      });
    }
    for (const [book, memory] of this.memories) {
      if (bookKey(book).instrument !== instrument) continue;
      const { stopPrice, targetPrice } = memory;
      this.memories.set(book, { ...memory, stopPrice: moved(stopPrice), targetPrice: moved(targetPrice) });
    }
    return trades;
  }

  /** Where the entry at work for a book would put its stop; null when it states none. */
  stopOfEntry(book: BookId): number | null {
    return this.memories.get(book)?.stopPrice ?? null;
  }

  /**
   * Cancels the entries that work for a book. `leaving`: why the book is to be flat; null: only nothing new is wanted, and
   * what an entry fills all the same is held as planned.
   */
  cancelEntries(book: BookId, reason: string, at: Instant, leaving: Leaving | null): void {
    if (leaving !== null) this.late.bookLeaves(book, leaving);
    for (const order of this.ledger.workingOrders(book))
      if (!order.request.reduceOnly) this.cancel(order, reason, at, leaving);
  }

  /** Cancels what closes a book only at a price of its own, so that an exit may have its lots. */
  cancelPatientClosers(book: BookId, reason: string, at: Instant): void {
    for (const order of this.ledger.workingOrders(book))
      if (isAtWork(order) && order.request.limitTicks !== null) this.cancel(order, reason, at);
  }

  /** True while an order that may add exposure works for the book. */
  hasWorkingEntry(book: BookId): boolean {
    return this.ledger.works(book, false);
  }

  /**
   * Draws the stop of a position in to `share` of its distance from the entry; never away. False when the price has passed
   * that level already: the position is then to be closed. A resting order that does not lie there is asked to move, again
   * at every call until it does.
   */
  drawStop(book: BookId, share: number, price: number, at: Instant): boolean {
    const held = this.held.get(book);
    if (held === undefined || held.stopPrice === null) return true;
    if (held.exitAsked !== null || this.leaving.has(book)) return true;
    const { direction, entryPrice, stopPrice, stopShare } = held;
    const { tick } = this.instrumentOf(bookKey(book).instrument);
    if (share < stopShare) {
      const level = entryPrice - ((entryPrice - stopPrice) / stopShare) * share;
      const ticks = numberToSteps(level, tick, direction === 1 ? 'floor' : 'ceil');
      this.held.set(book, { ...held, stopShare: share, stopPrice: stepsToNumber(ticks, tick) });
    }
    const wanted = this.held.get(book)!.stopPrice!;
    if (direction * (price - wanted) <= 0) return false;
    const triggerTicks = numberToSteps(wanted, tick, 'half-away');
    for (const order of this.ledger.workingOrders(book)) {
      const { request } = order;
      const rests = request.reduceOnly && request.reason === 'stop-loss' && order.triggerTicks !== null;
      if (!rests || order.cancelRequestedAt !== null || order.amendRequestedAt !== null) continue;
      // only ever nearer: what rests nearer by a tick stays
      if (direction * (triggerTicks - order.triggerTicks) <= 0) continue;
      this.ledger.amendRequested(request.clientId, at);
      const { lots, limitTicks } = order;
      this.send({ kind: 'amend-order', clientId: request.clientId, lots, limitTicks, triggerTicks }, at);
    }
    return true;
  }

  /** Whether a protective order of this kind (`stop-loss`, `take-profit`) works at the venue for the book. */
  rests(book: BookId, kind: string): boolean {
    return this.ledger.works(book, true, kind);
  }

  /** Books a report and keeps the held positions in step with it. */
  report(report: VenueReport): LaneEffect {
    this.at = report.at;
    const effect = this.bookReport(report);
    if (!this.muted) this.legs.onReport(report);
    return effect;
  }

  private bookReport(report: VenueReport): LaneEffect {
    const before = this.statusBefore(report);
    const unwanted = report.kind === 'order-filled' ? this.late.whyUnwanted(report.fill.clientId) : null;
    const booking = this.ledger.report(report);
    const { order, position, closed } = booking;
    const book = order?.request.book ?? ('book' in report ? report.book : null);
    if (book === null) return { booking, opened: null, closed, late: null };
    const wasEnded = before !== null && isEnded(before);
    const ended = order !== null && isEnded(order.status);
    if (wasEnded && !ended) this.revive(order!, report.at);
    let opened: Held | null = null;
    if (closed !== null) {
      this.held.delete(book);
      this.exitMemories.forget(book);
    }
    if (position !== null && position.lots !== 0 && !this.held.has(book)) {
      // what works for the book now may be another entry than the one that filled late
      const late = wasEnded && ended ? this.late.of(order!.request.clientId) : null;
      const memory = late !== null ? late.memory : (this.memories.get(book) ?? null);
      opened = newlyHeld(position, memory);
      this.held.set(book, opened);
    } else if (position !== null && position.lots !== 0) {
      const held = this.held.get(book)!;
      if (held.entryPrice !== position.entryPrice)
        this.held.set(book, { ...held, entryPrice: position.entryPrice });
    }
    const held = this.held.get(book);
    if (held !== undefined && ended && held.exitAsked === order!.request.clientId) held.exitAsked = null;
    if (closed !== null) this.cancelOf(book, closed.direction, report.at);
    if (order !== null) this.noteUncanceled(order, report.kind);
    if (ended) this.forgetEntry(order!, !wasEnded);
    if (this.leaving.size > 0 && (closed !== null || held === undefined)) this.hasLeft(book);
    let late: LateOutcome | null = null;
    if (report.kind === 'order-filled' && booking.accepted) {
      const came = { late: wasEnded && ended, opened: opened !== null, unwanted, muted: this.muted };
      late = this.late.settle(order!, report.fill, position, came);
    }
    return { booking, opened, closed, late };
  }

  /** Status of the order that a report is about, before it is booked; null where it is about none. */
  private statusBefore(report: VenueReport): OrderState['status'] | null {
    const id =
      'clientId' in report ? report.clientId : report.kind === 'order-filled' ? report.fill.clientId : null;
    return id === null ? null : (this.ledger.order(id)?.status ?? null);
  }

  /** An order that was given up is alive: what was known of it serves again, and what is not wanted is canceled again. */
  private revive(order: OrderState, at: Instant): void {
    const { clientId, book, reduceOnly } = order.request;
    if (reduceOnly) return;
    const entry = this.late.revived(clientId);
    if (entry === null) return;
    if (entry.memory !== null && !this.memories.has(book)) this.memories.set(book, entry.memory);
    if (entry.unwanted !== null && !this.muted) this.cancel(order, 'not wanted any more', at);
  }

  /** What was known at entry serves its own orders only. */
  private forgetEntry(order: OrderState, justEnded: boolean): void {
    const { request } = order;
    if (request.reduceOnly) return;
    const memory = this.memories.get(request.book);
    if (justEnded) this.late.entryEnded(order, memory ?? null);
    if (this.hasWorkingEntry(request.book)) return;
    if (memory !== undefined && !this.legs.tracks(memory.planId)) this.memories.delete(request.book);
  }

  /** A refused cancellation says that no end will follow, and often that a fill will: after a restart it comes first. */
  private noteUncanceled({ request, status }: OrderState, kind: VenueReport['kind']): void {
    if (isEnded(status)) this.uncanceled.delete(request.clientId);
    else if (kind === 'cancel-rejected' && !request.reduceOnly) this.uncanceled.add(request.clientId);
  }

  /** A fill may still cross the cancellation of an entry: until that order has ended the book is not left. */
  private hasLeft(book: BookId): void {
    const crossing = this.ledger
      .workingOrders(book)
      .some(
        ({ request, cancelRequestedAt }) =>
          !request.reduceOnly && (cancelRequestedAt !== null || this.uncanceled.has(request.clientId)),
      );
    if (!crossing) this.leaving.delete(book);
  }

  instrument(id: Instrument['id']): Instrument {
    return this.instrumentOf(id);
  }
}
