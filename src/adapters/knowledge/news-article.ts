import type { Instant } from '#base';

/** One article as a source of news tells of it. The texts are untrusted and as they came. */
export interface NewsArticle {
  readonly title: string;
  readonly summary: string;
  /** Empty when the source gives none that is one. */
  readonly url: string;
  readonly publishedAt: Instant;
}
