import type { StreamDepth } from './bar-streams.ts';
import type { RefusalReason } from './webhook-answers.ts';

/** Upper bounds in ms; the last bucket has none. */
export const LATENCY_BOUNDS_MS: readonly number[] = [
  0.25, 0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1_000, 3_000,
];

/** Plain figures of an endpoint since its start. */
export interface WebhookSnapshot {
  readonly accepted: number;
  readonly duplicates: number;
  /** Those of the duplicates that said something else. */
  readonly differing: number;
  readonly refused: Readonly<Partial<Record<RefusalReason, number>>>;
  /** Requests that went away before they had an answer. */
  readonly broken: number;
  /** What was no HTTP request. */
  readonly malformed: number;
  readonly byConfig: Readonly<Record<string, number>>;
  readonly inFlight: number;
  /** From the first byte of the head to the answer: how many up to each bound, not cumulative; one more for the rest. */
  readonly latency: {
    readonly boundsMs: readonly number[];
    readonly counts: readonly number[];
    readonly sumMs: number;
  };
  readonly queue: {
    readonly kind: 'redis' | 'embedded';
    readonly durability: string;
    /** As last looked at; empty before the first look. */
    readonly depth: readonly StreamDepth[];
    readonly isAway: boolean;
  };
}

/** Counts what an endpoint answered. */
export class WebhookTally {
  accepted = 0;
  duplicates = 0;
  differing = 0;
  broken = 0;
  malformed = 0;
  inFlight = 0;
  private sumMs = 0;
  private readonly refused = new Map<RefusalReason, number>();
  private readonly configs = new Map<string, number>();
  private readonly counts = new Array<number>(LATENCY_BOUNDS_MS.length + 1).fill(0);

  took(config: string): void {
    this.accepted++;
    this.configs.set(config, (this.configs.get(config) ?? 0) + 1);
  }

  refuse(reason: RefusalReason): void {
    this.refused.set(reason, (this.refused.get(reason) ?? 0) + 1);
  }

  answered(latencyMs: number): void {
    let bucket = 0;
    while (bucket < LATENCY_BOUNDS_MS.length && latencyMs > LATENCY_BOUNDS_MS[bucket]!) bucket++;
    this.counts[bucket]!++;
    this.sumMs += latencyMs;
  }

  snapshot(queue: WebhookSnapshot['queue']): WebhookSnapshot {
    const { accepted, duplicates, differing, broken, malformed, inFlight, sumMs } = this;
    return {
      accepted,
      duplicates,
      differing,
      refused: Object.fromEntries(this.refused),
      broken,
      malformed,
      byConfig: Object.fromEntries(this.configs),
      inFlight,
      latency: { boundsMs: LATENCY_BOUNDS_MS, counts: [...this.counts], sumMs },
      queue,
    };
  }
}
