import { Chance, type Instant, unreachable } from '#base';
import type { ClientOrderId, VenueReport } from '#ledger';
import {
  type BarClosed,
  type BarOpened,
  barFault,
  type FundingDue,
  type InstrumentChanged,
  type InstrumentId,
  type MarketEvent,
} from '#market';
import { arriveAmend, arriveCancel, arriveQuery, arriveSubmit } from './arrivals.ts';
import { applyDepth } from './depth.ts';
import { fundingAmount, heldBefore } from './holdings.ts';
import { applyChange } from './instrument-changes.ts';
import { barTouches, liquidateAt, matchInside, matchOpen } from './match-bars.ts';
import { matchMark, matchPrint, matchQuotes, meetQuotes } from './match-quotes.ts';
import { OrderBoard } from './order-board.ts';
import { NO_REPORTS, type VenueFold } from './port.ts';
import { hasDepth, isQuoted, matchesOnBars, matchesOnMarks } from './presence.ts';
import { lotsIn } from './prices.ts';
import { type Look, look, takesPart } from './strike.ts';
import type { VenueCommand } from './venue.ts';
import { checkOptions, FRESH_MS, type SimulatedVenueOptions } from './venue-options.ts';
import { NEVER, type Stamp, type Track, type VenueOrder } from './venue-state.ts';

interface InFlight {
  readonly command: VenueCommand;
  readonly issuedAt: Instant;
  readonly arrivesAt: Instant;
  readonly instrument: InstrumentId | null;
}

const OPEN_END = Number.POSITIVE_INFINITY;

/**
 * A venue made of arithmetic: a pure fold of commands, market events and a seed. It matches each instrument on the
 * finest data present (depth, quotes, prints, frequent marks, the shortest bars) and keeps no clock of its own.
 * Rules: DESIGN "Bars and fills"; every number is an option.
 */
export class SimulatedVenue implements VenueFold {
  static readonly configuration = ['options'];
  private readonly options: SimulatedVenueOptions;
  private readonly board: OrderBoard;
  private inFlight: InFlight[] = [];
  /** Nothing happens by time alone before this. */
  private nextDue = OPEN_END;

  constructor(options: SimulatedVenueOptions) {
    checkOptions(options);
    this.options = options;
    this.board = new OrderBoard(options);
  }

  execute(command: VenueCommand, at: Instant): readonly VenueReport[] {
    const item = {
      command,
      issuedAt: at,
      arrivesAt: at + this.latency(command),
      instrument: this.target(command),
    };
    if (item.arrivesAt > at) {
      this.inFlight.push(item);
      this.nextDue = Math.min(this.nextDue, item.arrivesAt);
      return NO_REPORTS;
    }
    const out: VenueReport[] = [];
    this.arrive(item, { at, eventTime: at }, out);
    this.reckonDue();
    return out;
  }

  advanceTo(at: Instant): readonly VenueReport[] {
    if (at < this.nextDue) return NO_REPORTS;
    const out: VenueReport[] = [];
    this.advance(at, false, out);
    return out.length === 0 ? NO_REPORTS : out;
  }

  onMarket(event: MarketEvent): readonly VenueReport[] {
    switch (event.kind) {
      case 'bar-closed':
        return this.onBarClosed(event);
      case 'bar-opened':
        return this.onBarOpened(event);
      case 'quote-updated':
      case 'book-changed':
      case 'print-seen':
      case 'mark-updated':
        return this.onTick(event);
      case 'funding-due':
        return this.onFunding(event);
      case 'instrument-changed':
        return this.onChange(event);
      case 'open-interest-updated':
      case 'liquidation-seen':
      case 'fx-rate-updated':
      case 'observation-published':
      case 'feed-changed':
        return event.at < this.nextDue ? NO_REPORTS : this.advanceTo(event.at);
      default:
        return unreachable(event);
    }
  }

  accountReport(at: Instant): VenueReport {
    const nets = [...this.board.tracks.values()]
      .map((track) => ({
        instrument: track.id,
        lots: track.holdings.reduce((sum, held) => sum + held.lots, 0),
      }))
      .filter((net) => net.lots !== 0)
      .sort((a, b) => (a.instrument < b.instrument ? -1 : 1));
    const venue = this.options.venue ?? 'simulated';
    return { kind: 'account-reported', at, eventTime: at, venue, nets, openOrders: this.board.openOrders() };
  }

  // --- commands on their way

  private latency(command: VenueCommand): number {
    const { latencyMs, noise, seed } = this.options;
    if (!noise || noise.latencySigma === 0 || latencyMs === 0) return latencyMs;
    const id = command.kind === 'submit-order' ? command.order.clientId : command.clientId;
    const draw = new Chance(`${seed}/latency/${command.kind}/${id}`);
    return Math.round(latencyMs * Math.exp(noise.latencySigma * draw.normal()));
  }

  private target(command: VenueCommand): InstrumentId | null {
    if (command.kind === 'submit-order') return command.order.instrument;
    const known = this.board.whereIs(command.clientId);
    if (known !== null) return known;
    const sent = this.inFlight.find((item) => submits(item.command, command.clientId));
    return sent?.instrument ?? null;
  }

  private arrive(item: InFlight, stamp: Stamp, out: VenueReport[]): void {
    const { command, issuedAt } = item;
    switch (command.kind) {
      case 'submit-order': {
        const order = arriveSubmit(this.board, command.order, issuedAt, item.arrivesAt, stamp, out);
        if (order === null) return;
        this.meetAtOnce(order, stamp, out);
        return;
      }
      case 'amend-order': {
        const order = arriveAmend(this.board, command, stamp, out);
        if (order !== null) this.meetAtOnce(order, stamp, out);
        return;
      }
      case 'cancel-order':
        arriveCancel(this.board, command, stamp, out);
        return;
      case 'query-order':
        arriveQuery(this.board, command.clientId, stamp, out);
        return;
      default:
        unreachable(command);
    }
  }

  /** Where quotes stand an order need not wait for the next one. */
  private meetAtOnce(order: VenueOrder, stamp: Stamp, out: VenueReport[]): void {
    const track = this.board.track(order.request.instrument);
    if (isQuoted(track, stamp.at) && !track.halted) meetQuotes(look(this.board, track, stamp, out), order);
  }

  /** Lets arrivals and expiries up to `at` happen, oldest first. `inclusive`: what expires exactly now has expired. */
  private advance(at: Instant, inclusive: boolean, out: VenueReport[]): void {
    const due = this.inFlight.filter((item) => item.arrivesAt <= at);
    if (due.length > 0) {
      this.inFlight = this.inFlight.filter((item) => item.arrivesAt > at);
      due.sort((a, b) => a.arrivesAt - b.arrivesAt);
      for (const item of due) this.arrive(item, { at, eventTime: item.arrivesAt }, out);
    }
    this.expire(at, inclusive, out);
    this.reckonDue();
  }

  private expire(at: Instant, inclusive: boolean, out: VenueReport[]): void {
    for (const [id, expiresAt] of [...this.board.timed]) {
      if (inclusive ? expiresAt > at : expiresAt >= at) continue;
      const order = this.board.find(id);
      if (order === null) continue;
      const reason = order.request.timeInForce === 'DAY' ? 'day-over' : 'good-till-date';
      const stamp = { at, eventTime: expiresAt };
      this.board.finish(this.board.track(order.request.instrument), order, 'expired', reason, stamp, out);
    }
  }

  private reckonDue(): void {
    let due = OPEN_END;
    for (const item of this.inFlight) due = Math.min(due, item.arrivesAt);
    for (const expiresAt of this.board.timed.values()) due = Math.min(due, expiresAt);
    this.nextDue = due;
  }

  /** On bars a command counts from the first bar that ends after its arrival and does not begin before it was sent. */
  private arriveForBar(
    track: Track,
    open: Instant,
    intervalMs: number,
    stamp: Stamp,
    out: VenueReport[],
  ): void {
    if (this.inFlight.length === 0) return;
    const fits = (item: InFlight) =>
      item.instrument === track.id && item.issuedAt <= open && item.arrivesAt < open + intervalMs;
    const early = this.inFlight.filter(fits);
    if (early.length === 0) return;
    this.inFlight = this.inFlight.filter((item) => !fits(item));
    for (const item of early) this.arrive(item, stamp, out);
    this.reckonDue();
  }

  // --- bars

  private onBarOpened(event: BarOpened): readonly VenueReport[] {
    const { open, intervalMs, eventTime, at } = event;
    if (!(Number.isFinite(open) && open > 0)) return NO_REPORTS;
    const track = this.board.track(event.instrument);
    if (at < this.nextDue && this.inFlight.length === 0 && track.orders.length === 0 && track.held === 0) {
      track.price = open;
      track.openedAt = eventTime;
      return NO_REPORTS;
    }
    const out: VenueReport[] = [];
    if (at >= this.nextDue) this.advance(at, true, out);
    if (matchesOnBars(track, intervalMs, eventTime - Math.min(intervalMs, track.finestMs))) {
      const stamp = { at, eventTime };
      this.arriveForBar(track, eventTime, intervalMs, stamp, out);
      track.openedAt = eventTime;
      if (this.options.participation === null) {
        this.openBar(
          track,
          look(this.board, track, stamp, out, OPEN_END, eventTime + intervalMs),
          eventTime,
          open,
        );
      }
      track.price = open;
    }
    return out.length === 0 ? NO_REPORTS : out;
  }

  private openBar(track: Track, of: Look, time: Instant, open: number): void {
    if (track.halted) return;
    if (this.options.liquidation && track.held > 0 && !this.isMarked(track, time)) liquidateAt(of, open);
    if (track.orders.length > 0) matchOpen(of, time, open);
  }

  private onBarClosed(event: BarClosed): readonly VenueReport[] {
    const { bar, intervalMs, at } = event;
    if (barFault(bar, null) !== null) return NO_REPORTS;
    const track = this.board.track(event.instrument);
    if (at < this.nextDue && track.orders.length === 0 && track.held === 0) {
      if (intervalMs <= track.finestMs || track.finestAt <= bar.time) this.recordBar(track, event);
      return NO_REPORTS;
    }
    const out: VenueReport[] = [];
    if (at >= this.nextDue) this.advance(at, false, out);
    if (!matchesOnBars(track, intervalMs, bar.time)) {
      if (intervalMs <= track.finestMs) this.recordBar(track, event);
      return out.length === 0 ? NO_REPORTS : out;
    }
    const stamp = { at, eventTime: event.eventTime };
    this.arriveForBar(track, bar.time, intervalMs, stamp, out);
    this.matchBar(track, event, stamp, out);
    this.recordBar(track, event);
    return out.length === 0 ? NO_REPORTS : out;
  }

  private matchBar(track: Track, event: BarClosed, stamp: Stamp, out: VenueReport[]): void {
    const { bar } = event;
    const { participation, liquidation } = this.options;
    if (track.halted || (track.orders.length === 0 && track.held === 0)) return;
    const liquidates = liquidation && !this.isMarked(track, bar.time);
    const end = bar.time + event.intervalMs;
    const of = look(this.board, track, stamp, out, OPEN_END, end);
    if (!barTouches(of, bar, liquidates)) return;
    if (participation !== null) of.left = lotsIn(of.instrument, participation * bar.volume);
    if (
      track.orders.some(
        (order) => order.active && order.metOpenOf !== bar.time && takesPart(of, order, bar.time),
      )
    ) {
      const atOpen = look(this.board, track, { at: stamp.at, eventTime: bar.time }, out, of.left, end);
      this.openBar(track, atOpen, bar.time, bar.open);
      of.left = atOpen.left;
    }
    matchInside(of, bar, liquidates);
  }

  /** Marks speak for the time since `from`, so that prices do not liquidate. */
  private isMarked(track: Track, from: Instant): boolean {
    return track.markAt > from - FRESH_MS;
  }

  private recordBar(track: Track, event: BarClosed): void {
    const { bar, intervalMs } = event;
    track.finestMs = intervalMs;
    track.finestAt = event.eventTime;
    track.price = bar.close;
    track.lastVolume = bar.volume;
    const window = track.closes.length;
    if (window > 0) {
      const i = track.bars % window;
      track.closes[i] = bar.close;
      track.volumes[i] = bar.volume;
    }
    track.bars += 1;
    if (track.fundings.length > 0) track.fundings.length = 0;
    if (this.options.priceBand) {
      const day = Math.floor(bar.time / 86_400_000);
      if (day > track.day) {
        if (track.day !== NEVER) track.previousClose = track.dayClose;
        track.day = day;
      }
      track.dayClose = bar.close;
    }
  }

  // --- quotes, prints, marks

  private onTick(
    event: Extract<MarketEvent, { kind: 'quote-updated' | 'book-changed' | 'print-seen' | 'mark-updated' }>,
  ) {
    const out: VenueReport[] = [];
    if (event.at >= this.nextDue) this.advance(event.at, true, out);
    const track = this.board.track(event.instrument);
    const stamp = { at: event.at, eventTime: event.eventTime };
    switch (event.kind) {
      case 'quote-updated': {
        const { bid, ask, bidSize, askSize } = event;
        if (!Number.isFinite(bid + ask + bidSize + askSize) || bid <= 0 || ask < bid) break;
        if (bidSize < 0 || askSize < 0 || hasDepth(track, event.at)) break;
        track.quoteAt = event.at;
        track.bids = [[bid, bidSize]];
        track.asks = [[ask, askSize]];
        this.quoted(track, stamp, out);
        break;
      }
      case 'book-changed':
        track.depthAt = event.at;
        applyDepth(track, event);
        this.quoted(track, stamp, out);
        break;
      case 'print-seen': {
        const { price, size, taker } = event;
        if (!(Number.isFinite(price) && price > 0 && Number.isFinite(size) && size > 0)) break;
        this.printed(track, price, size, taker, stamp, out);
        break;
      }
      case 'mark-updated':
        if (Number.isFinite(event.mark) && event.mark > 0) this.marked(track, event.mark, stamp, out);
        break;
      default:
        unreachable(event);
    }
    return out.length === 0 ? NO_REPORTS : out;
  }

  private quoted(track: Track, stamp: Stamp, out: VenueReport[]): void {
    const bid = track.bids[0];
    const ask = track.asks[0];
    if (bid && ask) track.price = (bid[0] + ask[0]) / 2;
    if (track.halted || (track.orders.length === 0 && track.held === 0)) return;
    const of = look(this.board, track, stamp, out);
    if (track.orders.length > 0) matchQuotes(of);
    this.liquidateUnmarked(track, stamp, out);
  }

  private printed(
    track: Track,
    price: number,
    size: number,
    taker: 'buy' | 'sell',
    stamp: Stamp,
    out: VenueReport[],
  ) {
    const quoted = isQuoted(track, stamp.at);
    track.printAt = stamp.at;
    if (!quoted) track.price = price;
    if (track.halted || (track.orders.length === 0 && track.held === 0)) return;
    const of = look(this.board, track, stamp, out);
    of.left = lotsIn(of.instrument, size);
    if (track.orders.length > 0) matchPrint(of, price, size, taker, quoted);
    if (!quoted) this.liquidateUnmarked(track, stamp, out);
  }

  private liquidateUnmarked(track: Track, stamp: Stamp, out: VenueReport[]): void {
    if (!this.options.liquidation || track.held === 0 || this.isMarked(track, stamp.at)) return;
    liquidateAt(look(this.board, track, stamp, out), track.price);
  }

  private marked(track: Track, mark: number, stamp: Stamp, out: VenueReport[]): void {
    track.mark = mark;
    track.markGap = track.markAt === NEVER ? OPEN_END : stamp.at - track.markAt;
    track.markAt = stamp.at;
    if (track.halted || (track.orders.length === 0 && track.held === 0)) return;
    const of = look(this.board, track, stamp, out);
    if (this.options.liquidation && track.held > 0) liquidateAt(of, mark);
    if (!matchesOnMarks(track, stamp.at)) return;
    track.price = mark;
    if (track.orders.length > 0) matchMark(of, mark);
  }

  // --- funding and changes

  private onFunding(event: FundingDue): readonly VenueReport[] {
    const out: VenueReport[] = [];
    if (event.at >= this.nextDue) this.advance(event.at, false, out);
    const track = this.board.track(event.instrument);
    const fresh = track.markAt > event.eventTime - 2 * FRESH_MS;
    const mark = event.mark ?? (fresh ? track.mark : track.price);
    const usable = this.options.funding && Number.isFinite(event.rate) && Number.isFinite(mark) && mark > 0;
    if (!usable) return out.length === 0 ? NO_REPORTS : out;
    if (this.options.participation !== null) {
      track.fundings.push({ time: event.eventTime, rate: event.rate, mark });
      if (track.fundings.length > 64) track.fundings.shift();
    }
    const { at, eventTime } = event;
    const instrument = track.held > 0 || track.holdings.length > 0 ? this.board.instrument(track) : null;
    for (const holding of track.holdings) {
      const lots = heldBefore(holding, eventTime);
      const amount = lots === 0 ? 0 : fundingAmount(instrument!, lots, mark, event.rate);
      if (amount === 0) continue;
      out.push({ kind: 'funding-charged', at, eventTime, instrument: track.id, book: holding.book, amount });
    }
    return out.length === 0 ? NO_REPORTS : out;
  }

  private onChange(event: InstrumentChanged): readonly VenueReport[] {
    const out: VenueReport[] = [];
    if (event.at >= this.nextDue) this.advance(event.at, true, out);
    const track = this.board.track(event.instrument);
    applyChange(this.board, track, event.change, { at: event.at, eventTime: event.eventTime }, out);
    return out.length === 0 ? NO_REPORTS : out;
  }
}

const submits = (command: VenueCommand, id: ClientOrderId): boolean =>
  command.kind === 'submit-order' && command.order.clientId === id;
