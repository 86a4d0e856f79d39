import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import {
  type BarProvider,
  type BarRecord,
  type BarStore,
  barEntry,
  type Delivered,
  type ProvidedBar,
  type ProviderRequest,
  SqliteBars,
  UnreachableError,
} from '#adapters';
import { MINUTE, SECOND } from '#base';
import { ManualClock } from '../../../test/support/manual-clock.ts';
import { BarIntake } from './bar-intake.ts';
import { INTAKE_RULES } from './bar-plan.ts';
import { GapFiller, type Source } from './gap-filler.ts';
import { noIntake } from './intake-counts.ts';
import { OVERDUE_RULES, OverdueWatch } from './overdue-watch.ts';
import { s1Series, seriesOf } from './series.ts';

const T0 = Date.UTC(2025, 0, 15, 14, 30);
const SERIES = seriesOf(s1Series({}));
const BTC = 'S1_RX68_BTC_1M';
const named = (id: string) => SERIES.find((one) => one.id === id)!;

const priceAt = (time: number) => 100 + ((time / MINUTE) % 50) / 10;

function truth(time: number, minutes = 1): Omit<BarRecord, 'config' | 'pine' | 'sentAt' | 'barTime'> {
  const opens = Array.from({ length: minutes }, (_, i) => priceAt(time + i * MINUTE));
  return {
    open: opens[0]!,
    high: Math.max(...opens) + 2,
    low: Math.min(...opens) - 1,
    close: opens.at(-1)! + 0.5,
    volume: 7 * minutes,
  };
}

/** A provider that knows every minute but those in `absent`. */
class Knows implements BarProvider {
  readonly name = 'knower';
  readonly asked: ProviderRequest[] = [];
  readonly absent = new Set<number>();
  isAway = false;
  change = 0;

  async bars(request: ProviderRequest): Promise<ProvidedBar[]> {
    this.asked.push(request);
    if (this.isAway) throw new UnreachableError('nobody answers');
    const bars: ProvidedBar[] = [];
    for (let time = request.from; time < request.to; time += request.intervalMs) {
      if (this.absent.has(time)) continue;
      const { volume: _, ...prices } = truth(time, request.intervalMs / MINUTE);
      bars.push({ time, ...prices, close: prices.close + this.change, volume: null });
    }
    return bars;
  }
}

let ids = 0;
function delivered(
  config: string,
  time: number,
  receivedAt: number,
  over: Partial<BarRecord> = {},
): Delivered {
  const minutes = named(config).intervalMs / MINUTE;
  const record = { config, barTime: time, ...truth(time, minutes), pine: null, sentAt: null, ...over };
  return {
    stream: named(config).stream,
    id: `${++ids}-0`,
    entry: barEntry(record, receivedAt),
    deliveries: 1,
  };
}

const closes: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closes.splice(0).reverse()) await close();
});

async function setUp(options: { sources?: readonly Source[]; judge?: Source | null; store?: BarStore } = {}) {
  const clock = new ManualClock(T0);
  const store = options.store ?? (await SqliteBars.open(':memory:'));
  const counts = noIntake();
  const acked: string[] = [];
  const buried: [string, string][] = [];
  const givenBack: string[] = [];
  const lines: string[] = [];
  const sources = options.sources ?? [];
  const filler = new GapFiller({ store, series: SERIES, sources, clock });
  const intake = new BarIntake({
    store,
    reader: {
      ack: async (list) => acked.push(...list.map((one) => one.id)),
      bury: async ({ id }, reason) => {
        buried.push([id, reason]);
        return true;
      },
      giveBack: async (list) => void givenBack.push(...list.map((one) => one.id)),
    },
    series: SERIES,
    filler,
    judge: options.judge ?? null,
    clock,
    rules: INTAKE_RULES,
    counts,
    say: (line) => lines.push(line),
  });
  closes.push(() => store.close());
  closes.push(() => intake.close());
  const at = (minute: number) => T0 + minute * MINUTE;
  /** A bar is told right after its close. */
  const tell = async (config: string, minute: number, over: Partial<BarRecord> = {}) => {
    const { intervalMs } = named(config);
    clock.at = Math.max(clock.at, at(minute) + intervalMs + 300);
    const one = delivered(config, at(minute), clock.at, over);
    await intake.take([one]);
    await sleep(5);
    return one;
  };
  const minutes = async (config = BTC) =>
    (await store.readFrom(0, 10_000, [config])).map((bar) => (bar.time - T0) / MINUTE);
  return { clock, store, counts, acked, buried, givenBack, lines, intake, filler, tell, minutes, at };
}

const knower = (provider = new Knows()): Source & { provider: Knows } => ({
  provider,
  symbolOf: (series) => series.symbol,
});

describe('a bar of the queue', () => {
  it('is put in once, then acknowledged, whatever is handed out again', async () => {
    const { tell, store, acked, counts, intake } = await setUp();
    const first = await tell(BTC, 0, { pine: { rsi: 61.5 } });
    const second = await tell(BTC, 1);
    await intake.take([first, second, { ...second, id: '900-0' }]);
    expect(acked).toEqual([first.id, second.id, first.id, second.id, '900-0']);
    expect(counts).toMatchObject({ webhook: 2, repeated: 3, taken: 5, late: 0 });
    const [bar] = await store.readFrom(0, 1, null);
    expect(bar).toMatchObject({
      config: BTC,
      symbol: 'BTC',
      source: 'webhook',
      pine: '{"rsi":61.5}',
      missingBefore: 0,
    });
  });

  it('that says something else the second time does not count, and is kept aside', async () => {
    const { tell, store, counts, lines } = await setUp();
    await tell(BTC, 0);
    const { close } = truth(T0);
    await tell(BTC, 0, { close: close + 0.1 });
    expect(counts).toMatchObject({ webhook: 1, differing: 1 });
    expect(lines.join()).toContain('told again with other figures');
    expect((await store.readFrom(0, 9, null)).map((bar) => bar.close)).toEqual([close]);
    expect(await store.differences(BTC, 9)).toHaveLength(1);
  });

  it('that is older than one bar is kept and marked as late', async () => {
    const { intake, store, clock, at, counts } = await setUp();
    clock.at = at(2);
    await intake.take([delivered(BTC, at(0), clock.at)]);
    await sleep(5);
    clock.at = at(3) + 1;
    await intake.take([delivered(BTC, at(1), clock.at)]);
    expect((await store.readFrom(0, 9, null)).map((bar) => bar.late)).toEqual([false, true]);
    expect(counts.late).toBe(1);
  });

  it.each([
    ['of no config', (one: Delivered) => ({ ...one.entry, config: 'S1_RX68_DOGE_1M' }), /no config/],
    ['that is no JSON', (one: Delivered) => ({ ...one.entry, body: 'x' }), /no bar/],
    ['of another time', (one: Delivered) => ({ ...one.entry, barTime: T0 + MINUTE }), /another bar/],
    [
      'that cannot be',
      (one: Delivered) => ({ ...one.entry, body: one.entry.body.replace(/"high":[\d.]+/, '"high":1') }),
      /high-below-low/,
    ],
    [
      'off its grid',
      (one: Delivered) => {
        const barTime = T0 + 1;
        return { ...one.entry, barTime, body: one.entry.body.replace(String(T0), String(barTime)) };
      },
      /misaligned/,
    ],
  ])('%s is put with the dead letters and holds nobody up', async (_, spoil, reason) => {
    const { intake, buried, acked, minutes } = await setUp();
    const bad = delivered(BTC, T0, T0);
    const good = delivered(BTC, T0, T0);
    await intake.take([{ ...bad, entry: spoil(bad) }, good]);
    await sleep(5);
    expect(buried).toEqual([[bad.id, expect.stringMatching(reason)]]);
    expect(acked).toEqual([good.id]);
    expect(await minutes()).toEqual([0]);
  });

  it('waits while the store is away, and is acknowledged only when it is in', async () => {
    const store = await SqliteBars.open(':memory:');
    let isAway = true;
    const insert = store.insert.bind(store);
    store.insert = (bars, at) => (isAway ? Promise.reject(new Error('away')) : insert(bars, at));
    const { intake, acked, counts, at } = await setUp({ store });
    const taking = intake.take([delivered(BTC, at(0), T0)]);
    await sleep(50);
    expect(acked).toEqual([]);
    isAway = false;
    await taking;
    await sleep(300);
    expect(acked).toHaveLength(1);
    expect(counts.faults).toBeGreaterThan(0);
  });

  it('that the store refuses for what it says does not take others with it', async () => {
    const store = await SqliteBars.open(':memory:');
    const insert = store.insert.bind(store);
    store.insert = (bars, at) =>
      bars.some((bar) => bar.pine !== null)
        ? Promise.reject(Object.assign(new Error('value out of range'), { code: '22003' }))
        : insert(bars, at);
    const { intake, acked, buried, tell, minutes, at } = await setUp({ store });
    await tell(BTC, 0);
    const bad = delivered(BTC, at(1), T0, { pine: { rsi: 1 } });
    const good = delivered(BTC, at(2), T0);
    await intake.take([bad, good]);
    await sleep(20);
    expect(buried).toEqual([[bad.id, 'value out of range']]);
    expect(acked).toContain(good.id);
    expect(await minutes()).toEqual([0, 2]);
  });
});

describe('a hole', () => {
  it('that is only disorder is waited for', async () => {
    const { tell, clock, minutes, acked, counts } = await setUp();
    await tell(BTC, 0);
    await tell(BTC, 2);
    expect(await minutes()).toEqual([0]);
    await tell(BTC, 1);
    await clock.advance(INTAKE_RULES.graceMs);
    expect(await minutes()).toEqual([0, 1, 2]);
    expect(acked).toHaveLength(3);
    expect(counts).toMatchObject({ webhook: 3, backfill: 0, unfilled: 0 });
  });

  it('holds up its own config alone', async () => {
    const { tell, minutes } = await setUp();
    await tell(BTC, 0);
    await tell('S1_RX68_ETH_1M', 0);
    await tell(BTC, 2);
    await tell('S1_RX68_ETH_1M', 1);
    expect(await minutes(BTC)).toEqual([0]);
    expect(await minutes('S1_RX68_ETH_1M')).toEqual([0, 1]);
  });

  it('is filled from the provider before the bar behind it is released', async () => {
    const source = knower();
    const { tell, clock, store, minutes, acked } = await setUp({ sources: [source] });
    await tell(BTC, 0);
    await tell(BTC, 4);
    await clock.advance(INTAKE_RULES.graceMs);
    expect(await minutes()).toEqual([0, 1, 2, 3, 4]);
    expect(acked).toHaveLength(2);
    const bars = await store.readFrom(0, 9, null);
    expect(bars.map((bar) => bar.source)).toEqual(['webhook', 'backfill', 'backfill', 'backfill', 'webhook']);
    expect(bars.every((bar) => bar.missingBefore === 0)).toBe(true);
    expect(bars[1]).toMatchObject({ ...truth(bars[1]!.time), volume: 0, volumeUnknown: true, late: true });
    expect(bars.map((bar) => bar.late)).toEqual([false, true, true, true, false]);
    expect(source.provider.asked).toMatchObject([{ symbol: 'BTC', from: T0 + MINUTE, to: T0 + 4 * MINUTE }]);
  });

  it('is filled from finer bars that are there, without asking anybody', async () => {
    const source = knower();
    const { tell, clock, store } = await setUp({ sources: [source] });
    await tell('S1_RX68_BTC_5M', 0);
    for (let minute = 5; minute < 15; minute++) await tell(BTC, minute);
    await tell('S1_RX68_BTC_5M', 10);
    await clock.advance(INTAKE_RULES.graceMs);
    const bars = await store.readFrom(0, 100, ['S1_RX68_BTC_5M']);
    expect(bars.map((bar) => (bar.time - T0) / MINUTE)).toEqual([0, 5, 10]);
    expect(bars[1]).toMatchObject({ ...truth(T0 + 5 * MINUTE, 5), source: 'backfill' });
    expect(source.provider.asked).toEqual([]);
  });

  it('that nobody can fill is marked on the bar behind it, after the wait', async () => {
    const source = knower();
    source.provider.isAway = true;
    const { tell, clock, store, minutes, counts, lines, acked } = await setUp({ sources: [source] });
    await tell(BTC, 0);
    await tell(BTC, 3);
    await clock.advance(INTAKE_RULES.gapWaitMs - SECOND);
    expect(await minutes()).toEqual([0]);
    await clock.advance(2 * SECOND);
    expect((await store.readFrom(0, 9, null)).map((bar) => bar.missingBefore)).toEqual([0, 2]);
    expect(counts).toMatchObject({ unfilled: 2 });
    expect(source.provider.asked.length).toBeGreaterThan(3);
    expect(lines.join()).toContain('2 bars before it are missing (knower: nobody answers)');
    expect(acked).toHaveLength(2);
    // the next one follows
    await tell(BTC, 4);
    expect((await store.lastBar(BTC))!.missingBefore).toBe(0);
  });

  it('that can be filled in part is marked where the rest is missing', async () => {
    const source = knower();
    source.provider.absent.add(T0 + 2 * MINUTE);
    const { tell, clock, store } = await setUp({ sources: [source] });
    await tell(BTC, 0);
    await tell(BTC, 5);
    await clock.advance(INTAKE_RULES.gapWaitMs + SECOND);
    const bars = await store.readFrom(0, 9, null);
    expect(bars.map((bar) => [(bar.time - T0) / MINUTE, bar.missingBefore])).toEqual([
      [0, 0],
      [1, 0],
      [3, 1],
      [4, 0],
      [5, 0],
    ]);
  });

  it('without anybody to ask is marked after the grace', async () => {
    const { tell, clock, store } = await setUp();
    await tell(BTC, 0);
    await tell(BTC, 2);
    await clock.advance(INTAKE_RULES.graceMs);
    expect((await store.lastBar(BTC))!.missingBefore).toBe(1);
    // it comes after all: kept, behind the others
    await tell(BTC, 1);
    const bars = await store.readFrom(0, 9, null);
    expect(bars.map((bar) => [(bar.time - T0) / MINUTE, bar.missingBefore])).toEqual([
      [0, 0],
      [2, 1],
      [1, 0],
    ]);
  });

  it('of any order and repetition ends with every bar once, in order as far as they were told in time', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 25 }),
        async (order) => {
          const { tell, clock, minutes } = await setUp({ sources: [knower()] });
          await tell(BTC, 0);
          clock.at = T0 + 14 * MINUTE;
          for (const minute of order) await tell(BTC, minute);
          await clock.advance(INTAKE_RULES.gapWaitMs, 2);
          const last = Math.max(...order);
          expect(await minutes()).toEqual(Array.from({ length: last + 1 }, (_, i) => i));
        },
      ),
      { numRuns: 12 },
    );
  });
});

describe('a provider that is to be believed', () => {
  it('gives the figures, the webhook the volume and its own values', async () => {
    const source = knower();
    source.provider.change = 0.0204;
    const { tell, store, counts, lines } = await setUp({ judge: source });
    await tell(BTC, 0, { pine: { rsi: 1 } });
    await sleep(10);
    const [bar] = await store.readFrom(0, 9, null);
    expect(bar).toMatchObject({
      source: 'provider',
      close: truth(T0).close + 0.0204,
      volume: 7,
      pine: '{"rsi":1}',
    });
    expect(counts).toMatchObject({ provider: 1, webhook: 0, apart: 1, unjudged: 0 });
    expect(lines.join()).toMatch(/\d\.\d\d bp from knower/);
    expect(await store.differences(BTC, 9)).toMatchObject([{ source: 'webhook', time: T0 }]);
    expect(source.provider.asked).toMatchObject([{ from: T0, to: T0 + MINUTE }]);
  });

  it('may be apart by one basis point without a word', async () => {
    const source = knower();
    source.provider.change = truth(T0).close / 10_000 - 1e-6;
    const { tell, counts, store } = await setUp({ judge: source });
    await tell(BTC, 0);
    await sleep(10);
    expect(counts).toMatchObject({ provider: 1, apart: 0 });
    expect(await store.differences(BTC, 9)).toEqual([]);
  });

  it('and does not answer leaves the figures of the webhook, which are counted', async () => {
    const source = knower();
    source.provider.isAway = true;
    const { tell, counts, minutes } = await setUp({ judge: source });
    await tell(BTC, 0);
    await sleep(10);
    expect(await minutes()).toEqual([0]);
    expect(counts).toMatchObject({ webhook: 1, unjudged: 1 });
  });

  it('is not asked about a bar that is late', async () => {
    const source = knower();
    const { intake, clock, counts, minutes, at } = await setUp({ judge: source });
    clock.at = at(2) + 1;
    await intake.take([delivered(BTC, at(0), clock.at)]);
    await sleep(10);
    expect(await minutes()).toEqual([0]);
    expect(counts).toMatchObject({ webhook: 1, late: 1, unjudged: 1 });
    expect(source.provider.asked).toEqual([]);
  });

  it('and does not know the bar yet is asked once more', async () => {
    const source = knower();
    source.provider.absent.add(T0);
    const { tell, clock, counts, minutes } = await setUp({ judge: source });
    await tell(BTC, 0);
    expect(await minutes()).toEqual([]);
    source.provider.absent.clear();
    await clock.advance(INTAKE_RULES.judgeWaitMs);
    expect(await minutes()).toEqual([0]);
    expect(counts.provider).toBe(1);
    expect(source.provider.asked).toHaveLength(2);
  });
});

describe('what no webhook starts', () => {
  async function watched(source = knower()) {
    const own = await setUp({ sources: [source] });
    const { store, filler, intake, clock, lines } = own;
    const say = (line: string) => lines.push(line);
    const rules = { ...OVERDUE_RULES, keepMs: 60 * MINUTE };
    const watch = new OverdueWatch({ store, series: SERIES, filler, intake, clock, rules, holder: 'a', say });
    return { ...own, watch, source, never: new AbortController().signal };
  }

  it('is looked up when it is overdue, but not of a config that was never told', async () => {
    const { watch, tell, clock, minutes, at, never, source } = await watched();
    await tell(BTC, 0);
    clock.at = at(2) + OVERDUE_RULES.overdueMs - 1;
    await watch.look(never);
    expect(await minutes()).toEqual([0]);
    clock.at += 1;
    await watch.look(never);
    expect(await minutes()).toEqual([0, 1]);
    clock.at = at(9);
    source.provider.absent.add(at(5));
    await watch.look(never);
    expect(await minutes()).toEqual([0, 1, 2, 3, 4]);
    expect(await minutes('S1_RX68_ETH_1M')).toEqual([]);
  });

  it('and cannot be had is said now and then, not at every look', async () => {
    const { watch, tell, clock, lines, at, never, source } = await watched();
    await tell(BTC, 0);
    source.provider.isAway = true;
    clock.at = at(5);
    for (let look = 0; look < 4; look++) {
      await watch.look(never);
      clock.at += 1;
    }
    expect(lines.filter((line) => line.includes('no bar since'))).toHaveLength(1);
    clock.at += OVERDUE_RULES.repairEveryMs;
    await watch.look(never);
    expect(lines.filter((line) => line.includes('no bar since'))).toHaveLength(2);
  });

  it('is repaired when a hole can be filled later', async () => {
    const { watch, tell, clock, minutes, never, source, store } = await watched();
    source.provider.isAway = true;
    await tell(BTC, 0);
    await tell(BTC, 3);
    await clock.advance(INTAKE_RULES.gapWaitMs + SECOND);
    source.provider.isAway = false;
    await watch.look(never);
    expect(await minutes()).toEqual([0, 3, 1, 2]);
    expect((await store.readFrom(2, 9, null)).every((bar) => bar.late && bar.source === 'backfill')).toBe(
      true,
    );
  });

  it('is forgotten when it is old', async () => {
    const { watch, tell, clock, minutes, at, never, source } = await watched();
    source.provider.isAway = true;
    await tell(BTC, 0);
    await tell(BTC, 1);
    clock.at = at(61);
    await watch.look(never);
    expect(await minutes()).toEqual([1]);
  });

  it('is done by one process at a time', async () => {
    const { watch, clock, store, never: _ } = await watched();
    await store.lease('overdue', 'another', clock.at, clock.at + MINUTE);
    let looks = 0;
    watch.look = async () => {
      looks += 1;
    };
    const stop = new AbortController();
    const running = watch.run(stop.signal);
    await clock.advance(MINUTE - SECOND);
    expect(looks).toBe(0);
    await clock.advance(MINUTE);
    expect(looks).toBeGreaterThan(0);
    stop.abort();
    await running;
    expect(await store.lease('overdue', 'another', clock.at, clock.at + MINUTE)).toBe(true);
  });
});
