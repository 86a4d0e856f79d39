/** What a worker has done since it began. */
export interface IntakeCounts {
  /** Entries taken from the queue, and of them those that had been given to a worker that did not finish. */
  taken: number;
  claimed: number;
  /** Bars put into the store: told by the webhook, by the provider in its stead, or looked up for a hole. */
  webhook: number;
  provider: number;
  backfill: number;
  /** Told again with the same figures, and with others. */
  repeated: number;
  differing: number;
  /** Webhook and provider apart by more than the limit. */
  apart: number;
  /** Told by the webhook and not judged, although a provider is to be believed: it did not answer. */
  unjudged: number;
  /** Kept and not to be traded on. */
  late: number;
  /** Bars missing before one that was released nevertheless. */
  unfilled: number;
  /** Entries that nobody can use. */
  buried: number;
  /** Attempts that the store or the queue did not answer. */
  faults: number;
}

export const noIntake = (): IntakeCounts => ({
  taken: 0,
  claimed: 0,
  webhook: 0,
  provider: 0,
  backfill: 0,
  repeated: 0,
  differing: 0,
  apart: 0,
  unjudged: 0,
  late: 0,
  unfilled: 0,
  buried: 0,
  faults: 0,
});
