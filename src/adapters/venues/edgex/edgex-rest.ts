import type { z } from 'zod';
import { Chance, type Instant, SECOND } from '#base';
import {
  backoffMs,
  type FeedClock,
  systemClock,
  UnreachableError,
  VenueRefusal,
} from '../../feeds/feed-clock.ts';
import { assertVenueUrlAllowed } from '../../feeds/venue-guard.ts';
import { directoryOf, type EdgexDirectory } from './contracts.ts';
import { type RequestValue, requestSignature } from './request-signature.ts';
import * as shapes from './shapes.ts';

/** What signs requests. Kept out of every message and log. */
export interface EdgexCredentials {
  readonly accountId: string;
  readonly apiKey: string;
  readonly secret: string;
  readonly passphrase: string;
}

export interface EdgexRestOptions {
  /** Default `https://edgex-prod-v2.edgex.exchange`. */
  baseUrl?: string;
  clock?: FeedClock;
  chance?: Chance;
  timeoutMs?: number;
  /** Attempts after the first, for requests that may be repeated. */
  retriesMax?: number;
  backoffBaseMs?: number;
  backoffMostMs?: number;
  /** The venue publishes no number; integrators assume about this many. */
  requestsPerMinute?: number;
  /** Live trading is armed: allows paths that can trade. */
  armed?: boolean;
}

export const EDGEX_REST_URL = 'https://edgex-prod-v2.edgex.exchange';
const PREFIX = '/api/v2';
export const KLINES_MOST = 1000;
/** Longest Retry-After that is waited for. */
const RETRY_AFTER_MOST_MS = 5 * 60 * SECOND;

/**
 * REST of edgeX V2: public data, and signed requests when credentials are given. Repeats what may be repeated (every GET,
 * never an order) with back-off; a business failure, HTTP 200 with another code, is a {@link VenueRefusal} with that code in its text,
 * an answer that cannot be read an {@link UnreadableAnswer}. Throws UnreachableError when retries are used up.
 */
export class EdgexRest {
  readonly baseUrl: string;
  private readonly clock: FeedClock;
  private readonly chance: Chance;
  private readonly options: Required<
    Pick<EdgexRestOptions, 'timeoutMs' | 'retriesMax' | 'backoffBaseMs' | 'backoffMostMs' | 'armed'>
  >;
  private readonly spacingMs: number;
  private freeAt: Instant = 0;
  /** Server clock minus ours in ms, at most; 0 until {@link syncTime}. */
  skewMs = 0;
  readonly #credentials: EdgexCredentials | null;

  constructor(options: EdgexRestOptions = {}, credentials: EdgexCredentials | null = null) {
    this.baseUrl = (options.baseUrl ?? EDGEX_REST_URL).replace(/\/+$/, '');
    this.clock = options.clock ?? systemClock;
    this.chance = options.chance ?? new Chance('edgex-rest');
    this.options = {
      timeoutMs: options.timeoutMs ?? 10 * SECOND,
      retriesMax: options.retriesMax ?? 5,
      backoffBaseMs: options.backoffBaseMs ?? 500,
      backoffMostMs: options.backoffMostMs ?? 30 * SECOND,
      armed: options.armed ?? false,
    };
    this.spacingMs = (60 * SECOND) / (options.requestsPerMinute ?? 60);
    this.#credentials = credentials;
    assertVenueUrlAllowed(`${this.baseUrl}${PREFIX}/public/meta/getServerTime`, this.options);
  }

  serverNow(): Instant {
    return this.clock.now() + this.skewMs;
  }

  async syncTime(signal?: AbortSignal): Promise<Instant> {
    const { timeMillis } = await this.get('/public/meta/getServerTime', {}, shapes.serverTime, signal);
    this.skewMs = Math.floor(timeMillis - this.clock.now());
    return timeMillis;
  }

  /** Contracts as they are today, and those that cannot be used. */
  async directory(signal?: AbortSignal): Promise<{ directory: EdgexDirectory; unusable: readonly string[] }> {
    return directoryOf(await this.get('/public/meta/getMetaData', {}, shapes.metadata, signal));
  }

  /** Closed and running bars that open in [from, to), ascending; at most {@link KLINES_MOST} a page, all pages. */
  async klines(
    contractId: string,
    klineType: string,
    from: Instant,
    to: Instant,
    signal?: AbortSignal,
  ): Promise<shapes.Kline[]> {
    const rows: shapes.Kline[] = [];
    let offset = '';
    do {
      const found = await this.get(
        '/public/quote/getKline',
        {
          contractId,
          priceType: 'LAST_PRICE',
          klineType,
          size: String(KLINES_MOST),
          offsetData: offset,
          filterBeginKlineTimeInclusive: String(from),
          filterEndKlineTimeExclusive: String(to),
        },
        shapes.page(shapes.kline),
        signal,
      );
      rows.push(...found.dataList);
      offset = found.nextPageOffsetData ?? '';
      if (found.dataList.length === 0) break;
    } while (offset !== '');
    return rows.sort((a, b) => a.klineTime - b.klineTime);
  }

  /** Last, index and oracle price with the funding that is building up; null when the venue shows none. */
  async ticker(contractId: string, signal?: AbortSignal): Promise<shapes.Ticker | null> {
    const found = await this.get('/public/quote/getTicker', { contractId }, shapes.ticker.array(), signal);
    return found[0] ?? null;
  }

  async depth(contractId: string, level: 15 | 200, signal?: AbortSignal): Promise<shapes.Depth | null> {
    const query = { contractId, level: String(level) };
    return (await this.get('/public/quote/getDepth', query, shapes.depth.array(), signal))[0] ?? null;
  }

  /** Settled funding rates in [from, to], ascending. */
  async fundingRates(
    contractId: string,
    from: Instant,
    to: Instant,
    signal?: AbortSignal,
  ): Promise<shapes.FundingRate[]> {
    const rows: shapes.FundingRate[] = [];
    let offset = '';
    do {
      const query = {
        contractId,
        size: '100',
        offsetData: offset,
        filterBeginTimeInclusive: String(from),
        filterEndTimeExclusive: String(to + 1),
        filterSettlementFundingRate: 'true',
      };
      const shape = shapes.page(shapes.fundingRate);
      const found = await this.get('/public/funding/getFundingRatePage', query, shape, signal);
      rows.push(...found.dataList);
      offset = found.nextPageOffsetData ?? '';
      if (found.dataList.length === 0) break;
    } while (offset !== '');
    return rows.sort((a, b) => a.fundingTime - b.fundingTime);
  }

  /** A public or signed GET; empty values are left out of query and signature. */
  async get<T extends z.ZodType>(
    path: string,
    query: Readonly<Record<string, string>>,
    shape: T,
    signal?: AbortSignal,
  ): Promise<z.output<T>> {
    const fields = Object.fromEntries(Object.entries(query).filter(([, value]) => value !== ''));
    return this.request('GET', path, fields, shape, this.options.retriesMax, signal);
  }

  /** A signed POST, sent once: whether a lost answer was an order is for a query to find out. */
  async post<T extends z.ZodType>(
    path: string,
    body: { readonly [key: string]: RequestValue },
    shape: T,
    signal?: AbortSignal,
  ): Promise<z.output<T>> {
    return this.request('POST', path, body, shape, 0, signal);
  }

  private async request<T extends z.ZodType>(
    method: 'GET' | 'POST',
    path: string,
    fields: { readonly [key: string]: RequestValue },
    shape: T,
    retries: number,
    signal: AbortSignal | undefined,
  ): Promise<z.output<T>> {
    const url = new URL(this.baseUrl + PREFIX + path);
    assertVenueUrlAllowed(url, this.options);
    if (method === 'GET')
      for (const [name, value] of Object.entries(fields)) url.searchParams.set(name, String(value));
    let last = '';
    for (let attempt = 0; attempt <= retries; attempt++) {
      await this.keepDistance(signal);
      const outcome = await this.attempt(url, method, fields, signal);
      if ('body' in outcome) return readData(url, outcome.body, shape);
      last = outcome.failure;
      if (attempt === retries) break;
      const { backoffBaseMs, backoffMostMs } = this.options;
      if (outcome.retryAfterMs > RETRY_AFTER_MOST_MS) {
        last += `; it asks to stay away for ${Math.ceil(outcome.retryAfterMs / SECOND)} s`;
        break;
      }
      const pause = backoffMs(attempt, backoffBaseMs, backoffMostMs, this.chance.uniform());
      await this.clock.wait(Math.max(pause, outcome.retryAfterMs), signal);
    }
    throw new UnreachableError(`${url.origin}${url.pathname}: ${last}`);
  }

  /** Requests keep their distance, and wait longer after a 429. */
  private async keepDistance(signal: AbortSignal | undefined): Promise<void> {
    const now = this.clock.now();
    const start = Math.max(now, this.freeAt);
    this.freeAt = start + this.spacingMs;
    // a handful at once is no rush
    if (start - now > 10 * this.spacingMs) await this.clock.wait(start - now, signal);
  }

  private headers(
    method: 'GET' | 'POST',
    url: URL,
    fields: { readonly [key: string]: RequestValue },
  ): Record<string, string> {
    const json: Record<string, string> = method === 'POST' ? { 'content-type': 'application/json' } : {};
    const credentials = this.#credentials;
    if (credentials === null || !url.pathname.includes('/private/')) return json;
    const timestamp = Math.floor(this.serverNow());
    const request = { timestamp, method, path: url.pathname, fields } as const;
    return {
      ...json,
      'X-edgeX-Api-Key': credentials.apiKey,
      'X-edgeX-Passphrase': credentials.passphrase,
      'X-edgeX-Signature': requestSignature(request, credentials.secret),
      'X-edgeX-Timestamp': String(timestamp),
    };
  }

  private async attempt(
    url: URL,
    method: 'GET' | 'POST',
    fields: { readonly [key: string]: RequestValue },
    signal: AbortSignal | undefined,
  ): Promise<{ body: unknown } | { failure: string; retryAfterMs: number }> {
    const timeout = new AbortController();
    const { timeoutMs } = this.options;
    const cancel = this.clock.later(timeoutMs, () =>
      timeout.abort(new Error(`no answer in ${timeoutMs} ms`)),
    );
    try {
      const response = await fetch(url, {
        method,
        headers: this.headers(method, url, fields),
        ...(method === 'POST' ? { body: JSON.stringify(fields) } : {}),
        signal: signal === undefined ? timeout.signal : AbortSignal.any([signal, timeout.signal]),
        redirect: 'error',
      });
      const text = await response.text();
      if (response.status === 429 || response.status >= 500 || response.status === 408) {
        const seconds = Number(response.headers.get('retry-after') ?? 0);
        return { failure: `HTTP ${response.status}`, retryAfterMs: seconds > 0 ? seconds * SECOND : 0 };
      }
      const body = parsed(text);
      if (body === undefined) return { failure: `HTTP ${response.status} without JSON`, retryAfterMs: 0 };
      return { body };
    } catch (cause) {
      if (signal?.aborted) throw signal.reason;
      const { cause: inner, message } = cause as Error;
      return {
        failure: inner instanceof Error ? ((inner as { code?: string }).code ?? inner.message) : message,
        retryAfterMs: 0,
      };
    } finally {
      cancel();
    }
  }
}

/** The venue answered in a form that is not known: whether it did what was asked is not known either. */
export class UnreadableAnswer extends Error {
  override name = 'UnreadableAnswer';
}

/** The data of an answer. Throws VenueRefusal for a business failure, UnreadableAnswer for a wrong shape. */
function readData<T extends z.ZodType>(url: URL, body: unknown, shape: T): z.output<T> {
  const outer = shapes.envelope.safeParse(body);
  if (!outer.success) throw new VenueRefusal(`${url.pathname}: an answer of the wrong shape`, 200, null);
  const { code, msg, data } = outer.data;
  if (code !== 'SUCCESS')
    throw new VenueRefusal(`${url.pathname}: ${code}${msg ? ` (${msg.slice(0, 200)})` : ''}`, 200, null);
  const read = shape.safeParse(data);
  if (read.success) return read.data;
  const issue = read.error.issues[0]!;
  throw new UnreadableAnswer(
    `${url.pathname}: an answer of the wrong shape: ${issue.path.join('.')} ${issue.message}`,
  );
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
