import { Chance, type Instant, unreachable } from '#base';
import { type ClientOrderId, type VenueReport, venueOf } from '#ledger';
import {
  type BarClosed,
  type BarColumns,
  type BarOpened,
  barFault,
  type FundingDue,
  type InstrumentChanged,
  type InstrumentId,
  type MarketEvent,
} from '#market';
import { arriveAmend, arriveCancel, arriveQuery, arriveSubmit } from './arrivals.ts';
import { isBelievable, isPrice } from './believable.ts';
import { chargeFunding } from './funding.ts';
import { applyChange } from './instrument-changes.ts';
import { anyBeyond, barTouches, liquidateAt, matchInside, matchOpen } from './match-bars.ts';
import { meetQuotes } from './match-quotes.ts';
import { meetTick, type TickEvent } from './meet-tick.ts';
import { OrderBoard } from './order-board.ts';
import { NO_REPORTS, type VenueFold } from './port.ts';
import { isMarked, isQuoted, matchesOnBars } from './presence.ts';
import { lotsIn } from './prices.ts';
import { recordBar, recordBars } from './record-bar.ts';
import { type Look, look, takesPart } from './strike.ts';
import type { VenueCommand } from './venue.ts';
import { checkOptions, type SimulatedVenueOptions } from './venue-options.ts';
import type { Stamp, Track, VenueOrder } from './venue-state.ts';

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
      case 'history-mended':
      case 'feed-changed':
        return event.at < this.nextDue ? NO_REPORTS : this.advanceTo(event.at);
      default:
        return unreachable(event);
    }
  }

  /** Names of the venues whose instruments have been traded or seen here, sorted. */
  venues(): string[] {
    return [...new Set([...this.board.tracks.keys()].map(venueOf))].sort();
  }

  accountReport(at: Instant, venue: string = this.venues()[0] ?? 'simulated'): VenueReport {
    const nets = [...this.board.tracks.values()]
      .filter((track) => venueOf(track.id) === venue)
      .map((track) => ({
        instrument: track.id,
        lots: track.holdings.reduce((sum, held) => sum + held.lots, 0),
      }))
      .filter((net) => net.lots !== 0)
      .sort((a, b) => (a.instrument < b.instrument ? -1 : 1));
    const openOrders = this.board.openOrders((instrument) => venueOf(instrument) === venue);
    return { kind: 'account-reported', at, eventTime: at, venue, nets, openOrders };
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

  /** See {@link VenueFold.opensQuietly}. */
  opensQuietly(instrument: InstrumentId, at: Instant, time: Instant, open: number): boolean {
    const track = this.board.track(instrument);
    if (!isPrice(open, track.priceMost)) return true;
    if (at >= this.nextDue || this.inFlight.length > 0 || !this.isIdle(track, open, open)) return false;
    track.price = open;
    track.openedAt = time;
    return true;
  }

  /** See {@link VenueFold.quietBars}. */
  quietBars(
    id: InstrumentId,
    { time, high, low }: BarColumns,
    intervalMs: number,
    from: number,
    to: number,
  ): number {
    const track = this.board.track(id);
    const { priceBand, liquidation } = this.options;
    if (this.nextDue !== OPEN_END || this.inFlight.length > 0 || track.orders.length > 0 || priceBand)
      return 0;
    // a longer bar is no news while shorter ones come
    if (intervalMs > track.finestMs || time[from]! < track.finestAt) return 0;
    const looks = liquidation && track.held > 0;
    let row = from;
    while (row < to && high[row]! <= track.priceMost && !(looks && anyBeyond(track, low[row]!, high[row]!)))
      row++;
    return row - from;
  }

  /** See {@link VenueFold.passBars}. */
  passBars(id: InstrumentId, columns: BarColumns, intervalMs: number, from: number, to: number): void {
    const track = this.board.track(id);
    track.openedAt = columns.time[to - 1]!;
    recordBars(track, columns, intervalMs, from, to);
  }

  private onBarOpened(event: BarOpened): readonly VenueReport[] {
    const { open, intervalMs, eventTime, at } = event;
    const track = this.board.track(event.instrument);
    if (this.opensQuietly(event.instrument, at, eventTime, open)) return NO_REPORTS;
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
    if (track.halted || !this.board.canValue(track, open, open)) return;
    if (this.options.liquidation && track.held > 0 && !isMarked(track, time)) liquidateAt(of, open);
    if (track.orders.length > 0) matchOpen(of, time, open);
  }

  /** Nothing can happen between these prices: no orders, and no holding that they liquidate. */
  private isIdle(track: Track, low: number, high: number): boolean {
    if (track.orders.length > 0) return false;
    return track.held === 0 || !this.options.liquidation || !anyBeyond(track, low, high);
  }

  private onBarClosed(event: BarClosed): readonly VenueReport[] {
    const { bar, intervalMs, at } = event;
    if (barFault(bar, null) !== null) return NO_REPORTS;
    const track = this.board.track(event.instrument);
    if (!isBelievable(event, track.priceMost)) return NO_REPORTS;
    if (intervalMs === track.finestMs && bar.time < track.finestAt) return NO_REPORTS; // told before
    if (at < this.nextDue && this.isIdle(track, bar.low, bar.high)) {
      if (intervalMs <= track.finestMs || track.finestAt <= bar.time) recordBar(track, event, this.options);
      return NO_REPORTS;
    }
    const out: VenueReport[] = [];
    if (at >= this.nextDue) this.advance(at, false, out);
    if (!matchesOnBars(track, intervalMs, bar.time)) {
      if (intervalMs <= track.finestMs) recordBar(track, event, this.options);
      return out.length === 0 ? NO_REPORTS : out;
    }
    const stamp = { at, eventTime: event.eventTime };
    this.arriveForBar(track, bar.time, intervalMs, stamp, out);
    this.matchBar(track, event, stamp, out);
    recordBar(track, event, this.options);
    return out.length === 0 ? NO_REPORTS : out;
  }

  private matchBar(track: Track, event: BarClosed, stamp: Stamp, out: VenueReport[]): void {
    const { bar } = event;
    const { participation, liquidation } = this.options;
    if (track.halted || (track.orders.length === 0 && track.held === 0)) return;
    if (!this.board.canValue(track, bar.low, bar.high)) return;
    const liquidates = liquidation && !isMarked(track, bar.time);
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

  private onTick(event: TickEvent): readonly VenueReport[] {
    const out: VenueReport[] = [];
    if (event.at >= this.nextDue) this.advance(event.at, true, out);
    const track = this.board.track(event.instrument);
    if (isBelievable(event, track.priceMost) && this.canValue(track, event))
      meetTick(this.board, track, event, out);
    return out.length === 0 ? NO_REPORTS : out;
  }

  private canValue(track: Track, event: TickEvent): boolean {
    switch (event.kind) {
      case 'quote-updated':
        return this.board.canValue(track, event.bid, event.ask);
      case 'print-seen':
        return this.board.canValue(track, event.price, event.price);
      case 'mark-updated':
        return this.board.canValue(track, event.mark, event.mark);
      case 'book-changed':
        return true;
    }
  }

  private onFunding(event: FundingDue): readonly VenueReport[] {
    const out: VenueReport[] = [];
    if (event.at >= this.nextDue) this.advance(event.at, false, out);
    const track = this.board.track(event.instrument);
    if (isBelievable(event, track.priceMost)) chargeFunding(this.board, track, event, out);
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
