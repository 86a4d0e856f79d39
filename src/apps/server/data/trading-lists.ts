import type { z } from 'zod';
import type { ProjectionStore, TableRow } from '#adapters';
import type { fill, order, trade } from '../../contract/areas/trading.ts';
import { type Page, type PageAsk, readPage } from './paging.ts';

type Order = z.output<typeof order>;
type Fill = z.output<typeof fill>;
type Trade = z.output<typeof trade>;

export interface AboutAsk extends PageAsk {
  readonly instrument?: string | undefined;
  readonly desk?: string | undefined;
}

/** Statuses of orders that may still be filled. */
const WORKING = ['pending', 'working', 'triggered', 'partially-filled'] as const;

/** Orders by the time they were sent, newest first. */
export async function ordersPage(
  { db }: ProjectionStore,
  ask: AboutAsk & { readonly working?: boolean | undefined },
): Promise<Page<Order>> {
  let query = db.selectFrom('orders').selectAll();
  if (ask.instrument !== undefined) query = query.where('instrument', '=', ask.instrument);
  if (ask.desk !== undefined) query = query.where('desk', '=', ask.desk);
  if (ask.working === true) query = query.where('state', 'in', WORKING);
  if (ask.working === false) query = query.where('state', 'not in', WORKING);
  return readPage(query, ask, orderOf);
}

/** Working orders of an instrument, oldest first. */
export async function workingOrders({ db }: ProjectionStore, instrument: string): Promise<Order[]> {
  const rows = await db
    .selectFrom('orders')
    .selectAll()
    .where('state', 'in', WORKING)
    .where('instrument', '=', instrument)
    .where('at', 'is not', null)
    .orderBy('at')
    .orderBy('id')
    .limit(500)
    .execute();
  return rows.map(orderOf);
}

function orderOf(row: TableRow<'orders'>): Order {
  const state = row.state ?? 'pending';
  return {
    id: row.id,
    at: row.at!,
    updatedAt: row.updated_at,
    desk: row.desk ?? '',
    book: row.book ?? '',
    instrument: row.instrument ?? '',
    venue: row.venue,
    venueOrderId: row.venue_order_id,
    side: row.side ?? '',
    type: row.type ?? '',
    timeInForce: row.time_in_force,
    quantity: row.quantity ?? '0',
    price: row.price,
    stopPrice: row.stop_price,
    filled: row.filled ?? '0',
    averagePrice: row.average_price,
    state,
    working: (WORKING as readonly string[]).includes(state),
    reason: row.reason,
  };
}

/** Fills, newest first. */
export async function fillsPage({ db }: ProjectionStore, ask: AboutAsk): Promise<Page<Fill>> {
  let query = db.selectFrom('fills').selectAll();
  if (ask.instrument !== undefined) query = query.where('instrument', '=', ask.instrument);
  if (ask.desk !== undefined) query = query.where('desk', '=', ask.desk);
  return readPage(query, ask, fillOf);
}

/** The fills of some orders, oldest first. */
export async function fillsOfOrders({ db }: ProjectionStore, orders: readonly string[]): Promise<Fill[]> {
  if (orders.length === 0) return [];
  const rows = await db
    .selectFrom('fills')
    .selectAll()
    .where('order_id', 'in', orders)
    .where('at', 'is not', null)
    .orderBy('at')
    .orderBy('id')
    .limit(1_000)
    .execute();
  return rows.map(fillOf);
}

function fillOf(row: TableRow<'fills'>): Fill {
  return {
    id: row.id,
    at: row.at!,
    orderId: row.order_id ?? '',
    desk: row.desk ?? '',
    instrument: row.instrument ?? '',
    side: row.side ?? '',
    quantity: row.quantity ?? '0',
    price: row.price ?? '0',
    fee: row.fee ?? '0',
    currency: row.currency ?? '',
    liquidity: row.liquidity,
    reason: row.reason,
  };
}

/** Closed trades by the time they were closed, newest first. */
export async function tradesPage({ db }: ProjectionStore, ask: AboutAsk): Promise<Page<Trade>> {
  let query = db.selectFrom('trades').selectAll();
  if (ask.instrument !== undefined) query = query.where('instrument', '=', ask.instrument);
  if (ask.desk !== undefined) query = query.where('desk', '=', ask.desk);
  return readPage(query, ask, tradeOf);
}

function tradeOf(row: TableRow<'trades'>): Trade {
  return {
    id: row.id,
    at: row.at!,
    openedAt: row.opened_at ?? row.at!,
    desk: row.desk ?? '',
    instrument: row.instrument ?? '',
    side: row.side === 'short' ? 'short' : 'long',
    quantity: row.quantity ?? '0',
    entryPrice: row.entry_price ?? '0',
    exitPrice: row.exit_price ?? '0',
    realised: row.realised ?? '0',
    fees: row.fees ?? '0',
    funding: row.funding ?? '0',
    currency: row.currency ?? '',
    regime: row.regime,
    reason: row.reason,
  };
}

/** Number of orders that may still be filled. */
export async function countWorking({ db }: ProjectionStore): Promise<number> {
  const row = await db
    .selectFrom('orders')
    .select((eb) => eb.fn.countAll<number>().as('n'))
    .where('state', 'in', WORKING)
    .executeTakeFirst();
  return Number(row?.n ?? 0);
}
