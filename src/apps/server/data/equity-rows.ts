import { setImmediate as nextTurn } from 'node:timers/promises';
import { type SqlBool, sql } from 'kysely';
import type { ProjectionStore } from '#adapters';
import type { Place } from './paging.ts';
import { type EquityLine, withDrawdown } from './thin.ts';

export interface Span {
  readonly from?: number | undefined;
  readonly to?: number | undefined;
}

/** Rows read in one go: more at once would hold up everybody else. */
const PIECE = 10_000;

/** Equity of every slice in [from, to), oldest first; hour by hour where the slices were not kept. */
export async function equityRows(store: ProjectionStore, span: Span): Promise<EquityLine> {
  const [time, equity, drawdown]: [number[], number[], number[]] = [[], [], []];
  for (let after: Place | null = null; ; ) {
    const rows = await pieceOf(store, span, after);
    for (const row of rows) {
      time.push(row.at!);
      equity.push(Number(row.equity));
      drawdown.push(row.drawdown ?? 0);
    }
    const last = rows.at(-1);
    if (last === undefined || rows.length < PIECE) break;
    after = { at: last.at!, id: last.id };
    await nextTurn();
  }
  return time.length === 0 ? hourly(store, span) : { time, equity, drawdown };
}

/** The rows behind a place in the order of time, as many as may be read in one go. */
function pieceOf({ db }: ProjectionStore, { from, to }: Span, after: Place | null) {
  let query = db
    .selectFrom('equity')
    .select(['id', 'at', 'equity', 'drawdown'])
    .where('at', 'is not', null)
    .where('equity', 'is not', null);
  if (from !== undefined) query = query.where('at', '>=', from);
  if (to !== undefined) query = query.where('at', '<', to);
  if (after !== null)
    query = query.where(sql<SqlBool>`(${sql.ref('at')}, ${sql.ref('id')}) > (${after.at}, ${after.id})`);
  return query.orderBy('at').orderBy('id').limit(PIECE).execute();
}

async function hourly({ db }: ProjectionStore, { from, to }: Span): Promise<EquityLine> {
  let query = db
    .selectFrom('performance_snapshots')
    .select(['at', 'equity'])
    .where('at', 'is not', null)
    .where('equity', 'is not', null);
  if (from !== undefined) query = query.where('at', '>=', from);
  if (to !== undefined) query = query.where('at', '<', to);
  const rows = await query.orderBy('at').orderBy('id').execute();
  const peak = from === undefined ? null : await peakBefore({ db }, from);
  return withDrawdown(
    rows.map((row) => row.at!),
    rows.map((row) => Number(row.equity)),
    peak,
  );
}

async function peakBefore({ db }: Pick<ProjectionStore, 'db'>, from: number): Promise<number | null> {
  const row = await db
    .selectFrom('performance_snapshots')
    .select(sql<number | null>`max(cast(${sql.ref('equity')} as double precision))`.as('peak'))
    .where('at', '<', from)
    .executeTakeFirst();
  return row?.peak ?? null;
}
