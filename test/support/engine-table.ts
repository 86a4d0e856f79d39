import { HOUR, MINUTE } from '#base';
import {
  type Command,
  type DeskParts,
  Engine,
  type Event,
  NO_TRACE,
  type PortfolioDefinition,
} from '#engine';
import { single } from '#ensemble';
import { venueOptions } from '#execution';
import type { BookId, ClientOrderId, Fill, OrderRequest, Side } from '#ledger';
import { currency, defineInstrument, type Instrument, type InstrumentSpec } from '#market';
import { fixedUnits, type Sizer } from '#risk';
import { source } from '#signals';
import { perpetual } from './instruments.ts';

export const STEP = 5 * MINUTE;
export const START = Date.UTC(2024, 0, 1);

const GRID = { lot: { units: 1, scale: 2 }, minorScale: 6, maxLeverage: 20 };
export const ALFA = perpetual('ALFA.X', GRID);
export const BETA = perpetual('BETA.X', GRID);

/** A share in USDT, sold one by one. */
export const share = (id: string, changes: Omit<InstrumentSpec, 'id'> = {}): Instrument =>
  defineInstrument({
    id,
    kind: 'equity',
    quote: 'USDT',
    lot: { units: 1, scale: 0 },
    minorScale: 6,
    ...changes,
  });

/** An engine whose venue is the test: it sees every command and says what the venue reports. */
export class Table {
  readonly engine: Engine;
  readonly commands: Command[] = [];
  readonly instruments: readonly Instrument[];
  at = START;
  /** What the desk's source says of each instrument at the next bar. */
  readonly say: Record<string, number> = {};
  private fills = 0;

  constructor(
    parts: Partial<DeskParts> = {},
    instruments: readonly Instrument[] = [ALFA],
    changes: Partial<PortfolioDefinition> = {},
  ) {
    this.instruments = instruments;
    const voice = source({
      name: 'voice',
      emits: 'score',
      features: {},
      signal: (view) => {
        const value = this.say[view.instrument.id] ?? 0;
        return value === 0 ? null : { kind: 'score', source: 'voice', value, horizonMs: HOUR };
      },
    });
    const all: DeskParts = {
      interval: '5m',
      warmUpBars: 0,
      sources: [voice],
      pooling: single(),
      sizer: fixedUnits(1, { leverage: 2 }),
      ...parts,
    };
    const {
      instrumentOf: _,
      seed: __,
      ...shadowVenue
    } = venueOptions({
      instrumentOf: (id) => instruments.find((i) => i.id === id)!,
    });
    this.engine = new Engine({
      name: 'p',
      base: currency('USDT'),
      baseMinorScale: 6,
      cash: 100_000_000_000,
      desks: [{ name: 'd', configuration: 'c', parts: all, instruments, intervalMs: STEP, otherMs: [] }],
      feedMs: () => STEP,
      breaker: all.breaker ?? null,
      platform: null,
      running: true,
      feeRate: null,
      shadowVenue,
      trace: NO_TRACE,
      ...changes,
    });
  }

  step(event: Event): readonly Command[] {
    const out = this.engine.step(event);
    this.commands.push(...out);
    return out;
  }

  /** One bar of every instrument at this price (or prices by id); scores by id for this bar only. */
  bar(price: number | Record<string, number>, say: Record<string, number> = {}): readonly Command[] {
    Object.assign(this.say, say);
    const out: Command[] = [];
    this.at += STEP;
    for (const instrument of this.instruments) {
      const p = typeof price === 'number' ? price : price[instrument.id]!;
      out.push(
        ...this.step({
          kind: 'bar-closed',
          at: this.at,
          eventTime: this.at,
          instrument: instrument.id,
          intervalMs: STEP,
          bar: { time: this.at - STEP, open: p, high: p, low: p, close: p, volume: 100 },
        }),
      );
    }
    for (const key of Object.keys(say)) delete this.say[key];
    return out;
  }

  accept(order: OrderRequest): void {
    const { clientId } = order;
    const stamp = { at: this.at, eventTime: this.at };
    this.step({ kind: 'order-accepted', ...stamp, clientId, venueOrderId: `v${clientId}` });
  }

  /** A fill of an order at a price in units. */
  fill(order: OrderRequest, price: number, lots = order.lots): readonly Command[] {
    const { tick } = this.instruments.find(({ id }) => id === order.instrument)!;
    const { clientId, instrument, side } = order;
    const ticks = Math.round((price * 10 ** tick.scale) / tick.units);
    const fill = this.fact({ clientId, instrument, side, lots, ticks });
    return this.step({ kind: 'order-filled', at: this.at, eventTime: this.at, fill });
  }

  /** A fill by hand that no order asked for. */
  unasked(book: BookId, instrument: Instrument, side: Side, lots: number, ticks: number): readonly Command[] {
    const fill = this.fact({
      clientId: 'by-hand' as ClientOrderId,
      instrument: instrument.id,
      side,
      lots,
      ticks,
    });
    const stamp = { at: this.at, eventTime: this.at };
    return this.step({ kind: 'unasked-fill', ...stamp, book, cause: 'manual', fill });
  }

  private fact(given: Omit<Fill, 'fillId' | 'fee' | 'liquidity'>): Fill {
    this.fills += 1;
    return { fillId: `f${this.fills}`, ...given, fee: 0, liquidity: 'taker' };
  }

  /** The venue's mark of an instrument, now. */
  mark(instrument: Instrument, mark: number): readonly Command[] {
    const { at } = this;
    return this.step({
      kind: 'mark-updated',
      at,
      eventTime: at,
      instrument: instrument.id,
      mark,
      index: null,
    });
  }

  /** What one of `from` is worth in `to` from now on. */
  rate(from: string, to: string, rate: number): readonly Command[] {
    const { at } = this;
    const pair = { from: currency(from), to: currency(to) };
    return this.step({ kind: 'fx-rate-updated', at, eventTime: at, ...pair, rate });
  }

  end(
    kind: 'order-rejected' | 'order-canceled' | 'order-expired',
    clientId: ClientOrderId,
  ): readonly Command[] {
    return this.step({ kind, at: this.at, eventTime: this.at, clientId, reason: 'test' });
  }

  lots(instrument: Instrument = ALFA): number {
    return this.engine.real.ledger.net(instrument.id);
  }
}

export const submitted = (commands: readonly Command[]): OrderRequest[] =>
  commands.flatMap((c) => (c.kind === 'submit-order' ? [c.order] : []));
export const canceled = (commands: readonly Command[]): string[] =>
  commands.flatMap((c) => (c.kind === 'cancel-order' ? [c.clientId as string] : []));

/** Enters one unit (100 lots) long at 100 and returns the orders of the entry. */
export function enterLong(table: Table, price = 100): OrderRequest[] {
  const orders = submitted(table.bar(price, { [ALFA.id]: 1 }));
  for (const order of orders) table.accept(order);
  table.fill(orders[0]!, price);
  return orders;
}

/** One unit with a stop 5 below and a target 10 above. */
export const guarded: Sizer = {
  name: 'guarded',
  features: {},
  size: () => ({
    kind: 'sized',
    quantity: 1,
    stopDistance: 5,
    targetDistance: 10,
    leverage: 2,
    riskFraction: null,
    cuts: [],
  }),
};
