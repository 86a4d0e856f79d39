import { assert, Chance, canonicalJson, type Instant, MINUTE, SECOND } from '#base';
import {
  type Command,
  Engine,
  type Event,
  Loop,
  type OperatorAction,
  type Outside,
  type PortfolioDefinition,
  replay,
} from '#engine';
import { type FaultModel, NO_FAULTS, simulatedVenue, type VenueFold } from '#execution';
import type { VenueReport } from '#ledger';
import type { MarketEvent } from '#market';
import { BAR_MS, INSTRUMENTS, simulationPortfolio, simulationVenue, VENUE, WARM_UP_BARS } from './desks.ts';
import { deliveries, type FeedFaults, NO_FEED_FAULTS, trueBars } from './market.ts';
import { Boundaries, Crash, MemoryJournal } from './memory-journal.ts';
import { type Booked, Watchman } from './watchman.ts';

/** One life of the portfolio: what is thrown at it and where it dies. */
export interface WorldOptions {
  readonly seed: string;
  /** Bars of the simulated day, the warm-up included. */
  readonly bars: number;
  readonly venueFaults: Partial<FaultModel>;
  readonly feedFaults: FeedFaults;
  /** Chance per minute that the loop's clock jumps. */
  readonly clockJumps: number;
  /** Feed outages and operator acts: chance per bar. */
  readonly outages: number;
  readonly operator: number;
  /** Chance that an answer is late, malformed or never comes. */
  readonly badAnswers: number;
  readonly latencyMs: number;
  /** Boundaries to die at, ascending, counted over all lives of the process. */
  readonly deaths: readonly number[];
  /** Whether a restart takes time and loses what was only appended. */
  readonly harshDeaths: boolean;
  readonly snapshotEvery: number;
  readonly portfolio: () => PortfolioDefinition;
}

/** Everything that can go wrong does. */
export function hostile(seed: string, deaths: readonly number[] = []): WorldOptions {
  return {
    seed,
    bars: 60 + 288,
    venueFaults: {
      seed,
      lostSend: 0.02,
      rejectedSend: 0.02,
      lostReport: 0.05,
      lostFill: 0.05,
      duplicate: 0.1,
      delay: 0.1,
      delayMsMax: 20_000,
      split: 0.4,
      slowCancel: 0.2,
      disconnectEveryMs: 3 * 3_600_000,
      disconnectMsMax: 4 * MINUTE,
      lostWhileDown: 0.5,
    },
    feedFaults: { late: 0.02, duplicate: 0.03, lost: 0.005, malformed: 0.02 },
    clockJumps: 0.003,
    outages: 0.01,
    operator: 0.01,
    badAnswers: 0.3,
    latencyMs: 250,
    deaths,
    harshDeaths: true,
    snapshotEvery: 500,
    portfolio: simulationPortfolio,
  };
}

/** Nothing goes wrong but the process itself. */
export function friendly(seed: string, deaths: readonly number[] = []): WorldOptions {
  return {
    ...hostile(seed, deaths),
    venueFaults: {},
    feedFaults: NO_FEED_FAULTS,
    clockJumps: 0,
    outages: 0,
    operator: 0,
    badAnswers: 0,
    latencyMs: 0,
    harshDeaths: false,
  };
}

type Action =
  | { readonly do: 'market'; readonly event: MarketEvent }
  | { readonly do: 'deliver'; readonly event: MarketEvent }
  | { readonly do: 'feed'; readonly status: 'disconnected' | 'resynced' }
  | { readonly do: 'answer'; readonly questionId: string; readonly answer: unknown }
  | { readonly do: 'operate'; readonly act: OperatorAction }
  | { readonly do: 'clock'; readonly skewMs: number }
  | { readonly do: 'account' }
  | { readonly do: 'advance' };

interface Planned {
  readonly time: Instant;
  readonly rank: number;
  readonly order: number;
  readonly action: Action;
}

const RANK: Readonly<Record<Action['do'], number>> = {
  clock: 0,
  advance: 1,
  market: 2,
  feed: 3,
  deliver: 4,
  answer: 5,
  operate: 6,
  account: 7,
};

const START = Date.UTC(2024, 2, 5);
/** After the day everything works again for so many bars, so that what is open can be settled. */
const CALM_BARS = 9;

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
  private planned: Planned[] = [];
  private planCount = 0;
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
  private readonly endOfDay: Instant;

  constructor(options: WorldOptions) {
    this.options = options;
    const { seed, bars } = options;
    this.chance = new Chance(`${seed}/world`);
    this.endOfDay = START + bars * BAR_MS;
    const faults = { ...NO_FAULTS, ...options.venueFaults, until: this.endOfDay };
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
    this.engine = this.counted(new Engine(this.options.portfolio()));
    this.loop = new Loop(this.engine, this.journal, this);
    this.script();
  }

  // ---- the script of the day

  private plan(time: Instant, action: Action): void {
    const item = { time, rank: RANK[action.do], order: this.planCount++, action };
    let i = this.planned.length;
    while (i > 0 && before(item, this.planned[i - 1]!)) i -= 1;
    this.planned.splice(i, 0, item);
  }

  private script(): void {
    const { seed, bars, feedFaults, clockJumps, outages, operator } = this.options;
    const traded = new Set(this.options.portfolio().desks.flatMap((d) => d.instruments.map((i) => i.id)));
    const all = trueBars(seed, START, bars + CALM_BARS).map((row) =>
      row.filter((b) => traded.has(b.instrument)),
    );
    const items: Planned[] = [];
    const add = (time: Instant, action: Action) =>
      items.push({ time, rank: RANK[action.do], order: this.planCount++, action });
    for (const row of all) {
      for (const { instrument, bar } of row) {
        const open = {
          kind: 'bar-opened' as const,
          at: bar.time,
          eventTime: bar.time,
          instrument,
          intervalMs: BAR_MS,
          open: bar.open,
        };
        const close = bar.time + BAR_MS;
        add(bar.time, { do: 'market', event: open });
        add(close, {
          do: 'market',
          event: { kind: 'bar-closed', at: close, eventTime: close, instrument, intervalMs: BAR_MS, bar },
        });
      }
    }
    const calmFrom = bars;
    for (const { time, event } of deliveries(seed, all.slice(0, calmFrom), feedFaults))
      add(time, { do: 'deliver', event });
    for (const { time, event } of deliveries(seed, all.slice(calmFrom), NO_FEED_FAULTS))
      add(time, { do: 'deliver', event });
    const { chance } = this;
    for (let k = 0; k < bars; k++) {
      const at = START + k * BAR_MS;
      if (k % 3 === 1) add(at + 90 * SECOND, { do: 'account' });
      if (k % 96 === 95) {
        for (const { id } of INSTRUMENTS) {
          add(at, {
            do: 'market',
            event: { kind: 'funding-due', at, eventTime: at, instrument: id, rate: 0.0001, mark: null },
          });
        }
      }
      if (k > WARM_UP_BARS) {
        for (const { id } of INSTRUMENTS) {
          if (!chance.happens(0.3)) continue;
          const row = all[k]!.find((b) => b.instrument === id);
          if (row === undefined) continue;
          const price = chance.happens(0.05) ? Number.NaN : row.bar.open;
          const time = at + chance.below(BAR_MS);
          add(time, {
            do: 'deliver',
            event: {
              kind: 'mark-updated',
              at: time,
              eventTime: time,
              instrument: id,
              mark: price,
              index: null,
            },
          });
        }
      }
      if (chance.happens(outages)) {
        const down = at + chance.below(BAR_MS);
        add(down, { do: 'feed', status: 'disconnected' });
        add(down + chance.below(20 * MINUTE), { do: 'feed', status: 'resynced' });
      }
      if (chance.happens(operator)) this.operate(at + chance.below(BAR_MS), add);
      for (let m = 0; m < 5; m++) {
        if (!chance.happens(clockJumps)) continue;
        const skewMs = Math.round((chance.uniform() - 0.5) * 10 * MINUTE);
        add(at + m * MINUTE + 1, { do: 'clock', skewMs });
        if (chance.happens(0.7)) add(at + m * MINUTE + chance.below(10 * MINUTE), { do: 'clock', skewMs: 0 });
      }
    }
    const end = this.endOfDay;
    add(end, { do: 'clock', skewMs: 0 });
    add(end, { do: 'feed', status: 'resynced' });
    for (let m = 1; m < CALM_BARS * 5; m++) add(end + m * MINUTE, { do: 'account' });
    add(end + 9 * MINUTE, { do: 'operate', act: { action: 'stop' } });
    add(end + 10 * MINUTE, { do: 'operate', act: { action: 'override', enabled: true } });
    for (const m of [11, 19, 27])
      add(end + m * MINUTE, { do: 'operate', act: { action: 'flatten', desk: null } });
    for (let t = START; t < end + CALM_BARS * BAR_MS; t += MINUTE) add(t + 30 * SECOND, { do: 'advance' });
    items.sort((a, b) => (before(a, b) ? -1 : 1));
    this.planned = items;
  }

  private operate(time: Instant, add: (time: Instant, action: Action) => unknown): void {
    const { chance } = this;
    const pick = chance.below(5);
    if (pick === 0)
      add(time, { do: 'operate', act: { action: 'flatten', desk: chance.happens(0.5) ? 'flip' : null } });
    else if (pick === 1) add(time, { do: 'operate', act: { action: 'recover', confirm: 'RESTART' } });
    else if (pick === 2) {
      add(time, { do: 'operate', act: { action: 'override', enabled: true } });
      add(time + 5 * MINUTE, { do: 'operate', act: { action: 'override', enabled: false } });
    } else {
      add(time, { do: 'operate', act: { action: 'stop' } });
      add(time + 1 + chance.below(30 * MINUTE), { do: 'operate', act: { action: 'start' } });
    }
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
    while (this.planned.length > 0) {
      const next = this.planned[0]!;
      this.living(() => this.timersUntil(next.time));
      this.planned.shift();
      this.now = Math.max(this.now, next.time);
      this.living(() => this.act(next.action));
    }
    this.boundaries.dieAt = -1;
    this.loop.finish();
    return this.outcome();
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
    switch (action.do) {
      case 'market':
        return this.take(this.venue.onMarket({ ...action.event, at: this.now }));
      case 'advance':
        return this.take(this.venue.advanceTo(this.now));
      case 'deliver':
        return this.dispatch({ ...action.event, at }, true);
      case 'feed':
        return this.dispatch(
          {
            kind: 'feed-changed',
            at,
            eventTime: this.now,
            feed: 'bars',
            status: action.status,
            detail: 'simulated',
          },
          true,
        );
      case 'answer': {
        const { questionId, answer } = action;
        const error = answer === null ? 'nobody could answer' : null;
        return this.dispatch(
          { kind: 'answer-received', at, eventTime: this.now, questionId, answer, error },
          !this.options.harshDeaths,
        );
      }
      case 'operate': {
        const { act } = action;
        return this.dispatch(
          { kind: 'operator-acted', at, eventTime: this.now, by: 'test', reason: 'script', act },
          true,
        );
      }
      case 'clock':
        this.skew = action.skewMs;
        return;
      case 'account':
        if (this.venue.isConnected?.(this.now) === false) return;
        this.take(this.venue.advanceTo(this.now));
        return this.take([this.venue.accountReport(this.now, VENUE)]);
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
        this.plan(this.now + this.options.latencyMs + 1, { do: 'advance' });
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
      this.plan(this.now + delay, { do: 'answer', questionId, answer });
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
    this.plan(time, { do: 'answer', questionId, answer });
    if (chance.happens(0.3)) this.plan(time + 5, { do: 'answer', questionId, answer });
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

    const cold = new Engine(this.options.portfolio());
    const report = replay(cold, journal.entries(), noTape);
    assert(
      report.difference === null,
      `cold restart decided differently: ${JSON.stringify(report.difference)}`,
    );
    const coldState = stateText(cold.capture());
    const snapshot = this.snapshots.findLast((s) => s.position <= journal.length);
    this.snapshots = this.snapshots.filter((s) => s.position <= journal.length);
    if (snapshot !== undefined) {
      const warm = new Engine(this.options.portfolio());
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
        .map((e) => (e.kind === 'event' ? factOf(JSON.parse(e.text) as Event) : '')),
    );
    const missing = this.untold.filter((report) => !told.has(factOf(report)));
    this.untold = [];
    for (const report of missing) {
      this.untold.push(report);
      this.living(() => this.dispatch({ ...report, at: this.clock() }));
    }
  }

  // ---- the end

  private outcome(): Outcome {
    const { journal, engine } = this;
    this.watchman.books(engine);
    const whole = new Engine(this.options.portfolio());
    const booked: Booked = { fills: [], fundings: [] };
    whole.observer = {
      filled: ({ booking }, report) => {
        if (!booking.accepted) return;
        if (report.kind === 'funding-charged') booked.fundings.push(`${report.book} ${report.eventTime}`);
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
      boundaries: this.boundaries.passed,
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

function before(a: Planned, b: Planned): boolean {
  if (a.time !== b.time) return a.time < b.time;
  return a.rank !== b.rank ? a.rank < b.rank : a.order < b.order;
}

const isOnlyTold = (report: VenueReport): boolean =>
  report.kind === 'funding-charged' || report.kind === 'unasked-fill';

function factOf(event: Event): string {
  if (event.kind === 'funding-charged')
    return `${event.kind} ${event.book} ${event.eventTime} ${event.amount}`;
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
