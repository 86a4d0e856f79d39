import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { Chance, MINUTE } from '#base';
import type { MarketEvent } from '#market';
import {
  BinanceUsdmFeed,
  type BinanceUsdmFeedOptions,
  BinanceUsdmRest,
  downloadBars,
  type FeedClock,
  readBarsFile,
  systemClock,
  UnreachableError,
  VenueRefusal,
} from '../../src/adapters/feeds/index.ts';
import { BinanceLoopback, type CloseFault, type LoopbackOptions, venueBar } from './binance-loopback.ts';

/** A clock that runs `factor` times as fast from 2024-01-01 on. */
function fastClock(factor: number): FeedClock {
  const real = performance.now();
  const start = Date.UTC(2024, 0, 1, 0, 0, 20);
  return {
    now: () => start + (performance.now() - real) * factor,
    wait: (ms, signal) => systemClock.wait(ms / factor, signal),
    later: (ms, call) => systemClock.later(ms / factor, call),
  };
}

/** One minute lasts a tenth of a second. */
const FACTOR = 600;
const SYMBOLS = ['BTCUSDT', 'ETHUSDT'];

const cleanups: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function loopback(clock: FeedClock, options: Partial<LoopbackOptions> = {}): Promise<BinanceLoopback> {
  const server = new BinanceLoopback({ now: clock.now, symbols: SYMBOLS, intervalMs: MINUTE, ...options });
  await server.start();
  cleanups.push(() => server.stop());
  return server;
}

async function scratch(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'feeds-'));
  cleanups.push(() => rm(dir, { recursive: true }));
  return dir;
}

function feedOn(server: BinanceLoopback, clock: FeedClock, options: Partial<BinanceUsdmFeedOptions> = {}) {
  const events: MarketEvent[] = [];
  const feed = new BinanceUsdmFeed({
    symbols: SYMBOLS,
    interval: '1m',
    restUrl: server.restUrl,
    wsUrl: server.wsUrl,
    clock,
    chance: new Chance('test'),
    rest: new BinanceUsdmRest({
      baseUrl: server.restUrl,
      clock,
      chance: new Chance('test rest'),
      timeoutMs: 20 * MINUTE,
    }),
    onEvent: (event) => events.push(event),
    // limits in the clock's own milliseconds, wide enough for a busy machine
    silentMs: 2 * MINUTE,
    connectMs: 20 * MINUTE,
    backoffBaseMs: 5_000,
    backoffMostMs: MINUTE,
    lateMs: 6_000,
    settleMs: 1_000,
    ...options,
  });
  cleanups.push(() => feed.stop());
  return { feed, events };
}

type Kind<K> = Extract<MarketEvent, { kind: K }>;
const ofKind = <K extends MarketEvent['kind']>(events: readonly MarketEvent[], kind: K) =>
  events.filter((event): event is Kind<K> => event.kind === kind);

async function until(condition: () => boolean, what: string): Promise<void> {
  const end = performance.now() + 20_000;
  while (!condition()) {
    if (performance.now() > end) throw new Error(`waited in vain: ${what}`);
    await systemClock.wait(5);
  }
}

const closesOf = (events: readonly MarketEvent[], symbol: string) =>
  ofKind(events, 'bar-closed').filter((event) => event.instrument === `${symbol}.BINANCE-USDM`);

/** Every closed bar once, in order, without a hole, with the venue's own figures. */
function expectTruth(
  events: readonly MarketEvent[],
  absent: (symbol: string, time: number) => boolean = () => false,
): void {
  for (const symbol of SYMBOLS) {
    const closes = closesOf(events, symbol);
    let expected = closes[0]!.bar.time;
    for (const { bar, eventTime, at } of closes) {
      while (absent(symbol, expected)) expected += MINUTE;
      expect(bar.time).toBe(expected);
      const truth = venueBar(symbol, bar.time, MINUTE);
      const figures = [bar.open, bar.high, bar.low, bar.close, bar.volume];
      expect(figures).toEqual([truth.open, truth.high, truth.low, truth.close, truth.volume].map(Number));
      expect(eventTime).toBe(bar.time + MINUTE);
      expect(at).toBeGreaterThanOrEqual(eventTime);
      expected += MINUTE;
    }
  }
  for (let i = 1; i < events.length; i++) expect(events[i]!.at).toBeGreaterThanOrEqual(events[i - 1]!.at);
}

describe('the live feed', () => {
  it('warms up, compares the overlap and goes on without a hole', async () => {
    const clock = fastClock(FACTOR);
    const server = await loopback(clock, { fundingIntervalMs: 4 * MINUTE });
    const { feed, events } = feedOn(server, clock, { quotes: true });
    feed.start();
    const warm = await feed.warmUp(2_000, 10 * MINUTE);
    expect(warm).toMatchObject({ complete: true, differing: [] });
    expect(warm.compared).toBeGreaterThanOrEqual(SYMBOLS.length);
    await until(() => SYMBOLS.every((s) => closesOf(events, s).length >= 6), 'six bars');
    await until(() => ofKind(events, 'funding-due').length >= 2, 'funding');
    await feed.stop();
    expectTruth(events);
    for (const symbol of SYMBOLS) {
      const history = warm.history.get(`${symbol}.BINANCE-USDM` as never)!;
      expect(history.length).toBe(2_000);
      expect(closesOf(events, symbol)[0]!.bar.time).toBe(history.time[1_999]! + MINUTE);
    }
    // 2,000 bars are two pages
    expect(server.requests.filter((r) => /klines.*limit=1500/.test(r)).length).toBeGreaterThanOrEqual(4);
    const opened = ofKind(events, 'bar-opened').filter(
      (event) => event.instrument === 'BTCUSDT.BINANCE-USDM',
    );
    expect(new Set(opened.map((event) => event.eventTime)).size).toBe(opened.length);
    for (const { eventTime, open } of opened)
      expect(open).toBe(Number(venueBar('BTCUSDT', eventTime, MINUTE).open));
    const funding = ofKind(events, 'funding-due')[0]!;
    expect(funding).toMatchObject({ rate: 0.000125, mark: 20.45 });
    expect(funding.eventTime % (4 * MINUTE)).toBe(0);
    expect(ofKind(events, 'mark-updated')[0]).toMatchObject({ mark: 20.5, index: 20.4 });
    expect(ofKind(events, 'quote-updated')[0]).toMatchObject({
      bid: 20.49,
      bidSize: 3,
      ask: 20.51,
      askSize: 4,
    });
    const seen = events.length;
    await systemClock.wait(150);
    expect(events.length).toBe(seen);
  });

  it('delivers every closed bar once and in order through skipped, repeated, late and altered messages', async () => {
    const clock = fastClock(FACTOR);
    const chance = new Chance('faults');
    const faults: CloseFault[] = [];
    const server = await loopback(clock, {
      closeFault: () => {
        const fault = (['send', 'skip', 'repeat', 'late', 'altered'] as const)[chance.below(5)]!;
        faults.push(fault);
        return fault;
      },
    });
    const { feed, events } = feedOn(server, clock);
    feed.start();
    await feed.warmUp(10, 10 * MINUTE);
    await until(() => SYMBOLS.every((s) => closesOf(events, s).length >= 20), 'twenty bars');
    await feed.stop();
    expectTruth(events);
    expect(new Set(faults).size).toBe(5);
    const counts = [...feed.counts().values()];
    const sum = (key: 'duplicate' | 'conflict' | 'late' | 'backFilled') =>
      counts.reduce((s, c) => s + c[key], 0);
    expect(sum('duplicate')).toBeGreaterThan(0);
    expect(sum('conflict')).toBeGreaterThan(0);
    expect(sum('backFilled')).toBeGreaterThan(0);
    expect(feed.malformed).toBe(0);
  });

  it('recovers from drops, refused handshakes, failing REST and silence with the socket open', async () => {
    const clock = fastClock(FACTOR);
    const server = await loopback(clock);
    const { feed, events } = feedOn(server, clock, { silentMs: 90_000 });
    const settled = (more: number) => {
      const before = SYMBOLS.map((s) => closesOf(events, s).length);
      return until(
        () => SYMBOLS.every((s, i) => closesOf(events, s).length >= before[i]! + more),
        `${more} more bars`,
      );
    };
    feed.start();
    await feed.warmUp(5, 10 * MINUTE);
    await settled(2);
    // a cut, with the venue unreachable for a while, then throttled and broken when it is asked for the hole
    server.refuse = true;
    server.restFaults.push(
      { path: '/klines', fault: 429 },
      { path: '/klines', fault: 503 },
      { path: '/klines', fault: 'drop' },
      { path: '/klines', fault: 'garbage' },
      { path: '/klines', fault: 'shape' },
    );
    server.dropAll();
    await systemClock.wait(350);
    server.refuse = false;
    await settled(4);
    // the socket stays open and nothing comes
    const connections = server.connections;
    server.silent = true;
    await until(() => server.connections > connections, 'a new connection after silence');
    server.silent = false;
    await settled(4);
    await feed.stop();
    expectTruth(events);
    const changes = ofKind(events, 'feed-changed');
    expect(changes.some((c) => c.status === 'disconnected' && /silent/.test(c.detail))).toBe(true);
    expect(changes.filter((c) => c.status === 'connected').length).toBeGreaterThanOrEqual(3);
    const resynced = changes.filter((c) => c.status === 'resynced');
    expect(resynced.length).toBeGreaterThanOrEqual(2);
    for (const change of resynced.slice(1)) {
      const known = events.slice(0, events.indexOf(change));
      for (const symbol of SYMBOLS)
        expect(closesOf(known, symbol).at(-1)!.eventTime).toBeGreaterThan(change.at - 2 * MINUTE);
    }
    expect(server.restFaults.length).toBe(0);
  });

  it('renews its connection at the age limit, and passes over bars the venue never made', async () => {
    const clock = fastClock(FACTOR);
    const absent = (_symbol: string, time: number) => (time / MINUTE) % 5 === 3;
    const server = await loopback(clock, { absent });
    const { feed, events } = feedOn(server, clock, { ageMostMs: 3 * MINUTE, marks: false });
    feed.start();
    await feed.warmUp(0, 10 * MINUTE);
    await until(() => SYMBOLS.every((s) => closesOf(events, s).length >= 12), 'twelve bars');
    await feed.stop();
    expectTruth(events, absent);
    expect(ofKind(events, 'feed-changed').some((c) => /age limit/.test(c.detail))).toBe(true);
    expect(feed.counts().get('BTCUSDT')!.passedOver).toBeGreaterThan(0);
  });

  it('refuses hosts that can trade', () => {
    const options = { symbols: ['BTCUSDT'], interval: '1m', onEvent: () => {} };
    expect(() => new BinanceUsdmFeed({ ...options, restUrl: 'https://demo-fapi.binance.com' })).toThrow(
      /not armed/,
    );
    expect(() => new BinanceUsdmFeed({ ...options, wsUrl: 'wss://example.com' })).toThrow(/not armed/);
    expect(() => new BinanceUsdmFeed({ ...options, interval: 'soon' })).toThrow(/interval/);
    expect(() => new BinanceUsdmFeed({ ...options, symbols: [] })).toThrow(/symbol/);
  });
});

describe('the REST client', () => {
  const client = (server: BinanceLoopback, clock: FeedClock, options = {}) =>
    new BinanceUsdmRest({
      baseUrl: server.restUrl,
      clock,
      chance: new Chance(1),
      timeoutMs: 5 * MINUTE,
      ...options,
    });

  it('retries what may pass and waits as long as it is told', async () => {
    const clock = fastClock(FACTOR);
    const server = await loopback(clock);
    const rest = client(server, clock);
    await rest.syncTime();
    server.restFaults.push(
      { path: '/time', fault: 429 },
      { path: '/time', fault: 500 },
      { path: '/time', fault: 'drop' },
    );
    const before = clock.now();
    await rest.syncTime();
    expect(clock.now() - before).toBeGreaterThanOrEqual(2_000);
    expect(rest.retries).toBe(3);
    server.restFaults.push({ path: '/time', fault: 'hang' });
    const impatient = client(server, clock, { timeoutMs: 20_000 });
    await impatient.syncTime();
    expect(impatient.retries).toBeGreaterThanOrEqual(1);
  });

  it('gives up after its retries, and at once on a refusal', async () => {
    const clock = fastClock(FACTOR);
    const server = await loopback(clock);
    const rest = client(server, clock, { retriesMax: 2 });
    for (let i = 0; i < 3; i++) server.restFaults.push({ path: '/time', fault: 503 });
    await expect(rest.syncTime()).rejects.toThrow(UnreachableError);
    expect(rest.requests).toBe(3);
    const refused = rest.klines('NOPEUSDT', '1m');
    await expect(refused).rejects.toThrow(VenueRefusal);
    await expect(refused).rejects.toMatchObject({ code: -1121, status: 400 });
    expect(rest.requests).toBe(4);
    await expect(
      client(server, clock, { baseUrl: 'http://127.0.0.1:9', retriesMax: 1 }).syncTime(),
    ).rejects.toThrow(UnreachableError);
  });

  it('keeps within the request weight', async () => {
    const clock = fastClock(FACTOR * 10);
    const server = await loopback(clock);
    const rest = client(server, clock, { weightPerMinute: 20, timeoutMs: 50 * MINUTE });
    await rest.syncTime();
    server.usedWeight = 18;
    await rest.syncTime();
    const minute = Math.floor(clock.now() / MINUTE);
    server.usedWeight = 0;
    await rest.klines('BTCUSDT', '1m', { limit: 1500 });
    expect(Math.floor(clock.now() / MINUTE)).toBeGreaterThan(minute);
  });

  it('reads instruments on tick and step, not on display precision', async () => {
    const clock = fastClock(FACTOR);
    const server = await loopback(clock);
    const instruments = await client(server, clock).instruments();
    expect(instruments.map((i) => i.id)).toEqual(['BTCUSDT.BINANCE-USDM', 'ETHUSDT.BINANCE-USDM']);
    expect(instruments[0]).toMatchObject({
      tick: { units: 5, scale: 2 },
      lot: { units: 5, scale: 3 },
      minLots: 2,
      minNotional: 5e8,
      kind: 'linear-perpetual',
      maxLeverage: 125,
    });
  });

  it('never gives the open bar, and pages without a seam', async () => {
    const clock = fastClock(FACTOR);
    const server = await loopback(clock);
    const rest = client(server, clock);
    await rest.syncTime();
    const end = Math.floor(clock.now() / MINUTE) * MINUTE;
    const times: number[] = [];
    for await (const page of rest.klinePages(
      'BTCUSDT',
      '1m',
      end - 95 * MINUTE,
      end + 60 * MINUTE,
      undefined,
      10,
    )) {
      times.push(...page.map((row) => row.time));
    }
    expect(times[0]).toBe(end - 95 * MINUTE);
    for (let i = 1; i < times.length; i++) expect(times[i]! - times[i - 1]!).toBe(MINUTE);
    expect(times.length).toBeGreaterThanOrEqual(95);
    expect(times.at(-1)! + MINUTE).toBeLessThanOrEqual(clock.now());
  });
});

describe('downloading', () => {
  it('writes, goes on after an interruption, and extends', async () => {
    const clock = fastClock(FACTOR);
    const server = await loopback(clock);
    const dir = await scratch();
    const rest = new BinanceUsdmRest({
      baseUrl: server.restUrl,
      clock,
      retriesMax: 0,
      timeoutMs: 5 * MINUTE,
    });
    const to = Math.floor(clock.now() / MINUTE) * MINUTE;
    const from = to - 4_000 * MINUTE;
    const shares: number[] = [];
    const request = { rest, symbol: 'BTCUSDT', interval: '1m', from, to, dir };
    const interrupted = downloadBars({
      ...request,
      onProgress: ({ share }) => {
        shares.push(share);
        server.restFaults.push({ path: '/klines', fault: 503 });
      },
    });
    await expect(interrupted).rejects.toThrow(UnreachableError);
    expect(shares).toEqual([1500 / 4000]);
    const part = join(dir, 'BTCUSDT-1m.csv.gz.part.csv');
    await writeFile(part, `${await readFile(part, 'utf8')}17040`);
    const done = await downloadBars(request);
    expect(done).toMatchObject({ rows: 4_000, fetched: 2_500 });
    const [series] = await readBarsFile(done.path);
    expect(series).toMatchObject({ instrument: 'BTCUSDT.BINANCE-USDM', intervalMs: MINUTE });
    expect(series!.faults).toMatchObject({ accepted: 4_000, gaps: 0 });
    const truth = venueBar('BTCUSDT', from + 2_000 * MINUTE, MINUTE);
    expect(series!.columns.high[2_000]).toBe(Number(truth.high));
    const extended = await downloadBars({ ...request, from: from - 100 * MINUTE });
    expect(extended).toMatchObject({ rows: 4_100, fetched: 100 });
    expect(await downloadBars(request)).toMatchObject({ rows: 4_100, fetched: 0 });
    await expect(downloadBars({ ...request, symbol: '../x' })).rejects.toThrow(/symbol/);
  });
});
