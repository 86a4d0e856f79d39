import type { Instant } from '#base';
import type { Bar } from '#market';

/** A kline message: the bar as it stands, and whether it is closed. */
export interface KlineMessage {
  readonly symbol: string;
  readonly interval: string;
  readonly bar: Bar;
  readonly closed: boolean;
}

export interface MarkMessage {
  readonly symbol: string;
  readonly eventTime: Instant;
  readonly mark: number;
  readonly index: number | null;
  /** The funding rate that is building up and when it settles; null for contracts without funding. */
  readonly funding: { readonly rate: number; readonly settles: Instant } | null;
}

export interface QuoteMessage {
  readonly symbol: string;
  readonly eventTime: Instant;
  readonly bid: number;
  readonly bidSize: number;
  readonly ask: number;
  readonly askSize: number;
}

export type StreamMessage =
  | ({ readonly kind: 'kline' } & KlineMessage)
  | ({ readonly kind: 'mark' } & MarkMessage)
  | ({ readonly kind: 'quote' } & QuoteMessage)
  | { readonly kind: 'acknowledged' }
  | { readonly kind: 'refused'; readonly error: string };

/** Reads a message of the market streams, raw or wrapped as `{stream, data}`. Null when its shape is not known. */
export function readStreamMessage(message: unknown): StreamMessage | null {
  if (message === null || typeof message !== 'object') return null;
  const outer = message as Record<string, unknown>;
  const body = (outer.e === undefined ? (outer.data ?? outer) : outer) as Record<string, unknown>;
  if (typeof body !== 'object' || body === null) return null;
  switch (body.e) {
    case 'kline':
      return readKline(body);
    case 'markPriceUpdate':
      return readMark(body);
    case 'bookTicker':
      return readQuote(body);
    default:
      if ('error' in body) return { kind: 'refused', error: JSON.stringify(body.error) };
      return 'result' in body ? { kind: 'acknowledged' } : null;
  }
}

function readKline(body: Record<string, unknown>): StreamMessage | null {
  const k = body.k as Record<string, unknown> | null | undefined;
  if (typeof k !== 'object' || k === null) return null;
  const bar = {
    time: Number(k.t),
    open: decimal(k.o),
    high: decimal(k.h),
    low: decimal(k.l),
    close: decimal(k.c),
    volume: decimal(k.v),
  };
  if (!Number.isSafeInteger(bar.time) || !Number.isFinite(bar.open)) return null;
  return { kind: 'kline', symbol: String(body.s), interval: String(k.i), bar, closed: k.x === true };
}

function readMark(body: Record<string, unknown>): StreamMessage | null {
  const mark = decimal(body.p);
  const index = decimal(body.i);
  const eventTime = Number(body.E);
  if (!(mark > 0) || !Number.isSafeInteger(eventTime)) return null;
  const settles = Number(body.T);
  const rate = decimal(body.r);
  const funding =
    Number.isSafeInteger(settles) && settles > 0 && Number.isFinite(rate) ? { rate, settles } : null;
  return { kind: 'mark', symbol: String(body.s), eventTime, mark, index: index > 0 ? index : null, funding };
}

function readQuote(body: Record<string, unknown>): StreamMessage | null {
  const bid = decimal(body.b);
  const bidSize = decimal(body.B);
  const ask = decimal(body.a);
  const askSize = decimal(body.A);
  const eventTime = Number(body.T ?? body.E);
  const sound = bid > 0 && ask >= bid && bidSize >= 0 && askSize >= 0 && Number.isSafeInteger(eventTime);
  return sound ? { kind: 'quote', symbol: String(body.s), eventTime, bid, bidSize, ask, askSize } : null;
}

function decimal(value: unknown): number {
  return typeof value === 'string' && value !== '' ? Number(value) : Number.NaN;
}
