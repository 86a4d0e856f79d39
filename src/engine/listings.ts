import { broken, numberToSteps, stepsToNumber, unreachable } from '#base';
import { type BookId, isPerpetual, type Trade } from '#ledger';
import { type Instrument, type InstrumentId, type MarketEvent, sameGrid, WORTH_MOST } from '#market';
import type { Lane } from './lane.ts';

export type InstrumentChanged = Extract<MarketEvent, { kind: 'instrument-changed' }>;

/** What changes of instruments do to the portfolio. */
export interface ListingsPort {
  /** The real lane first, then the shadows. */
  lanes(): readonly Lane[];
  /** A trade that a split rounded away. */
  closed(trade: Trade, lane: Lane): void;
  /** A changed definition is in force from now on. */
  redefined(definition: Instrument): void;
  /** A figure that nothing can be reckoned with: counted, changes nothing. */
  refused(name: string): void;
  alert(key: string, text: string): void;
}

/** What a book receives. */
interface Payment {
  readonly lane: Lane;
  readonly book: BookId;
  /** Minor units of settle; negative is owed. */
  readonly amount: number;
}

/** The instruments of a portfolio as they are defined now, which of them trade, and what their changes do to the books. */
export class Listings {
  static readonly configuration = ['initial', 'port'];
  private readonly initial: ReadonlyMap<InstrumentId, Instrument>;
  private readonly port: ListingsPort;
  private readonly redefined = new Map<InstrumentId, Instrument>();
  /** Changes of the grid that wait until nothing is held or ordered in the old one; nothing is entered meanwhile. */
  private readonly awaited = new Map<InstrumentId, Instrument>();
  private readonly halted = new Set<InstrumentId>();
  /** Delisted or resolved: trades again only when it is listed anew. */
  private readonly gone = new Set<InstrumentId>();

  constructor(initial: readonly Instrument[], port: ListingsPort) {
    this.initial = new Map(initial.map((instrument) => [instrument.id, instrument]));
    this.port = port;
  }

  of(id: InstrumentId): Instrument {
    const instrument = this.redefined.get(id) ?? this.initial.get(id);
    if (instrument === undefined) broken(`no instrument ${id} in this portfolio`);
    return instrument;
  }

  /** Whether nothing may be entered. */
  isHalted(id: InstrumentId): boolean {
    return this.halted.has(id) || this.gone.has(id) || this.awaited.has(id);
  }

  /**
   * Whether a change concerns the portfolio and can be taken. What concerns others is passed over in silence; figures
   * that no money can be reckoned in are counted as refused.
   */
  accepts({ instrument: id, change }: InstrumentChanged): boolean {
    if (!this.initial.has(id)) return false;
    switch (change.change) {
      case 'halted':
      case 'resumed':
      case 'delisted':
      case 'resolved':
        return true;
      case 'listed':
      case 'changed':
        return this.isKept(id, change.definition) || this.refuse('definition-unusable');
      case 'split':
        return (
          this.port.lanes().every(({ ledger }) => ledger.canSplit(id, change.ratio)) ||
          this.refuse('split-unusable')
        );
      case 'dividend':
        return this.paymentsOf(id, change.amountPerUnit) !== null || this.refuse('dividend-unusable');
      default:
        return unreachable(change);
    }
  }

  private refuse(name: string): false {
    this.port.refused(name);
    return false;
  }

  /** Whether the books can be kept in a definition: of this instrument, its money in the minor unit of its currency. */
  private isKept(id: InstrumentId, definition: Instrument): boolean {
    return definition.id === id && this.port.lanes().every(({ ledger }) => ledger.canAdmit(definition));
  }

  /** Takes a change that was accepted. */
  change({ instrument: id, change, at }: InstrumentChanged): void {
    switch (change.change) {
      case 'halted':
        this.halted.add(id);
        return;
      case 'delisted':
      case 'resolved':
        this.gone.add(id);
        return;
      case 'resumed':
        this.halted.delete(id);
        this.gone.delete(id);
        return;
      case 'listed':
        // a halt without a delisting is not lifted by it; one within it ended with it
        if (this.gone.delete(id)) this.halted.delete(id);
        return this.redefine(id, change.definition);
      case 'changed':
        return this.redefine(id, change.definition);
      case 'split':
        for (const lane of this.port.lanes())
          for (const trade of lane.split(id, change.ratio, at)) this.port.closed(trade, lane);
        return;
      case 'dividend': {
        const { settle } = this.of(id);
        for (const { lane, book, amount } of this.paymentsOf(id, change.amountPerUnit) ?? [])
          lane.ledger.cashEntry('dividend', settle, amount, at, book);
        return;
      }
      default:
        return unreachable(change);
    }
  }

  private redefine(id: InstrumentId, definition: Instrument): void {
    const before = this.awaited.get(id);
    this.awaited.set(id, definition);
    this.takeWaiting();
    const isNew = before === undefined || !sameGrid(before, definition);
    if (!this.awaited.has(id) || !isNew) return;
    const text = `${id} changed its grid while it is held or ordered: nothing is entered there until it is flat`;
    this.port.alert(`definition-${id}`, text);
  }

  /** Whether a changed definition waits to be taken over. */
  get isWaiting(): boolean {
    return this.awaited.size > 0;
  }

  /** Takes over definitions that changed, as soon as nothing is held or ordered in a grid that would change its meaning. */
  takeWaiting(): void {
    if (this.awaited.size === 0) return;
    const lanes = this.port.lanes();
    for (const [id, definition] of this.awaited) {
      if (!sameGrid(this.of(id), definition) && lanes.some(({ ledger }) => ledger.uses(id))) continue;
      this.awaited.delete(id);
      this.redefined.set(id, definition);
      for (const { ledger } of lanes) {
        ledger.admit(definition);
        ledger.redefine(id);
      }
      this.port.redefined(definition);
    }
  }

  /** What every book that holds an instrument receives; null when it is no figure or none of this contract's. */
  private paymentsOf(id: InstrumentId, amountPerUnit: number): readonly Payment[] | null {
    const { kind, lot, contractSize, minorScale } = this.of(id);
    if (!Number.isFinite(amountPerUnit) || isPerpetual({ kind })) return null;
    const payments: Payment[] = [];
    for (const lane of this.port.lanes()) {
      for (const { instrument, book, lots } of lane.ledger.positions()) {
        if (instrument !== id) continue;
        const units = stepsToNumber(lots * contractSize.units, lot) / 10 ** contractSize.scale;
        const money = units * amountPerUnit;
        if (!(Math.abs(money) * 10 ** minorScale <= WORTH_MOST)) return null;
        // what is received rounds down, what is owed rounds up
        const amount = numberToSteps(money, { units: 1, scale: minorScale }, 'floor');
        payments.push({ lane, book, amount });
      }
    }
    return payments;
  }
}
