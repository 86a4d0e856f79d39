import { RecentMap } from '#base';
import type { BookId, ClientOrderId, OrderRequest } from '#ledger';
import { canReckon, type Instrument, type InstrumentId, priceMax, sameGrid } from '#market';
import { newHolding } from './holdings.ts';
import type { PriceBand, SimulatedVenueOptions } from './venue-options.ts';
import { type Holding, newTrack, newVenueOrder, type Track, type VenueOrder } from './venue-state.ts';

/**
 * What the venue knows: instruments, working orders, and the finished ones that may still be asked for.
 */
export class VenueMemory {
  static readonly configuration = ['options'];
  readonly options: SimulatedVenueOptions;
  readonly tracks = new Map<InstrumentId, Track>();
  /** Working orders that end by themselves. */
  readonly timed = new Map<ClientOrderId, number>();
  protected readonly where = new Map<ClientOrderId, InstrumentId>();
  private readonly done: RecentMap<ClientOrderId, VenueOrder>;
  private sequence = 0;

  constructor(options: SimulatedVenueOptions) {
    this.options = options;
    this.done = new RecentMap(options.rememberedOrders ?? 4096);
  }

  instrument(track: Track): Instrument {
    return track.definition ?? this.options.instrumentOf(track.id);
  }

  /** Takes over a changed definition, or lets it wait while orders and holdings would change their meaning with it. */
  redefine(track: Track, definition: Instrument): void {
    track.awaited = definition;
    this.takeWaiting(track);
    if (track.awaited !== null) track.priceMost = Math.min(track.priceMost, priceMax(definition));
  }

  /** To be called before anything new is ordered. */
  takeWaiting(track: Track): void {
    const { awaited } = track;
    if (awaited === null) return;
    const inUse = track.orders.length > 0 || track.held > 0;
    if (inUse && !sameGrid(this.instrument(track), awaited)) return;
    track.definition = awaited;
    track.awaited = null;
    track.priceMost = priceMax(awaited);
  }

  track(id: InstrumentId): Track {
    const found = this.tracks.get(id);
    if (found !== undefined) return found;
    const { slippage, instrumentOf } = this.options;
    const made = newTrack(
      id,
      priceMax(instrumentOf(id)),
      slippage.kind === 'impact' ? slippage.windowBars : 0,
    );
    this.tracks.set(id, made);
    return made;
  }

  /** Whether all that works and is held here could be reckoned at any price from `low` to `high`. */
  canValue(track: Track, low: number, high: number): boolean {
    let lots = 0;
    for (const order of track.orders) lots += order.requested;
    for (const holding of track.holdings) lots += Math.abs(holding.lots);
    if (lots === 0) return true;
    const instrument = this.instrument(track);
    return canReckon(instrument, lots, instrument.kind === 'inverse-perpetual' ? low : high);
  }

  band(track: Track, at: number): PriceBand | null {
    const rule = this.options.priceBand;
    if (!rule) return null;
    return rule(this.instrument(track), at, track.previousClose > 0 ? track.previousClose : null);
  }

  /** The instrument of a working order, or null. */
  whereIs(id: ClientOrderId): InstrumentId | null {
    return this.where.get(id) ?? null;
  }

  /** A working order. */
  find(id: ClientOrderId): VenueOrder | null {
    const instrument = this.where.get(id);
    if (instrument === undefined) return null;
    return this.track(instrument).orders.find((order) => order.request.clientId === id) ?? null;
  }

  /** A working or a remembered finished order. */
  recall(id: ClientOrderId): VenueOrder | null {
    return this.find(id) ?? this.done.get(id) ?? null;
  }

  openOrders(of: (instrument: InstrumentId) => boolean): ClientOrderId[] {
    const open: ClientOrderId[] = [];
    for (const [clientId, instrument] of this.where) if (of(instrument)) open.push(clientId);
    return open.sort();
  }

  nextSequence(): number {
    this.sequence += 1;
    return this.sequence;
  }

  add(request: OrderRequest, since: number, arrivesAt: number): VenueOrder {
    const order = newVenueOrder(request, since, arrivesAt, this.nextSequence());
    if (request.parent !== null && this.options.deafTo?.includes(request.reason)) order.deaf = true;
    this.track(request.instrument).orders.push(order);
    this.where.set(request.clientId, request.instrument);
    return order;
  }

  /** Remembers an order that never worked. */
  refuse(request: OrderRequest, since: number, reason: string): void {
    const order = newVenueOrder(request, since, since, this.nextSequence());
    order.status = 'rejected';
    order.reason = reason;
    this.remember(order);
  }

  lotsOf(track: Track, book: BookId): number {
    return track.holdings.find((holding) => holding.book === book)?.lots ?? 0;
  }

  holding(track: Track, book: BookId): Holding {
    const found = track.holdings.find((holding) => holding.book === book);
    if (found) return found;
    const made = newHolding(book);
    track.holdings.push(made);
    return made;
  }

  protected remember(order: VenueOrder): void {
    this.done.set(order.request.clientId, order);
  }
}
