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
function portfolio(name: string, events: readonly object[]): string {
  const path = join(place, `${name}.journal`);
  const file = JournalFile.create(path);
  file.append('header', '{"kind":"paper","mode":"PAPER"}');
  for (const event of events) {
    file.append('event', JSON.stringify(event));
    file.append('note', '{"note":"x"}');
  }
  file.close();
  return path;
}

const [train] = chosenConfigs(['BTC_15M'], { trainDays: 4, testHours: 48 });
const bars = trendingBars({ days: DAYS, seed: 'one' });
const marketOf = (events: readonly ObservationPublished[] | null) =>
  new TrainMarkets(
    new Tape([barSeries(BTC, QUARTER, bars)]),
    events === null ? null : new Map([['BTC', events]]),
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
    const news = readNewsRecord([mine, yours]);
    expect(news.get('BTC')!.map(({ publishedAt }) => publishedAt)).toEqual([HOUR, 2 * HOUR, 3 * HOUR]);
    expect([...news.keys()].sort()).toEqual(['BTC', 'ETH']);
    expect([...readNewsRecord([yours, mine]).get('BTC')!]).toEqual([...news.get('BTC')!]);
  });

  it('are refused where there are none, or no journal', () => {
    expect(() => readNewsRecord([portfolio('deaf', [{ kind: 'bar-closed' }])])).toThrow('no news in');
    expect(() => readNewsRecord([join(place, 'nowhere')])).toThrow('is not there');
    writeFileSync(join(place, 'text'), 'news:BTC');
    expect(() => readNewsRecord([join(place, 'text')])).toThrow();
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
