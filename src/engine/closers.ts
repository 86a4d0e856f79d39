import { type BookId, type Ledger, type OrderState, opposite, type Side } from '#ledger';

/** Whether it has a trigger that it still waits for: it closes nothing yet. */
const waits = ({ request, status }: OrderState): boolean =>
  (request.triggerTicks !== null || request.trailRate !== null) &&
  (status === 'pending' || status === 'working');

/**
 * Whether an order that only reduces is at work: a market or limit order, or one that its trigger has released. A stop
 * that rests is not: it protects what is held until an exit has filled, and ends with the position.
 */
export const isAtWork = (order: OrderState): boolean => order.request.reduceOnly && !waits(order);

/**
 * Lots that the orders at work of a side may still close, also those whose cancellation is not answered yet. Orders
 * that cancel each other share what they close.
 */
export function closingLots(orders: readonly OrderState[], side: Side): number {
  let sum = 0;
  const groups = new Map<string, number>();
  for (const order of orders) {
    const { request, lots, filledLots } = order;
    if (request.side !== side || !isAtWork(order)) continue;
    const left = Math.max(0, lots - filledLots);
    const counted = request.ocoGroup === null ? 0 : (groups.get(request.ocoGroup) ?? 0);
    if (request.ocoGroup !== null) groups.set(request.ocoGroup, Math.max(counted, left));
    sum += Math.max(0, left - counted);
  }
  return sum;
}

/**
 * What a book holds and no order at work closes, signed. More must not be asked for: a venue that nets all books and
 * is not told that an order only reduces would turn the position.
 */
export function freeLots(ledger: Ledger, book: BookId): number {
  const held = ledger.position(book)?.lots ?? 0;
  if (held === 0) return 0;
  const side = opposite(held > 0 ? 'buy' : 'sell');
  const free = Math.max(0, Math.abs(held) - closingLots(ledger.workingOrders(book), side));
  return held > 0 ? free : -free;
}
