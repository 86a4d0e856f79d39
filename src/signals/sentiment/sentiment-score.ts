import { HOUR, type Instant } from '#base';
import { readNewsObservation, type ScoredArticle, type SentimentScorerName } from './news-observation.ts';

/** How articles are weighed. */
export interface SentimentRules {
  /** Age at which an article counts half. */
  readonly halfLifeMs: number;
  /** Older articles are not counted; one of exactly this age still is. */
  readonly oldestMs: number;
  /** Only so many of the newest are counted. */
  readonly newest: number;
  /** With fewer the score is 0, and flagged. */
  readonly fewest: number;
  /** A newest fetch older than this says nothing any more. */
  readonly staleMs: number;
}

export const SENTIMENT_RULES: SentimentRules = Object.freeze({
  halfLifeMs: 12 * HOUR,
  oldestMs: 72 * HOUR,
  newest: 30,
  fewest: 5,
  staleMs: 6 * HOUR,
});

/**
 * Why a score is not a plain mean of articles. `few-articles` is harmless; with each of the others nothing is known:
 * `absent` no fetch has been published, `stale` the newest is too old, `malformed` it cannot be read, `future` it claims to be
 * from later than now.
 */
export type SentimentFlag = 'few-articles' | 'absent' | 'stale' | 'malformed' | 'future';

/** What the news of an asset say at one instant. */
export interface Sentiment {
  /** S, -1 (bad news) .. 1; 0 where the flag says that there is none. */
  readonly score: number;
  /** Articles that were counted. */
  readonly articles: number;
  readonly flag: SentimentFlag | null;
  /** Nothing usable is known: a configured gate fails closed. */
  readonly stale: boolean;
  /** Null when that is unknown. */
  readonly scorer: SentimentScorerName | null;
  readonly fetchedAt: Instant | null;
}

function unknown(
  flag: SentimentFlag,
  scorer: SentimentScorerName | null = null,
  fetchedAt: Instant | null = null,
) {
  return { score: 0, articles: 0, flag, stale: true, scorer, fetchedAt } satisfies Sentiment;
}

/**
 * The sentiment of an asset at `at` from the newest observation of its news, or null when there has been none. S is the mean of
 * the newest 30 article scores not older than 72 h, weighted by 0.5^(age / 12 h) (sheet S1 RX68, section 3). Fails closed: text
 * that cannot be read, a fetch older than 6 h or one from the future give `stale`, never a guess. The order of the articles does
 * not matter; of articles published at the same instant the worse count first.
 */
export function sentimentScore(
  text: unknown,
  at: Instant,
  rules: SentimentRules = SENTIMENT_RULES,
): Sentiment {
  if (text === null || text === undefined) return unknown('absent');
  const news = readNewsObservation(text);
  if (news === null) return unknown('malformed');
  const { fetchedAt, scorer } = news;
  if (fetchedAt > at) return unknown('future', scorer, fetchedAt);
  if (at - fetchedAt > rules.staleMs) return unknown('stale', scorer, fetchedAt);
  const counted = news.articles
    .filter(([, publishedAt]) => at - publishedAt <= rules.oldestMs)
    .sort(([a, seen], [b, before]) => before - seen || a - b)
    .slice(0, rules.newest);
  const articles = counted.length;
  if (articles < rules.fewest)
    return { score: 0, articles, flag: 'few-articles', stale: false, scorer, fetchedAt };
  return {
    score: weightedMean(counted, at, rules.halfLifeMs),
    articles,
    flag: null,
    stale: false,
    scorer,
    fetchedAt,
  };
}

function weightedMean(articles: readonly ScoredArticle[], at: Instant, halfLifeMs: number): number {
  let weights = 0;
  let sum = 0;
  for (const [score, publishedAt] of articles) {
    const weight = 0.5 ** ((at - publishedAt) / halfLifeMs);
    weights += weight;
    sum += weight * score;
  }
  // the last digit of a quotient may lie beyond the scores that made it
  return Math.min(1, Math.max(-1, sum / weights));
}
