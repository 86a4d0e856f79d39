import { sql } from 'kysely';
import type { ProjectionStore, TableRow } from '#adapters';
import { DAY } from '#base';
import { expectancyOf } from '#learning';
import { returnsOf, sharpeOf } from '#research';

/** Figures of all closed trades of a portfolio. */
export interface Statistics {
  readonly trades: number;
  readonly winRate: number | null;
  /** Mean win over mean loss. */
  readonly payoff: number | null;
  /** Mean net result of a trade, money. */
  readonly expectancy: string | null;
  /** Of daily closes, a year of 365 days; null before three returns. */
  readonly sharpe: number | null;
}

export const NO_STATISTICS: Statistics = {
  trades: 0,
  winRate: null,
  payoff: null,
  expectancy: null,
  sharpe: null,
};

/** Places of an expectancy, which no grid ends. */
const PLACES = 8;

const kept = new WeakMap<
  ProjectionStore,
  { readonly of: string; readonly statistics: Promise<Statistics> }
>();

/** After fees and funding, which are positive when paid. Computed anew when a trade or an hour was added. */
export async function statisticsOf(store: ProjectionStore): Promise<Statistics> {
  const of = `${await lengthOf(store, 'trades')} ${await lengthOf(store, 'performance_snapshots')}`;
  const known = kept.get(store);
  if (known?.of === of) return known.statistics;
  const statistics = computed(store);
  kept.set(store, { of, statistics });
  // a fault is not kept
  statistics.catch(() => kept.delete(store));
  return statistics;
}

async function lengthOf({ db }: ProjectionStore, table: 'trades' | 'performance_snapshots'): Promise<string> {
  const row = await db
    .selectFrom(table)
    .select((eb) => [eb.fn.countAll<number>().as('n'), eb.fn.max('position').as('last')])
    .executeTakeFirst();
  return `${row?.n}:${row?.last}`;
}

async function computed(store: ProjectionStore): Promise<Statistics> {
  const rows = await store.db.selectFrom('trades').select(['realised', 'fees', 'funding']).execute();
  const nets = rows.map((row) => Number(row.realised) - Number(row.fees) - Number(row.funding));
  return { ...ofNets(nets), sharpe: await dailySharpe(store) };
}

/** The figures that trades alone give. */
export function ofNets(nets: readonly number[]): Omit<Statistics, 'sharpe'> {
  const { n, winRate, meanWin, meanLoss, expectancy } = expectancyOf(nets);
  if (n === 0) return NO_STATISTICS;
  return {
    trades: n,
    winRate,
    payoff: meanLoss === 0 ? null : meanWin / meanLoss,
    expectancy: expectancy.toFixed(PLACES),
  };
}

async function dailySharpe({ db }: ProjectionStore): Promise<number | null> {
  const at = sql.ref<number>('at');
  const day = sql<number>`${at} / ${sql.lit(DAY)}`;
  const newest = db
    .selectFrom('performance_snapshots')
    .select(sql<number>`max(${at})`.as('newest'))
    .where('equity', 'is not', null)
    .groupBy(day);
  const rows = await db
    .selectFrom('performance_snapshots')
    .select('equity')
    .where('at', 'in', newest)
    .where('equity', 'is not', null)
    .orderBy('at')
    .execute();
  const returns = returnsOf(rows.map(({ equity }) => Number(equity)));
  return returns === null || returns.length < 3 ? null : sharpeOf(returns, 365);
}

/** The account at the last full hour that was written; undefined before the first. */
export async function newestPerformance({
  db,
}: ProjectionStore): Promise<TableRow<'performance_snapshots'> | undefined> {
  return db
    .selectFrom('performance_snapshots')
    .selectAll()
    .where('at', 'is not', null)
    .orderBy('at', 'desc')
    .orderBy('id', 'desc')
    .limit(1)
    .executeTakeFirst();
}
