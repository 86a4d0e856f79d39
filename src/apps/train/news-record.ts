import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type ObservationSeries, observationSeries, readJournal } from '#adapters';
import { InputError } from '#base';
import type { InstrumentId, ObservationPublished } from '#market';
import type { ColdNews } from '#research';
import { newsSubject, sentimentScore, sentimentVerdict } from '#signals';
import { strangeAddress } from '../news/news-source.ts';
import type { PaperHeader } from '../runner/portfolio-setup.ts';
import { isEvidence } from '../runner/run-mode.ts';

/** Journals begin an event with its kind. */
const OBSERVATION = '{"kind":"observation-published"';
const NEWS = newsSubject('');

/** News that journals have, and what they rest on. */
export interface NewsRecord {
  /** In the order of their publication. */
  readonly byAsset: ReadonlyMap<string, readonly ObservationPublished[]>;
  /** Why no model that is trained with them goes on by itself; none for news as they came beside live prices. */
  readonly stamps: readonly string[];
}

/**
 * Reads the news of journals: of portfolios' folders, or the files themselves. The chain of each is verified, and its header says what
 * it ran beside: anything but live prices leaves a stamp. What several portfolios heard is put in one order. Throws
 * {@link InputError} for a journal that is damaged or not there, where none holds news, and for news that ran beside made-up prices
 * unless `madeUp` says that they are wanted.
 */
export function readNewsRecord(paths: readonly string[], madeUp = false): NewsRecord {
  const byAsset = new Map<string, ObservationPublished[]>();
  const stamps = new Set<string>();
  for (const path of paths) {
    let header: JournalHeader = {};
    for (const { kind, text } of readJournal(journalOf(path))) {
      if (kind === 'header') header = JSON.parse(text) as JournalHeader;
      if (kind !== 'event' || !text.startsWith(OBSERVATION)) continue;
      const event = JSON.parse(text) as ObservationPublished;
      if (!event.subject.startsWith(NEWS)) continue;
      const stamp = modeStamp(header, path, madeUp);
      if (stamp !== null) stamps.add(stamp);
      const from = strangeAddress(event.source);
      if (from !== null) stamps.add(`news from ${from}: not the source's own`);
      const asset = event.subject.slice(NEWS.length);
      const events = byAsset.get(asset) ?? [];
      byAsset.set(asset, events);
      events.push(event);
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
  return {
    byAsset: new Map([...byAsset].map(([asset, events]) => [asset, inOrder(events)])),
    stamps: [...stamps].sort(compareText),
  };
}

/** What of a journal's header says what it ran beside; of a portfolio's or a backtest's. */
interface JournalHeader extends Partial<Pick<PaperHeader, 'mode'>> {
  readonly kind?: string;
  readonly request?: { readonly feed?: { readonly kind?: string } };
}

/** What keeps a model from going on by itself that hears the news of such a journal; null for live prices. */
function modeStamp({ kind, mode, request }: JournalHeader, path: string, madeUp: boolean): string | null {
  if (kind === 'backtest') return 'news of a backtest';
  if (kind !== 'paper' || mode === undefined)
    throw new InputError(
      `${path} does not say what it ran beside`,
      'give the folder of a portfolio with "news" that ran beside a live feed, such as .quorum/s1',
    );
  if (isEvidence(mode)) return null;
  // its prices are real and decades old: no news of its days were ever fetched beside it
  const isSample = request?.feed?.kind === 'sample';
  if (mode !== 'SYNTHETIC' && !isSample) return `news of a ${mode} journal`;
  if (madeUp) return `news made up: of a ${isSample ? 'sample' : mode} journal`;
  throw new InputError(
    `the news of ${path} are made up: it ran beside ${isSample ? 'the sample' : 'made-up prices'}`,
    'give a portfolio that ran beside a live feed, or --made-up-news for a model that is stamped and never goes on',
  );
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
