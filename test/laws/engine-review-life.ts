import { MINUTE } from '#base';
import {
  type Command,
  type DeskParts,
  type DeskSetup,
  Engine,
  type Event,
  NO_TRACE,
  type PortfolioDefinition,
} from '#engine';
import { single } from '#ensemble';
import { venueOptions } from '#execution';
import type { ClientOrderId, OrderRequest, VenueReport } from '#ledger';
import { currency, type Instrument, type InstrumentId, instrumentFor } from '#market';
import { fixedUnits } from '#risk';
import { source } from '#signals';

export const BTC = instrumentFor('BTCUSDT.BINANCE-USDM' as InstrumentId);
export const ETH = instrumentFor('ETHUSDT.BINANCE-USDM' as InstrumentId);
export const BAR_MS = 5 * MINUTE;
const START = Date.UTC(2024, 0, 2);

/** What the scripted source says at bar number `count` of an instrument: 1 long, -1 short, 0 nothing. */
export type Script = (instrument: InstrumentId, count: number) => number;

export function scriptedParts(script: Script, changes: Partial<DeskParts> = {}): DeskParts {
  return {
    interval: '5m',
    warmUpBars: 1,
    sources: [
      source({
        name: 'script',
        features: {},
        signal: (view) => {
          const value = script(view.instrument.id, view.count);
          return value === 0
            ? null
            : { kind: 'score', source: 'script', value, confidence: 1, horizonMs: view.intervalMs };
        },
      }),
    ],
    pooling: single(),
    sizer: fixedUnits(1),
    ...changes,
  };
}

export function definitionOf(
  parts: DeskParts,
  instruments: readonly Instrument[] = [BTC],
  changes: Partial<PortfolioDefinition> = {},
): PortfolioDefinition {
  const desk: DeskSetup = {
    name: 'desk',
    configuration: 'default',
    parts,
    instruments,
    intervalMs: BAR_MS,
    otherMs: [],
  };
  const {
    instrumentOf: _,
    seed: __,
    ...shadowVenue
  } = venueOptions({ instrumentOf: instrumentFor, seed: 'x' });
  return {
    name: 'life',
    base: currency('USDT'),
    baseMinorScale: BTC.minorScale,
    cash: 1_000_000 * 10 ** BTC.minorScale,
    desks: [desk],
    feedMs: () => BAR_MS,
    breaker: null,
    platform: null,
    running: true,
    feeRate: 0,
    shadowVenue,
    trace: NO_TRACE,
    ...changes,
  };
}

/** An engine driven by hand: bars in, commands out, and a venue that says what the test tells it to. */
export class Life {
  readonly engine: Engine;
  at = START;
  readonly sent: Command[] = [];
  private fills = 0;

  constructor(definition: PortfolioDefinition) {
    this.engine = new Engine(definition);
  }

  step(event: Event): readonly Command[] {
    const commands = this.engine.step(event);
    this.sent.push(...commands);
    return commands;
  }

  /** One bar of each instrument closes, five minutes after the last one. */
  bars(closes: Readonly<Record<string, number>>): Command[] {
    const time = this.at;
    this.at += BAR_MS;
    return Object.entries(closes).flatMap(([instrument, close]) => [...this.bar(instrument, close, time)]);
  }

  bar(instrument: string, close: number, time: number, intervalMs = BAR_MS): readonly Command[] {
    return this.step({
      kind: 'bar-closed',
      at: Math.max(this.at, time + intervalMs),
      eventTime: time + intervalMs,
      instrument: instrument as InstrumentId,
      intervalMs,
      bar: { time, open: close, high: close, low: close, close, volume: 1000 },
    });
  }

  accept(order: OrderRequest): readonly Command[] {
    const { at } = this;
    return this.step({
      kind: 'order-accepted',
      at,
      eventTime: at,
      clientId: order.clientId,
      venueOrderId: 'v',
    });
  }

  reject(order: OrderRequest, reason = 'margin'): readonly Command[] {
    const { at } = this;
    return this.step({ kind: 'order-rejected', at, eventTime: at, clientId: order.clientId, reason });
  }

  fill(order: OrderRequest, price: number, lots = order.lots): readonly Command[] {
    const { at } = this;
    this.fills += 1;
    const { tick } = this.engine.instrumentOf(order.instrument);
    return this.step({
      kind: 'order-filled',
      at,
      eventTime: at,
      fill: {
        fillId: `fill-${this.fills}`,
        clientId: order.clientId,
        instrument: order.instrument,
        side: order.side,
        lots,
        ticks: Math.round((price * 10 ** tick.scale) / tick.units),
        fee: 0,
        liquidity: 'taker',
      },
    });
  }

  unasked(changes: Partial<Extract<VenueReport, { kind: 'unasked-fill' }>['fill']>): readonly Command[] {
    const { at } = this;
    this.fills += 1;
    const book = this.engine.desks[0]!.instruments[0]!.book;
    return this.step({
      kind: 'unasked-fill',
      at,
      eventTime: at,
      book,
      cause: 'manual',
      fill: {
        fillId: `fill-${this.fills}`,
        clientId: `manual-${this.fills}` as ClientOrderId,
        instrument: BTC.id,
        side: 'buy',
        lots: 10,
        ticks: 1_000_000,
        fee: 0,
        liquidity: 'taker',
        ...changes,
      },
    });
  }

  operator(act: Extract<Event, { kind: 'operator-acted' }>['act']): readonly Command[] {
    const { at } = this;
    return this.step({ kind: 'operator-acted', at, eventTime: at, by: 'test', reason: 'a test', act });
  }
}

export const ordersIn = (commands: readonly Command[]): OrderRequest[] =>
  commands.flatMap((c) => (c.kind === 'submit-order' ? [c.order] : []));
export const exitsIn = (commands: readonly Command[]): OrderRequest[] =>
  ordersIn(commands).filter((o) => o.reason.startsWith('exit:'));
