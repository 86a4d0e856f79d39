import type { BookId, ClientOrderId } from '#ledger';
import type { TRADING_ROUTES } from '../../contract/areas/trading.ts';
import type { Call, ConsoleContext, Handlers } from '../context.ts';
import { askedOf, noLoop } from '../data/asking.ts';
import { equityRows } from '../data/equity-rows.ts';
import { type Act, operate } from '../data/operate.ts';
import { positionsOf } from '../data/positions.ts';
import { fromProjections } from '../data/reach.ts';
import { headerIn, portfolioLine, standingOf } from '../data/standing.ts';
import { thinned } from '../data/thin.ts';
import { fillsPage, ordersPage, tradesPage } from '../data/trading-lists.ts';
import { overviewOf } from './trading/overview.ts';

export function tradingHandlers(context: ConsoleContext): Handlers<typeof TRADING_ROUTES> {
  const { portfolios } = context;
  const act = async (call: Call, named: string | undefined, what: Act, reason: string) => {
    const { portfolio: _, ...acted } = await operate(context, call, named, what, reason);
    return acted;
  };
  return {
    portfolios: async () => ({
      items: await Promise.all(
        portfolios.names().map(async (name) => portfolioLine(await standingOf(context, name))),
      ),
    }),
    overview: async ({ query }) => overviewOf(context, await portfolios.choose(query.portfolio), query.since),
    equity: async ({ query }) => {
      const name = await portfolios.choose(query.portfolio);
      const line = await fromProjections(context, name, (store) => equityRows(store, query));
      const { time, equity, drawdown } = thinned(line, query.points);
      const currency = headerIn(portfolios.folder(name))?.request.portfolio.base ?? null;
      return { currency, time: [...time], equity: [...equity], drawdown: [...drawdown] };
    },
    positions: async ({ query }) => {
      const name = await portfolios.choose(query.portfolio);
      const status = await askedOf(context, name, 'status');
      if (status === null) throw noLoop(name);
      return { items: positionsOf(status.positions, await askedOf(context, name, 'exits')) };
    },
    orders: async ({ query }) => {
      const name = await portfolios.choose(query.portfolio);
      return fromProjections(context, name, (store) => ordersPage(store, query));
    },
    fills: async ({ query }) => {
      const name = await portfolios.choose(query.portfolio);
      return fromProjections(context, name, (store) => fillsPage(store, query));
    },
    trades: async ({ query }) => {
      const name = await portfolios.choose(query.portfolio);
      return fromProjections(context, name, (store) => tradesPage(store, query));
    },
    cancelOrder: ({ params, query, body }, call) =>
      act(call, query.portfolio, { action: 'cancel', clientId: params.id as ClientOrderId }, body.reason),
    closePosition: ({ query, body }, call) =>
      act(call, query.portfolio, { action: 'close', book: body.book as BookId }, body.reason),
    flatten: ({ query, body }, call) =>
      act(call, query.portfolio, { action: 'flatten', desk: body.desk }, body.reason),
    kill: ({ query, body }, call) => act(call, query.portfolio, { action: 'kill' }, body.reason),
    answerReview: ({ params, query, body }, call) => {
      const { verdict, share, reason } = body;
      const allowed = verdict === 'allow' ? share : 0;
      return act(
        call,
        query.portfolio,
        { action: 'review', questionId: params.id, verdict, share: allowed },
        reason,
      );
    },
  };
}
