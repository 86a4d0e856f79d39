import type { Instant } from '#base';

/** How an exchange misbehaves. Chances are per command or per report, 0..1. */
export interface FaultModel {
  readonly seed: number | string;
  /** A command never arrives and nobody says so. */
  readonly lostSend: number;
  /** A submission is refused at the door: a known failure. */
  readonly rejectedSend: number;
  /** A report other than a fill never arrives. */
  readonly lostReport: number;
  /** A fill's report never arrives. */
  readonly lostFill: number;
  readonly duplicate: number;
  readonly delay: number;
  readonly delayMsMax: number;
  /** A fill is told in up to `splitParts` parts, always the same ones. */
  readonly split: number;
  readonly splitParts: number;
  /** A cancellation or amendment is held up, so that fills can overtake it. */
  readonly slowCancel: number;
  readonly slowCancelMsMax: number;
  /** Mean time between disconnections and their longest length; null: none. */
  readonly disconnectEveryMs: number | null;
  readonly disconnectMsMax: number;
  /** Chance that a report made while disconnected is never told; else it comes on reconnection. */
  readonly lostWhileDown: number;
  /** From this time on everything works; null: never. */
  readonly until: Instant | null;
}

/** No faults: the base to state single ones on. */
export const NO_FAULTS: FaultModel = {
  seed: 0,
  lostSend: 0,
  rejectedSend: 0,
  lostReport: 0,
  lostFill: 0,
  duplicate: 0,
  delay: 0,
  delayMsMax: 5_000,
  split: 0,
  splitParts: 3,
  slowCancel: 0,
  slowCancelMsMax: 5_000,
  disconnectEveryMs: null,
  disconnectMsMax: 60_000,
  lostWhileDown: 0,
  until: null,
};
