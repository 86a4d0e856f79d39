import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { InputError } from '#base';
import { newsSubject, readNewsObservation } from '#signals';
import { Companion, type CompanionOptions } from '../runner/companion.ts';
import type { ObservationOutlet, ObservationPublisher } from '../runner/observation-publisher.ts';
import type { NewsConfiguration } from './news-configuration.ts';
import { type NewsWord, newsLine } from './news-round.ts';
import { newsSource } from './news-source.ts';

/** What is needed of a {@link Companion}; tests bring their own. */
export type Beside = (options: CompanionOptions) => { close(): Promise<void> };

export interface NewsCompanionOptions {
  readonly news: NewsConfiguration;
  readonly dataDir: string;
  readonly beside?: Beside;
}

/** Folder of the model that scores. */
export function modelFolderOf({ model }: NewsConfiguration, dataDir: string): string {
  return model ?? join(dataDir, 'models', 'finbert');
}

/** The key of the environment. Throws {@link InputError} naming the variable, never its value. */
export function newsKey({ keyEnv }: NewsConfiguration): string {
  const key = process.env[keyEnv] ?? '';
  if (key !== '') return key;
  throw new InputError(
    `the environment variable ${keyEnv} is not set`,
    'set it to the key of Alpha Vantage, or remove "news" from the portfolio',
  );
}

/** Refuses at the start what could only ever fail. Throws {@link InputError}. */
export function checkNewsReady(news: NewsConfiguration, dataDir: string): void {
  newsKey(news);
  const folder = modelFolderOf(news, dataDir);
  if (news.scorer !== 'finbert' || existsSync(join(folder, 'config.json'))) return;
  throw new InputError(
    `the news are to be scored by FinBERT, and there is no model in ${folder}`,
    `fetch it: quorum models fetch finbert${news.model === undefined ? '' : ` --to ${news.model}`}, or set "scorer" to "lexicon"`,
  );
}

/**
 * News of a portfolio, fetched and scored in a process of its own, which is started again when it dies. Whatever that process says
 * is read as strictly as if it came from a stranger: what is not an observation is dropped.
 */
export class NewsCompanion implements ObservationPublisher {
  readonly name = 'news';
  private readonly options: NewsCompanionOptions;
  private companion: { close(): Promise<void> } | null = null;
  private outlet: ObservationOutlet | null = null;
  /** Assets whose news fail, so that a notice is raised once. */
  private readonly missing = new Set<string>();

  constructor(options: NewsCompanionOptions) {
    this.options = options;
  }

  start(outlet: ObservationOutlet): void {
    const { news, dataDir, beside = (options) => new Companion(options) } = this.options;
    this.outlet = outlet;
    this.companion = beside({
      args: ['news', '--serve', JSON.stringify(news), '--data-dir', dataDir],
      onMessage: (message) => this.hear(message),
      onEnd: (why, againMs) => this.ended(why, againMs),
    });
  }

  async close(): Promise<void> {
    this.outlet = null;
    await this.companion?.close();
  }

  private hear(message: unknown): void {
    const { outlet } = this;
    const word = wordIn(message, this.options.news.assets);
    if (outlet === null) return;
    if (word === null) return this.notice('the process that fetches news said what it cannot have meant');
    if (word.word === 'missing') {
      const line = newsLine(word);
      if (this.missing.has(word.asset)) return outlet.say(line);
      this.missing.add(word.asset);
      return this.notice(line);
    }
    const { asset, value } = word;
    this.missing.delete(asset);
    const { fetchedAt } = readNewsObservation(value)!;
    const source = newsSource(this.options.news);
    outlet.publish({ source, subject: newsSubject(asset), value, eventTime: fetchedAt });
    outlet.say(newsLine(word));
  }

  private ended(why: string, againMs: number | null): void {
    const then = againMs === null ? 'it stays away' : `it starts again in ${Math.round(againMs / 1_000)} s`;
    this.notice(`the process that fetches news ended: ${why.split('\n')[0]}; ${then}`);
  }

  private notice(line: string): void {
    this.outlet?.say(line);
    this.outlet?.notice('news', line);
  }
}

/** A word of the other process; null when it is none. */
function wordIn(message: unknown, assets: readonly string[]): NewsWord | null {
  const { word, asset, value, reason, again, articles } = (message ?? {}) as Record<string, unknown>;
  if (typeof asset !== 'string' || !assets.includes(asset)) return null;
  if (word === 'news' && typeof value === 'string') {
    const news = readNewsObservation(value);
    if (news === null || articles !== news.articles.length) return null;
    return { word, asset, value, articles: news.articles.length };
  }
  if (word !== 'missing' || typeof reason !== 'string' || !isInstant(again)) return null;
  return { word, asset, reason: reason.slice(0, 300), again };
}

const isInstant = (value: unknown): value is number =>
  Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) < 8.64e15;
