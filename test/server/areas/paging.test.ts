import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { ProjectionStore, TableName } from '#adapters';
import { closedTrades, performancePage } from '../../../src/apps/server/areas/sigma/account.ts';
import { Problem } from '../../../src/apps/server/context.ts';
import { NoticeMarks, noticesPage } from '../../../src/apps/server/data/notices.ts';
import { cursorOf, type Page, type PageAsk, pageOf, placeOf } from '../../../src/apps/server/data/paging.ts';
import { decisionsPage, signalsPage } from '../../../src/apps/server/data/thinking-lists.ts';
import { fillsPage, ordersPage, tradesPage } from '../../../src/apps/server/data/trading-lists.ts';
import { openConsoleStore } from '../../../src/apps/server/identity/console-store.ts';
import { emptyRows, write } from './rows.ts';

interface Row {
  readonly id: string;
  readonly at: number;
  readonly [column: string]: unknown;
}

type Filter = Readonly<Record<string, unknown>>;

/** A list under test: how a row is made, which filters it has, and what they mean, said again in plain code. */
interface List {
  readonly table: TableName;
  readonly columns: fc.Arbitrary<Readonly<Record<string, unknown>>>;
  readonly filter: fc.Arbitrary<Filter>;
  readonly keeps: (row: Row, filter: Filter) => boolean;
  readonly page: (store: ProjectionStore, ask: PageAsk & Filter) => Promise<Page<object>>;
}

const instrument = fc.constantFrom('A.X', 'B.X', "C%'_.X");
const desk = fc.constantFrom('one', 'two');
// mostly not, so that lists are longer than a page
const maybe = <T>(one: fc.Arbitrary<T>) =>
  fc.oneof({ arbitrary: fc.constant(undefined), weight: 4 }, { arbitrary: one, weight: 1 });
const equal = (row: Row, filter: Filter, ...names: string[]) =>
  names.every((name) => filter[name] === undefined || filter[name] === row[name]);

const states = fc.constantFrom('pending', 'working', 'filled', 'canceled: flatten', 'rejected: why');
const about = fc.record({ instrument: maybe(instrument), desk: maybe(desk) });
const reasons = ['', 'thin: low', 'thin: low; wild: much', 'wild: much', 'th_n: x'];
const marks = new NoticeMarks(openConsoleStore(':memory:'));
const reader = { userId: 'u', run: 'r' };

const LISTS: Readonly<Record<string, List>> = {
  orders: {
    table: 'orders',
    columns: fc.record({ instrument, desk, state: states }),
    filter: fc.record({ instrument: maybe(instrument), desk: maybe(desk), working: maybe(fc.boolean()) }),
    keeps: (row, filter) =>
      equal(row, filter, 'instrument', 'desk') &&
      (filter.working === undefined ||
        filter.working === ['pending', 'working'].includes(row.state as string)),
    page: ordersPage,
  },
  fills: {
    table: 'fills',
    columns: fc.record({ instrument, desk }),
    filter: about,
    keeps: (row, filter) => equal(row, filter, 'instrument', 'desk'),
    page: fillsPage,
  },
  trades: {
    table: 'trades',
    columns: fc.record({ instrument, desk }),
    filter: about,
    keeps: (row, filter) => equal(row, filter, 'instrument', 'desk'),
    page: tradesPage,
  },
  decisions: {
    table: 'decisions',
    columns: fc.record({
      instrument,
      desk,
      action: fc.constantFrom('enter-long', 'exit'),
      outcome: fc.constantFrom('wait', 'entered'),
      reason: fc.constantFrom(...reasons),
    }),
    filter: fc.record({
      instrument: maybe(instrument),
      desk: maybe(desk),
      action: maybe(fc.constantFrom('enter-long', 'exit')),
      outcome: maybe(fc.constantFrom('wait', 'entered')),
      by: maybe(fc.constantFrom('thin', 'wild', 'th_n', '%')),
    }),
    keeps: (row, filter) =>
      equal(row, filter, 'instrument', 'desk', 'action', 'outcome') &&
      (filter.by === undefined || (row.reason as string).startsWith(`${filter.by}: `)),
    page: decisionsPage,
  },
  signals: {
    table: 'signals',
    columns: fc.record({ instrument, source: fc.constantFrom('s', 't') }),
    filter: fc.record({ instrument: maybe(instrument), source: maybe(fc.constantFrom('s', 't')) }),
    keeps: (row, filter) => equal(row, filter, 'instrument', 'source'),
    page: signalsPage,
  },
  'trades of the sheet': {
    table: 'trades',
    columns: fc.constant({}),
    filter: fc.constant({}),
    keeps: () => true,
    page: closedTrades,
  },
  notifications: {
    table: 'notifications',
    columns: fc.record({ severity: fc.constantFrom('info', 'warning', 'critical') }),
    filter: fc.record({ severity: maybe(fc.constantFrom('info', 'critical')) }),
    keeps: (row, filter) => equal(row, filter, 'severity'),
    page: (store, ask) => noticesPage(store, marks, reader, ask),
  },
};

let store: ProjectionStore;
beforeAll(async () => {
  store = await emptyRows();
});
afterAll(() => store.close());

// few instants and ids that sort otherwise as text than as numbers: ties are the rule
const place = fc.record({ at: fc.integer({ min: 0, max: 6 }), id: fc.integer({ min: 0, max: 1_500 }) });
const rowsOf = (columns: List['columns']) =>
  fc.uniqueArray(
    fc.tuple(place, columns).map(([{ at, id }, rest]): Row => ({ ...rest, at, id: `p-${id}` })),
    { selector: ({ id }) => id, minLength: 8, maxLength: 50, size: 'max' },
  );

/** Newest first; ids as text break ties. */
const order = (a: Row, b: Row) => b.at - a.at || (a.id < b.id ? 1 : -1);

describe.each(Object.entries(LISTS))('the list of %s', (_, list) => {
  beforeEach(() => store.db.deleteFrom(list.table).execute());

  it('gives everything that was there once and in order, whatever is added while it is read', async () => {
    await fc.assert(
      fc.asyncProperty(
        rowsOf(list.columns),
        list.filter,
        fc.integer({ min: 1, max: 9 }),
        maybe(fc.integer({ min: 0, max: 6 })),
        maybe(fc.integer({ min: 0, max: 7 })),
        fc.infiniteStream(fc.integer({ min: 0, max: 3 })),
        async (all, filter, limit, from, to, arrivals) => {
          await store.db.deleteFrom(list.table).execute();
          const half = Math.floor(all.length / 2);
          const waiting = all.slice(half);
          await write(store, list.table, all.slice(0, half));
          const seen: string[] = [];
          let cursor: string | undefined;
          for (let pages = 0; ; pages++) {
            expect(pages).toBeLessThan(100);
            const ask = { limit, cursor, from, to, ...filter };
            const { items, next } = await list.page(store, ask);
            expect(items.length).toBeLessThanOrEqual(limit);
            seen.push(...items.map((one) => (one as { id: string }).id));
            if (next === null) break;
            expect(items).toHaveLength(limit);
            cursor = next;
            await write(store, list.table, waiting.splice(0, arrivals.next().value!));
          }
          const arrived = all.slice(0, all.length - waiting.length);
          const fits = (row: Row) =>
            list.keeps(row, filter) && row.at >= (from ?? 0) && row.at < (to ?? Infinity);
          const could = arrived.filter(fits).sort(order);
          const must = all.slice(0, half).filter(fits).sort(order);
          // each at most once and in order, and none of the first missing
          expect(new Set(seen).size).toBe(seen.length);
          expect(could.map(({ id }) => id).filter((id) => seen.includes(id))).toEqual(seen);
          expect(must.map(({ id }) => id).filter((id) => !seen.includes(id))).toEqual([]);
        },
      ),
      { numRuns: 40 },
    );
  });
});

describe('hourly figures', () => {
  it('are paged like any list', async () => {
    const rows = Array.from({ length: 25 }, (_, i) => ({ id: `h-${i}`, at: i, equity: String(i) }));
    await write(store, 'performance_snapshots', rows);
    const first = await performancePage(store, { limit: 10 });
    const second = await performancePage(store, { limit: 20, cursor: first.next! });
    expect([...first.items, ...second.items].map(({ time }) => time)).toEqual(
      rows.map(({ at }) => at).reverse(),
    );
    expect(second.next).toBeNull();
  });
});

describe('pages of what is in memory', () => {
  it('are the same as those of a database', () => {
    fc.assert(
      fc.property(rowsOf(fc.constant({})), fc.integer({ min: 1, max: 7 }), (rows, limit) => {
        const seen: string[] = [];
        let cursor: string | undefined;
        for (;;) {
          const { items, next } = pageOf(rows, { limit, cursor });
          seen.push(...items.map(({ id }) => id));
          if (next === null) break;
          cursor = next;
        }
        expect(seen).toEqual([...rows].sort(order).map(({ id }) => id));
      }),
    );
  });
});

describe('a cursor', () => {
  it('comes back as it was made', () => {
    fc.assert(
      fc.property(fc.maxSafeInteger(), fc.string(), (at, id) => {
        expect(placeOf(cursorOf({ at, id }))).toEqual({ at, id });
      }),
    );
  });

  it.each(['', '!!!', 'bm90IGpzb24', 'WzFd', 'WyJhIiwiYiJd', 'WzEuNSwiYSJd', 'e30'])(
    'that is none is told: %s',
    (cursor) => {
      expect(() => placeOf(cursor)).toThrow(Problem);
    },
  );

  it('is nothing but text to the database', async () => {
    const cursor = cursorOf({ at: 10, id: "'; drop table trades; --" });
    await expect(tradesPage(store, { limit: 5, cursor })).resolves.toBeDefined();
  });
});
