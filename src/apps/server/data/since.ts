import type { z } from 'zod';
import type { ProjectionStore } from '#adapters';
import type { overview } from '../../contract/areas/trading.ts';
import { negated, sumOf } from './decimals.ts';

export type Since = NonNullable<z.output<typeof overview>['since']>;

const ALERTS_MOST = 20;

/** What happened in a portfolio from an instant on. */
export async function happenedSince(store: ProjectionStore, since: number): Promise<Since> {
  const { db } = store;
  const trades = await db
    .selectFrom('trades')
    .select(['realised', 'fees', 'funding'])
    .where('at', '>=', since)
    .execute();
  const alerts = await db
    .selectFrom('notifications')
    .select(['at', 'severity', 'title'])
    .where('at', '>=', since)
    .where('severity', '!=', 'info')
    .orderBy('at', 'desc')
    .orderBy('id', 'desc')
    .limit(ALERTS_MOST)
    .execute();
  const entered = await db
    .selectFrom('decisions')
    .select((eb) => eb.fn.countAll<number>().as('n'))
    .where('at', '>=', since)
    .where('outcome', '=', 'entered')
    .executeTakeFirst();
  return {
    since,
    decisions: await count(store, 'decisions', since),
    entered: Number(entered?.n ?? 0),
    fills: await count(store, 'fills', since),
    trades: trades.length,
    realised: sumOf(
      trades.flatMap(({ realised, fees, funding }) => [
        realised ?? '0',
        negated(fees ?? '0'),
        negated(funding ?? '0'),
      ]),
    ),
    alerts: alerts.map(({ at, severity, title }) => ({
      at: at!,
      severity: severity === 'critical' ? 'critical' : 'warning',
      title: title ?? '',
    })),
    breakerMoves: await count(store, 'breaker_events', since),
  };
}

async function count(
  { db }: ProjectionStore,
  table: 'decisions' | 'fills' | 'breaker_events',
  since: number,
): Promise<number> {
  const row = await db
    .selectFrom(table)
    .select((eb) => eb.fn.countAll<number>().as('n'))
    .where('at', '>=', since)
    .executeTakeFirst();
  return Number(row?.n ?? 0);
}
