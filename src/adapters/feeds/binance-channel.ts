import { floorTo, formatInstant, formatInterval, type Instant } from '#base';
import { type Bar, type InstrumentId, instrumentIdOf, type MarketEvent } from '#market';
import type { FeedSettings } from './binance-feed-options.ts';
import type { KlineMessage } from './binance-messages.ts';
import type { BinanceUsdmRest } from './binance-rest.ts';
import { KlineSequence } from './kline-sequence.ts';

/** What a channel needs of its feed. */
export interface ChannelSink {
  readonly settings: FeedSettings;
  readonly rest: BinanceUsdmRest;
  now(): Instant;
  emit(event: MarketEvent): void;
  report(status: 'stale', detail: string): void;
  /** Of the present connection; aborted by stop(). */
  signal(): AbortSignal;
}

/** REST answers that still lack a closed bar are asked for again so often before the next regular look. */
const FILL_ROUNDS = 5;

/** One symbol of a live feed: its bars in order, its holes filled from REST. */
export class BinanceChannel {
  readonly symbol: string;
  readonly instrument: InstrumentId;
  readonly sequence: KlineSequence;
  /** Bars fetched over REST after the stream had missed them. */
  backFilled = 0;
  /** Funding that is building up, as the mark stream last showed it. */
  funding: { readonly rate: number; readonly settles: Instant } | null = null;
  mark: number | null = null;
  quotedAt: Instant = -Infinity;
  private openedTime: Instant = -Infinity;
  private filling: Promise<boolean> | null = null;
  private readonly sink: ChannelSink;

  constructor(symbol: string, sink: ChannelSink) {
    const { intervalMs } = sink.settings;
    this.symbol = symbol;
    this.instrument = instrumentIdOf(`${symbol}.BINANCE-USDM`);
    this.sink = sink;
    const { instrument } = this;
    this.sequence = new KlineSequence(intervalMs, (bar) => {
      const eventTime = bar.time + intervalMs;
      sink.emit({ kind: 'bar-closed', at: sink.now(), eventTime, instrument, intervalMs, bar });
    });
  }

  onKline({ bar, closed }: KlineMessage): void {
    const { sequence } = this;
    if (closed) sequence.closed(bar);
    else if (sequence.running === null || bar.time >= sequence.running.time) {
      sequence.running = { time: bar.time, open: bar.open };
    }
    this.openRunning();
  }

  /** Whether a closed bar waits behind a hole. */
  get isHeldUp(): boolean {
    return this.sequence.heldUp && !this.sequence.holding && this.sequence.missingFrom !== null;
  }

  /** The running bar opens as soon as the one before it has been delivered. */
  openRunning(): void {
    const { sequence, instrument, sink } = this;
    const { intervalMs } = sink.settings;
    const { running, last } = sequence;
    if (running === null || last === null || sequence.holding) return;
    if (running.time !== last + intervalMs || this.openedTime >= running.time) return;
    this.openedTime = running.time;
    const { time: eventTime, open } = running;
    sink.emit({ kind: 'bar-opened', at: sink.now(), eventTime, instrument, intervalMs, open });
  }

  /** Bars that open before this instant have closed and will not change. */
  settledUntil(): Instant {
    const { settleMs, intervalMs } = this.sink.settings;
    return floorTo(this.sink.rest.serverNow() - settleMs, intervalMs);
  }

  /**
   * Fetches what is missing up to the last settled bar, and passes it on in order; true when nothing is missing then.
   * Never throws: what failed is reported as stale.
   */
  fill(): Promise<boolean> {
    this.filling ??= this.fillUp().finally(() => {
      this.filling = null;
    });
    return this.filling;
  }

  private async fillUp(): Promise<boolean> {
    const { sequence, symbol, sink } = this;
    const { intervalMs, clock, backoffBaseMs } = sink.settings;
    const signal = sink.signal();
    try {
      for (let round = 0; round < FILL_ROUNDS; round++) {
        if (sequence.last === null || sequence.holding) return true;
        const from = sequence.last + intervalMs;
        const to = this.settledUntil();
        if (from >= to) return true;
        const rows = await this.fetch(from, to);
        if (signal.aborted) return false;
        const before = sequence.last;
        // an answer may lag behind the stream: only what lies before its last row is known to be missing for good
        sequence.fill(rows, rows.length === 0 ? -Infinity : rows.at(-1)!.time + intervalMs);
        this.backFilled += Math.max(0, Math.round((sequence.last - before) / intervalMs));
        this.openRunning();
        if (sequence.last + intervalMs >= to) return true;
        await clock.wait(backoffBaseMs, signal);
      }
      const missing = formatInstant(sequence.last! + intervalMs);
      sink.report(
        'stale',
        `${symbol} ${formatInterval(intervalMs)}: the venue gives no bar from ${missing} on`,
      );
    } catch (cause) {
      if (!signal.aborted) sink.report('stale', `${symbol}: ${(cause as Error).message}`);
    }
    return false;
  }

  /** Closed bars that open in [from, to). */
  async fetch(from: Instant, to: Instant): Promise<Bar[]> {
    const { rest, settings } = this.sink;
    const rows: Bar[] = [];
    for await (const page of rest.klinePages(this.symbol, settings.interval, from, to, this.sink.signal())) {
      for (const { time, open, high, low, close, volume } of page)
        rows.push({ time, open, high, low, close, volume });
    }
    return rows;
  }

  /** Compares bars the stream has shown with REST rows: closed ones in every figure, the running one in its open. */
  async compare(rows: readonly Bar[]): Promise<{ compared: number; differing: string[] }> {
    const { sequence, symbol, sink } = this;
    const byTime = new Map(rows.map((row) => [row.time, row]));
    const differing: string[] = [];
    let compared = 0;
    for (const bar of sequence.held()) {
      const row = byTime.get(bar.time);
      if (row === undefined) continue;
      compared += 1;
      const names = ['open', 'high', 'low', 'close', 'volume'] as const;
      const other = names.filter((name) => row[name] !== bar[name]);
      if (other.length > 0) differing.push(`${symbol} ${formatInstant(bar.time)}: ${other.join(', ')}`);
    }
    const { running } = sequence;
    if (running === null) return { compared, differing };
    const range = { start: running.time, limit: 1 };
    const [row] = await sink.rest.klines(symbol, sink.settings.interval, range, sink.signal());
    if (row?.time === running.time) {
      compared += 1;
      if (row.open !== running.open)
        differing.push(`${symbol} ${formatInstant(row.time)}: open of the running bar`);
    }
    return { compared, differing };
  }
}
