import type { Instant } from '#base';
import { type Command, commandText, type Engine, type Event, Loop, type Outside } from '#engine';
import type { VenueFold } from '#execution';
import type { VenueReport } from '#ledger';
import type { MarketEvent } from '#market';
import type { DerivedNote } from './notes.ts';
import type { PaperJournal } from './paper-journal.ts';
import { StageTimes } from './stage-times.ts';

/** What a crash left undone: see {@link PaperLoop.complete}. */
export interface Unfinished {
  /** Notes and commands of the last event that were decided but not written. */
  readonly notes: readonly DerivedNote[];
  readonly commands: readonly Command[];
  /** Reports the venue has made and the engine has not heard. */
  readonly reports: readonly VenueReport[];
  /** The market event behind those reports, not yet shown to the engine. */
  readonly market: MarketEvent | null;
}

export interface PaperLoopOptions {
  readonly engine: Engine;
  readonly venue: VenueFold;
  readonly journal: PaperJournal;
  /** Longest way of a command to the venue, so that someone looks when it has arrived. */
  readonly latencyMs: number;
  /** Questions and alerts: commands that are not the venue's. */
  readonly onCommand: (command: Command, at: Instant) => void;
  /** Who measures; nobody unless given. */
  readonly times?: StageTimes;
}

/**
 * The loop of a paper run: market events, operators and time in; the simulated venue outside. The venue sees a market
 * event first and its reports go through the loop before the event does, each in the order in which it is written, so
 * that folding the journal beside the engine gives the venue back exactly (see recover.ts).
 */
export class PaperLoop implements Outside {
  readonly engine: Engine;
  readonly venue: VenueFold;
  readonly journal: PaperJournal;
  private readonly loop: Loop;
  private readonly latencyMs: number;
  private readonly onCommand: (command: Command, at: Instant) => void;
  private readonly times: StageTimes;
  /** Reports waiting for their turn. */
  private readonly inbox: VenueReport[] = [];
  private draining = false;
  /** When commands on their way have arrived at the venue. */
  private arrivalAt = Number.POSITIVE_INFINITY;

  constructor(options: PaperLoopOptions) {
    this.engine = options.engine;
    this.venue = options.venue;
    this.journal = options.journal;
    this.latencyMs = options.latencyMs;
    this.onCommand = options.onCommand;
    this.times = options.times ?? new StageTimes();
    this.loop = new Loop(options.engine, options.journal, this);
  }

  carryOut(command: Command, at: Instant): void {
    switch (command.kind) {
      case 'submit-order':
      case 'amend-order':
      case 'cancel-order':
      case 'query-order': {
        const { trace } = this.times;
        const from = trace === null ? 0 : performance.now();
        this.arrivalAt = Math.min(this.arrivalAt, at + this.latencyMs);
        for (const report of this.venue.execute(command, at)) this.inbox.push(report);
        trace?.sent(command, from, performance.now());
        return;
      }
      case 'ask-question':
      case 'raise-alert':
        this.onCommand(command, at);
        return;
    }
  }

  /** When someone must call {@link passTime} although nothing happens; Infinity when nobody must. */
  nextDue(): Instant {
    return Math.min(this.engine.nextDue(), this.arrivalAt);
  }

  /** Timers due before `at`. */
  passTime(at: Instant): void {
    for (;;) {
      const due = this.engine.nextDue();
      if (!(due < at)) break;
      const now = Math.max(due, this.engine.at);
      this.venueTime(now);
      this.dispatch({ kind: 'timer-fired', at: now, eventTime: now });
    }
  }

  /** Lets commands that are on their way arrive, and their reports come back. */
  venueTime(at: Instant): void {
    if (this.arrivalAt <= at) this.arrivalAt = Number.POSITIVE_INFINITY;
    this.take(this.venue.advanceTo(at));
  }

  /** A market event whose `at` is not before anything seen. */
  market(event: MarketEvent): void {
    this.passTime(event.at);
    this.venueTime(event.at);
    const reports = this.venue.onMarket(event);
    if (event.kind === 'bar-opened') {
      this.journal.note({ note: 'bar-opened', event });
      this.take(reports);
      return;
    }
    if (reports.length > 0) this.journal.note({ note: 'venue-first', event });
    this.take(reports);
    this.dispatch(event);
  }

  /** Anything else that happens: a start, an operator, an answer. */
  happened(event: Exclude<Event, MarketEvent | VenueReport>): void {
    this.passTime(event.at);
    this.venueTime(event.at);
    this.dispatch(event);
  }

  /** Finishes what a crash interrupted, so that the journal goes on as if it had not. */
  complete(unfinished: Unfinished): void {
    for (const note of unfinished.notes) this.journal.note(note);
    for (const command of unfinished.commands) this.journal.append('command', commandText(command));
    this.inbox.push(...unfinished.reports);
    if (unfinished.commands.length > 0) {
      this.journal.commit();
      for (const command of unfinished.commands) this.carryOut(command, this.engine.at);
    }
    this.drain();
    if (unfinished.market !== null) this.dispatch(unfinished.market);
    this.journal.commit();
  }

  private dispatch(event: Event): void {
    this.loop.dispatch(event);
    this.drain();
  }

  private take(reports: readonly VenueReport[]): void {
    if (reports.length === 0) return;
    for (const report of reports) this.inbox.push(report);
    this.drain();
  }

  private drain(): void {
    if (this.draining) return;
    this.draining = true;
    for (let i = 0; i < this.inbox.length; i++) this.loop.dispatch(this.inbox[i]!);
    this.inbox.length = 0;
    this.draining = false;
  }
}
