import type { Instant } from '#base';
import type { ParityReport } from './pine-parity.ts';

/** How a learned source stands, for people who watch it; nothing is decided by it. */
export interface ModelReport {
  /** The beginning of the model's id, and its name; null without one. */
  readonly id: string | null;
  readonly name: string | null;
  /** Last bar of its training, which its age counts from. */
  readonly trainedTo: Instant | null;
  /** Why it cannot be used at all; null when it can. */
  readonly fault: string | null;
  /** Rows it was asked about, share of the newest of which something was cut off, and whether that is too many. */
  readonly rows: number;
  readonly clippedShare: number;
  readonly drifted: boolean;
  /** Null where it is not compared with anything. */
  readonly parity: ParityReport | null;
}
