import { join } from 'node:path';
import {
  AlphaVantageNews,
  CallLedger,
  FinbertScorer,
  FREE_BUDGET,
  LexiconScorer,
  type SentimentScorer,
  systemClock,
} from '#adapters';
import { MINUTE, SECOND } from '#base';
import { modelFolderOf, newsKey } from './news-companion.ts';
import type { NewsConfiguration } from './news-configuration.ts';
import { NewsRound, type NewsWord } from './news-round.ts';

export interface NewsPlace {
  readonly news: NewsConfiguration;
  readonly dataDir: string;
}

/** Where calls are counted and the newest news kept; one file for all portfolios of a data directory. */
export const newsFile = (dataDir: string): string => join(dataDir, 'news', 'calls.db');

export function openCallLedger({ news, dataDir }: NewsPlace): CallLedger {
  return CallLedger.open(newsFile(dataDir), news.keyEnv, { ...FREE_BUDGET, perDay: news.callsPerDay });
}

export function openScorer({ news, dataDir }: NewsPlace): Promise<SentimentScorer> {
  return news.scorer === 'lexicon'
    ? Promise.resolve(new LexiconScorer())
    : FinbertScorer.open(modelFolderOf(news, dataDir));
}

/** Opens everything that a round needs, hands it the round, and closes it again. Throws InputError for what cannot work. */
export async function withNewsRound<T>(
  place: NewsPlace,
  onWord: (word: NewsWord) => void,
  play: (round: NewsRound, ledger: CallLedger) => Promise<T>,
): Promise<T> {
  const { news } = place;
  const key = newsKey(news);
  const ledger = openCallLedger(place);
  try {
    const source = new AlphaVantageNews({
      key,
      ledger,
      ...(news.baseUrl === undefined ? {} : { baseUrl: news.baseUrl }),
    });
    const scorer = await openScorer(place);
    try {
      const round = new NewsRound({ news, source, ledger, scorer, now: () => Date.now(), onWord });
      return await play(round, ledger);
    } finally {
      await scorer.close();
    }
  } finally {
    ledger.close();
  }
}

/** Fetches and scores on the schedule until the signal. */
export async function runNews(
  place: NewsPlace,
  onWord: (word: NewsWord) => void,
  signal: AbortSignal,
): Promise<void> {
  await withNewsRound(place, onWord, async (round) => {
    round.tellKept();
    while (!signal.aborted) {
      try {
        await round.play(signal);
        // not in one piece: a machine that slept must not sleep on
        const wait = Math.min(Math.max(round.nextDue() - Date.now(), SECOND), MINUTE);
        await systemClock.wait(wait, signal);
      } catch (error) {
        if (!signal.aborted) throw error;
      }
    }
  });
}
