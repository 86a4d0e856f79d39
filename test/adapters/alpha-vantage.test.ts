import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AlphaVantageNews, CallLedger, type FeedClock, FREE_BUDGET } from '#adapters';
import { DAY, HOUR, MINUTE, SECOND } from '#base';
import { HttpLoopback, sendJson } from '../support/http-loopback.ts';

const AT = Date.UTC(2025, 0, 1, 12);
const KEY = 'SECRETKEY123';

/** A clock that stands still until somebody waits. */
class HandClock implements FeedClock {
  at = AT;
  readonly waited: number[] = [];
  now() {
    return this.at;
  }
  async wait(ms: number) {
    this.waited.push(ms);
    this.at += ms;
  }
  later() {
    return () => {};
  }
}

let folder: string;
let clock: HandClock;
let server: HttpLoopback;
let ledgers: CallLedger[];
let feed: unknown;

const path = () => join(folder, 'news', 'calls.db');
function open(name = 'KEY', budget = FREE_BUDGET): CallLedger {
  const ledger = CallLedger.open(path(), name, budget);
  ledgers.push(ledger);
  return ledger;
}
const client = (ledger = open(), more: { baseUrl?: string; timeoutMs?: number; clock?: FeedClock } = {}) =>
  new AlphaVantageNews({ key: KEY, ledger, baseUrl: server.url, clock, ...more });

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'quorum-news-'));
  clock = new HandClock();
  ledgers = [];
  feed = {
    items: '2',
    feed: [
      {
        title: 'Bitcoin rises',
        url: 'https://a.example/1',
        time_published: '20250101T101500',
        summary: 'Up.',
      },
      {
        title: 'Exchange hacked',
        url: 'https://a.example/2',
        time_published: '20250101T111500',
        summary: 'Down.',
      },
    ],
  };
  server = await new HttpLoopback((_, response) => sendJson(response, 200, feed)).start();
});
afterEach(async () => {
  for (const ledger of ledgers) ledger.close();
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
});

describe('news of Alpha Vantage', () => {
  it('asks for an asset as the interface wants it, and gives the articles newest first', async () => {
    const fetched = await client().fetch('BTC', false);
    expect(fetched).toMatchObject({
      is: 'news',
      fetchedAt: AT,
      unusable: 0,
      articles: [{ title: 'Exchange hacked' }, { title: 'Bitcoin rises' }],
    });
    const asked = new URL(server.received[0]!.path, server.url);
    expect(asked.pathname).toBe('/query');
    expect(Object.fromEntries(asked.searchParams)).toEqual({
      function: 'NEWS_SENTIMENT',
      tickers: 'CRYPTO:BTC',
      time_from: '20241229T1200',
      sort: 'LATEST',
      limit: '200',
      apikey: KEY,
    });
  });

  it('keeps the path of another address', async () => {
    await client(open(), { baseUrl: `${server.url}/proxy/` }).fetch('BTC', false);
    expect(server.received[0]!.path).toMatch(/^\/proxy\/query\?/);
  });

  it.each([
    [
      'limit',
      { Information: `We have detected your API key as ${KEY} and our rate limit is 25 requests per day.` },
    ],
    ['denied', { 'Error Message': `the parameter apikey ${KEY.toLowerCase()} is invalid` }],
    ['malformed', { hello: 'there' }],
  ])('tells of the failure %s in an HTTP 200, without the key', async (why, body) => {
    feed = body;
    const fetched = await client().fetch('BTC', false);
    expect(fetched).toMatchObject({ is: 'failed', why });
    expect(JSON.stringify(fetched).toUpperCase()).not.toContain(KEY);
  });

  it.each([
    ['a status', { status: 503 }, 'HTTP 503'],
    ['a redirect', { status: 302, headers: { location: 'https://elsewhere.example/' } }, 'HTTP 302'],
    ['a cut line', 'drop', 'network'],
  ] as const)('tells of %s', async (_, fault, reason) => {
    server.faults.push(fault);
    const ledger = open();
    const fetched = await client(ledger).fetch('BTC', false);
    expect(fetched).toMatchObject({
      is: 'failed',
      why: 'unreachable',
      reason: expect.stringContaining(reason),
    });
    expect(JSON.stringify(fetched)).not.toContain(KEY);
    // the other side may have counted it
    expect(ledger.spent(AT).calls).toBe(1);
  });

  it('gives up on a server that does not answer', async () => {
    server.faults.push('hang');
    const real = {
      now: () => AT,
      wait: async () => {},
      later: (ms: number, call: () => void) => {
        const timer = setTimeout(call, ms);
        return () => clearTimeout(timer);
      },
    };
    const fetched = await client(open(), { timeoutMs: 50, clock: real }).fetch('BTC', false);
    expect(fetched).toMatchObject({ is: 'failed', why: 'unreachable', reason: 'no answer within 50 ms' });
  });

  it('does not count a call that never left this machine', async () => {
    const dead = await new HttpLoopback(() => {}).start();
    const baseUrl = dead.url;
    await dead.stop();
    const ledger = open();
    const fetched = await client(ledger, { baseUrl }).fetch('BTC', false);
    expect(fetched).toMatchObject({ is: 'failed', why: 'unreachable' });
    expect(ledger.spent(AT)).toEqual({ calls: 0, retries: 0 });
  });

  it('waits a second between calls', async () => {
    const news = client();
    for (const asset of ['BTC', 'ETH', 'SOL']) await news.fetch(asset, false);
    expect(clock.waited).toEqual([1_100, 1_100]);
    expect(server.received).toHaveLength(3);
  });

  it('refuses addresses that are not encrypted, and keys that are none', () => {
    expect(() => client(open(), { baseUrl: 'http://alphavantage.example' })).toThrow('not encrypted');
    expect(() => new AlphaVantageNews({ key: 'a b', ledger: open() })).toThrow('cannot be one');
  });
});

describe('the budget of calls', () => {
  it('lets 25 calls through in any 24 hours, over restarts', async () => {
    for (let i = 0; i < 25; i++) {
      const ledger = open();
      expect(ledger.take('BTC', AT + i * 10 * MINUTE, i % 5 === 0).granted).toBe(true);
      ledger.over(i + 1, true);
      ledger.close();
      ledgers.pop();
    }
    const ledger = open();
    const later = AT + 20 * HOUR;
    expect(ledger.spent(later)).toEqual({ calls: 25, retries: 5 });
    expect(ledger.take('BTC', later, false)).toEqual({ granted: false, why: 'spent', from: AT + DAY });
    const fetched = await client(ledger, { clock: { ...noWaiting, now: () => later } }).fetch('BTC', false);
    expect(fetched).toEqual({ is: 'waits', why: 'spent', from: AT + DAY });
    expect(server.received).toHaveLength(0);
    expect(ledger.take('BTC', AT + DAY - 1, false).granted).toBe(false);
    expect(ledger.take('BTC', AT + DAY, false).granted).toBe(true);
    expect(ledger.take('ETH', AT + DAY + 2 * SECOND, false)).toEqual({
      granted: false,
      why: 'spent',
      from: AT + DAY + 10 * MINUTE,
    });
  });

  it('serves four assets every four hours, day after day', () => {
    const ledger = open();
    for (let hour = 0; hour < 96; hour += 4) {
      for (const [i, asset] of ['BTC', 'ETH', 'SOL', 'XRP'].entries()) {
        const grant = ledger.take(asset, AT + hour * HOUR + i * 1_100, false);
        expect(grant).toMatchObject({ granted: true });
        if (grant.granted) ledger.over(grant.call, true);
      }
    }
  });

  it('is one for all processes, and lets only one of them fetch the same news', () => {
    const [one, other] = [open(), open()];
    const grant = one.take('BTC', AT, false);
    expect(other.take('BTC', AT + 5 * SECOND, false)).toEqual({
      granted: false,
      why: 'elsewhere',
      from: AT + 2 * MINUTE,
    });
    expect(other.take('ETH', AT + 1, false)).toEqual({ granted: false, why: 'too-soon', from: AT + 1_100 });
    if (grant.granted) one.over(grant.call, true);
    expect(other.take('BTC', AT + 5 * SECOND, false).granted).toBe(true);
    expect(open('ANOTHER').spent(AT + MINUTE).calls).toBe(0);
  });

  it('is not stopped by a clock that is put back', () => {
    const ledger = open();
    ledger.take('BTC', AT, false);
    expect(ledger.take('ETH', AT - HOUR, false).granted).toBe(true);
    expect(ledger.spent(AT - HOUR).calls).toBe(2);
  });

  it('keeps the newest news of each asset and scorer', () => {
    const ledger = open();
    ledger.keep('BTC', 'finbert', { fetchedAt: AT, value: 'new' });
    ledger.keep('BTC', 'finbert', { fetchedAt: AT - 1, value: 'old' });
    ledger.keep('BTC', 'lexicon', { fetchedAt: AT - 2, value: 'other' });
    expect(open().latest('BTC', 'finbert')).toEqual({ fetchedAt: AT, value: 'new' });
    expect(ledger.latest('BTC', 'lexicon')).toEqual({ fetchedAt: AT - 2, value: 'other' });
    expect(ledger.latest('ETH', 'finbert')).toBeNull();
  });

  it('refuses a file that is something else', () => {
    const other = join(folder, 'other.db');
    writeFileSync(other, 'not a database, but long enough to be taken for something');
    expect(() => CallLedger.open(other, 'KEY')).toThrow('cannot be opened');
  });
});

const noWaiting = { wait: async () => {}, later: () => () => {} };
