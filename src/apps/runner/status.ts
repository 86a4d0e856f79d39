import { formatDecimal, stepsToNumber, stepsToText } from '#base';
import { countsAsData, type Engine } from '#engine';
import { bookKey } from '#ledger';
import { accountFigures } from './figures.ts';
import type { AccountFigures } from './notes.ts';
import { isEvidence } from './run-mode.ts';
import type { Session } from './session.ts';

export interface PositionStatus {
  readonly book: string;
  readonly desk: string;
  readonly instrument: string;
  readonly side: 'long' | 'short';
  readonly quantity: string;
  readonly entryPrice: number;
  readonly price: number | null;
  readonly unrealised: string;
  readonly stop: number | null;
  readonly target: number | null;
  /** Distances from the price, as fractions of it. */
  readonly stopDistance: number | null;
  readonly targetDistance: number | null;
}

export interface DecisionStatus {
  readonly at: number;
  readonly desk: string;
  readonly instrument: string;
  readonly action: string;
  readonly confidence: number;
  readonly outcome: string;
  readonly why: string;
}

/** What a running portfolio says about itself. Money and quantities are decimal strings. */
export interface Status extends AccountFigures {
  readonly portfolio: string;
  readonly mode: string;
  /** False: nothing here counts as evidence for or against a desk. */
  readonly evidence: boolean;
  readonly pid: number;
  readonly at: number;
  readonly currency: string;
  /** Change since 00:00 UTC, as a fraction. */
  readonly dayChange: number;
  readonly maxDrawdown: number;
  readonly running: boolean;
  /** Desks whose entries an operator has stopped alone. */
  readonly desksStopped: readonly string[];
  readonly breaker: {
    readonly state: string;
    readonly since: number;
    readonly causes: readonly string[];
  } | null;
  /** Kill switches of desks and of groups of them, groups first. */
  readonly killSwitches: readonly {
    readonly name: string;
    readonly kind: 'desk' | 'group';
    readonly desks: readonly string[];
    readonly tripped: boolean;
    readonly since: number | null;
    readonly why: string | null;
    readonly resetAt: number | null;
  }[];
  readonly instruments: readonly {
    readonly id: string;
    readonly desk: string;
    readonly price: number | null;
    readonly regime: string | null;
    readonly intervalMs: number;
    readonly bars: number;
  }[];
  /** What the desks' references to models mean now, and when that changed last; null: it is what it was at the beginning. */
  readonly models: readonly {
    readonly desk: string;
    readonly reference: string;
    readonly id: string | null;
    readonly changedAt: number | null;
    /** Hash of the desk's configuration since then. */
    readonly deskHash: string | null;
  }[];
  readonly positions: readonly PositionStatus[];
  readonly workingOrders: number;
  readonly decisions: readonly DecisionStatus[];
  readonly reviews: readonly {
    readonly questionId: string;
    readonly planId: string;
    readonly desk: string;
    readonly expiresAt: number;
  }[];
  readonly counts: Record<string, unknown>;
  readonly feed: string;
  readonly tape: { readonly position: number; readonly length: number | null; readonly over: boolean } | null;
  readonly journal: { readonly entries: number; readonly bytes: number; readonly hash: string };
  readonly projections: { readonly behind: boolean; readonly error: string | null } | null;
  readonly rssMiB: number;
}

export interface Surroundings {
  readonly feed: string;
  readonly tape: Status['tape'];
  readonly projections: Status['projections'];
}

export function statusOf(session: Session, around: Surroundings): Status {
  const { engine, setup, figures } = session;
  const { entries, bytes, hash } = session.journal.file.head;
  return {
    portfolio: setup.name,
    mode: setup.mode,
    evidence: isEvidence(setup.mode),
    pid: process.pid,
    at: engine.at,
    currency: engine.definition.base,
    ...accountFigures(engine, engine.at),
    dayChange: figures.dayEquity > 0 ? engine.equity() / figures.dayEquity - 1 : 0,
    maxDrawdown: figures.maxDrawdown,
    running: engine.running,
    desksStopped: [...engine.desksStopped].sort(),
    breaker:
      engine.breaker === null
        ? null
        : {
            state: engine.breaker.state,
            since: engine.breaker.since,
            causes: engine.breaker.causes.map((c) => c.trigger),
          },
    killSwitches: engine.kills.states.map(({ name, kind, desks, cause, resetAt }) => ({
      name,
      kind,
      desks,
      tripped: cause !== null,
      since: cause?.at ?? null,
      why: cause?.text ?? null,
      resetAt,
    })),
    instruments: engine.desks.flatMap((desk) =>
      desk.instruments
        .filter((i) => i.traded)
        .map((i) => ({
          id: i.instrument.id,
          desk: desk.name,
          price: Number.isFinite(i.price) ? i.price : null,
          regime: i.regimeName,
          intervalMs: i.intervalMs,
          bars: i.count,
        })),
    ),
    models: engine.desks.flatMap(({ name: desk, models, modelsAt: changedAt, configurationHash: deskHash }) =>
      Object.entries(models ?? {}).map(([reference, id]) => ({ desk, reference, id, changedAt, deskHash })),
    ),
    positions: positionsOf(engine),
    workingOrders: engine.real.ledger.workingOrders().length,
    decisions: session.recorder.decisions(8).map((d) => ({
      at: d.at,
      desk: d.desk,
      instrument: d.instrument,
      action: d.action,
      confidence: d.confidence,
      outcome: d.outcome,
      why: d.objections.length === 0 ? '' : `${d.objections[0]!.by}: ${d.objections[0]!.reason}`,
    })),
    reviews: engine.plans.open,
    counts: countsAsData(engine.counts),
    feed: around.feed,
    tape: around.tape,
    journal: { entries, bytes, hash },
    projections: around.projections,
    rssMiB: Math.round((process.memoryUsage.rss() / (1 << 20)) * 10) / 10,
  };
}

function positionsOf(engine: Engine): PositionStatus[] {
  const { ledger, held } = engine.real;
  return ledger.positions().map((position) => {
    const instrument = engine.instrumentOf(position.instrument);
    const mark = ledger.lastMark(position.instrument);
    const price = mark === null ? null : stepsToNumber(mark.ticks, instrument.tick);
    const { stopPrice = null, targetPrice = null } = held.get(position.book) ?? {};
    const distance = (level: number | null) =>
      level === null || price === null ? null : Math.abs(level - price) / price;
    return {
      book: position.book,
      desk: bookKey(position.book).desk,
      instrument: position.instrument,
      side: position.lots > 0 ? 'long' : 'short',
      quantity: stepsToText(Math.abs(position.lots), instrument.lot),
      entryPrice: position.entryPrice,
      price,
      unrealised: formatDecimal(ledger.unrealised(position.book), instrument.minorScale),
      stop: stopPrice,
      target: targetPrice,
      stopDistance: distance(stopPrice),
      targetDistance: distance(targetPrice),
    };
  });
}
