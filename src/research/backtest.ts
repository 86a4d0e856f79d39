import { type Instant, MINUTE } from '#base';
import {
  type BarsAhead,
  type Command,
  Engine,
  type JournalSink,
  Loop,
  type Outside,
  type PortfolioDefinition,
  passBars,
  quietBars,
} from '#engine';
import type { VenueFold } from '#execution';
import type { VenueReport } from '#ledger';
import type { BarColumns, InstrumentId, MarketEvent } from '#market';
import type { EquityCurve } from './equity-curve.ts';

/** Walks a recorded tape; adapters give one. `position` numbers the steps from 1. */
export interface TapeWalk {
  readonly at: Instant;
  readonly phase: 'open' | 'close' | 'funding' | 'event';
  readonly position: number;
  /** The bars it brings, of instruments with one series of them. */
  readonly bars: readonly { readonly instrument: InstrumentId; readonly columns: BarColumns }[];
  next(): boolean;
  event(): MarketEvent;
  /** Of a bar that opens: its instrument and its opening price. */
  readonly instrument: InstrumentId;
  readonly open: number;
  /** The bars that come next if nothing else does, where it stands on the opening of one; may be none. */
  barsAhead(): BarsAhead;
  /** Goes on to the close of the last of so many of them. */
  pass(bars: number): void;
}

/** Answers questions during a run without waiting: recorded answers, or none. */
export interface Oracle {
  answer(topic: string, prompt: unknown): { answer: unknown; delayMs: number } | null;
}

export interface BacktestOptions {
  readonly definition: PortfolioDefinition;
  readonly tape: TapeWalk;
  readonly venue: VenueFold;
  readonly journal: JournalSink;
  readonly seed: string;
  readonly codeHash: string;
  readonly configurationHash: string;
  readonly curve: EquityCurve;
  readonly oracle?: Oracle;
  /** Takes every bar by itself. The result is the same; a law checks that. */
  readonly stepwise?: boolean;
}

/** Steps of the tape between two looks at what else there is to do. */
const TURN_STEPS = 16_384;
/** A tape names no more bars ahead at once. */
export const BARS_AHEAD_MOST = 256;

export interface BacktestResult {
  readonly engine: Engine;
  readonly commandsHash: string;
  readonly commands: number;
  readonly finished: boolean;
  readonly from: Instant;
  readonly to: Instant;
}

/**
 * Plays a tape through the loop with the simulated venue. At one instant the venue moves first (fills, funding),
 * then the loop sees the market, then commands reach the venue; openings of bars are seen by the venue alone.
 */
export class Backtest implements Outside {
  readonly engine: Engine;
  private readonly options: BacktestOptions;
  private readonly loop: Loop;
  private readonly venue: VenueFold;
  /** Reports that came back while a command was carried out, waiting for their turn. */
  private readonly inbox: VenueReport[] = [];
  /** Whether any bar can be passed over; see quiet-bars.ts of the engine. */
  private readonly passes: boolean;
  private readonly equities = new Float64Array(BARS_AHEAD_MOST);
  private readonly answers: { at: Instant; questionId: string; answer: unknown }[] = [];
  private draining = false;
  private from: Instant = -1;
  private at: Instant = 0;
  private reached: Instant = -Infinity;
  private more = false;

  constructor(options: BacktestOptions) {
    this.options = options;
    this.venue = options.venue;
    this.engine = new Engine(options.definition);
    this.loop = new Loop(this.engine, options.journal, this);
    const { stepwise = false, venue } = options;
    this.passes = !stepwise && venue.quietBars !== undefined && venue.passBars !== undefined;
    for (const { instrument, columns } of options.tape.bars) this.engine.intake.follow(instrument, columns);
  }

  carryOut(command: Command, at: Instant): void {
    switch (command.kind) {
      case 'submit-order':
      case 'amend-order':
      case 'cancel-order':
      case 'query-order':
        for (const report of this.venue.execute(command, at)) this.inbox.push(report);
        return;
      case 'ask-question': {
        const found = this.options.oracle?.answer(command.topic, command.prompt) ?? null;
        if (found !== null) {
          this.answers.push({ at: at + found.delayMs, questionId: command.questionId, answer: found.answer });
          this.answers.sort((a, b) => a.at - b.at);
        }
        return;
      }
      case 'raise-alert':
        return;
    }
  }

  /** Plays the whole tape. */
  run(): BacktestResult {
    this.start();
    while (this.advance());
    return this.finish();
  }

  /** Begins the run: to be called once, before {@link advance}. */
  start(): void {
    const { tape } = this.options;
    this.more = tape.next();
    if (!this.more) return;
    this.from = tape.at;
    this.begin(tape.at);
  }

  /** Plays about 16,384 steps of the tape; false when it is over. Between two calls the caller may do other things. */
  advance(): boolean {
    const { tape, curve } = this.options;
    let { at, reached, more } = this;
    const enough = tape.position + TURN_STEPS;
    while (more) {
      at = tape.at;
      // closes and openings of one instant: time has passed for both
      if (at > reached) this.passTime(at);
      reached = at;
      if (tape.phase === 'open') {
        if (this.passQuietly(tape)) reached = at = tape.at;
        else if (!this.opensQuietly(tape)) this.take(this.venue.onMarket(tape.event()));
        more = tape.next();
      } else {
        const event = tape.event();
        const row = tape.position;
        more = tape.next();
        if (more && tape.at === at && !isOpening(tape)) more = this.playTogether(event, row);
        else this.play(event, row);
        curve.sample(at, this.engine);
      }
      if (tape.position >= enough) break;
    }
    this.at = at;
    this.reached = reached;
    this.more = more;
    return more;
  }

  /** Ends the run where it stands, at the end of the tape or before. */
  finish(): BacktestResult {
    const { from, at } = this;
    const { curve } = this.options;
    this.settle(at);
    this.loop.finish();
    curve.finish(at, this.engine);
    return {
      engine: this.engine,
      commandsHash: this.loop.commandsHash(),
      commands: this.loop.commands,
      finished: !this.more,
      from,
      to: at,
    };
  }

  /** Passes over the bars ahead in which nothing can happen; true when it did, and the tape stands on the last close. */
  private passQuietly(tape: TapeWalk): boolean {
    const { venue, engine, equities } = this;
    if (!this.passes) return false;
    const ahead = tape.barsAhead();
    const { instrument, columns, intervalMs, from, to } = ahead;
    // the venue first: with an order waiting the answer is no, at once
    if (from === to || venue.quietBars!(instrument, columns, intervalMs, from, from + 1) === 0) return false;
    const quiet = quietBars(engine, ahead);
    const bars = quiet === 0 ? 0 : venue.quietBars!(instrument, columns, intervalMs, from, from + quiet);
    if (bars === 0) return false;
    venue.passBars!(instrument, columns, intervalMs, from, from + bars);
    passBars(engine, ahead, bars, equities);
    const opened = tape.position;
    tape.pass(bars);
    this.loop.passed(opened + 1, tape.position);
    this.options.curve.sampleAlong(columns.time, intervalMs, from, equities, bars);
    return true;
  }

  /** Most bars open while the venue holds no order of ours: no event need be made for them. */
  private opensQuietly({ instrument, at, open }: TapeWalk): boolean {
    const { venue } = this;
    return venue.opensQuietly?.(instrument, at, at, open) ?? false;
  }

  private play(event: MarketEvent, row: number): void {
    this.take(this.venue.onMarket(event));
    this.loop.dispatchRecorded(event, row);
    if (this.inbox.length > 0) this.drain();
  }

  /** Several events of one instant: the venue sees all of them before the loop sees the first. */
  private playTogether(first: MarketEvent, firstRow: number): boolean {
    const { tape } = this.options;
    const events = [first];
    const rows = [firstRow];
    let more = true;
    do {
      events.push(tape.event());
      rows.push(tape.position);
      more = tape.next();
    } while (more && tape.at === first.at && !isOpening(tape));
    for (let i = 0; i < events.length; i++) this.take(this.venue.onMarket(events[i]!));
    for (let i = 0; i < events.length; i++) {
      this.loop.dispatchRecorded(events[i]!, rows[i]!);
      if (this.inbox.length > 0) this.drain();
    }
    return more;
  }

  private begin(at: Instant): void {
    const { definition, seed, codeHash, configurationHash } = this.options;
    this.loop.dispatch({
      kind: 'run-started',
      at,
      eventTime: at,
      portfolio: definition.name,
      seed,
      codeHash,
      configurationHash,
    });
  }

  /** Everything that is due before the market moves at `at`: the venue's own time, answers, the loop's timers. */
  private passTime(at: Instant): void {
    for (;;) {
      const answer = this.answers.length === 0 ? Infinity : this.answers[0]!.at;
      const timer = this.engine.nextDue();
      const due = Math.min(answer, timer);
      if (!(due < at)) break;
      const now = Math.max(due, this.engine.at);
      this.take(this.venue.advanceTo(now));
      if (answer <= timer) {
        const { questionId, answer: value } = this.answers.shift()!;
        this.loop.dispatch({
          kind: 'answer-received',
          at: now,
          eventTime: now,
          questionId,
          answer: value,
          error: null,
        });
      } else this.loop.dispatch({ kind: 'timer-fired', at: now, eventTime: now });
      this.drain();
    }
    this.take(this.venue.advanceTo(at));
  }

  private take(reports: readonly VenueReport[]): void {
    if (reports.length === 0) return;
    for (let i = 0; i < reports.length; i++) this.inbox.push(reports[i]!);
    this.drain();
  }

  private drain(): void {
    if (this.draining) return;
    this.draining = true;
    for (let i = 0; i < this.inbox.length; i++) this.loop.dispatch(this.inbox[i]!);
    this.inbox.length = 0;
    this.draining = false;
  }

  /** The tape is over: the loop's last timers, so that an incomplete slice or a vote is not left open. */
  private settle(at: Instant): void {
    this.passTime(at + MINUTE);
  }
}

/** A function, because the walk's phase changes with every step. */
const isOpening = (tape: TapeWalk): boolean => tape.phase === 'open';
