import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { barSeries, JournalFile, Tape } from '#adapters';
import { Chance, HOUR, MINUTE } from '#base';
import type { InstrumentId, ObservationPublished } from '#market';
import { coldWindows, playWindow } from '#research';
import { newsObservationText } from '#signals';
import { QUARTER, TREND_START, trendingBars } from '../../../test/support/trending-market.ts';
import { newsSource } from '../news/news-source.ts';
import { checkOnLoop } from './loop-check.ts';
import { newsAlong, readNewsRecord } from './news-record.ts';
import { coversNews, NO_NEWS, trainingStamps } from './register-trials.ts';
import { chosenConfigs, coldPoint } from './train-config.ts';
import { coldCosts } from './train-costs.ts';
import { TrainMarkets } from './train-data.ts';
import { playTrial } from './trial-player.ts';
import { countedWindows, judgeWinner } from './winner.ts';

const BTC = 'BTCUSDT.BINANCE-USDM' as InstrumentId;
const DAYS = 24;
const place = mkdtempSync(join(tmpdir(), 'quorum-train-news-'));
afterAll(() => rmSync(place, { recursive: true, force: true }));

const published = (at: number, score: number, change: Partial<ObservationPublished> = {}) =>
  ({
    kind: 'observation-published',
    at,
    eventTime: at,
    source: 'alpha-vantage',
    subject: 'news:BTC',
    publishedAt: at,
    value: newsObservationText({
      fetchedAt: at,
      scorer: 'finbert',
      articles: Array.from({ length: 6 }, (_, i) => [score, at - i * MINUTE] as const),
    }),
    ...change,
  }) satisfies ObservationPublished;

/** News every hour, of moods that turn at once so that positions are open when they do; none in between `quiet`. */
function newsOf(quiet: readonly [number, number] = [0, 0]): ObservationPublished[] {
  const chance = new Chance('news');
  const out: ObservationPublished[] = [];
  for (let hour = 0; hour < 24 * DAYS; hour += 1) {
    const at = TREND_START + hour * HOUR + 7 * MINUTE;
    const score = chance.happens(0.2) ? -0.5 - 0.4 * chance.uniform() : 0.8 * chance.uniform() - 0.2;
    if (at < quiet[0] || at >= quiet[1]) out.push(published(at, score));
  }
  return out;
}

/** The journal of a portfolio that heard these. */
function portfolio(
  name: string,
  events: readonly object[],
  header: object | null = { kind: 'paper', mode: 'PAPER' },
): string {
  const path = join(place, `${name}.journal`);
  const file = JournalFile.create(path);
  if (header !== null) file.append('header', JSON.stringify(header));
  for (const event of events) {
    file.append('event', JSON.stringify(event));
    file.append('note', '{"note":"x"}');
  }
  file.close();
  return path;
}

const [train] = chosenConfigs(['BTC_15M'], { trainDays: 4, testHours: 48 });
const bars = trendingBars({ days: DAYS, seed: 'one' });
const marketOf = (events: readonly ObservationPublished[] | null, stamps: readonly string[] = []) =>
  new TrainMarkets(
    new Tape([barSeries(BTC, QUARTER, bars)]),
    events === null ? null : { byAsset: new Map([['BTC', events]]), stamps },
  ).market(train!.config);
const costs = { cash: 10_000, feeBps: 3.8, slippageBps: 1 };
const point = coldPoint({
  rsi: 14,
  atr: 14,
  momentum: 20,
  maxDepth: 3,
  eta: 0.2,
  minChildWeight: 2,
  subsample: 0.8,
  rounds: 20,
});

function judgedWith(market: ReturnType<typeof marketOf>) {
  const { data } = market;
  const windows = coldWindows(data.bars.time, data.bars.length, QUARTER, train!.lengths);
  const study = { data, rules: train!.rules, costs: coldCosts(costs, data), embargoBars: 12, seed: '1' };
  const played = playTrial({ study, windows }, { point, medians: null, until: null, detail: true });
  return { windows, study, judged: judgeWinner(study, windows, played.detail!, point)! };
}

describe('news of a journal', () => {
  it('are read in the order of their publication, each once, whoever heard them', () => {
    const [one, two, three] = [published(3 * HOUR, 0.1), published(HOUR, 0.2), published(2 * HOUR, 0.3)];
    const other = { ...published(HOUR, 0.4), subject: 'news:ETH' };
    const bar = { kind: 'bar-closed', at: HOUR, subject: 'news:BTC' };
    const weather = { ...two, subject: 'weather:LON' };
    const mine = portfolio('mine', [two, bar, one, weather, other]);
    const yours = portfolio('yours', [two, three]);
    const { byAsset: news, stamps } = readNewsRecord([mine, yours]);
    expect(stamps).toEqual([]);
    expect(news.get('BTC')!.map(({ publishedAt }) => publishedAt)).toEqual([HOUR, 2 * HOUR, 3 * HOUR]);
    expect([...news.keys()].sort()).toEqual(['BTC', 'ETH']);
    expect([...readNewsRecord([yours, mine]).byAsset.get('BTC')!]).toEqual([...news.get('BTC')!]);
  });

  it('are refused where there are none, or no journal', () => {
    expect(() => readNewsRecord([portfolio('deaf', [{ kind: 'bar-closed' }])])).toThrow('no news in');
    expect(() => readNewsRecord([join(place, 'nowhere')])).toThrow('is not there');
    writeFileSync(join(place, 'text'), 'news:BTC');
    expect(() => readNewsRecord([join(place, 'text')])).toThrow();
  });
});

describe('what news rest on', () => {
  const told = [published(HOUR, 0.1)];
  const feed = (kind: string) => ({ request: { feed: { kind } } });
  const made = { kind: 'paper', mode: 'SYNTHETIC', ...feed('synthetic') };
  const sample = { kind: 'paper', mode: 'REPLAY', ...feed('sample') };

  it.each<[string, object, string[]]>([
    ['live prices', { kind: 'paper', mode: 'PAPER', ...feed('binance-usdm') }, []],
    ['a rehearsal', { kind: 'paper', mode: 'REPLAY', ...feed('webhook') }, ['news of a REPLAY journal']],
    ['a backtest', { kind: 'backtest' }, ['news of a backtest']],
  ])('is on the stamp: %s', (name, header, stamps) => {
    expect(readNewsRecord([portfolio(name, told, header)]).stamps).toEqual(stamps);
  });

  it.each<[string, object, string]>([
    ['made-up prices', made, 'news made up: of a SYNTHETIC journal'],
    ['the sample', sample, 'news made up: of a sample journal'],
  ])('is refused for %s unless it is wanted, and then stamped', (name, header, stamp) => {
    const live = portfolio(`live beside ${name}`, [published(2 * HOUR, 0.1)]);
    const path = portfolio(name, told, header);
    expect(() => readNewsRecord([live, path])).toThrow(
      `the news of ${path} are made up: it ran beside ${name}`,
    );
    const { byAsset, stamps } = readNewsRecord([live, path], true);
    expect([byAsset.get('BTC')!.length, stamps]).toEqual([2, [stamp]]);
    // a journal that heard no news speaks for none
    expect(readNewsRecord([live, portfolio(`deaf beside ${name}`, [], header)]).stamps).toEqual([]);
  });

  it('is refused where the journal does not say', () => {
    for (const [name, header] of [
      ['bare', null],
      ['odd', { kind: 'paper' }],
      ['other', { kind: 'x' }],
    ] as const)
      expect(() => readNewsRecord([portfolio(name, told, header)], true)).toThrow(
        'does not say what it ran beside',
      );
  });

  it("tells an address that is not the source's own", () => {
    const own = newsSource({ kind: 'alpha-vantage', baseUrl: 'https://www.alphavantage.co/' });
    const strange = newsSource({ kind: 'alpha-vantage', baseUrl: 'http://127.0.0.1:8080/alphavantage.co' });
    expect([own, newsSource({ kind: 'alpha-vantage' })]).toEqual(['alpha-vantage', 'alpha-vantage']);
    expect(newsSource({ kind: 'alpha-vantage', baseUrl: 'https://notalphavantage.co' })).not.toBe(own);
    const stampsOf = (source: string) =>
      readNewsRecord([portfolio(`from ${source}`.replaceAll(/\W/g, '-'), [published(HOUR, 0.1, { source })])])
        .stamps;
    expect(stampsOf(own)).toEqual([]);
    expect(stampsOf(strange)).toEqual(["news from 127.0.0.1:8080: not the source's own"]);
  });
});

describe('the gate of news along bars', () => {
  const along = (events: readonly ObservationPublished[], ...closes: number[]) =>
    newsAlong(events, Float64Array.from(closes));

  it('knows what was published by a close and not older than six hours', () => {
    const { known, score, stops } = along(
      [published(10 * HOUR, 0.5)],
      10 * HOUR - 1,
      10 * HOUR,
      16 * HOUR,
      16 * HOUR + 1,
    );
    expect([...known]).toEqual([0, 1, 1, 0]);
    expect([...stops]).toEqual([3, 0, 0, 3]);
    expect(score[1]).toBeCloseTo(0.5, 12);
  });

  it('stops entries at -0.30 and draws stops in at -0.60; what cannot be read stops all', () => {
    const at = 10 * HOUR;
    const of = (score: number) => along([published(at, score)], at);
    expect([of(-0.299).stops[0], of(-0.3).stops[0], of(-0.3).halves[0]]).toEqual([0, 3, 0]);
    expect([of(-0.6).stops[0], of(-0.6).halves[0]]).toEqual([3, 1]);
    const broken = along([published(at, 0, { value: '{}' })], at);
    expect([broken.known[0], broken.stops[0]]).toEqual([0, 3]);
  });
});

describe('a training with news', () => {
  const market = marketOf(newsOf());
  const { windows, study, judged } = judgedWith(market);
  const origin = { train: train!, market, seed: '1' };
  const counted = countedWindows(judged.windows);

  it('trades otherwise than without, and nothing where news are bad', () => {
    const without = judgedWith(marketOf(null)).judged;
    const trades = (all: typeof judged) => all.windows.flatMap(({ outcome }) => outcome.nets).length;
    expect(trades(judged)).toBeGreaterThan(20);
    expect(trades(judged)).toBeLessThan(trades(without));
    const { news } = market.data;
    let stopped = 0;
    for (const { window, directions } of counted)
      directions.forEach((direction, k) => {
        if (news!.stops[window.test.from + k] !== 3) return;
        stopped += 1;
        expect(direction).toBe(0);
      });
    expect(stopped).toBeGreaterThan(50);
    expect(marketOf(null).dataHash).not.toBe(market.dataHash);
  });

  it('both engines come to the same, stops that bad news draw in included', async () => {
    const { columnar, loop, difference } = (await checkOnLoop(
      origin,
      point,
      costs,
      judged.windows,
      async () => true,
    ))!;
    expect(loop.trades).toBe(columnar.trades);
    expect(difference!).toBeLessThan(0.001);
    // and such there were
    const calm = { ...market.data, news: { ...market.data.news!, halves: new Uint8Array(bars.length) } };
    const ends = counted.map(({ window, directions, outcome }) => ({
      drawn: outcome.equity.at(-1)!,
      calm: playWindow(calm, study.rules, study.costs, point, window.test, directions)!.equity.at(-1)!,
    }));
    expect(ends.filter((one) => one.drawn !== one.calm).length).toBeGreaterThan(1);
  });

  it('is stamped unless news reach over every bar of every judged window', () => {
    const tests = counted.map(({ window }) => window);
    const stamps = (of: typeof market) => trainingStamps({ ...origin, market: of }, costs, tests);
    expect(stamps(market)).not.toContain(NO_NEWS);
    expect(stamps(marketOf(null))).toContain(NO_NEWS);
    expect(stamps(marketOf([]))).toContain(NO_NEWS);
    expect(stamps(marketOf(newsOf(), ['news of a REPLAY journal']))).toEqual(
      [...stamps(market), 'news of a REPLAY journal'].toSorted(),
    );
    const { from } = tests[2]!;
    // eight hours of fetches left out: news of the one before grow stale
    const gap = marketOf(newsOf([from + 10 * HOUR, from + 18 * HOUR]));
    expect(stamps(gap)).toContain(NO_NEWS);
    expect(
      coversNews(
        gap.data,
        tests.filter((_, k) => k !== 2),
      ),
    ).toBe(true);
    // before the judged windows nobody asks
    const early = marketOf(newsOf([TREND_START, windows[0]!.from - 10 * HOUR]));
    expect(stamps(early)).not.toContain(NO_NEWS);
  });
});
