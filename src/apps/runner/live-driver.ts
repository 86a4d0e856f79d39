import { type FeedClock, type LiveFeed, UnreachableError, type WarmUp } from '#adapters';
import {
  canonicalJson,
  formatInstant,
  formatInterval,
  InputError,
  type Instant,
  MINUTE,
  SECOND,
} from '#base';
import { type Bar, barAt, type Instrument, type InstrumentId, type MarketEvent } from '#market';
import type { OpenLive } from './live-venue-of.ts';
import type { Session } from './session.ts';

type FeedChanged = Extract<MarketEvent, { kind: 'feed-changed' }>;

export interface LiveDriverOptions {
  readonly session: Session;
  /** Opens the feed of the venue. */
  readonly open: OpenLive;
  readonly clock: FeedClock;
  readonly signal: AbortSignal;
  readonly onSlice: () => void;
  readonly say: (line: string) => void;
}

/** A pseudo feed that is down until history is complete: entries are refused meanwhile. */
const WARM_UP = 'warm-up';
/** Marks and quotes of an instrument that is neither held nor worked in are written this often. */
const MARK_EVERY_MS = 5 * SECOND;
const RETRY_MS = 5 * SECOND;
/** Without any event for so long, prices are stale whatever the socket says. */
const SILENT_MS = 60 * SECOND;
const BEAT_MS = 10 * SECOND;
const BARS_MOST = 20_000;
const QUEUE_MOST = 50_000;

/** A live feed into a session: each turn of the event loop is one durable commit. */
export class LiveDriver {
  private readonly options: LiveDriverOptions;
  private readonly feed: LiveFeed;
  private queue: MarketEvent[] = [];
  private scheduled = false;
  /** History is not in the engine yet: what is newer waits. */
  private holding = true;
  private readonly clock: FeedClock;
  private cancelTimer: () => void = () => {};
  private cancelBeat: () => void = () => {};
  private readonly writtenAt = {
    'mark-updated': new Map<InstrumentId, Instant>(),
    'quote-updated': new Map<InstrumentId, Instant>(),
  };
  private lastEventAt = 0;
  /** Feeds that said they are stale and have not said otherwise. */
  private stale = false;
  private fault: ((error: unknown) => void) | null = null;
  status = 'connecting';

  constructor(options: LiveDriverOptions) {
    this.options = options;
    const { session, clock, open } = options;
    this.clock = clock;
    this.feed = open({
      symbols: session.setup.instruments.map((i) => i.symbol),
      interval: formatInterval(session.setup.feedMs),
      onEvent: (event) => this.receive(event),
      clock,
    });
  }

  /** Market events that wait for their turn. */
  get queued(): number {
    return this.queue.length;
  }

  /** Runs until the signal; rejects when the loop throws. */
  async run(): Promise<void> {
    const { session, signal } = this.options;
    const broken = new Promise<never>((_, reject) => {
      this.fault = reject;
    });
    const stopped = new Promise<void>((resolve) => {
      if (signal.aborted) resolve();
      signal.addEventListener('abort', () => resolve(), { once: true });
    });
    this.tell(WARM_UP, 'disconnected', 'history is not complete');
    session.commit();
    this.feed.start();
    this.scheduleBeat();
    const warmedUp = this.warmUp().catch((error: unknown) => this.fault?.(error));
    try {
      await Promise.race([stopped, broken]);
    } finally {
      this.cancelTimer();
      this.cancelBeat();
      await this.feed.stop();
      await warmedUp;
    }
  }

  private async warmUp(): Promise<void> {
    const { session, signal, say } = this.options;
    let history: WarmUp | null = null;
    while (history === null && !signal.aborted) {
      try {
        history = await this.feed.warmUp(this.barsWanted());
      } catch (error) {
        if (signal.aborted) return;
        if (!(error instanceof UnreachableError)) throw error;
        this.status = `waiting: ${error.message}`;
        say(`the feed gives no history yet: ${error.message}`);
        await this.clock.wait(RETRY_MS, signal).catch(() => undefined);
      }
    }
    if (history === null || signal.aborted) return;
    await this.refreshInstruments();
    if (signal.aborted) return;
    const bars = this.feedHistory(history);
    const { compared, differing, complete } = history;
    const detail = `${bars} bars of history, ${compared} compared with the stream, ${differing.length} differed${complete ? '' : ', fewer than asked for'}`;
    this.tell(WARM_UP, 'resynced', detail);
    session.commit();
    this.status = 'live';
    say(`warm-up complete: ${detail}`);
    this.holding = false;
    this.tick();
  }

  /** Bars of the feed's interval that the desks need, or that were missed since the last run. */
  private barsWanted(): number {
    const { engine, lastBars, setup } = this.options.session;
    const { feedMs } = setup;
    let wanted = 0;
    for (const desk of engine.desks) {
      for (const { instrument, intervalMs } of desk.instruments) {
        const last = lastBars.get(instrument.id);
        const parts = intervalMs / feedMs;
        // longer bars are made of whole windows: the first may have begun before what comes
        const bars =
          last === undefined
            ? desk.parts.warmUpBars * parts + parts - 1
            : Math.ceil((this.clock.now() - last) / feedMs) + 1;
        wanted = Math.max(wanted, bars);
      }
    }
    return Math.min(Math.max(wanted, 2), BARS_MOST);
  }

  private feedHistory({ history }: WarmUp): number {
    const { session } = this.options;
    const intervalMs = session.setup.feedMs;
    const closed: { instrument: InstrumentId; bar: Bar }[] = [];
    for (const [instrument, columns] of history) {
      const known = session.lastBars.get(instrument) ?? Number.NEGATIVE_INFINITY;
      for (let i = 0; i < columns.length; i++) {
        if (columns.time[i]! <= known) continue;
        closed.push({ instrument, bar: barAt(columns, i) });
      }
    }
    closed.sort((a, b) => a.bar.time - b.bar.time || (a.instrument < b.instrument ? -1 : 1));
    for (const { instrument, bar } of closed) {
      session.market({
        kind: 'bar-closed',
        at: this.now(),
        eventTime: bar.time + intervalMs,
        instrument,
        intervalMs,
        bar,
      });
    }
    return closed.length;
  }

  /** Grids and minimums as the venue states them today. */
  private async refreshInstruments(): Promise<void> {
    const { session, signal, say } = this.options;
    try {
      const known = new Map((await this.feed.instruments(signal)).map((i) => [i.id, i]));
      for (const { id } of session.setup.instruments) {
        const definition = known.get(id);
        const before = session.engine.instrumentOf(id);
        if (definition === undefined) say(`${id}: the venue does not name it among what may be traded now`);
        if (definition === undefined || canonicalJson(definition) === canonicalJson(before)) continue;
        checkMoney(definition, before);
        const at = this.now();
        session.market({
          kind: 'instrument-changed',
          at,
          eventTime: at,
          instrument: id,
          change: { change: 'changed', definition },
        });
        say(`${id}: the venue states other contract terms than are built in; they are used from now on`);
      }
    } catch (error) {
      if (error instanceof InputError) throw error;
      if (!signal.aborted) say(`contract terms were not refreshed: ${(error as Error).message}`);
    }
  }

  private receive(event: MarketEvent): void {
    this.queue.push(event);
    if (this.holding && this.queue.length > QUEUE_MOST)
      this.queue = this.queue.filter((e) => e.kind !== 'mark-updated' && e.kind !== 'quote-updated');
    if (this.scheduled) return;
    this.scheduled = true;
    setImmediate(() => this.tick());
  }

  /** Everything that came in one turn: into the loop, then to disk. */
  private tick(): void {
    this.scheduled = false;
    if (this.holding || this.options.signal.aborted) return;
    const { session } = this.options;
    try {
      const { queue } = this;
      this.queue = [];
      const slices = session.engine.counts.slices;
      for (const event of queue) this.take(event);
      this.passDue();
      session.commit();
      if (session.engine.counts.slices > slices) this.options.onSlice();
      this.setTimer();
    } catch (error) {
      this.fault?.(error);
    }
  }

  private take(event: MarketEvent): void {
    const { session } = this.options;
    const at = this.now();
    const isPrice = event.kind === 'mark-updated' || event.kind === 'quote-updated';
    if (isPrice && !this.worthWriting(event.kind, event.instrument, at)) return;
    if (event.kind === 'feed-changed') {
      if (event.feed === this.feed.name) this.noteFeed(event.status, event.detail);
      this.options.say(`feed ${event.feed} ${event.status}: ${event.detail}`);
    } else this.lastEventAt = at;
    session.market({ ...event, at });
    if (event.kind === 'bar-closed' && this.stale && this.allCurrent(event.bar.time)) {
      this.tell(this.feed.name, 'resynced', `all bars of ${formatInstant(event.bar.time)} are here`);
    }
  }

  /** A price between bars is kept when something rests on it, else now and then. */
  private worthWriting(
    kind: 'mark-updated' | 'quote-updated',
    instrument: InstrumentId,
    at: Instant,
  ): boolean {
    const { ledger } = this.options.session.engine.real;
    const writtenAt = this.writtenAt[kind];
    const last = writtenAt.get(instrument) ?? Number.NEGATIVE_INFINITY;
    const busy =
      ledger.net(instrument) !== 0 ||
      ledger.workingOrders().some((order) => order.request.instrument === instrument);
    if (!busy && at - last < MARK_EVERY_MS) return false;
    writtenAt.set(instrument, at);
    return true;
  }

  private allCurrent(time: Instant): boolean {
    const { lastBars, setup } = this.options.session;
    return setup.instruments.every(({ id }) => (lastBars.get(id) ?? 0) >= time);
  }

  private passDue(): void {
    const { session } = this.options;
    const now = this.now();
    if (session.nextDue() <= now) session.passTime(now);
  }

  private setTimer(): void {
    this.cancelTimer();
    const wait = this.options.session.nextDue() - this.clock.now();
    this.cancelTimer = this.clock.later(Math.min(Math.max(1, wait), MINUTE), () => this.tick());
  }

  private scheduleBeat(): void {
    this.cancelBeat = this.clock.later(BEAT_MS, () => {
      this.scheduleBeat();
      this.beat();
    });
  }

  /** Prices that stopped coming are stale even if the socket looks well. */
  private beat(): void {
    if (this.holding || this.stale || this.lastEventAt === 0) return;
    const silence = this.now() - this.lastEventAt;
    if (silence < SILENT_MS) return;
    try {
      this.tell(this.feed.name, 'stale', `no price for ${Math.round(silence / SECOND)} s`);
      this.options.session.commit();
    } catch (error) {
      this.fault?.(error);
    }
  }

  private noteFeed(status: FeedChanged['status'], detail: string): void {
    // a new connection has not brought yet what was missed
    if (status === 'connected') return;
    this.stale = status === 'stale';
    this.status = status === 'resynced' ? 'live' : `${status}: ${detail}`;
  }

  private tell(feed: string, status: 'disconnected' | 'stale' | 'resynced', detail: string): void {
    const at = this.now();
    if (feed === this.feed.name) this.noteFeed(status, detail);
    this.options.session.market({ kind: 'feed-changed', at, eventTime: at, feed, status, detail });
  }

  /** Wall time that never goes back, over restarts either. */
  private now(): Instant {
    return Math.max(Math.floor(this.clock.now()), this.options.session.engine.at);
  }
}

/** Books are kept in one currency with one minor unit: a venue that reckons in another cannot be booked in them. */
function checkMoney(stated: Instrument, kept: Instrument): void {
  if (stated.settle === kept.settle && stated.minorScale === kept.minorScale) return;
  throw new InputError(
    `the venue settles ${stated.id} in ${stated.settle} with ${stated.minorScale} places, the books are kept in ${kept.settle} with ${kept.minorScale}`,
    'take it out of the portfolio',
  );
}
