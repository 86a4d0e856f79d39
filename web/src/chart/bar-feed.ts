import { call } from '../api/client.ts';
import { asRefused, type Refused } from '../api/errors.ts';
import { type Bar, BarStore, type BarsAnswer } from './bar-store.ts';

export interface BarsAsked {
  readonly portfolio: string | null;
  readonly instrument: string;
  readonly intervalMs: number;
}

export interface BarFeedTold {
  /** The first page is there. */
  opened(): void;
  /** Bars came in before the first one. */
  shifted(count: number): void;
  /** Something inside changed. */
  changed(): void;
  /** Bars from this index on are new or changed. */
  extended(index: number): void;
  /** Null: what was wrong is right again. */
  failed(error: Refused | null): void;
  /** So much was missed that the chart must begin anew. */
  behind(): void;
}

const FIRST_PAGE = 2_000;
const OLDER_PAGE = 5_000;
const TAIL = 3;
const BARS_MOST = 250_000;
const TAIL_PAUSE_MS = 1_000;

/** Reads the bars of one instrument and interval into a {@link BarStore}: the newest, older ones when asked, live ones. */
export class BarFeed {
  readonly store = new BarStore();
  private readonly asked: BarsAsked;
  private readonly told: BarFeedTold;
  private readonly ended = new AbortController();
  private indicators: string;
  private fetchingOlder = false;
  private refusedIndicators = false;
  /** Bars from here on came by the live feed, without their indicators. */
  private staleFrom = Number.POSITIVE_INFINITY;
  private tailTimer: ReturnType<typeof setTimeout> | null = null;

  constructor(asked: BarsAsked, indicators: string, told: BarFeedTold) {
    this.asked = asked;
    this.indicators = indicators;
    this.told = told;
  }

  end(): void {
    this.ended.abort();
    if (this.tailTimer !== null) clearTimeout(this.tailTimer);
  }

  async start(): Promise<void> {
    let answer = await this.fetch({ limit: FIRST_PAGE });
    if (!answer && this.refusedIndicators) {
      // An indicator that nobody knows must not cost the candles.
      this.indicators = '';
      answer = await this.fetch({ limit: FIRST_PAGE });
    }
    if (!answer) return;
    this.store.merge(answer);
    this.store.more = answer.more;
    this.told.opened();
  }

  /** Asks for the bars before the first; does nothing while it does already. */
  async older(): Promise<void> {
    const { store } = this;
    if (this.fetchingOlder || !store.more || store.length === 0 || store.length >= BARS_MOST) return;
    this.fetchingOlder = true;
    const answer = await this.fetch({ limit: OLDER_PAGE, to: store.timeAt(0) });
    this.fetchingOlder = false;
    if (!answer) return;
    const came = store.merge(answer);
    store.more = answer.more && came > 0;
    this.staleFrom += came;
    if (came > 0) this.told.shifted(came);
    else this.told.changed();
  }

  /** Other indicators: reads them for all bars there are, newest first. */
  async choose(indicators: string): Promise<void> {
    if (indicators === this.indicators || this.store.length === 0) return;
    const before = this.indicators;
    this.indicators = indicators;
    const { store } = this;
    let end = store.length;
    let first = true;
    while (end > 0 && indicators === this.indicators) {
      const to = end === store.length ? {} : { to: store.timeAt(end) };
      const answer = await this.fetch({ limit: OLDER_PAGE, ...to });
      if (!answer && first && this.indicators === indicators) this.indicators = before;
      if (!answer || indicators !== this.indicators) return;
      if (first) {
        this.told.failed(null);
        store.keepLines((name) => name in answer.indicators);
        first = false;
      }
      const came = store.merge(answer);
      if (came > 0) this.told.shifted(came);
      this.told.changed();
      if (answer.bars.time.length === 0) return;
      end = Math.max(0, store.indexAt(answer.bars.time[0]!));
    }
  }

  /** A bar of the live feed; of any interval that fits into the chart's. */
  hear(bar: Bar & { readonly intervalMs: number }): void {
    const { intervalMs } = this.asked;
    if (this.store.length === 0) return;
    if (bar.intervalMs === intervalMs) {
      const last = this.store.length - 1;
      const hole = bar.time > this.store.timeAt(last) + intervalMs;
      if (this.store.put(bar) !== 'ignored') {
        // A hole is filled by reading from before it.
        this.staleFrom = Math.min(this.staleFrom, hole ? last : this.store.length - 1);
        this.told.extended(this.store.length - 1);
      }
    }
    this.tailSoon();
  }

  /** Reads the newest bars again: with their indicators, and whatever was missed. At most once a second. */
  tailSoon(): void {
    this.tailTimer ??= setTimeout(() => void this.tail(), TAIL_PAUSE_MS);
  }

  private async tail(): Promise<void> {
    const { store } = this;
    const since = Math.max(0, Math.min(this.staleFrom, store.length - 1) - TAIL);
    this.staleFrom = Number.POSITIVE_INFINITY;
    const answer = await this.fetch({ limit: FIRST_PAGE, from: store.timeAt(since) });
    this.tailTimer = null;
    if (!answer) this.staleFrom = Math.min(this.staleFrom, since);
    if (!answer || answer.bars.time.length === 0) return;
    if (answer.more && answer.bars.time[0]! > store.timeAt(store.length - 1)) {
      // More was missed than a page holds: the chart would have a hole.
      this.told.behind();
      return;
    }
    store.merge(answer);
    this.told.extended(since);
  }

  private async fetch(range: { limit: number; from?: number; to?: number }): Promise<BarsAnswer | null> {
    const { portfolio, instrument, intervalMs } = this.asked;
    const query = {
      ...(portfolio === null ? {} : { portfolio }),
      instrument,
      ...(intervalMs > 0 ? { intervalMs } : {}),
      ...range,
      ...(this.indicators === '' ? {} : { indicators: this.indicators }),
    };
    try {
      return await call('bars', { query }, { signal: this.ended.signal });
    } catch (error) {
      const refused = asRefused(error);
      this.refusedIndicators = refused.status === 400 && this.indicators !== '';
      if (!this.ended.signal.aborted) this.told.failed(refused);
      return null;
    }
  }
}
