import type { THINKING_ROUTES } from '../../contract/areas/thinking.ts';
import type { TRADING_ROUTES } from '../../contract/areas/trading.ts';
import type { RouteId } from '../../contract/paths.ts';
import type { Handlers } from '../context.ts';

/** Routes that a chat may look things up with. Every one of them only reads. */
export const READ_ROUTES = [
  'overview',
  'positions',
  'orders',
  'trades',
  'equity',
  'decisions',
  'decision',
  'sources',
  'gates',
  'risk',
  'breaker',
] as const satisfies readonly RouteId[];

type Readable = (typeof READ_ROUTES)[number];

/** The handlers of those routes, and of no others: what is not here cannot be reached by a chat. */
export type Readers = Pick<Handlers<typeof TRADING_ROUTES> & Handlers<typeof THINKING_ROUTES>, Readable>;

/** Takes the readers out of all handlers. */
export function readersOf(handlers: Readers): Readers {
  const { overview, positions, orders, trades, equity, decisions, decision, sources, gates, risk, breaker } =
    handlers;
  return { overview, positions, orders, trades, equity, decisions, decision, sources, gates, risk, breaker };
}
