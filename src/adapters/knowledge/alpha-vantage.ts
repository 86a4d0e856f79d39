import { HOUR, InputError, type Instant, SECOND } from '#base';
import { safeReason } from '../alerts/channel.ts';
import { messageUrl, networkReason } from '../alerts/http-post.ts';
import { type FeedClock, systemClock } from '../feeds/feed-clock.ts';
import { type AnswerFault, newsTime, readNewsAnswer } from './alpha-vantage-answer.ts';
import type { CallLedger } from './call-ledger.ts';
import type { NewsArticle } from './news-article.ts';
import { withoutRepeats } from './same-story.ts';

export interface AlphaVantageOptions {
  /** Never logged, and taken out of everything the other side says. */
  readonly key: string;
  readonly ledger: CallLedger;
  /** Default `https://www.alphavantage.co`; plain http to this machine only. */
  readonly baseUrl?: string;
  readonly clock?: FeedClock;
  readonly timeoutMs?: number;
}

/** How an attempt to get news ended. Reasons hold neither the key nor the address. */
export type NewsFetch =
  | {
      readonly is: 'news';
      readonly fetchedAt: Instant;
      /** Newest first, each story once. */
      readonly articles: readonly NewsArticle[];
      /** Entries that were left out because they could not be used. */
      readonly unusable: number;
    }
  /** No call was made: the budget is spent until `from`, or another process is making this call. */
  | { readonly is: 'waits'; readonly why: 'spent' | 'elsewhere'; readonly from: Instant }
  | {
      readonly is: 'failed';
      /** `unreachable`: no whole answer came; the others are those of the answer. */
      readonly why: 'unreachable' | AnswerFault;
      readonly reason: string;
      /** Whether the call counts: one that never left this machine does not. */
      readonly isCounted: boolean;
    };

const ENDPOINT = 'https://www.alphavantage.co';
const TIMEOUT_MS = 20 * SECOND;
/** Articles asked for: enough for the newest thirty when most stories are told many times. */
const LIMIT = 200;
/** Older articles count for nothing. */
const BACK_MS = 72 * HOUR;
const ANSWER_MOST = 8 * 1024 * 1024;
/** Calls that failed with these never left this machine. */
const UNSENT = /^network: (ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ENETUNREACH|EHOSTUNREACH|ENETDOWN)$/;

/** The NEWS_SENTIMENT function of Alpha Vantage, kept within its budget of calls. Only the articles are used, not its scores. */
export class AlphaVantageNews {
  private readonly key: string;
  private readonly ledger: CallLedger;
  private readonly base: URL;
  private readonly clock: FeedClock;
  private readonly timeoutMs: number;

  /** Throws {@link InputError} for a key or an address that cannot be one. */
  constructor({
    key,
    ledger,
    baseUrl = ENDPOINT,
    clock = systemClock,
    timeoutMs = TIMEOUT_MS,
  }: AlphaVantageOptions) {
    if (!/^[A-Za-z0-9_-]{1,128}$/.test(key))
      throw new InputError(
        'the key of Alpha Vantage cannot be one',
        'set its environment variable to the key alone',
      );
    this.key = key;
    this.ledger = ledger;
    this.base = messageUrl(baseUrl, 'Alpha Vantage');
    this.clock = clock;
    this.timeoutMs = timeoutMs;
  }

  /** News about a crypto asset such as `BTC` of the last 72 hours. Rejects only when `signal` is aborted. */
  async fetch(asset: string, isRetry: boolean, signal?: AbortSignal): Promise<NewsFetch> {
    for (;;) {
      const grant = this.ledger.take(asset, this.now(), isRetry);
      if (grant.granted) return this.call(grant.call, asset, signal);
      if (grant.why !== 'too-soon') return { is: 'waits', why: grant.why, from: grant.from };
      await this.clock.wait(Math.max(1, grant.from - this.now()), signal);
    }
  }

  private async call(call: number, asset: string, signal: AbortSignal | undefined): Promise<NewsFetch> {
    const answer = await this.get(asset, signal);
    const wasSent = 'text' in answer || !UNSENT.test(answer.reason);
    this.ledger.over(call, wasSent);
    if (signal?.aborted) throw signal.reason;
    if ('reason' in answer) return this.failed('unreachable', answer.reason, wasSent);
    const fetchedAt = this.now();
    const read = readNewsAnswer(answer.text, fetchedAt);
    if ('fault' in read) return this.failed(read.fault, read.said, true);
    return { is: 'news', fetchedAt, articles: withoutRepeats(read.articles), unusable: read.unusable };
  }

  private async get(
    asset: string,
    signal: AbortSignal | undefined,
  ): Promise<{ readonly text: string } | { readonly reason: string }> {
    const url = new URL(`${this.base.pathname.replace(/\/+$/, '')}/query`, this.base);
    const query = {
      function: 'NEWS_SENTIMENT',
      tickers: `CRYPTO:${asset}`,
      time_from: newsTime(this.now() - BACK_MS),
      sort: 'LATEST',
      limit: String(LIMIT),
      apikey: this.key,
    };
    for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
    const limit = new AbortController();
    const cancel = this.clock.later(this.timeoutMs, () => limit.abort());
    try {
      const both = signal === undefined ? limit.signal : AbortSignal.any([limit.signal, signal]);
      // a redirect would carry the key to whoever is named in it
      const response = await fetch(url, {
        redirect: 'manual',
        signal: both,
        headers: { 'user-agent': 'quorum' },
      });
      const text = await boundedText(response);
      if (response.status !== 200) return { reason: `HTTP ${response.status}` };
      return text === null ? { reason: `an answer of more than ${ANSWER_MOST} bytes` } : { text };
    } catch (cause) {
      return {
        reason: limit.signal.aborted ? `no answer within ${this.timeoutMs} ms` : networkReason(cause),
      };
    } finally {
      cancel();
    }
  }

  private failed(why: 'unreachable' | AnswerFault, said: string, isCounted: boolean): NewsFetch {
    const reason = safeReason(said, [this.key, this.key.toUpperCase(), this.key.toLowerCase()]);
    return { is: 'failed', why, reason, isCounted };
  }

  private now(): Instant {
    return Math.floor(this.clock.now());
  }
}

async function boundedText(response: Response): Promise<string | null> {
  const pieces: Uint8Array[] = [];
  let size = 0;
  for await (const piece of response.body ?? []) {
    pieces.push(piece as Uint8Array);
    size += (piece as Uint8Array).length;
    if (size > ANSWER_MOST) return null;
  }
  return Buffer.concat(pieces).toString('utf8');
}
