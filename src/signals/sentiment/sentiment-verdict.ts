import type { Sentiment } from './sentiment-score.ts';

/** Which entries bad news stop. */
export type KillDirections = 'all' | 'long';

/** At or below this score entries are stopped. */
export const SENTIMENT_KILL = -0.3;
/** At or below this score open positions get half their stop distance. */
export const SENTIMENT_TIGHTEN = -0.6;

/** A mean of scores that are all at a threshold may miss it by its last digit; it is not let off for that. */
const DUST = 1e-12;

/** What follows from a sentiment. It can only stop entries and bring stops nearer. */
export interface SentimentVerdict {
  readonly stopsLong: boolean;
  readonly stopsShort: boolean;
  readonly halvesStops: boolean;
  /** One line for a trace. */
  readonly reason: string;
}

/**
 * The kill switch of the news gate (sheet S1 RX68, section 3): S <= -0.30 stops entries in both directions, or in one when
 * `directions` says so; S <= -0.60 also halves the stop distance of open positions. Where nothing usable is known, every
 * entry is stopped whatever `directions` says.
 */
export function sentimentVerdict(sentiment: Sentiment, directions: KillDirections = 'all'): SentimentVerdict {
  const { score, stale, flag, articles, scorer } = sentiment;
  if (stale) return { stopsLong: true, stopsShort: true, halvesStops: false, reason: `news ${flag}` };
  const kills = score <= SENTIMENT_KILL + DUST;
  const by = scorer === 'lexicon' ? ' (lexicon)' : '';
  const note = flag === null ? '' : `, ${flag}`;
  return {
    stopsLong: kills,
    stopsShort: kills && directions === 'all',
    halvesStops: score <= SENTIMENT_TIGHTEN + DUST,
    reason: `news ${score.toFixed(4)} of ${articles} articles${by}${note}`,
  };
}
