import type { RouteId } from '@contract';
import { perform } from '../../ui/act.tsx';
import type { Position } from './exits.tsx';

const MAKES_OLD: readonly RouteId[] = ['positions', 'orders', 'overview', 'fills', 'trades', 'risk'];

export function closePosition({ book, side, quantity, instrument }: Position) {
  return perform({
    route: 'closePosition',
    body: { book },
    title: `Close ${instrument}`,
    says: `The ${side} position of ${quantity} ${instrument} is closed at the market, and the entries that wait for it are cancelled.`,
    verb: 'Close',
    danger: true,
    done: `${instrument} is being closed`,
    makesOld: MAKES_OLD,
  });
}

export function cancelOrder(order: {
  readonly id: string;
  readonly type: string;
  readonly side: string;
  readonly instrument: string;
}) {
  return perform({
    route: 'cancelOrder',
    params: { id: order.id },
    title: `Cancel an order of ${order.instrument}`,
    says: `The ${order.side} ${order.type} order ${order.id} is cancelled. A stop that is cancelled protects nothing any more.`,
    verb: 'Cancel order',
    done: 'The cancel is sent',
    makesOld: MAKES_OLD,
  });
}

export function flattenDesk(desk: string) {
  return perform({
    route: 'flatten',
    body: { desk },
    title: `Flatten ${desk}`,
    says: `Every order of the desk ${desk} is cancelled and every position of it is closed at the market.`,
    verb: 'Flatten',
    danger: true,
    done: `${desk} is being closed`,
    makesOld: MAKES_OLD,
  });
}
