import { SimulatedVenue, type SimulatedVenueOptions, type VenueCommand } from '#execution';
import type { BookId, Ledger, VenueReport } from '#ledger';
import type { BarClosed, Instrument, InstrumentId, MarketEvent } from '#market';
import { Lane, type LaneEffect } from './lane.ts';
import type { InstrumentChanged } from './listings.ts';

/** A book that the venue may still act on. Plain data. */
interface Busy {
  readonly book: BookId;
  /** When the venue last heard of its instrument. */
  at: number;
}

/**
 * A desk's shadow lane with the venue that fills it: the same matching rules as paper, inside the loop. Nothing is
 * sent anywhere, nothing is counted as a trade; it exists so that a desk without an edge can show that it has one
 * again. Costs one comparison per bar while nothing is shadowed.
 */
export class ShadowVenue {
  static readonly configuration = ['instruments', 'watches', 'onEffect'];
  readonly lane: Lane;
  private readonly venue: SimulatedVenue;
  private readonly instruments: ReadonlySet<InstrumentId>;
  /** Rules of the venue ask for the bars before an order too: previous closes, volumes, the last price. */
  private readonly watches: boolean;
  private readonly onEffect: (effect: LaneEffect, report: VenueReport) => void;
  /** Books with orders or positions that the venue may still act on, by instrument. */
  private readonly busy = new Map<InstrumentId, Busy>();

  constructor(options: {
    name: string;
    venue: Omit<SimulatedVenueOptions, 'instrumentOf' | 'seed'>;
    instruments: readonly InstrumentId[];
    /** Whether its entries are post-only: what they would take is judged by the last price. */
    postOnly: boolean;
    instrumentOf: (id: InstrumentId) => Instrument;
    ledger: Ledger;
    onEffect: (effect: LaneEffect, report: VenueReport) => void;
  }) {
    this.onEffect = options.onEffect;
    this.instruments = new Set(options.instruments);
    const { priceBand, slippage } = options.venue;
    this.watches = priceBand !== undefined || slippage.kind === 'impact' || options.postOnly;
    this.venue = new SimulatedVenue({
      ...options.venue,
      instrumentOf: options.instrumentOf,
      seed: options.name,
    });
    this.lane = new Lane({
      shadow: true,
      ledger: options.ledger,
      idPrefix: 'shadow',
      send: (command, at) => this.execute(command, at),
      instrumentOf: options.instrumentOf,
      legsEnded: () => {},
    });
  }

  private execute(command: VenueCommand, at: number): void {
    if (command.kind === 'submit-order') {
      const { instrument, book } = command.order;
      this.busy.set(instrument, { book, at });
    } else {
      const order = this.lane.ledger.order(command.clientId);
      const busy = order === undefined ? undefined : this.busy.get(order.request.instrument);
      if (busy !== undefined) busy.at = at;
    }
    this.take(this.venue.execute(command, at));
  }

  /** Whether bars tell it nothing. */
  get isIdle(): boolean {
    return this.busy.size === 0 && !this.watches;
  }

  /** Whether what is shadowed in an instrument could be reckoned at any price from `low` to `high`. */
  canValue(id: InstrumentId, low: number, high: number): boolean {
    return this.busy.size === 0 || this.lane.ledger.canValue(id, low, high);
  }

  /**
   * Bars reach the loop when they close, so their opening price is played first: at the time of the opening, for an
   * order good until this bar closes must still meet it, but never before what the venue has heard of the instrument.
   */
  onBar(event: BarClosed): void {
    if (this.isIdle) return;
    const { instrument, intervalMs, bar } = event;
    const busy = this.busy.get(instrument);
    if (busy === undefined) {
      if (this.watches && this.instruments.has(instrument)) this.take(this.venue.onMarket(event));
      return;
    }
    const openedAt = bar.time;
    this.take(
      this.venue.onMarket({
        kind: 'bar-opened',
        at: Math.max(openedAt, busy.at),
        eventTime: openedAt,
        instrument,
        intervalMs,
        open: bar.open,
      }),
    );
    busy.at = event.at;
    this.take(this.venue.onMarket(event));
    this.lane.ledger.mark(instrument, bar.close, Math.min(event.at, openedAt + intervalMs));
    if (!this.lane.held.has(busy.book) && !this.lane.ledger.works(busy.book)) this.busy.delete(instrument);
  }

  onMarket(event: Exclude<MarketEvent, BarClosed | InstrumentChanged>): void {
    if (this.busy.size === 0 || !('instrument' in event)) return;
    const busy = this.busy.get(event.instrument);
    if (busy === undefined) return;
    busy.at = event.at;
    this.take(this.venue.onMarket(event));
  }

  /** Heard whether or not anything is shadowed: what is halted unheard would trade, what is resumed would not. */
  onChange(event: InstrumentChanged): void {
    if (!this.instruments.has(event.instrument)) return;
    const busy = this.busy.get(event.instrument);
    if (busy !== undefined) busy.at = event.at;
    this.take(this.venue.onMarket(event));
  }

  private take(reports: readonly VenueReport[]): void {
    for (const report of reports) this.onEffect(this.lane.report(report), report);
  }
}
