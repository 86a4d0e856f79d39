import { type Source, source } from '../source.ts';
import { newsSubject } from './news-observation.ts';
import { sentimentScore } from './sentiment-score.ts';
import { type KillDirections, sentimentVerdict } from './sentiment-verdict.ts';

export const NEWS_SENTIMENT_SOURCE = 'news';

/**
 * The news gate as a source: S of an asset, with what follows from it. It always speaks once it is part of a desk: news that
 * are absent, old or unreadable stop entries. A desk without news leaves it out.
 */
export function newsSentiment(config: {
  readonly asset: string;
  readonly directions: KillDirections;
  readonly horizonMs: number;
}): Source {
  const subject = newsSubject(config.asset);
  return source({
    name: NEWS_SENTIMENT_SOURCE,
    emits: 'score',
    features: {},
    signal: (view) => {
      const sentiment = sentimentScore(view.observation(subject)?.value, view.at);
      const { stopsLong, stopsShort, halvesStops, reason } = sentimentVerdict(sentiment, config.directions);
      const { score, articles, flag, scorer } = sentiment;
      return {
        kind: 'score',
        source: NEWS_SENTIMENT_SOURCE,
        value: score,
        horizonMs: config.horizonMs,
        detail: { stopsLong, stopsShort, halvesStops, reason, articles, flag, scorer },
      };
    },
  });
}
