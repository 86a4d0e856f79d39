import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { type BarProvider, type BarStore, type NewBar, type ProvidedBar, SqliteBars } from '#adapters';
import { MINUTE } from '#base';
import { type Event, readEvent } from '#engine';
import { FeatureFrame } from '#features';
import { GapFiller } from '../../src/apps/ingest/gap-filler.ts';
import { seriesOf } from '../../src/apps/ingest/series.ts';
import { webhookFeed } from '../../src/apps/ingest/webhook-feed.ts';
import { sigmaPortfolio } from '../../src/apps/runner/choose.ts';
import { type PaperSetup, setUpPortfolio } from '../../src/apps/runner/portfolio-setup.ts';
import { replayPaper } from '../../src/apps/runner/replay-paper.ts';
import { Session } from '../../src/apps/runner/session.ts';
import { WebhookDriver } from '../../src/apps/runner/webhook-driver.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { entriesOf } from './play.ts';

const DESK = fileURLToPath(new URL('fixtures/minute-desk.ts', import.meta.url));
const T0 = Date.UTC(2025, 0, 15, 14, 30);
const BTC = 'S1_RX68_BTC_1M';
const ETH = 'S1_RX68_ETH_1M';
const SERIES = {
  [BTC]: { instrument: 'BTCUSDT.BINANCE-USDM' },
  [ETH]: { instrument: 'ETHUSDT.BINANCE-USDM' },
};
const WARM_UP = 20;

function figures(time: number) {
  const level = (t: number) => 1_000 + 10 * Math.sin(t / MINUTE / 3);
  const open = level(time);
  const close = level(time + MINUTE);
  return { time, open, high: Math.max(open, close) + 2, low: Math.min(open, close) - 2, close, volume: 5 };
}

const bar = (config: string, minute: number, over: Partial<NewBar> = {}): NewBar => ({
  ...figures(T0 + minute * MINUTE),
  config,
  symbol: config.slice(8, 11),
  intervalMs: MINUTE,
  source: 'webhook',
  receivedAt: T0 + (minute + 1) * MINUTE,
  late: false,
  missingBefore: 0,
  pine: null,
  ...over,
});

const provider: BarProvider = {
  name: 'history',
  bars: async ({ from, to }) => {
    const bars: ProvidedBar[] = [];
    for (let time = from; time < to; time += MINUTE) bars.push({ ...figures(time), volume: null });
    return bars;
  },
};

const cleanups: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

function setUp(replayed = false): Promise<PaperSetup> {
  const sigma = sigmaPortfolio();
  const desks = [{ desk: DESK, configuration: 'default', parameters: {} }];
  const feed = webhookFeed.parse({ kind: 'webhook', series: SERIES, replayed });
  return setUpPortfolio({ ...sigma, name: 'minute', feed, portfolio: { ...sigma.portfolio, desks } });
}

async function place() {
  const directory = mkdtempSync(join(tmpdir(), 'quorum-webhook-'));
  cleanups.push(() => rmSync(directory, { recursive: true, force: true }));
  const store: BarStore = await SqliteBars.open(join(directory, 'bars.sqlite'));
  cleanups.push(() => store.close());
  return { directory: join(directory, 'minute'), store, clock: new ManualClock(T0 + 1_000) };
}

/** Runs the loop of a folder while `live` does something; `crash` leaves it as a kill would. */
async function run(
  { directory, store, clock }: Awaited<ReturnType<typeof place>>,
  live: (session: Session, lines: string[]) => Promise<void>,
  crash = false,
): Promise<Session> {
  const setup = await setUp();
  const session = new Session({
    setup,
    directory,
    fresh: false,
    snapshotEvery: 1e9,
    onCommand: () => undefined,
  });
  session.begin(Math.max(clock.now(), session.engine.at));
  const stop = new AbortController();
  const lines: string[] = [];
  const series = seriesOf(SERIES);
  const source = { provider, symbolOf: () => 'X' };
  const driver = new WebhookDriver({
    session,
    store,
    series,
    filler: new GapFiller({ store, series, sources: [source], clock }),
    clock,
    signal: stop.signal,
    onSlice: () => undefined,
    say: (line) => lines.push(line),
    pollMs: 1,
    hangMs: 300,
  });
  const running = driver.run();
  try {
    // a driver that gives up before its time has failed
    await Promise.race([live(session, lines), running]);
  } finally {
    stop.abort();
    await running.finally(() => (crash ? session.abandon() : session.close()));
  }
  return session;
}

async function until(holds: () => boolean, what: string): Promise<void> {
  for (let waits = 0; !holds(); waits++) {
    if (waits > 4_000) throw new Error(`waited in vain for ${what}`);
    await sleep(2);
  }
}

const eventsOf = (directory: string): Event[] =>
  entriesOf(directory)
    .filter(({ kind }) => kind === 'event')
    .map(({ text }) => readEvent(text));

/** Minutes of the bars the loop took of one config, in its order. */
const minutesOf = (directory: string, config: keyof typeof SERIES): number[] =>
  eventsOf(directory).flatMap((event) =>
    event.kind === 'bar-closed' && event.instrument === SERIES[config]!.instrument
      ? [(event.bar.time - T0) / MINUTE]
      : [],
  );

const feedWords = (directory: string, feed: string): string[] =>
  eventsOf(directory).flatMap((event) =>
    event.kind === 'feed-changed' && event.feed === feed ? [event.status] : [],
  );

const span = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);

describe('a webhook feed in the loop', () => {
  it('brings history first, then every bar of the store once, over crashes and ends', async () => {
    const at = await place();
    const { directory, store, clock } = at;
    // some of the history is there already, behind newer bars
    await store.insert([bar(BTC, -1), bar(BTC, -5), bar(BTC, -6)], T0);
    const live = (from: number, to: number) => async (session: Session) => {
      await until(() => session.feedSeq !== null, 'the history');
      for (let minute = from; minute < to; minute++) {
        clock.at = T0 + (minute + 1) * MINUTE + 500;
        await store.insert([bar(BTC, minute), bar(ETH, minute)], clock.at);
        const { bars } = session.engine.counts;
        await until(
          () => session.engine.counts.bars >= 2 * (WARM_UP + minute + 1),
          `bar ${minute} behind ${bars}`,
        );
      }
    };
    const first = await run(at, live(0, 10), true);
    expect(first.engine.counts.bars).toBe(2 * (WARM_UP + 10));
    // while the loop is down bars go on
    for (let minute = 10; minute < 15; minute++) await store.insert([bar(BTC, minute), bar(ETH, minute)], T0);
    await run(at, live(15, 30));
    await run(at, live(30, 32), true);
    for (const config of [BTC, ETH] as const)
      expect(minutesOf(directory, config)).toEqual(span(-WARM_UP, 32));
    const again = await replayPaper(directory);
    expect(again).toMatchObject({ by: 'decided', mode: 'PAPER', evidence: true });
    expect(again.commands).toBeGreaterThan(4);
  });

  it('takes again, and does not use twice, what was not durable at a crash', async () => {
    const at = await place();
    const { directory, store, clock } = at;
    await run(at, (session) => until(() => session.feedSeq !== null, 'the history'));
    await store.insert([bar(BTC, 0), bar(ETH, 0)], T0);
    const before = entriesOf(directory).length;
    const setup = await setUp();
    const session = new Session({
      setup,
      directory,
      fresh: false,
      snapshotEvery: 1e9,
      onCommand: () => undefined,
    });
    session.begin(clock.now());
    const seq = session.feedSeq!;
    session.fedUpTo(seq + 2, session.feedStore!);
    session.abandon();
    expect(entriesOf(directory).length).toBe(before + 1);
    await run(at, (own) => until(() => own.feedSeq === seq + 2, 'what was lost'));
    expect(minutesOf(directory, BTC)).toEqual(span(-WARM_UP, 1));
  });

  it('goes on in another store, from the newest bar it had', async () => {
    const at = await place();
    const { directory, store, clock } = at;
    const live = (minute: number, seen: number) => async (session: Session) => {
      await until(() => session.feedSeq !== null && session.engine.counts.bars >= seen, 'the history');
      clock.at = T0 + (minute + 1) * MINUTE + 500;
      await at.store.insert([bar(BTC, minute), bar(ETH, minute)], clock.at);
      await until(() => session.engine.counts.bars === seen + 2, 'the bars');
    };
    await run(at, live(0, 2 * WARM_UP));
    // the new one was begun later and has other numbers
    const other = await SqliteBars.open(':memory:');
    expect(other.id).not.toBe(store.id);
    cleanups.push(() => other.close());
    await other.insert([bar(BTC, 2), bar(ETH, 2)], clock.at);
    at.store = other;
    clock.at = T0 + 3 * MINUTE + 500;
    await run(at, live(3, 2 * (WARM_UP + 3)), true);
    await run(at, live(4, 2 * (WARM_UP + 4)));
    for (const config of [BTC, ETH] as const) expect(minutesOf(directory, config)).toEqual(span(-WARM_UP, 5));
    expect((await replayPaper(directory)).by).toBe('decided');
  });

  it('refuses an earlier state of its store, whose numbers are given twice', async () => {
    const at = await place();
    const { directory, clock } = at;
    const file = join(directory, '..', 'own.sqlite');
    const store = await SqliteBars.open(file);
    cleanups.push(() => store.close());
    at.store = store;
    await run(at, async (session) => {
      await until(() => session.feedSeq !== null, 'the history');
      await store.insert([bar(BTC, 0), bar(ETH, 0)], clock.at);
      await until(() => session.feedSeq === 2 * WARM_UP + 2, 'bars');
    });
    const db = new DatabaseSync(file);
    db.exec(`DELETE FROM bars WHERE seq > ${2 * WARM_UP}; UPDATE bar_sequence SET last = ${2 * WARM_UP}`);
    db.close();
    const start = () => run(at, () => sleep(1_000));
    await expect(start()).rejects.toThrow(/read up to bar 42, the store ends at bar 40/);
    await store.insert([bar(BTC, 1), bar(ETH, 1), bar(BTC, 2)], clock.at);
    await expect(start()).rejects.toThrow(
      /bar 42 was S1_RX68_ETH_1M .*14:30:00Z when it was read, .*14:31:00Z/,
    );
  });

  it('publishes holes and the values of the chart before the bar', async () => {
    const at = await place();
    const { directory, store, clock } = at;
    await run(at, async (session) => {
      await until(() => session.feedSeq !== null, 'the history');
      clock.at = T0 + 4 * MINUTE;
      await store.insert([bar(BTC, 3, { missingBefore: 3, pine: '{"rsi":61.5}' })], clock.at);
      await until(() => session.engine.counts.bars > 2 * WARM_UP, 'the bar');
    });
    const last = eventsOf(directory)
      .filter(({ kind }) => kind !== 'feed-changed')
      .slice(-3);
    const time = T0 + 3 * MINUTE;
    expect(last.map((event) => [event.kind, 'subject' in event ? event.subject : ''])).toEqual([
      ['observation-published', `gap:${BTC}`],
      ['observation-published', `pine:${BTC}`],
      ['bar-closed', ''],
    ]);
    const [gap, pine] = last as { value: string; publishedAt: number }[];
    expect(JSON.parse(gap!.value)).toEqual({ time, missing: 3 });
    expect(JSON.parse(pine!.value)).toEqual({ time, values: { rsi: 61.5 } });
    expect(gap!.publishedAt).toBe(T0 + 4 * MINUTE);
  });

  it('puts what was missing into the history, decides nothing of it, and sees it at the next bar', async () => {
    const at = await place();
    const { directory, store, clock } = at;
    const frameOf = (session: Session) => session.engine.desks[0]!.instruments[0]!.frame;
    const timesOf = ({ bars }: FeatureFrame) =>
      [...bars.time.subarray(0, bars.length)].map((time) => (time - T0) / MINUTE);
    const first = await run(
      at,
      async (session) => {
        await until(() => session.feedSeq !== null, 'the history');
        clock.at = T0 + 4 * MINUTE;
        await store.insert([bar(BTC, 3, { missingBefore: 3 })], clock.at);
        await until(() => session.engine.counts.bars > 2 * WARM_UP, 'the bar');
        expect(timesOf(frameOf(session))).toEqual([...span(-WARM_UP, 0), 3]);
        const { slices } = session.engine.counts;
        const found = [2, 0, 1].map((minute) => bar(BTC, minute, { source: 'backfill', late: true }));
        await store.insert(found, clock.at);
        await until(() => frameOf(session).mended === 1, 'what was missing');
        expect(session.engine.counts.slices).toBe(slices);
      },
      true,
    );
    expect(timesOf(frameOf(first))).toEqual(span(-WARM_UP, 4));
    const again = await run(at, async (session) => {
      clock.at = T0 + 5 * MINUTE;
      await store.insert([bar(BTC, 4)], clock.at);
      await until(() => frameOf(session).count === WARM_UP + 5, 'the next bar');
    });
    const frame = frameOf(again);
    expect(timesOf(frame)).toEqual(span(-WARM_UP, 5));
    const truth = new FeatureFrame(frame.requests);
    for (const minute of span(-WARM_UP, 5)) {
      const { time, open, high, low, close, volume } = figures(T0 + minute * MINUTE);
      truth.push(time, open, high, low, close, volume);
    }
    expect([...frame.latest]).toEqual([...truth.latest]);
    expect(minutesOf(directory, BTC)).toEqual([...span(-WARM_UP, 0), 3, 4]);
    expect((await replayPaper(directory)).by).toBe('decided');
  });

  it('is stale when bars stop, and says when they come again', async () => {
    const at = await place();
    const { store, clock } = at;
    await run(at, async (session, lines) => {
      await until(() => session.feedSeq !== null, 'the history');
      await store.insert([bar(BTC, 0)], clock.at);
      await until(() => session.engine.counts.bars > 2 * WARM_UP, 'a bar');
      clock.at = T0 + 4 * MINUTE;
      await sleep(20);
      expect(lines.join()).not.toContain('webhook stale');
      // one that goes on does not hide another that does not
      expect(feedWords(at.directory, `webhook:${ETH}`)).toEqual(['stale']);
      expect(session.engine.intake.feedDown('minute')).toBe(`webhook:${ETH}`);
      expect(session.engine.intake.feedDown('another')).toBeUndefined();
      clock.at += 1;
      await until(() => lines.join().includes('webhook stale'), 'silence');
      await store.insert([bar(BTC, 4)], clock.at);
      clock.at = T0 + 5 * MINUTE;
      await until(() => lines.join().includes('webhook resynced'), 'the next bar');
    });
    expect(feedWords(at.directory, 'webhook')).toEqual(['stale', 'resynced']);
  });

  it('takes back after a restart what it had said before it', async () => {
    const at = await place();
    const { store, clock } = at;
    await run(
      at,
      async (session, lines) => {
        await until(() => session.feedSeq !== null, 'the history');
        await store.insert([bar(BTC, 0), bar(ETH, 0)], clock.at);
        await until(() => session.engine.counts.bars === 2 * WARM_UP + 2, 'bars');
        clock.at = T0 + 5 * MINUTE;
        await until(() => lines.join().includes('webhook stale'), 'silence');
        store.readFrom = () => Promise.reject(new Error('gone'));
        await until(() => lines.join().includes('does not answer: gone'), 'the fault');
      },
      true,
    );
    const { readFrom } = SqliteBars.prototype;
    store.readFrom = readFrom.bind(store);
    clock.at = T0 + 10 * MINUTE;
    const session = await run(at, async (again) => {
      const { feedsDown } = again.engine.intake;
      expect([feedsDown.has('webhook'), feedsDown.has('bar-store')]).toEqual([true, true]);
      await until(() => !feedsDown.has('bar-store'), 'the store');
      expect(feedsDown.has('webhook')).toBe(true);
      expect(again.engine.entryObjection('minute', 1)?.by).toBe('feed');
      await store.insert([bar(BTC, 9), bar(ETH, 9)], clock.at);
      await until(() => !feedsDown.has('webhook'), 'a fresh bar');
    });
    expect(session.engine.entryObjection('minute', 1)).toBeNull();
    expect(feedWords(at.directory, 'bar-store')).toEqual(['disconnected', 'resynced']);
    expect(feedWords(at.directory, 'webhook')).toEqual(['stale', 'resynced']);
    expect((await replayPaper(at.directory)).by).toBe('decided');
  });

  it('misses after a restart what it has not heard of since', async () => {
    const at = await place();
    const { store, clock } = at;
    await run(at, async (session) => {
      await until(() => session.feedSeq !== null, 'the history');
      await store.insert([bar(BTC, 0), bar(ETH, 0)], clock.at);
      await until(() => session.engine.counts.bars === 2 * WARM_UP + 2, 'bars');
    });
    clock.at = T0 + 4 * MINUTE + 1;
    await run(at, async (session) => {
      await until(() => session.engine.intake.feedsDown.has('webhook'), 'silence');
    });
    expect(feedWords(at.directory, 'webhook')).toEqual(['stale']);
  });

  it.each([
    ['is away', () => Promise.reject(new Error('gone'))],
    ['hangs', () => new Promise<never>(() => undefined)],
  ])('lets time pass while its store %s', async (_, answer) => {
    const at = await place();
    const { store, clock } = at;
    const readFrom = store.readFrom.bind(store);
    await run(at, async (session) => {
      await until(() => session.feedSeq !== null, 'the history');
      await until(() => !session.engine.intake.feedsDown.has('warm-up'), 'the history');
      let passed = 0;
      const due = clock.at + 5_000;
      const own = session.nextDue.bind(session);
      session.nextDue = () => (passed === 0 ? Math.min(due, own()) : own());
      const passTime = session.passTime.bind(session);
      session.passTime = (now) => {
        passed = now;
        passTime(now);
      };
      store.readFrom = answer;
      await until(() => session.engine.intake.feedsDown.has('bar-store'), 'the fault');
      expect(passed).toBe(0);
      clock.at = due;
      await until(() => passed > 0, 'time');
      expect(passed).toBe(due);
      clock.at = T0 + 10 * MINUTE;
      await until(() => session.engine.intake.feedsDown.has('webhook'), 'silence');
      store.readFrom = readFrom;
      if (_ === 'is away') await until(() => !session.engine.intake.feedsDown.has('bar-store'), 'the store');
    });
    expect(feedWords(at.directory, 'webhook')).toEqual(['stale']);
  });

  it('ends with the error of the loop when that breaks while the store is asked', async () => {
    const at = await place();
    await expect(
      run(at, async (session) => {
        await until(() => session.feedSeq !== null, 'the history');
        at.store.readFrom = () => new Promise<never>(() => undefined);
        session.nextDue = () => {
          throw new RangeError('a broken loop');
        };
        await sleep(2_000);
      }),
    ).rejects.toThrow(RangeError);
  });

  it('enters nothing while its store is away', async () => {
    const at = await place();
    const readFrom = at.store.readFrom.bind(at.store);
    let isAway = false;
    at.store.readFrom = (...given) => (isAway ? Promise.reject(new Error('gone')) : readFrom(...given));
    await run(at, async (session, lines) => {
      await until(() => session.feedSeq !== null, 'the history');
      isAway = true;
      await until(() => lines.join().includes('does not answer: gone'), 'the fault');
      isAway = false;
      await until(() => lines.join().includes('answers again'), 'the store');
    });
    expect(feedWords(at.directory, 'bar-store')).toEqual(['disconnected', 'resynced']);
    expect(feedWords(at.directory, 'warm-up')).toEqual(['disconnected', 'resynced']);
  });
});

describe('what the figures of a webhook feed rest on', () => {
  it('is live prices, unless the feed says that they are played again', async () => {
    expect((await setUp()).mode).toBe('PAPER');
    expect((await setUp(true)).mode).toBe('REPLAY');
    expect((await setUp(true)).header.evidence).toBe(false);
  });
});
