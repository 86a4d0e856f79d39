import { type ELDHistogram, monitorEventLoopDelay } from 'node:perf_hooks';
import type { ProjectorState } from '#adapters';
import type { Instant } from '#base';
import { type OperatorAction, operatorRefusal, type TraceLine } from '#engine';
import type { IngestFigures } from '../ingest/ingest-figures.ts';
import type { ControlAnswer, ReadRequest } from './control.ts';
import type { MetricsAnswer } from './control-answers.ts';
import { desksAnswer, driftAnswer } from './desks-answer.ts';
import { exitsAnswer } from './exits-answer.ts';
import { learningAnswer } from './learning-answer.ts';
import { EVENT_LOOP_RESOLUTION_MS, metricsAnswer } from './metrics-answer.ts';
import { candidateFault, modelFault } from './model-watch.ts';
import { riskAnswer } from './risk-answer.ts';
import type { Session } from './session.ts';
import type { Status } from './status.ts';

/** What the control line must know of the program around the session. */
export interface ControlSurroundings {
  readonly session: Session;
  readonly status: () => Status;
  readonly feed: () => string;
  readonly tape: () => Status['tape'];
  /** Market events that wait for their turn. */
  readonly feedQueue: () => number;
  readonly projector: () => ProjectorState | null;
  /** Figures of an ingestion beside the loop. */
  readonly ingest?: () => IngestFigures | null;
  /** Time of an act: the loop's own on a tape, the clock's on a live feed; never before the engine's. */
  readonly now: () => Instant;
  /** Ends the program cleanly. */
  readonly end: () => void;
}

/** How often a loop without events says that it is alive. */
const BEAT_MS = 500;

/** Acts that are refused for how things stand, not for a name that nobody knows. */
const JUDGED = new Set<OperatorAction['action']>(['cancel', 'close', 'limits', 'model']);

/** Answers the control line of a running portfolio and does what operators order. Needs no database and no other process. */
export class ControlLine {
  private readonly around: ControlSurroundings;
  private readonly startedAt = Date.now();
  private readonly eventLoop: ELDHistogram = monitorEventLoopDelay({ resolution: EVENT_LOOP_RESOLUTION_MS });
  private readonly beat: NodeJS.Timeout;
  private beatAt = Date.now();
  /** The journal takes nothing more. */
  private closed = false;

  constructor(around: ControlSurroundings) {
    this.around = around;
    this.eventLoop.enable();
    this.beat = setInterval(() => {
      this.beatAt = Date.now();
    }, BEAT_MS).unref();
  }

  /** To be called before the journal is closed: from then on nothing is done any more. */
  close(): void {
    this.closed = true;
    clearInterval(this.beat);
    this.eventLoop.disable();
  }

  /** A question that cannot be answered must not end the loop; an act that fails half-way must. */
  answer(request: ReadRequest): ControlAnswer {
    if (request.ask === 'operator') return this.operate(request);
    try {
      return this.told(request);
    } catch (error) {
      return { ok: false, error: `${request.ask} cannot be told: ${(error as Error).message}` };
    }
  }

  private told(request: Exclude<ReadRequest, { ask: 'operator' }>): ControlAnswer {
    const { session, status, feed, end, now } = this.around;
    const { engine } = session;
    switch (request.ask) {
      case 'status':
        return { ok: true, status: status() };
      case 'risk':
        return { ok: true, risk: riskAnswer(engine, session.figures) };
      case 'learning':
        return { ok: true, learning: learningAnswer(engine, session.learning) };
      case 'exits':
        return { ok: true, exits: exitsAnswer(engine) };
      case 'metrics':
        return { ok: true, metrics: this.metrics() };
      case 'desks':
        return { ok: true, desks: desksAnswer(session, now()) };
      case 'drift': {
        const drift = driftAnswer(session, request.desk, now());
        return drift === null
          ? { ok: false, error: `there is no desk ${request.desk}` }
          : { ok: true, drift };
      }
      case 'heartbeat': {
        const { pid } = process;
        return { ok: true, heartbeat: { pid, stepAt: this.stepAt, at: engine.at, feed: feed() } };
      }
      case 'shutdown':
        end();
        return { ok: true };
      case 'why':
        return { ok: true, lines: this.linesAbout(request) };
    }
  }

  /** The kill switch by signal. False when it comes too late: everything has ended. */
  killBySignal(signal: string): boolean {
    if (this.closed) return false;
    this.operate({ ask: 'operator', by: 'signal', reason: signal, act: { action: 'kill' } });
    return true;
  }

  /** When the loop last stepped or said that it could. */
  private get stepAt(): number {
    return Math.max(this.beatAt, this.around.session.times.stepAt);
  }

  private linesAbout({ instrument, at, most }: Extract<ReadRequest, { ask: 'why' }>): TraceLine[] {
    const { recent } = this.around.session.recorder;
    const about = instrument === null ? recent : recent.filter((line) => line.instrument === instrument);
    return (at === null ? about : about.filter((line) => line.at <= at)).slice(-most);
  }

  private metrics(): MetricsAnswer {
    const { session, feed, tape, projector, feedQueue, ingest } = this.around;
    const { eventLoop, startedAt, stepAt } = this;
    return metricsAnswer(session, {
      feed: feed(),
      tape: tape(),
      projector: projector(),
      feedQueue: feedQueue(),
      eventLoop,
      startedAt,
      stepAt,
      ingest: ingest?.() ?? null,
    });
  }

  private operate(request: Extract<ReadRequest, { ask: 'operator' }>): ControlAnswer {
    if (this.closed) return { ok: false, error: 'the portfolio is ending' };
    const { act, by, reason } = request;
    const { session, now } = this.around;
    const { engine } = session;
    const { trace } = session.times;
    trace?.acts(act.action, request.traceparent);
    const at = now();
    // what is due by now may end the order or the position that is meant
    if (act.action === 'cancel' || act.action === 'close') session.passTime(at);
    const refused =
      act.action === 'model'
        ? (modelFault(engine, act) ?? candidateFault(session.setup, act))
        : operatorRefusal(engine, act);
    if (refused !== null) {
      trace?.refused();
      session.commit();
      return { ok: false, refused: JUDGED.has(act.action), error: refused };
    }
    const before = engine.breaker?.state ?? null;
    session.happened({ kind: 'operator-acted', at, eventTime: at, by, reason, act });
    session.commit();
    const after = engine.breaker?.state ?? null;
    if (act.action === 'recover' && act.desk == null && after !== 'CLOSED') {
      return { ok: false, refused: true, error: `the breaker stays ${after}: ${whyNot(after)}` };
    }
    return {
      ok: true,
      running: engine.running,
      desksStopped: [...engine.desksStopped].sort(),
      breakerBefore: before,
      breaker: after,
    };
  }
}

function whyNot(state: string | null): string {
  return state === 'SHUTDOWN'
    ? 'leaving SHUTDOWN needs --confirm RESTART'
    : 'an override holds it: lift it first';
}
