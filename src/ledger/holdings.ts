import { broken, type Instant, InvariantError, power10, safe, stepsToNumber } from '#base';
import type { Instrument, InstrumentId } from '#market';
import { basisSign, fillFlow } from './apply-fill.ts';
import type { BookId } from './order.ts';
import type { Position, Trade } from './trade.ts';

/** An open position and what its trade has gathered since entry. Plain data with one owner, {@link Holdings}. */
export interface Holding {
  position: Position;
  /** Slot of its instrument here, and of its settle currency in the accounts. */
  readonly instrumentSlot: number;
  readonly currencySlot: number;
  /** Signed cost: positive where paid. */
  basis: number;
  /** Lots and their worth (lots x price, for inverse contracts lots / price) on the way in and out. */
  entered: number;
  enteredWorth: number;
  exited: number;
  exitedWorth: number;
  maxLots: number;
  realised: number;
  fees: number;
  funding: number;
}

/** Open positions by book, and the newest mark per instrument. */
export class Holdings {
  static readonly configuration = ['tradesAs', 'instrumentOf', 'terms'];
  private readonly tradesAs: string;
  private readonly instrumentOf: (id: InstrumentId) => Instrument;
  /** Definitions already looked up, by instrument slot; rebuilt on demand. */
  private readonly terms: (Instrument | undefined)[] = [];
  private readonly ids: InstrumentId[] = [];
  private readonly instrumentSlots = new Map<InstrumentId, number>();
  private readonly freeSlots: number[] = [];
  /** Ticks; NaN while unknown. */
  private marks = new Float64Array(8).fill(Number.NaN);
  private markedAt = new Float64Array(8);
  /** Lots held and ordered in an instrument, whichever way; NaN while they must be counted again. */
  private sizes = new Float64Array(8).fill(Number.NaN);
  /** Up to this price everything held and ordered is known to be reckonable; NaN after a change. */
  private ceilings = new Float64Array(8).fill(Number.NaN);
  /** In order of opening. */
  readonly open: Holding[] = [];
  private readonly bookSlots = new Map<BookId, number>();
  private lastSlot = 0;
  private tradeCount = 0;

  constructor(tradesAs: string, instrumentOf: (id: InstrumentId) => Instrument) {
    this.tradesAs = tradesAs;
    this.instrumentOf = instrumentOf;
  }

  slot(id: InstrumentId): number {
    // marks come in runs of one instrument: comparing with the last one saves a look-up
    if (id === this.ids[this.lastSlot]) return this.lastSlot;
    this.lastSlot = this.instrumentSlots.get(id) ?? this.newSlot(id);
    return this.lastSlot;
  }

  private newSlot(id: InstrumentId): number {
    const slot = this.freeSlots.pop() ?? this.ids.length;
    this.ids[slot] = id;
    this.instrumentSlots.set(id, slot);
    if (slot >= this.marks.length) {
      const marks = new Float64Array(slot * 2).fill(Number.NaN);
      const markedAt = new Float64Array(slot * 2);
      marks.set(this.marks);
      markedAt.set(this.markedAt);
      const sizes = new Float64Array(slot * 2).fill(Number.NaN);
      sizes.set(this.sizes);
      const ceilings = new Float64Array(slot * 2).fill(Number.NaN);
      ceilings.set(this.ceilings);
      this.ceilings = ceilings;
      this.marks = marks;
      this.markedAt = markedAt;
      this.sizes = sizes;
    }
    return slot;
  }

  term(slot: number): Instrument {
    const known = this.terms[slot];
    if (known !== undefined && known.id === this.ids[slot]) return known;
    const id = this.ids[slot]!;
    const found = this.instrumentOf(id);
    if (!(found !== undefined && found.id === id)) broken(`no definition of ${id}`);
    this.terms[slot] = found;
    return found;
  }

  /** Takes over a changed definition. What is held must keep its meaning: lot, contract size and currency stay. */
  redefine(id: InstrumentId, inUse: boolean): void {
    const slot = this.instrumentSlots.get(id);
    if (slot === undefined) return;
    const before = this.term(slot);
    this.terms[slot] = undefined;
    this.touch(slot);
    const after = this.term(slot);
    if (
      !(
        !inUse ||
        (before.kind === after.kind &&
          before.settle === after.settle &&
          before.minorScale === after.minorScale &&
          before.lot.units === after.lot.units &&
          before.lot.scale === after.lot.scale &&
          before.contractSize.units === after.contractSize.units &&
          before.contractSize.scale === after.contractSize.scale)
      )
    )
      broken(`${id} changed its lot, contract size or currency while in use`);
    const mark = this.marks[slot]!;
    if (!Number.isNaN(mark)) this.mark(slot, stepsToNumber(mark, before.tick), this.markedAt[slot]!);
  }

  /** Forgets an instrument that is not held. */
  forget(id: InstrumentId): void {
    const slot = this.instrumentSlots.get(id);
    if (slot === undefined) return;
    this.instrumentSlots.delete(id);
    this.terms[slot] = undefined;
    this.marks[slot] = Number.NaN;
    this.markedAt[slot] = 0;
    this.touch(slot);
    this.freeSlots.push(slot);
  }

  mark(slot: number, price: number, at: Instant): void {
    const term = this.term(slot);
    const ticks = safe(Math.round((price * power10(term.tick.scale)) / term.tick.units));
    if (ticks < 0) throw new InvariantError(`negative mark of ${term.id}: ${price}`);
    if (at < this.markedAt[slot]!) return;
    this.marks[slot] = ticks === 0 && term.kind === 'inverse-perpetual' ? 1 : ticks;
    this.markedAt[slot] = at;
  }

  /** A fill's price stands in for a mark only until the first mark comes. */
  markIfNone(slot: number, ticks: number, at: Instant): void {
    if (!Number.isNaN(this.marks[slot]!)) return;
    this.marks[slot] = ticks;
    this.markedAt[slot] = at;
  }

  /** Whole ticks, NaN while unknown. */
  markTicks(slot: number): number {
    return this.marks[slot]!;
  }

  markTime(slot: number): Instant {
    return this.markedAt[slot]!;
  }

  rescaleMark(slot: number, ratio: number): void {
    const mark = this.marks[slot]!;
    if (mark > 0) this.marks[slot] = safe(Math.max(1, Math.round(mark / ratio)));
  }

  find(book: BookId): Holding | undefined {
    const slot = this.bookSlots.get(book);
    return slot === undefined ? undefined : this.open[slot];
  }

  add(holding: Holding): void {
    this.bookSlots.set(holding.position.book, this.open.length);
    this.open.push(holding);
  }

  remove(book: BookId): void {
    const slot = this.bookSlots.get(book)!;
    this.bookSlots.delete(book);
    this.open.splice(slot, 1);
    for (let i = slot; i < this.open.length; i++) this.bookSlots.set(this.open[i]!.position.book, i);
  }

  /** Counted through the portfolio's life. */
  nextTradeId(): string {
    this.tradeCount += 1;
    return `${this.tradesAs}-T${this.tradeCount}`;
  }

  holds(id: InstrumentId): boolean {
    return this.open.some((holding) => holding.position.instrument === id);
  }

  /** Something was ordered or filled, or an order ended. */
  touch(slot: number): void {
    this.sizes[slot] = Number.NaN;
    this.ceilings[slot] = Number.NaN;
  }

  /** Exchange rates have changed: what is reckonable was judged at the old ones. */
  revalue(): void {
    this.ceilings.fill(Number.NaN);
  }

  isBelowCeiling(slot: number, price: number): boolean {
    return price <= this.ceilings[slot]!;
  }

  setCeiling(slot: number, price: number): void {
    this.ceilings[slot] = price;
  }

  /** Lots held and ordered, whichever way, as last counted; NaN after a change. */
  size(slot: number): number {
    return this.sizes[slot]!;
  }

  /** Counts them again; `ordered` is what orders may still fill. */
  count(slot: number, ordered: number): number {
    let sum = ordered;
    for (const { instrumentSlot, position } of this.open)
      if (instrumentSlot === slot) sum += Math.abs(position.lots);
    this.sizes[slot] = sum;
    return sum;
  }

  /** Signed lots over all books. */
  net(id: InstrumentId): number {
    let sum = 0;
    for (const holding of this.open) if (holding.position.instrument === id) sum += holding.position.lots;
    return sum;
  }

  /** What closing at the mark would realise, gross of fees, minor units of settle. */
  unrealised(holding: Holding): number {
    const lots = holding.position.lots;
    const term = this.term(holding.instrumentSlot);
    const ticks = this.marks[holding.instrumentSlot]!;
    return fillFlow(term, lots > 0 ? 'sell' : 'buy', lots > 0 ? lots : -lots, ticks) - holding.basis;
  }
}

export function newHolding(position: Position, instrumentSlot: number, currencySlot: number): Holding {
  return {
    position,
    instrumentSlot,
    currencySlot,
    basis: 0,
    entered: 0,
    enteredWorth: 0,
    exited: 0,
    exitedWorth: 0,
    maxLots: 0,
    realised: 0,
    fees: 0,
    funding: 0,
  };
}

export function noteExit(holding: Holding, instrument: Instrument, lots: number, ticks: number): void {
  const price = stepsToNumber(ticks, instrument.tick);
  holding.exited += lots;
  holding.exitedWorth += instrument.kind === 'inverse-perpetual' ? lots / price : lots * price;
}

export function noteEntry(holding: Holding, instrument: Instrument, lots: number, ticks: number): void {
  const price = stepsToNumber(ticks, instrument.tick);
  holding.entered += lots;
  holding.enteredWorth += instrument.kind === 'inverse-perpetual' ? lots / price : lots * price;
}

/** Takes over the position after a fill or a split. */
export function notePosition(holding: Holding, instrument: Instrument, position: Position): void {
  holding.position = position;
  holding.basis = basisSign(instrument, position.lots) * position.cost;
  holding.maxLots = Math.max(holding.maxLots, Math.abs(position.lots));
}

function meanPrice(instrument: Instrument, lots: number, worth: number): number {
  return instrument.kind === 'inverse-perpetual' ? lots / worth : worth / lots;
}

/** The trade of a holding that has gone flat. Entry and exit prices are means over all its fills. */
export function closedTrade(
  holding: Holding,
  instrument: Instrument,
  id: string,
  at: Instant,
  exitReason: string,
): Trade {
  const { position, realised, fees, funding } = holding;
  return {
    id,
    book: position.book,
    instrument: instrument.id,
    currency: instrument.settle,
    direction: position.lots > 0 ? 1 : -1,
    openedAt: position.openedAt,
    closedAt: at,
    lots: holding.maxLots,
    entryPrice: meanPrice(instrument, holding.entered, holding.enteredWorth),
    exitPrice: meanPrice(instrument, holding.exited, holding.exitedWorth),
    realised,
    fees,
    funding,
    net: safe(realised - fees - funding),
    exitReason,
  };
}
