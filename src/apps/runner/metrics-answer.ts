import type { ELDHistogram } from 'node:perf_hooks';
import type { ProjectorState } from '#adapters';
import { BREAKER_LEVELS } from '#risk';
import type { IngestFigures } from '../ingest/ingest-figures.ts';
import type { MetricsAnswer } from './control-answers.ts';
import type { Session } from './session.ts';
import type { Surroundings } from './status.ts';

export interface MetricsSurroundings extends Pick<Surroundings, 'feed' | 'tape'> {
  readonly projector: ProjectorState | null;
  readonly feedQueue: number;
  readonly eventLoop: ELDHistogram | null;
  readonly startedAt: number;
  readonly stepAt: number;
  readonly ingest?: IngestFigures | null;
}

const plain = (map: ReadonlyMap<string, number>): Record<string, number> => Object.fromEntries(map);

function pairs(map: ReadonlyMap<string, number>): { first: string; second: string; count: number }[] {
  return [...map].map(([name, count]) => {
    const cut = name.indexOf('|');
    return cut < 0
      ? { first: name, second: name, count }
      : { first: name.slice(0, cut), second: name.slice(cut + 1), count };
  });
}

/** Counters and histograms of a running portfolio, for whoever turns them into Prometheus text. */
export function metricsAnswer(session: Session, around: MetricsSurroundings): MetricsAnswer {
  const { engine, setup, header, figures, times, recorder, journal } = session;
  const { counts, breaker, definition } = engine;
  const { tallies } = recorder;
  const { entries, bytes } = journal.file.head;
  const summary = engine.real.ledger.summary(engine.at);
  const { projector } = around;
  const { rss, heapUsed, heapTotal } = process.memoryUsage();
  return {
    at: engine.at,
    pid: process.pid,
    startedAt: around.startedAt,
    portfolio: setup.name,
    mode: setup.mode,
    currency: definition.base,
    codeHash: header.codeHash,
    running: engine.running,
    desksStopped: [...engine.desksStopped].sort(),
    stages: {
      event: times.event.answer(),
      decide: times.decide.answer(),
      commit: times.commit.answer(),
      turn: times.turn.answer(),
    },
    life: {
      bars: counts.bars,
      slices: counts.slices,
      orders: counts.orders,
      fills: counts.fills,
      trades: counts.trades,
      shadowTrades: counts.shadowTrades,
      reviews: counts.reviews,
      questions: counts.questions,
      entriesConsidered: counts.entriesConsidered,
      decisions: pairs(tallies.decisions).map(({ first, second, count }) => ({
        desk: first,
        outcome: second,
        count,
      })),
      objections: pairs(tallies.objections).map(({ first, second, count }) => ({
        outcome: first,
        by: second,
        count,
      })),
      ordersEnded: plain(tallies.ordersEnded),
      ordersRejected: plain(counts.ordersRejected),
      exits: plain(counts.exitsByKind),
      signals: plain(counts.signalsBySource),
      reductions: plain(counts.reductionsByLimit),
      breakerStates: plain(counts.breakerStates),
      slippage: { fills: tallies.slippageFills, sumBps: tallies.slippageBps },
    },
    now: {
      equity: engine.toMoney(summary.equity),
      cash: engine.toMoney(summary.cash),
      realised: engine.toMoney(summary.realised),
      unrealised: engine.toMoney(summary.unrealised),
      fees: engine.toMoney(summary.fees),
      funding: engine.toMoney(summary.funding),
      dayChange: figures.dayEquity > 0 ? summary.equity / figures.dayEquity - 1 : 0,
      drawdown: figures.drawdownOf(summary.equity),
      maxDrawdown: figures.maxDrawdown,
      positions: engine.real.ledger.positions().length,
      workingOrders: engine.real.ledger.workingOrders().length,
      reviewsOpen: engine.plans.open.length,
      breaker:
        breaker === null ? null : { state: breaker.state, level: BREAKER_LEVELS.indexOf(breaker.state) },
    },
    feed: {
      status: around.feed,
      ageMs: times.marketAt === 0 ? null : Math.max(0, Date.now() - times.marketAt),
      tape: around.tape,
    },
    journal: { entries, bytes },
    projections:
      projector === null
        ? null
        : {
            behind: projector.behind,
            queued: projector.queued,
            lag: projector.position === null ? null : Math.max(0, entries - projector.position),
            failures: projector.failures,
            error: projector.error,
          },
    ingest: around.ingest ?? null,
    traces: times.trace?.figures() ?? null,
    process: {
      feedQueue: around.feedQueue,
      stepAt: around.stepAt,
      lastTurnMs: times.lastTurnMs,
      eventLoopLag: lagOf(around.eventLoop),
      rssBytes: rss,
      heapUsedBytes: heapUsed,
      heapTotalBytes: heapTotal,
      uptimeS: process.uptime(),
    },
  };
}

/** The histogram's values are times between looks: what a look was due after is not lag. */
export const EVENT_LOOP_RESOLUTION_MS = 10;

function lagOf(histogram: ELDHistogram | null): MetricsAnswer['process']['eventLoopLag'] {
  const ms = (nanoseconds: number) => Math.max(0, nanoseconds / 1e6 - EVENT_LOOP_RESOLUTION_MS);
  if (histogram === null || histogram.count === 0) return { unit: 'ms', mean: 0, p50: 0, p99: 0, max: 0 };
  return {
    unit: 'ms',
    mean: ms(histogram.mean),
    p50: ms(histogram.percentile(50)),
    p99: ms(histogram.percentile(99)),
    max: ms(histogram.max),
  };
}
