import { assert, Chance, floorTo, InputError, type Instant, MINUTE, parseInterval, SECOND } from '#base';
import { type Bar, columnsOfBars, type Instrument, type InstrumentId, type MarketEvent } from '#market';
import type { WarmUp } from '../../feeds/binance-feed-options.ts';
import { type FeedClock, systemClock, UnreachableError } from '../../feeds/feed-clock.ts';
import { assertVenueUrlAllowed } from '../../feeds/venue-guard.ts';
import { type EdgexContract, type EdgexDirectory, edgexInstrumentId } from './contracts.ts';
import { EdgexRest } from './edgex-rest.ts';
import { type Kline, type SocketMessage, type Ticker, ticker } from './shapes.ts';
import { EdgexSocket } from './socket.ts';

export const EDGEX_WS_URL = 'wss://edgex-quote-prod-v2.edgex.exchange';
const FEED = 'edgex';

/** Bars the venue makes itself, of those the desks use; 3m is made of 1m. */
const KLINE_TYPES: Readonly<Record<string, string>> = {
  '1m': 'MINUTE_1',
  '5m': 'MINUTE_5',
  '15m': 'MINUTE_15',
  '30m': 'MINUTE_30',
  '1h': 'HOUR_1',
  '4h': 'HOUR_4',
  '1d': 'DAY_1',
};

export interface EdgexFeedOptions {
  /** Contract names, `BTCUSDC`. */
  symbols: readonly string[];
  interval: string;
  onEvent: (event: MarketEvent) => void;
  restUrl?: string;
  wsUrl?: string;
  clock?: FeedClock;
  chance?: Chance;
  /** How long after its close a bar is asked for. */
  lateMs?: number;
  silentMs?: number;
  connectMs?: number;
  backoffBaseMs?: number;
  backoffMostMs?: number;
  requestsPerMinute?: number;
  rest?: EdgexRest;
}

interface Channel {
  readonly name: string;
  readonly instrument: InstrumentId;
  contract: EdgexContract | null;
  /** Open time of the newest bar handed on. */
  last: Instant | null;
  funding: { readonly rate: number; readonly settles: Instant } | null;
}

/**
 * Public market data of edgeX perpetuals. The stream shows prices and funding as they move; it does not say which bar has
 * closed, so closed bars are asked for over REST a little after every close, each handed on once and in order. A drop of the stream
 * is reported and made good by the next bars.
 */
export class EdgexFeed {
  readonly rest: EdgexRest;
  private readonly options: Required<Omit<EdgexFeedOptions, 'rest' | 'requestsPerMinute'>>;
  private readonly intervalMs: number;
  private readonly klineType: string;
  private readonly channels: readonly Channel[];
  private readonly tasks = new Set<Promise<void>>();
  private socket: EdgexSocket | null = null;
  private abort = new AbortController();
  private cancelCheck: () => void = () => {};
  private started = false;
  /** Bars wait until history is there. */
  private warm = true;
  private lastAt: Instant = -Infinity;
  private gap = true;

  constructor(options: EdgexFeedOptions) {
    const intervalMs = parseInterval(options.interval);
    const klineType = KLINE_TYPES[options.interval];
    if (intervalMs === null || klineType === undefined) {
      throw new InputError(
        `edgeX makes no bars of ${options.interval}`,
        `it makes ${Object.keys(KLINE_TYPES).join(', ')}; others are made of 1m`,
      );
    }
    if (options.symbols.length === 0)
      throw new InputError('a feed needs a contract', 'name at least one, such as BTCUSDC');
    this.intervalMs = intervalMs;
    this.klineType = klineType;
    this.options = {
      restUrl: 'https://edgex-prod-v2.edgex.exchange',
      wsUrl: EDGEX_WS_URL,
      clock: systemClock,
      chance: new Chance('edgex'),
      lateMs: 2 * SECOND,
      silentMs: MINUTE,
      connectMs: 15 * SECOND,
      backoffBaseMs: SECOND,
      backoffMostMs: 60 * SECOND,
      ...options,
    };
    const { restUrl, clock, chance, wsUrl } = this.options;
    const pace =
      options.requestsPerMinute === undefined ? {} : { requestsPerMinute: options.requestsPerMinute };
    this.rest =
      options.rest ?? new EdgexRest({ baseUrl: restUrl, clock, chance: chance.fork('rest'), ...pace });
    assertVenueUrlAllowed(`${wsUrl}/api/v1/public/ws`, { armed: false });
    this.channels = [...new Set(options.symbols)].map((name) => ({
      name,
      instrument: edgexInstrumentId(name),
      contract: null,
      last: null,
      funding: null,
    }));
  }

  get connected(): boolean {
    return this.socket?.isUp ?? false;
  }

  /** Connects and begins to deliver; what needs the contracts' numbers waits for them. */
  start(): void {
    if (this.started) return;
    this.started = true;
    this.abort = new AbortController();
    this.run(() => this.openUntilItWorks());
    this.scheduleCheck();
  }

  async stop(): Promise<void> {
    this.started = false;
    this.cancelCheck();
    this.socket?.stop();
    this.abort.abort(new Error('the feed was stopped'));
    await Promise.allSettled([...this.tasks]);
  }

  /** Tradable perpetuals as the venue states them today. */
  async instruments(signal?: AbortSignal): Promise<Instrument[]> {
    const { directory } = await this.resolve(signal);
    return [...directory.byId.values()].filter((c) => c.tradable).map((c) => c.instrument);
  }

  /**
   * The last `bars` closed bars of every contract. Bars that close meanwhile are delivered afterwards, without a hole.
   * Nothing is compared: the stream shows no closed bars. Throws UnreachableError, and InputError for an unknown contract.
   */
  async warmUp(bars: number): Promise<WarmUp> {
    assert(bars >= 0 && Number.isSafeInteger(bars), `cannot warm up ${bars} bars`);
    if (!this.started && this.abort.signal.aborted) this.abort = new AbortController();
    this.warm = false;
    await this.rest.syncTime(this.abort.signal);
    await this.resolve(this.abort.signal);
    const history: [InstrumentId, Bar[]][] = [];
    for (const channel of this.channels) {
      const end = floorTo(this.rest.serverNow(), this.intervalMs);
      const rows = bars === 0 ? [] : await this.fetch(channel, end - bars * this.intervalMs, end);
      channel.last = rows.at(-1)?.time ?? end - this.intervalMs;
      history.push([channel.instrument, rows]);
    }
    this.warm = true;
    return {
      history: new Map(history.map(([id, rows]) => [id, columnsOfBars(rows)])),
      compared: 0,
      differing: [],
      complete: history.every(([, rows]) => rows.length >= bars),
    };
  }

  private async resolve(signal?: AbortSignal): Promise<{ directory: EdgexDirectory }> {
    const found = await this.rest.directory(signal);
    for (const channel of this.channels) {
      channel.contract = found.directory.byId.get(channel.instrument) ?? null;
      if (channel.contract !== null) continue;
      const known = [...found.directory.byId.values()].map((c) => c.instrument.symbol);
      throw new InputError(
        `edgeX has no contract ${channel.name}`,
        `it has ${known.slice(0, 20).join(', ')}${known.length > 20 ? ', ...' : ''}`,
      );
    }
    return found;
  }

  /** Without the contracts' numbers nothing can be subscribed to: asked for again until they are there. */
  private async openUntilItWorks(): Promise<void> {
    const { clock, backoffMostMs } = this.options;
    while (this.started) {
      try {
        return await this.open();
      } catch (cause) {
        if (this.abort.signal.aborted || !(cause instanceof UnreachableError)) throw cause;
        this.report('stale', cause.message);
        await clock.wait(backoffMostMs, this.abort.signal);
      }
    }
  }

  private async open(): Promise<void> {
    await this.rest.syncTime(this.abort.signal);
    if (this.channels.some((c) => c.contract === null)) await this.resolve(this.abort.signal);
    const { wsUrl, chance } = this.options;
    this.socket = new EdgexSocket({
      ...this.options,
      url: () => `${wsUrl}/api/v1/public/ws?timestamp=${Math.floor(this.rest.serverNow())}`,
      chance: chance.fork('socket'),
      channels: this.channels.map((c) => `ticker.${c.contract!.contractId}`),
      onOpen: () => {
        this.report('connected', 'stream');
        this.gap = true;
        this.run(() => this.deliver());
      },
      onMessage: (message) => this.receive(message),
      onDown: (reason) => {
        this.gap = true;
        this.report('disconnected', reason);
      },
    });
    if (this.started) this.socket.start();
  }

  private receive(message: SocketMessage): void {
    if (message.type === 'error') {
      const { code, msg } = message.content ?? {};
      this.report('stale', `the venue refused a subscription: ${code ?? ''} ${msg ?? ''}`.slice(0, 200));
      return;
    }
    if (message.type !== 'quote-event' || !message.channel.startsWith('ticker.')) return;
    for (const row of message.content.data) {
      const read = ticker.safeParse(row);
      if (read.success) this.onTicker(read.data);
    }
  }

  private onTicker(row: Ticker): void {
    const channel = this.channels.find((c) => c.contract?.contractId === row.contractId);
    const mark = Number(row.oraclePrice);
    if (channel === undefined || !(mark > 0)) return;
    const at = this.now();
    const { instrument } = channel;
    const before = channel.funding;
    const settles = row.nextFundingTime;
    if (before !== null && settles > before.settles) this.settleFunding(channel, before, mark);
    if (before === null || settles >= before.settles)
      channel.funding = { rate: Number(row.fundingRate), settles };
    const index = Number(row.indexPrice);
    this.emit({ kind: 'mark-updated', at, eventTime: at, instrument, mark, index: index > 0 ? index : null });
  }

  /** The settled rate from REST where it answers, else the last one shown. */
  private settleFunding(
    { contract, instrument }: Channel,
    shown: { rate: number; settles: Instant },
    mark: number,
  ): void {
    const { settles } = shown;
    this.run(async () => {
      let { rate } = shown;
      try {
        const rows = await this.rest.fundingRates(
          contract!.contractId,
          settles - SECOND,
          settles + MINUTE,
          this.abort.signal,
        );
        if (rows[0] !== undefined) rate = Number(rows[0].fundingRate);
      } catch (cause) {
        if (!this.abort.signal.aborted)
          this.report('stale', `funding of ${instrument} taken from the stream: ${(cause as Error).message}`);
      }
      this.emit({ kind: 'funding-due', at: this.now(), eventTime: settles, instrument, rate, mark });
    });
  }

  private scheduleCheck(): void {
    const { lateMs, clock } = this.options;
    const now = this.rest.serverNow();
    const next = floorTo(now - lateMs, this.intervalMs) + this.intervalMs + lateMs;
    this.cancelCheck = clock.later(Math.max(1, next - now), () => {
      if (!this.started) return;
      this.run(() => this.deliver());
      this.scheduleCheck();
    });
  }

  /** Hands on every closed bar that has not been; made good when all have theirs and the stream runs. */
  private async deliver(): Promise<void> {
    if (!this.warm) return;
    const end = floorTo(this.rest.serverNow(), this.intervalMs);
    let whole = true;
    for (const channel of this.channels) {
      if (channel.contract === null) return;
      const from = channel.last === null ? end - this.intervalMs : channel.last + this.intervalMs;
      if (from < end) {
        for (const bar of await this.fetch(channel, from, end)) this.close(channel, bar);
      }
      whole &&= channel.last !== null && channel.last >= end - this.intervalMs;
    }
    if (!whole || !this.gap || !this.connected) return;
    this.gap = false;
    this.report('resynced', 'all bars are here');
  }

  private close(channel: Channel, bar: Bar): void {
    // a look that overlapped with another brings the same bars again
    if (channel.last !== null && bar.time <= channel.last) return;
    channel.last = bar.time;
    const { instrument } = channel;
    const { intervalMs } = this;
    this.emit({
      kind: 'bar-closed',
      at: this.now(),
      eventTime: bar.time + intervalMs,
      instrument,
      intervalMs,
      bar,
    });
  }

  /** Closed bars in [from, to), ascending, each once. */
  private async fetch({ contract }: Channel, from: Instant, to: Instant): Promise<Bar[]> {
    const rows = await this.rest.klines(contract!.contractId, this.klineType, from, to, this.abort.signal);
    return rows
      .filter((row) => row.klineTime >= from && row.klineTime < to)
      .filter((row, i, all) => i === 0 || row.klineTime > all[i - 1]!.klineTime)
      .map(barOf);
  }

  private run(task: () => Promise<void>): void {
    const running: Promise<void> = task()
      .catch((cause: unknown) => {
        if (this.abort.signal.aborted) return;
        this.gap = true;
        this.report('stale', (cause as Error).message);
      })
      .finally(() => this.tasks.delete(running));
    this.tasks.add(running);
  }

  private now(): Instant {
    this.lastAt = Math.max(this.lastAt, Math.floor(this.options.clock.now()));
    return this.lastAt;
  }

  private report(status: 'connected' | 'disconnected' | 'stale' | 'resynced', detail: string): void {
    const at = this.now();
    this.emit({ kind: 'feed-changed', at, eventTime: at, feed: FEED, status, detail });
  }

  private emit(event: MarketEvent): void {
    if (this.started) this.options.onEvent(event);
  }
}

function barOf(row: Kline): Bar {
  return {
    time: row.klineTime,
    open: Number(row.open),
    high: Number(row.high),
    low: Number(row.low),
    close: Number(row.close),
    volume: Number(row.size),
  };
}
