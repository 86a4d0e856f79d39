import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { newsObservationText } from '#signals';
import type { CompanionOptions } from '../runner/companion.ts';
import type { Publication } from '../runner/observation-publisher.ts';
import { checkNewsReady, NewsCompanion } from './news-companion.ts';
import { newsSchema } from './news-configuration.ts';

const AT = Date.UTC(2026, 0, 10, 12);
const news = newsSchema.parse({
  kind: 'alpha-vantage',
  keyEnv: 'TEST_NEWS_KEY',
  assets: ['BTC', 'ETH'],
  scorer: 'lexicon',
});
const value = newsObservationText({ fetchedAt: AT, scorer: 'lexicon', articles: [[0.5, AT - 1]] });

let published: Publication[];
let notices: string[];
let said: string[];
let options: CompanionOptions;
let closed: number;
let companion: NewsCompanion;

beforeEach(() => {
  [published, notices, said, closed] = [[], [], [], 0];
  companion = new NewsCompanion({
    news,
    dataDir: '/data',
    beside: (given) => {
      options = given;
      const close = async () => {
        closed += 1;
      };
      return { close };
    },
  });
  companion.start({
    publish: (publication) => published.push(publication),
    notice: (subject, detail) => notices.push(`${subject}: ${detail}`),
    say: (line) => said.push(line),
  });
});

describe('news beside a loop', () => {
  it('starts a process that is handed no secret', () => {
    vi.stubEnv('TEST_NEWS_KEY', 'SECRET');
    expect(options.args).toEqual(['news', '--serve', JSON.stringify(news), '--data-dir', '/data']);
    expect(options.args.join(' ')).not.toContain('SECRET');
  });

  it('publishes what it is told, as an observation of the asset', () => {
    options.onMessage({ word: 'news', asset: 'BTC', value, articles: 1 });
    expect(published).toEqual([{ source: 'alpha-vantage', subject: 'news:BTC', value, eventTime: AT }]);
    expect(said).toEqual(['news of BTC: 1 articles scored']);
  });

  it.each([
    ['another asset', { word: 'news', asset: 'DOGE', value, articles: 1 }],
    ['no observation', { word: 'news', asset: 'BTC', value: '{}', articles: 0 }],
    ['a score beyond 1', { word: 'news', asset: 'BTC', value: value.replace('0.5', '5'), articles: 1 }],
    ['another number of articles', { word: 'news', asset: 'BTC', value, articles: 2 }],
    ['another word', { word: 'order', asset: 'BTC', value }],
    ['a time that is none', { word: 'missing', asset: 'BTC', reason: 'x', again: 1e300 }],
    ['nothing', null],
    ['text', 'news'],
  ])('publishes nothing for %s', (_, message) => {
    options.onMessage(message);
    expect(published).toEqual([]);
    expect(notices).toEqual(['news: the process that fetches news said what it cannot have meant']);
  });

  it('raises one notice for news that stay away, and another when they stay away again', () => {
    const missing = { word: 'missing', asset: 'BTC', reason: 'unreachable: HTTP 503', again: AT };
    options.onMessage(missing);
    options.onMessage(missing);
    expect(notices).toEqual(['news: no news of BTC: unreachable: HTTP 503; again at 2026-01-10T12:00:00Z']);
    options.onMessage({ word: 'news', asset: 'BTC', value, articles: 1 });
    options.onMessage(missing);
    expect(notices).toHaveLength(2);
    expect(said).toHaveLength(4);
  });

  it('raises a notice when the process ends', () => {
    options.onEnd('error: the environment variable TEST_NEWS_KEY is not set\nmend: set it', null);
    options.onEnd('it was ended by SIGKILL', 2_000);
    expect(notices).toEqual([
      'news: the process that fetches news ended: error: the environment variable TEST_NEWS_KEY is not set; it stays away',
      'news: the process that fetches news ended: it was ended by SIGKILL; it starts again in 2 s',
    ]);
  });

  it('publishes nothing any more once it is closed', async () => {
    await companion.close();
    options.onMessage({ word: 'news', asset: 'BTC', value, articles: 1 });
    options.onEnd('it ended with 0', null);
    expect([published, notices, said, closed]).toEqual([[], [], [], 1]);
  });
});

describe('what news need before they start', () => {
  const dir = mkdtempSync(join(tmpdir(), 'quorum-ready-'));
  afterEach(() => {
    vi.unstubAllEnvs();
    rmSync(dir, { recursive: true, force: true });
  });

  it('is a key in the environment', () => {
    vi.stubEnv('TEST_NEWS_KEY', '');
    expect(() => checkNewsReady(news, dir)).toThrow('the environment variable TEST_NEWS_KEY is not set');
    vi.stubEnv('TEST_NEWS_KEY', 'K');
    expect(() => checkNewsReady(news, dir)).not.toThrow();
  });

  it('is a model, where a model is to score', () => {
    vi.stubEnv('TEST_NEWS_KEY', 'K');
    const finbert = { ...news, scorer: 'finbert' as const };
    expect(() => checkNewsReady(finbert, dir)).toThrow('there is no model in');
    mkdirSync(join(dir, 'models', 'finbert'), { recursive: true });
    writeFileSync(join(dir, 'models', 'finbert', 'config.json'), '{}');
    expect(() => checkNewsReady(finbert, dir)).not.toThrow();
    expect(() => checkNewsReady({ ...finbert, model: join(dir, 'other') }, dir)).toThrow('other');
  });
});
