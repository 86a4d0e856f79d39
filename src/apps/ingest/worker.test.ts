import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { type BarStore, barEntry, EmbeddedStreams, SqliteBars, systemClock } from '#adapters';
import { floorTo, MINUTE } from '#base';
import { BarIntake } from './bar-intake.ts';
import { INTAKE_RULES } from './bar-plan.ts';
import { GapFiller } from './gap-filler.ts';
import { noIntake } from './intake-counts.ts';
import { s1Series, seriesOf } from './series.ts';
import { runWorker } from './worker.ts';
import { takeWorkerName } from './worker-name.ts';

const SERIES = seriesOf(s1Series({}));
const BTC = SERIES.find(({ id }) => id === 'S1_RX68_BTC_1M')!;
/** What is longer than any of these waits is an outage. */
const RULES = { count: 100, claimIdleMs: 200, claimEveryMs: 10 };
const OUTAGE_MS = 10 * RULES.claimIdleMs;

const folders: string[] = [];
const newFolder = () => {
  const folder = mkdtempSync(join(tmpdir(), 'quorum-worker-'));
  folders.push(folder);
  return folder;
};
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

async function queueWithOneBar() {
  const streams = await EmbeddedStreams.open({
    file: join(newFolder(), 'queue.sqlite'),
    streams: SERIES.map(({ stream }) => stream),
  });
  const barTime = floorTo(Date.now(), MINUTE) - 2 * MINUTE;
  const bar = { open: 1, high: 1, low: 1, close: 1, volume: 1 };
  const record = { config: BTC.id, barTime, ...bar, pine: null, sentAt: null };
  expect((await streams.offer(BTC.stream, barEntry(record, Date.now()))).kind).toBe('queued');
  return streams;
}

/** A store that can be away. */
async function newStore() {
  const store = await SqliteBars.open(':memory:');
  const outage = { isOver: false };
  const { insert, lastBar } = store;
  const away = () => Promise.reject(new Error('connect ECONNREFUSED'));
  store.insert = (...given) => (outage.isOver ? insert.apply(store, given) : away());
  store.lastBar = (...given) => (outage.isOver ? lastBar.apply(store, given) : away());
  return { store: store as BarStore, outage };
}

async function startWorker(streams: EmbeddedStreams, store: BarStore, name: string) {
  const reader = await streams.reader('intake', name);
  const counts = noIntake();
  const filler = new GapFiller({ store, series: SERIES, sources: [], clock: systemClock });
  const common = { store, filler, clock: systemClock, counts, say: () => undefined };
  const intake = new BarIntake({ ...common, reader, series: SERIES, judge: null, rules: INTAKE_RULES });
  const ends = new AbortController();
  const running = runWorker({
    reader,
    intake,
    rules: RULES,
    counts,
    signal: ends.signal,
    say: () => undefined,
  });
  const stop = async () => {
    ends.abort();
    await intake.close();
    await running;
  };
  return { counts, intake, stop };
}

describe('an outage of the store', () => {
  it('is waited out, however long it lasts', async () => {
    const streams = await queueWithOneBar();
    const { store, outage } = await newStore();
    const workers = [await startWorker(streams, store, 'a'), await startWorker(streams, store, 'b')];
    await expect.poll(() => workers.reduce((sum, { intake }) => sum + intake.inWork, 0)).toBe(1);
    await sleep(OUTAGE_MS);
    expect(await streams.deadLetters(9)).toEqual([]);
    outage.isOver = true;
    await expect.poll(() => store.lastBar(BTC.id)).not.toBeNull();
    await expect
      .poll(async () => (await streams.depth('intake')).every(({ pending }) => pending === 0))
      .toBe(true);
    for (const { stop } of workers) await stop();
    await store.close();
    await streams.close();
  });

  it('is waited out by workers that are stopped and started again and again', async () => {
    const streams = await queueWithOneBar();
    const { store, outage } = await newStore();
    // each by another name, as on a machine that is new every time
    for (let n = 0; n < 2 * streams.limits.deliveriesMost; n++) {
      const worker = await startWorker(streams, store, `w${n}`);
      await expect.poll(() => worker.intake.inWork).toBe(1);
      await worker.stop();
    }
    expect(await streams.deadLetters(9)).toEqual([]);
    outage.isOver = true;
    const last = await startWorker(streams, store, 'last');
    await expect.poll(() => store.lastBar(BTC.id)).not.toBeNull();
    await last.stop();
    await store.close();
    await streams.close();
  });
});

describe('the name of a worker', () => {
  it('is that of the one before it, and another beside a living one', () => {
    const folder = newFolder();
    const one = takeWorkerName(folder);
    const two = takeWorkerName(folder);
    expect(one.name).toMatch(/\.[0-9a-f]{6}\.1$/);
    expect(two.name).toBe(one.name.replace(/1$/, '2'));
    one.release();
    expect(takeWorkerName(folder).name).toBe(one.name);
    two.release();
    expect(takeWorkerName(newFolder()).name).not.toBe(one.name);
  });

  it('is one of this process where none can be kept', () => {
    expect(takeWorkerName('/dev/null/nothing').name).toMatch(new RegExp(`\\.p${process.pid}$`));
  });
});
