import type { z } from 'zod';
import type { ProjectionStore } from '#adapters';
import type { SIGMA_ROUTES, sigmaTrade } from '../../../contract/areas/sigma.ts';
import type { AnswerOf } from '../../../contract/index.ts';
import type { AccountFigures } from '../../../runner/notes.ts';
import type { PositionStatus } from '../../../runner/status.ts';
import type { ConsoleContext } from '../../context.ts';
import { NO_STATISTICS, type Statistics, statisticsOf } from '../../data/account-figures.ts';
import { askedOf, noLoop } from '../../data/asking.ts';
import { lastBreaker, stateOf } from '../../data/breaker-view.ts';
import { difference, netOf, sumOf } from '../../data/decimals.ts';
import { type PageAsk, readPage } from '../../data/paging.ts';
import { fromProjections, perhaps } from '../../data/reach.ts';
import { type Standing, standingOf } from '../../data/standing.ts';
import { tradesPage } from '../../data/trading-lists.ts';

type Answers = { [K in keyof typeof SIGMA_ROUTES]: AnswerOf<(typeof SIGMA_ROUTES)[K]> };
type SigmaTrade = z.output<typeof sigmaTrade>;

/** Fills looked at for one position. */
const FILLS_MOST = 200;

const NOTHING: AccountFigures = {
  equity: '0',
  cash: '0',
  realised: '0',
  unrealised: '0',
  fees: '0',
  funding: '0',
};

const figuresOf = ({ status, last }: Standing): AccountFigures => status ?? last ?? NOTHING;

export async function tradingStatus(
  context: ConsoleContext,
  name: string,
): Promise<Answers['tradingStatus']> {
  const standing = await standingOf(context, name);
  const { status } = standing;
  const figures = figuresOf(standing);
  const last = status === null ? (await perhaps(context, name, lastBreaker)).value : null;
  return {
    is_running: status?.running ?? false,
    balance: figures.cash,
    open_positions: status?.positions.length ?? 0,
    total_pnl: netOf(figures),
    regime: status?.instruments.find(({ regime }) => regime !== null)?.regime ?? null,
    breaker: status === null ? (last?.state ?? null) : status.breaker && stateOf(status.breaker.state),
  };
}

export async function balanceOf(context: ConsoleContext, name: string): Promise<Answers['balance']> {
  const standing = await standingOf(context, name);
  const { cash, equity, unrealised } = figuresOf(standing);
  const currency = standing.status?.currency ?? standing.header?.request.portfolio.base ?? '';
  return { balance: cash, equity, unrealised, currency };
}

export async function performanceOf(context: ConsoleContext, name: string): Promise<Answers['performance']> {
  const standing = await standingOf(context, name);
  const statistics = await fromProjections(context, name, statisticsOf);
  return figures(statistics, standing.status?.maxDrawdown ?? standing.last?.maxDrawdown ?? 0);
}

const figures = (
  { trades, winRate, payoff, expectancy, sharpe }: Statistics = NO_STATISTICS,
  maxDrawdown: number,
) => ({
  win_rate: winRate,
  payoff,
  expectancy,
  sharpe,
  max_drawdown: maxDrawdown,
  n: trades,
});

/** The account hour by hour, newest first. */
export async function performancePage(
  { db }: ProjectionStore,
  ask: PageAsk,
): Promise<Answers['performanceHistory']> {
  return readPage(db.selectFrom('performance_snapshots').selectAll(), ask, (row) => ({
    win_rate: row.win_rate,
    payoff: row.payoff,
    expectancy: row.expectancy,
    sharpe: row.sharpe,
    max_drawdown: row.max_drawdown ?? 0,
    n: row.trades ?? 0,
    time: row.at!,
    equity: row.equity ?? '0',
  }));
}

export async function closedTrades(store: ProjectionStore, ask: PageAsk): Promise<Answers['sigmaTrades']> {
  const { items, next } = await tradesPage(store, ask);
  return {
    items: items.map(
      (trade): SigmaTrade => ({
        id: trade.id,
        symbol: trade.instrument,
        side: trade.side,
        size: trade.quantity,
        entry_price: trade.entryPrice,
        exit_price: trade.exitPrice,
        pnl: difference(trade.realised, sumOf([trade.fees, trade.funding])),
        fees: trade.fees,
        opened_at: trade.openedAt,
        closed_at: trade.at,
        regime: trade.regime,
        reason: trade.reason,
      }),
    ),
    next,
  };
}

/** Open positions. Their fees are those of the fills they are made of, as far as these can be read. */
export async function openTrades(context: ConsoleContext, name: string): Promise<Answers['sigmaOpenTrades']> {
  const status = await askedOf(context, name, 'status');
  if (status === null) throw noLoop(name);
  const exits = await askedOf(context, name, 'exits');
  const opened = new Map(exits?.positions.map(({ book, openedAt }) => [book, openedAt]));
  const { value: fees } = await perhaps(context, name, (store) => feesOf(store, status.positions));
  return status.positions.map(
    ({ book, instrument, side, quantity, entryPrice, unrealised }): SigmaTrade => ({
      id: book,
      symbol: instrument,
      side,
      size: quantity,
      entry_price: String(entryPrice),
      exit_price: null,
      pnl: unrealised,
      fees: fees?.get(book) ?? '0',
      opened_at: opened.get(book) ?? status.at,
      closed_at: null,
      regime: null,
      reason: null,
    }),
  );
}

/** Fees by book, of the newest fills back to where the position began: those whose sum, signed, it is. */
async function feesOf(
  { db }: ProjectionStore,
  held: readonly PositionStatus[],
): Promise<ReadonlyMap<string, string>> {
  const fees = new Map<string, string>();
  for (const { book, side, quantity } of held) {
    const rows = await db
      .selectFrom('fills')
      .select(['fee', 'side', 'quantity'])
      .where('book', '=', book)
      .orderBy('at', 'desc')
      .orderBy('id', 'desc')
      .limit(FILLS_MOST)
      .execute();
    const paid: string[] = [];
    const opens = side === 'long' ? 'buy' : 'sell';
    let left = Number(quantity);
    for (const row of rows) {
      if (left <= Number(quantity) * 1e-9) break;
      left -= Number(row.quantity) * (row.side === opens ? 1 : -1);
      paid.push(row.fee ?? '0');
    }
    fees.set(book, sumOf(paid));
  }
  return fees;
}
