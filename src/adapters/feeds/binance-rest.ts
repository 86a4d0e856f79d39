import { Chance, type Instant, MINUTE, SECOND } from '#base';
import type { Bar, Instrument } from '#market';
import {
  instrumentOfSymbol,
  isExchangeInfo,
  isFunding,
  isKlines,
  isPremium,
  isTime,
} from './binance-shapes.ts';
import { backoffMs, type FeedClock, systemClock, UnreachableError, VenueRefusal } from './feed-clock.ts';
import { assertVenueUrlAllowed } from './venue-guard.ts';

export interface BinanceRestOptions {
  /** Default `https://fapi.binance.com`. */
  baseUrl?: string;
  clock?: FeedClock;
  /** For jitter. */
  chance?: Chance;
  timeoutMs?: number;
  /** Attempts after the first. */
  retriesMax?: number;
  backoffBaseMs?: number;
  backoffMostMs?: number;
  /** Request weight per minute and IP; refreshed from exchangeInfo. */
  weightPerMinute?: number;
  /** Longest Retry-After that is waited for. */
  retryAfterMostMs?: number;
  /** Live trading is armed: allows hosts that can trade. */
  armed?: boolean;
}

/** A bar row of klines with its close time. `closeTime` is the last millisecond of the bar. */
export interface Kline extends Bar {
  readonly closeTime: Instant;
}

export interface FundingRecord {
  readonly symbol: string;
  readonly time: Instant;
  readonly rate: number;
  readonly mark: number | null;
}

export const KLINES_MOST = 1500;
/** Share of the weight budget that is used before waiting for the next minute. */
const WEIGHT_SHARE = 0.9;

/** Weight of a klines call by its limit. */
export function klinesWeight(limit: number): number {
  if (limit < 100) return 1;
  if (limit < 500) return 2;
  return limit <= 1000 ? 5 : 10;
}

/**
 * Public market data of Binance USD-M futures over REST. Keeps within the request weight the venue reports, honours
 * Retry-After on 429 and 418, retries timeouts, network failures and 5xx with exponential back-off and jitter, and refuses
 * answers of the wrong shape. Throws UnreachableError when retries are used up, VenueRefusal on any other 4xx.
 */
export class BinanceUsdmRest {
  readonly baseUrl: string;
  private readonly clock: FeedClock;
  private readonly chance: Chance;
  private readonly timeoutMs: number;
  private readonly retriesMax: number;
  private readonly backoffBaseMs: number;
  private readonly backoffMostMs: number;
  private readonly retryAfterMostMs: number;
  private readonly armed: boolean;
  private weightPerMinute: number;
  private usedWeight = 0;
  private weightMinute = -1;
  /** Nothing is sent before this instant: the venue asked for it. */
  private quietUntil: Instant = 0;
  /** Server clock minus ours in ms, at most; 0 until {@link syncTime}. */
  skewMs = 0;
  requests = 0;
  retries = 0;

  constructor(options: BinanceRestOptions = {}) {
    this.baseUrl = (options.baseUrl ?? 'https://fapi.binance.com').replace(/\/+$/, '');
    this.clock = options.clock ?? systemClock;
    this.chance = options.chance ?? new Chance('binance-rest');
    this.timeoutMs = options.timeoutMs ?? 10 * SECOND;
    this.retriesMax = options.retriesMax ?? 6;
    this.backoffBaseMs = options.backoffBaseMs ?? 500;
    this.backoffMostMs = options.backoffMostMs ?? 30 * SECOND;
    this.retryAfterMostMs = options.retryAfterMostMs ?? 5 * MINUTE;
    this.weightPerMinute = options.weightPerMinute ?? 2400;
    this.armed = options.armed ?? false;
    assertVenueUrlAllowed(this.baseUrl, { armed: this.armed });
  }

  /** The venue's clock, as far as it is known. */
  serverNow(): Instant {
    return this.clock.now() + this.skewMs;
  }

  async syncTime(signal?: AbortSignal): Promise<Instant> {
    const body = await this.get('/fapi/v1/time', {}, 1, isTime, signal);
    // the answer was written before it arrived: this never runs ahead of the venue, so no open bar passes for a closed one
    this.skewMs = Math.floor(body.serverTime - this.clock.now());
    return body.serverTime;
  }

  /** One call of klines, ascending; the open bar, when there is one, is the last row. */
  async klines(
    symbol: string,
    interval: string,
    range: { start?: Instant; end?: Instant; limit?: number } = {},
    signal?: AbortSignal,
  ): Promise<Kline[]> {
    const limit = Math.min(range.limit ?? KLINES_MOST, KLINES_MOST);
    const rows = await this.get(
      '/fapi/v1/klines',
      { symbol, interval, startTime: range.start, endTime: range.end, limit },
      klinesWeight(limit),
      isKlines,
      signal,
    );
    return rows.map((row) => ({
      time: Number(row[0]),
      open: Number(row[1]),
      high: Number(row[2]),
      low: Number(row[3]),
      close: Number(row[4]),
      volume: Number(row[5]),
      closeTime: Number(row[6]),
    }));
  }

  /** All closed bars that open in [from, to), page after page. The open bar is never among them. */
  async *klinePages(
    symbol: string,
    interval: string,
    from: Instant,
    to: Instant,
    signal?: AbortSignal,
    limit = KLINES_MOST,
  ): AsyncGenerator<Kline[]> {
    let start = from;
    while (start < to) {
      const rows = await this.klines(symbol, interval, { start, end: to - 1, limit }, signal);
      const closed = rows.filter(
        (row) => row.time >= start && row.time < to && row.closeTime < this.serverNow(),
      );
      if (closed.length > 0) yield closed;
      if (rows.length < limit || closed.length === 0) return;
      start = closed.at(-1)!.closeTime + 1;
    }
  }

  /** Settled funding rates in [from, to], ascending. */
  async fundingRates(
    symbol: string,
    from: Instant,
    to: Instant,
    signal?: AbortSignal,
  ): Promise<FundingRecord[]> {
    const out: FundingRecord[] = [];
    let start = from;
    for (;;) {
      const query = { symbol, startTime: start, endTime: to, limit: 1000 };
      const rows = await this.get('/fapi/v1/fundingRate', query, 1, isFunding, signal);
      for (const row of rows) {
        const mark = Number(row.markPrice ?? '');
        out.push({
          symbol: row.symbol,
          time: row.fundingTime,
          rate: Number(row.fundingRate),
          mark: mark > 0 ? mark : null,
        });
      }
      if (rows.length < 1000) return out;
      start = rows.at(-1)!.fundingTime + 1;
    }
  }

  /** Mark, index and the funding rate that is building up. */
  async premiumIndex(symbol: string, signal?: AbortSignal) {
    const body = await this.get('/fapi/v1/premiumIndex', { symbol }, 1, isPremium, signal);
    return {
      mark: Number(body.markPrice),
      index: Number(body.indexPrice),
      fundingRate: Number(body.lastFundingRate),
      nextFundingTime: body.nextFundingTime,
      time: body.time,
    };
  }

  /** Trading perpetuals with the venue's own grids; known margin tiers and fees are kept. Also reads the weight limit. */
  async instruments(signal?: AbortSignal): Promise<Instrument[]> {
    const body = await this.get('/fapi/v1/exchangeInfo', {}, 1, isExchangeInfo, signal);
    for (const limit of body.rateLimits ?? []) {
      if (limit.rateLimitType === 'REQUEST_WEIGHT' && limit.interval === 'MINUTE' && limit.limit > 0) {
        this.weightPerMinute = limit.limit / (limit.intervalNum || 1);
      }
    }
    return body.symbols
      .filter((symbol) => symbol.contractType === 'PERPETUAL' && symbol.status === 'TRADING')
      .map(instrumentOfSymbol)
      .filter((instrument) => instrument !== null);
  }

  private async get<T>(
    path: string,
    query: Record<string, string | number | undefined>,
    weight: number,
    check: (body: unknown) => body is T,
    signal?: AbortSignal,
  ): Promise<T> {
    const url = new URL(this.baseUrl + path);
    for (const [name, value] of Object.entries(query))
      if (value !== undefined) url.searchParams.set(name, String(value));
    assertVenueUrlAllowed(url, { armed: this.armed });
    let last = '';
    for (let attempt = 0; attempt <= this.retriesMax; attempt++) {
      await this.stayWithinLimits(weight, signal);
      const outcome = await this.attempt(url, check, signal);
      if ('body' in outcome) return outcome.body;
      last = outcome.failure;
      this.retries += 1;
      if (attempt === this.retriesMax) break;
      const pause = backoffMs(attempt, this.backoffBaseMs, this.backoffMostMs, this.chance.uniform());
      if (outcome.retryAfterMs > this.retryAfterMostMs) {
        last += `; it asks to stay away for ${Math.ceil(outcome.retryAfterMs / SECOND)} s`;
        break;
      }
      if (outcome.retryAfterMs > 0) this.quietUntil = this.clock.now() + outcome.retryAfterMs;
      else await this.clock.wait(pause, signal);
    }
    throw new UnreachableError(`${url.origin}${url.pathname}: ${last}`);
  }

  private async stayWithinLimits(weight: number, signal?: AbortSignal): Promise<void> {
    for (;;) {
      const now = this.clock.now();
      if (now < this.quietUntil) {
        await this.clock.wait(this.quietUntil - now, signal);
        continue;
      }
      const minute = Math.floor(this.serverNow() / MINUTE);
      if (minute !== this.weightMinute) {
        this.weightMinute = minute;
        this.usedWeight = 0;
      }
      if (this.usedWeight + weight <= this.weightPerMinute * WEIGHT_SHARE || this.usedWeight === 0) break;
      await this.clock.wait((minute + 1) * MINUTE - this.serverNow() + 50, signal);
    }
    this.usedWeight += weight;
  }

  private async attempt<T>(
    url: URL,
    check: (body: unknown) => body is T,
    signal?: AbortSignal,
  ): Promise<{ body: T } | { failure: string; retryAfterMs: number }> {
    const timeout = new AbortController();
    const cancel = this.clock.later(this.timeoutMs, () =>
      timeout.abort(new Error(`no answer in ${this.timeoutMs} ms`)),
    );
    this.requests += 1;
    try {
      const both = signal === undefined ? timeout.signal : AbortSignal.any([signal, timeout.signal]);
      const response = await fetch(url, { signal: both, redirect: 'error' });
      const used = Number(response.headers.get('x-mbx-used-weight-1m') ?? Number.NaN);
      if (used >= 0) this.usedWeight = used;
      const text = await response.text();
      if (response.status === 429 || response.status === 418) {
        const seconds = Number(response.headers.get('retry-after') ?? Number.NaN);
        return {
          failure: `HTTP ${response.status}`,
          retryAfterMs: seconds >= 0 ? Math.max(1, seconds * SECOND) : 0,
        };
      }
      if (response.status >= 500 || response.status === 408)
        return { failure: `HTTP ${response.status}`, retryAfterMs: 0 };
      const body = parsed(text);
      if (!response.ok) throw refusal(url, response.status, body, text);
      if (body === undefined || !check(body))
        return { failure: 'an answer of the wrong shape', retryAfterMs: 0 };
      return { body };
    } catch (cause) {
      if (cause instanceof VenueRefusal) throw cause;
      if (signal?.aborted) throw signal.reason;
      return { failure: reasonOf(cause), retryAfterMs: 0 };
    } finally {
      cancel();
    }
  }
}

function reasonOf(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  const inner = cause.cause;
  return inner instanceof Error ? ((inner as { code?: string }).code ?? inner.message) : cause.message;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function refusal(url: URL, status: number, body: unknown, text: string): VenueRefusal {
  const { code, msg } = (body ?? {}) as { code?: number; msg?: string };
  return new VenueRefusal(
    `${url.pathname}: ${msg ?? text.slice(0, 200)} (HTTP ${status})`,
    status,
    code ?? null,
  );
}
