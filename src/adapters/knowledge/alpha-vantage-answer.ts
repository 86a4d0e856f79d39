import type { Instant } from '#base';
import type { NewsArticle } from './news-article.ts';

/** Why an answer brings no news. `limit`: too many calls; `denied`: the call or the key is not accepted; `malformed`: neither. */
export type AnswerFault = 'limit' | 'denied' | 'malformed';

export type NewsAnswer =
  | {
      readonly articles: readonly NewsArticle[];
      /** Entries of the list that could not be used: no time, no title, or from the future. */
      readonly unusable: number;
    }
  | { readonly fault: AnswerFault; readonly said: string };

const FIELD_MOST = 20_000;
const ARTICLES_MOST = 1_000;

/** Time of an article: `20250101T101500` or `20250101T1015`, UTC without a zone. Null for anything else. */
export function parseNewsTime(text: unknown): Instant | null {
  const match = typeof text === 'string' ? /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)?$/.exec(text) : null;
  if (match === null) return null;
  const [, year, month, day, hour, minute, second = '00'] = match;
  const iso = `${year}-${month}-${day}T${hour}:${minute}:${second}.000Z`;
  const at = Date.parse(iso);
  // a 30th of February would pass for a day in March
  return Number.isNaN(at) || new Date(at).toISOString() !== iso ? null : at;
}

/** The `time_from` of a call: minutes, UTC. */
export function newsTime(at: Instant): string {
  return new Date(at).toISOString().replace(/[-:]/g, '').slice(0, 13);
}

/**
 * What NEWS_SENTIMENT answered. Every failure of this interface is an HTTP 200 with a text in `Information`, `Note` or
 * `Error Message` instead of the list; "no articles found" is none. Articles later than `fetchedAt` are left out. A list of
 * which nothing can be used is malformed.
 */
export function readNewsAnswer(text: string, fetchedAt: Instant): NewsAnswer {
  const body = parsed(text);
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    return { fault: 'malformed', said: 'an answer that is not a JSON object' };
  const { feed, items, Note, Information, 'Error Message': wrong } = body as Record<string, unknown>;
  if (Array.isArray(feed)) return readFeed(feed, fetchedAt);
  if (typeof Information === 'string' && /no articles found/i.test(Information))
    return { articles: [], unusable: 0 };
  if (typeof wrong === 'string') return { fault: 'denied', said: wrong };
  if (typeof Note === 'string') return { fault: 'limit', said: Note };
  if (typeof Information === 'string') {
    const isLimit = /rate limit|per day|per second|per minute|spread(ing)? out/i.test(Information);
    return { fault: isLimit ? 'limit' : 'denied', said: Information };
  }
  if (feed === undefined && (items === '0' || items === 0)) return { articles: [], unusable: 0 };
  return { fault: 'malformed', said: 'an answer without a list of articles' };
}

function readFeed(feed: readonly unknown[], fetchedAt: Instant): NewsAnswer {
  const articles: NewsArticle[] = [];
  for (const entry of feed.slice(0, ARTICLES_MOST)) {
    const article = articleOf(entry);
    if (article !== null && article.publishedAt <= fetchedAt) articles.push(article);
  }
  if (articles.length === 0 && feed.length > 0)
    return { fault: 'malformed', said: 'a list of articles of which none can be used' };
  return { articles, unusable: feed.length - articles.length };
}

function articleOf(entry: unknown): NewsArticle | null {
  const { title, summary, url, time_published: time } = (entry ?? {}) as Record<string, unknown>;
  const publishedAt = parseNewsTime(time);
  if (publishedAt === null || typeof title !== 'string' || title.trim() === '') return null;
  return {
    title: title.slice(0, FIELD_MOST),
    summary: typeof summary === 'string' ? summary.slice(0, FIELD_MOST) : '',
    url: typeof url === 'string' ? url.slice(0, 2_000) : '',
    publishedAt,
  };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
