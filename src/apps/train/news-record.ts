import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type ObservationSeries, observationSeries, readJournal } from '#adapters';
import { InputError } from '#base';
import type { InstrumentId, ObservationPublished } from '#market';
import type { ColdNews } from '#research';
import { newsSubject, sentimentScore, sentimentVerdict } from '#signals';

/** Journals begin an event with its kind. */
const OBSERVATION = '{"kind":"observation-published"';
const NEWS = newsSubject('');

/** News that portfolios heard while they ran, by asset, as their journals have them. */
export type NewsRecord = ReadonlyMap<string, readonly ObservationPublished[]>;

/**
 * Reads the news of journals: of portfolios' folders, or the files themselves. The chain of each is verified. What several portfolios
 * heard is put in one order. Throws {@link InputError} for a journal that is damaged or not there, and where none holds news.
 */
export function readNewsRecord(paths: readonly string[]): NewsRecord {
  const byAsset = new Map<string, ObservationPublished[]>();
  for (const path of paths) {
    for (const { kind, text } of readJournal(journalOf(path))) {
      if (kind !== 'event' || !text.startsWith(OBSERVATION)) continue;
      const event = JSON.parse(text) as ObservationPublished;
      if (!event.subject.startsWith(NEWS)) continue;
      const asset = event.subject.slice(NEWS.length);
      byAsset.set(asset, [...(byAsset.get(asset) ?? []), event]);
    }
  }
  if (byAsset.size === 0)
    throw new InputError(
      `no news in ${paths.join(', ')}`,
      'give the folder of a portfolio with "news" that ran beside a live feed, such as .quorum/s1',
    );
  const inOrder = (events: readonly ObservationPublished[]) =>
    events
      .toSorted((a, b) => a.publishedAt - b.publishedAt || compareText(String(a.value), String(b.value)))
      // what two journals have of one portfolio is one
      .filter((one, i, all) => i === 0 || !isSame(one, all[i - 1]!));
  return new Map([...byAsset].map(([asset, events]) => [asset, inOrder(events)]));
}

const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
const isSame = (a: ObservationPublished, b: ObservationPublished): boolean =>
  a.publishedAt === b.publishedAt && a.value === b.value;

function journalOf(path: string): string {
  if (!existsSync(path))
    throw new InputError(`${path} is not there`, 'give the folder of a portfolio, or its journal');
  return statSync(path).isDirectory() ? join(path, 'journal') : path;
}

/** News of an asset as the loop hears them. They belong to no instrument. */
export function newsSeries(events: readonly ObservationPublished[], asset: string): ObservationSeries {
  return observationSeries({
    instrument: newsSubject(asset) as InstrumentId,
    subject: newsSubject(asset),
    source: events[0]?.source ?? '',
    at: Float64Array.from(events, ({ publishedAt }) => publishedAt),
    time: Float64Array.from(events, ({ eventTime, publishedAt }) => Math.min(eventTime, publishedAt)),
    values: events.map(({ value }) => String(value)),
  });
}

/** What the desk's news gate says at each close: of the newest news published by then. */
export function newsAlong(events: readonly ObservationPublished[], closes: Float64Array): ColdNews {
  const bars = closes.length;
  const news = {
    score: new Float64Array(bars),
    stops: new Uint8Array(bars),
    halves: new Uint8Array(bars),
    known: new Uint8Array(bars),
  };
  let next = 0;
  for (let bar = 0; bar < bars; bar++) {
    const at = closes[bar]!;
    while (next < events.length && events[next]!.publishedAt <= at) next += 1;
    const sentiment = sentimentScore(events[next - 1]?.value, at);
    const { stopsLong, stopsShort, halvesStops } = sentimentVerdict(sentiment);
    news.score[bar] = sentiment.score;
    news.stops[bar] = (stopsLong ? 1 : 0) | (stopsShort ? 2 : 0);
    news.halves[bar] = Number(halvesStops);
    news.known[bar] = Number(!sentiment.stale);
  }
  return news;
}
