import { assert, floorTo, type Instant, SECOND } from '#base';
import {
  type BarColumns,
  columnsOfBars,
  type Instrument,
  type InstrumentId,
  type MarketEvent,
} from '#market';
import { BinanceChannel, type ChannelSink } from './binance-channel.ts';
import {
  type BinanceUsdmFeedOptions,
  type FeedSettings,
  feedSettings,
  type Route,
} from './binance-feed-options.ts';
import { type MarkMessage, type QuoteMessage, readStreamMessage } from './binance-messages.ts';
import { BinanceUsdmRest } from './binance-rest.ts';
import type { LiveFeed, WarmUp } from './live-venue.ts';
import { ReconnectingSocket } from './reconnecting-socket.ts';
import { assertVenueUrlAllowed } from './venue-guard.ts';

/** A feed for each route: quotes that come again do not mean that the bars do. */
const FEEDS: Readonly<Record<Route, string>> = { market: 'binance-usdm', public: 'binance-usdm-quotes' };
const STREAMS_MOST = 1000;

/**
 * Live market data of Binance USD-M perpetuals. Every closed bar is delivered exactly once and in order: the stream's
 * repetitions are dropped, what it skips or loses in a disconnection is fetched over REST, the running bar is never
 * delivered. A bar that was fetched has no `bar-opened` before it. Gaps and repairs show as `feed-changed` events.
 */
export class BinanceUsdmFeed implements ChannelSink, LiveFeed {
  readonly name = FEEDS.market;
  readonly settings: FeedSettings;
  readonly rest: BinanceUsdmRest;
  private readonly channels = new Map<string, BinanceChannel>();
  private readonly sockets: ReconnectingSocket[] = [];
  private readonly tasks = new Set<Promise<void>>();
  private abort = new AbortController();
  private cancelCheck: () => void = () => {};
  private started = false;
  private lastAt: Instant = -Infinity;
  /** Something was or may have been missed: no `resynced` was reported since. */
  private gap = false;
  /** Messages of unknown shape. */
  malformed = 0;

  constructor(options: BinanceUsdmFeedOptions) {
    const settings = feedSettings(options);
    this.settings = settings;
    const { clock, chance, armed } = settings;
    const rest = { baseUrl: settings.restUrl, clock, chance: chance.fork('rest'), armed };
    this.rest = options.rest ?? new BinanceUsdmRest(rest);
    for (const symbol of new Set(options.symbols))
      this.channels.set(symbol, new BinanceChannel(symbol, this));
    for (const route of ['market', 'public'] as const) {
      const streams = this.streamsOf(route);
      if (streams.length > 0) this.sockets.push(this.socket(route, streams));
    }
  }

  /** Bars dropped, passed over and fetched, per symbol. */
  counts(): ReadonlyMap<
    string,
    Readonly<Record<'duplicate' | 'conflict' | 'late' | 'passedOver' | 'backFilled', number>>
  > {
    return new Map(
      [...this.channels.values()].map(({ symbol, sequence, backFilled }) => {
        const { duplicate, conflict, late } = sequence.checker.counts;
        return [symbol, { duplicate, conflict, late, passedOver: sequence.passedOver, backFilled }];
      }),
    );
  }

  get connected(): boolean {
    return this.sockets.every((socket) => socket.isUp);
  }

  /** Connects and begins to deliver. */
  start(): void {
    if (this.started) return;
    this.started = true;
    this.abort = new AbortController();
    for (const socket of this.sockets) socket.start();
    this.run(async () => void (await this.rest.syncTime(this.abort.signal)));
    this.scheduleCheck();
  }

  /** Disconnects; resolves when nothing is under way any more. No event is delivered afterwards. */
  async stop(): Promise<void> {
    this.started = false;
    this.cancelCheck();
    for (const socket of this.sockets) socket.stop();
    this.abort.abort(new Error('the feed was stopped'));
    await Promise.allSettled([...this.tasks]);
  }

  /**
   * Fetches the last `bars` closed bars of every symbol and compares them, and the open of the running bar, with what the
   * stream has shown. Bars that close meanwhile are delivered afterwards, without a hole. Call it right after start(), or
   * before it (then there is nothing to compare). Throws UnreachableError.
   */
  async warmUp(bars: number, waitMs = 15 * SECOND): Promise<WarmUp> {
    assert(bars >= 0 && Number.isSafeInteger(bars), `cannot warm up ${bars} bars`);
    if (!this.started && this.abort.signal.aborted) this.abort = new AbortController();
    const { intervalMs } = this.settings;
    for (const { sequence } of this.channels.values()) sequence.holding = sequence.last === null;
    await this.rest.syncTime(this.abort.signal);
    if (this.started) await this.firstMessages(waitMs);
    const history = new Map<InstrumentId, BarColumns>();
    const differing: string[] = [];
    let compared = 0;
    let complete = true;
    for (const channel of this.channels.values()) {
      const end = channel.settledUntil();
      const rows = bars === 0 ? [] : await channel.fetch(end - bars * intervalMs, end);
      const found = await channel.compare(rows);
      compared += found.compared;
      differing.push(...found.differing);
      history.set(channel.instrument, columnsOfBars(rows));
      complete &&= rows.length >= bars;
      if (channel.sequence.holding) channel.sequence.begin(rows.at(-1) ?? null, end - intervalMs);
      channel.openRunning();
    }
    if (differing.length > 0) this.report('stale', `stream and REST differ: ${differing.join('; ')}`);
    return { history, compared, differing, complete };
  }

  /** Trading perpetuals with the venue's own grids. */
  instruments(signal?: AbortSignal): Promise<Instrument[]> {
    return this.rest.instruments(signal);
  }

  private async firstMessages(waitMs: number): Promise<void> {
    const { clock } = this.settings;
    const until = clock.now() + waitMs;
    const waiting = () => [...this.channels.values()].some(({ sequence }) => sequence.running === null);
    while (waiting() && clock.now() < until) await clock.wait(Math.max(1, waitMs / 100), this.abort.signal);
  }

  private streamsOf(route: Route): string[] {
    const { marks, quotes, interval } = this.settings;
    const streams = [...this.channels.keys()].flatMap((symbol) => {
      const name = symbol.toLowerCase();
      if (route === 'public') return quotes ? [`${name}@bookTicker`] : [];
      return marks ? [`${name}@kline_${interval}`, `${name}@markPrice@1s`] : [`${name}@kline_${interval}`];
    });
    assert(streams.length <= STREAMS_MOST, `${streams.length} streams do not fit one connection`);
    return streams;
  }

  private socket(route: Route, streams: readonly string[]): ReconnectingSocket {
    const { wsUrl, routes, chance, armed } = this.settings;
    const url = `${wsUrl.replace(/\/+$/, '')}${routes[route]}/ws`;
    assertVenueUrlAllowed(url, { armed });
    let id = 0;
    return new ReconnectingSocket({
      ...this.settings,
      url,
      chance: chance.fork(route),
      greeting: () => JSON.stringify({ method: 'SUBSCRIBE', params: streams, id: ++id }),
      onOpen: () => {
        this.report('connected', route, route);
        // of quotes only the newest counts
        if (route === 'public') this.report('resynced', 'quotes come again', route);
        else {
          this.gap = true;
          this.run(() => this.fillAll());
        }
      },
      onMessage: (message) => this.receive(message),
      onDown: (reason) => this.report('disconnected', `${route}: ${reason}`, route),
    });
  }

  private receive(raw: unknown): void {
    const message = readStreamMessage(raw);
    if (message === null) {
      this.malformed += 1;
      return;
    }
    switch (message.kind) {
      case 'acknowledged':
        return;
      case 'refused':
        this.report('stale', `the venue refused the subscription: ${message.error}`);
        return;
      case 'kline': {
        const channel = this.channels.get(message.symbol);
        if (channel === undefined || message.interval !== this.settings.interval) return;
        channel.onKline(message);
        // a closed bar beyond a hole does not wait for the regular look
        if (channel.isHeldUp) this.run(async () => void (await channel.fill()));
        return;
      }
      case 'mark':
        this.onMark(message);
        return;
      case 'quote':
        this.onQuote(message);
    }
  }

  private onMark({ symbol, eventTime, mark, index, funding }: MarkMessage): void {
    const channel = this.channels.get(symbol);
    if (channel === undefined) return;
    const before = channel.funding;
    if (funding !== null && (before === null || funding.settles >= before.settles)) {
      // the next funding time has moved on: the one before it was settled
      if (before !== null && funding.settles > before.settles)
        this.settleFunding(channel, before, channel.mark);
      channel.funding = funding;
    }
    channel.mark = mark;
    this.emit({
      kind: 'mark-updated',
      at: this.now(),
      eventTime,
      instrument: channel.instrument,
      mark,
      index,
    });
  }

  /** Delivers the settled rate, from REST where it answers, else the last one shown. */
  private settleFunding(
    { symbol, instrument }: BinanceChannel,
    shown: { rate: number; settles: Instant },
    shownMark: number | null,
  ): void {
    const { settles } = shown;
    this.run(async () => {
      let { rate } = shown;
      let mark = shownMark;
      try {
        const rows = await this.rest.fundingRates(
          symbol,
          settles - SECOND,
          settles + 60 * SECOND,
          this.abort.signal,
        );
        if (rows[0] !== undefined) {
          rate = rows[0].rate;
          mark = rows[0].mark ?? mark;
        }
      } catch (cause) {
        if (!this.abort.signal.aborted) {
          this.report('stale', `funding of ${symbol} taken from the stream: ${(cause as Error).message}`);
        }
      }
      this.emit({ kind: 'funding-due', at: this.now(), eventTime: settles, instrument, rate, mark });
    });
  }

  private onQuote({ symbol, eventTime, bid, bidSize, ask, askSize }: QuoteMessage): void {
    const channel = this.channels.get(symbol);
    const at = this.now();
    if (channel === undefined || at - channel.quotedAt < this.settings.quoteEveryMs) return;
    channel.quotedAt = at;
    const { instrument } = channel;
    this.emit({ kind: 'quote-updated', at, eventTime, instrument, bid, bidSize, ask, askSize });
  }

  /** Looks for missing bars a little after every close. */
  private scheduleCheck(): void {
    const now = this.rest.serverNow();
    const { lateMs, clock, intervalMs } = this.settings;
    const next = floorTo(now - lateMs, intervalMs) + intervalMs + lateMs;
    this.cancelCheck = clock.later(Math.max(1, next - now), () => {
      if (!this.started) return;
      this.run(() => this.fillAll());
      this.scheduleCheck();
    });
  }

  /** Fills every channel; what was missed is made good only when none lacks a bar and the stream runs. */
  private async fillAll(): Promise<void> {
    const channels = [...this.channels.values()];
    const fetched = () => channels.reduce((sum, channel) => sum + channel.backFilled, 0);
    const before = fetched();
    const whole = (await Promise.all(channels.map((channel) => channel.fill()))).every((one) => one);
    const [bars] = this.sockets;
    if (!whole || !this.gap || !bars!.isUp) return;
    this.gap = false;
    this.report('resynced', `${fetched() - before} bars fetched`);
  }

  private run(task: () => Promise<void>): void {
    const running: Promise<void> = task()
      .catch((cause: unknown) => {
        if (!this.abort.signal.aborted) this.report('stale', (cause as Error).message);
      })
      .finally(() => this.tasks.delete(running));
    this.tasks.add(running);
  }

  signal(): AbortSignal {
    return this.abort.signal;
  }

  now(): Instant {
    this.lastAt = Math.max(this.lastAt, Math.floor(this.settings.clock.now()));
    return this.lastAt;
  }

  report(
    status: 'connected' | 'disconnected' | 'stale' | 'resynced',
    detail: string,
    route: Route = 'market',
  ): void {
    const at = this.now();
    if (route === 'market' && (status === 'disconnected' || status === 'stale')) this.gap = true;
    this.emit({ kind: 'feed-changed', at, eventTime: at, feed: FEEDS[route], status, detail });
  }

  emit(event: MarketEvent): void {
    if (!this.abort.signal.aborted) this.settings.onEvent(event);
  }
}
