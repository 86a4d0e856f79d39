import type { Instant } from '#base';

/** One bar on its way from the endpoint to the worker. */
export interface BarEntry {
  /** As in the body: `S1_RX68_BTC_15M`. */
  readonly config: string;
  /** Open of the bar. */
  readonly barTime: Instant;
  /** When the endpoint took it. */
  readonly receivedAt: Instant;
  /** JSON text as `barEntry` writes it and `readBarBody` reads it. Never holds a token. */
  readonly body: string;
  /** Hex digest of what the bar says. When it was sent is no part of it: a repetition has the same hash. */
  readonly hash: string;
}

/**
 * What became of an offered bar. `queued`: durable, whatever ends this process. `duplicate`: a bar of that config and time
 * has been queued before; one that `differs` is queued as well (once for each hash), so that the worker can put the
 * difference on record. `full`: nothing was kept, the sender may try again later.
 */
export type Offered =
  | { readonly kind: 'queued'; readonly id: string }
  | { readonly kind: 'duplicate'; readonly differs: boolean }
  | { readonly kind: 'full'; readonly length: number };

/** An entry as a reader gets it: at least once, so whatever is done with it must bear repetition. */
export interface Delivered {
  readonly stream: string;
  readonly id: string;
  readonly entry: BarEntry;
  /** How many times it has been handed out, this time included. */
  readonly deliveries: number;
}

/** An entry that nobody could use, kept for a person. */
export interface DeadLetter {
  readonly id: string;
  readonly stream: string;
  /** The entry's id in its stream. */
  readonly entryId: string;
  /** Null when its fields are not those of a bar. */
  readonly entry: BarEntry | null;
  readonly deliveries: number;
  readonly reason: string;
  readonly at: Instant;
}

/** Depth of one stream for one group. */
export interface StreamDepth {
  readonly stream: string;
  /** Entries kept, those that were dealt with but not trimmed yet included. */
  readonly length: number;
  /** Not handed out yet. */
  readonly waiting: number;
  /** Handed out and not acknowledged. */
  readonly pending: number;
}

/** Bounds of a queue. Both implementations keep the same rules. */
export interface StreamLimits {
  /**
   * Entries a stream holds at most, sized for the longest outage of the worker. A full stream first forgets what every group
   * has acknowledged; what is not acknowledged is never trimmed: the next offer is refused as `full` instead.
   */
  readonly lengthMost: number;
  /**
   * An entry is handed out this many times at most; after that it becomes a dead letter. One that a worker gives back, and
   * the time that a living one holds it, do not count: what counts are workers that ended with it in their hands.
   */
  readonly deliveriesMost: number;
  /** Dead letters kept; the oldest go first. */
  readonly deadMost: number;
  /** How long the gate remembers a bar. The key of the bar store decides in the end. */
  readonly gateMs: number;
}

/** Two weeks of a one-minute bar. */
export const STREAM_LIMITS: StreamLimits = {
  lengthMost: 20_000,
  deliveriesMost: 5,
  deadMost: 10_000,
  gateMs: 86_400_000,
};

/** Appended entries are trimmed of what has been dealt with whenever a stream's length is a multiple of this. */
export const TRIM_EVERY = 256;
/** Different bodies of one bar that are queued; further ones are only answered. */
export const DIFFERENCES_MOST = 8;

/**
 * A durable queue of bars, one stream for each config, read by groups. Every call may throw {@link StreamsAway} when the
 * queue cannot be asked just now: nothing is known of that call then, and it may be repeated.
 */
export interface BarStreams {
  readonly kind: 'redis' | 'embedded';
  readonly streams: readonly string[];
  readonly limits: StreamLimits;
  /** In words: what a sudden end of the machine may take. */
  readonly durability: string;
  /** Whether what was answered as queued survives any end of the machine. */
  readonly isDurable: boolean;
  /** Looks at the gate and appends, in one act. Many offers of one turn of the event loop are committed together. */
  offer(stream: string, entry: BarEntry): Promise<Offered>;
  /** A reader of `group` under the name `consumer`. The group begins at the oldest entry when it is new. */
  reader(group: string, consumer: string): Promise<BarReader>;
  depth(group: string): Promise<StreamDepth[]>;
  /** How many dead letters there are. */
  deadCount(): Promise<number>;
  /** Newest first. */
  deadLetters(count: number): Promise<DeadLetter[]>;
  /** Puts a dead letter back at the end of its stream. False when there is none of that id, or it is no bar of a stream of ours. */
  revive(id: string): Promise<boolean>;
  /** Ends after the offers that were made. */
  close(): Promise<void>;
}

/** One consumer of a group. Entries of one stream come in order within one answer; streams come in any order. */
export interface BarReader {
  readonly group: string;
  readonly consumer: string;
  /** New entries, at most `count` of each stream. Waits up to `waitMs` for the first; empty when none came or `signal` ended it. */
  read(options: { count: number; waitMs: number; signal?: AbortSignal }): Promise<Delivered[]>;
  /** What this consumer was given before (it may have been another process of that name) and has not acknowledged. */
  own(count: number): Promise<Delivered[]>;
  /**
   * Takes over what any consumer has held for at least `idleMs`, at most `count`. What has been handed out too often becomes
   * a dead letter instead.
   */
  claim(options: { idleMs: number; count: number }): Promise<Delivered[]>;
  /**
   * Says that this consumer still works on these: they are not idle and nobody claims them. Counts as no delivery. What it
   * does not hold any more is left alone.
   */
  touch(delivered: readonly Delivered[]): Promise<void>;
  /**
   * Lets go of these without having failed at them: the delivery they came with does not count, and whoever asks next may
   * claim them at once.
   */
  giveBack(delivered: readonly Delivered[]): Promise<void>;
  /** How many of them were pending. */
  ack(delivered: readonly Delivered[]): Promise<number>;
  /** Makes it a dead letter at once and acknowledges it, in one act. False when it was not pending any more. */
  bury(delivered: Delivered, reason: string): Promise<boolean>;
  close(): Promise<void>;
}

/** The queue cannot be asked just now. */
export class StreamsAway extends Error {
  override name = 'StreamsAway';
}
