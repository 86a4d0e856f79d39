import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HOUR, MINUTE } from '#base';
import { newsTime, parseNewsTime, readNewsAnswer } from './alpha-vantage-answer.ts';
import { pageOf, withoutRepeats } from './same-story.ts';

const AT = Date.UTC(2025, 0, 1, 12);
const entry = (more: Record<string, unknown> = {}) => ({
  title: 'Bitcoin rises',
  url: 'https://example.com/a',
  time_published: '20250101T101500',
  summary: 'It rose.',
  ...more,
});

describe('times of articles', () => {
  it.each([
    ['20250101T101500', Date.UTC(2025, 0, 1, 10, 15)],
    ['20250101T1015', Date.UTC(2025, 0, 1, 10, 15)],
    ['20240229T235959', Date.UTC(2024, 1, 29, 23, 59, 59)],
    ['20250229T000000', null],
    ['20251301T000000', null],
    ['20250101T240000', null],
    ['20250101T006000', null],
    ['2025-01-01T10:15:00', null],
    ['20250101', null],
    ['', null],
    [20250101, null],
    [null, null],
  ])('reads %j', (text, at) => {
    expect(parseNewsTime(text)).toBe(at);
  });

  it('reads back every second, and writes minutes', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 4_000_000_000 }), (seconds) => {
        const iso = new Date(seconds * 1_000).toISOString();
        expect(parseNewsTime(iso.slice(0, 19).replace(/[-:]/g, ''))).toBe(seconds * 1_000);
      }),
    );
    expect(newsTime(AT)).toBe('20250101T1200');
  });
});

describe('answers of NEWS_SENTIMENT', () => {
  it('gives the articles', () => {
    expect(readNewsAnswer(JSON.stringify({ items: '1', feed: [entry()] }), AT)).toEqual({
      articles: [
        {
          title: 'Bitcoin rises',
          summary: 'It rose.',
          url: 'https://example.com/a',
          publishedAt: Date.UTC(2025, 0, 1, 10, 15),
        },
      ],
      unusable: 0,
    });
  });

  it.each([
    ['limit', { Information: 'Our standard API rate limit is 25 requests per day.' }],
    ['limit', { Note: 'Thank you! Our standard call frequency is 5 calls per minute.' }],
    [
      'limit',
      {
        Information:
          'Please consider spreading out your free API requests more sparingly (1 request per second).',
      },
    ],
    ['denied', { 'Error Message': 'Invalid API call.' }],
    ['denied', { Information: 'The parameter apikey is invalid or missing.' }],
    ['malformed', {}],
    ['malformed', { items: '50' }],
    ['malformed', { feed: 'none' }],
    ['malformed', { feed: [{ title: 'no time' }, null, 7, entry({ time_published: 'today' })] }],
    ['malformed', { feed: [entry({ title: '' })] }],
    ['malformed', []],
    ['malformed', null],
    ['malformed', 'feed'],
  ])('finds the failure %s in an HTTP 200', (fault, body) => {
    expect(readNewsAnswer(JSON.stringify(body), AT)).toMatchObject({ fault });
  });

  it.each([['{"feed":['], ['<html>'], ['']])('does not read %j', (text) => {
    expect(readNewsAnswer(text, AT)).toMatchObject({ fault: 'malformed' });
  });

  it.each([
    [{ Information: 'No articles found. Please adjust the time range or refer to the documentation.' }],
    [{ items: '0', feed: [] }],
    [{ items: '0' }],
  ])('takes no news for an answer: %j', (body) => {
    expect(readNewsAnswer(JSON.stringify(body), AT)).toEqual({ articles: [], unusable: 0 });
  });

  it('leaves out and counts what cannot be used, articles of the future too', () => {
    const feed = [entry(), entry({ time_published: '20250101T120001' }), entry({ time_published: 7 }), null];
    expect(readNewsAnswer(JSON.stringify({ feed }), AT)).toMatchObject({ unusable: 3 });
  });

  it('never throws, whatever comes', () => {
    fc.assert(fc.property(fc.oneof(fc.string(), fc.json()), (text) => void readNewsAnswer(text, AT)));
  });
});

describe('stories told more than once', () => {
  const told = (title: string, minutes: number, url = '') => ({
    title,
    summary: '',
    url,
    publishedAt: AT - 2 * HOUR + minutes * MINUTE,
  });
  const titles = (list: ReturnType<typeof told>[]) => withoutRepeats(list).map((a) => a.title);

  it('keeps the first of equal pages and of nearly equal titles, newest first', () => {
    expect(
      titles([
        told('Bitcoin climbs above 100,000 dollars again', 9),
        told('Bitcoin climbs above 100,000 dollars', 1),
        told('Ether staking grows', 5, 'https://www.example.com/x/?utm_source=feed&id=1#top'),
        told('Another title altogether', 7, 'https://example.com/x?id=1'),
        told('Solana outage', 3),
      ]),
    ).toEqual(['Ether staking grows', 'Solana outage', 'Bitcoin climbs above 100,000 dollars']);
  });

  it('tells short titles apart unless they are equal', () => {
    expect(titles([told('Bitcoin rises', 1), told('Bitcoin falls', 2), told('BITCOIN RISES!', 3)])).toEqual([
      'Bitcoin falls',
      'Bitcoin rises',
    ]);
  });

  it('keeps titles without words apart', () => {
    expect(titles([told('!!!', 1), told('???', 2)])).toHaveLength(2);
  });

  it.each([
    ['https://www.Example.com/a/', 'example.com/a'],
    ['http://example.com/a?utm_medium=x&b=2&a=1#c', 'example.com/a?a=1&b=2'],
    ['javascript:alert(1)', null],
    ['not an address', null],
    ['', null],
  ])('knows the page of %j', (url, page) => {
    expect(pageOf(url)).toBe(page);
  });

  it('does not depend on the order, adds nothing and changes nothing the second time', () => {
    const article = fc.record({
      title: fc
        .array(fc.constantFrom('btc', 'up', 'down', 'etf', 'sec', 'today'), { maxLength: 6 })
        .map((w) => w.join(' ')),
      summary: fc.constant(''),
      url: fc.constantFrom('', 'https://a.com/1', 'https://a.com/2', 'https://b.com/1'),
      publishedAt: fc.integer({ min: AT - HOUR, max: AT }),
    });
    fc.assert(
      fc.property(
        fc
          .uniqueArray(article, { maxLength: 15, selector: (a) => a.publishedAt })
          .chain((list) =>
            fc.tuple(fc.constant(list), fc.shuffledSubarray(list, { minLength: list.length })),
          ),
        ([list, shuffled]) => {
          const kept = withoutRepeats(list);
          expect(withoutRepeats(shuffled)).toEqual(kept);
          expect(withoutRepeats(kept)).toEqual(kept);
          for (const one of kept) expect(list).toContain(one);
        },
      ),
      { numRuns: 60 },
    );
  });
});
