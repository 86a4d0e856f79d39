import type { NewsArticle } from './news-article.ts';

/** Share of words that two titles have in common from which they tell one story. */
const ALIKE = 0.75;
/** Titles with fewer words than this tell one story only when they are equal. */
const WORDS_FEWEST = 4;
const WORDS_MOST = 40;

/** Parameters of addresses that say where a reader came from, not what is read. */
const TRACKING = /^(utm_.*|fbclid|gclid|mc_cid|mc_eid|ref|cmpid|source|src)$/i;

/** An address without what does not decide what is read; null when it is no address of a page. */
export function pageOf(url: string): string | null {
  if (!URL.canParse(url)) return null;
  const { protocol, hostname, pathname, searchParams } = new URL(url);
  if (protocol !== 'https:' && protocol !== 'http:') return null;
  const query = [...searchParams]
    .filter(([name]) => !TRACKING.test(name))
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${name}=${value}`)
    .join('&');
  const path = pathname.replace(/\/+$/, '');
  return `${hostname.replace(/^www\./, '')}${path}${query === '' ? '' : `?${query}`}`;
}

function wordsOf(title: string): ReadonlySet<string> {
  const words = title
    .slice(0, 500)
    .toLowerCase()
    .match(/[\p{L}\p{N}]+/gu);
  return new Set((words ?? []).slice(0, WORDS_MOST));
}

/** Whether two sets of title words are nearly equal (Jaccard index of at least 0.75). */
function areAlike(a: ReadonlySet<string>, b: ReadonlySet<string>): boolean {
  if (a.size === 0 || b.size === 0) return false;
  let common = 0;
  for (const word of a) if (b.has(word)) common += 1;
  const all = a.size + b.size - common;
  return Math.min(a.size, b.size) < WORDS_FEWEST ? common === all : common >= ALIKE * all;
}

/**
 * Articles with each story once: the first that told it, so that repeating a story makes it no fresher. Equal pages are one
 * story, and so are titles that have three quarters of their words in common. Newest first; does not depend on the order given.
 */
export function withoutRepeats(articles: readonly NewsArticle[]): NewsArticle[] {
  const inOrder = [...articles].sort(
    (a, b) => a.publishedAt - b.publishedAt || compare(a.title, b.title) || compare(a.url, b.url),
  );
  const pages = new Set<string>();
  const told: ReadonlySet<string>[] = [];
  const kept = inOrder.filter(({ url, title }) => {
    const page = pageOf(url);
    if (page !== null && pages.has(page)) return false;
    const words = wordsOf(title);
    if (told.some((other) => areAlike(words, other))) return false;
    if (page !== null) pages.add(page);
    told.push(words);
    return true;
  });
  return kept.reverse();
}

const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);
