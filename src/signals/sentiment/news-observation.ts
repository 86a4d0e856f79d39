import type { Instant } from '#base';

/** What scored the articles: the model, or the word list that stands in for it. */
export type SentimentScorerName = 'finbert' | 'lexicon';

/** Score of one article, P(positive) - P(negative) in -1..1, and when it was published. No text: nothing of it can be obeyed. */
export type ScoredArticle = readonly [score: number, publishedAt: Instant];

/** One successful fetch of the news of one asset, as it reaches the loop. */
export interface NewsObservation {
  readonly fetchedAt: Instant;
  readonly scorer: SentimentScorerName;
  /** Newest first by whoever writes it; whoever reads it relies on no order. At most {@link NEWS_ARTICLES_MOST}. */
  readonly articles: readonly ScoredArticle[];
}

/** Articles that one observation may hold. */
export const NEWS_ARTICLES_MOST = 60;
/** Longest text that is looked at; sixty articles with full precision take less than half of it. */
const TEXT_MOST = 8_192;

/** Subject under which the news of an asset are published: `news:BTC`. */
export const newsSubject = (asset: string): string => `news:${asset}`;

/** The text of an observation; {@link readNewsObservation} reads it back. */
export function newsObservationText({ fetchedAt, scorer, articles }: NewsObservation): string {
  return JSON.stringify({ fetchedAt, scorer, articles });
}

const NUMBER = String.raw`-?(?:0|[1-9]\d{0,3})(?:\.\d{1,24})?(?:[eE][-+]?\d{1,3})?`;
const TIME = String.raw`(?:0|[1-9]\d{0,15})`;
const ARTICLE = String.raw`\[${NUMBER},${TIME}\]`;
const MEMBER = String.raw`(?:"fetchedAt":${TIME}|"scorer":"(?:finbert|lexicon)"|"articles":\[(?:${ARTICLE}(?:,${ARTICLE})*)?\])`;
/** Everything that passes is JSON, so that reading it cannot fail. */
const TEXT = new RegExp(`^\\{${MEMBER},${MEMBER},${MEMBER}\\}$`);

/**
 * Reads the text of an observation: exactly the members `fetchedAt`, `scorer` and `articles`, compact JSON, scores in -1..1, no
 * article newer than the fetch. Null for anything else; it never guesses.
 */
export function readNewsObservation(text: unknown): NewsObservation | null {
  if (typeof text !== 'string' || text.length > TEXT_MOST || !TEXT.test(text)) return null;
  const { fetchedAt, scorer, articles } = JSON.parse(text) as Partial<NewsObservation>;
  // three members, none of them twice
  if (fetchedAt === undefined || scorer === undefined || articles === undefined) return null;
  if (!Number.isSafeInteger(fetchedAt) || articles.length > NEWS_ARTICLES_MOST) return null;
  const sound = articles.every(
    ([score, publishedAt]) => score >= -1 && score <= 1 && publishedAt <= fetchedAt,
  );
  return sound ? { fetchedAt, scorer, articles } : null;
}
