import { setTimeout as sleep } from 'node:timers/promises';
import { type BarStore, type FeedClock, type StoredBar, systemClock } from '#adapters';
import { formatInstant, InputError, type Instant, SECOND } from '#base';
import type { InstrumentId, MarketEvent } from '#market';
import { GapFiller } from '../ingest/gap-filler.ts';
import { type IngestSettings, openFeedStore, openSources } from '../ingest/ingest-settings.ts';
import type { Series } from '../ingest/series.ts';
import { LoopBroke, withBeat } from './beat.ts';
import { FeedHistory } from './feed-history.ts';
import { feedStoreOf, goesOnIn } from './feed-position.ts';
import type { Session } from './session.ts';

export interface WebhookDriverOptions {
  readonly session: Session;
  readonly store: BarStore;
  readonly series: readonly Series[];
  /** Looks up bars of before the first start. */
  readonly filler: GapFiller;
  readonly clock: FeedClock;
  readonly signal: AbortSignal;
  readonly onSlice: () => void;
  readonly say: (line: string) => void;
  /** Real milliseconds between two looks at the store. */
  readonly pollMs?: number;
  /** Real milliseconds after which a query counts as one that hangs. */
  readonly hangMs?: number;
}

type FeedChanged = Extract<MarketEvent, { kind: 'feed-changed' }>;

/** The feed as far as it brings one series. */
const wordOf = (config: string): string => `${FEED}:${config}`;

/** A pseudo feed that is down until history is complete: entries are refused meanwhile. */
const WARM_UP = 'warm-up';
const FEED = 'webhook';
const STORE = 'bar-store';
const POLL_MS = 100;
const REHEARSAL_POLL_MS = 3;
const FAULT_PAUSE_MS = 500;
/** Bars in one durable commit. */
const TURN_MOST = 500;
/** When a query counts as one that hangs. */
const HANG_MS = 5 * SECOND;
const NAMED_MOST = 3;
/** Without a bar for so many intervals a series is stale, and the feed when all are. */
const SILENT_BARS = 3;

/**
 * Bars of a webhook feed into a session, from their store and in its order, each turn one durable commit that says how far it
 * went: a restart goes on behind it. The first start is given the history that the desks need, looked up where the store
 * lacks it.
 */
export class WebhookDriver {
  private readonly options: WebhookDriverOptions;
  private readonly byId: ReadonlyMap<string, Series>;
  /** Series that a desk takes: nobody misses the others. */
  private readonly taken: readonly Series[];
  private readonly startedAt: Instant;
  private storeDetail = 'since before the start';
  private isLive = false;
  /** Bars in the store that were not taken yet, as far as was looked. */
  queued = 0;

  constructor(options: WebhookDriverOptions) {
    this.options = options;
    this.byId = new Map(options.series.map((one) => [one.id, one]));
    const { intake } = options.session.engine;
    this.taken = options.series.filter((one) => intake.listensTo(one.instrument, one.intervalMs));
    this.startedAt = this.now();
  }

  /** Runs until the signal; rejects when the loop throws. */
  async run(): Promise<void> {
    try {
      await this.drive();
    } catch (error) {
      throw error instanceof LoopBroke ? error.cause : error;
    }
  }

  private async drive(): Promise<void> {
    const { session, signal, store } = this.options;
    this.tell(WARM_UP, 'disconnected', 'history is not complete');
    session.commit();
    const detail = await this.begin();
    if (detail === null) return;
    this.tell(WARM_UP, 'resynced', detail);
    session.commit();
    this.isLive = true;
    const configs = [...this.byId.keys()];
    while (!signal.aborted) {
      const bars = await this.asking(() => store.readFrom(session.feedSeq ?? 0, TURN_MOST, configs));
      if (bars === null) return;
      this.queued = bars.length;
      if (bars.length > 0) this.take(bars);
      else this.pass();
      if (bars.length < TURN_MOST) await this.pause(this.options.pollMs ?? POLL_MS);
    }
  }

  get status(): string {
    if (this.isDown(STORE)) return `the store of bars is away: ${this.storeDetail}`;
    if (!this.isLive) return 'connecting';
    const silent = this.taken.map(({ id }) => id).filter((id) => this.isDown(wordOf(id)));
    if (this.isDown(FEED)) return 'stale: no bars';
    if (silent.length === 0) return 'live';
    const more = silent.length > NAMED_MOST ? ` and ${silent.length - NAMED_MOST} more` : '';
    return `live, but no bars of ${silent.slice(0, NAMED_MOST).join(', ')}${more}`;
  }

  /** As the engine has it: what this process remembers would not outlive a restart, and nobody took the word back. */
  private isDown(feed: string): boolean {
    return this.options.session.engine.intake.feedsDown.has(feed);
  }

  /** The history of a first start or of another store, or where a restart goes on, in words; null when it was ended. */
  private async begin(): Promise<string | null> {
    const { session, store, say } = this.options;
    const goesOn = await this.asking(() => goesOnIn(store, session));
    if (goesOn === null) return null;
    const { feedSeq, feedStore } = session;
    if (goesOn) return `goes on behind bar ${feedSeq} of the store`;
    const history = new FeedHistory(this.options);
    const wanted = history.wanted();
    const why = new Set<string>();
    const looks = [...wanted].map(([series, bars]) =>
      this.asking(() => history.lookUp(series, bars)).then((fault) => {
        if (typeof fault === 'string') why.add(fault);
      }),
    );
    await Promise.all(looks);
    const read = await this.asking(() => history.read(wanted));
    if (read === null) return null;
    const { bars, seq } = read;
    for (const bar of bars) this.deliver(bar);
    session.fedUpTo(seq, feedStoreOf(store, null));
    const asked = [...wanted.values()].reduce((sum, n) => sum + n, 0);
    const other = feedSeq === null ? '' : `, from store ${store.id} instead of ${feedStore?.id ?? 'one'}`;
    const detail = `${bars.length} of ${asked} bars of history${other}`;
    say(`warm-up: ${detail}${why.size === 0 ? '' : ` (${[...why].join('; ')})`}`);
    return detail;
  }

  private take(bars: readonly StoredBar[]): void {
    const { session, store, onSlice } = this.options;
    const { slices } = session.engine.counts;
    let found: StoredBar[] = [];
    for (const bar of bars) {
      if (this.isFound(bar)) {
        found.push(bar);
        continue;
      }
      this.mend(found);
      found = [];
      this.deliver(bar);
    }
    this.mend(found);
    session.fedUpTo(bars.at(-1)!.seq, feedStoreOf(store, bars.at(-1)!));
    // while there are more nothing is known of the newest
    if (bars.length < TURN_MOST) this.noteSilence();
    this.passDue();
    session.commit();
    if (session.engine.counts.slices > slices) onSlice();
  }

  /** A bar that was missing when a later one was taken. */
  private isFound({ config, intervalMs, time }: StoredBar): boolean {
    return time < this.options.session.engine.intake.lastBar(this.byId.get(config)!.instrument, intervalMs);
  }

  /** Tells bars that fill holes as what they are: history, on which nothing is decided any more. */
  private mend(found: readonly StoredBar[]): void {
    for (const [config, own] of Map.groupBy(found, (bar) => bar.config)) {
      own.sort((a, b) => a.time - b.time);
      const { instrument, intervalMs } = this.byId.get(config)!;
      const silent = own.filter((bar) => bar.volumeUnknown === true).map(({ time }) => time);
      this.options.session.market({
        kind: 'history-mended',
        at: this.now(),
        eventTime: own.at(-1)!.time + intervalMs,
        instrument,
        intervalMs,
        bars: own.map(({ time, open, high, low, close, volume }) => ({
          time,
          open,
          high,
          low,
          close,
          volume,
        })),
        ...(silent.length === 0 ? {} : { volumesUnknown: silent }),
      });
      this.options.say(
        `${config}: ${own.length} bars that were missing since ${formatInstant(own[0]!.time)}`,
      );
    }
  }

  /** A bar, and before it what was told with it, so that whoever decides on the bar knows it. */
  private deliver(bar: StoredBar): void {
    const { session } = this.options;
    const series = this.byId.get(bar.config)!;
    const { time, open, high, low, close, volume, intervalMs, pine, missingBefore } = bar;
    const eventTime = time + intervalMs;
    if (missingBefore > 0) this.observe(`gap:${series.id}`, eventTime, { time, missing: missingBefore });
    if (pine !== null) this.observe(`pine:${series.id}`, eventTime, { time, values: JSON.parse(pine) });
    session.market({
      kind: 'bar-closed',
      at: this.now(),
      eventTime,
      instrument: series.instrument,
      intervalMs,
      bar: { time, open, high, low, close, volume },
      ...(bar.volumeUnknown === true ? { volumeUnknown: true } : {}),
    });
  }

  private observe(subject: string, eventTime: Instant, value: unknown): void {
    const at = this.now();
    const text = JSON.stringify(value);
    this.options.session.market({
      kind: 'observation-published',
      at,
      eventTime,
      source: FEED,
      subject,
      value: text,
      publishedAt: at,
    });
  }

  /** Nothing came: timers that are due, and a word when too long nothing came. */
  private pass(): void {
    const { session } = this.options;
    const said = this.noteSilence();
    const isDue = session.nextDue() <= this.now();
    if (!said && !isDue) return;
    this.passDue();
    session.commit();
  }

  private passDue(): void {
    const { session } = this.options;
    const now = this.now();
    if (session.nextDue() <= now) session.passTime(now);
  }

  /** Says of each series, and of all together, when it falls silent and when it speaks again; true when it said anything. */
  private noteSilence(): boolean {
    if (!this.isLive) return false;
    const now = this.now();
    let told = false;
    let silent = 0;
    let newest = -Infinity;
    const note = (feed: string, isSilent: boolean, since: Instant, only?: FeedChanged['only']) => {
      if (isSilent === this.isDown(feed)) return;
      const detail = isSilent ? `no bar since ${formatInstant(since)}` : 'bars come again';
      this.tell(feed, isSilent ? 'stale' : 'resynced', detail, only);
      told = true;
    };
    for (const { id, instrument, intervalMs } of this.taken) {
      const close = this.closeOf(instrument, intervalMs);
      const isSilent = now - close > SILENT_BARS * intervalMs;
      if (isSilent) silent += 1;
      newest = Math.max(newest, close);
      note(wordOf(id), isSilent, close, { instrument, intervalMs });
    }
    note(FEED, silent > 0 && silent === this.taken.length, newest);
    return told;
  }

  /** Close of the newest bar the engine has of a series; the start of this process before the first. */
  private closeOf(instrument: InstrumentId, intervalMs: number): Instant {
    const last = this.options.session.engine.intake.lastBar(instrument, intervalMs);
    return Number.isFinite(last) ? last + intervalMs : this.startedAt;
  }

  /** Asks the store until it answers, and lets time pass meanwhile; null when the signal came first. */
  private async asking<T>(ask: () => Promise<T>): Promise<T | null> {
    const { signal, session, say } = this.options;
    while (!signal.aborted) {
      try {
        const answer = await this.beating(ask());
        if (answer !== null && this.isDown(STORE)) {
          say('the store of bars answers again');
          this.tell(STORE, 'resynced', 'the store answers');
          session.commit();
        }
        return answer;
      } catch (cause) {
        if (cause instanceof InputError || cause instanceof LoopBroke) throw cause;
        this.storeAway((cause as Error).message);
        await this.beating(this.pause(FAULT_PAUSE_MS));
      }
    }
    return null;
  }

  private storeAway(why: string): void {
    const { session, say } = this.options;
    this.storeDetail = why;
    if (this.isDown(STORE)) return;
    say(`the store of bars does not answer: ${why}`);
    this.tell(STORE, 'disconnected', why);
    session.commit();
  }

  /** Neither a store that is away nor a query that hangs may hold up the time of an order or of a kill switch. */
  private beating<T>(task: Promise<T>): Promise<T | null> {
    return withBeat(task, this.options.signal, (waitedMs) => {
      this.pass();
      if (waitedMs > (this.options.hangMs ?? HANG_MS))
        this.storeAway(`no answer for ${Math.round(waitedMs)} ms`);
    });
  }

  /** In real time: whatever the clock of the bars does, it is looked again soon. */
  private async pause(ms: number): Promise<void> {
    await sleep(ms, undefined, { signal: this.options.signal }).catch(() => undefined);
  }

  private tell(
    feed: string,
    status: 'disconnected' | 'stale' | 'resynced',
    detail: string,
    only?: FeedChanged['only'],
  ): void {
    const at = this.now();
    if (feed.startsWith(FEED)) this.options.say(`feed ${feed} ${status}: ${detail}`);
    const told = { kind: 'feed-changed', at, eventTime: at, feed, status, detail } as const;
    this.options.session.market(only === undefined ? told : { ...told, only });
  }

  /** The clock, which never goes back over restarts either. */
  private now(): Instant {
    return Math.max(Math.floor(this.options.clock.now()), this.options.session.engine.at);
  }
}

/** Opens the store of a feed for a driver. Rejects when the store cannot be reached. */
export async function openWebhookDriver(
  settings: IngestSettings,
  options: Pick<WebhookDriverOptions, 'session' | 'clock' | 'signal' | 'onSlice' | 'say'>,
): Promise<{ readonly driver: WebhookDriver; readonly close: () => Promise<void> }> {
  const { clock } = options;
  const { series } = settings;
  const store = await openFeedStore(settings);
  const sources = openSources(settings, store, clock);
  const filler = new GapFiller({ store, series, sources: sources.all, clock });
  // bars of a rehearsal may come as fast as they are read
  const pollMs = clock === systemClock ? POLL_MS : REHEARSAL_POLL_MS;
  return {
    driver: new WebhookDriver({ ...options, store, series, filler, pollMs }),
    close: () => {
      sources.close();
      return store.close();
    },
  };
}
