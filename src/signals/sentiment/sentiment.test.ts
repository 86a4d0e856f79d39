import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HOUR, MINUTE } from '#base';
import {
  NEWS_ARTICLES_MOST,
  newsObservationText,
  newsSubject,
  readNewsObservation,
  type ScoredArticle,
} from './news-observation.ts';
import { sentimentScore } from './sentiment-score.ts';
import { sentimentVerdict } from './sentiment-verdict.ts';

const AT = Date.UTC(2026, 0, 10, 12);

const textOf = (
  articles: readonly ScoredArticle[],
  fetchedAt = AT,
  scorer: 'finbert' | 'lexicon' = 'finbert',
) => newsObservationText({ fetchedAt, scorer, articles });
const aged = (...pairs: readonly (readonly [score: number, hours: number])[]): ScoredArticle[] =>
  pairs.map(([score, hours]) => [score, AT - hours * HOUR]);

/** The example of the sheet. */
const EXAMPLE = aged([-0.8, 1], [-0.6, 3], [0.2, 8], [-0.4, 12], [0.5, 30]);

const article = fc.tuple(
  fc.double({ min: -1, max: 1, noNaN: true }),
  fc.integer({ min: AT - 100 * HOUR, max: AT }),
);
const articles = fc.array(article, { maxLength: NEWS_ARTICLES_MOST });

describe('reading the news observation', () => {
  it('reads back what was written, in any order of members', () => {
    const news = { fetchedAt: AT, scorer: 'lexicon', articles: EXAMPLE } as const;
    expect(readNewsObservation(newsObservationText(news))).toEqual(news);
    expect(readNewsObservation(`{"articles":[],"fetchedAt":${AT},"scorer":"finbert"}`)).toEqual({
      fetchedAt: AT,
      scorer: 'finbert',
      articles: [],
    });
    expect(newsSubject('BTC')).toBe('news:BTC');
  });

  it('reads back every observation that may be written', () => {
    fc.assert(
      fc.property(articles, (list) => {
        expect(readNewsObservation(textOf(list))?.articles).toEqual(JSON.parse(JSON.stringify(list)));
      }),
      { numRuns: 60 },
    );
  });

  const whole = textOf(EXAMPLE);
  it.each([
    ['nothing', ''],
    ['no text', 7],
    ['another shape', '[]'],
    ['a cut text', whole.slice(0, -1)],
    ['something behind it', `${whole} `],
    ['a member more', whole.replace('{', '{"note":1,')],
    ['a member twice', `{"fetchedAt":${AT},"fetchedAt":${AT},"articles":[]}`],
    ['another scorer', whole.replace('finbert', 'trust me')],
    ['a score beyond 1', textOf([[1.01, AT]])],
    ['a score below -1', textOf([[-1.01, AT]])],
    ['a score that is no number', whole.replace('-0.8', 'NaN')],
    ['a score that is null', whole.replace('-0.8', 'null')],
    ['a score that is text', whole.replace('-0.8', '"-0.8"')],
    ['a time with a fraction', whole.replace(String(AT), `${AT}.5`)],
    ['a time before time', whole.replace(`"fetchedAt":${AT}`, '"fetchedAt":-1')],
    ['an article newer than the fetch', textOf([[0.1, AT + 1]])],
    ['an article of three parts', whole.replace('[-0.8,', '[1,-0.8,')],
    ['too many articles', textOf(Array.from({ length: NEWS_ARTICLES_MOST + 1 }, () => [0, AT] as const))],
    ['a text without end', `{"articles":[${'[0,1],'.repeat(50_000)}[0,1]],"fetchedAt":1,"scorer":"finbert"}`],
  ])('refuses %s', (_, text) => {
    expect(readNewsObservation(text)).toBeNull();
    expect(sentimentScore(text, AT)).toMatchObject({ score: 0, stale: true, flag: 'malformed' });
  });

  it('never throws, whatever it is given', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json(), fc.anything()), (text) => {
        const sentiment = sentimentScore(text, AT);
        expect(sentiment.stale).toBe(true);
        expect(sentimentVerdict(sentiment)).toMatchObject({ stopsLong: true, stopsShort: true });
      }),
      { numRuns: 300 },
    );
  });
});

describe('the sentiment score', () => {
  it('is that of the sheet for its example', () => {
    const sentiment = sentimentScore(textOf(EXAMPLE), AT);
    expect(sentiment.score).toBeCloseTo(-0.402799, 6);
    expect(sentiment).toMatchObject({ articles: 5, flag: null, stale: false, scorer: 'finbert' });
    expect(sentimentVerdict(sentiment)).toMatchObject({
      stopsLong: true,
      stopsShort: true,
      halvesStops: false,
    });
  });

  it('ages between fetches: the same text weighs differently later', () => {
    const text = textOf(aged([0.9, 0], [0.9, 0], [0.9, 0], [-0.9, 60], [-0.9, 71]));
    const now = sentimentScore(text, AT).score;
    const later = sentimentScore(text, AT + 2 * HOUR);
    // the oldest has left the window, and four are not enough
    expect(later).toMatchObject({ score: 0, articles: 4, flag: 'few-articles', stale: false });
    expect(now).toBeGreaterThan(0.8);
  });

  it('is neutral, flagged and open with fewer than five articles', () => {
    for (let n = 0; n < 5; n++) {
      const sentiment = sentimentScore(textOf(EXAMPLE.slice(0, n)), AT);
      expect(sentiment).toMatchObject({ score: 0, articles: n, flag: 'few-articles', stale: false });
      expect(sentimentVerdict(sentiment).stopsLong).toBe(false);
    }
  });

  it('counts an article of exactly 72 h and none older', () => {
    expect(sentimentScore(textOf([...EXAMPLE.slice(0, 4), [1, AT - 72 * HOUR]]), AT).articles).toBe(5);
    expect(sentimentScore(textOf([...EXAMPLE.slice(0, 4), [1, AT - 72 * HOUR - 1]]), AT).articles).toBe(4);
  });

  it('is stale beyond six hours, not at six hours', () => {
    const text = textOf(EXAMPLE);
    expect(sentimentScore(text, AT + 6 * HOUR)).toMatchObject({ stale: false, flag: null });
    expect(sentimentScore(text, AT + 6 * HOUR + 1)).toMatchObject({ stale: true, flag: 'stale', score: 0 });
  });

  it('fails closed on a fetch from the future, and where nothing was published', () => {
    expect(sentimentScore(textOf(EXAMPLE, AT + 1), AT)).toMatchObject({ stale: true, flag: 'future' });
    expect(sentimentScore(null, AT)).toMatchObject({ stale: true, flag: 'absent' });
    expect(sentimentScore(undefined, AT)).toMatchObject({ stale: true, flag: 'absent' });
  });

  it('stays within -1 and 1, and within the scores it is made of', () => {
    fc.assert(
      fc.property(articles, (list) => {
        const { score, articles: counted } = sentimentScore(textOf(list), AT);
        expect(score).toBeGreaterThanOrEqual(-1);
        expect(score).toBeLessThanOrEqual(1);
        if (counted < 5) return;
        const scores = list.map(([one]) => one);
        expect(score).toBeGreaterThanOrEqual(Math.min(...scores) - 1e-12);
        expect(score).toBeLessThanOrEqual(Math.max(...scores) + 1e-12);
      }),
      { numRuns: 100 },
    );
  });

  it('does not depend on the order of the articles', () => {
    fc.assert(
      fc.property(
        articles.chain((list) =>
          fc.tuple(fc.constant(list), fc.shuffledSubarray(list, { minLength: list.length })),
        ),
        ([list, shuffled]) => {
          expect(sentimentScore(textOf(shuffled), AT)).toEqual(sentimentScore(textOf(list), AT));
        },
      ),
      { numRuns: 100 },
    );
  });

  it('does not change when articles are added that are older than the newest thirty, or than 72 h', () => {
    fc.assert(
      fc.property(
        fc.array(article, { minLength: 30, maxLength: 40 }),
        fc.array(article, { maxLength: 20 }),
        (list, more) => {
          const oldest = Math.min(...list.map(([, at]) => at));
          const older = more.map(
            ([score], i): ScoredArticle => [score, Math.min(oldest, AT - 60 * HOUR) - 1 - i * MINUTE],
          );
          const enough = list.filter(([, at]) => AT - at <= 72 * HOUR).length >= 30;
          fc.pre(enough);
          expect(sentimentScore(textOf([...list, ...older]), AT)).toEqual(sentimentScore(textOf(list), AT));
        },
      ),
      { numRuns: 60 },
    );
    const ancient = aged([1, 73], [1, 80], [1, 90]);
    expect(sentimentScore(textOf([...EXAMPLE, ...ancient]), AT)).toEqual(sentimentScore(textOf(EXAMPLE), AT));
  });

  it('falls when an article is replaced by a worse one of the same age', () => {
    fc.assert(
      fc.property(
        fc.array(article, { minLength: 5, maxLength: 30 }),
        fc.nat(),
        fc.double({ min: 0, max: 2, noNaN: true }),
        (list, which, by) => {
          const at = which % list.length;
          const worse = list.map(
            ([score, time], i): ScoredArticle => [i === at ? Math.max(-1, score - by) : score, time],
          );
          expect(sentimentScore(textOf(worse), AT).score).toBeLessThanOrEqual(
            sentimentScore(textOf(list), AT).score + 1e-12,
          );
        },
      ),
      { numRuns: 100 },
    );
  });
});

describe('what follows from a sentiment', () => {
  const verdict = (score: number, directions?: 'all' | 'long') =>
    sentimentVerdict(
      sentimentScore(textOf(Array.from({ length: 5 }, () => [score, AT] as const)), AT),
      directions,
    );

  it.each([
    [-0.299999, false, false, false],
    [-0.3, true, true, false],
    [-0.599999, true, true, false],
    [-0.6, true, true, true],
    [-1, true, true, true],
    [1, false, false, false],
  ])(
    'at %f: long stopped %s, short stopped %s, stops halved %s',
    (score, stopsLong, stopsShort, halvesStops) => {
      expect(verdict(score)).toMatchObject({ stopsLong, stopsShort, halvesStops });
      expect(verdict(score, 'long')).toMatchObject({ stopsLong, stopsShort: false, halvesStops });
    },
  );

  it('stops entries at the threshold however the articles are weighed', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 72 * HOUR }), { minLength: 5, maxLength: 30 }),
        (ages) => {
          const list = ages.map((age): ScoredArticle => [-0.3, AT - age]);
          expect(sentimentVerdict(sentimentScore(textOf(list), AT)).stopsLong).toBe(true);
        },
      ),
      { numRuns: 100 },
    );
  });

  it('stops both directions when nothing is known, whatever the option', () => {
    expect(sentimentVerdict(sentimentScore(null, AT), 'long')).toEqual({
      stopsLong: true,
      stopsShort: true,
      halvesStops: false,
      reason: 'news absent',
    });
  });

  it('says when a word list made the score', () => {
    const text = textOf(EXAMPLE, AT, 'lexicon');
    expect(sentimentVerdict(sentimentScore(text, AT)).reason).toBe('news -0.4028 of 5 articles (lexicon)');
  });
});
