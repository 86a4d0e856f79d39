import type { Instant } from '#base';
import { type Command, Engine, type Event, type PortfolioDefinition } from '#engine';
import { Histogram } from './histogram.ts';
import type { TurnTrace } from './turn-trace.ts';

/** How long the stages of the loop take, since the process started. Measured by the monotonic clock, around the engine. */
export class StageTimes {
  /** One event through venue and engine with all it led to, its place in the journal included. */
  readonly event = new Histogram();
  /** One step of the engine. */
  readonly decide = new Histogram();
  /** One durable write of the journal. */
  readonly commit = new Histogram();
  /** From the first event behind a commit to the end of the next commit: all that happens in one turn. */
  readonly turn = new Histogram();
  /** Wall time when the last turn ended, ms; 0 before the first. */
  stepAt = 0;
  /** Wall time of the last market event, ms; 0 before the first. */
  marketAt = 0;
  /** How long the last turn took, ms. */
  lastTurnMs = 0;
  /** False while a journal is folded: what was done before is not timed. */
  measuring = false;
  /** Told of the same stages, where somebody collects traces. */
  trace: TurnTrace | null = null;
  private turnFrom = -1;

  /** An event begins; returns when. */
  begins(): number {
    const now = performance.now();
    if (this.turnFrom < 0) this.turnFrom = now;
    this.trace?.begins(now);
    return now;
  }

  ends(from: number): void {
    this.event.add(performance.now() - from);
  }

  /** A turn is over and durable, at `at` of the loop. Counts nothing when no event came. */
  turned(at: Instant): void {
    this.stepAt = Date.now();
    this.trace?.over(at);
    if (this.turnFrom < 0) return;
    this.lastTurnMs = performance.now() - this.turnFrom;
    this.turn.add(this.lastTurnMs);
    this.turnFrom = -1;
  }
}

/** An engine whose steps are timed from outside: it decides exactly as any other. */
export class TimedEngine extends Engine {
  static override readonly configuration = [...Engine.configuration, 'times'];
  private readonly times: StageTimes;

  constructor(definition: PortfolioDefinition, times: StageTimes) {
    super(definition);
    this.times = times;
  }

  override step(event: Event): readonly Command[] {
    const from = performance.now();
    const commands = super.step(event);
    const { measuring, decide, trace } = this.times;
    if (!measuring) return commands;
    const to = performance.now();
    decide.add(to - from);
    trace?.stepped(event, commands, from, to);
    return commands;
  }
}
