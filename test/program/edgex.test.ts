import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { EdgexFeed, EdgexRest, type FeedClock } from '#adapters';
import { Chance, MINUTE } from '#base';
import { readCommand } from '#engine';
import { sigmaPortfolio } from '../../src/apps/runner/choose.ts';
import { addressed, openLive } from '../../src/apps/runner/live-venue-of.ts';
import { type PaperSetup, setUpPortfolio } from '../../src/apps/runner/portfolio-setup.ts';
import { replayPaper } from '../../src/apps/runner/replay-paper.ts';
import type { Session } from '../../src/apps/runner/session.ts';
import { EdgexLoopback } from '../adapters/edgex-loopback.ts';
import { Child, quorum } from './child.ts';
import { barsIn, fastClock, feedLinesIn, runLive } from './live-run.ts';
import { entriesOf, tradesIn } from './play.ts';

const DESK = fileURLToPath(new URL('fixtures/minute-desk.ts', import.meta.url));
const INSTRUMENTS = ['BTCUSDC.EDGEX', 'ETHUSDC.EDGEX'];

/** Bars that go up and down at random: the desk of these tests crosses often. */
function bar(contractId: string, time: number) {
  const level = (at: number) => 1000 + Math.floor(new Chance(`${contractId}/${at}`).uniform() * 200) / 10;
  const [open, close] = [level(time), level(time + MINUTE)];
  return {
    ...EdgexLoopback.bar(contractId, time),
    open: open.toFixed(1),
    close: close.toFixed(1),
    high: (Math.max(open, close) + 0.5).toFixed(1),
    low: (Math.min(open, close) - 0.5).toFixed(1),
  };
}

/** Bars that turn at each close: the desk crosses every time. */
function zigzag(contractId: string, time: number) {
  const [open, close] = (time / MINUTE) % 2 === 0 ? ['1000.0', '1010.0'] : ['1010.0', '1000.0'];
  return { ...EdgexLoopback.bar(contractId, time), open, close, high: '1012.0', low: '998.0' };
}

let folder: string;
const cleanups: (() => Promise<void> | void)[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'quorum-edgex-'));
});
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
  rmSync(folder, { recursive: true, force: true });
});

async function venueAt(now: () => number, tickMs: number, bars = bar): Promise<EdgexLoopback> {
  const server = new EdgexLoopback(() => Math.floor(now()), { bar: bars, tickMs });
  await server.start();
  cleanups.push(() => server.stop());
  return server;
}

function setUp(instruments = INSTRUMENTS): Promise<PaperSetup> {
  const { portfolio, ...sigma } = sigmaPortfolio();
  const desks = [{ desk: DESK, configuration: 'default', parameters: { units: 0.5 }, instruments }];
  return setUpPortfolio({
    ...sigma,
    name: 'minute',
    feed: { kind: 'edgex' },
    portfolio: { ...portfolio, base: 'USDC', desks },
  });
}

/** A portfolio that runs against the server in fast time. */
function live(
  setup: PaperSetup,
  server: EdgexLoopback,
  clock: FeedClock,
  done: (session: Session, status: string) => boolean,
  { crash = false, say = (_: string): void => undefined } = {},
): Promise<Session> {
  const { restUrl, wsUrl } = server;
  const chance = new Chance('test');
  return runLive(
    {
      setup,
      directory: join(folder, 'minute'),
      clock,
      say,
      open: (request) =>
        new EdgexFeed({
          ...request,
          restUrl,
          wsUrl,
          chance,
          rest: new EdgexRest({ baseUrl: restUrl, clock, chance, timeoutMs: 20 * MINUTE, retriesMax: 2 }),
          silentMs: 2 * MINUTE,
          connectMs: 20 * MINUTE,
          lateMs: 6_000,
        }),
    },
    done,
    crash,
  );
}

const ordersIn = (directory: string) =>
  entriesOf(directory).flatMap(({ kind, text }) => {
    const command = kind === 'command' ? readCommand(text) : null;
    return command?.kind === 'submit-order' ? [command.order] : [];
  });

describe('a portfolio on the live prices of edgeX', () => {
  it('warms up, trades on the venue’s own terms, and survives drops, late bars and crashes without a hole', async () => {
    const clock = fastClock();
    const server = await venueAt(clock.now, 5);
    const setup = await setUp();
    const directory = join(folder, 'minute');
    await live(setup, server, clock, (s) => s.engine.counts.slices >= 30, { crash: true });
    server.dropAll();
    server.lagMs = 8_000;
    let dropped = 0;
    const trades = await live(setup, server, clock, (s) => {
      const { slices } = s.engine.counts;
      if (slices >= 45 && dropped === 0) {
        dropped = slices;
        server.dropAll();
      }
      return slices >= 60 && s.engine.counts.fills > 4;
    });
    server.lagMs = 0;
    expect(trades.engine.counts.fills).toBeGreaterThan(4);
    const more = trades.engine.counts.slices + 20;
    const last = await live(setup, server, clock, (s) => s.engine.counts.slices >= more);
    for (const instrument of INSTRUMENTS) {
      const times = barsIn(directory, instrument);
      expect(times.length).toBeGreaterThanOrEqual(75);
      for (const [i, time] of times.entries()) expect(time).toBe(times[0]! + i * MINUTE);
    }
    const states = feedLinesIn(directory);
    expect(states.some((line) => line.startsWith('edgex disconnected'))).toBe(true);
    expect(states.filter((line) => line === 'edgex resynced: all bars are here').length).toBeGreaterThan(2);
    // the grid of the metadata, not the one that stands in before they are known
    const btc = last.engine.instrumentOf(setup.instruments[0]!.id);
    expect(last.engine.instrumentOf('BTCUSDC.EDGEX' as never)).toMatchObject({
      settle: 'USDC',
      tick: { units: 1, scale: 1 },
      lot: { units: 1, scale: 3 },
      fees: [{ makerRate: 12_000, takerRate: 38_000 }],
    });
    expect(btc.marginTiers).toHaveLength(2);
    const entries = ordersIn(directory).filter((order) => order.reason === 'entry');
    expect(entries.length).toBeGreaterThan(4);
    expect(entries.find((order) => order.instrument === 'BTCUSDC.EDGEX')!.lots).toBe(500);
    expect(tradesIn(directory).length).toBe(last.engine.counts.trades);
    expect(new Set(tradesIn(directory)).size).toBe(last.engine.counts.trades);
    expect([...last.engine.real.ledger.trialBalance().values()].every((sum) => sum === 0)).toBe(true);
    expect((await replayPaper(directory)).events).toBeGreaterThan(300);
  });

  it.each([
    ['HTTP 503', 'getKline', 503, 'getKline: HTTP 503'],
    ['too many requests', 'getKline', 429, 'getKline: HTTP 429'],
    ['no JSON', 'getMetaData', 'garbage', 'getMetaData: HTTP 200 without JSON'],
    ['a surprise', 'getMetaData', 'shape', 'getMetaData: an answer of the wrong shape'],
    ['steps that are no numbers', 'getMetaData', 'nan', 'states numbers of contract BTCUSDC that cannot be'],
    ['prices that are no numbers', 'getKline', 'nan', 'close is no decimal text'],
    ['a no', 'getKline', { code: 'INVALID_CONTRACT_ID' }, 'getKline: INVALID_CONTRACT_ID'],
  ] as const)('is told %s, trades nothing, and begins when it is over', async (_, path, fault, words) => {
    const clock = fastClock();
    const server = await venueAt(clock.now, 5);
    server.standing.set(path, fault);
    const setup = await setUp();
    const said: string[] = [];
    const say = (line: string) => said.push(line);
    await live(setup, server, clock, () => said.some((l) => l.includes('no history yet')), { say });
    expect(said.find((line) => line.startsWith('the feed gives no history yet: '))).toContain(words);
    expect(ordersIn(join(folder, 'minute'))).toEqual([]);
    server.standing.clear();
    const after = await live(setup, server, clock, ({ engine }) => engine.counts.fills > 0);
    expect(after.engine.counts.fills).toBeGreaterThan(0);
  });

  it('enters nothing while what comes cannot be read, and says what it is', async () => {
    const clock = fastClock();
    const server = await venueAt(clock.now, 5);
    const setup = await setUp();
    let since = 0;
    const session = await live(setup, server, clock, ({ engine }) => {
      const { slices } = engine.counts;
      if (slices >= 25 && since === 0) {
        since = engine.at;
        server.standing.set('getKline', 'nan');
        server.standing.set('ticker', 'nan');
      }
      return since > 0 && clock.now() > since + 8 * MINUTE;
    });
    const directory = join(folder, 'minute');
    expect(session.engine.counts.slices).toBeLessThan(28);
    const lines = feedLinesIn(directory);
    expect(lines.some((l) => /^edgex stale: .*getKline: .*close is no decimal text/.test(l))).toBe(true);
    expect(lines).toContain(
      'edgex stale: the ticker of BTCUSDC cannot be read: oraclePrice is no decimal text',
    );
    const entries = entriesOf(directory);
    const down = entries.findIndex(({ text }) => /cannot be read|no decimal text/.test(text));
    const isEntry = ({ kind, text }: (typeof entries)[number]) => {
      const command = kind === 'command' ? readCommand(text) : null;
      return command?.kind === 'submit-order' && command.order.reason === 'entry';
    };
    expect(entries.slice(0, down).some(isEntry)).toBe(true);
    const entered = entries.slice(down).filter(isEntry);
    expect(entered).toEqual([]);
  });

  it('takes quotes where the configuration wants them, and fills at them', async () => {
    const clock = fastClock(40);
    const server = await venueAt(clock.now, 20, zigzag);
    const setup = await setUp(['BTCUSDC.EDGEX']);
    const { restUrl: QUORUM_EDGEX_REST_URL, wsUrl: QUORUM_EDGEX_WS_URL } = server;
    const feed = addressed({ kind: 'edgex', quotes: true }, { QUORUM_EDGEX_REST_URL, QUORUM_EDGEX_WS_URL });
    const directory = join(folder, 'minute');
    const run = { setup, directory, clock, open: openLive(feed) };
    const session = await runLive(run, ({ engine }) => engine.counts.fills > 1);
    expect(session.engine.counts.fills).toBeGreaterThan(1);
    const quotes = entriesOf(directory).filter(({ text }) => text.startsWith('{"kind":"quote-updated"'));
    expect(quotes.length).toBeGreaterThan(1);
    // the entry buys at the ask or sells at the bid, a tick from the middle: nothing is made up on top of what was quoted
    const [entry] = entriesOf(directory).flatMap(({ kind, text }) =>
      kind === 'note' && text.startsWith('{"note":"fill"')
        ? [(JSON.parse(text) as { fill: { side: string; ticks: number } }).fill]
        : [],
    );
    const asked = entry!.side === 'buy' ? [10_001, 10_101] : [9_999, 10_099];
    expect(asked).toContain(entry!.ticks);
  });

  it('ends with clear words for a contract that the venue does not have', async () => {
    const clock = fastClock();
    const server = await venueAt(clock.now, 5);
    const setup = await setUp(['DOGEUSDC.EDGEX']);
    await expect(live(setup, server, clock, () => false)).rejects.toThrow('edgeX has no contract DOGEUSDC');
    expect(ordersIn(join(folder, 'minute'))).toEqual([]);
  });
});

describe('a configuration with edgeX', () => {
  it('takes instruments of edgeX alone, in its currency, at its fees', async () => {
    await expect(setUp(['BTCUSDT.BINANCE-USDM'])).rejects.toMatchObject({
      message: 'the feed edgex does not bring BTCUSDT.BINANCE-USDM',
      mend: 'it brings instruments that end in .EDGEX',
    });
    const { portfolio, ...sigma } = sigmaPortfolio();
    const s1 = (base: string, parameters: Record<string, unknown>) =>
      setUpPortfolio({
        ...sigma,
        name: 's1',
        feed: { kind: 'edgex' },
        portfolio: {
          ...portfolio,
          base,
          desks: [{ desk: 's1-momentum', configuration: 'default', parameters }],
        },
      });
    const instruments = Object.fromEntries(
      ['BTC', 'ETH', 'SOL', 'XRP'].map((coin) => [coin, `${coin}USDC.EDGEX`]),
    );
    await expect(s1('USDT', { instruments })).rejects.toMatchObject({
      mend: expect.stringContaining('set "base" to USDC'),
    });
    const sixteen = await s1('USDC', { instruments });
    expect(sixteen.mode).toBe('PAPER');
    expect(sixteen.header.desks).toHaveLength(16);
    expect(sixteen.instruments.map(({ id }) => id)).toEqual(Object.values(instruments).sort());
    // the venue's own schedule decides, not a figure that lies over it
    expect(sixteen.venue.feeOverride).toBeNull();
    expect(sixteen.instruments[0]!.fees).toEqual([{ from: 0, makerRate: 12_000, takerRate: 38_000 }]);
    expect((await s1('USDC', { instruments, feeBps: 5 })).venue.feeOverride).toEqual({
      makerRate: 50_000,
      takerRate: 50_000,
    });
    // it makes no bars of three minutes
    expect((await s1('USDC', { instruments, timeframe: '3M' })).feedMs).toBe(MINUTE);
    expect((await s1('USDC', { instruments, timeframe: '15M' })).feedMs).toBe(15 * MINUTE);
  });
});

function configure(more: Record<string, unknown>, accounts = {}): void {
  const desks = [{ desk: DESK, parameters: { units: 0.5 }, instruments: ['BTCUSDC.EDGEX'] }];
  const portfolio = { base: 'USDC', desks, feed: 'edge', account: 'edge' };
  const configuration = {
    portfolios: { minute: portfolio },
    accounts: { edge: { kind: 'simulated' }, ...accounts },
    feeds: { edge: { kind: 'edgex', ...more } },
  };
  writeFileSync(join(folder, 'quorum.config.json'), JSON.stringify(configuration));
}

const start = (args: readonly string[] = []) => ['start', '--no-console', ...args];

describe('quorum start with edgeX', () => {
  it('trades on paper, goes on after a disconnection, and after a restart without a gap', async () => {
    // the venue's clock stands up to a minute beside ours, so that a bar closes soon after each start
    let behind = 60_000;
    const now = () => Date.now() - behind;
    const soon = () => {
      behind -= 48_000 - (now() % 60_000);
    };
    soon();
    const server = await venueAt(now, 100, zigzag);
    configure({ restUrl: server.restUrl, wsUrl: server.wsUrl });
    const directory = join(folder, '.quorum', 'minute');
    const first = new Child(start(), { cwd: folder });
    await first.until(() => first.stdout.includes('warm-up complete: 20 bars of history'), 'its history');
    const live = (count: number) => barsIn(directory, 'BTCUSDC.EDGEX').length >= count;
    await first.until(() => live(21), 'a live bar');
    server.dropAll();
    await first.until(() => /edgex disconnected[\s\S]*edgex resynced/.test(first.stdout), 'a new connection');
    first.kill('SIGTERM');
    const ended = await first.ended;
    expect(ended.code).toBe(0);
    expect(ended.stdout).toContain('the venue states other contract terms');
    soon();
    const second = new Child(start(['--json']), { cwd: folder });
    const hasEntered = () => ordersIn(directory).some((order) => order.reason === 'entry');
    // a bar that came while the program started is history by then: the next one closes a minute later
    const traded = () => second.until(() => live(22) && hasEntered(), 'another live bar, and an order');
    await traded().catch(traded).catch(traded);
    await sleep(1_000);
    second.kill('SIGTERM');
    const { code, stderr } = await second.ended;
    expect(code).toBe(0);
    expect(stderr).toContain('continued minute');
    const times = barsIn(directory, 'BTCUSDC.EDGEX');
    for (const [i, time] of times.entries()) expect(time).toBe(times[0]! + i * MINUTE);
    expect((await replayPaper(directory)).events).toBeGreaterThan(20);
  });

  it('says that the venue cannot be reached, and what can be done', async () => {
    configure({ restUrl: 'http://127.0.0.1:9', wsUrl: 'ws://127.0.0.1:9' });
    const { code, stderr } = await quorum(start(['--portfolio', 'minute']), folder);
    expect(code).not.toBe(0);
    expect(stderr).toContain('the live feed http://127.0.0.1:9 cannot be reached');
    expect(stderr).toContain('--sample');
  });

  it('trades no real money, whatever the configuration says', async () => {
    configure({}, { edge: { kind: 'edgex', live: true, arming: 'trade edge with real money' } });
    const { code, stderr } = await quorum(start(['--portfolio', 'minute']), folder);
    expect(code).toBe(3);
    expect(stderr).toContain('accounts.edge asks for live trading, and this program trades on paper alone');
    expect(stderr).toContain('docs/guide.md');
  });
});
