import {
  type AlphaVantageNews,
  articleText,
  type CallLedger,
  type NewsFetch,
  type SentimentScorer,
} from '#adapters';
import { formatInstant, type Instant, MINUTE } from '#base';
import { NEWS_ARTICLES_MOST, newsObservationText, type ScoredArticle } from '#signals';
import { callsPlanned, type NewsConfiguration } from './news-configuration.ts';

/** What a round has to say of an asset. */
export type NewsWord =
  /** Scored news: the text of an observation. */
  | { readonly word: 'news'; readonly asset: string; readonly value: string; readonly articles: number }
  /** No news: why, and when it is tried again. Nothing is published. */
  | { readonly word: 'missing'; readonly asset: string; readonly reason: string; readonly again: Instant };

export interface NewsRoundOptions {
  readonly news: NewsConfiguration;
  readonly source: Pick<AlphaVantageNews, 'fetch'>;
  readonly ledger: CallLedger;
  readonly scorer: SentimentScorer;
  readonly now: () => Instant;
  readonly onWord: (word: NewsWord) => void;
}

/** After a failed call, where there are calls to spare. */
const RETRY_MS = 15 * MINUTE;
/** After a call that never left the machine, which costs nothing. */
const OFFLINE_MS = 5 * MINUTE;

/** Which asset is due when, and what was found. Everything that must survive a restart stands in the ledger. */
export class NewsRound {
  private readonly options: NewsRoundOptions;
  private readonly refreshMs: number;
  /** Calls a day beyond the schedule, for second attempts. */
  private readonly spare: number;
  private readonly due = new Map<string, Instant>();
  /** Newest fetch told of each asset. */
  private readonly told = new Map<string, Instant>();
  /** Assets whose next call is a second attempt at one that failed. */
  private readonly retrying = new Set<string>();

  constructor(options: NewsRoundOptions) {
    this.options = options;
    const { news, now } = options;
    this.refreshMs = news.refreshMinutes * MINUTE;
    this.spare = Math.max(0, news.callsPerDay - callsPlanned(news));
    const at = now();
    for (const asset of news.assets) this.due.set(asset, this.firstDue(asset, at));
  }

  /** When an asset is due next. */
  nextDue(): Instant {
    return Math.min(...this.due.values());
  }

  /** Tells what is kept from before, so that a portfolio need not wait for the next fetch. Stale news are told too: as such. */
  tellKept(): void {
    for (const asset of this.options.news.assets) this.tellLatest(asset);
  }

  /** Fetches and scores every asset that is due. Rejects only when `signal` is aborted. */
  async play(signal?: AbortSignal): Promise<void> {
    for (const asset of this.options.news.assets) {
      if (this.due.get(asset)! > this.options.now()) continue;
      signal?.throwIfAborted();
      await this.refresh(asset, signal);
    }
  }

  /** An asset that another process has fetched meanwhile is not fetched again. */
  private async refresh(asset: string, signal: AbortSignal | undefined): Promise<void> {
    const { ledger, source, scorer, now } = this.options;
    const kept = ledger.latest(asset, scorer.name);
    if (
      kept !== null &&
      kept.fetchedAt > (this.told.get(asset) ?? 0) &&
      now() - kept.fetchedAt < this.refreshMs
    ) {
      this.tellLatest(asset);
      this.due.set(asset, kept.fetchedAt + this.refreshMs);
      return;
    }
    const fetched = await source.fetch(asset, this.retrying.has(asset), signal);
    if (fetched.is === 'news') return this.take(asset, fetched);
    if (fetched.is === 'waits') {
      const reason =
        fetched.why === 'spent' ? 'the calls of the day are spent' : 'another process is fetching them';
      return this.missing(asset, reason, fetched.from);
    }
    this.missing(asset, `${fetched.why}: ${fetched.reason}`, this.againAt(asset, fetched));
  }

  private async take(
    asset: string,
    { fetchedAt, articles }: Extract<NewsFetch, { is: 'news' }>,
  ): Promise<void> {
    const { ledger, scorer } = this.options;
    const newest = articles.slice(0, NEWS_ARTICLES_MOST);
    let scores: number[];
    try {
      scores = await scorer.score(newest.map(({ title, summary }) => articleText(title, summary)));
    } catch (cause) {
      // the call is spent: the next regular one tries again
      return this.missing(asset, `not scored: ${firstLine(cause)}`, fetchedAt + this.refreshMs);
    }
    const scored = newest.map(({ publishedAt }, i): ScoredArticle => [scores[i]!, publishedAt]);
    const value = newsObservationText({ fetchedAt, scorer: scorer.name, articles: scored });
    ledger.keep(asset, scorer.name, { fetchedAt, value });
    this.retrying.delete(asset);
    this.due.set(asset, fetchedAt + this.refreshMs);
    this.tellLatest(asset);
  }

  private tellLatest(asset: string): void {
    const { ledger, scorer, onWord } = this.options;
    const kept = ledger.latest(asset, scorer.name);
    if (kept === null || kept.fetchedAt <= (this.told.get(asset) ?? 0)) return;
    this.told.set(asset, kept.fetchedAt);
    const articles = (JSON.parse(kept.value) as { articles: unknown[] }).articles.length;
    onWord({ word: 'news', asset, value: kept.value, articles });
  }

  private missing(asset: string, reason: string, again: Instant): void {
    this.due.set(asset, again);
    this.options.onWord({ word: 'missing', asset, reason, again });
  }

  private againAt(asset: string, { why, isCounted }: Extract<NewsFetch, { is: 'failed' }>): Instant {
    const at = this.options.now();
    if (!isCounted) return at + OFFLINE_MS;
    this.retrying.delete(asset);
    // who has no calls left, or asks wrongly, is not helped by asking again soon
    const isHopeless = why === 'limit' || why === 'denied';
    return at + (isHopeless ? this.refreshMs : this.retryMs(asset, at));
  }

  /** A second attempt soon where a call is to spare for it, else the next regular one. */
  private retryMs(asset: string, at: Instant): number {
    if (this.options.ledger.spent(at).retries >= this.spare) return this.refreshMs;
    this.retrying.add(asset);
    return Math.min(RETRY_MS, this.refreshMs);
  }

  private firstDue(asset: string, at: Instant): Instant {
    const { ledger, scorer } = this.options;
    const kept = ledger.latest(asset, scorer.name);
    const called = ledger.lastCall(asset);
    const fetchedAt = kept?.fetchedAt ?? Number.NEGATIVE_INFINITY;
    // times that lie ahead are of a clock that was put back
    if (fetchedAt > at || (called ?? 0) > at) return at;
    // a call that came to nothing, in this process's earlier life too: else one that dies of its news spends the day at once
    if (called !== null && called > fetchedAt) return called + this.retryMs(asset, at);
    return kept === null ? at : fetchedAt + this.refreshMs;
  }
}

const firstLine = (cause: unknown): string => String((cause as Error).message).split('\n')[0]!;

/** One line about a word, for people and logs. No text of an article is ever in it. */
export function newsLine(word: NewsWord): string {
  if (word.word === 'news') return `news of ${word.asset}: ${word.articles} articles scored`;
  return `no news of ${word.asset}: ${word.reason}; again at ${formatInstant(word.again)}`;
}
