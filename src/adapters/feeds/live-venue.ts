import { formatInterval, InputError, parseInterval } from '#base';
import type { BarColumns, Instrument, InstrumentId, MarketEvent } from '#market';
import type { BarProvider } from './bar-provider.ts';
import type { FeedClock } from './feed-clock.ts';

/** What a start is given before the live bars. */
export interface WarmUp {
  /** Closed bars before the live ones, per instrument. */
  readonly history: ReadonlyMap<InstrumentId, BarColumns>;
  /** Bars seen both on the stream and in REST answers, and those that differed. */
  readonly compared: number;
  readonly differing: readonly string[];
  /** Every symbol has as many bars as were asked for. */
  readonly complete: boolean;
}

/** Other hosts of the same protocol, and what is wanted of them. */
export interface LiveAddress {
  readonly restUrl?: string | undefined;
  readonly wsUrl?: string | undefined;
}

export interface LiveFeedRequest extends LiveAddress {
  /** As the venue names them, without its own name. */
  readonly symbols: readonly string[];
  /** One of the venue's {@link LiveVenue.intervals}. */
  readonly interval: string;
  /** Called with each event in order; `at` never goes back. */
  readonly onEvent: (event: MarketEvent) => void;
  readonly clock: FeedClock;
  /** Best bid and ask as well. */
  readonly quotes?: boolean;
}

/** Live public market data of one venue: every closed bar once and in order, marks, funding as it is settled. */
export interface LiveFeed {
  /** Its name in `feed-changed` events; while it is down, prices are not believed. */
  readonly name: string;
  /** Connects and begins to deliver. */
  start(): void;
  /** Disconnects; resolves when nothing is under way any more. No event is delivered afterwards. */
  stop(): Promise<void>;
  /**
   * The last `bars` closed bars of every symbol; those that close meanwhile are delivered afterwards, without a hole. Throws
   * UnreachableError for what may pass, anything else for what will not.
   */
  warmUp(bars: number): Promise<WarmUp>;
  /** What may be traded, as the venue states it today. */
  instruments(signal?: AbortSignal): Promise<readonly Instrument[]>;
}

/** A venue whose public data a portfolio can trade on, on paper. */
export interface LiveVenue {
  /** For people. */
  readonly title: string;
  /** The end of its instruments: `BTCUSDT.BINANCE-USDM`. */
  readonly venue: string;
  readonly restUrl: string;
  readonly wsUrl: string;
  /** Environment variables that may name other hosts. */
  readonly addressEnv: { readonly rest: string; readonly ws: string };
  /** Hosts whose prices are the venue's own; whatever another one sends may be made up. */
  readonly ownHost: RegExp;
  /** Addresses that answer when the venue can be reached. */
  readonly probes: readonly string[];
  /** Bars that it makes itself, ascending. */
  readonly intervals: readonly string[];
  /** What it calls the perpetual of a coin. */
  symbolOf(coin: string): string;
  open(request: LiveFeedRequest): LiveFeed;
  /** Asks for its time, once. Throws when it does not answer. */
  reach(restUrl: string | undefined, timeoutMs: number): Promise<void>;
  /** Its bars for whoever lacks some. */
  provider(restUrl: string | undefined, clock: FeedClock): BarProvider;
}

/** The longest bars of a venue that all wanted ones are made of, ms. Throws InputError when there are none. */
export function intervalFor(
  { title, intervals }: Pick<LiveVenue, 'title' | 'intervals'>,
  wantedMs: readonly number[],
): number {
  const made = intervals.map((text) => parseInterval(text)!).sort((a, b) => b - a);
  const found = made.find((ms) => wantedMs.every((wanted) => wanted % ms === 0));
  if (found !== undefined) return found;
  throw new InputError(
    `${title} makes no bars that ${wantedMs.map(formatInterval).join(' and ')} can be made of`,
    `it makes ${intervals.join(', ')}`,
  );
}
