import type { z } from 'zod';
import type { ProjectionStore } from '#adapters';
import type { overview } from '../../../contract/areas/trading.ts';
import type { ExitsAnswer, RiskAnswer } from '../../../runner/control-answers.ts';
import type { Status } from '../../../runner/status.ts';
import type { ConsoleContext } from '../../context.ts';
import { NO_STATISTICS, statisticsOf } from '../../data/account-figures.ts';
import { askedOf } from '../../data/asking.ts';
import { lastBreaker, stateOf } from '../../data/breaker-view.ts';
import { difference } from '../../data/decimals.ts';
import { positionsOf } from '../../data/positions.ts';
import { perhaps } from '../../data/reach.ts';
import { happenedSince } from '../../data/since.ts';
import { journalEnd, portfolioLine, type Standing, standingOf } from '../../data/standing.ts';
import { decisionsPage } from '../../data/thinking-lists.ts';
import { countWorking } from '../../data/trading-lists.ts';

type Overview = z.output<typeof overview>;
type Desks = Overview['desks'];

const DECISIONS = 8;

/**
 * The first screen: from the loop while it answers, else from what it left behind. Without projections the parts that need
 * them are empty.
 */
export async function overviewOf(
  context: ConsoleContext,
  name: string,
  since: number | undefined,
): Promise<Overview> {
  const standing = await standingOf(context, name);
  const { status } = standing;
  const running = status !== null;
  const [risk, exits, projected] = await Promise.all([
    running ? askedOf(context, name, 'risk') : null,
    running ? askedOf(context, name, 'exits') : null,
    perhaps(context, name, (store) => projectedParts(store, since, running)),
  ]);
  const fromRows = projected.value;
  const shared = {
    portfolio: portfolioLine(standing),
    statistics: fromRows?.statistics ?? NO_STATISTICS,
    since: fromRows?.since ?? null,
  };
  if (status !== null) return { ...shared, ...ofLoop(status, risk, exits) };
  return { ...shared, ...ofRecord(context, standing, fromRows, projected.error) };
}

async function projectedParts(store: ProjectionStore, since: number | undefined, running: boolean) {
  return {
    statistics: await statisticsOf(store),
    since: since === undefined ? null : await happenedSince(store, since),
    // a loop knows these itself, and newer
    breaker: running ? null : await lastBreaker(store),
    workingOrders: running ? 0 : await countWorking(store),
    decisions: running ? [] : (await decisionsPage(store, { limit: DECISIONS })).items,
  };
}

type Parts = Omit<Overview, 'portfolio' | 'statistics' | 'since'>;

function ofLoop(status: Status, risk: RiskAnswer | null, exits: ExitsAnswer | null): Parts {
  const { breaker } = status;
  const equity = Number(status.equity);
  return {
    at: status.at,
    pid: status.pid,
    currency: status.currency,
    equity: status.equity,
    cash: status.cash,
    realised: status.realised,
    unrealised: status.unrealised,
    fees: status.fees,
    funding: status.funding,
    dayChange: status.dayChange,
    today: risk === null ? null : difference(risk.equity, risk.day.start),
    maxDrawdown: status.maxDrawdown,
    drawdown: risk?.drawdown.now ?? null,
    breaker:
      breaker === null
        ? null
        : {
            state: stateOf(breaker.state),
            since: breaker.since,
            causes: [...breaker.causes],
            override: risk?.breaker?.overridden ?? false,
          },
    exposure:
      risk === null
        ? null
        : { gross: risk.gross, net: risk.net, share: equity > 0 ? Number(risk.gross) / equity : 0 },
    desks: desksOf(status),
    positions: positionsOf(status.positions, exits),
    workingOrders: status.workingOrders,
    decisions: [...status.decisions],
    reviews: [...status.reviews],
    feed: status.feed,
    tape: status.tape,
    journal: status.journal,
    projections: status.projections,
  };
}

function desksOf({ instruments, positions, desksStopped, running }: Status): Desks {
  const names = [...new Set(instruments.map(({ desk }) => desk))];
  return names.map((name) => ({
    name,
    running: running && !desksStopped.includes(name),
    instruments: instruments
      .filter(({ desk }) => desk === name)
      .map(({ id, price, regime, bars }) => ({ id, price, regime, bars })),
    openPositions: positions.filter(({ desk }) => desk === name).length,
  }));
}

function ofRecord(
  context: ConsoleContext,
  { name, header, last }: Standing,
  rows: Awaited<ReturnType<typeof projectedParts>> | null,
  error: string | null,
): Parts {
  const breaker = rows?.breaker ?? null;
  return {
    at: last?.at ?? 0,
    pid: 0,
    currency: header?.request.portfolio.base ?? '',
    equity: last?.equity ?? '0',
    cash: last?.cash ?? '0',
    realised: last?.realised ?? '0',
    unrealised: last?.unrealised ?? '0',
    fees: last?.fees ?? '0',
    funding: last?.funding ?? '0',
    dayChange: 0,
    today: null,
    maxDrawdown: last?.maxDrawdown ?? 0,
    drawdown: null,
    breaker:
      breaker === null
        ? null
        : {
            state: breaker.state,
            since: breaker.since,
            causes: breaker.causes,
            override: breaker.override,
          },
    exposure: null,
    desks: (header?.desks ?? []).map((desk) => ({
      name: desk.name,
      running: false,
      instruments: [],
      openPositions: 0,
    })),
    positions: [],
    workingOrders: rows?.workingOrders ?? 0,
    decisions: (rows?.decisions ?? []).map(
      ({ at, desk, instrument, action, confidence, outcome, reason }) => ({
        at,
        desk,
        instrument,
        action,
        confidence: confidence ?? 0,
        outcome,
        why: reason ?? '',
      }),
    ),
    reviews: [],
    feed: 'not running',
    tape: null,
    journal: journalEnd(context.portfolios.folder(name)),
    projections: error === null ? null : { behind: true, error },
  };
}
