import { assert, floorTo, formatInstant, InputError, type Instant, MINUTE, SECOND } from '#base';
import { type Bar, columnsOfBars, type Instrument, type InstrumentId, type MarketEvent } from '#market';
import { backoffMs, UnreachableError, VenueRefusal } from '../../feeds/feed-clock.ts';
import type { LiveFeed, WarmUp } from '../../feeds/live-venue.ts';
import { assertVenueUrlAllowed } from '../../feeds/venue-guard.ts';
import type { EdgexDirectory } from './contracts.ts';
import { EdgexChannel } from './edgex-channel.ts';
import { type EdgexFeedOptions, type EdgexFeedSettings, edgexFeedSettings } from './edgex-feed-options.ts';
import { EdgexRest, UnreadableAnswer } from './edgex-rest.ts';
import { type Depth, depth, type SocketMessage, type Ticker } from './shapes.ts';
import { EdgexSocket } from './socket.ts';

const FEED = 'edgex';
const WS_PATH = '/api/v1/public/ws';
/** Answers that lack a closed bar are asked for again so often, then after a while. */
const ROUNDS = 5;
const LOOK_AGAIN_MS = 15 * SECOND;
/** A book that was lost is asked for at most this often. */
const BOOK_EVERY_MS = 5 * SECOND;

/**
 * Public market data of edgeX perpetuals. The stream shows prices and funding as they move; it does not say which bar has
 * closed, so closed bars are asked for over REST a little after every close, each handed on once and in order. A drop of the stream
 * is reported and made good by the next bars.
 */
export class EdgexFeed implements LiveFeed {
  readonly name = FEED;
  readonly rest: EdgexRest;
  private readonly settings: EdgexFeedSettings;
  private readonly channels: readonly EdgexChannel[];
  private readonly tasks = new Set<Promise<void>>();
  private directory: EdgexDirectory | null = null;
  private socket: EdgexSocket | null = null;
  private abort = new AbortController();
  private cancelCheck: () => void = () => {};
  private delivering: Promise<void> | null = null;
  private started = false;
  /** Bars wait until history is there. */
  private warm = true;
  private lastAt: Instant = -Infinity;
  private gap = true;
  /** The newest that was told of the feed. */
  private said = '';

  constructor(options: EdgexFeedOptions) {
    this.settings = edgexFeedSettings(options);
    const { restUrl, clock, chance, wsUrl } = this.settings;
    const pace =
      options.requestsPerMinute === undefined ? {} : { requestsPerMinute: options.requestsPerMinute };
    this.rest =
      options.rest ?? new EdgexRest({ baseUrl: restUrl, clock, chance: chance.fork('rest'), ...pace });
    assertVenueUrlAllowed(`${trimmed(wsUrl)}${WS_PATH}`, { armed: false });
    this.channels = [...new Set(options.symbols)].map(
      (name) => new EdgexChannel(name, this.rest, this.settings),
    );
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

  /** Perpetuals open for trading, as the venue stated them when the feed began. */
  async instruments(signal?: AbortSignal): Promise<Instrument[]> {
    const directory = this.directory ?? (await this.resolve(signal));
    return [...directory.byId.values()].filter((c) => c.tradable).map((c) => c.instrument);
  }

  /**
   * The last `bars` closed bars of every contract. Bars that close meanwhile are delivered afterwards, without a hole.
   * Nothing is compared: the stream shows no closed bars. Throws UnreachableError also for an answer that cannot be used, and
   * InputError for an unknown contract.
   */
  async warmUp(bars: number): Promise<WarmUp> {
    assert(bars >= 0 && Number.isSafeInteger(bars), `cannot warm up ${bars} bars`);
    if (!this.started && this.abort.signal.aborted) this.abort = new AbortController();
    this.warm = false;
    const { signal } = this.abort;
    const { intervalMs } = this.settings;
    const history: [InstrumentId, Bar[]][] = [];
    try {
      await this.syncTime(signal);
      await this.resolve(signal);
      for (const channel of this.channels) {
        const end = channel.settledUntil();
        const rows = bars === 0 ? [] : await channel.fetch(end - bars * intervalMs, end, signal);
        channel.last = rows.at(-1)?.time ?? end - intervalMs;
        history.push([channel.instrument, rows]);
      }
    } catch (cause) {
      throw mayPass(cause) ? new UnreachableError((cause as Error).message) : cause;
    }
    this.warm = true;
    if (this.started) this.run(() => this.deliver());
    return {
      history: new Map(history.map(([id, rows]) => [id, columnsOfBars(rows)])),
      compared: 0,
      differing: [],
      complete: history.every(([, rows]) => rows.length >= bars),
    };
  }

  /** Bars close by the venue's clock: what was planned by ours is planned anew. */
  private async syncTime(signal: AbortSignal): Promise<void> {
    await this.rest.syncTime(signal);
    if (this.started) this.scheduleCheck();
  }

  private async resolve(signal?: AbortSignal): Promise<EdgexDirectory> {
    const { directory, unusable } = await this.rest.directory(signal);
    for (const channel of this.channels) {
      const { name } = channel;
      if (unusable.includes(name))
        throw new UnreadableAnswer(`edgeX states numbers of contract ${name} that cannot be used`);
      channel.contract = directory.byId.get(channel.instrument) ?? null;
      if (channel.contract !== null) continue;
      const known = [...directory.byId.values()].map((c) => c.instrument.symbol);
      throw new InputError(
        `edgeX has no contract ${name}`,
        `it has ${known.slice(0, 20).join(', ')}${known.length > 20 ? ', ...' : ''}`,
      );
    }
    this.directory = directory;
    return directory;
  }

  /** Without the contracts' numbers nothing can be subscribed to: asked for again until they are there. */
  private async openUntilItWorks(): Promise<void> {
    const { clock, chance, backoffBaseMs, backoffMostMs } = this.settings;
    for (let attempt = 0; this.started; attempt++) {
      try {
        return await this.open();
      } catch (cause) {
        if (this.abort.signal.aborted || !mayPass(cause)) throw cause;
        this.report('stale', (cause as Error).message);
        const pause = backoffMs(attempt, backoffBaseMs, backoffMostMs, chance.uniform());
        await clock.wait(pause, this.abort.signal);
      }
    }
  }

  private async open(): Promise<void> {
    await this.syncTime(this.abort.signal);
    if (this.channels.some((c) => c.contract === null)) await this.resolve(this.abort.signal);
    const { wsUrl, chance, quotes } = this.settings;
    const ids = this.channels.map((c) => c.contract!.contractId);
    this.socket = new EdgexSocket({
      ...this.settings,
      url: () => `${trimmed(wsUrl)}${WS_PATH}?timestamp=${Math.floor(this.rest.serverNow())}`,
      chance: chance.fork('socket'),
      channels: ids.flatMap((id) => (quotes ? [`ticker.${id}`, `depth.${id}.15`] : [`ticker.${id}`])),
      onOpen: () => {
        for (const channel of this.channels) channel.reconnected();
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
    if (message.type !== 'quote-event') return;
    const [kind] = message.channel.split('.');
    if (kind !== 'ticker' && kind !== 'depth') return;
    for (const row of message.content.data) {
      const { contractId } = (row ?? {}) as { contractId?: unknown };
      const channel = this.channels.find((c) => c.contract?.contractId === contractId);
      if (channel === undefined) continue;
      if (kind === 'depth') {
        this.onDepth(channel, depth.safeParse(row).data ?? null);
        continue;
      }
      const read = channel.ticker(row as Record<string, unknown>);
      if (typeof read === 'string') this.report('stale', read);
      else if (read !== null) this.onTicker(channel, read);
    }
  }

  private onTicker(channel: EdgexChannel, row: Ticker): void {
    const mark = Number(row.oraclePrice);
    if (!(mark > 0)) return;
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

  /** A book that lost a change is taken from REST, and goes on from there when its version fits. */
  private onDepth(channel: EdgexChannel, row: Depth | null): void {
    if (row === null) return channel.book.forget();
    const top = channel.book.apply(row);
    const at = this.now();
    if (!channel.book.isKnown) {
      if (at - channel.bookAskedAt < BOOK_EVERY_MS) return;
      channel.bookAskedAt = at;
      this.run(async () => {
        const found = await this.rest.depth(channel.contract!.contractId, 15, this.abort.signal);
        if (found !== null) channel.book.apply({ ...found, depthType: 'SNAPSHOT' });
      });
      return;
    }
    if (top === null || at - channel.quotedAt < this.settings.quoteEveryMs) return;
    channel.quotedAt = at;
    this.emit({ kind: 'quote-updated', at, eventTime: at, instrument: channel.instrument, ...top });
  }

  /** The settled rate from REST where it answers, else the last one shown. */
  private settleFunding(
    { contract, instrument }: EdgexChannel,
    shown: { rate: number; settles: Instant },
    mark: number,
  ): void {
    const { settles } = shown;
    this.run(async () => {
      let { rate } = shown;
      const [from, to] = [settles - SECOND, settles + MINUTE];
      try {
        const rows = await this.rest.fundingRates(contract!.contractId, from, to, this.abort.signal);
        const settled = rows.find(({ fundingTime }) => fundingTime >= from && fundingTime <= to);
        if (settled !== undefined) rate = Number(settled.fundingRate);
      } catch (cause) {
        if (!this.abort.signal.aborted)
          this.report('stale', `funding of ${instrument} taken from the stream: ${(cause as Error).message}`);
      }
      this.emit({ kind: 'funding-due', at: this.now(), eventTime: settles, instrument, rate, mark });
    });
  }

  /** Looks a little after every close, and now and then while something is missing. */
  private scheduleCheck(): void {
    this.cancelCheck();
    const { lateMs, clock, intervalMs } = this.settings;
    const now = this.rest.serverNow();
    const next = floorTo(now - lateMs, intervalMs) + intervalMs + lateMs;
    const wait = Math.min(next - now, this.gap ? LOOK_AGAIN_MS : Number.POSITIVE_INFINITY);
    this.cancelCheck = clock.later(Math.max(1, wait), () => {
      if (!this.started) return;
      this.run(() => this.deliver());
      this.scheduleCheck();
    });
  }

  /** Hands on every closed bar that has not been; made good when all have theirs and the stream runs. */
  private async deliver(): Promise<void> {
    // who began it tells what went wrong
    if (this.delivering !== null) return this.delivering.catch(() => {});
    this.delivering = this.deliverAll();
    try {
      await this.delivering;
    } finally {
      this.delivering = null;
    }
  }

  private async deliverAll(): Promise<void> {
    const { clock, backoffBaseMs } = this.settings;
    const { signal } = this.abort;
    for (let round = 0; round < ROUNDS; round++) {
      if (!this.warm || this.channels.some((c) => c.contract === null)) return;
      // an answer may lag behind the close
      if (round > 0) await clock.wait(backoffBaseMs * 2 ** (round - 1), signal);
      // all at once: a desk of several contracts does not wait long for the last of them
      const looks = await Promise.allSettled(this.channels.map((channel) => this.fill(channel)));
      const failed = looks.find((look) => look.status === 'rejected');
      if (failed !== undefined) throw failed.reason;
      if (this.channels.some((c) => c.missingFrom !== null)) continue;
      if (!this.gap || !this.connected) return;
      this.gap = false;
      this.report('resynced', 'all bars are here');
      return;
    }
    const late = this.channels.find((c) => c.missingFrom !== null)!;
    throw new UnreachableError(
      `${late.name}: the venue gives no bar from ${formatInstant(late.missingFrom!)} on`,
    );
  }

  private async fill(channel: EdgexChannel): Promise<void> {
    const from = channel.missingFrom;
    if (from === null) return;
    const bars = await channel.fetch(from, channel.settledUntil(), this.abort.signal);
    for (const bar of bars) this.close(channel, bar);
  }

  private close(channel: EdgexChannel, bar: Bar): void {
    // a look that overlapped with another brings the same bars again
    if (channel.last !== null && bar.time <= channel.last) return;
    channel.last = bar.time;
    const { instrument } = channel;
    const { intervalMs } = this.settings;
    const eventTime = bar.time + intervalMs;
    this.emit({ kind: 'bar-closed', at: this.now(), eventTime, instrument, intervalMs, bar });
  }

  private run(task: () => Promise<void>): void {
    const running: Promise<void> = task()
      .catch((cause: unknown) => {
        if (this.abort.signal.aborted) return;
        this.gap = true;
        this.report('stale', (cause as Error).message);
        if (this.started) this.scheduleCheck();
      })
      .finally(() => this.tasks.delete(running));
    this.tasks.add(running);
  }

  private now(): Instant {
    this.lastAt = Math.max(this.lastAt, Math.floor(this.settings.clock.now()));
    return this.lastAt;
  }

  private report(status: 'connected' | 'disconnected' | 'stale' | 'resynced', detail: string): void {
    // what goes on being wrong is told once
    const said = `${status} ${detail}`;
    if (status === 'stale' && said === this.said) return;
    this.said = said;
    const at = this.now();
    this.emit({ kind: 'feed-changed', at, eventTime: at, feed: FEED, status, detail });
  }

  private emit(event: MarketEvent): void {
    if (this.started) this.settings.onEvent(event);
  }
}

const trimmed = (url: string): string => url.replace(/\/+$/, '');

/** Whether asking again may help: nobody answered, the answer was a no, or it could not be read. */
const mayPass = (cause: unknown): boolean =>
  cause instanceof UnreachableError || cause instanceof VenueRefusal || cause instanceof UnreadableAnswer;
