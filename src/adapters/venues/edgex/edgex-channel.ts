import { floorTo, type Instant } from '#base';
import type { Bar, InstrumentId } from '#market';
import { type EdgexContract, edgexInstrumentId } from './contracts.ts';
import { edgexBars } from './edgex-bars.ts';
import type { EdgexFeedSettings } from './edgex-feed-options.ts';
import type { EdgexRest } from './edgex-rest.ts';
import { type Ticker, ticker } from './shapes.ts';
import { TopOfBook } from './top-of-book.ts';

/** One contract of a live feed: how far its bars have come, the funding that builds up, its book. */
export class EdgexChannel {
  /** `BTCUSDC` */
  readonly name: string;
  readonly instrument: InstrumentId;
  readonly book = new TopOfBook();
  contract: EdgexContract | null = null;
  /** Open time of the newest bar handed on. */
  last: Instant | null = null;
  funding: { readonly rate: number; readonly settles: Instant } | null = null;
  quotedAt: Instant = -Infinity;
  bookAskedAt: Instant = -Infinity;
  private readonly rest: EdgexRest;
  private readonly settings: EdgexFeedSettings;
  /** The ticker as it was last put together. */
  private shown: Readonly<Record<string, unknown>> = {};
  private isReadable = true;

  constructor(name: string, rest: EdgexRest, settings: EdgexFeedSettings) {
    this.name = name;
    this.instrument = edgexInstrumentId(name);
    this.rest = rest;
    this.settings = settings;
  }

  /** The stream begins anew: what it said before may have changed meanwhile. */
  reconnected(): void {
    this.shown = {};
    this.book.forget();
  }

  /** Bars that open before this instant have closed and will not change. */
  settledUntil(): Instant {
    const { settleMs, intervalMs } = this.settings;
    return floorTo(this.rest.serverNow() - settleMs, intervalMs);
  }

  /** Where the first bar opens that was not handed on and has closed; null: there is none. */
  get missingFrom(): Instant | null {
    const { intervalMs } = this.settings;
    const end = this.settledUntil();
    const from = this.last === null ? end - intervalMs : this.last + intervalMs;
    return from < end ? from : null;
  }

  /** Closed bars in [from, to), ascending, each once. */
  fetch(from: Instant, to: Instant, signal: AbortSignal): Promise<Bar[]> {
    const { klineType } = this.settings;
    return edgexBars(this.rest, { contractId: this.contract!.contractId, klineType, from, to }, signal);
  }

  /**
   * The ticker after a row of the stream, which may leave out what stayed the same. Why it cannot be read, the first time only;
   * null: as the time before.
   */
  ticker(row: Readonly<Record<string, unknown>>): Ticker | string | null {
    const next = { ...this.shown, ...row };
    const read = ticker.safeParse(next);
    if (read.success) {
      this.shown = next;
      this.isReadable = true;
      return read.data;
    }
    if (!this.isReadable) return null;
    this.isReadable = false;
    const issue = read.error.issues[0]!;
    return `the ticker of ${this.name} cannot be read: ${issue.path.join('.')} ${issue.message}`;
  }
}
