import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { BinanceUsdmFeed, BinanceUsdmRest, type FeedClock } from '#adapters';
import { Chance, MINUTE } from '#base';
import { readCommand } from '#engine';
import type { MarketEvent } from '#market';
import { sigmaPortfolio } from '../../src/apps/runner/choose.ts';
import type { OpenLive } from '../../src/apps/runner/live-venue-of.ts';
import { type PaperSetup, setUpPortfolio } from '../../src/apps/runner/portfolio-setup.ts';
import { replayPaper } from '../../src/apps/runner/replay-paper.ts';
import type { Session } from '../../src/apps/runner/session.ts';
import { BinanceLoopback } from '../adapters/binance-loopback.ts';
import { barsIn, fastClock, runLive } from './live-run.ts';
import { entriesOf, tradesIn } from './play.ts';

const DESK = fileURLToPath(new URL('fixtures/minute-desk.ts', import.meta.url));
const SYMBOLS = ['BTCUSDT', 'ETHUSDT'];

const cleanups: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function venue(clock: FeedClock, skips = false): Promise<BinanceLoopback> {
  const closeFault = (symbol: string, time: number) =>
    skips && new Chance(`${symbol}/${time}/fault`).happens(0.2) ? 'skip' : 'send';
  const server = new BinanceLoopback({ now: clock.now, symbols: SYMBOLS, intervalMs: MINUTE, closeFault });
  await server.start();
  cleanups.push(() => server.stop());
  return server;
}

function setUp(): Promise<PaperSetup> {
  const sigma = sigmaPortfolio();
  const desks = [{ desk: DESK, configuration: 'default', parameters: {} }];
  return setUpPortfolio({ ...sigma, name: 'minute', portfolio: { ...sigma.portfolio, desks } });
}

/** Runs the live portfolio in a folder until the condition holds; `crash` leaves it as a kill would. */
function live(
  setup: PaperSetup,
  directory: string,
  server: BinanceLoopback,
  clock: FeedClock,
  done: (session: Session) => boolean,
  crash = false,
): Promise<Session> {
  const { restUrl, wsUrl } = server;
  const chance = new Chance('test');
  const rest = new BinanceUsdmRest({ baseUrl: restUrl, clock, chance, timeoutMs: 20 * MINUTE });
  const waits = {
    silentMs: 2 * MINUTE,
    connectMs: 20 * MINUTE,
    backoffBaseMs: 5_000,
    backoffMostMs: MINUTE,
    lateMs: 6_000,
  };
  const open = (request: Parameters<OpenLive>[0]) =>
    new BinanceUsdmFeed({ ...request, ...waits, restUrl, wsUrl, chance, rest });
  return runLive({ setup, directory, clock, open }, done, crash);
}

const scratch = () => {
  const directory = mkdtempSync(join(tmpdir(), 'quorum-live-'));
  cleanups.push(() => rmSync(directory, { recursive: true, force: true }));
  return join(directory, 'minute');
};

describe('a portfolio on the live feed', () => {
  it('takes back after a restart that its feed was stale', async () => {
    const clock = fastClock();
    const server = await venue(clock);
    const setup = await setUp();
    const directory = scratch();
    const isDown = (s: Session) => s.engine.intake.feedsDown.has('binance-usdm');
    const stale = (s: Session) => {
      if (s.engine.counts.slices < 22) return false;
      const { at } = s.engine;
      const words = { status: 'stale', detail: 'no price for 60 s' } as const;
      s.market({ kind: 'feed-changed', at, eventTime: at, feed: 'binance-usdm', ...words });
      s.commit();
      return true;
    };
    const first = await live(setup, directory, server, clock, stale, true);
    expect(isDown(first)).toBe(true);
    const before = first.engine.counts.slices;
    const again = await live(setup, directory, server, clock, (s) => s.engine.counts.slices >= before + 3);
    expect(isDown(again)).toBe(false);
    expect(again.engine.entryObjection('minute', 1)).toBeNull();
  });

  it('warms up, trades, and survives drops, skipped bars and crashes without a hole', async () => {
    const clock = fastClock();
    const server = await venue(clock, true);
    const setup = await setUp();
    const directory = scratch();
    await live(setup, directory, server, clock, (s) => s.engine.counts.slices >= 30, true);
    server.dropAll();
    const trades = await live(setup, directory, server, clock, (s) => {
      if (s.engine.counts.slices === 45) server.dropAll();
      return s.engine.counts.slices >= 60;
    });
    expect(trades.engine.counts.fills).toBeGreaterThan(4);
    const last = await live(setup, directory, server, clock, (s) => s.engine.counts.slices >= 80);
    for (const symbol of SYMBOLS) {
      const times = barsIn(directory, `${symbol}.BINANCE-USDM`);
      expect(times.length).toBeGreaterThanOrEqual(75);
      for (const [i, time] of times.entries()) expect(time).toBe(times[0]! + i * MINUTE);
    }
    expect(tradesIn(directory).length).toBe(last.engine.counts.trades);
    expect(new Set(tradesIn(directory)).size).toBe(last.engine.counts.trades);
    const sums = [...last.engine.real.ledger.trialBalance().values()];
    expect(sums.every((sum) => sum === 0)).toBe(true);
    expect((await replayPaper(directory)).events).toBeGreaterThan(300);
  });

  it('enters nothing before its history is complete, nor while the feed is down', async () => {
    const clock = fastClock();
    const server = await venue(clock);
    const setup = await setUp();
    const directory = scratch();
    let dropped = false;
    await live(setup, directory, server, clock, ({ engine }) => {
      if (!dropped && engine.counts.slices >= 20) server.dropAll();
      dropped ||= engine.counts.slices >= 20;
      return engine.counts.slices >= 40;
    });
    const down = new Set<string>(['warm-up']);
    let entries = 0;
    let outages = 0;
    for (const { kind, text } of entriesOf(directory)) {
      if (kind === 'event' && text.startsWith('{"kind":"feed-changed"')) {
        const { feed, status } = JSON.parse(text) as Extract<MarketEvent, { kind: 'feed-changed' }>;
        if (status === 'disconnected' || status === 'stale') down.add(feed);
        else if (status === 'resynced') down.delete(feed);
        if (status === 'disconnected') outages += 1;
      }
      const command = kind === 'command' ? readCommand(text) : null;
      if (command?.kind === 'submit-order' && !command.order.reduceOnly) {
        entries += 1;
        expect([...down], text).toEqual([]);
      }
    }
    expect(entries).toBeGreaterThan(2);
    expect(outages).toBeGreaterThan(0);
  });
});
