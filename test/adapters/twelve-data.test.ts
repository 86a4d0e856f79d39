import { afterEach, describe, expect, it } from 'vitest';
import {
  CreditBudget,
  type FeedClock,
  openBars,
  TwelveData,
  type TwelveDataOptions,
  UnreachableError,
  VenueRefusal,
} from '#adapters';
import { DAY, InputError, MINUTE } from '#base';
import type { Bar } from '#market';
import { TwelveDataLoopback, type TwelveDataLoopbackOptions } from './twelve-data-loopback.ts';

const T0 = Date.UTC(2025, 0, 15, 14, 30);
const KEY = 'k-3f9a';

/** A clock that goes forward by what is waited for. */
function patientClock(at: number): FeedClock & { at: number; waited: number[] } {
  const clock = {
    at,
    waited: [] as number[],
    now: () => clock.at,
    wait: async (ms: number) => {
      clock.waited.push(ms);
      clock.at += ms;
    },
    // a time limit of the test's own is real
    later: (ms: number, call: () => void) => {
      const timer = setTimeout(call, ms);
      return () => clearTimeout(timer);
    },
  };
  return clock;
}

function minute(symbol: string, time: number): Bar {
  const step = ((time / MINUTE) % 97) / 10 + symbol.length;
  return {
    time,
    open: 100 + step,
    high: 103.5 + step,
    low: 97.25 + step,
    close: 101.125 + step,
    volume: 2.5,
  };
}

const stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

async function play(
  server: Partial<TwelveDataLoopbackOptions> = {},
  options: Partial<TwelveDataOptions> = {},
  at = T0,
) {
  const clock = patientClock(at);
  const loopback = await new TwelveDataLoopback({
    now: clock.now,
    key: KEY,
    minute,
    symbols: ['BTC/USD', 'ETH/USD'],
    ...server,
  }).start();
  stops.push(() => loopback.stop());
  const client = new TwelveData({ apiKey: KEY, baseUrl: loopback.url, clock, ...options });
  return { clock, loopback, client };
}

const BTC = 'BTC/USD';

describe('bars of Twelve Data', () => {
  it('come ascending, in UTC, as numbers, without volume and without the running bar', async () => {
    const { client, loopback } = await play({}, {}, T0 + 90_000);
    const bars = await client.bars({
      symbol: BTC,
      intervalMs: MINUTE,
      from: T0 - 3 * MINUTE,
      to: T0 + 9 * MINUTE,
    });
    expect(bars.map((bar) => (bar.time - T0) / MINUTE)).toEqual([-3, -2, -1, 0]);
    expect(bars[0]).toEqual({ ...minute(BTC, T0 - 3 * MINUTE), volume: null });
    const query = new URL(loopback.http.received[0]!.path, loopback.url).searchParams;
    expect(Object.fromEntries(query)).toMatchObject({
      order: 'ASC',
      timezone: 'UTC',
      symbol: BTC,
      interval: '1min',
    });
    expect(query.has('apikey')).toBe(false);
    expect(loopback.credits).toBe(1);
  });

  it('keep a volume where one is stated', async () => {
    const { client } = await play({ volumes: true });
    const [bar] = await client.bars({ symbol: BTC, intervalMs: 5 * MINUTE, from: T0 - 5 * MINUTE, to: T0 });
    expect(bar).toMatchObject({ time: T0 - 5 * MINUTE, volume: 12.5 });
  });

  it('of three minutes are made of one-minute bars, and left out where one of those is missing', async () => {
    const absent = T0 - 5 * MINUTE;
    const { client, loopback } = await play({ minute: (s, t) => (t === absent ? null : minute(s, t)) });
    const bars = await client.bars({ symbol: BTC, intervalMs: 3 * MINUTE, from: T0 - 12 * MINUTE, to: T0 });
    expect(bars.map((bar) => (bar.time - T0) / MINUTE)).toEqual([-12, -9, -3]);
    const parts = [-12, -11, -10].map((n) => minute(BTC, T0 + n * MINUTE));
    expect(bars[0]).toEqual({
      time: parts[0]!.time,
      open: parts[0]!.open,
      high: Math.max(...parts.map((part) => part.high)),
      low: Math.min(...parts.map((part) => part.low)),
      close: parts[2]!.close,
      volume: null,
    });
    expect(new URL(loopback.http.received[0]!.path, loopback.url).searchParams.get('interval')).toBe('1min');
  });

  it('of several symbols come in one call that costs a credit each', async () => {
    const { client, loopback } = await play();
    const found = await client.barsOf([BTC, 'ETH/USD'], {
      intervalMs: 15 * MINUTE,
      from: T0 - 30 * MINUTE,
      to: T0,
    });
    expect([...found.values()].map((bars) => bars.length)).toEqual([2, 2]);
    expect(loopback.http.received).toHaveLength(1);
    expect(loopback.credits).toBe(2);
  });

  it('of a long span come page by page without a hole', async () => {
    const { client, loopback } = await play();
    const bars = await client.bars({ symbol: BTC, intervalMs: MINUTE, from: T0 - 7_000 * MINUTE, to: T0 });
    expect(bars).toHaveLength(7_000);
    expect(bars.every((bar, i) => bar.time === T0 - (7_000 - i) * MINUTE)).toBe(true);
    expect(loopback.http.received).toHaveLength(2);
  });

  it('are none where none are', async () => {
    const { client } = await play({ minute: () => null });
    expect(await client.bars({ symbol: BTC, intervalMs: MINUTE, from: T0 - MINUTE, to: T0 })).toEqual([]);
    const both = await client.barsOf([BTC, 'ETH/USD'], { intervalMs: MINUTE, from: T0 - MINUTE, to: T0 });
    expect([...both.values()]).toEqual([[], []]);
  });
});

describe('the credits of Twelve Data', () => {
  const one = { symbol: BTC, intervalMs: MINUTE, from: T0 - 2 * MINUTE, to: T0 };

  it('are kept without being told', async () => {
    const { client, clock, loopback } = await play();
    for (let i = 0; i < 9; i++) await client.bars(one);
    expect(clock.waited).toEqual([MINUTE]);
    expect(loopback.credits).toBe(9);
    expect(client.retries).toBe(0);
  });

  it.each([[true], [false]])(
    'that are spent by others are waited for (as a status: %s)',
    async (statusOfErrors) => {
      const budget = new CreditBudget({ perMinute: 100, perDay: 1_000 });
      const { client, clock, loopback } = await play({ statusOfErrors, perMinute: 2 }, { budget });
      for (let i = 0; i < 3; i++) await client.bars(one);
      expect(clock.waited).toEqual([MINUTE]);
      expect(loopback.credits).toBe(3);
      // what the header said was enough: no call was refused
      expect(client.retries).toBe(0);
    },
  );

  it('that an answer refuses are waited for', async () => {
    const { client, clock, loopback } = await play({ perMinute: 50 });
    loopback.http.faults.push(
      { status: 429 },
      { status: 200, body: { code: 429, message: 'run out', status: 'error' } },
    );
    expect(await client.bars(one)).toHaveLength(2);
    expect(clock.waited).toEqual([MINUTE, MINUTE]);
    loopback.http.faults.push({
      status: 200,
      body: { [BTC]: { code: 429, message: 'x', status: 'error' }, 'ETH/USD': { values: [], status: 'ok' } },
    });
    expect((await client.barsOf([BTC, 'ETH/USD'], one)).get(BTC)).toHaveLength(2);
    expect(clock.waited).toHaveLength(3);
  });

  it('of a day are not waited for', async () => {
    const budget = new CreditBudget({ perMinute: 8, perDay: 3 });
    const { client, clock, loopback } = await play({}, { budget });
    for (let i = 0; i < 3; i++) await client.bars(one);
    await expect(client.bars(one)).rejects.toThrow(/spent until 2025-01-16 00:00:00/);
    expect(loopback.http.received).toHaveLength(3);
    clock.at += DAY;
    expect(await client.bars(one)).toHaveLength(2);
  });

  it('of a day that the other side calls spent are not asked for again', async () => {
    const { client, loopback } = await play({ perDay: 1 });
    await client.bars(one);
    await expect(client.bars(one)).rejects.toThrow(UnreachableError);
    await expect(client.bars(one)).rejects.toThrow(UnreachableError);
    expect(loopback.http.received).toHaveLength(2);
  });

  it('are one budget for all that share a counter', async () => {
    const counter = await openBars({ file: ':memory:', databaseUrl: null });
    stops.push(() => counter.close());
    const budgets = [0, 1].map(() => new CreditBudget({ perMinute: 3, perDay: 5 }, counter));
    const taken: (number | null)[] = [];
    for (let i = 0; i < 4; i++) taken.push(await budgets[i % 2]!.take(1, T0));
    expect(taken).toEqual([null, null, null, T0 + MINUTE]);
    expect(await budgets[0]!.take(2, T0 + MINUTE)).toBeNull();
    expect(await budgets[1]!.take(1, T0 + 2 * MINUTE)).toBe(Date.UTC(2025, 0, 16));
    expect(await budgets[1]!.take(1, T0 + DAY)).toBeNull();
  });

  it('that no minute gives are refused at once', async () => {
    const { client, loopback } = await play({}, { budget: new CreditBudget({ perMinute: 1, perDay: 9 }) });
    await expect(client.barsOf([BTC, 'ETH/USD'], one)).rejects.toThrow(/more than the 1 credits/);
    expect(loopback.http.received).toHaveLength(0);
  });
});

describe('what Twelve Data refuses', () => {
  const one = { symbol: BTC, intervalMs: MINUTE, from: T0 - 2 * MINUTE, to: T0 };

  it('is not asked again, and is told without the key', async () => {
    const { client, loopback } = await play({}, { apiKey: 'wrong-7788' });
    const error = await client.bars(one).catch((cause: unknown) => cause as VenueRefusal);
    expect(error).toBeInstanceOf(VenueRefusal);
    expect(error).toMatchObject({ code: 401 });
    expect(String(error)).not.toContain('wrong-7788');
    expect(loopback.http.received).toHaveLength(1);
    expect(() => new TwelveData({ apiKey: '' })).toThrow(InputError);
    expect(() => new TwelveData({ apiKey: KEY, baseUrl: 'http://example.org' })).toThrow(InputError);
    expect(() => new TwelveData({ apiKey: KEY })).not.toThrow();
  });

  it('of one symbol among several is refused', async () => {
    const { client } = await play();
    await expect(client.bars({ ...one, symbol: 'NOPE/USD' })).rejects.toThrow(/NOPE\/USD/);
    await expect(client.barsOf([BTC, 'NOPE/USD'], one)).rejects.toThrow(VenueRefusal);
  });

  it('by itself for a while is asked again with growing waits', async () => {
    const { client, clock, loopback } = await play({ perMinute: 100 }, { timeoutMs: 200 });
    loopback.http.faults.push(
      { status: 500, body: { code: 500, message: 'internal', status: 'error' } },
      'drop',
      'garbage',
      'hang',
    );
    expect(await client.bars(one)).toHaveLength(2);
    expect(client.retries).toBe(4);
    expect(clock.waited).toHaveLength(4);
    expect(clock.waited[2]!).toBeGreaterThan(clock.waited[0]!);
    loopback.http.faultFor = () => ({
      status: 200,
      body: { values: [{ datetime: '2025-01-15 14:29:00', open: 'x' }] },
    });
    clock.at += MINUTE;
    await expect(client.bars(one)).rejects.toThrow(/wrong shape/);
  });

  it('ends with its signal', async () => {
    const { client, loopback } = await play();
    loopback.http.faults.push('hang');
    const stop = new AbortController();
    const asked = client.bars(one, stop.signal);
    setTimeout(() => stop.abort(new Error('enough')), 20);
    await expect(asked).rejects.toThrow('enough');
  });
});
