import { Chance, type Instant, MINUTE, SECOND } from '#base';
import type { OperatorAction, PortfolioDefinition } from '#engine';
import type { FaultModel } from '#execution';
import type { MarketEvent } from '#market';
import { BAR_MS, INSTRUMENTS, LARGE, WARM_UP_BARS } from './desks.ts';
import { deliveries, type FeedFaults, NO_FEED_FAULTS, type TrueBar, trueBars } from './market.ts';

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
  readonly portfolio: PortfolioDefinition;
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
    portfolio: LARGE,
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

/** One thing that happens outside. */
export type Action =
  | { readonly do: 'market'; readonly event: MarketEvent }
  | { readonly do: 'deliver'; readonly event: MarketEvent }
  | { readonly do: 'feed'; readonly status: 'disconnected' | 'resynced' }
  | { readonly do: 'answer'; readonly questionId: string; readonly answer: unknown }
  | { readonly do: 'operate'; readonly act: OperatorAction }
  | { readonly do: 'clock'; readonly skewMs: number }
  | { readonly do: 'account' }
  | { readonly do: 'advance' };

export interface Planned {
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

export const START = Date.UTC(2024, 2, 5);
/** After the day everything works again for so many bars, so that what is open can be settled. */
export const CALM_BARS = 9;

/** What is to happen, in order. Whatever follows from the process's own acts is put in between as it goes. */
export class Agenda {
  private items: Planned[] = [];
  private count = 0;

  get next(): Planned | undefined {
    return this.items[0];
  }

  done(): void {
    this.items.shift();
  }

  /** Puts one thing in its place; late in a long list that is cheap. */
  add(time: Instant, action: Action): void {
    const item = this.item(time, action);
    let i = this.items.findIndex((other) => before(item, other));
    if (i < 0) i = this.items.length;
    this.items.splice(i, 0, item);
  }

  private item(time: Instant, action: Action): Planned {
    this.count += 1;
    return { time, rank: RANK[action.do], order: this.count, action };
  }

  /** Takes many at once. */
  fill(all: Iterable<readonly [Instant, Action]>): void {
    for (const [time, action] of all) this.items.push(this.item(time, action));
    this.items.sort((a, b) => (before(a, b) ? -1 : 1));
  }
}

function before(a: Planned, b: Planned): boolean {
  if (a.time !== b.time) return a.time < b.time;
  return a.rank !== b.rank ? a.rank < b.rank : a.order < b.order;
}

type Happening = readonly [Instant, Action];

/** The whole day before anybody acts in it: the market, its feed, people, clocks, and the calm at the end. */
export function* dayScript(options: WorldOptions): Generator<Happening> {
  const { seed, bars } = options;
  const traded = new Set(options.portfolio.desks.flatMap((d) => d.instruments.map((i) => i.id)));
  const all = trueBars(seed, START, bars + CALM_BARS).map((row) =>
    row.filter((b) => traded.has(b.instrument)),
  );
  for (const row of all) for (const bar of row) yield* marketOf(bar);
  const feed = [
    ...deliveries(seed, all.slice(0, bars), options.feedFaults),
    ...deliveries(seed, all.slice(bars), NO_FEED_FAULTS),
  ];
  for (const { time, event } of feed) yield [time, { do: 'deliver', event }];
  const chance = new Chance(`${seed}/script`);
  for (let k = 0; k < bars; k++) yield* barOfDay(options, k, all[k]!, chance);
  yield* calm(START + bars * BAR_MS);
}

function* marketOf({ instrument, bar }: TrueBar): Generator<Happening> {
  const { time, open } = bar;
  const at = time + BAR_MS;
  const shared = { instrument, intervalMs: BAR_MS };
  yield [time, { do: 'market', event: { kind: 'bar-opened', at: time, eventTime: time, open, ...shared } }];
  yield [at, { do: 'market', event: { kind: 'bar-closed', at, eventTime: at, bar, ...shared } }];
}

function* barOfDay(
  options: WorldOptions,
  k: number,
  row: readonly TrueBar[],
  chance: Chance,
): Generator<Happening> {
  const at = START + k * BAR_MS;
  if (k % 3 === 1) yield [at + 90 * SECOND, { do: 'account' }];
  if (k % 96 === 95) {
    for (const { id } of INSTRUMENTS) {
      const funding = { at, eventTime: at, instrument: id, rate: 0.0001, mark: null };
      yield [at, { do: 'market', event: { kind: 'funding-due', ...funding } }];
    }
  }
  if (k > WARM_UP_BARS) for (const bar of row) yield* markOf(bar, at, chance);
  if (chance.happens(options.outages)) {
    const down = at + chance.below(BAR_MS);
    yield [down, { do: 'feed', status: 'disconnected' }];
    yield [down + chance.below(20 * MINUTE), { do: 'feed', status: 'resynced' }];
  }
  if (chance.happens(options.operator)) yield* operatorActs(at + chance.below(BAR_MS), chance);
  for (let m = 0; m < 5; m++) {
    if (!chance.happens(options.clockJumps)) continue;
    const skewMs = Math.round((chance.uniform() - 0.5) * 10 * MINUTE);
    yield [at + m * MINUTE + 1, { do: 'clock', skewMs }];
    if (chance.happens(0.7)) yield [at + m * MINUTE + chance.below(10 * MINUTE), { do: 'clock', skewMs: 0 }];
  }
}

/** A mark between bars, now and then one that is no number. */
function* markOf({ instrument, bar }: TrueBar, from: Instant, chance: Chance): Generator<Happening> {
  if (!chance.happens(0.3)) return;
  const mark = chance.happens(0.05) ? Number.NaN : bar.open;
  const at = from + chance.below(BAR_MS);
  yield [
    at,
    { do: 'deliver', event: { kind: 'mark-updated', at, eventTime: at, instrument, mark, index: null } },
  ];
}

function* operatorActs(at: Instant, chance: Chance): Generator<Happening> {
  const act = (time: Instant, wanted: OperatorAction): Happening => [time, { do: 'operate', act: wanted }];
  switch (chance.below(5)) {
    case 0:
      yield act(at, { action: 'flatten', desk: chance.happens(0.5) ? 'flip' : null });
      return;
    case 1:
      yield act(at, { action: 'recover', confirm: 'RESTART' });
      return;
    case 2:
      yield act(at, { action: 'override', enabled: true });
      yield act(at + 5 * MINUTE, { action: 'override', enabled: false });
      return;
    default:
      yield act(at, { action: 'stop' });
      yield act(at + 1 + chance.below(30 * MINUTE), { action: 'start' });
  }
}

/** The day is over: everything works again, what is open is settled, then everything is closed. */
function* calm(end: Instant): Generator<Happening> {
  yield [end, { do: 'clock', skewMs: 0 }];
  yield [end, { do: 'feed', status: 'resynced' }];
  for (let m = 1; m < CALM_BARS * 5; m++) yield [end + m * MINUTE, { do: 'account' }];
  yield [end + 9 * MINUTE, { do: 'operate', act: { action: 'stop' } }];
  yield [end + 10 * MINUTE, { do: 'operate', act: { action: 'override', enabled: true } }];
  for (const m of [11, 19, 27]) {
    yield [end + m * MINUTE, { do: 'operate', act: { action: 'flatten', desk: null } }];
  }
  for (let t = START; t < end + CALM_BARS * BAR_MS; t += MINUTE) yield [t + 30 * SECOND, { do: 'advance' }];
}
