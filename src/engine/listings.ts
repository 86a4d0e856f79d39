import { broken, type Instant, type Step, unreachable } from '#base';
import type { Trade } from '#ledger';
import type { Instrument, InstrumentId, MarketEvent } from '#market';
import type { Lane } from './lane.ts';

type InstrumentChanged = Extract<MarketEvent, { kind: 'instrument-changed' }>;

/** What changes of instruments do to the portfolio. */
export interface ListingsPort {
  /** The real lane first, then the shadows. */
  lanes(): readonly Lane[];
  /** A trade that a split rounded away. */
  closed(trade: Trade, lane: Lane): void;
  /** A figure that nothing can be reckoned with: counted, changes nothing. */
  refused(name: string): void;
  alert(key: string, text: string): void;
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

  constructor(initial: ReadonlyMap<InstrumentId, Instrument>, port: ListingsPort) {
    this.initial = initial;
    this.port = port;
  }

  of(id: InstrumentId): Instrument {
    const instrument = this.redefined.get(id) ?? this.initial.get(id);
    if (instrument === undefined) broken(`no instrument ${id} in this portfolio`);
    return instrument;
  }

  /** Whether nothing may be entered. */
  isHalted(id: InstrumentId): boolean {
    return this.halted.has(id) || this.awaited.has(id);
  }

  /** True when the change concerned the portfolio and could be taken. */
  change({ instrument: id, change, at }: InstrumentChanged): boolean {
    switch (change.change) {
      case 'halted':
      case 'delisted':
      case 'resolved':
        this.halted.add(id);
        return true;
      case 'resumed':
        this.halted.delete(id);
        return true;
      case 'listed':
      case 'changed':
        if (!this.initial.has(id)) return false;
        this.redefine(id, change.definition);
        return true;
      case 'split':
        return this.split(id, change.ratio, at);
      case 'dividend':
        return this.dividend(id, change.amountPerUnit, at);
      default:
        return unreachable(change);
    }
  }

  private redefine(id: InstrumentId, definition: Instrument): void {
    this.awaited.set(id, definition);
    this.takeWaiting();
    if (!this.awaited.has(id)) return;
    const text = `${id} changed its grid while it is held or ordered: nothing is entered there until it is flat`;
    this.port.alert(`definition-${id}`, text);
  }

  /** Takes over definitions that changed, as soon as nothing is held or ordered in a grid that would change its meaning. */
  takeWaiting(): void {
    if (this.awaited.size === 0) return;
    const lanes = this.port.lanes();
    for (const [id, definition] of this.awaited) {
      if (!sameGrid(this.of(id), definition) && lanes.some(({ ledger }) => ledger.uses(id))) continue;
      this.awaited.delete(id);
      this.redefined.set(id, definition);
      for (const { ledger } of lanes) ledger.redefine(id);
    }
  }

  private split(id: InstrumentId, ratio: number, at: Instant): boolean {
    if (!(ratio > 0 && ratio < Number.POSITIVE_INFINITY)) {
      this.port.refused('split-unusable');
      return false;
    }
    for (const lane of this.port.lanes()) {
      for (const trade of lane.split(id, ratio, at)) this.port.closed(trade, lane);
    }
    return true;
  }

  private dividend(id: InstrumentId, amountPerUnit: number, at: Instant): boolean {
    if (!Number.isFinite(amountPerUnit)) {
      this.port.refused('dividend-unusable');
      return false;
    }
    const { ledger } = this.port.lanes()[0]!;
    const instrument = this.of(id);
    for (const position of ledger.positions()) {
      if (position.instrument !== id) continue;
      const units = (position.lots * instrument.lot.units) / 10 ** instrument.lot.scale;
      // what is received rounds down, what is owed rounds up
      const amount = Math.floor(units * amountPerUnit * 10 ** instrument.minorScale);
      ledger.cashEntry('dividend', instrument.settle, amount, at, position.book);
    }
    return true;
  }
}

/** Whether orders and holdings mean the same in both definitions. */
const sameGrid = (a: Instrument, b: Instrument): boolean =>
  a.kind === b.kind &&
  a.settle === b.settle &&
  a.minorScale === b.minorScale &&
  sameStep(a.tick, b.tick) &&
  sameStep(a.lot, b.lot) &&
  sameStep(a.contractSize, b.contractSize);

const sameStep = (a: Step, b: Step): boolean => a.units === b.units && a.scale === b.scale;
