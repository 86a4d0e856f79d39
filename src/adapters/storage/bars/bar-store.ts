import type { Instant } from '#base';
import type { Bar } from '#market';

/** Who told a bar: the webhook, the provider that the webhook only woke, or a look-up of what the webhook never told. */
export type BarSource = 'webhook' | 'provider' | 'backfill';

/**
 * A closed bar of one configuration. Prices and volume are doubles, as they were read: their shortest decimal text gives
 * the same double again, so no exact text is kept beside them.
 */
export interface NewBar extends Bar {
  /** `S1_RX68_BTC_15M`. */
  readonly config: string;
  /** `BTC`. */
  readonly symbol: string;
  readonly intervalMs: number;
  readonly source: BarSource;
  /** When the first word of it came. */
  readonly receivedAt: Instant;
  /** Older than one bar when it came: kept, not to be traded on. */
  readonly late: boolean;
  /** Bars right before it that are missing and could not be had: whoever trades must hold. */
  readonly missingBefore: number;
  /** Nobody told the volume: it is kept as 0 and means nothing. */
  readonly volumeUnknown?: true;
  /** The values of the sender's own indicators as JSON text. */
  readonly pine: string | null;
}

/** `seq` counts the bars of a store from 1 in the order of their commits: one that was read is never preceded by a later one. */
export interface StoredBar extends NewBar {
  readonly seq: number;
}

/** What became of a bar: put in, there already with the same figures, or there with others, which stand. */
export type Insertion =
  | { readonly outcome: 'inserted'; readonly seq: number }
  | { readonly outcome: 'same' }
  | { readonly outcome: 'differs'; readonly kept: StoredBar };

/** A second account of a bar that is there. */
export interface BarDifference {
  readonly config: string;
  readonly time: Instant;
  /** When it was first told, and how often it was told alike. */
  readonly at: Instant;
  readonly seen: number;
  readonly source: BarSource;
  /** Largest difference of a price, in basis points of the close that stands. */
  readonly bps: number;
  /** The figures that did not count, as JSON text. */
  readonly other: string;
}

/** Missing bars that open in [from, to). */
export interface BarGap {
  readonly from: Instant;
  readonly to: Instant;
}

/**
 * Bars of many configurations, each once by configuration and open time. Several processes may write at once; all of a
 * call is durable when it resolves, or none of it is there. Every method rejects with the driver's error when the store
 * cannot be reached.
 */
export interface BarStore {
  readonly kind: 'postgres' | 'sqlite';
  /** Made at random with the tables: numbers of bars mean nothing in a store that has another. */
  readonly id: string;
  /** What was set up beside the plain tables, and what could not be, in words. */
  readonly notes: readonly string[];
  /** Puts bars in, in this order. The first account of a bar stands; another that differs is kept as a difference, dated `at`. */
  insert(bars: readonly NewBar[], at: Instant): Promise<readonly Insertion[]>;
  /** Keeps a differing account that never was to be put in, such as a webhook's beside the provider's. */
  noteDifference(other: NewBar, kept: Bar, at: Instant): Promise<void>;
  /** Bars with a higher `seq`, ascending, of these configurations or, for null, of all. */
  readFrom(seq: number, limit: number, configs: readonly string[] | null): Promise<readonly StoredBar[]>;
  /** Bars that open in [from, to), ascending. */
  readRange(config: string, from: Instant, to: Instant): Promise<readonly StoredBar[]>;
  /** The newest bars that open before `before`, ascending. */
  newest(config: string, count: number, before: Instant): Promise<readonly StoredBar[]>;
  lastBar(config: string): Promise<StoredBar | null>;
  /** What is missing in [from, to), ascending; the whole of it when nothing is there. */
  gaps(config: string, intervalMs: number, from: Instant, to: Instant): Promise<readonly BarGap[]>;
  /** The highest `seq`; 0 of an empty store. */
  lastSeq(): Promise<number>;
  /** The newest differences first. */
  differences(config: string | null, limit: number): Promise<readonly BarDifference[]>;
  /** Forgets bars that opened before `before`, and what belongs to them; the number of bars. Their `seq` is not given again. */
  retain(before: Instant): Promise<number>;
  /** Adds to a counter that all processes share, unless that would bring it above `most`: then false and nothing is added. */
  spend(name: string, amount: number, most: number): Promise<boolean>;
  /** Forgets counters whose names sort before `name` and begin with `prefix`. */
  forgetSpent(prefix: string, name: string): Promise<void>;
  /** Takes a right that only one holder has at a time, or holds it longer; false while another has it. */
  lease(name: string, holder: string, at: Instant, until: Instant): Promise<boolean>;
  release(name: string, holder: string): Promise<void>;
  close(): Promise<void>;
}

/** Largest difference of a price of two bars, in basis points of the close of the first. */
export function differenceBps(kept: Bar, other: Bar): number {
  const largest = Math.max(
    Math.abs(kept.open - other.open),
    Math.abs(kept.high - other.high),
    Math.abs(kept.low - other.low),
    Math.abs(kept.close - other.close),
  );
  return (largest / kept.close) * 10_000;
}
