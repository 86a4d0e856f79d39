import { assert, Chance, canonicalJson, type Instant, MINUTE, SECOND } from '#base';
import { type Command, Engine, type Event, Loop, type Outside, readEvent, replay } from '#engine';
import { NO_FAULTS, simulatedVenue, type VenueFold } from '#execution';
import type { VenueReport } from '#ledger';
import { BAR_MS, INSTRUMENTS, simulationVenue, VENUE } from './desks.ts';
import { Boundaries, Crash, MemoryJournal } from './memory-journal.ts';
import { type Action, Agenda, dayScript, START, type WorldOptions } from './script.ts';
import { type Booked, Watchman } from './watchman.ts';

interface Snapshot {
  readonly position: number;
  readonly text: string;
}

/** What a life left behind, for comparisons. */
export interface Outcome {
  readonly boundaries: number;
  readonly events: number;
  readonly commands: readonly string[];
  readonly deaths: number;
  /** Restarts after which nothing was lost, compared with the process that died. */
  readonly exactRestarts: number;
  /** Journaled commands that never left: a restart cannot be the same as none where this is not 0. */
  readonly unsent: number;
  readonly orders: number;
  readonly fills: number;
  readonly trades: number;
  readonly nets: Readonly<Record<string, number>>;
  readonly equity: number;
  readonly counts: Readonly<Record<string, unknown>>;
  readonly journal: MemoryJournal;
}

/**
 * The outside world and the process in it, on virtual time. The venue, the feed, the people and the clock go on when
 * the process dies; the process begins again from its journal, cold and warm, and the two must be one.
 */
export class World implements Outside {
  readonly options: WorldOptions;
  readonly boundaries = new Boundaries();
  readonly watchman: Watchman;
  private readonly venue: VenueFold & { isConnected?(at: Instant): boolean };
  private readonly chance: Chance;
  private readonly agenda = new Agenda();
  private now: Instant = START;
  private skew = 0;
  private journal: MemoryJournal;
  private engine: Engine;
  private loop: Loop;
  private inbox: VenueReport[] = [];
  private snapshots: Snapshot[] = [];
  /** Events that entered the journal and may be lost with it; `again` are those the world tells a second time. */
  private undurable: { position: number; event: Event; again: boolean }[] = [];
  /** Reports that cannot be asked for again and are not in the journal yet. */
  private untold: VenueReport[] = [];
  private draining = false;
  private steps = 0;
  private events = 0;
  private deathsLeft: number[];
  private deathCount = 0;
  private exactRestarts = 0;

  constructor(options: WorldOptions) {
    this.options = options;
    const { seed, bars } = options;
    this.chance = new Chance(`${seed}/world`);
    const faults = { ...NO_FAULTS, ...options.venueFaults, until: START + bars * BAR_MS };
    const hasFaults = Object.keys(options.venueFaults).length > 0;
    const venueOptions = simulationVenue(seed, {
      latencyMs: options.latencyMs,
      ...(hasFaults ? { faults } : {}),
    });
    this.venue = simulatedVenue(venueOptions);
    this.watchman = new Watchman();
    this.deathsLeft = [...options.deaths];
    this.boundaries.dieAt = this.deathsLeft.shift() ?? -1;
    this.journal = new MemoryJournal(this.boundaries);
    this.engine = this.counted(new Engine(this.options.portfolio));
    this.loop = new Loop(this.engine, this.journal, this);
    this.agenda.fill(dayScript(options));
  }

  // ---- running

  run(): Outcome {
    this.living(() =>
      this.dispatch({
        kind: 'run-started',
        at: START,
        eventTime: START,
        portfolio: 'sim',
        seed: this.options.seed,
        codeHash: 'x',
        configurationHash: 'y',
      }),
    );
    for (let next = this.agenda.next; next !== undefined; next = this.agenda.next) {
      const { time, action } = next;
      this.living(() => this.timersUntil(time));
      this.agenda.done();
      this.now = Math.max(this.now, time);
      this.living(() => this.act(action));
    }
    this.boundaries.dieAt = -1;
    const { passed } = this.boundaries;
    this.loop.finish();
    return this.outcome(passed);
  }

  /** Counts the events an engine takes in, so that a death between writing and deciding can be told. */
  private counted(engine: Engine): Engine {
    const step = engine.step.bind(engine);
    engine.step = (event) => {
      this.steps += 1;
      return step(event);
    };
    return engine;
  }

  /** Runs a piece of the process's life; where it dies, the next life begins. */
  private living(piece: () => void): void {
    try {
      piece();
    } catch (error) {
      if (!(error instanceof Crash)) throw error;
      this.reborn();
    }
  }

  private clock(): Instant {
    return Math.max(this.engine.at, this.now + this.skew);
  }

  private timersUntil(time: Instant): void {
    for (let guard = 0; ; guard++) {
      const due = this.engine.nextDue();
      if (!(due - this.skew < time)) return;
      assert(guard < 1_000, `the timer at ${due} does not move on`);
      this.now = Math.max(this.now, due - this.skew);
      this.take(this.venue.advanceTo(this.now));
      const at = Math.max(this.clock(), due);
      this.dispatch({ kind: 'timer-fired', at, eventTime: at });
    }
  }

  private act(action: Action): void {
    const at = this.clock();
    const eventTime = this.now;
    switch (action.do) {
      case 'market':
        this.take(this.venue.onMarket({ ...action.event, at: this.now }));
        break;
      case 'advance':
        this.take(this.venue.advanceTo(this.now));
        break;
      case 'deliver':
        this.dispatch({ ...action.event, at }, true);
        break;
      case 'feed': {
        const { status } = action;
        this.dispatch(
          { kind: 'feed-changed', at, eventTime, feed: 'bars', status, detail: 'simulated' },
          true,
        );
        break;
      }
      case 'answer': {
        const { questionId, answer } = action;
        const error = answer === null ? 'nobody could answer' : null;
        const again = !this.options.harshDeaths;
        this.dispatch({ kind: 'answer-received', at, eventTime, questionId, answer, error }, again);
        break;
      }
      case 'operate': {
        const { act } = action;
        this.dispatch({ kind: 'operator-acted', at, eventTime, by: 'test', reason: 'script', act }, true);
        break;
      }
      case 'clock':
        this.skew = action.skewMs;
        break;
      case 'account':
        if (this.venue.isConnected?.(this.now) === false) return;
        this.take(this.venue.advanceTo(this.now));
        this.take([this.venue.accountReport(this.now, VENUE)]);
        break;
    }
  }

  /** Reports reach the process one by one; what cannot be asked for again is kept until it stands in the journal. */
  private take(reports: readonly VenueReport[]): void {
    for (const report of reports) {
      this.watchman.told(report);
      if (isOnlyTold(report)) this.untold.push(report);
      this.inbox.push(report);
    }
    this.drain();
  }

  private drain(): void {
    if (this.draining) return;
    this.draining = true;
    while (this.inbox.length > 0) {
      const report = this.inbox.shift()!;
      this.dispatch({ ...report, at: this.clock() });
    }
    this.draining = false;
  }

  private dispatch(event: Event, again = false): void {
    this.undurable.push({ position: this.journal.length, event, again });
    if (this.undurable.length > 400)
      this.undurable = this.undurable.filter((u) => u.position >= this.journal.durable.length);
    this.loop.dispatch(event);
    this.events += 1;
    if (this.events % 25 === 0) this.watchman.books(this.engine);
    if (this.boundaries.dieAt >= 0 && this.events % this.options.snapshotEvery === 0) this.snapshot();
    this.drain();
  }

  private snapshot(): void {
    this.snapshots.push({ position: this.journal.length, text: JSON.stringify(this.engine.capture()) });
    if (this.snapshots.length > 3) this.snapshots.shift();
  }

  /** What the process hands over; it can die on either side of the door. */
  carryOut(command: Command, at: Instant): void {
    this.boundaries.pass('before a send');
    this.watchman.leaves(command, this.engine, this.journal);
    switch (command.kind) {
      case 'submit-order':
      case 'amend-order':
      case 'cancel-order':
      case 'query-order': {
        const reports = this.venue.execute(command, this.now);
        for (const report of reports) {
          this.watchman.told(report);
          if (isOnlyTold(report)) this.untold.push(report);
          this.inbox.push(report);
        }
        this.agenda.add(this.now + this.options.latencyMs + 1, { do: 'advance' });
        break;
      }
      case 'ask-question':
        this.answer(command.questionId, command.topic, command.expiresAt - at);
        break;
      case 'raise-alert':
        break;
    }
    this.boundaries.pass('after a send');
  }

  private answer(questionId: string, topic: string, timeoutMs: number): void {
    // drawn from the question, so that a life with a crash hears the same answers
    const chance = new Chance(`${this.options.seed}/${questionId}`);
    const bad = chance.happens(this.options.badAnswers);
    const delay =
      1 + chance.below(Math.max(1, Math.min(chance.happens(0.7) ? 30 * SECOND : timeoutMs, timeoutMs) - 1));
    if (!bad) {
      const answer =
        topic === 'score'
          ? { value: chance.uniform() * 2 - 1 }
          : { verdict: chance.happens(0.8) ? 'allow' : 'refuse', share: 0.25 + 0.75 * chance.uniform() };
      this.agenda.add(this.now + delay, { do: 'answer', questionId, answer });
      return;
    }
    const kinds = [
      null,
      'garbage',
      { value: 'up' },
      { value: Number.NaN },
      { verdict: 'allow', share: 7 },
      [],
    ];
    const kind = chance.below(kinds.length + 2);
    if (kind === kinds.length) return;
    const late = kind > kinds.length || chance.happens(0.3);
    const answer = kind > kinds.length ? { value: 1 } : kinds[kind];
    const time = this.now + (late ? timeoutMs + chance.below(MINUTE) : delay);
    this.agenda.add(time, { do: 'answer', questionId, answer });
    if (chance.happens(0.3)) this.agenda.add(time + 5, { do: 'answer', questionId, answer });
  }

  // ---- death and restart

  private reborn(): void {
    this.deathCount += 1;
    const { harshDeaths } = this.options;
    const kept = harshDeaths
      ? this.chance.below(this.journal.pending.length + 1)
      : this.journal.pending.length;
    const journal = this.journal.afterCrash(kept);
    const dead = this.engine;
    this.inbox = [];
    this.draining = false;
    this.journal = journal;
    this.boundaries.dieAt = this.deathsLeft.shift() ?? -1;

    const cold = new Engine(this.options.portfolio);
    const report = replay(cold, journal.entries(), noTape);
    assert(
      report.difference === null,
      `cold restart decided differently: ${JSON.stringify(report.difference)}`,
    );
    const coldState = stateText(cold.capture());
    const snapshot = this.snapshots.findLast((s) => s.position <= journal.length);
    this.snapshots = this.snapshots.filter((s) => s.position <= journal.length);
    if (snapshot !== undefined) {
      const warm = new Engine(this.options.portfolio);
      warm.restore(JSON.parse(snapshot.text));
      const tail = replay(warm, journal.entries(snapshot.position), noTape);
      assert(
        tail.difference === null,
        `warm restart decided differently: ${JSON.stringify(tail.difference)}`,
      );
      same(coldState, stateText(warm.capture()), 'cold and warm restart');
      same(JSON.stringify(report.unreleased), JSON.stringify(tail.unreleased), 'unreleased commands');
      this.engine = this.chance.happens(0.5) ? warm : cold;
    } else this.engine = cold;
    // nothing was lost and the dead process had taken the last event in: it stood where the new one stands
    if (this.steps === report.events) {
      same(coldState, stateText(dead.capture()), 'restart and no restart');
      this.exactRestarts += 1;
    }
    this.steps = report.events;
    this.counted(this.engine);
    this.watchman.books(this.engine);
    this.loop = new Loop(this.engine, this.journal, this);
    const lost = this.undurable.filter((u) => u.position >= journal.length && u.again).map((u) => u.event);
    this.undurable = [];
    if (harshDeaths) this.now += this.chance.happens(0.5) ? this.chance.below(3 * MINUTE) : 0;
    this.living(() => {
      const at = this.clock();
      this.undurable.push({
        position: this.journal.length,
        event: { kind: 'run-resumed', at, eventTime: at },
        again: false,
      });
      this.loop.resume(report.unreleased, { kind: 'run-resumed', at, eventTime: at });
      this.events += 1;
      this.drain();
    });
    for (const event of lost) this.living(() => this.dispatch({ ...event, at: this.clock() }, true));
    this.tellAgain();
  }

  /** An adapter back-fills money movements that the journal does not hold. */
  private tellAgain(): void {
    const told = new Set(
      this.journal.durable
        .concat(this.journal.pending)
        .map((e) => (e.kind === 'event' ? factOf(readEvent(e.text)) : '')),
    );
    const missing = this.untold.filter((report) => !told.has(factOf(report)));
    this.untold = [];
    for (const report of missing) {
      this.untold.push(report);
      this.living(() => this.dispatch({ ...report, at: this.clock() }));
    }
  }

  // ---- the end

  private outcome(boundaries: number): Outcome {
    const { journal, engine } = this;
    this.watchman.books(engine);
    const whole = new Engine(this.options.portfolio);
    const booked: Booked = { fills: [], fundings: [] };
    whole.observer = {
      filled: ({ booking }, report) => {
        if (!booking.accepted) return;
        if (report.kind === 'funding-charged') booked.fundings.push(report.chargeId);
        else if (report.kind === 'order-filled' || report.kind === 'unasked-fill')
          booked.fills.push(report.fill.fillId);
      },
    };
    const report = replay(whole, journal.entries(), noTape);
    assert(
      report.difference === null,
      `the replay decided differently: ${JSON.stringify(report.difference)}`,
    );
    same(stateText(whole.capture()), stateText(engine.capture()), 'replay and life');
    const { ledger } = engine.real;
    this.watchman.settled(engine, this.venue, this.now, booked);
    const commands = journal.durable.filter((e) => e.kind === 'command').map((e) => e.text);
    return {
      boundaries,
      events: report.events,
      commands,
      deaths: this.deathCount,
      exactRestarts: this.exactRestarts,
      unsent: this.watchman.unsent(commands),
      orders: engine.counts.orders,
      fills: engine.counts.fills,
      trades: engine.counts.trades,
      nets: Object.fromEntries(INSTRUMENTS.map(({ id }) => [id, ledger.net(id)])),
      equity: engine.equity(),
      counts: { ...engine.counts },
      journal,
    };
  }
}

const noTape = (): never => {
  throw new Error('the simulation writes every event in full');
};

const isOnlyTold = (report: VenueReport): boolean =>
  report.kind === 'funding-charged' || report.kind === 'unasked-fill';

function factOf(event: Event): string {
  if (event.kind === 'funding-charged') return `${event.kind} ${event.chargeId}`;
  return event.kind === 'unasked-fill' ? `${event.kind} ${event.fill.fillId}` : '';
}

const stateText = (state: unknown): string => JSON.stringify(state);

/** Two states as JSON; the order of names inside does not matter. */
function same(first: string, second: string, what: string): void {
  if (first === second) return;
  const a = canonicalJson(JSON.parse(first));
  const b = canonicalJson(JSON.parse(second));
  if (a === b) return;
  let i = 0;
  while (a[i] === b[i]) i += 1;
  throw new Error(
    `${what} differ: ...${a.slice(Math.max(0, i - 160), i + 80)}... against ...${b.slice(Math.max(0, i - 40), i + 80)}...`,
  );
}
