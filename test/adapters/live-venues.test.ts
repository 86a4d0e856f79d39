import { afterEach, describe, expect, it } from 'vitest';
import { intervalFor, isPublicData, LIVE_VENUES, type LiveFeed, systemClock } from '#adapters';
import { MINUTE, parseInterval } from '#base';
import { instrumentFor, type MarketEvent } from '#market';
import { BinanceLoopback } from './binance-loopback.ts';
import { EdgexLoopback } from './edgex-loopback.ts';

interface Server {
  readonly restUrl: string;
  readonly wsUrl: string;
  start(): Promise<void>;
  stop(): Promise<void>;
  dropAll(): void;
}

const open: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close();
});

/** A minute lasts one and a half seconds; it begins in the midst of one. */
function quickClock() {
  const real = performance.now();
  const start = Date.UTC(2024, 0, 1, 0, 0, 40);
  return {
    now: () => Math.floor(start + (performance.now() - real) * 40),
    wait: (ms: number, signal?: AbortSignal) => systemClock.wait(ms / 40, signal),
    later: (ms: number, call: () => void) => systemClock.later(ms / 40, call),
  };
}

const SERVERS: Readonly<Record<string, (now: () => number, symbol: string) => Server>> = {
  'binance-usdm': (now, symbol) => new BinanceLoopback({ now, symbols: [symbol], intervalMs: MINUTE }),
  edgex: (now) => new EdgexLoopback(now, { tickMs: 20 }),
};

async function until(what: () => boolean): Promise<void> {
  for (const end = Date.now() + 20_000; !what(); await new Promise((done) => setTimeout(done, 5)))
    if (Date.now() > end) throw new Error(`did not happen: ${what}`);
}

describe.each(Object.entries(LIVE_VENUES))('the live venue %s', (kind, venue) => {
  const symbol = venue.symbolOf('BTC');

  it('names hosts of its own that show public data, intervals, and instruments of its own', () => {
    for (const probe of venue.probes) expect(venue.ownHost.test(new URL(probe).hostname), probe).toBe(true);
    for (const url of [venue.restUrl, venue.wsUrl])
      expect(venue.ownHost.test(new URL(url).hostname), url).toBe(true);
    expect(isPublicData(new URL(venue.probes[0]!))).toBe(true);
    expect(venue.ownHost.test('127.0.0.1')).toBe(false);
    expect(venue.ownHost.test('notbinance.com')).toBe(false);
    expect(venue.ownHost.test('edgex.exchange.example.com')).toBe(false);
    for (const interval of venue.intervals) expect(parseInterval(interval), interval).not.toBeNull();
    const instrument = instrumentFor(`${symbol}.${venue.venue}`);
    expect(instrument).toMatchObject({ kind: 'linear-perpetual', base: 'BTC', underlying: 'BTC', symbol });
    expect(instrument.fees[0]!.takerRate).toBeGreaterThan(0);
  });

  it('gives history, then every closed bar once, over a drop too, and its terms', async () => {
    const clock = quickClock();
    const server = SERVERS[kind]!(clock.now, symbol);
    await server.start();
    open.push(() => server.stop());
    const { restUrl, wsUrl } = server;
    await venue.reach(restUrl, 5_000);
    const events: MarketEvent[] = [];
    const onEvent = (event: MarketEvent) => void events.push(event);
    const feed: LiveFeed = venue.open({ symbols: [symbol], interval: '1m', onEvent, clock, restUrl, wsUrl });
    open.push(() => feed.stop());
    feed.start();
    const { history, complete } = await feed.warmUp(5);
    expect(complete).toBe(true);
    const id = `${symbol}.${venue.venue}`;
    const [columns] = [...history].filter(([of]) => of === id).map(([, found]) => found);
    const bars = () =>
      events.flatMap((e) => (e.kind === 'bar-closed' && e.instrument === id ? [e.bar.time] : []));
    await until(() => bars().length >= 1);
    server.dropAll();
    await until(() => bars().length >= 3);
    const last = columns!.time[4]!;
    expect(bars().slice(0, 3)).toEqual([1, 2, 3].map((i) => last + i * MINUTE));
    const states = events.flatMap((e) =>
      e.kind === 'feed-changed' && e.feed === feed.name ? [e.status] : [],
    );
    expect(states).toContain('disconnected');
    await until(() => events.some((e) => e.kind === 'mark-updated' && e.instrument === id && e.mark > 0));
    const found = (await feed.instruments()).find((one) => one.id === id);
    expect(found).toMatchObject({ kind: 'linear-perpetual', symbol });
    const times = events.map((event) => event.at);
    expect(times).toEqual([...times].sort((a, b) => a - b));
  });

  it('says that it cannot be reached', async () => {
    await expect(venue.reach('http://127.0.0.1:9', 2_000)).rejects.toThrow('http://127.0.0.1:9');
    await expect(venue.reach('https://example.com', 2_000)).rejects.toThrow('not armed');
  });
});

describe('the interval that is asked for', () => {
  const { 'binance-usdm': binance, edgex } = LIVE_VENUES;
  const minutes = (...counts: number[]) => counts.map((count) => count * MINUTE);

  it('is the longest that all wanted bars are made of', () => {
    expect(intervalFor(binance, minutes(5, 15))).toBe(5 * MINUTE);
    expect(intervalFor(binance, minutes(3))).toBe(3 * MINUTE);
    expect(intervalFor(edgex, minutes(3))).toBe(MINUTE);
    expect(intervalFor(edgex, minutes(1, 3, 5, 15))).toBe(MINUTE);
    expect(intervalFor(edgex, minutes(15))).toBe(15 * MINUTE);
    expect(intervalFor(edgex, minutes(10))).toBe(5 * MINUTE);
  });

  it('is none where none divides', () => {
    expect(() => intervalFor(edgex, [90_000])).toThrow('edgeX makes no bars that');
  });
});
