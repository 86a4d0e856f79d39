import { SimulatedVenue, type SimulatedVenueOptions, type VenueCommand } from '#execution';
import type { BookId, Ledger, VenueReport } from '#ledger';
import type { BarClosed, Instrument, InstrumentId, MarketEvent } from '#market';
import { Lane, type LaneEffect } from './lane.ts';

/**
 * A desk's shadow lane with the venue that fills it: the same matching rules as paper, inside the loop. Nothing is
 * sent anywhere, nothing is counted as a trade; it exists so that a desk without an edge can show that it has one
 * again. Costs one comparison per bar while nothing is shadowed.
 */
export class ShadowVenue {
  static readonly configuration = ['onEffect'];
  readonly lane: Lane;
  private readonly venue: SimulatedVenue;
  private readonly onEffect: (effect: LaneEffect, report: VenueReport) => void;
  /** Books with orders or positions that the venue may still act on, by instrument. */
  private readonly busy = new Map<InstrumentId, BookId>();

  constructor(options: {
    name: string;
    venue: Omit<SimulatedVenueOptions, 'instrumentOf' | 'seed'>;
    instrumentOf: (id: InstrumentId) => Instrument;
    ledger: Ledger;
    onEffect: (effect: LaneEffect, report: VenueReport) => void;
  }) {
    this.onEffect = options.onEffect;
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
    if (command.kind === 'submit-order') this.busy.set(command.order.instrument, command.order.book);
    this.take(this.venue.execute(command, at));
  }

  /** Bars reach the loop when they close, so their opening price is played first. */
  onBar(event: BarClosed): void {
    if (this.busy.size === 0) return;
    const { instrument, intervalMs, bar } = event;
    const book = this.busy.get(instrument);
    if (book === undefined) return;
    const openedAt = bar.time;
    this.take(
      this.venue.onMarket({
        kind: 'bar-opened',
        at: event.at,
        eventTime: openedAt,
        instrument,
        intervalMs,
        open: bar.open,
      }),
    );
    this.take(this.venue.onMarket(event));
    this.lane.ledger.mark(instrument, bar.close, event.at);
    if (!this.lane.held.has(book) && !this.lane.ledger.works(book)) this.busy.delete(instrument);
  }

  onMarket(event: Exclude<MarketEvent, BarClosed>): void {
    if ('instrument' in event && this.busy.has(event.instrument)) this.take(this.venue.onMarket(event));
  }

  private take(reports: readonly VenueReport[]): void {
    for (const report of reports) this.onEffect(this.lane.report(report), report);
  }
}
