import { SimulatedVenue, type SimulatedVenueOptions, type VenueFold, venueOptions } from '#execution';
import type { BookId, ClientOrderId, OrderRequest, VenueReport } from '#ledger';
import {
  type Bar,
  defineInstrument,
  type Instrument,
  type InstrumentId,
  type InstrumentSpec,
  type MarketEvent,
} from '#market';
import type { Leg, Plan } from '#risk';
import { MARKET_ORDER } from './market-order.ts';

export const MIN = 60_000;
/** A perpetual with tick 0.1, whole lots of one coin, no fees and 100x allowed. */
export const PERP = defineInstrument({
  id: 'BTC.SIM',
  kind: 'linear-perpetual',
  quote: 'USDT',
  tick: { units: 1, scale: 1 },
  lot: { units: 1, scale: 0 },
  maxLeverage: 100,
});

export const BOOK = 'p/d/c/BTC.SIM' as BookId;

export function instrument(spec: Partial<InstrumentSpec> = {}): Instrument {
  const { id, symbol, venue, valueNumerator, valueDenominator, ...rest } = PERP;
  return defineInstrument({ ...rest, id, ...spec });
}

export function venue(options: Partial<SimulatedVenueOptions> = {}, of: Instrument = PERP): SimulatedVenue {
  return new SimulatedVenue(venueOptions({ instrumentOf: () => of, latencyMs: 0, ...options }));
}

let named = 0;

/** A market buy of 1 lot unless told otherwise; prices in ticks of 0.1. */
export function order(given: Partial<OrderRequest> & { id?: string } = {}): OrderRequest {
  const { id, ...rest } = given;
  named += 1;
  return {
    clientId: (id ?? `o${named}`) as ClientOrderId,
    book: BOOK,
    instrument: PERP.id,
    side: 'buy',
    lots: 1,
    ...MARKET_ORDER,
    ...rest,
  };
}

export function submit(to: VenueFold, at: number, given: Partial<OrderRequest> & { id?: string } = {}) {
  return to.execute({ kind: 'submit-order', order: order(given) }, at);
}

export function opened(
  time: number,
  open: number,
  intervalMs = MIN,
  id: InstrumentId = PERP.id,
): MarketEvent {
  return { kind: 'bar-opened', at: time, eventTime: time, instrument: id, intervalMs, open };
}

export function closed(bar: Bar, intervalMs = MIN, id: InstrumentId = PERP.id): MarketEvent {
  const at = bar.time + intervalMs;
  return { kind: 'bar-closed', at, eventTime: at, instrument: id, intervalMs, bar };
}

export type Ohlc = readonly [open: number, high: number, low: number, close: number, volume?: number];

export function barOf(time: number, [open, high, low, close, volume]: Ohlc): Bar {
  return { time, open, high, low, close, volume: volume ?? 1000 };
}

/** One whole bar: its opening and its close. */
export function play(
  to: VenueFold,
  time: number,
  ohlc: Ohlc,
  intervalMs = MIN,
  id?: InstrumentId,
): VenueReport[] {
  return [
    ...to.onMarket(opened(time, ohlc[0], intervalMs, id)),
    ...to.onMarket(closed(barOf(time, ohlc), intervalMs, id)),
  ];
}

export function quote(at: number, bid: number, ask: number, bidSize = 100, askSize = 100): MarketEvent {
  return { kind: 'quote-updated', at, eventTime: at, instrument: PERP.id, bid, bidSize, ask, askSize };
}

export function print(at: number, price: number, size: number, taker: 'buy' | 'sell'): MarketEvent {
  return { kind: 'print-seen', at, eventTime: at, instrument: PERP.id, price, size, taker };
}

export function mark(at: number, value: number): MarketEvent {
  return { kind: 'mark-updated', at, eventTime: at, instrument: PERP.id, mark: value, index: null };
}

export function funding(at: number, rate: number, markPrice: number | null = null): MarketEvent {
  return { kind: 'funding-due', at, eventTime: at, instrument: PERP.id, rate, mark: markPrice };
}

/** Fills as `side lots@price liquidity`, prices in units. */
export function fills(reports: readonly VenueReport[]): string[] {
  return reports.flatMap((report) => {
    if (report.kind !== 'order-filled' && report.kind !== 'unasked-fill') return [];
    const { side, lots, ticks, liquidity } = report.fill;
    return [`${side} ${lots}@${ticks / 10} ${liquidity}`];
  });
}

/** What happened, as `kind:id` with the reason where there is one. */
export function story(reports: readonly VenueReport[]): string[] {
  return reports.map((report) => {
    switch (report.kind) {
      case 'order-filled':
        return `filled:${report.fill.clientId}:${report.fill.lots}@${report.fill.ticks / 10}`;
      case 'unasked-fill':
        return `${report.cause}:${report.fill.lots}@${report.fill.ticks / 10}`;
      case 'funding-charged':
        return `funding:${report.amount}`;
      case 'account-reported':
        return 'account';
      case 'order-amended':
        return `amended:${report.clientId}:${report.lots}`;
      default:
        return `${report.kind.replace('order-', '')}:${report.clientId}${'reason' in report ? `:${report.reason}` : ''}`;
    }
  });
}

/** A market leg of 10 lots at 3x unless told otherwise. */
export const leg = (given: Partial<Leg> = {}): Leg => ({
  book: BOOK,
  instrument: PERP.id,
  side: 'buy',
  lots: 10,
  type: 'market',
  limitTicks: null,
  triggerTicks: null,
  timeInForce: 'GTC',
  postOnly: false,
  reduceOnly: false,
  leverage: 3,
  expectedTicks: 1000,
  worstTicks: null,
  protection: null,
  reason: 'entry',
  ...given,
});

/** An entry plan made an hour after the epoch, good for ten minutes. */
export const plan = (legs: readonly Leg[], given: Partial<Plan> = {}): Plan => ({
  id: 'plan',
  desk: 'd',
  at: 60 * MIN,
  purpose: 'entry',
  confidence: 1,
  legs,
  legFailure: 'unwind',
  unhedgedMax: null,
  worstLoss: 0,
  expiresAt: 70 * MIN,
  ...given,
});
