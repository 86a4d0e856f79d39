import { broken, type Instant, safe, stepsToNumber, unreachable } from '#base';
import type { BarColumns, Currency, Instrument, InstrumentId } from '#market';
import { ACCOUNT, Accounts } from './accounts.ts';
import { bookFill } from './book-fill.ts';
import { accountBooking, type Booking, fillBooking, orderBooking } from './booking.ts';
import { type CashKind, postCash, postExchange } from './cash-entry.ts';
import { Holdings } from './holdings.ts';
import type { LedgerOptions } from './ledger-options.ts';
import { isEnded } from './life-cycle.ts';
import { liquidationTicksOf, wholeLiquidationTicks } from './liquidation.ts';
import type { BookId, ClientOrderId, OrderRequest, Side, VenueReport } from './order.ts';
import { type OrderState, pendingOrder } from './order-state.ts';
import { fillOrder, type OrderReport, type OrderStep, stepOrder } from './order-step.ts';
import { Orders } from './orders.ts';
import { RecentIds } from './recent-ids.ts';
import { reconcile } from './reconcile.ts';
import { reservationFor } from './reservation.ts';
import { canSplitShares, splitShares } from './split-shares.ts';
import { equityOf, type Figures, figuresOf, type Summary, summaryOf, trialBalanceOf } from './summary.ts';
import type { Position, Trade } from './trade.ts';
import { canValue } from './valuation.ts';

/**
 * What a portfolio holds and has asked for: order states, reservations, positions per book, double entry per currency.
 *
 * Exact: per currency `equity = cashStart + realised - fees - funding + unrealised` to the last minor unit, at every
 * moment. Free balance is equity-based for perpetuals and cash-based for everything paid outright (see `figuresOf`).
 */
export class Ledger {
  static readonly configuration = ['portfolio', 'base'];
  readonly portfolio: string;
  readonly base: Currency;
  private readonly accounts: Accounts;
  private readonly holdings: Holdings;
  private readonly orders: Orders;
  /** Ids of charges, unique per venue. */
  private readonly chargeIds: RecentIds;
  /** Ids of fills nobody asked for, unique per venue; those of orders are remembered with their order. */
  private readonly unaskedIds: RecentIds;

  constructor(options: LedgerOptions) {
    this.portfolio = options.portfolio;
    this.base = options.base;
    this.accounts = new Accounts(
      options.base,
      options.baseMinorScale,
      options.fxStaleAfterMs ?? 72 * 3_600_000,
    );
    this.holdings = new Holdings(options.tradesAs ?? options.portfolio, options.instrumentOf);
    this.orders = new Orders(options.remember ?? 4096);
    this.chargeIds = new RecentIds(options.remember ?? 4096);
    this.unaskedIds = new RecentIds(options.remember ?? 4096);
    for (const { currency, minorScale, amount } of options.openingCash) {
      this.accounts.addCapital(this.accounts.slot(currency, minorScale), amount);
    }
  }

  /** Opens the account of an instrument's settle currency. Throws InputError when its minor unit is another. */
  admit(instrument: Instrument): void {
    this.accounts.slot(instrument.settle, instrument.minorScale);
  }

  /** Whether {@link admit} would take an instrument. */
  canAdmit(instrument: Instrument): boolean {
    return this.accounts.takes(instrument.settle, instrument.minorScale);
  }

  /** Records an order before it leaves: `pending`, with its reservation set aside. A known id is a bug. */
  submit(order: OrderRequest, at: Instant): void {
    if (!(this.orders.find(order.clientId) === undefined)) broken(`order ${order.clientId} submitted twice`);
    this.checkBook(order.book, order.instrument);
    if (!(Number.isSafeInteger(order.lots) && order.lots > 0)) broken(`order for ${order.lots} lots`);
    if (!(order.leverage >= 1 && Number.isFinite(order.leverage))) broken(`leverage ${order.leverage}`);
    const term = this.instrument(order.instrument);
    const currency = this.accounts.slot(term.settle, term.minorScale);
    const opening = order.reduceOnly ? 0 : Math.max(0, order.lots - this.closable(order.book, order.side));
    const reserved = this.reservationOf(order, opening, order.limitTicks, order.triggerTicks, at);
    this.accounts.reserved[currency] = safe(this.accounts.reserved[currency]! + reserved);
    this.orders.put(pendingOrder(order, opening, reserved, at));
    this.holdings.touch(this.holdings.slot(order.instrument));
  }

  private reservationOf(
    order: OrderRequest,
    openingLots: number,
    limitTicks: number | null,
    triggerTicks: number | null,
    at: Instant,
  ): number {
    if (openingLots === 0) return 0;
    const { side, type, expectedTicks, leverage } = order;
    const slot = this.holdings.slot(order.instrument);
    const ticks = this.holdings.markTicks(slot);
    const priced = { side, type, limitTicks, triggerTicks, expectedTicks, leverage };
    const mark = Number.isNaN(ticks) ? null : ticks;
    return reservationFor(this.holdings.term(slot), priced, openingLots, mark, at);
  }

  /** Lots a side could still close in a book, less what working orders of that side already will. */
  private closable(book: BookId, side: Side): number {
    const lots = this.holdings.find(book)?.position.lots ?? 0;
    if (lots === 0 || lots > 0 === (side === 'buy')) return 0;
    return Math.max(0, Math.abs(lots) - this.orders.openLotsOf(book, side));
  }

  /** Notes that a cancellation is under way. Too late or unknown: nothing happens. */
  cancelRequested(clientId: ClientOrderId, at: Instant): void {
    const order = this.orders.find(clientId);
    if (order !== undefined && !isEnded(order.status)) this.orders.put({ ...order, cancelRequestedAt: at });
  }

  /** Notes that an amendment is under way. Too late or unknown: nothing happens. */
  amendRequested(clientId: ClientOrderId, at: Instant): void {
    const order = this.orders.find(clientId);
    if (order !== undefined && !isEnded(order.status)) this.orders.put({ ...order, amendRequestedAt: at });
  }

  /** Books what a venue says. Never throws for what a venue may say out of order; see {@link BookingFault}. */
  report(report: VenueReport): Booking {
    switch (report.kind) {
      case 'order-filled':
        return this.orderFilled(report);
      case 'unasked-fill':
        return this.unaskedFill(report);
      case 'funding-charged':
        return this.fundingCharged(report);
      case 'account-reported':
        return accountBooking(reconcile(report, this.positions(), this.orders.working()));
      case 'order-accepted':
      case 'order-rejected':
      case 'order-triggered':
      case 'order-canceled':
      case 'order-expired':
      case 'order-amended':
      case 'cancel-rejected':
      case 'amend-rejected':
      case 'order-unknown':
        return this.orderReported(report);
      default:
        return unreachable(report);
    }
  }

  private orderReported(report: OrderReport): Booking {
    const order = this.orders.find(report.clientId);
    if (order === undefined) return orderBooking(null, false, 'unknown-order', null);
    const step = stepOrder(order, report, (o) =>
      this.reservationOf(o.request, o.openingLots, o.limitTicks, o.triggerTicks, report.at),
    );
    if (step.accepted) this.replace(order, step);
    return orderBooking(step.order, step.accepted, step.fault, this.position(order.request.book) ?? null);
  }

  private checkBook(book: BookId, instrument: InstrumentId): void {
    if (!(book.startsWith(`${this.portfolio}/`) && book.endsWith(`/${instrument}`)))
      broken(`${book} is no book of ${this.portfolio} in ${instrument}`);
  }

  private replace(before: OrderState, step: OrderStep): void {
    const after = step.order;
    const change = after.reserved - before.reserved;
    const instrument = this.holdings.slot(before.request.instrument);
    this.holdings.touch(instrument);
    if (change !== 0) {
      const slot = this.accounts.slotOf(this.holdings.term(instrument).settle)!;
      this.accounts.reserved[slot] = safe(this.accounts.reserved[slot]! + change);
    }
    this.orders.put(after);
  }

  private orderFilled({ fill, at, eventTime }: Extract<VenueReport, { kind: 'order-filled' }>): Booking {
    const order = this.orders.find(fill.clientId);
    if (order === undefined) return orderBooking(null, false, 'unknown-order', null);
    const { book, instrument, side, leverage, reason } = order.request;
    if (fill.instrument !== instrument || fill.side !== side) {
      return orderBooking(order, false, 'mismatched-fill', this.position(book) ?? null);
    }
    if (order.fillIds.includes(fill.fillId)) {
      return orderBooking(order, false, 'duplicate-fill', this.position(book) ?? null);
    }
    const term = this.instrument(instrument);
    const step = fillOrder(order, fill, stepsToNumber(fill.ticks, term.tick), at);
    this.replace(order, step);
    // told before as a fill nobody asked for: the money is booked, the order is filled all the same
    if (this.unaskedIds.size > 0 && this.unaskedIds.has(fill.fillId, term.venue))
      return orderBooking(step.order, false, 'duplicate-fill', this.position(book) ?? null);
    const filledAt = Math.max(order.submittedAt, heardBy(eventTime, at));
    const context = { book, leverage, lossLimited: false, reason, at, filledAt };
    const booked = bookFill(this.accounts, this.holdings, fill, context);
    return fillBooking(step.order, step.fault, booked, fill.fee);
  }

  private unaskedFill(report: Extract<VenueReport, { kind: 'unasked-fill' }>): Booking {
    const { book, fill, cause, at, eventTime } = report;
    this.checkBook(book, fill.instrument);
    const held = this.position(book);
    const known = this.orders.filledBy(fill.instrument, fill.fillId);
    if (known || !this.unaskedIds.claim(fill.fillId, this.instrument(fill.instrument).venue))
      return orderBooking(null, false, 'duplicate-fill', held ?? null);
    this.holdings.touch(this.holdings.slot(fill.instrument));
    const closable = held === undefined || held.lots > 0 === (fill.side === 'buy') ? 0 : Math.abs(held.lots);
    const fault = cause !== 'manual' && fill.lots > closable ? 'overfill' : null;
    const leverage = held?.leverage ?? 1;
    const filledAt = heardBy(eventTime, at);
    const context = { book, leverage, lossLimited: cause === 'liquidation', reason: cause, at, filledAt };
    return fillBooking(null, fault, bookFill(this.accounts, this.holdings, fill, context), fill.fee);
  }

  private fundingCharged(report: Extract<VenueReport, { kind: 'funding-charged' }>): Booking {
    const { book, instrument, amount } = report;
    this.checkBook(book, instrument);
    const term = this.instrument(instrument);
    if (!this.chargeIds.claim(report.chargeId, term.venue))
      return orderBooking(null, false, 'duplicate-charge', this.position(book) ?? null);
    const currency = this.accounts.slot(term.settle, term.minorScale);
    this.accounts.post(currency, ACCOUNT.funding, ACCOUNT.cash, amount);
    const holding = this.holdings.find(book);
    if (holding !== undefined) holding.funding = safe(holding.funding + amount);
    return orderBooking(null, true, null, holding?.position ?? null);
  }

  /**
   * Cash without a fill. `amount` in minor units, positive into the account. With `book` it also counts as carry in
   * that book's open trade (dividends, borrowing and interest: a receipt is negative funding).
   */
  cashEntry(kind: CashKind, currency: Currency, amount: number, _at: Instant, book?: BookId): void {
    const holding = book === undefined ? undefined : this.holdings.find(book);
    postCash(this.accounts, kind, currency, amount, holding);
  }

  /** Changes money: `paid` minor units of one currency for `received` of another. No profit in either. */
  exchange(from: Currency, paid: number, to: Currency, received: number, _at: Instant): void {
    postExchange(this.accounts, from, paid, to, received);
  }

  /**
   * A share split: `ratio` new shares for one old. Cost stays; what makes no whole lot is paid out at the mark.
   * Working orders are left to the venue. Returns the trades of holdings too small to keep a lot.
   */
  split(instrument: InstrumentId, ratio: number, at: Instant): readonly Trade[] {
    this.holdings.touch(this.holdings.slot(instrument));
    return splitShares(this.accounts, this.holdings, instrument, ratio, at);
  }

  /** Whether a split can be booked: not of a perpetual, and whole numbers come out of it. */
  canSplit(instrument: InstrumentId, ratio: number): boolean {
    return canSplitShares(this.holdings, instrument, ratio);
  }

  /** Whether all that is held and ordered could be reckoned at any price from `low` to `high`; see {@link canValue}. */
  canValue(instrument: InstrumentId, low: number, high: number): boolean {
    return canValue(this.accounts, this.holdings, this.orders, this.holdings.slot(instrument), low, high);
  }

  /** Newest price of an instrument, to its nearest tick. One older than the last is passed over. */
  mark(instrument: InstrumentId, price: number, at: Instant): void {
    this.holdings.mark(this.holdings.slot(instrument), price, at);
  }

  /**
   * Marks an instrument with the closes of bars [from, to), each at its close, and puts the equity after each into
   * `out` from its beginning on.
   */
  markAlong(
    instrument: InstrumentId,
    { time, close }: BarColumns,
    intervalMs: number,
    from: number,
    to: number,
    out: Float64Array,
  ): void {
    const { holdings, accounts } = this;
    const slot = holdings.slot(instrument);
    if (holdings.open.length === 0) {
      holdings.mark(slot, close[to - 1]!, time[to - 1]! + intervalMs);
      // without positions no price changes it
      out.fill(equityOf(accounts, holdings), 0, to - from);
      return;
    }
    for (let row = from; row < to; row++) {
      holdings.mark(slot, close[row]!, time[row]! + intervalMs);
      out[row - from] = equityOf(accounts, holdings);
    }
  }

  /** Newest mark, null while there is none (a first fill stands in). */
  lastMark(instrument: InstrumentId): { readonly ticks: number; readonly at: Instant } | null {
    const slot = this.holdings.slot(instrument);
    const ticks = this.holdings.markTicks(slot);
    return Number.isNaN(ticks) ? null : { ticks, at: this.holdings.markTime(slot) };
  }

  /** Units of `to` for one unit of `from`. */
  fxRate(from: Currency, to: Currency, rate: number, at: Instant): void {
    this.accounts.rate(from, to, rate, at);
    this.holdings.revalue();
  }

  /** Whether something is held or ordered in an instrument. */
  uses(instrument: InstrumentId): boolean {
    const ordered = this.orders.working().some((order) => order.request.instrument === instrument);
    return ordered || this.holdings.holds(instrument);
  }

  /** Takes over a changed definition. Lot, contract size and currency of what is in use may not change. */
  redefine(instrument: InstrumentId): void {
    this.holdings.redefine(instrument, this.uses(instrument));
  }

  /** Forgets the mark of an instrument that is gone. One that is held or ordered is kept. */
  forget(instrument: InstrumentId): void {
    if (!this.uses(instrument)) this.holdings.forget(instrument);
  }

  private instrument(id: InstrumentId): Instrument {
    return this.holdings.term(this.holdings.slot(id));
  }

  order(id: ClientOrderId): OrderState | undefined {
    return this.orders.find(id);
  }

  /** Orders that may still fill (pending, working, triggered, partially filled), oldest first. */
  workingOrders(book?: BookId): readonly OrderState[] {
    return this.orders.working(book);
  }

  /** Whether an order of a book may still fill; see {@link Orders.works}. */
  works(book: BookId, reduceOnly?: boolean, reason?: string): boolean {
    return this.orders.works(book, reduceOnly, reason);
  }

  /** Orders of an instrument that are alive or changed since: those that could explain a venue's other net. */
  recentOrders(instrument: InstrumentId, since: Instant): readonly OrderState[] {
    return this.orders.recent(instrument, since);
  }

  position(book: BookId): Position | undefined {
    return this.holdings.find(book)?.position;
  }

  /** Open positions in order of opening. */
  positions(): readonly Position[] {
    return this.holdings.open.map((holding) => holding.position);
  }

  /** The venue's net in lots, derived from the books. */
  net(instrument: InstrumentId): number {
    return this.holdings.net(instrument);
  }

  /**
   * Whether an order that reduces its book reduces the venue's net as well, by its whole size: the net as it is, or as
   * it will be once `before` more (signed) lots have filled.
   */
  reduceOnlyReducesNet(order: Pick<OrderRequest, 'instrument' | 'side' | 'lots'>, before = 0): boolean {
    const net = this.net(order.instrument) + before;
    return order.side === 'sell' ? net >= order.lots : -net >= order.lots;
  }

  /** Unrealised profit of a book, base-currency minor units; 0 when flat. */
  unrealised(book: BookId): number {
    const holding = this.holdings.find(book);
    if (holding === undefined) return 0;
    return this.accounts.toBase(holding.currencySlot, this.holdings.unrealised(holding), false);
  }

  /** What a book's open position has made since it was entered, fees and funding taken off; 0 when flat. Base minor units. */
  resultOf(book: BookId): number {
    const holding = this.holdings.find(book);
    if (holding === undefined) return 0;
    const { realised, fees, funding, currencySlot } = holding;
    const result = realised - fees - funding + this.holdings.unrealised(holding);
    return this.accounts.toBase(currencySlot, result, false);
  }

  /** Base-currency minor units. A currency without any rate counts nothing; `ratesFresh` is then false. */
  equity(_at: Instant): number {
    return equityOf(this.accounts, this.holdings);
  }

  /** An amount of one currency in base-currency minor units, rounded up or down; 0 without a rate or account. */
  inBase(currency: Currency, amount: number, up: boolean): number {
    const slot = this.accounts.slotOf(currency);
    return slot === undefined ? 0 : this.accounts.toBase(slot, amount, up);
  }

  /** Base units for one unit of a currency, 1 for the base itself; null when it is not known or stale. */
  rate(currency: Currency, at: Instant): number | null {
    const slot = this.accounts.slotOf(currency);
    return slot === undefined ? null : this.accounts.freshRate(slot, at);
  }

  /** Whether every currency in use has a rate that is known and not stale. A stale rate refuses entries. */
  ratesFresh(at: Instant): boolean {
    return this.accounts.allFresh(at);
  }

  /** Base-currency minor units. */
  summary(at: Instant): Summary {
    return summaryOf(this.accounts, this.holdings, this.equity(at), this.ratesFresh(at));
  }

  /** The same in minor units of one currency; null when it has no account. The identity is exact here. */
  currencySummary(currency: Currency): Figures | null {
    const slot = this.accounts.slotOf(currency);
    return slot === undefined ? null : figuresOf(this.accounts, this.holdings, slot);
  }

  currencies(): readonly Currency[] {
    return [...this.accounts.codes];
  }

  /** Whole ticks at which an isolated position is liquidated (rounded towards earlier), null when it cannot be. */
  liquidationTicks(book: BookId): number | null {
    const position = this.holdings.find(book)?.position;
    if (position === undefined) return null;
    const { lots, cost, margin } = position;
    const ticks = liquidationTicksOf(this.instrument(position.instrument), lots, cost, margin);
    return ticks === null ? null : wholeLiquidationTicks(ticks, lots);
  }

  /** Sum of all accounts per currency, holdings counted from the books: 0 or something is broken. */
  trialBalance(): Map<Currency, number> {
    return trialBalanceOf(this.accounts, this.holdings);
  }
}

/**
 * When a venue says that something happened, but not after it was heard of: its clock may be wrong. A time that is none is
 * when it was heard of; the journal's text of it is null, and a replay must come to the same.
 */
const heardBy = (eventTime: Instant, at: Instant): Instant =>
  Number.isSafeInteger(eventTime) ? Math.min(eventTime, at) : at;
