import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type BarStore, gapsBetween, type NewBar, openBars, PostgresBars, SqliteBars } from '#adapters';
import { InputError, MINUTE } from '#base';
import { timescaleSteps } from '../../src/adapters/storage/bars/postgres-tables.ts';
import { type PostgresServer, query, startPostgres } from './postgres-server.ts';

const T0 = Date.UTC(2025, 0, 15, 14, 30);
const CONFIG = 'S1_RX68_BTC_1M';

function bar(minute: number, over: Partial<NewBar> = {}): NewBar {
  return {
    config: CONFIG,
    symbol: 'BTC',
    intervalMs: MINUTE,
    time: T0 + minute * MINUTE,
    open: 100.1,
    high: 101.25,
    low: 99.7,
    close: 100.9,
    volume: 12.345678901234567,
    source: 'webhook',
    receivedAt: T0 + (minute + 1) * MINUTE + 321,
    late: false,
    missingBefore: 0,
    pine: null,
    ...over,
  };
}

let postgres: PostgresServer | string = 'not started';
beforeAll(async () => {
  postgres = await startPostgres();
});
afterAll(async () => {
  if (typeof postgres !== 'string') await postgres.stop();
});

const directory = mkdtempSync(join(tmpdir(), 'bars-'));
afterAll(() => rmSync(directory, { recursive: true }));

let files = 0;
const opened: BarStore[] = [];
afterEach(async () => {
  for (const store of opened.splice(0)) await store.close();
});

const PLACES = {
  sqlite: async () => ({ file: join(directory, `${++files}.sqlite`), databaseUrl: null }),
  postgres: async () =>
    typeof postgres === 'string' ? null : { file: '', databaseUrl: await postgres.newDatabase() },
} as const;

describe.each(['sqlite', 'postgres'] as const)('the %s store of bars', (kind) => {
  /** Connections to one and the same new store; skips, and is counted, where there is no server. */
  async function open(skip: (why: string) => void, connections = 1): Promise<BarStore[]> {
    const place = await PLACES[kind]();
    if (place === null) {
      skip(String(postgres));
      return [];
    }
    const stores: BarStore[] = [];
    for (let i = 0; i < connections; i++) stores.push(await openBars(place));
    opened.push(...stores);
    return stores;
  }

  it('keeps every bar once, numbered in the order of commits, exactly as it was', async ({ skip }) => {
    const [store] = await open(skip);
    const pine = '{"rsi":61.2,"text":"\u00fc\'\\""}';
    const odd = bar(1, {
      open: 0.1 + 0.2,
      high: 1e21,
      low: 5e-324,
      close: 2 / 3,
      volume: 0,
      pine,
      late: true,
    });
    const given = [
      bar(0),
      odd,
      bar(0, { config: 'S1_RX68_ETH_1M', symbol: 'ETH', source: 'backfill', missingBefore: 7 }),
    ];
    expect(store!.kind).toBe(kind);
    expect(await store!.lastSeq()).toBe(0);
    expect(await store!.insert(given, T0)).toEqual([1, 2, 3].map((seq) => ({ outcome: 'inserted', seq })));
    expect(await store!.insert([], T0)).toEqual([]);
    expect(await store!.insert([bar(0), bar(2)], T0)).toEqual([
      { outcome: 'same' },
      { outcome: 'inserted', seq: 4 },
    ]);
    const all = await store!.readFrom(0, 100, null);
    expect(all).toEqual([...given, bar(2)].map((one, i) => ({ ...one, seq: i + 1 })));
    expect(await store!.lastSeq()).toBe(4);
    expect(await store!.differences(null, 10)).toEqual([]);
  });

  it('keeps what a second account says beside the first', async ({ skip }) => {
    const [store] = await open(skip);
    await store!.insert([bar(0), bar(1)], T0);
    const other = bar(0, { close: 100.91 });
    for (const at of [T0 + 5, T0 + 9]) {
      const [outcome] = await store!.insert([other], at);
      expect(outcome).toEqual({ outcome: 'differs', kept: { ...bar(0), seq: 1 } });
    }
    // twice in one call counts like twice
    await store!.insert([bar(3), bar(3, { pine: '{"a":1}' })], T0 + 6);
    await store!.noteDifference(bar(1, { source: 'webhook', low: 90 }), bar(1), T0 + 7);
    const found = await store!.differences(CONFIG, 10);
    expect(found.map(({ time, at, seen, source }) => [time, at, seen, source])).toEqual([
      [T0 + MINUTE, T0 + 7, 1, 'webhook'],
      [T0 + 3 * MINUTE, T0 + 6, 1, 'webhook'],
      [T0, T0 + 5, 2, 'webhook'],
    ]);
    expect(found[2]!.bps).toBeCloseTo((0.01 / 100.9) * 1e4, 9);
    expect(JSON.parse(found[2]!.other)).toMatchObject({ close: 100.91, pine: null });
    expect(await store!.differences('S1_RX68_ETH_1M', 10)).toEqual([]);
    expect(await store!.differences(null, 1)).toHaveLength(1);
    expect((await store!.readRange(CONFIG, T0, T0 + MINUTE))[0]!.close).toBe(100.9);
  });

  it('keeps apart a bar without trades and one whose volume nobody knows', async ({ skip }) => {
    const [store] = await open(skip);
    const given = [bar(0, { volume: 0 }), bar(1, { volume: 0, volumeUnknown: true, source: 'backfill' })];
    await store!.insert(given, T0);
    const all = await store!.readFrom(0, 9, null);
    expect(all.map((one) => [one.volume, one.volumeUnknown])).toEqual([
      [0, undefined],
      [0, true],
    ]);
    expect((await store!.lastBar(CONFIG))!.volumeUnknown).toBe(true);
    const [outcome] = await store!.insert([bar(1, { high: 102 })], T0);
    expect(outcome).toMatchObject({ outcome: 'differs', kept: { volumeUnknown: true } });
  });

  it('has a name that stays and is its own', async ({ skip }) => {
    const [store, again] = await open(skip, 2);
    const [other] = await open(skip);
    expect(store!.id).toMatch(/^[0-9a-f]{16}$/);
    expect(again!.id).toBe(store!.id);
    expect(other!.id).not.toBe(store!.id);
  });

  it('asks only for the same prices of two sources', async ({ skip }) => {
    const [store] = await open(skip);
    await store!.insert([bar(0, { source: 'backfill', volume: 0 })], T0);
    expect(await store!.insert([bar(0, { pine: '{"rsi":1}' })], T0)).toEqual([{ outcome: 'same' }]);
    expect((await store!.insert([bar(0, { high: 102 })], T0))[0]!.outcome).toBe('differs');
  });

  it('reads by number, by range and from the end', async ({ skip }) => {
    const [store] = await open(skip);
    const eth = (minute: number) => bar(minute, { config: 'S1_RX68_ETH_1M' });
    await store!.insert([bar(4), eth(0), bar(0), bar(1), eth(1), bar(2)], T0);
    const minutes = (bars: readonly NewBar[]) => bars.map((one) => (one.time - T0) / MINUTE);
    expect((await store!.readFrom(2, 2, null)).map((one) => one.seq)).toEqual([3, 4]);
    expect((await store!.readFrom(2, 10, [CONFIG])).map((one) => one.seq)).toEqual([3, 4, 6]);
    expect(await store!.readFrom(0, 10, [])).toEqual([]);
    expect(minutes(await store!.readRange(CONFIG, T0 + MINUTE, T0 + 4 * MINUTE))).toEqual([1, 2]);
    expect(minutes(await store!.newest(CONFIG, 2, T0 + 4 * MINUTE))).toEqual([1, 2]);
    expect(minutes(await store!.newest(CONFIG, 9, T0 + 5 * MINUTE))).toEqual([0, 1, 2, 4]);
    expect((await store!.lastBar(CONFIG))!.seq).toBe(1);
    expect(await store!.lastBar('S1_RX68_SOL_1M')).toBeNull();
    const gap = (from: number, to: number) => ({ from: T0 + from * MINUTE, to: T0 + to * MINUTE });
    expect(await store!.gaps(CONFIG, MINUTE, T0, T0 + 7 * MINUTE)).toEqual([gap(3, 4), gap(5, 7)]);
    expect(await store!.gaps('S1_RX68_SOL_1M', MINUTE, T0, T0 + MINUTE)).toEqual([gap(0, 1)]);
  });

  it('forgets what is old and gives no number twice', async ({ skip }) => {
    const [store] = await open(skip);
    await store!.insert([bar(0), bar(1), bar(2)], T0);
    await store!.insert([bar(0, { close: 100 }), bar(2, { close: 100 })], T0);
    expect(await store!.retain(T0 + 2 * MINUTE)).toBe(2);
    expect((await store!.readFrom(0, 9, null)).map((one) => one.seq)).toEqual([3]);
    expect(await store!.differences(null, 9)).toHaveLength(1);
    await store!.retain(T0 + 9 * MINUTE);
    expect(await store!.insert([bar(5)], T0)).toEqual([{ outcome: 'inserted', seq: 4 }]);
  });

  it('shares counters and rights between processes', async ({ skip }) => {
    const [one, two] = await open(skip, 2);
    if (two === undefined) return;
    expect(await one!.spend('minute:01', 5, 8)).toBe(true);
    expect(await two.spend('minute:01', 4, 8)).toBe(false);
    expect(await two.spend('minute:01', 3, 8)).toBe(true);
    expect(await two.spend('minute:02', 9, 8)).toBe(false);
    const grants = await Promise.all(
      Array.from({ length: 20 }, (_, i) => [one!, two][i % 2]!.spend('minute:03', 1, 7)),
    );
    expect(grants.filter((grant) => grant)).toHaveLength(7);
    await one!.forgetSpent('minute:', 'minute:03');
    expect(await one!.spend('minute:01', 8, 8)).toBe(true);
    expect(await two.spend('minute:03', 1, 7)).toBe(false);
    expect(await one!.lease('gap', 'a', 1_000, 2_000)).toBe(true);
    expect(await two.lease('gap', 'b', 1_500, 2_500)).toBe(false);
    expect(await one!.lease('gap', 'a', 1_500, 3_000)).toBe(true);
    expect(await two.lease('gap', 'b', 3_000, 4_000)).toBe(true);
    await one!.release('gap', 'a');
    expect(await one!.lease('gap', 'a', 3_500, 4_500)).toBe(false);
    await two.release('gap', 'b');
    expect(await one!.lease('gap', 'a', 3_500, 4_500)).toBe(true);
  });

  it('shows a reader no hole that is filled later, whoever writes', async ({ skip }) => {
    const stores = await open(skip, 4);
    const reader = stores.pop();
    if (reader === undefined) return;
    let done = false;
    const seen: number[] = [];
    const reading = (async () => {
      for (;;) {
        const isLast = done;
        const bars = await reader.readFrom(seen.at(-1) ?? 0, 50, null);
        for (const one of bars) seen.push(one.seq);
        if (isLast && bars.length === 0) return;
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
    })();
    const outcomes = await Promise.all(
      stores.map(async (store, writer) => {
        let inserted = 0;
        // each bar is told by two of the three
        for (let i = 0; i < 40; i++) {
          const bars = [0, 1, 2].map((k) => bar(((i * 3 + k) * (writer < 2 ? 1 : 7)) % 120));
          inserted += (await store.insert(bars, T0)).filter((one) => one.outcome === 'inserted').length;
        }
        return inserted;
      }),
    );
    done = true;
    await reading;
    expect(outcomes.reduce((sum, n) => sum + n, 0)).toBe(120);
    expect(seen).toEqual(Array.from({ length: 120 }, (_, i) => i + 1));
  });

  it('is the same after it was opened again', async ({ skip }) => {
    const place = await PLACES[kind]();
    if (place === null) return skip(String(postgres));
    const first = await openBars(place);
    await first.insert([bar(0)], T0);
    await first.close();
    const [again] = [await openBars(place)];
    opened.push(again);
    expect(await again.insert([bar(0), bar(1)], T0)).toEqual([
      { outcome: 'same' },
      { outcome: 'inserted', seq: 2 },
    ]);
  });
});

describe('a store that is none', () => {
  it('is refused', async () => {
    const text = join(directory, 'notes.txt');
    writeFileSync(text, 'not a database, but long enough to be looked at as if it were one'.repeat(20));
    await expect(SqliteBars.open(text)).rejects.toThrow();
    const { DatabaseSync } = await import('node:sqlite');
    const other = join(directory, 'other.sqlite');
    new DatabaseSync(other).exec('CREATE TABLE a (b)');
    await expect(SqliteBars.open(other)).rejects.toThrow(InputError);
    const older = join(directory, 'older.sqlite');
    const first = await SqliteBars.open(older);
    await first.insert([bar(0), bar(1, { volume: 0, source: 'backfill' }), bar(2, { volume: 0 })], T0);
    await first.close();
    const db = new DatabaseSync(older);
    db.exec('ALTER TABLE bars DROP COLUMN volume_unknown; DROP TABLE bar_store; PRAGMA user_version = 1');
    db.close();
    for (let i = 0; i < 2; i++) {
      const store = await SqliteBars.open(older);
      const all = await store.readFrom(0, 9, null);
      expect(all.map((one) => one.volumeUnknown)).toEqual([undefined, true, undefined]);
      expect(store.id).toMatch(/^[0-9a-f]{16}$/);
      await store.close();
    }
    const newer = join(directory, 'newer.sqlite');
    await (await SqliteBars.open(newer)).close();
    new DatabaseSync(newer).exec('PRAGMA user_version = 9');
    await expect(SqliteBars.open(newer)).rejects.toThrow(/schema 9/);
  });

  it('is refused in PostgreSQL too, and says what it lacks', async ({ skip }) => {
    if (typeof postgres === 'string') return skip(postgres);
    const url = await postgres.newDatabase();
    const store = await PostgresBars.open(url);
    expect(store.notes).toEqual(['plain tables: TimescaleDB is not installed in this database']);
    await store.insert([bar(0), bar(1, { high: 105, close: 104 }), bar(2, { low: 1 }), bar(3)], T0);
    await store.close();
    // minute 30 of the hour begins a window of three, five and fifteen
    expect(await query(url, 'select open, high, low, close from bars_3m order by bucket')).toEqual([
      { open: 100.1, high: 105, low: 1, close: 100.9 },
      { open: 100.1, high: 101.25, low: 99.7, close: 100.9 },
    ]);
    expect(await query(url, 'select volume from bars_15m')).toEqual([{ volume: 4 * 12.345678901234567 }]);
    await query(url, 'alter table bars drop column volume_unknown');
    await query(url, 'drop table bar_store');
    await query(url, 'update bar_schema set version = 1');
    const again = await PostgresBars.open(url);
    expect(again.id).toMatch(/^[0-9a-f]{16}$/);
    expect(await again.readFrom(0, 9, null)).toHaveLength(4);
    await again.close();
    await query(url, 'update bar_schema set version = 9');
    await expect(PostgresBars.open(url)).rejects.toThrow(/schema 9/);
  });
});

describe('what TimescaleDB is asked for', () => {
  it('names the table, the columns and the intervals that the plain tables have', () => {
    const text = timescaleSteps().flatMap((step) => step.statements);
    expect(text.filter((one) => one.includes('create_hypertable'))).toHaveLength(1);
    expect(text.find((one) => one.includes('compress_segmentby'))).toContain("'config_id'");
    for (const minutes of [3, 5, 15]) {
      const view = text.find((one) =>
        one.includes(`create materialized view if not exists bars_${minutes}m`),
      )!;
      expect(view).toContain(`time_bucket(interval '${minutes} minutes', time)`);
      expect(view.trimEnd().endsWith('with no data')).toBe(true);
      expect(text.some((one) => one.includes(`add_continuous_aggregate_policy('bars_${minutes}m'`))).toBe(
        true,
      );
    }
  });
});

describe('gapsBetween', () => {
  it('finds exactly the missing grid points', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat(30)), fc.nat(30), fc.nat(30), (there, a, b) => {
        const [from, to] = [Math.min(a, b), Math.max(a, b)];
        const inside = there.filter((n) => n >= from && n < to).sort((x, y) => x - y);
        const gaps = gapsBetween(
          inside.map((n) => n * MINUTE),
          MINUTE,
          from * MINUTE,
          to * MINUTE,
        );
        const missing: number[] = [];
        for (const gap of gaps) for (let t = gap.from; t < gap.to; t += MINUTE) missing.push(t / MINUTE);
        const expected: number[] = [];
        for (let n = from; n < to; n++) if (!there.includes(n)) expected.push(n);
        expect(missing).toEqual(expected);
      }),
    );
  });
});
